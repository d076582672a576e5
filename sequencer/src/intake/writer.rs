//! The one writer of the log: whatever has queued up while the last write went to disk shares the next one.

use std::sync::Arc;

use cairn_proto::Acknowledgement;
use tokio::sync::{mpsc, oneshot};

use super::check::CheckedBundle;
use super::error::IntakeError;
use super::order::{Group, LogView, Placement};
use crate::metrics;
use crate::store::{NewBundle, Placed, Store, StoreError, StoredBundle};

/// Bundles that share one write, at most.
pub const MAX_GROUP: usize = 256;
/// Receipt bytes after which a group is closed. Keeps a write, and the wait for it, short.
pub const MAX_GROUP_BYTES: u64 = 32 << 20;

/// A checked bundle on its way to the log.
#[derive(Debug)]
pub struct Offer {
    /// The bundle.
    pub bundle: CheckedBundle,
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

/// Writes offers to the log until the channel closes, calling `appended` after each durable write.
///
/// Blocks: runs on a thread of its own.
///
/// # Errors
/// When the store fails. Everyone who waited has been told, and what the log holds is for the next start to find.
pub fn run(
    store: &Arc<Store>,
    mut offers: mpsc::Receiver<Offer>,
    mut appended: impl FnMut(&[Appended]),
) -> Result<(), StoreError> {
    let mut log_end = store.log_end()?;
    while let Some(first) = offers.blocking_recv() {
        let group = gather(first, &mut offers);
        log_end = write(store, log_end, group, &mut appended)?;
    }
    Ok(())
}

fn gather(first: Offer, offers: &mut mpsc::Receiver<Offer>) -> Vec<Offer> {
    let size = |offer: &Offer| offer.bundle.data.records.iter().map(|record| record.receipt.len() as u64).sum::<u64>();
    let mut bytes = size(&first);
    let mut group = vec![first];
    while group.len() < MAX_GROUP && bytes < MAX_GROUP_BYTES {
        let Ok(offer) = offers.try_recv() else { break };
        bytes += size(&offer);
        group.push(offer);
    }
    group
}

/// Places a group, makes it durable with one write, then answers everyone in it. Returns the log's new end.
fn write(
    store: &Store,
    log_end: u64,
    offers: Vec<Offer>,
    appended: &mut impl FnMut(&[Appended]),
) -> Result<u64, StoreError> {
    let mut group = Group::new(log_end);
    let (mut joined, mut conflicts, mut answers) = (Vec::new(), Vec::new(), Vec::with_capacity(offers.len()));
    let size = offers.len();
    for Offer { bundle, arrived_ms, reply } in offers {
        let CheckedBundle { digest, data } = bundle;
        let (node_index, sequence) = (data.node_index, data.sequence);
        let placement = match group.place(store, node_index, sequence, digest) {
            Ok(placement) => placement,
            Err(error) => {
                fail(answers);
                let _ = reply.send(Err(IntakeError::Log));
                return Err(error);
            }
        };
        let acknowledge = |log_index, duplicate| {
            Ok(Acknowledgement { log_index, node_index, sequence, bundle_digest: digest, duplicate })
        };
        let answer = match placement {
            Placement::Appended(log_index) => {
                joined.push(NewBundle { log_index, bundle: StoredBundle { digest, arrived_ms, data } });
                acknowledge(log_index, false)
            }
            Placement::Duplicate(Placed { log_index, .. }) => acknowledge(log_index, true),
            Placement::Conflict(placed) => {
                conflicts.push(StoredBundle { digest, arrived_ms, data });
                Err(IntakeError::Conflict { node_index, sequence, recorded: placed.digest, offered: digest })
            }
            Placement::Gap { expected } => Err(IntakeError::Gap { node_index, offered: sequence, expected }),
        };
        answers.push((reply, answer));
    }
    if let Err(error) = store.append(&joined, &conflicts) {
        fail(answers);
        return Err(error);
    }
    metrics::commit_group(size);
    let news: Vec<_> = joined.iter().map(|new| Appended::of(new.log_index, &new.bundle)).collect();
    if !news.is_empty() {
        appended(&news);
    }
    for (reply, answer) in answers {
        match &answer {
            Ok(acknowledgement) if acknowledgement.duplicate => metrics::duplicate(),
            Ok(_) | Err(_) => {}
        }
        // A client that has gone away has its bundle in the log all the same.
        let _ = reply.send(answer);
    }
    for new in &news {
        metrics::acknowledged(new.receipts as usize);
    }
    Ok(group.log_end())
}

type Answer = (oneshot::Sender<Result<Acknowledgement, IntakeError>>, Result<Acknowledgement, IntakeError>);

fn fail(answers: Vec<Answer>) {
    for (reply, _) in answers {
        let _ = reply.send(Err(IntakeError::Log));
    }
}

impl LogView for Store {
    type Error = StoreError;

    fn next_sequence(&self, node_index: u32) -> Result<u64, StoreError> {
        Store::next_sequence(self, node_index)
    }

    fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, StoreError> {
        Store::placed(self, node_index, sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::check::check;
    use crate::samples::{NODE, NOW_MS, request, rollup};
    use crate::store::{Change, Identity};

    type Reply = oneshot::Receiver<Result<Acknowledgement, IntakeError>>;

    fn store(folder: &tempfile::TempDir) -> Arc<Store> {
        let identity = Identity { rollup_id: rollup(), circuit_digest: [0; 32] };
        Arc::new(Store::open(folder.path(), &identity).unwrap())
    }

    fn offer(node_index: u32, sequence: u64, receipts: u64) -> (Offer, Reply) {
        let bundle = check(request(node_index, sequence, receipts), &rollup(), NOW_MS * 2).unwrap();
        let (reply, answer) = oneshot::channel();
        (Offer { bundle, arrived_ms: NOW_MS, reply }, answer)
    }

    /// Runs the writer over offers that have all queued up.
    fn run_over(store: &Arc<Store>, offers: Vec<(Offer, Reply)>) -> Vec<Result<Acknowledgement, IntakeError>> {
        let (sender, receiver) = mpsc::channel(offers.len());
        let mut replies = Vec::new();
        for (offer, reply) in offers {
            sender.try_send(offer).unwrap();
            replies.push(reply);
        }
        drop(sender);
        let ended = run(store, receiver, |_| {});
        assert_eq!(ended.is_err(), store.faults().crashed());
        replies.into_iter().map(|mut reply| reply.try_recv().unwrap()).collect()
    }

    fn appends(store: &Store) -> usize {
        store.faults().changes().iter().filter(|change| **change == Change::Append).count()
    }

    #[test]
    fn bundles_that_queued_up_share_one_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let answers = run_over(&store, (0..100).map(|node| offer(node, 0, 1)).collect());
        let indices: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().log_index).collect();
        assert_eq!(indices, (0..100).collect::<Vec<_>>());
        assert_eq!(appends(&store), 1);
    }

    #[test]
    fn a_group_is_closed_when_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let nodes = MAX_GROUP as u32 + 1;
        let answers = run_over(&store, (0..nodes).map(|node| offer(node, 0, 1)).collect());
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(appends(&store), 2);
    }

    #[test]
    fn everyone_in_a_group_that_failed_is_told_and_nothing_is_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        store.faults().crash_at(0, crate::store::Side::Before);
        let answers = run_over(&store, (0..5).map(|node| offer(node, 0, 1)).collect());
        assert_eq!(answers, vec![Err(IntakeError::Log); 5]);
        assert_eq!(store.log_end().unwrap(), 0);
    }

    #[test]
    fn one_group_holds_duplicates_conflicts_and_gaps_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let offers =
            vec![offer(NODE, 0, 1), offer(NODE, 0, 1), offer(NODE, 0, 2), offer(NODE, 2, 1), offer(NODE, 1, 1)];
        let [first, again, conflict, gap, second] = <[_; 5]>::try_from(run_over(&store, offers)).unwrap();
        let first = first.unwrap();
        assert_eq!(again.unwrap(), Acknowledgement { duplicate: true, ..first });
        assert!(matches!(conflict, Err(IntakeError::Conflict { recorded, .. }) if recorded == first.bundle_digest));
        assert_eq!(gap, Err(IntakeError::Gap { node_index: NODE, offered: 2, expected: 1 }));
        assert_eq!(second.unwrap().log_index, 1);
        assert_eq!(store.conflict(NODE, 0).unwrap().unwrap().data.records.len(), 2);
        assert_eq!(appends(&store), 1);
    }

    #[test]
    fn duplicates_alone_write_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let first = run_over(&store, vec![offer(NODE, 0, 1)]).remove(0).unwrap();
        let again = run_over(&store, vec![offer(NODE, 0, 1)]).remove(0).unwrap();
        assert_eq!(again, Acknowledgement { duplicate: true, ..first });
        assert_eq!(appends(&store), 1);
    }
}
