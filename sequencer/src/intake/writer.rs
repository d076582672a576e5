//! The one writer of the log: whatever has queued up while the last write went to disk shares the next one.

use std::sync::Arc;

use cairn_proto::Acknowledgement;
use tokio::sync::{mpsc, oneshot};

use super::acknowledge::Acknowledger;
use super::authorise::{Authorised, HeldLog};
use super::error::IntakeError;
use super::order::{Group, Placement};
use crate::metrics;
use crate::registry::pending::Registrations;
use crate::store::{NewBundle, Store, StoreError, StoredBundle};

/// Bundles that share one write, at most.
pub const MAX_GROUP: usize = 256;
/// Receipt bytes after which a group is closed. Keeps a write, and the wait for it, short.
pub const MAX_GROUP_BYTES: u64 = 32 << 20;

/// A checked bundle on its way to the log.
#[derive(Debug)]
pub struct Offer {
    /// The bundle, and the key that signed it.
    pub authorised: Authorised,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub arrived_ms: u64,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Acknowledgement, IntakeError>>,
}

/// What the sealer has to know of a bundle that joined the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Place in the log.
    pub log_index: u64,
    /// Receipts in the bundle.
    pub receipts: u32,
    /// Bytes that it takes in a batch's data.
    pub data_bytes: u64,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub arrived_ms: u64,
}

impl Appended {
    /// What the sealer has to know of a stored bundle.
    #[must_use]
    pub fn of(log_index: u64, bundle: &StoredBundle) -> Self {
        Self {
            log_index,
            receipts: bundle.data.records.len() as u32,
            data_bytes: bundle.data_bytes(),
            arrived_ms: bundle.arrived_ms,
        }
    }
}

/// The one who writes.
pub struct Writer {
    /// The log.
    pub store: Arc<Store>,
    /// Entries in no batch.
    pub registrations: Registrations,
    /// Who signs.
    pub acknowledger: Acknowledger,
}

impl Writer {
    /// Writes offers to the log until the channel closes, calling `appended` after each durable write.
    ///
    /// Blocks: runs on a thread of its own.
    ///
    /// # Errors
    /// When the store fails. Everyone who waited has been told, and what the log holds is for the next start to find.
    pub fn run(
        &self,
        mut offers: mpsc::Receiver<Offer>,
        mut appended: impl FnMut(&[Appended]),
    ) -> Result<(), StoreError> {
        let mut log_end = self.store.log_end()?;
        while let Some(first) = offers.blocking_recv() {
            let group = gather(first, &mut offers);
            log_end = self.write(log_end, group, &mut appended)?;
        }
        Ok(())
    }

    /// Places a group, makes it durable with one write, then answers everyone in it. Returns the log's new end.
    fn write(
        &self,
        log_end: u64,
        offers: Vec<Offer>,
        appended: &mut impl FnMut(&[Appended]),
    ) -> Result<u64, StoreError> {
        // Held until the group is announced: an entry that is seen later finds these bundles acknowledged.
        let pending = self.registrations.read();
        let log = HeldLog { store: &self.store, pending: &pending };
        let mut group = Group::new(log_end);
        let (mut joined, mut conflicts, mut answers) = (Vec::new(), Vec::new(), Vec::with_capacity(offers.len()));
        let size = offers.len();
        for Offer { authorised, arrived_ms, reply } in offers {
            let placement = match group.place(&log, &authorised) {
                Ok(placement) => placement,
                Err(error) => {
                    fail(answers);
                    let _ = reply.send(Err(IntakeError::Log));
                    return Err(error);
                }
            };
            let answer = self.answer(&mut group, placement, authorised, arrived_ms, &mut joined, &mut conflicts);
            answers.push((reply, answer));
        }
        if let Err(error) = self.store.append(&joined, &conflicts) {
            fail(answers);
            return Err(error);
        }
        metrics::commit_group(size);
        let news: Vec<_> = joined.iter().map(|new| Appended::of(new.placed.log_index, &new.bundle)).collect();
        if !news.is_empty() {
            appended(&news);
        }
        drop(pending);
        for (reply, answer) in answers {
            if matches!(&answer, Ok(acknowledgement) if acknowledgement.duplicate) {
                metrics::duplicate();
            }
            // A client that has gone away has its bundle in the log all the same.
            let _ = reply.send(answer);
        }
        for new in &news {
            metrics::acknowledged(new.receipts as usize);
        }
        Ok(group.log_end())
    }

    /// What becomes of one bundle of a group: it joins the log, is evidence, or neither.
    fn answer(
        &self,
        group: &mut Group,
        placement: Placement,
        authorised: Authorised,
        arrived_ms: u64,
        joined: &mut Vec<NewBundle>,
        conflicts: &mut Vec<StoredBundle>,
    ) -> Result<Acknowledgement, IntakeError> {
        let digest = authorised.bundle.digest;
        let (node_index, sequence) = (authorised.bundle.data.node_index, authorised.bundle.data.sequence);
        let rollup_id = &self.acknowledger.rollup_id;
        match placement {
            Placement::Next { log_index, head } => {
                let settle_by_slot = self.acknowledger.settle_by(log_index)?;
                let placed = self.acknowledger.sign(log_index, &authorised, settle_by_slot);
                group.take(node_index, sequence, placed, head);
                let bundle = StoredBundle { digest, arrived_ms, data: authorised.bundle.data };
                joined.push(NewBundle { placed, bundle, head });
                Ok(placed.acknowledgement(rollup_id, node_index, sequence))
            }
            Placement::Duplicate(placed) => {
                let first = placed.acknowledgement(rollup_id, node_index, sequence);
                Ok(Acknowledgement { duplicate: true, ..first })
            }
            Placement::Conflict(placed) => {
                conflicts.push(StoredBundle { digest, arrived_ms, data: authorised.bundle.data });
                Err(IntakeError::Conflict { node_index, sequence, recorded: placed.digest, offered: digest })
            }
            Placement::Gap { expected } => Err(IntakeError::Gap { node_index, offered: sequence, expected }),
            Placement::Total => Err(IntakeError::Total(node_index)),
            Placement::Unauthorised(refusal) => Err(refusal.into()),
        }
    }
}

fn gather(first: Offer, offers: &mut mpsc::Receiver<Offer>) -> Vec<Offer> {
    let size = |offer: &Offer| {
        offer.authorised.bundle.data.records.iter().map(|record| record.receipt.len() as u64).sum::<u64>()
    };
    let mut bytes = size(&first);
    let mut group = vec![first];
    while group.len() < MAX_GROUP && bytes < MAX_GROUP_BYTES {
        let Ok(offer) = offers.try_recv() else { break };
        bytes += size(&offer);
        group.push(offer);
    }
    group
}

type Answer = (oneshot::Sender<Result<Acknowledgement, IntakeError>>, Result<Acknowledgement, IntakeError>);

fn fail(answers: Vec<Answer>) {
    for (reply, _) in answers {
        let _ = reply.send(Err(IntakeError::Log));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::check::check;
    use crate::promise::PromiseLimits;
    use crate::samples::{NODE, NOW_MS, acknowledgement_key, receipt_key, request, rollup};
    use crate::store::Change;
    use crate::test_log::TestLog;

    type Reply = oneshot::Receiver<Result<Acknowledgement, IntakeError>>;

    fn offer(node_index: u32, sequence: u64, receipts: u64) -> (Offer, Reply) {
        let bundle = check(request(node_index, sequence, receipts), &rollup(), NOW_MS * 2).unwrap();
        let authorised = Authorised { bundle, key: receipt_key(node_index) };
        let (reply, answer) = oneshot::channel();
        (Offer { authorised, arrived_ms: NOW_MS, reply }, answer)
    }

    /// Runs the writer over offers that have all queued up.
    fn run_over(log: &TestLog, offers: Vec<(Offer, Reply)>) -> Vec<Result<Acknowledgement, IntakeError>> {
        run_as(log.writer(), log, offers)
    }

    fn run_as(writer: Writer, log: &TestLog, offers: Vec<(Offer, Reply)>) -> Vec<Result<Acknowledgement, IntakeError>> {
        let (sender, receiver) = mpsc::channel(offers.len());
        let mut replies = Vec::new();
        for (offer, reply) in offers {
            sender.try_send(offer).unwrap();
            replies.push(reply);
        }
        drop(sender);
        let ended = writer.run(receiver, |_| {});
        assert_eq!(ended.is_err(), log.store.faults().crashed());
        replies.into_iter().map(|mut reply| reply.try_recv().unwrap()).collect()
    }

    fn appends(log: &TestLog) -> usize {
        log.store.faults().changes().iter().filter(|change| **change == Change::Append).count()
    }

    #[test]
    fn bundles_that_queued_up_share_one_write() {
        let nodes: Vec<_> = (0..100).collect();
        let log = TestLog::new(&nodes);
        let answers = run_over(&log, nodes.iter().map(|node| offer(*node, 0, 1)).collect());
        let indices: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().log_index).collect();
        assert_eq!(indices, (0..100).collect::<Vec<_>>());
        assert_eq!(appends(&log), 1);
    }

    #[test]
    fn a_group_is_closed_when_it_is_large() {
        let log = TestLog::new(&[NODE]);
        let bundles = MAX_GROUP as u64 + 1;
        let answers = run_over(&log, (0..bundles).map(|sequence| offer(NODE, sequence, 1)).collect());
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(appends(&log), 2);
    }

    #[test]
    fn everyone_in_a_group_that_failed_is_told_and_nothing_is_in_the_log() {
        let log = TestLog::new(&[NODE]);
        log.store.faults().crash_at(0, crate::store::Side::Before);
        let answers = run_over(&log, (0..5).map(|sequence| offer(NODE, sequence, 1)).collect());
        assert_eq!(answers, vec![Err(IntakeError::Log); 5]);
        assert_eq!(log.store.log_end().unwrap(), 0);
        assert_eq!(log.store.head(NODE).unwrap().unwrap().next_sequence, 0);
    }

    #[test]
    fn one_group_holds_duplicates_conflicts_and_gaps_apart() {
        let log = TestLog::new(&[NODE]);
        let offers =
            vec![offer(NODE, 0, 1), offer(NODE, 0, 1), offer(NODE, 0, 2), offer(NODE, 2, 1), offer(NODE, 1, 1)];
        let [first, again, conflict, gap, second] = <[_; 5]>::try_from(run_over(&log, offers)).unwrap();
        let first = first.unwrap();
        assert_eq!(again.unwrap(), Acknowledgement { duplicate: true, ..first });
        assert!(matches!(conflict, Err(IntakeError::Conflict { recorded, .. }) if recorded == first.bundle_digest));
        assert_eq!(gap, Err(IntakeError::Gap { node_index: NODE, offered: 2, expected: 1 }));
        assert_eq!(second.unwrap().log_index, 1);
        assert_eq!(log.store.conflict(NODE, 0).unwrap().unwrap().data.records.len(), 2);
        assert_eq!(appends(&log), 1);
    }

    #[test]
    fn duplicates_alone_write_nothing_and_get_the_same_signature() {
        let log = TestLog::new(&[NODE]);
        let first = run_over(&log, vec![offer(NODE, 0, 1)]).remove(0).unwrap();
        let again = run_over(&log, vec![offer(NODE, 0, 1)]).remove(0).unwrap();
        assert_eq!(again, Acknowledgement { duplicate: true, ..first });
        assert_eq!(appends(&log), 1);
    }

    #[test]
    fn an_acknowledgement_is_signed_and_promises_a_slot_after_the_chains() {
        let log = TestLog::new(&[NODE]);
        let answers = run_over(&log, vec![offer(NODE, 0, 1), offer(NODE, 1, 1)]);
        for answer in answers {
            let acknowledgement = answer.unwrap();
            acknowledgement.verify(&rollup(), &acknowledgement_key().address().0).unwrap();
            assert!(acknowledgement.settle_by_slot >= TestLog::SLOT + 2_250, "{acknowledgement:?}");
        }
        let head = log.store.head(NODE).unwrap().unwrap();
        assert_eq!((head.next_sequence, head.receipts_total), (2, 2));
    }

    #[test]
    fn what_cannot_be_promised_is_not_in_the_log_and_leaves_no_gap() {
        let log = TestLog::new(&[NODE]);
        let mut writer = log.writer();
        let second = std::time::Duration::from_secs(1);
        writer.acknowledger.limits = PromiseLimits { floor: second, most: second };
        let answers = run_as(writer, &log, vec![offer(NODE, 0, 1), offer(NODE, 1, 1)]);
        assert!(matches!(answers[0], Err(IntakeError::Overloaded(_))), "{:?}", answers[0]);
        assert_eq!(answers[1], Err(IntakeError::Gap { node_index: NODE, offered: 1, expected: 0 }));
        assert_eq!(log.store.log_end().unwrap(), 0);
        assert!(run_over(&log, vec![offer(NODE, 0, 1)])[0].is_ok());
    }
}
