//! The stream of bundles and acknowledgements.

use super::retry::{Backoff, Failure};
use super::{Node, Progress, SubmitError, SubmitReport};
use crate::clock::now_ms;
use crate::spool::{Breach, Evidence};
use cairn_proto::refusal::Refusal;
use cairn_proto::v1::{self, SubmitBundleRequest};
use cairn_proto::{Acknowledgement, Submission};
use cairn_types::Digest;
use futures::{FutureExt as _, StreamExt as _};
use prost::Message as _;
use std::collections::VecDeque;
use tokio::sync::mpsc::Sender;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// A bundle that awaits its acknowledgement.
#[derive(Debug, Clone, Copy)]
struct Sent {
    sequence: u64,
    digest: Digest,
    receipts: u64,
}

/// What is left to do, and what was done.
struct Run<'a> {
    progress: &'a dyn Progress,
    queue: VecDeque<u64>,
    report: SubmitReport,
}

/// One call: bundles leave for it, and wait in order for their answers.
struct Flow {
    sender: Option<Sender<SubmitBundleRequest>>,
    sent: VecDeque<Sent>,
    unsent: VecDeque<u64>,
    window: usize,
}

impl Node {
    /// Sends what the spool has to send until it is empty, over as many streams as it takes, or until told to stop.
    ///
    /// # Errors
    /// When the sequencer was never reached, refuses, answers falsely, or does not answer, or the spool fails.
    pub async fn send(&mut self, progress: &dyn Progress) -> Result<SubmitReport, SubmitError> {
        let (queue, receipts) = self
            .observer
            .on_disk(|spool| {
                let queue: VecDeque<_> = spool.pending()?.into();
                let mut receipts = 0;
                for sequence in &queue {
                    receipts += u64::from(spool.record(*sequence)?.receipts);
                }
                Ok((queue, receipts))
            })
            .await?;
        progress.expect(queue.len() as u64, receipts);
        let mut run = Run { progress, queue, report: SubmitReport::default() };
        let mut backoff = Backoff::new(&self.config);
        while !run.queue.is_empty() && !self.stop.is_cancelled() {
            let before = run.queue.len();
            let Err(failure) = self.stream(&mut run).await else { continue };
            if run.queue.len() < before {
                backoff = Backoff::new(&self.config);
            }
            let is_gap = matches!(failure, Failure::Gap(_));
            backoff.wait(failure, progress, &self.stop).await?;
            if is_gap && !self.stop.is_cancelled() {
                // Either it catches up, or the two are at odds, which this finds out.
                self.greet(progress).await?;
                run.queue = self.observer.on_disk(|spool| Ok(spool.pending()?.into())).await?;
            }
        }
        Ok(run.report)
    }

    /// Sends the queue over one stream. Each bundle leaves the queue when its acknowledgement is in the spool.
    async fn stream(&self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Some(contact) = &self.contact else { return Err(Failure::passing(Status::unavailable("not greeted"))) };
        let limit = usize::try_from(contact.info.limits.bundles_in_flight).unwrap_or(usize::MAX);
        let window = self.config.window.clamp(1, limit.max(1));
        let (sender, receiver) = tokio::sync::mpsc::channel(window);
        let sent = VecDeque::with_capacity(window);
        let mut flow = Flow { sender: Some(sender), sent, unsent: run.queue.clone(), window };
        // The first bundle is in the channel before the call: a server may answer no headers before it has read one.
        self.fill(&mut flow).await?;
        let mut client = self.observer.client.clone();
        let call = client.submit_bundles(ReceiverStream::new(receiver));
        let answer = tokio::time::timeout(self.config.timeout, call).await.map_err(|_| Failure::no_answer())?;
        let mut answers = match answer {
            Ok(answers) => answers.into_inner(),
            Err(status) => return Err(self.refused(status, &flow.sent).await),
        };
        while !flow.sent.is_empty() {
            let outcome = self.take(&mut answers, &flow.sent).await;
            let (good, failure) = outcome;
            self.keep(&good, &mut flow, run).await?;
            if let Some(failure) = failure {
                return Err(failure);
            }
            self.fill(&mut flow).await?;
        }
        Ok(())
    }

    /// Waits for one acknowledgement and takes those that are there with it: one write to the disk serves them all.
    async fn take(
        &self,
        answers: &mut Streaming<v1::Acknowledgement>,
        sent: &VecDeque<Sent>,
    ) -> (Vec<Acknowledgement>, Option<Failure>) {
        let mut good = Vec::new();
        let mut next = tokio::time::timeout(self.config.timeout, answers.next()).await.ok();
        for due in sent {
            let answer = match next {
                // Nothing came in time, or nothing more is there.
                None if good.is_empty() => return (good, Some(Failure::no_answer())),
                None => break,
                Some(None) => {
                    let ended = Failure::passing(Status::unavailable("the stream ended early"));
                    return (good, Some(ended));
                }
                Some(Some(Err(status))) => {
                    let waiting: VecDeque<_> = sent.iter().skip(good.len()).copied().collect();
                    return (good, Some(self.refused(status, &waiting).await));
                }
                Some(Some(Ok(answer))) => answer,
            };
            match self.check(answer, due).await {
                Ok(acknowledgement) => good.push(acknowledgement),
                Err(failure) => return (good, Some(failure)),
            }
            next = answers.next().now_or_never();
        }
        (good, None)
    }

    /// The acknowledgement of `due`, unless it is none: then it is kept as evidence.
    async fn check(&self, answer: v1::Acknowledgement, due: &Sent) -> Result<Acknowledgement, Failure> {
        let bytes = answer.encode_to_vec();
        let identity = self.spool().bound()?;
        let sequence = due.sequence;
        let read = Acknowledgement::try_from(answer).map_err(|error| error.to_string());
        let verified = read.and_then(|acknowledgement| {
            let valid = acknowledgement.verify(&identity.rollup_id, &identity.acknowledgement_key);
            valid.map(|()| acknowledgement).map_err(|error| error.to_string())
        });
        let (breach, error) = match verified {
            Ok(acknowledgement) => {
                let named = (acknowledgement.node_index, acknowledgement.sequence, acknowledgement.bundle_digest);
                if named == (identity.node_index, sequence, due.digest) {
                    return Ok(acknowledgement);
                }
                (Breach::Mismatch, SubmitError::Mismatch { sequence })
            }
            Err(reason) => (Breach::Forged, SubmitError::Forged { sequence, reason }),
        };
        self.keep_evidence(breach, due, bytes).await?;
        Err(error.into())
    }

    /// What a status means while the bundles `sent` await their answers.
    async fn refused(&self, status: Status, sent: &VecDeque<Sent>) -> Failure {
        let Some(Refusal::Conflict { recorded, offered }) = Refusal::of(&status) else { return Failure::of(status) };
        let Some(due) = sent.iter().find(|sent| sent.digest == offered).or(sent.front()) else {
            return Failure::of(status);
        };
        let sequence = due.sequence;
        match self.keep_evidence(Breach::Conflict, due, recorded.to_bytes().to_vec()).await {
            Ok(()) => Failure::Final(SubmitError::Conflict { sequence, recorded, offered: due.digest }),
            Err(error) => Failure::Final(error),
        }
    }

    async fn keep_evidence(&self, breach: Breach, due: &Sent, answer: Vec<u8>) -> Result<(), SubmitError> {
        let (endpoint, sequence, ours) = (self.observer.endpoint.clone(), due.sequence, due.digest);
        let evidence = Evidence { at_ms: now_ms(), breach, endpoint, sequence, ours, answer };
        self.observer.on_disk(move |spool| spool.keep_evidence(&evidence)).await
    }

    /// Writes acknowledgements down, and takes their bundles off the queue.
    async fn keep(&self, good: &[Acknowledgement], flow: &mut Flow, run: &mut Run<'_>) -> Result<(), Failure> {
        if good.is_empty() {
            return Ok(());
        }
        let (batch, key, endpoint) =
            (good.to_vec(), self.spool().bound()?.acknowledgement_key, self.observer.endpoint.clone());
        let contradicted = self.observer.on_disk(move |spool| spool.acknowledge(&batch, &key, &endpoint)).await?;
        for sequence in contradicted {
            tracing::error!(sequence, "the sequencer gave two acknowledgements that differ: both are in the spool");
        }
        for acknowledgement in good {
            let Some(sent) = flow.sent.pop_front() else { break };
            run.queue.pop_front();
            run.report.bundles += 1;
            run.report.receipts += sent.receipts;
            run.report.duplicates += u64::from(acknowledgement.duplicate);
            run.progress.acknowledged(sent.receipts);
        }
        Ok(())
    }

    /// Sends bundles from the spool while the window has room. Only what is in the window is in memory.
    async fn fill(&self, flow: &mut Flow) -> Result<(), Failure> {
        if self.stop.is_cancelled() {
            // The stream ends when what was sent is answered.
            flow.sender = None;
        }
        let rollup_id = self.spool().bound()?.rollup_id;
        while flow.sent.len() < flow.window
            && let Some(sender) = &flow.sender
            && let Some(sequence) = flow.unsent.pop_front()
        {
            let (record, bundle) =
                self.observer.on_disk(move |spool| Ok((spool.record(sequence)?, spool.bundle(sequence)?))).await?;
            let (digest, receipts) = (record.digest, u64::from(record.receipts));
            flow.sent.push_back(Sent { sequence, digest, receipts });
            // A closed channel is a stream that has ended: its status says why.
            if sender.send(Submission { rollup_id, bundle }.into()).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}
