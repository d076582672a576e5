//! The tables of a spool. Integers in values are those of borsh, little-endian; keys sort as numbers.

use redb::TableDefinition;

/// `name -> borsh`: `format`, `identity`, `order` (of the next receipt), `waiting_since` (ms since the Unix epoch).
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// `(fetch time, order of arrival) -> encoded receipt`: receipts in no bundle yet.
pub(super) const WAITING: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("waiting");
/// `sequence -> borsh BundleData`: signed bundles, until they are settled.
pub(super) const BUNDLES: TableDefinition<u64, &[u8]> = TableDefinition::new("bundles");
/// `sequence -> borsh BundleRecord`: what became of each bundle, for ever.
pub(super) const RECORDS: TableDefinition<u64, &[u8]> = TableDefinition::new("records");
/// `sequence -> ()`: bundles to be sent.
pub(super) const PENDING: TableDefinition<u64, ()> = TableDefinition::new("pending");
/// `sequence -> ()`: acknowledged bundles that are not settled.
pub(super) const UNSETTLED: TableDefinition<u64, ()> = TableDefinition::new("unsettled");
/// `(sequence, place in the bundle) -> borsh Line`: one line for each bundled receipt, for ever.
pub(super) const LINES: TableDefinition<(u64, u16), &[u8]> = TableDefinition::new("lines");
/// `receipt digest -> sequence` of the first bundle that holds it; [`WAITS`] while it is in none.
pub(super) const RECEIPTS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("receipts");
/// `number -> borsh Evidence`: what the sequencer should not have said.
pub(super) const EVIDENCE: TableDefinition<u64, &[u8]> = TableDefinition::new("evidence");
/// `path -> borsh FileRecord`: files that were read.
pub(super) const FILES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("files");
/// `(digest of a file's first bytes, how many) -> path` under which they were read.
pub(super) const CONTENTS: TableDefinition<(&[u8; 32], u64), &[u8]> = TableDefinition::new("contents");

/// `number -> capture` of a file that was read, for later files that refer to it.
pub(super) const CAPTURES: TableDefinition<u64, &[u8]> = TableDefinition::new("captures");
/// `(key, number) -> ()`: by what a capture is found.
pub(super) const CAPTURE_KEYS: TableDefinition<(&[u8; 16], u64), ()> = TableDefinition::new("capture keys");

/// In [`RECEIPTS`]: the receipt is in no bundle yet. No sequence is as large.
pub(super) const WAITS: u64 = u64::MAX;
