//! A gate for two consecutive receipt slots of a bundle: everything about a receipt that is not a hash.
//!
//! **What it proves**, of each slot in order: the occupied flag is a bit and never rises; the time is the one before plus
//! a difference below 2^48; word 1 of the leaf is length (40 bits), status (10), tier (3, all zero) and five verdicts of
//! two bits, each within its range; an empty slot moves nothing; the digest handed to the tree is the leaf's, or zero
//! for an empty slot; and over both slots the running count, bytes and five verdict counters grow by exactly what the
//! slots hold.
//!
//! **What it does not prove**: that the leaf digest is the hash of the leaf (the sponge does), that the last time is
//! below 2^48 (differences alone bound it by 2^56; the segment checks it once per bundle), that words 2 and 3 mean anything.
//!
//! Range checks use octal digits: a digit `x` is below 8 exactly when the degree-8 polynomial over its eight values is
//! zero, so 48 bits take 16 wires and two slots fit one row.

mod constraints;
mod generator;
mod layout;

pub use generator::ReceiptGenerator;
pub use layout::{COUNTERS, SLOTS_PER_ROW};

use crate::arithmetic::{AtPoints, InCircuit};
use crate::plonk::{Builder, D, Extension, F};
use crate::{Clause, Clauses};
use constraints::constrain;
use layout::Columns;
use plonky2::field::packed::PackedField;
use plonky2::gates::gate::Gate;
use plonky2::gates::packed_util::PackedEvaluableBase;
use plonky2::gates::util::StridedConstraintConsumer;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::generator::WitnessGeneratorRef;
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_data::CommonCircuitData;
use plonky2::plonk::vars::{
    EvaluationTargets, EvaluationVars, EvaluationVarsBase, EvaluationVarsBaseBatch, EvaluationVarsBasePacked,
};
use plonky2::util::serialization::{Buffer, IoError, IoResult};

/// The gate. Which of its constraints hold is [`Clauses::ALL`] everywhere but in tests of single clauses.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptGate {
    clauses: Clauses,
}

/// The running values of a bundle between two rows.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    /// Time of the last slot.
    pub time: Target,
    /// Occupied flag of the last slot.
    pub occupied: Target,
    /// Count, bytes, then the verdict counters in the header's order.
    pub counters: [Target; COUNTERS],
}

/// One slot's wires.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Word 0 of the leaf.
    pub time: Target,
    /// Word 1 of the leaf.
    pub packed: Target,
    /// 1 for a receipt, 0 for an empty slot.
    pub occupied: Target,
    /// In: the leaf's hash.
    pub hash: [Target; 4],
    /// Out: the hash, or zero for an empty slot.
    pub digest: [Target; 4],
}

/// A placed row.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptRow {
    /// The two slots.
    pub slots: [Slot; SLOTS_PER_ROW],
    /// The values after them.
    pub after: Running,
    /// The row's index in the circuit.
    pub row: usize,
}

/// The clauses that this gate enforces, some of them together with the segment.
const INSIDE: [Clause; 11] = [
    Clause::TimesNonDecreasing,
    Clause::WordRanges,
    Clause::TierZero,
    Clause::WordIsSplit,
    Clause::OccupiedIsBit,
    Clause::EmptySlotsLast,
    Clause::EmptyDigestIsZero,
    Clause::EmptySlotIsBlank,
    Clause::Count,
    Clause::Bytes,
    Clause::Verdicts,
];

impl ReceiptGate {
    /// The gate with those of `clauses` that it knows.
    #[must_use]
    pub const fn new(clauses: Clauses) -> Self {
        Self { clauses: clauses.restricted_to(&INSIDE) }
    }

    /// Places a row that continues from `before`.
    pub fn place(self, builder: &mut Builder, before: &Running) -> ReceiptRow {
        let row = builder.add_gate(self, vec![]);
        let wire = |column| Target::wire(row, column);
        builder.connect(before.time, wire(Columns::TIME_BEFORE));
        builder.connect(before.occupied, wire(Columns::OCCUPIED_BEFORE));
        for (index, &counter) in before.counters.iter().enumerate() {
            builder.connect(counter, wire(Columns::counter_before(index)));
        }
        let slots: [Slot; SLOTS_PER_ROW] = std::array::from_fn(|slot| Slot {
            time: wire(Columns::time(slot)),
            packed: wire(Columns::packed(slot)),
            occupied: wire(Columns::occupied(slot)),
            hash: std::array::from_fn(|lane| wire(Columns::hash(slot, lane))),
            digest: std::array::from_fn(|lane| wire(Columns::digest(slot, lane))),
        });
        let last = slots[SLOTS_PER_ROW - 1];
        let counters = std::array::from_fn(|index| wire(Columns::counter_after(index)));
        ReceiptRow { slots, after: Running { time: last.time, occupied: last.occupied, counters }, row }
    }

    /// The wires of the octal digits of a slot's time difference, least significant first. For tests of the range check.
    #[must_use]
    pub fn difference_digits(row: usize, slot: usize) -> Vec<Target> {
        Columns::difference(slot).map(|column| Target::wire(row, column)).collect()
    }

    /// The wires of the digits of a slot's word 1: length (octal digits, then its top bit), status (likewise), verdicts.
    #[must_use]
    pub fn packed_digits(row: usize, slot: usize) -> Vec<Target> {
        let columns = Columns::length(slot).chain(Columns::status(slot)).chain(Columns::verdicts(slot));
        columns.map(|column| Target::wire(row, column)).collect()
    }
}

impl Gate<F, D> for ReceiptGate {
    fn id(&self) -> String {
        if self.clauses.is_all() {
            "CairnReceiptGate".into()
        } else {
            format!("CairnReceiptGate without clauses {:x}", !self.clauses.bits())
        }
    }

    fn serialize(&self, _: &mut Vec<u8>, _: &CommonCircuitData<F, D>) -> IoResult<()> {
        // A gate with a clause left out must never reach a file that a prover could load.
        if self.clauses.is_all() { Ok(()) } else { Err(IoError) }
    }

    fn deserialize(_: &mut Buffer, _: &CommonCircuitData<F, D>) -> IoResult<Self> {
        Ok(Self::new(Clauses::ALL))
    }

    fn eval_unfiltered(&self, vars: EvaluationVars<F, D>) -> Vec<Extension> {
        let mut values = Vec::with_capacity(layout::CONSTRAINTS);
        constrain(
            self.clauses,
            &mut AtPoints::<Extension>::new(),
            |column| vars.local_wires[column],
            |value| {
                values.push(value);
            },
        );
        values
    }

    fn eval_unfiltered_base_one(&self, _: EvaluationVarsBase<F>, _: StridedConstraintConsumer<F>) {
        unreachable!("the batch evaluator below is packed and never asks for one point");
    }

    fn eval_unfiltered_base_batch(&self, vars: EvaluationVarsBaseBatch<F>) -> Vec<F> {
        self.eval_unfiltered_base_batch_packed(vars)
    }

    fn eval_unfiltered_circuit(&self, builder: &mut Builder, vars: EvaluationTargets<D>) -> Vec<ExtensionTarget<D>> {
        let mut values = Vec::with_capacity(layout::CONSTRAINTS);
        constrain(self.clauses, &mut InCircuit(builder), |column| vars.local_wires[column], |value| values.push(value));
        values
    }

    fn generators(&self, row: usize, _: &[F]) -> Vec<WitnessGeneratorRef<F, D>> {
        use plonky2::iop::generator::SimpleGenerator;
        vec![WitnessGeneratorRef::new(ReceiptGenerator::new(row).adapter())]
    }

    fn num_wires(&self) -> usize {
        Columns::END
    }

    fn num_constants(&self) -> usize {
        0
    }

    fn degree(&self) -> usize {
        constraints::DEGREE
    }

    fn num_constraints(&self) -> usize {
        layout::CONSTRAINTS
    }
}

impl PackedEvaluableBase<F, D> for ReceiptGate {
    fn eval_unfiltered_base_packed<P: PackedField<Scalar = F>>(
        &self,
        vars: EvaluationVarsBasePacked<P>,
        mut consumer: StridedConstraintConsumer<P>,
    ) {
        constrain(
            self.clauses,
            &mut AtPoints::<P>::new(),
            |column| vars.local_wires[column],
            |value| consumer.one(value),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plonk::C;
    use plonky2::gates::gate_testing::{test_eval_fns, test_low_degree};

    #[test]
    fn its_degree_is_as_declared() {
        test_low_degree::<F, _, D>(ReceiptGate::new(Clauses::ALL));
    }

    #[test]
    fn all_evaluators_agree() {
        test_eval_fns::<F, C, _, D>(ReceiptGate::new(Clauses::ALL)).unwrap();
    }

    #[test]
    fn a_gate_without_a_clause_has_another_identity_and_is_not_serialised() {
        let lenient = ReceiptGate::new(Clauses::without(Clause::TierZero));
        assert_ne!(lenient.id(), ReceiptGate::new(Clauses::ALL).id());
        assert!(!lenient.clauses.enforce(Clause::TierZero) && lenient.clauses.enforce(Clause::WordRanges));
        assert_eq!(ReceiptGate::new(Clauses::without(Clause::SegmentRoot)).id(), ReceiptGate::new(Clauses::ALL).id());
    }
}
