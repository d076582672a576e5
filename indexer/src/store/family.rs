//! The column families: all that the indexer keeps. Everything in them can be rebuilt from the chain and the blobs.

/// A column family. Integers in keys are big-endian, so that iteration is in their order; values are borsh unless said
/// otherwise. A *place* is batch number (u64) ‖ bundle (u16) ‖ receipt (u16). A *version* is the number of the batch that
/// wrote a value, with every bit flipped (u64): of the versions of one thing the newest comes first, and the state after
/// any batch stays readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// name -> schema version and rollup id; progress; reach: what the store belongs to, how far it is, and how much of
    /// that is confirmed, final and settled.
    Meta,
    /// batch number (u64) -> header words, header digest, slot, statements of its bundles, leaf mismatches, new nodes,
    /// and what the index holds up to it.
    Batches,
    /// batch number (u64) ‖ bundle (u16) -> signature, the key it is by, the leaves, digests of receipts that are not
    /// their leaf's.
    Bundles,
    /// node index (u32) ‖ sequence (u64) -> batch number (u64) ‖ bundle (u16), raw: which bundles a node signed.
    Signed,
    /// receipt digest (32) -> canonical bytes of the receipt, raw.
    Receipts,
    /// receipt digest (32) ‖ place -> 0 when the bytes give the proved leaf there, 1 when they do not (raw byte).
    Places,
    /// kind of digest (u8) ‖ payload digest (20 or 32) ‖ place -> receipt digest (32, raw); valid places only.
    Content,
    /// queue position (u64) -> the entry, and the number of the batch that consumed it.
    Entries,
    /// receipt key (40) ‖ queue position (u64) -> node index (u32, raw): which entries gave the key to whom.
    Keys,
    /// node index (u32) ‖ version -> account.
    Accounts,
    /// level (u8) ‖ position (u32) ‖ version -> digest of that node of the account tree (32, raw).
    Nodes,
    /// batch number (u64) ‖ header digest (32) -> a batch that another stands in the place of: its row, its queue entries,
    /// and what became of it.
    Replaced,
    /// batch number (u64) ‖ header digest (32) ‖ bundle (u16) -> as in `bundles`.
    ReplacedBundles,
    /// receipt digest (32) ‖ batch number (u64) ‖ header digest (32) ‖ bundle (u16) ‖ receipt (u16) -> as in `places`.
    ReplacedPlaces,
}

impl Family {
    /// Every family; a store has exactly these.
    pub(crate) const ALL: [Self; 14] = [
        Self::Meta,
        Self::Batches,
        Self::Bundles,
        Self::Signed,
        Self::Receipts,
        Self::Places,
        Self::Content,
        Self::Entries,
        Self::Keys,
        Self::Accounts,
        Self::Nodes,
        Self::Replaced,
        Self::ReplacedBundles,
        Self::ReplacedPlaces,
    ];

    /// The name in the database, which never changes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Batches => "batches",
            Self::Bundles => "bundles",
            Self::Signed => "signed",
            Self::Receipts => "receipts",
            Self::Places => "places",
            Self::Content => "content",
            Self::Entries => "entries",
            Self::Keys => "keys",
            Self::Accounts => "accounts",
            Self::Nodes => "nodes",
            Self::Replaced => "replaced",
            Self::ReplacedBundles => "replaced_bundles",
            Self::ReplacedPlaces => "replaced_places",
        }
    }
}

/// Families that every index has had, whatever its version, and that nothing else has: how a folder is known for one.
pub(super) const MARKS: [&str; 2] = ["places", "content"];
