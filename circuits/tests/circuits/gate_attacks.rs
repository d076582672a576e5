//! Proofs by a prover whose last circuit lacks constraints of one gate. Its key is the true one, since plonky2's digest does not
//! bind what gates check: such a proof is right in everything else, and only whoever evaluates those constraints refuses it.

use crate::forgery::{Refusal, Wires};
use crate::heavy::seat;
use crate::whole_batch::{sample, set};
use cairn_circuits::packed_proof;
use cairn_circuits::plonk::{Common, D, Extension, F, FinalData, FinalProof};
use cairn_circuits::verifier_constants::Selectors;
use cairn_verifier::{Dev, NativeKeccak, Rejection, verify};
use plonky2::field::types::{Field, PrimeField64};
use plonky2::gates::gate::{Gate, GateRef};
use plonky2::hash::hash_types::HashOut;
use plonky2::hash::poseidon::PoseidonHash;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::generator::WitnessGeneratorRef;
use plonky2::iop::target::Target;
use plonky2::iop::witness::PartialWitness;
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::circuit_data::VerifierCircuitData;
use plonky2::plonk::config::Hasher;
use plonky2::plonk::vars::{EvaluationTargets, EvaluationVars, EvaluationVarsBaseBatch};
use plonky2::util::serialization::{Buffer, IoError, IoResult};

/// Rows of a gate that are tried, from the first and from the last, which may be full only in part.
const ROWS: usize = 24;
/// Gates that have a wire which can be changed alone; the others' are all wired, and `tests/verifier/lies.rs` compares their constraints.
const LEAST_GATES: usize = 8;

/// A gate that does not check some of its constraints.
#[derive(Debug, Clone)]
struct Lenient {
    gate: GateRef<F, D>,
    unchecked: Vec<usize>,
}

impl Gate<F, D> for Lenient {
    fn id(&self) -> String {
        self.gate.0.id()
    }

    fn serialize(&self, _: &mut Vec<u8>, _: &Common) -> IoResult<()> {
        Err(IoError)
    }

    fn deserialize(_: &mut Buffer<'_>, _: &Common) -> IoResult<Self> {
        Err(IoError)
    }

    fn eval_unfiltered(&self, vars: EvaluationVars<'_, F, D>) -> Vec<Extension> {
        let mut constraints = self.gate.0.eval_unfiltered(vars);
        self.unchecked.iter().for_each(|&index| constraints[index] = Extension::ZERO);
        constraints
    }

    fn eval_unfiltered_base_batch(&self, vars: EvaluationVarsBaseBatch<'_, F>) -> Vec<F> {
        let points = vars.len();
        let mut constraints = self.gate.0.eval_unfiltered_base_batch(vars);
        self.unchecked.iter().for_each(|&index| constraints[index * points..][..points].fill(F::ZERO));
        constraints
    }

    fn eval_unfiltered_circuit(
        &self,
        _: &mut CircuitBuilder<F, D>,
        _: EvaluationTargets<'_, D>,
    ) -> Vec<ExtensionTarget<D>> {
        unreachable!("nothing is drawn with it")
    }

    fn generators(&self, row: usize, constants: &[F]) -> Vec<WitnessGeneratorRef<F, D>> {
        self.gate.0.generators(row, constants)
    }

    fn num_wires(&self) -> usize {
        self.gate.0.num_wires()
    }

    fn num_constants(&self) -> usize {
        self.gate.0.num_constants()
    }

    fn degree(&self) -> usize {
        self.gate.0.degree()
    }

    fn num_constraints(&self) -> usize {
        self.gate.0.num_constraints()
    }
}

/// The last circuit, row by row.
struct Rows<'a> {
    circuit: &'a FinalData,
    /// Selectors and constants of each row.
    columns: Vec<Vec<F>>,
    selectors: Selectors,
    /// Whether a place is wired to no other.
    alone: Vec<bool>,
}

impl<'a> Rows<'a> {
    fn of(circuit: &'a FinalData) -> Self {
        let polynomials = &circuit.prover_only.constants_sigmas_commitment.polynomials;
        let columns = polynomials[..circuit.common.num_constants].iter().map(|column| column.clone().fft().values);
        let map = &circuit.prover_only.representative_map;
        let mut sizes = vec![0; map.len()];
        map.iter().for_each(|&place| sizes[place] += 1);
        let alone = map.iter().map(|&place| sizes[place] == 1).collect();
        Self { circuit, columns: columns.collect(), selectors: Selectors::of(&circuit.common), alone }
    }

    /// Where a wire is among all of them.
    fn place(&self, row: usize, column: usize) -> usize {
        Target::wire(row, column).index(self.circuit.common.config.num_wires, self.circuit.common.degree())
    }

    /// The rows of a gate.
    fn with_gate(&self, gate: usize) -> impl DoubleEndedIterator<Item = usize> {
        let column = &self.columns[self.selectors.selector_indices[gate]];
        let wanted = F::from_canonical_usize(gate);
        (0..self.circuit.common.degree()).filter(move |&row| column[row] == wanted)
    }

    /// Which constraints of a gate do not hold in a row.
    fn broken(&self, gate: usize, row: usize, wires: &Wires, public_inputs_hash: &HashOut<F>) -> Vec<usize> {
        let value = |column| wires.get(self.circuit, Target::wire(row, column)).into();
        let local_wires: Vec<Extension> = (0..self.circuit.common.config.num_wires).map(value).collect();
        let constants = &self.columns[self.selectors.groups.len()..];
        let local_constants: Vec<Extension> = constants.iter().map(|column| column[row].into()).collect();
        let vars = EvaluationVars { local_constants: &local_constants, local_wires: &local_wires, public_inputs_hash };
        let values = self.circuit.common.gates[gate].0.eval_unfiltered(vars);
        values.iter().enumerate().filter(|(_, value)| !value.is_zero()).map(|(index, _)| index).collect()
    }

    /// A place in a row of a gate that is wired to nothing and at which another value breaks constraints, as few as there are
    /// such places for, and those constraints.
    fn fewest_broken(&self, gate: usize, wires: &mut Wires, hash: &HashOut<F>) -> Option<(usize, Vec<usize>)> {
        let columns = self.circuit.common.gates[gate].0.num_wires();
        let rows = self.with_gate(gate).take(ROWS).chain(self.with_gate(gate).rev().take(ROWS));
        let places = rows.flat_map(|row| (0..columns).map(move |column| (row, column)));
        let changes = places.filter_map(|(row, column)| {
            let place = self.place(row, column);
            let broken = self.alone[place].then(|| self.broken_by(place, gate, row, wires, hash))?;
            (!broken.is_empty()).then_some((place, broken))
        });
        changes.min_by_key(|(_, broken)| broken.len())
    }

    /// A place that is wired to others, at which no gate notices another value.
    fn unnoticed(&self, wires: &mut Wires, hash: &HashOut<F>) -> Option<usize> {
        let routed = self.circuit.common.config.num_routed_wires;
        (0..self.circuit.common.gates.len()).find_map(|gate| {
            self.with_gate(gate).find_map(|row| {
                let mut wired = (0..routed).map(|column| self.place(row, column)).filter(|&place| !self.alone[place]);
                wired.find(|&place| self.broken_by(place, gate, row, wires, hash).is_empty())
            })
        })
    }

    /// Which constraints of a gate another value at a place of a row breaks.
    fn broken_by(&self, place: usize, gate: usize, row: usize, wires: &mut Wires, hash: &HashOut<F>) -> Vec<usize> {
        let honest = wires.0[place];
        wires.0[place] += F::TWO;
        let broken = self.broken(gate, row, wires, hash);
        wires.0[place] = honest;
        broken
    }
}

/// An honest run of the true circuit, and the hash of its public inputs.
fn honest() -> (Wires, HashOut<F>) {
    let (batch, bundles) = sample();
    let child = set().prove_batch(bundles, &batch.header.words()).unwrap();
    let last = set().last();
    let mut witness = PartialWitness::new();
    last.target.assign(&mut witness, &child).unwrap();
    (Wires::generate(&last.circuit, witness), PoseidonHash::hash_no_pad(&child.public_inputs))
}

#[test]
fn a_last_circuit_that_lacks_constraints_of_one_gate() {
    let _seat = seat();
    let (mut wires, hash) = honest();
    let circuit = &set().last().circuit;
    let rows = Rows::of(circuit);
    let mut attacked = Vec::new();
    for (index, gate) in circuit.common.gates.iter().enumerate() {
        let Some((place, unchecked)) = rows.fewest_broken(index, &mut wires, &hash) else { continue };
        let mut common = circuit.common.clone();
        common.gates[index] = GateRef::new(Lenient { gate: gate.clone(), unchecked: unchecked.clone() });
        let mut forged = wires.clone();
        forged.0[place] += F::TWO;
        let proof = forged.attempt(circuit, &common).unwrap();
        let lenient = VerifierCircuitData { verifier_only: circuit.verifier_only.clone(), common };
        lenient.verify(proof.clone()).unwrap_or_else(|error| panic!("{gate:?} without {unchecked:?}: {error}"));
        refused_by_both(&proof, circuit, &format!("{gate:?} without {unchecked:?}"));
        attacked.push((index, unchecked));
    }
    eprintln!("circuits that lack constraints: gate, constraints: {attacked:?}");
    assert!(attacked.len() >= LEAST_GATES, "{attacked:?}");
}

/// A value that is not what it is wired to: the wiring is what refuses it.
#[test]
fn a_wire_that_is_not_what_it_is_wired_to() {
    let _seat = seat();
    let (mut wires, hash) = honest();
    let circuit = &set().last().circuit;
    let place = Rows::of(circuit).unnoticed(&mut wires, &hash).expect("some wire leads to where no gate looks");
    wires.0[place] += F::TWO;
    assert_eq!(wires.prove(circuit).err(), Some(Refusal::Quotient));
    refused_by_both(&wires.attempt(circuit, &circuit.common).unwrap(), circuit, "wiring");
}

fn refused_by_both(proof: &FinalProof, circuit: &FinalData, what: &str) {
    let words: Vec<u64> = proof.public_inputs.iter().map(PrimeField64::to_canonical_u64).collect();
    let words: [u64; 4] = words.try_into().unwrap();
    assert!(circuit.verify(proof.clone()).is_err(), "{what}");
    let verdict = verify::<Dev, NativeKeccak>(&packed_proof::pack(proof), &words);
    assert_eq!(verdict, Err(Rejection::Constraints), "{what}");
}
