//! Sends receipts to a sequencer, in bundles, until each is acknowledged.

mod error;
mod retry;

pub use error::SubmitError;

use crate::bundling::{Encoded, Room, bundles};
use crate::journal::Journal;
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_proto::v1::{InfoRequest, SubmitBundleRequest};
use cairn_proto::{Acknowledgement, MAX_MESSAGE_BYTES, NodeInfo};
use cairn_types::{Digest, Receipt};
use retry::{Backoff, Failure};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Bundles that are journalled with one write.
const JOURNAL_GROUP: usize = 32;

/// How a node talks to a sequencer.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Bundles sent and not yet acknowledged, at most. The sequencer's own limit holds where it is lower.
    pub window: usize,
    /// First wait after a failure that may pass; each further one is twice as long.
    pub min_delay: Duration,
    /// Longest wait.
    pub max_delay: Duration,
    /// Failures in a row, without an acknowledgement between them, after which it gives up.
    pub max_failures: usize,
    /// Time to connect, and to wait for an answer when one is due.
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: 16,
            min_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(10),
            max_failures: 10,
            timeout: Duration::from_secs(30),
        }
    }
}

/// Hears how far submitting has come.
pub trait Progress: Send + Sync {
    /// So many bundles, with so many receipts in them, are to be acknowledged.
    fn expect(&self, bundles: u64, receipts: u64);
    /// One more bundle, with so many receipts in it, was acknowledged.
    fn acknowledged(&self, receipts: u64);
    /// The sequencer cannot be reached or is busy; it is tried again after `delay`.
    fn waiting(&self, reason: &str, delay: Duration);
}

/// Hears nothing.
impl Progress for () {
    fn expect(&self, _: u64, _: u64) {}
    fn acknowledged(&self, _: u64) {}
    fn waiting(&self, _: &str, _: Duration) {}
}

/// What submitting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubmitReport {
    /// Receipts in bundles acknowledged by this run.
    pub receipts: u64,
    /// Bundles acknowledged by this run.
    pub bundles: u64,
    /// Of these, the ones that the sequencer had recorded before: sent by a run that was interrupted.
    pub duplicates: u64,
    /// Receipts that were not sent because the journal, or this input itself, has them already.
    pub skipped: u64,
}

/// A node's connection to a sequencer.
#[derive(Debug, Clone)]
pub struct Node {
    client: SequencerClient<Channel>,
    config: Config,
    node_index: u32,
    info: NodeInfo,
}

impl Node {
    /// Connects, trying again as `config` says, and asks what to know before submitting: the rollup above all.
    ///
    /// # Errors
    /// When the address is none, or the sequencer cannot be reached or gives no usable answer.
    pub async fn connect(
        endpoint: &str,
        node_index: u32,
        config: Config,
        progress: &dyn Progress,
    ) -> Result<Self, SubmitError> {
        let channel = Endpoint::from_shared(endpoint.to_owned())
            .map_err(|source| SubmitError::Endpoint { endpoint: endpoint.to_owned(), source })?
            .connect_timeout(config.timeout)
            .tcp_nodelay(true)
            .connect_lazy();
        let client = SequencerClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let info = ask(&client, node_index, &config, progress).await?;
        Ok(Self { client, config, node_index, info })
    }

    /// What the sequencer said when it was last asked.
    #[must_use]
    pub const fn info(&self) -> &NodeInfo {
        &self.info
    }

    /// Submits `receipts` that are not in `journal` yet, all of them when `again`, after whatever an earlier run left
    /// there without an acknowledgement. Of receipts that are equal, one is submitted.
    ///
    /// # Errors
    /// When a bundle cannot be made, journalled, sent or is refused.
    pub async fn submit(
        &mut self,
        receipts: &[Receipt],
        journal: &Journal,
        again: bool,
        progress: &dyn Progress,
    ) -> Result<SubmitReport, SubmitError> {
        self.info = ask(&self.client, self.node_index, &self.config, progress).await?;
        self.check_rollup("the journal is", journal.rollup_id())?;
        let (fresh, skipped) = self.select(receipts, journal, again)?;
        let pending = journal.pending()?;
        let next = next_sequence(journal.next_sequence()?, pending.first().copied(), self.info.next_sequence)?;
        let fresh = bundles(fresh, self.node_index, next, Room::of(&self.info.limits))?;
        let mut receipts = fresh.iter().map(|bundle| bundle.records.len() as u64).sum();
        for sequence in &pending {
            receipts += journal.bundle(*sequence)?.bundle.records.len() as u64;
        }
        for group in fresh.chunks(JOURNAL_GROUP) {
            journal.append(group)?;
        }
        let queue: VecDeque<_> = pending.into_iter().chain(fresh.iter().map(|bundle| bundle.sequence)).collect();
        drop(fresh);
        progress.expect(queue.len() as u64, receipts);
        let mut run = Run { journal, progress, queue, report: SubmitReport { skipped, ..SubmitReport::default() } };
        self.drain(&mut run).await?;
        Ok(run.report)
    }

    fn check_rollup(&self, what: &'static str, ours: Digest) -> Result<(), SubmitError> {
        let theirs = self.info.rollup_id;
        if ours == theirs { Ok(()) } else { Err(SubmitError::Rollup { what, theirs, ours }) }
    }

    /// Receipts to submit, and how many are left out.
    fn select(&self, receipts: &[Receipt], journal: &Journal, again: bool) -> Result<(Vec<Encoded>, u64), SubmitError> {
        let mut encoded = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            self.check_rollup("a receipt is", receipt.rollup_id)?;
            encoded.push(Encoded::of(receipt)?);
        }
        let digests: Vec<_> = encoded.iter().map(|encoded| Receipt::digest_of(&encoded.record.receipt)).collect();
        let known = if again { vec![false; digests.len()] } else { journal.known(&digests)? };
        let mut seen = HashSet::with_capacity(digests.len());
        let fresh: Vec<_> = encoded
            .into_iter()
            .zip(digests)
            .zip(known)
            .filter(|((_, digest), known)| !known && seen.insert(*digest))
            .map(|((encoded, _), _)| encoded)
            .collect();
        let skipped = (receipts.len() - fresh.len()) as u64;
        Ok((fresh, skipped))
    }

    /// Sends the queue until it is empty, over as many streams as it takes.
    async fn drain(&self, run: &mut Run<'_>) -> Result<(), SubmitError> {
        let mut backoff = Backoff::new(&self.config);
        while !run.queue.is_empty() {
            let before = run.queue.len();
            let Err(failure) = self.stream(run).await else { continue };
            if run.queue.len() < before {
                backoff = Backoff::new(&self.config);
            }
            backoff.wait(failure, run.progress).await?;
        }
        Ok(())
    }

    /// Sends the queue over one stream. Each bundle leaves the queue when its acknowledgement is in the journal.
    async fn stream(&self, run: &mut Run<'_>) -> Result<(), Failure> {
        let limit = usize::try_from(self.info.limits.bundles_in_flight).unwrap_or(usize::MAX);
        let window = self.config.window.clamp(1, limit.max(1));
        let (sender, receiver) = tokio::sync::mpsc::channel::<SubmitBundleRequest>(window);
        let mut sent = VecDeque::with_capacity(window);
        let mut unsent = run.queue.clone();
        // The first bundle is in the channel before the call: a server may answer no headers before it has read one.
        fill(run.journal, &sender, &mut sent, &mut unsent, window).await?;
        let mut client = self.client.clone();
        let call = client.submit_bundles(ReceiverStream::new(receiver));
        let timeout = || Failure::passing(Status::deadline_exceeded("no answer in time"));
        let answer = tokio::time::timeout(self.config.timeout, call).await.map_err(|_| timeout())?;
        let mut answers = answer.map_err(|status| Failure::of(status, &sent))?.into_inner();
        while let Some(Sent { sequence, digest, receipts }) = sent.front().copied() {
            let answer = tokio::time::timeout(self.config.timeout, answers.message()).await.map_err(|_| timeout())?;
            let Some(answer) = answer.map_err(|status| Failure::of(status, &sent))? else {
                return Err(Failure::passing(Status::unavailable("the stream ended early")));
            };
            let acknowledgement =
                Acknowledgement::try_from(answer).map_err(|error| Failure::Final(SubmitError::Answer(error)))?;
            let matches = (acknowledgement.node_index, acknowledgement.sequence, acknowledgement.bundle_digest)
                == (self.node_index, sequence, digest);
            if !matches {
                return Err(Failure::Final(SubmitError::Mismatch { sequence }));
            }
            run.journal.acknowledge(&acknowledgement)?;
            sent.pop_front();
            run.queue.pop_front();
            run.report.bundles += 1;
            run.report.receipts += receipts;
            run.report.duplicates += u64::from(acknowledgement.duplicate);
            run.progress.acknowledged(receipts);
            fill(run.journal, &sender, &mut sent, &mut unsent, window).await?;
        }
        Ok(())
    }
}

/// What is left to do, and what was done.
struct Run<'a> {
    journal: &'a Journal,
    progress: &'a dyn Progress,
    queue: VecDeque<u64>,
    report: SubmitReport,
}

/// A bundle that awaits its acknowledgement.
#[derive(Debug, Clone, Copy)]
struct Sent {
    sequence: u64,
    digest: Digest,
    receipts: u64,
}

/// The sequence of the next new bundle, when the journal goes on at `journal` (`None` when it is empty), its first
/// bundle without an acknowledgement is `pending`, and the sequencer expects `theirs`.
fn next_sequence(journal: Option<u64>, pending: Option<u64>, theirs: u64) -> Result<u64, SubmitError> {
    let Some(next) = journal else { return Ok(theirs) };
    let ours = pending.unwrap_or(next);
    if theirs < ours {
        return Err(SubmitError::Behind { expected: theirs, ours });
    }
    if theirs > next {
        return Err(SubmitError::Ahead { expected: theirs, ours: next });
    }
    Ok(next)
}

/// Sends bundles from the journal while the window has room. Only what is in the window is in memory.
async fn fill(
    journal: &Journal,
    sender: &tokio::sync::mpsc::Sender<SubmitBundleRequest>,
    sent: &mut VecDeque<Sent>,
    unsent: &mut VecDeque<u64>,
    window: usize,
) -> Result<(), Failure> {
    while sent.len() < window
        && let Some(sequence) = unsent.pop_front()
    {
        let submission = journal.bundle(sequence)?;
        let receipts = submission.bundle.records.len() as u64;
        let statement = submission.bundle.statement(&submission.rollup_id);
        let damaged = |_| Failure::Final(SubmitError::Mismatch { sequence });
        sent.push_back(Sent { sequence, digest: statement.map_err(damaged)?.digest(), receipts });
        // A closed channel is a stream that has ended: its status says why.
        if sender.send(submission.into()).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn ask(
    client: &SequencerClient<Channel>,
    node_index: u32,
    config: &Config,
    progress: &dyn Progress,
) -> Result<NodeInfo, SubmitError> {
    let mut backoff = Backoff::new(config);
    loop {
        let mut client = client.clone();
        let call = client.info(InfoRequest { node_index });
        let failure = match tokio::time::timeout(config.timeout, call).await {
            Ok(Ok(reply)) => return NodeInfo::try_from(reply.into_inner()).map_err(SubmitError::Answer),
            Ok(Err(status)) => Failure::of(status, &VecDeque::new()),
            Err(_) => Failure::passing(Status::deadline_exceeded("no answer in time")),
        };
        backoff.wait(failure, progress).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_and_its_sequencer_must_agree_on_what_comes_next() {
        assert!(matches!(next_sequence(None, None, 9), Ok(9)), "a new journal starts where the sequencer is");
        assert!(matches!(next_sequence(Some(5), None, 5), Ok(5)));
        for theirs in 3..=5 {
            assert!(matches!(next_sequence(Some(5), Some(3), theirs), Ok(5)), "acknowledgements may have been lost");
        }
        assert!(matches!(next_sequence(Some(5), Some(3), 2), Err(SubmitError::Behind { expected: 2, ours: 3 })));
        assert!(matches!(next_sequence(Some(5), None, 4), Err(SubmitError::Behind { expected: 4, ours: 5 })));
        assert!(matches!(next_sequence(Some(5), Some(3), 6), Err(SubmitError::Ahead { expected: 6, ours: 5 })));
    }
}
