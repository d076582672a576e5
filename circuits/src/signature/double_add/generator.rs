//! Fills the double-and-add gate's inner and outer wires from its inputs.

use super::layout::{Columns, STEPS_PER_ROW};
use crate::plonk::{D, F};
use crate::signature::curve::{A, GENERATOR, OFFSET, OFFSET_GENERATOR, Quintic, quotient};
use anyhow::Result;
use plonky2::field::extension::quintic::QuinticExtension;
use plonky2::field::ops::Square;
use plonky2::field::types::Field;
use plonky2::iop::generator::{GeneratedValues, SimpleGenerator};
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartitionWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::CommonCircuitData;
use plonky2::util::serialization::{Buffer, IoResult, Read, Write};

/// Runs once all inputs of its row are known.
///
/// Inputs of which there is no sum give some values, never a panic: refusing them is the constraints' work. A wire that
/// already has a value keeps it, and what comes after follows the wires.
#[derive(Debug, Default)]
pub struct DoubleAddGenerator {
    row: usize,
}

impl DoubleAddGenerator {
    pub(super) const fn new(row: usize) -> Self {
        Self { row }
    }

    const fn wire(&self, column: usize) -> Target {
        Target::wire(self.row, column)
    }
}

/// The wires of a row while they are filled.
struct Row<'a> {
    generator: &'a DoubleAddGenerator,
    witness: &'a PartitionWitness<'a, F>,
    out: &'a mut GeneratedValues<F>,
}

impl Row<'_> {
    fn get(&self, column: usize) -> F {
        self.witness.get_target(self.generator.wire(column))
    }

    fn five(&self, column: usize) -> Quintic {
        QuinticExtension(std::array::from_fn(|index| self.get(column + index)))
    }

    fn put(&mut self, column: usize, value: F) -> Result<F> {
        let wire = self.generator.wire(column);
        match self.witness.try_get_target(wire) {
            Some(placed) => Ok(placed),
            None => self.out.set_target(wire, value).map(|()| value),
        }
    }

    fn put_five(&mut self, column: usize, value: Quintic) -> Result<Quintic> {
        let mut placed = value;
        for index in 0..5 {
            placed.0[index] = self.put(column + index, value.0[index])?;
        }
        Ok(placed)
    }
}

impl SimpleGenerator<F, D> for DoubleAddGenerator {
    fn id(&self) -> String {
        "CairnDoubleAddGenerator".into()
    }

    fn dependencies(&self) -> Vec<Target> {
        Columns::inputs().map(|column| self.wire(column)).collect()
    }

    fn run_once(&self, witness: &PartitionWitness<F>, out: &mut GeneratedValues<F>) -> Result<()> {
        let mut row = Row { generator: self, witness, out };
        let (mut x, mut y) = (row.five(Columns::X_BEFORE), row.five(Columns::Y_BEFORE));
        let (mut scalar, mut challenge) = (row.get(Columns::SCALAR_BEFORE), row.get(Columns::CHALLENGE_BEFORE));
        let constant = Quintic::from_canonical_u64(A);
        let zero = (Quintic::ZERO, Quintic::ZERO);
        let tables = [
            (zero, (GENERATOR.x, GENERATOR.y), Columns::MINUS_KEY, Columns::MIXED),
            (
                (OFFSET.x, OFFSET.y),
                (OFFSET_GENERATOR.x - OFFSET.x, OFFSET_GENERATOR.y - OFFSET.y),
                Columns::OFFSET_MINUS_KEY,
                Columns::OFFSET_MIXED,
            ),
        ];
        for step in 0..STEPS_PER_ROW {
            let (scalar_bit, challenge_bit) =
                (row.get(Columns::scalar_bit(step)), row.get(Columns::challenge_bit(step)));
            scalar = scalar.double() + scalar_bit;
            challenge = challenge.double() + challenge_bit;

            let (base, generator, key, mixed) = tables[step % 2];
            let entry = |base: Quintic, generator: Quintic, offset: usize| {
                let with = row.five(mixed + offset) * Quintic::from(challenge_bit) + generator;
                base + row.five(key + offset) * Quintic::from(challenge_bit) + with * Quintic::from(scalar_bit)
            };
            let (table_x, table_y) = (entry(base.0, generator.0, 0), entry(base.1, generator.1, 5));

            let first = quotient(table_y - y, table_x - x);
            let first = row.put_five(Columns::first_slope(step), first)?;
            let sum_x = first.square() - constant - x - table_x;
            let second = quotient(y.double(), x - sum_x) - first;
            let second = row.put_five(Columns::second_slope(step), second)?;
            let after = second.square() - constant - x - sum_x;
            let after = row.put_five(Columns::x_after(step), after)?;
            (x, y) = (after, second * (x - after) - y);
        }
        row.put_five(Columns::Y_AFTER, y)?;
        row.put(Columns::SCALAR_AFTER, scalar)?;
        row.put(Columns::CHALLENGE_AFTER, challenge)?;
        Ok(())
    }

    fn serialize(&self, out: &mut Vec<u8>, _: &CommonCircuitData<F, D>) -> IoResult<()> {
        out.write_usize(self.row)
    }

    fn deserialize(bytes: &mut Buffer, _: &CommonCircuitData<F, D>) -> IoResult<Self> {
        Ok(Self { row: bytes.read_usize()? })
    }
}
