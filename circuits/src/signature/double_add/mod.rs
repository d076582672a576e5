//! The double-and-add gate: four steps of `s·G - e·K` in one row.
//!
//! **What it proves** of a row whose point before is on the curve and even (see [`super::curve`]), and whose tables are true:
//! for each step, of bits s and e that are 0 or 1, the point P becomes `2P + T` with T = s·G - e·K in the first
//! and third step, and T = C + s·G - e·K in the second and fourth; the accumulators double and take up the bits. **What it does not**:
//! where point and accumulators start, that the tables are those of a key, or what the scalars are.
//!
//! A step goes by two chords, P + T and then P + (P + T), so it needs no doubling. Why no chord is ever undetermined:
//!
//! * In the first and third step P is even and T odd, from the table {N, G, -K, G - K} of odd points. P and T have
//!   different x, and so have P and P + T, which is odd. Every such P is an affine point, and every case is covered: T = N is the
//!   affine point (0, 0), which is why the table is of odd points.
//! * In the second and fourth step P is odd and T even, from {C, C + G, C - K, C + G - K}: never the point at infinity, since it
//!   is given by affine coordinates. P and T have different x. P + T is odd as P is, and equals P for no affine T. It is -P when `2P + T`
//!   is the point at infinity; then `(first + second)·0 = 2y` has no solution, since P = N, where y = 0, is its own opposite and so
//!   was excluded with P.
//!
//! So slopes and sums are unique, for any key and any scalars: nothing rests on a prover not finding exceptions. What rests on
//! the hardness of logarithms is that honest signatures are provable, except with negligible probability: the point at infinity after a
//! row would be a relation between C, G and K.

mod constraints;
mod generator;
mod layout;

pub use generator::DoubleAddGenerator;
pub use layout::STEPS_PER_ROW;

use super::quintic::{AtPacked, AtPoint, InCircuit};
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
pub struct DoubleAddGate {
    clauses: Clauses,
}

/// An affine point in a circuit: x, y.
pub type PointTarget = [[Target; 5]; 2];

/// What the gate needs to know of a key. The last three are differences, which is all that constraints use.
#[derive(Debug, Clone, Copy)]
pub struct TablesTarget {
    /// `-K`, odd.
    pub minus_key: PointTarget,
    /// `(G - K) - G - (-K)`, coordinate by coordinate, of odd points.
    pub mixed: PointTarget,
    /// `(C - K) - C`, coordinate by coordinate, of even points.
    pub offset_minus_key: PointTarget,
    /// `(C + G - K) - (C + G) - (C - K) + C`, coordinate by coordinate, of even points.
    pub offset_mixed: PointTarget,
}

/// What goes from row to row.
#[derive(Debug, Clone, Copy)]
pub struct RunningTarget {
    /// The point.
    pub point: PointTarget,
    /// The scalar's bits so far.
    pub scalar: Target,
    /// The challenge's bits so far.
    pub challenge: Target,
}

/// A placed row.
#[derive(Debug, Clone, Copy)]
pub struct DoubleAddRow {
    /// The scalar's bits, the highest first.
    pub scalar_bits: [Target; STEPS_PER_ROW],
    /// The challenge's bits, the highest first.
    pub challenge_bits: [Target; STEPS_PER_ROW],
    /// The values after the row.
    pub after: RunningTarget,
    /// The row's index in the circuit.
    pub row: usize,
}

/// The clauses that this gate enforces.
const INSIDE: [Clause; 4] =
    [Clause::SignatureBits, Clause::SignatureSlopes, Clause::SignatureSums, Clause::SignatureAccumulators];

impl DoubleAddGate {
    /// The gate with those of `clauses` that it knows.
    #[must_use]
    pub const fn new(clauses: Clauses) -> Self {
        Self { clauses: clauses.restricted_to(&INSIDE) }
    }

    /// Places a row that continues from `before`.
    pub fn place(self, builder: &mut Builder, before: &RunningTarget, tables: &TablesTarget) -> DoubleAddRow {
        let row = builder.add_gate(self, vec![]);
        let wire = |column| Target::wire(row, column);
        let five = |column| std::array::from_fn(|index| wire(column + index));
        let point = |column| -> PointTarget { [five(column), five(column + 5)] };
        let inputs = [
            (before.point, Columns::X_BEFORE),
            (tables.minus_key, Columns::MINUS_KEY),
            (tables.mixed, Columns::MIXED),
            (tables.offset_minus_key, Columns::OFFSET_MINUS_KEY),
            (tables.offset_mixed, Columns::OFFSET_MIXED),
        ];
        for (value, column) in inputs {
            for (one, other) in value.into_iter().zip(point(column)) {
                builder.connect_array(one, other);
            }
        }
        builder.connect(before.scalar, wire(Columns::SCALAR_BEFORE));
        builder.connect(before.challenge, wire(Columns::CHALLENGE_BEFORE));
        let after = RunningTarget {
            point: [five(Columns::x_after(STEPS_PER_ROW - 1)), five(Columns::Y_AFTER)],
            scalar: wire(Columns::SCALAR_AFTER),
            challenge: wire(Columns::CHALLENGE_AFTER),
        };
        DoubleAddRow {
            scalar_bits: std::array::from_fn(|step| wire(Columns::scalar_bit(step))),
            challenge_bits: std::array::from_fn(|step| wire(Columns::challenge_bit(step))),
            after,
            row,
        }
    }

    /// The wires of a step's two slopes. For tests of the constraints.
    #[must_use]
    pub fn slopes(row: usize, step: usize) -> [[Target; 5]; 2] {
        [Columns::first_slope(step), Columns::second_slope(step)]
            .map(|column| std::array::from_fn(|index| Target::wire(row, column + index)))
    }

    /// The wires of x after a step. For tests of the constraints.
    #[must_use]
    pub fn x_after(row: usize, step: usize) -> [Target; 5] {
        std::array::from_fn(|index| Target::wire(row, Columns::x_after(step) + index))
    }
}

impl Gate<F, D> for DoubleAddGate {
    fn id(&self) -> String {
        if self.clauses.is_all() {
            "CairnDoubleAddGate".into()
        } else {
            format!("CairnDoubleAddGate without clauses {:x}", !self.clauses.bits())
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
        constrain(self.clauses, &mut AtPoint, |column| vars.local_wires[column], |value| values.push(value));
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
        let circuit = &mut InCircuit(builder);
        constrain(self.clauses, circuit, |column| vars.local_wires[column], |value| values.push(value));
        values
    }

    fn generators(&self, row: usize, _: &[F]) -> Vec<WitnessGeneratorRef<F, D>> {
        use plonky2::iop::generator::SimpleGenerator;
        vec![WitnessGeneratorRef::new(DoubleAddGenerator::new(row).adapter())]
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

impl PackedEvaluableBase<F, D> for DoubleAddGate {
    fn eval_unfiltered_base_packed<P: PackedField<Scalar = F>>(
        &self,
        vars: EvaluationVarsBasePacked<P>,
        mut consumer: StridedConstraintConsumer<P>,
    ) {
        let points = &mut AtPacked::<P>::new();
        constrain(self.clauses, points, |column| vars.local_wires[column], |value| consumer.one(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plonk::C;
    use plonky2::gates::gate_testing::{test_eval_fns, test_low_degree};

    #[test]
    fn its_degree_is_as_declared() {
        test_low_degree::<F, _, D>(DoubleAddGate::new(Clauses::ALL));
    }

    #[test]
    fn all_evaluators_agree() {
        test_eval_fns::<F, C, _, D>(DoubleAddGate::new(Clauses::ALL)).unwrap();
    }

    #[test]
    fn its_evaluation_in_a_verifying_circuit_takes_at_most_70_rows_for_each_proof() {
        let mut builder = Builder::new(plonky2::plonk::circuit_data::CircuitConfig::standard_recursion_config());
        let gate = DoubleAddGate::new(Clauses::ALL);
        for proofs in [1, 2] {
            let wires = builder.add_virtual_extension_targets(Columns::END);
            let public_inputs_hash = builder.add_virtual_hash();
            let vars = EvaluationTargets {
                local_constants: &[],
                local_wires: &wires,
                public_inputs_hash: &public_inputs_hash,
            };
            gate.eval_unfiltered_circuit(&mut builder, vars);
            println!("{proofs} proofs: {} rows", builder.num_gates());
        }
        assert!(builder.num_gates() <= 2 * 70, "{}", builder.num_gates());
    }

    #[test]
    fn a_gate_without_a_clause_has_another_identity_and_is_not_serialised() {
        let lenient = DoubleAddGate::new(Clauses::without(Clause::SignatureBits));
        assert_ne!(lenient.id(), DoubleAddGate::new(Clauses::ALL).id());
        assert_eq!(DoubleAddGate::new(Clauses::without(Clause::Count)).id(), DoubleAddGate::new(Clauses::ALL).id());
    }
}
