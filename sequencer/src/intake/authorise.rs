//! May this bundle join the log? Decided on the log's own values: who is registered, with which key, and what is there.

use cairn_proto::{NodeState, NodeStatus, PendingEntry};
use cairn_types::limits::MAX_NODES;
use cairn_types::{Account, QueueEntry, ReceiptKey, SignatureError};

use super::check::CheckedBundle;
use crate::registry::pending::{Pending, Registrations};
use crate::store::{Placed, Store, StoreError};

/// The log as far as judging a bundle needs it.
pub trait LogView {
    /// What reading it can fail with.
    type Error;

    /// The node's account with every acknowledged bundle.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn head(&self, node_index: u32) -> Result<Option<Account>, Self::Error>;

    /// Where a sequence of the node is.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, Self::Error>;

    /// The node's last queue entry that is in no sealed batch.
    fn pending(&self, node_index: u32) -> Option<QueueEntry>;
}

/// A bundle whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorised {
    /// The bundle.
    pub bundle: CheckedBundle,
    /// The key that signed it.
    pub key: ReceiptKey,
}

/// What the log says about a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is there already.
    Known(Placed),
    /// Its signature counts; its place is for the writer to find.
    Authorised(Authorised),
}

/// Why a node may not submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthorised {
    /// No such node.
    #[error(
        "node_index: no registration of node {0} is final on chain; register the node, and use the index that it was given"
    )]
    Unregistered(u32),
    /// A node whose key is zero, or is about to be.
    #[error("node_index: node {0} is deactivated; its bundles are taken no more")]
    Deactivated(u32),
    /// The chain knows more than the log has consumed.
    #[error("node_index: the {} of node {node_index} is on chain and in no batch yet; it will be within moments, send the bundle again then", entry.name())]
    Pending {
        /// The node.
        node_index: u32,
        /// What is waited for.
        entry: PendingEntry,
    },
    /// The signature does not count.
    #[error("signature: of node {node_index}: {source}")]
    Signature {
        /// The node.
        node_index: u32,
        /// Why not.
        source: SignatureError,
    },
}

/// Whether a registration of the node is known at all. An index out of range is for [`super::check`] to name.
///
/// # Errors
/// When the log cannot be read.
pub fn is_known<L: LogView>(log: &L, node_index: u32) -> Result<bool, L::Error> {
    Ok(node_index >= MAX_NODES || log.pending(node_index).is_some() || log.head(node_index)?.is_some())
}

/// Judges a bundle by the node's key. One that was sent before is known by its digest, and no signature is asked of it: its
/// acknowledgement is of the content. Another bundle with a taken sequence is judged by the key of the one that has it:
/// only the node itself can make evidence against itself.
///
/// Sequences are left to the writer, because bundles before this one may still be on their way.
///
/// # Errors
/// The outer one when the log cannot be read, the inner one when the node may not submit this.
pub fn authorise<L: LogView>(log: &L, bundle: CheckedBundle) -> Result<Result<Verdict, Unauthorised>, L::Error> {
    let (node_index, sequence) = (bundle.data.node_index, bundle.data.sequence);
    let head = log.head(node_index)?;
    let taken =
        if head.is_some_and(|head| sequence < head.next_sequence) { log.placed(node_index, sequence)? } else { None };
    let key = match taken {
        Some(placed) if placed.digest == bundle.digest => return Ok(Ok(Verdict::Known(placed))),
        Some(placed) => placed.key,
        None => match signing_key(log, node_index, head) {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let signed = key.verify(&bundle.digest, &bundle.data.signature);
    Ok(signed
        .map(|()| Verdict::Authorised(Authorised { bundle, key }))
        .map_err(|source| Unauthorised::Signature { node_index, source }))
}

/// The key that signs for a node now.
///
/// # Errors
/// When there is none, or it is about to change.
pub fn signing_key<L: LogView>(log: &L, node_index: u32, head: Option<Account>) -> Result<ReceiptKey, Unauthorised> {
    let pending = |entry| Err(Unauthorised::Pending { node_index, entry });
    match NodeStatus::of(node_index, head, log.pending(node_index).as_ref()) {
        None => Err(Unauthorised::Unregistered(node_index)),
        Some(NodeStatus { account, state, .. }) => match state {
            NodeState::Active => Ok(account.key),
            NodeState::Registering => pending(PendingEntry::Registration),
            NodeState::Rotating(_) => pending(PendingEntry::Rotation),
            NodeState::Deactivating | NodeState::Deactivated => Err(Unauthorised::Deactivated(node_index)),
        },
    }
}

/// The log on disk, with the entries that wait as they are at each look.
#[derive(Clone)]
pub struct Log {
    /// The store.
    pub store: std::sync::Arc<Store>,
    /// Entries in no batch.
    pub registrations: Registrations,
}

impl LogView for Log {
    type Error = StoreError;

    fn head(&self, node_index: u32) -> Result<Option<Account>, StoreError> {
        self.store.head(node_index)
    }

    fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, StoreError> {
        self.store.placed(node_index, sequence)
    }

    fn pending(&self, node_index: u32) -> Option<QueueEntry> {
        self.registrations.read().of(node_index).copied()
    }
}

/// The log on disk, with the entries that wait held still.
pub struct HeldLog<'a> {
    /// The store.
    pub store: &'a Store,
    /// Entries in no batch.
    pub pending: &'a Pending,
}

impl LogView for HeldLog<'_> {
    type Error = StoreError;

    fn head(&self, node_index: u32) -> Result<Option<Account>, StoreError> {
        self.store.head(node_index)
    }

    fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, StoreError> {
        self.store.placed(node_index, sequence)
    }

    fn pending(&self, node_index: u32) -> Option<QueueEntry> {
        self.pending.of(node_index).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use cairn_types::EntryKind;

    use super::*;
    use crate::intake::check::check;
    use crate::samples::{NODE, NOW_MS, receipt_key, request, rollup};

    #[derive(Default, Clone)]
    struct Model {
        heads: HashMap<u32, Account>,
        placed: HashMap<(u32, u64), Placed>,
        pending: HashMap<u32, QueueEntry>,
    }

    impl LogView for Model {
        type Error = Infallible;

        fn head(&self, node_index: u32) -> Result<Option<Account>, Infallible> {
            Ok(self.heads.get(&node_index).copied())
        }

        fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, Infallible> {
            Ok(self.placed.get(&(node_index, sequence)).copied())
        }

        fn pending(&self, node_index: u32) -> Option<QueueEntry> {
            self.pending.get(&node_index).copied()
        }
    }

    fn bundle(sequence: u64, receipts: u64) -> CheckedBundle {
        check(request(NODE, sequence, receipts), &rollup(), NOW_MS * 2).unwrap()
    }

    fn registered(key: ReceiptKey) -> Model {
        Model { heads: [(NODE, Account::new(key))].into(), ..Model::default() }
    }

    fn judge(log: &Model, bundle: CheckedBundle) -> Result<Verdict, Unauthorised> {
        let Ok(verdict) = authorise(log, bundle);
        verdict
    }

    fn entry(kind: EntryKind, key: ReceiptKey) -> HashMap<u32, QueueEntry> {
        [(NODE, QueueEntry::new(kind, NODE, key).unwrap())].into()
    }

    #[test]
    fn a_bundle_of_a_registered_node_is_authorised_under_its_key() {
        let key = receipt_key(NODE);
        let Ok(Verdict::Authorised(authorised)) = judge(&registered(key), bundle(0, 2)) else { panic!() };
        assert_eq!((authorised.key, authorised.bundle), (key, bundle(0, 2)));
        // Bundles on their way may be before it: a gap is for the writer to see.
        assert!(judge(&registered(key), bundle(5, 2)).is_ok());
    }

    #[test]
    fn nobody_else_signs_for_a_node() {
        let mismatch = Err(Unauthorised::Signature { node_index: NODE, source: SignatureError::Mismatch });
        assert_eq!(judge(&registered(receipt_key(NODE + 1)), bundle(0, 2)), mismatch);
        let mut moved = bundle(0, 2);
        moved.data.signature = bundle(1, 2).data.signature;
        assert_eq!(judge(&registered(receipt_key(NODE)), moved), mismatch);
        let undecodable = ReceiptKey::from_words([1, 0, 0, 0, 0]).unwrap();
        let error = judge(&registered(undecodable), bundle(0, 2)).unwrap_err();
        assert!(matches!(error, Unauthorised::Signature { .. }), "{error}");
    }

    #[test]
    fn what_the_chain_says_of_a_node_decides_before_its_signature() {
        let (old, new) = (receipt_key(NODE), receipt_key(NODE + 1));
        assert_eq!(judge(&Model::default(), bundle(0, 1)), Err(Unauthorised::Unregistered(NODE)));
        let waiting = |entry| Err(Unauthorised::Pending { node_index: NODE, entry });
        let registering = Model { pending: entry(EntryKind::Register, old), ..Model::default() };
        assert_eq!(judge(&registering, bundle(0, 1)), waiting(PendingEntry::Registration));
        let rotating = Model { pending: entry(EntryKind::Rotate, new), ..registered(old) };
        assert_eq!(judge(&rotating, bundle(0, 1)), waiting(PendingEntry::Rotation));
        let leaving = Model { pending: entry(EntryKind::Deactivate, ReceiptKey::ZERO), ..registered(old) };
        let gone = registered(ReceiptKey::ZERO);
        for log in [leaving, gone] {
            assert_eq!(judge(&log, bundle(0, 1)), Err(Unauthorised::Deactivated(NODE)));
        }
    }

    #[test]
    fn what_is_in_the_log_is_known_whatever_became_of_the_node() {
        let first = bundle(0, 2);
        let placed = Placed {
            log_index: 9,
            digest: first.digest,
            key: receipt_key(NODE),
            settle_by_slot: 1,
            acknowledged: [2; 64],
        };
        let mut log = registered(ReceiptKey::ZERO);
        log.heads.insert(NODE, Account { next_sequence: 1, ..log.heads[&NODE] });
        log.placed.insert((NODE, 0), placed);
        assert_eq!(judge(&log, first), Ok(Verdict::Known(placed)));
        // Another one under its sequence is evidence, if the key of then signed it.
        let Ok(Verdict::Authorised(other)) = judge(&log, bundle(0, 3)) else { panic!() };
        assert_eq!(other.key, placed.key);
        let mut forged = bundle(0, 3);
        forged.data.signature = bundle(0, 2).data.signature;
        assert!(matches!(judge(&log, forged), Err(Unauthorised::Signature { .. })));
    }
}
