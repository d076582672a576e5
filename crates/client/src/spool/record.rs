//! What a spool remembers, as its values are encoded.

use borsh::{BorshDeserialize, BorshSerialize};
use cairn_proto::{Acknowledgement, BatchPlace, BundleStage};
use cairn_types::{Digest, ReceiptKey};

/// Whom a spool is for. Fixed the first time a sequencer is asked, from then on compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Identity {
    /// The rollup, as the node computed it from the four fields that follow.
    pub rollup_id: Digest,
    /// Hash of the first block of the cluster.
    pub genesis_hash: [u8; 32],
    /// The settlement program.
    pub program_id: [u8; 32],
    /// The `Rollup` account.
    pub rollup_address: [u8; 32],
    /// Code of the proofs' profile.
    pub profile: u8,
    /// The ed25519 key under acknowledgements.
    pub acknowledgement_key: [u8; 32],
    /// The node.
    pub node_index: u32,
    /// The receipt key that signs for it.
    pub key: ReceiptKey,
}

/// How far a bundle has come, as far as the node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Stage {
    /// Signed and stored by the node.
    Signed,
    /// On the sequencer's disk.
    Acknowledged,
    /// In a batch whose content is final.
    Sealed,
    /// The batch's data is published.
    Published,
    /// A proof of the batch exists.
    Proved,
    /// The batch's header is on chain.
    Submitted,
    /// The program verified the batch's proof.
    Settled,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Signed, Self::Acknowledged, Self::Sealed, Self::Published, Self::Proved, Self::Submitted, Self::Settled];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Acknowledged => "acknowledged",
            Self::Sealed => "sealed",
            Self::Published => "published",
            Self::Proved => "proved",
            Self::Submitted => "submitted",
            Self::Settled => "settled",
        }
    }
}

impl From<BundleStage> for Stage {
    fn from(stage: BundleStage) -> Self {
        match stage {
            BundleStage::Acknowledged => Self::Acknowledged,
            BundleStage::Sealed => Self::Sealed,
            BundleStage::Published => Self::Published,
            BundleStage::Proved => Self::Proved,
            BundleStage::Submitted => Self::Submitted,
            BundleStage::Settled => Self::Settled,
        }
    }
}

/// An acknowledgement whose signature was checked, with the key that it was checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Promise {
    /// Place in the sequencer's log.
    pub log_index: u64,
    /// The last slot in which the bundle's batch settles.
    pub settle_by_slot: u64,
    /// ed25519 over [`cairn_types::Acknowledgement::message`].
    pub signature: [u8; 64],
    /// Whose.
    pub key: [u8; 32],
    /// When it came, in ms since the Unix epoch.
    pub received_ms: u64,
}

/// The batch that a bundle is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct InBatch {
    /// Its number.
    pub number: u64,
    /// Digest of its header.
    pub header_digest: Digest,
}

impl From<BatchPlace> for InBatch {
    fn from(place: BatchPlace) -> Self {
        Self { number: place.number, header_digest: place.header_digest }
    }
}

/// A bundle, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BundleRecord {
    /// Its sequence.
    pub sequence: u64,
    /// Digest of its statement: what is signed and acknowledged.
    pub digest: Digest,
    /// Receipts in it.
    pub receipts: u16,
    /// Sum of their content lengths.
    pub bytes: u64,
    /// Fetch time of the first and the last one.
    pub times: (u64, u64),
    /// When it was signed, in ms since the Unix epoch.
    pub signed_ms: u64,
    /// How far it has come.
    pub stage: Stage,
    /// When that was last asked for.
    pub checked_ms: u64,
    /// The sequencer's first promise.
    pub promise: Option<Promise>,
    /// Its batch, from [`Stage::Sealed`] on.
    pub batch: Option<InBatch>,
    /// The receipts themselves are still here.
    pub kept: bool,
}

impl BundleRecord {
    /// Whether a sequencer that has brought it to `stage` by `slot` has broken its promise, which is that its batch is settled.
    #[must_use]
    pub fn is_overdue(&self, stage: Stage, slot: u64) -> bool {
        stage < Stage::Settled && self.promise.is_some_and(|promise| promise.settle_by_slot < slot)
    }

    /// Whether `acknowledgement` says the same as the promise that is here already.
    pub(super) fn is_promised(&self, acknowledgement: &Acknowledgement) -> bool {
        self.promise.is_some_and(|promise| {
            (promise.log_index, promise.settle_by_slot) == (acknowledgement.log_index, acknowledgement.settle_by_slot)
        })
    }
}

/// A bundled receipt, in short.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Line {
    /// Its digest.
    pub digest: Digest,
    /// When the page was fetched, in ms since the Unix epoch.
    pub fetch_time: u64,
    /// HTTP status.
    pub status: u16,
    /// As requested.
    pub url: String,
    /// Registrable domain.
    pub domain: String,
}

/// What is wrong with an answer that was kept as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Breach {
    /// An acknowledgement without the sequencer's signature.
    Forged,
    /// A signed acknowledgement of something else than was sent.
    Mismatch,
    /// A second signed promise for one bundle that differs from the first.
    SecondPromise,
    /// The sequencer has another bundle under this node's sequence.
    Conflict,
}

impl Breach {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forged => "acknowledgement without the sequencer's signature",
            Self::Mismatch => "acknowledgement of another bundle than was sent",
            Self::SecondPromise => "second acknowledgement that differs from the first",
            Self::Conflict => "another bundle under this node's sequence",
        }
    }
}

/// An answer of the sequencer that shows a fault of somebody, as it came.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// When, in ms since the Unix epoch.
    pub at_ms: u64,
    /// What is wrong.
    pub breach: Breach,
    /// The sequencer's address.
    pub endpoint: String,
    /// Of the bundle that it is about.
    pub sequence: u64,
    /// Digest of the bundle that the node signed under that sequence.
    pub ours: Digest,
    /// The answer: an encoded `cairn.v1.Acknowledgement`, or the digest of the sequencer's bundle.
    pub answer: Vec<u8>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FileRecord {
    /// Its length when it was read.
    pub size: u64,
    /// When it was last written to, in ns since the Unix epoch.
    pub modified_ns: u64,
    /// Everything before this offset was read; what follows was not whole.
    pub read_to: u64,
    /// BLAKE3 of the bytes before [`Self::read_to`].
    pub digest: [u8; 32],
    /// Receipts made of it.
    pub receipts: u64,
    /// Records without a receipt that are of no ordinary kind.
    pub oddities: u64,
    /// When it was read, in ms since the Unix epoch.
    pub read_ms: u64,
}
