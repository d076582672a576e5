//! Fills the receipt gate's inner and outer wires from its inputs.

use super::layout::{
    BYTES, COUNT, COUNTERS, Columns, DIFFERENCE_DIGITS, FIRST_VERDICT, LENGTH_DIGITS, SLOTS_PER_ROW, STATUS_DIGITS,
    STATUS_SHIFT, VERDICTS, VERDICTS_SHIFT,
};
use crate::plonk::{D, F};
use anyhow::Result;
use cairn_types::limits::COUNTER_BITS;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::generator::{GeneratedValues, SimpleGenerator};
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartitionWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::CommonCircuitData;
use plonky2::util::serialization::{Buffer, IoResult, Read, Write};

/// Runs once all inputs of its row are known.
///
/// Inputs out of range give digits out of range (the excess stays in the top digit), never a panic: refusing them is
/// the constraints' work. A wire that already has a value keeps it, and the counters follow the wires.
#[derive(Debug, Default)]
pub struct ReceiptGenerator {
    row: usize,
}

impl ReceiptGenerator {
    pub(super) const fn new(row: usize) -> Self {
        Self { row }
    }

    const fn wire(&self, column: usize) -> Target {
        Target::wire(self.row, column)
    }
}

/// Digits of `number`, `bits` each, least significant first; the last takes what is left.
fn digits(number: u64, bits: usize, count: usize) -> impl Iterator<Item = F> {
    (0..count).map(move |index| {
        let rest = number >> (bits * index);
        F::from_canonical_u64(if index + 1 == count { rest } else { rest & ((1 << bits) - 1) })
    })
}

impl SimpleGenerator<F, D> for ReceiptGenerator {
    fn id(&self) -> String {
        "CairnReceiptGenerator".into()
    }

    fn dependencies(&self) -> Vec<Target> {
        let mut columns = vec![Columns::TIME_BEFORE];
        columns.extend((0..COUNTERS).map(Columns::counter_before));
        for slot in 0..SLOTS_PER_ROW {
            columns.extend([Columns::time(slot), Columns::packed(slot), Columns::occupied(slot)]);
            columns.extend((0..4).map(|lane| Columns::hash(slot, lane)));
        }
        columns.into_iter().map(|column| self.wire(column)).collect()
    }

    fn run_once(&self, witness: &PartitionWitness<F>, out: &mut GeneratedValues<F>) -> Result<()> {
        let get = |column| witness.get_target(self.wire(column));
        let mut put = |column: usize, value: F| -> Result<F> {
            match witness.try_get_target(self.wire(column)) {
                Some(placed) => Ok(placed),
                None => out.set_target(self.wire(column), value).map(|()| value),
            }
        };
        let mut counters: [F; COUNTERS] = std::array::from_fn(|index| get(Columns::counter_before(index)));
        let mut time_before = get(Columns::TIME_BEFORE);

        for slot in 0..SLOTS_PER_ROW {
            let (time, occupied) = (get(Columns::time(slot)), get(Columns::occupied(slot)));
            let difference = (time - time_before).to_canonical_u64();
            for (column, digit) in Columns::difference(slot).zip(digits(difference, 3, DIFFERENCE_DIGITS)) {
                put(column, digit)?;
            }

            let packed = get(Columns::packed(slot)).to_canonical_u64();
            let length = packed & ((1 << STATUS_SHIFT) - 1);
            let status = (packed >> STATUS_SHIFT) & ((1 << (VERDICTS_SHIFT - STATUS_SHIFT)) - 1);
            let verdicts = packed >> VERDICTS_SHIFT;
            let mut counted = F::ZERO;
            for (index, (column, digit)) in Columns::length(slot).zip(digits(length, 3, LENGTH_DIGITS + 1)).enumerate()
            {
                counted += put(column, digit)? * F::from_canonical_u64(1 << (3 * index));
            }
            for (column, digit) in Columns::status(slot).zip(digits(status, 3, STATUS_DIGITS + 1)) {
                put(column, digit)?;
            }
            for (index, (column, digit)) in Columns::verdicts(slot).zip(digits(verdicts, 2, VERDICTS)).enumerate() {
                counters[FIRST_VERDICT + index] += verdict_weight(put(column, digit)?);
            }
            for lane in 0..4 {
                put(Columns::digest(slot, lane), occupied * get(Columns::hash(slot, lane)))?;
            }
            counters[COUNT] += occupied;
            counters[BYTES] += counted;
            time_before = time;
        }
        for (index, counter) in counters.into_iter().enumerate() {
            put(Columns::counter_after(index), counter)?;
        }
        Ok(())
    }

    fn serialize(&self, out: &mut Vec<u8>, _: &CommonCircuitData<F, D>) -> IoResult<()> {
        out.write_usize(self.row)
    }

    fn deserialize(bytes: &mut Buffer, _: &CommonCircuitData<F, D>) -> IoResult<Self> {
        Ok(Self { row: bytes.read_usize()? })
    }
}

/// What a verdict code adds to its counter; the constraint's polynomial, which for codes that do not exist is some value.
fn verdict_weight(code: F) -> F {
    match code.to_canonical_u64() {
        0 => F::ZERO,
        known @ 1..=3 => F::from_canonical_u64(1 << (COUNTER_BITS as u64 * (known - 1))),
        _ => super::constraints::weight_at(code),
    }
}
