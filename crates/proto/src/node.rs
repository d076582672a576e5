//! A node as the sequencer's log leaves it.

use cairn_types::{Account, QueueEntry, ReceiptKey};

use crate::field::{self, FieldError};
use crate::v1;

/// Which node is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeQuery {
    /// The one with this index.
    Index(u32),
    /// The one with this key: the lowest index that is not deactivated.
    Key(ReceiptKey),
}

/// Whether bundles of a node are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// Not yet: its registration is in no batch.
    Registering,
    /// Yes.
    Active,
    /// Not until its rotation to this key is in a batch.
    Rotating(ReceiptKey),
    /// No more: its deactivation is in no batch yet.
    Deactivating,
    /// No more.
    Deactivated,
}

/// A node and its account, acknowledged bundles included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeStatus {
    /// The node.
    pub node_index: u32,
    /// Key, next sequence and totals; of a node that is registering, those that it will begin with.
    pub account: Account,
    /// Whether its bundles are taken.
    pub state: NodeState,
}

/// What on chain keeps a node's bundles out until a batch consumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingEntry {
    /// Its registration.
    Registration,
    /// A rotation of its key.
    Rotation,
}

impl PendingEntry {
    /// The word in metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Rotation => "rotation",
        }
    }

    /// The entry with this word.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Registration, Self::Rotation].into_iter().find(|entry| entry.name() == name)
    }
}

impl NodeStatus {
    /// A node from its account and the last of its queue entries that are in no batch. `None` when it has neither.
    #[must_use]
    pub fn of(node_index: u32, account: Option<Account>, pending: Option<&QueueEntry>) -> Option<Self> {
        use cairn_types::EntryKind::{Deactivate, Register, Rotate};
        let state = match (account, pending.map(|entry| (entry.kind, entry.key))) {
            (_, Some((Deactivate, _))) => NodeState::Deactivating,
            (None, Some(_)) => NodeState::Registering,
            (Some(_), Some((Rotate | Register, key))) => NodeState::Rotating(key),
            (Some(account), None) if account.key.is_zero() => NodeState::Deactivated,
            (Some(_), None) => NodeState::Active,
            (None, None) => return None,
        };
        let account = account.or_else(|| pending.map(|entry| Account::new(entry.key)))?;
        Some(Self { node_index, account, state })
    }
}

impl TryFrom<v1::GetNodeRequest> for NodeQuery {
    type Error = FieldError;

    fn try_from(message: v1::GetNodeRequest) -> Result<Self, FieldError> {
        use v1::get_node_request::Node;
        match message.node {
            None => Err(FieldError::Missing { field: "node".to_owned() }),
            Some(Node::NodeIndex(index)) => Ok(Self::Index(field::node_index("node_index", index)?)),
            Some(Node::ReceiptKey(bytes)) => Ok(Self::Key(field::receipt_key("receipt_key", &bytes)?)),
        }
    }
}

impl From<NodeQuery> for v1::GetNodeRequest {
    fn from(value: NodeQuery) -> Self {
        use v1::get_node_request::Node;
        let node = match value {
            NodeQuery::Index(index) => Node::NodeIndex(index),
            NodeQuery::Key(key) => Node::ReceiptKey(key.to_bytes().to_vec()),
        };
        Self { node: Some(node) }
    }
}

impl TryFrom<v1::GetNodeReply> for NodeStatus {
    type Error = FieldError;

    fn try_from(message: v1::GetNodeReply) -> Result<Self, FieldError> {
        let state = match message.state() {
            v1::NodeState::Unspecified => {
                return Err(FieldError::Malformed {
                    field: "state".to_owned(),
                    reason: format!("{} is not a state that this version knows", message.state),
                });
            }
            v1::NodeState::Registering => NodeState::Registering,
            v1::NodeState::Active => NodeState::Active,
            v1::NodeState::Rotating => {
                let field = "next_receipt_key";
                let missing = || FieldError::Missing { field: field.to_owned() };
                let bytes = message.next_receipt_key.as_ref().ok_or_else(missing)?;
                NodeState::Rotating(field::receipt_key(field, bytes)?)
            }
            v1::NodeState::Deactivating => NodeState::Deactivating,
            v1::NodeState::Deactivated => NodeState::Deactivated,
        };
        Ok(Self {
            node_index: field::node_index("node_index", message.node_index)?,
            account: Account {
                key: field::receipt_key("receipt_key", &message.receipt_key)?,
                next_sequence: field::counter("next_sequence", message.next_sequence)?,
                receipts_total: field::counter("receipts_total", message.receipts_total)?,
                bytes_total: field::counter("bytes_total", message.bytes_total)?,
            },
            state,
        })
    }
}

impl From<NodeStatus> for v1::GetNodeReply {
    fn from(value: NodeStatus) -> Self {
        let (state, next) = match value.state {
            NodeState::Registering => (v1::NodeState::Registering, None),
            NodeState::Active => (v1::NodeState::Active, None),
            NodeState::Rotating(key) => (v1::NodeState::Rotating, Some(key)),
            NodeState::Deactivating => (v1::NodeState::Deactivating, None),
            NodeState::Deactivated => (v1::NodeState::Deactivated, None),
        };
        Self {
            node_index: value.node_index,
            receipt_key: value.account.key.to_bytes().to_vec(),
            next_sequence: value.account.next_sequence,
            receipts_total: value.account.receipts_total,
            bytes_total: value.account.bytes_total,
            state: state.into(),
            next_receipt_key: next.map(|key| key.to_bytes().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_types::EntryKind;

    use super::*;

    fn key(word: u64) -> ReceiptKey {
        ReceiptKey::from_words([word, 2, 3, 4, 5]).unwrap()
    }

    fn status(state: NodeState) -> NodeStatus {
        let account = Account { key: key(1), next_sequence: 2, receipts_total: 3, bytes_total: 4 };
        NodeStatus { node_index: 7, account, state }
    }

    #[test]
    fn every_state_round_trips() {
        for state in [
            NodeState::Registering,
            NodeState::Active,
            NodeState::Rotating(key(9)),
            NodeState::Deactivating,
            NodeState::Deactivated,
        ] {
            assert_eq!(NodeStatus::try_from(v1::GetNodeReply::from(status(state))), Ok(status(state)));
        }
        for query in [NodeQuery::Index(7), NodeQuery::Key(key(1))] {
            assert_eq!(NodeQuery::try_from(v1::GetNodeRequest::from(query)), Ok(query));
        }
    }

    #[test]
    fn each_field_out_of_bounds_is_named() {
        let good = v1::GetNodeReply::from(status(NodeState::Rotating(key(9))));
        let cases = [
            ("node_index", v1::GetNodeReply { node_index: 1 << 24, ..good.clone() }),
            ("receipt_key", v1::GetNodeReply { receipt_key: vec![0; 39], ..good.clone() }),
            ("receipt_key", v1::GetNodeReply { receipt_key: vec![0xff; 40], ..good.clone() }),
            ("next_receipt_key", v1::GetNodeReply { next_receipt_key: None, ..good.clone() }),
            ("next_receipt_key", v1::GetNodeReply { next_receipt_key: Some(vec![]), ..good.clone() }),
            ("next_sequence", v1::GetNodeReply { next_sequence: u64::MAX, ..good.clone() }),
            ("receipts_total", v1::GetNodeReply { receipts_total: u64::MAX, ..good.clone() }),
            ("bytes_total", v1::GetNodeReply { bytes_total: u64::MAX, ..good.clone() }),
            ("state", v1::GetNodeReply { state: 0, ..good.clone() }),
            ("state", v1::GetNodeReply { state: 77, ..good }),
        ];
        for (field, message) in cases {
            assert_eq!(NodeStatus::try_from(message).unwrap_err().field(), field);
        }
        let none = v1::GetNodeRequest { node: None };
        assert_eq!(NodeQuery::try_from(none).unwrap_err().field(), "node");
    }

    #[test]
    fn the_state_follows_from_account_and_pending_entry() {
        let entry = |kind, key| QueueEntry::new(kind, 7, key).unwrap();
        let account = Account { next_sequence: 5, ..Account::new(key(1)) };
        let of = |account, pending: Option<QueueEntry>| {
            NodeStatus::of(7, account, pending.as_ref()).map(|status| (status.account, status.state))
        };
        let (register, rotate) = (entry(EntryKind::Register, key(2)), entry(EntryKind::Rotate, key(3)));
        let deactivate = entry(EntryKind::Deactivate, ReceiptKey::ZERO);
        assert_eq!(of(None, None), None);
        assert_eq!(of(None, Some(register)), Some((Account::new(key(2)), NodeState::Registering)));
        assert_eq!(of(Some(account), None), Some((account, NodeState::Active)));
        assert_eq!(of(Some(account), Some(rotate)), Some((account, NodeState::Rotating(key(3)))));
        assert_eq!(of(Some(account), Some(deactivate)), Some((account, NodeState::Deactivating)));
        let gone = account.with_key(ReceiptKey::ZERO);
        assert_eq!(of(Some(gone), None), Some((gone, NodeState::Deactivated)));
    }
}
