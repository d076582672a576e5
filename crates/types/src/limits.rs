//! Every size that the protocol fixes, with the proof obligations between them.

/// Depth of the receipt tree of a bundle.
pub const RECEIPTS_DEPTH: usize = 8;
/// Depth of the bundle tree of a batch.
pub const BATCH_DEPTH: usize = 9;
/// Depth of the account tree.
pub const ACCOUNTS_DEPTH: usize = 24;

/// Receipts in a bundle, at most.
pub const MAX_BUNDLE_RECEIPTS: usize = 1 << RECEIPTS_DEPTH;
/// Bundles in a batch, at most.
pub const MAX_BATCH_BUNDLES: usize = 1 << BATCH_DEPTH;
/// Receipts in a batch, at most.
pub const MAX_BATCH_RECEIPTS: usize = MAX_BUNDLE_RECEIPTS * MAX_BATCH_BUNDLES;
/// Registration queue entries that one batch consumes, at most: as many as the chain's ring remembers.
pub const MAX_BATCH_QUEUE_ENTRIES: u64 = 256;
/// Bundles that one segment proof covers.
pub const SEGMENT_BUNDLES: usize = 32;
/// Registration queue entries that one segment proof covers, after its bundles.
pub const SEGMENT_QUEUE_ENTRIES: usize = 32;
/// Segment proofs under one batch proof.
pub const BATCH_SEGMENTS: usize = MAX_BATCH_BUNDLES / SEGMENT_BUNDLES;

/// Queue entries that fit in a batch beside `bundles` bundles. Entries come after all bundles: in the last segment that has
/// any, and in further ones.
#[must_use]
pub const fn queue_room(bundles: usize) -> usize {
    let with_bundles = bundles.div_ceil(SEGMENT_BUNDLES);
    let segments = BATCH_SEGMENTS - with_bundles + (with_bundles > 0) as usize;
    let room = segments * SEGMENT_QUEUE_ENTRIES;
    if room < MAX_BATCH_QUEUE_ENTRIES as usize { room } else { MAX_BATCH_QUEUE_ENTRIES as usize }
}

/// Nodes that can be registered: indices are below this.
pub const MAX_NODES: u32 = 1 << ACCOUNTS_DEPTH;
/// Sequences, batch numbers and queue positions are below this: they count by one and never get near.
pub const MAX_COUNTER: u64 = 1 << 62;
/// Times are milliseconds since the Unix epoch below this (the year 10889).
pub const MAX_TIME: u64 = 1 << TIME_BITS;
/// Bits of a time.
pub const TIME_BITS: u32 = 48;
/// Content lengths in bytes are below this (1 TiB).
pub const MAX_CONTENT_LENGTH: u64 = 1 << CONTENT_LENGTH_BITS;
/// Bits of a content length.
pub const CONTENT_LENGTH_BITS: u32 = 40;
/// The sum of content lengths of a batch is below this.
pub const MAX_BATCH_BYTES: u64 = 1 << 60;
/// Bits of one counter in a packed counter word: three of them fill a word.
pub const COUNTER_BITS: u32 = 21;

/// An encoded receipt, in bytes, at most.
pub const MAX_RECEIPT_BYTES: usize = 32 << 10;
/// The encoded receipts of one bundle, in bytes, at most; leaves room for framing in a 4 MiB message.
pub const MAX_BUNDLE_BYTES: usize = (4 << 20) - (64 << 10);
/// An uncompressed blob, in bytes, at most.
pub const MAX_DATA_LENGTH: u64 = 1 << 30;
/// A batch may be dated at most this far past the chain's clock, in milliseconds.
pub const MAX_CLOCK_SKEW_MS: u64 = 600_000;

// No sum that a proof makes can wrap the field: (largest number of terms) x (largest term) stays below 2^63.
const _: () = assert!((MAX_BATCH_RECEIPTS as u128) * (MAX_CONTENT_LENGTH as u128) <= MAX_BATCH_BYTES as u128);
const _: () = assert!((MAX_BATCH_BYTES as u128) < 1 << 63);
const _: () = assert!((MAX_BATCH_RECEIPTS as u64) < 1 << COUNTER_BITS);
const _: () = assert!(3 * COUNTER_BITS <= 63);
