//! Which wire of the receipt gate is which.

use cairn_types::leaf::bits;
use std::ops::Range;

/// Receipt slots in one row.
pub const SLOTS_PER_ROW: usize = 2;
/// Running counters: count, bytes, five packed verdict counters.
pub const COUNTERS: usize = 2 + VERDICTS;
/// Position of the count among the counters.
pub const COUNT: usize = 0;
/// Position of the bytes among the counters.
pub const BYTES: usize = 1;
/// Position of the first verdict counter.
pub const FIRST_VERDICT: usize = 2;
/// Verdicts of a leaf.
pub const VERDICTS: usize = 5;

/// Octal digits of a time difference: 48 bits.
pub const DIFFERENCE_DIGITS: usize = 16;
/// Octal digits of a length; one more bit makes 40.
pub const LENGTH_DIGITS: usize = 13;
/// Octal digits of a status; one more bit makes 10.
pub const STATUS_DIGITS: usize = 3;

const _: () = assert!(3 * DIFFERENCE_DIGITS == cairn_types::limits::TIME_BITS as usize);
const _: () = assert!(3 * LENGTH_DIGITS + 1 == cairn_types::limits::CONTENT_LENGTH_BITS as usize);

/// Bits of word 1 below the status.
pub const STATUS_SHIFT: u32 = bits::STATUS;
/// Bits of word 1 below the verdicts.
pub const VERDICTS_SHIFT: u32 = bits::VERDICTS;
const _: () = assert!(3 * STATUS_DIGITS + 1 == bits::STATUS_BITS as usize && bits::VERDICT_BITS == 2);

const WORD_DIGITS: usize = LENGTH_DIGITS + 1 + STATUS_DIGITS + 1 + VERDICTS;
const DIGITS: usize = DIFFERENCE_DIGITS + WORD_DIGITS;
const SLOT_ROUTED: usize = 3 + 4 + 4;

/// Constraints per slot: flag, order of slots, two splits, two blanks, four digest lanes, one per digit.
const SLOT_CONSTRAINTS: usize = 1 + 1 + 2 + 2 + 4 + DIGITS;
/// Constraints of a row.
pub const CONSTRAINTS: usize = SLOTS_PER_ROW * SLOT_CONSTRAINTS + COUNTERS;

/// Columns: routed wires first, digits after them (some digits are in routed columns, which does no harm).
pub struct Columns;

impl Columns {
    pub const TIME_BEFORE: usize = 0;
    pub const OCCUPIED_BEFORE: usize = 1;
    const COUNTERS_BEFORE: usize = 2;
    const COUNTERS_AFTER: usize = Self::COUNTERS_BEFORE + COUNTERS;
    const SLOTS: usize = Self::COUNTERS_AFTER + COUNTERS;
    const DIGITS: usize = Self::SLOTS + SLOTS_PER_ROW * SLOT_ROUTED;
    /// One past the last column.
    pub const END: usize = Self::DIGITS + SLOTS_PER_ROW * DIGITS;

    pub const fn counter_before(index: usize) -> usize {
        Self::COUNTERS_BEFORE + index
    }
    pub const fn counter_after(index: usize) -> usize {
        Self::COUNTERS_AFTER + index
    }
    const fn slot(slot: usize) -> usize {
        Self::SLOTS + slot * SLOT_ROUTED
    }
    pub const fn time(slot: usize) -> usize {
        Self::slot(slot)
    }
    pub const fn packed(slot: usize) -> usize {
        Self::slot(slot) + 1
    }
    pub const fn occupied(slot: usize) -> usize {
        Self::slot(slot) + 2
    }
    pub const fn hash(slot: usize, lane: usize) -> usize {
        Self::slot(slot) + 3 + lane
    }
    pub const fn digest(slot: usize, lane: usize) -> usize {
        Self::slot(slot) + 7 + lane
    }
    pub const fn difference(slot: usize) -> Range<usize> {
        let start = Self::DIGITS + slot * DIGITS;
        start..start + DIFFERENCE_DIGITS
    }
    /// Octal digits of the length, then its top bit.
    pub const fn length(slot: usize) -> Range<usize> {
        let start = Self::difference(slot).end;
        start..start + LENGTH_DIGITS + 1
    }
    /// Octal digits of the status, then its top bit.
    pub const fn status(slot: usize) -> Range<usize> {
        let start = Self::length(slot).end;
        start..start + STATUS_DIGITS + 1
    }
    pub const fn verdicts(slot: usize) -> Range<usize> {
        let start = Self::status(slot).end;
        start..start + VERDICTS
    }
}

const _: () = assert!(Columns::DIGITS <= 80, "inputs and outputs must be routed wires");
const _: () = assert!(Columns::END <= 135, "plonky2's standard width");
const _: () = assert!(Columns::verdicts(SLOTS_PER_ROW - 1).end == Columns::END);
const _: () = assert!(CONSTRAINTS <= 123, "no more than the Poseidon gate has, so that proofs do not grow");
