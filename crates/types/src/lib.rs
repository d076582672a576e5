//! What Cairn hashes, proves and stores: receipts, leaves, bundles, batches, headers, blobs and inclusion proofs.
//!
//! `docs/protocol.md` is the specification; every type here names the part it implements. The crate knows nothing of
//! gRPC, databases, plonky2 or Solana, and it is `no_std`: the on-chain program uses it with default features off.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

mod account;
#[cfg(feature = "native-hash")]
mod account_proof;
mod acknowledgement;
#[cfg(feature = "native-hash")]
mod batch;
#[cfg(feature = "native-hash")]
mod blob;
mod bundle;
mod codes;
mod cursor;
mod digest;
mod empty;
mod hash;
pub mod header;
pub mod history;
mod inclusion;
pub mod leaf;
#[cfg(feature = "receipts")]
mod leaf_of;
pub mod limits;
mod profile;
#[cfg(feature = "native-hash")]
mod proof;
mod queue;
#[cfg(feature = "receipts")]
mod receipt;
mod receipt_key;
mod record;
#[cfg(feature = "native-hash")]
pub mod state;
mod totals;
pub mod tree;

pub use account::{Account, AccountError};
#[cfg(feature = "native-hash")]
pub use account_proof::{ACCOUNT_PROOF_FILE_EXTENSION, AccountProof, AccountProofError, VerifiedAccount};
pub use acknowledgement::Acknowledgement;
#[cfg(feature = "native-hash")]
pub use batch::{Batch, SealError};
#[cfg(feature = "native-hash")]
pub use blob::{Blob, BlobError, blob_path, data_digest};
pub use bundle::{Bundle, BundleError};
pub use codes::{MediaClass, Method, UnknownCode, VERDICT_NAMES, Verdict, Verdicts};
pub use cursor::{Cursor, QueueCursor};
pub use digest::{Digest, DigestError};
pub use hash::{Kind, hash, queue_genesis};
pub use header::{BatchHeader, HEADER_WORDS, HeaderError, VerdictCounts};
pub use inclusion::{BatchScope, INCLUSION_PATH_BYTES, InclusionPath, InclusionPathError};
pub use leaf::{LEAF_WORDS, Leaf, LeafError, LeafParts};
#[cfg(feature = "receipts")]
pub use leaf_of::domain_tag;
pub use profile::{Profile, UnknownProfile, UnknownProfileName};
#[cfg(feature = "native-hash")]
pub use proof::{InclusionError, PROOF_FILE_EXTENSION, ReceiptProof, VerifiedReceipt};
pub use queue::{EntryError, EntryKind, QueueEntry};
#[cfg(feature = "receipts")]
pub use receipt::{
    Capture, Evidence, Lineage, Locator, Receipt, ReceiptError, Rights, RightsSignal, SignalKind, max as receipt_max,
};
pub use receipt_key::{KEY_WORDS, KeyError, ReceiptKey, ReceiptSignature, SignatureError};
pub use record::{BundleData, Record};
pub use totals::Totals;

/// Root of the account tree before the first registration: the empty subtree of depth [`limits::ACCOUNTS_DEPTH`].
pub const EMPTY_STATE_ROOT: Digest = tree::EMPTY[limits::ACCOUNTS_DEPTH];
