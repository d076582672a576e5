//! Where the indexer is, and what keeps it.

use crate::Commitment;
use crate::store::Totals;
use cairn_chain::Address;
use cairn_types::Digest;

/// What the indexer says about itself. What is not in [`Self::confirmed`] is of what is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Genesis hash of the chain that it follows.
    pub genesis_hash: [u8; 32],
    /// The settlement program.
    pub program: Address,
    /// The `Rollup` account.
    pub rollup: Address,
    /// The rollup's id.
    pub rollup_id: Digest,
    /// Slot of the last look at the chain.
    pub slot: u64,
    /// Batches that the chain has.
    pub batches_on_chain: u64,
    /// Batches of them whose proof the chain has verified.
    pub batches_settled: u64,
    /// Batches of them that were verified and stored here.
    pub batches_indexed: u64,
    /// Header digest of the last indexed batch.
    pub header_digest: Option<Digest>,
    /// Bundles in indexed batches.
    pub bundles: u64,
    /// Receipts in indexed batches.
    pub receipts: u64,
    /// Receipts in them whose bytes do not give their leaf: never served as valid.
    pub leaf_mismatches: u64,
    /// Nodes that have an account.
    pub nodes: u64,
    /// Entries of the registration queue that the indexed batches consumed.
    pub queue_position: u64,
    /// Root of the account tree after them.
    pub state_root: Digest,
    /// The same of what is confirmed.
    pub confirmed: ConfirmedStatus,
    /// Batches that the chain replaced since the index was made, and that are kept.
    pub batches_replaced: u64,
    /// What keeps the indexer from going on, while something does.
    pub problem: Option<Problem>,
}

/// How far chain and index are when what is not final counts too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedStatus {
    /// Slot of the last look at the chain.
    pub slot: u64,
    /// Batches that the chain has.
    pub batches_on_chain: u64,
    /// Batches of them that were verified and stored here.
    pub batches_indexed: u64,
    /// Header digest of the last of them.
    pub header_digest: Option<Digest>,
    /// Bundles.
    pub bundles: u64,
    /// Receipts.
    pub receipts: u64,
    /// Receipts whose bytes do not give their leaf.
    pub leaf_mismatches: u64,
    /// Nodes that have an account.
    pub nodes: u64,
    /// Entries of the registration queue that were consumed.
    pub queue_position: u64,
    /// Root of the account tree.
    pub state_root: Digest,
}

/// Something that keeps the indexer from going on. It is tried again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// The batch that it is about.
    pub batch: Option<u64>,
    /// That batch's header digest on chain.
    pub header_digest: Option<Digest>,
    /// Which value differs and how, or what is missing.
    pub reason: String,
    /// How often it was met in a row.
    pub attempts: u64,
    /// When it was first met, in milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The published data, or the header, is not what the digest on chain says: the batch is not served.
    Refused,
    /// The published data is not there (yet).
    Missing,
    /// The chain has less than the index, or another history in which nothing stands in the place of what is indexed.
    Diverged,
    /// The chain does not answer.
    Chain,
    /// The index itself fails.
    Store,
}

impl ProblemKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Refused, Self::Missing, Self::Diverged, Self::Chain, Self::Store];

    /// The word for it in JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Missing => "missing",
            Self::Diverged => "diverged",
            Self::Chain => "chain",
            Self::Store => "store",
        }
    }
}

/// What is counted of an index, in the order of the fields of a status.
pub(crate) struct Counted {
    pub finalized: Totals,
    pub confirmed: Totals,
    pub replaced: u64,
}

impl Status {
    /// Takes over how far the index is.
    pub(crate) fn count(&mut self, counted: &Counted) {
        let Totals { cursor, bundles, receipts, leaf_mismatches, nodes } = counted.finalized;
        self.batches_indexed = cursor.batches;
        self.header_digest = (cursor.batches > 0).then_some(cursor.header_digest);
        (self.bundles, self.receipts, self.leaf_mismatches) = (bundles, receipts, leaf_mismatches);
        (self.nodes, self.queue_position, self.state_root) = (nodes, cursor.queue.position, cursor.state_root);
        let (slot, batches_on_chain) = (self.confirmed.slot, self.confirmed.batches_on_chain);
        self.confirmed = ConfirmedStatus::new(slot, batches_on_chain, &counted.confirmed);
        self.batches_replaced = counted.replaced;
    }

    /// Takes over how far the chain is.
    pub(crate) fn look(&mut self, commitment: Commitment, slot: u64, batches: u64) {
        match commitment {
            Commitment::Finalized => (self.slot, self.batches_on_chain) = (slot, batches),
            Commitment::Confirmed => (self.confirmed.slot, self.confirmed.batches_on_chain) = (slot, batches),
        }
    }

    /// Whether every batch on chain is indexed, those that are not final included.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.problem.is_none()
            && self.batches_indexed == self.batches_on_chain
            && self.confirmed.batches_indexed >= self.confirmed.batches_on_chain
    }
}

impl ConfirmedStatus {
    pub(crate) fn new(slot: u64, batches_on_chain: u64, totals: &Totals) -> Self {
        let Totals { cursor, bundles, receipts, leaf_mismatches, nodes } = *totals;
        Self {
            slot,
            batches_on_chain,
            batches_indexed: cursor.batches,
            header_digest: (cursor.batches > 0).then_some(cursor.header_digest),
            bundles,
            receipts,
            leaf_mismatches,
            nodes,
            queue_position: cursor.queue.position,
            state_root: cursor.state_root,
        }
    }
}
