//! The column families: all that the indexer keeps. Everything in them can be rebuilt from the chain and the blobs.

/// A column family. Integers in keys are big-endian, so that iteration is in their order; values are borsh unless said
/// otherwise. A *place* is batch number (u64) ‖ bundle (u16) ‖ receipt (u16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// name -> schema version, rollup id, program, genesis hash, progress: what the store belongs to and how far it is.
    Meta,
    /// batch number (u64) -> header words, header digest, slot, statements of its bundles, leaf mismatches.
    Batches,
    /// batch number (u64) ‖ bundle (u16) -> the leaves of the bundle, which paths are made from.
    Leaves,
    /// receipt digest (32) -> canonical bytes of the receipt, raw.
    Receipts,
    /// receipt digest (32) ‖ place -> 0 when the bytes give the proved leaf there, 1 when they do not (raw byte).
    Places,
    /// kind of digest (u8) ‖ payload digest (20 or 32) ‖ place -> receipt digest (32, raw); valid places only.
    Content,
}

impl Family {
    /// Every family; a store has exactly these.
    pub(crate) const ALL: [Self; 6] =
        [Self::Meta, Self::Batches, Self::Leaves, Self::Receipts, Self::Places, Self::Content];

    /// The name in the database, which never changes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Batches => "batches",
            Self::Leaves => "leaves",
            Self::Receipts => "receipts",
            Self::Places => "places",
            Self::Content => "content",
        }
    }
}
