//! What an attacker does: fills every wire of a circuit as it likes, consistently where that pays, and proves.
//!
//! A forged witness is generated in a circuit that lacks one clause, so that everything else about it is consistent, and
//! then put, wire by wire and without any generator, into the full circuit, which has the same rows and columns.

use cairn_circuits::Clause;
use cairn_circuits::plonk::{Common, Config, D, Data, F};
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, PartitionWitness, Witness};
use plonky2::plonk::proof::ProofWithPublicInputs;
use plonky2::plonk::prover::prove_with_partition_witness;
use plonky2::util::timing::TimingTree;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A value for each wire and each virtual target of a circuit.
#[derive(Clone)]
pub struct Wires(pub Vec<F>);

/// Why there is no proof.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Some constraint or copy does not hold: the quotient is no polynomial of its degree.
    Quotient,
    /// Anything else, which no attack test accepts as a success.
    Other(String),
}

impl Refusal {
    /// plonky2 sees a false quotient while proving only if the quotient's degree has room to overflow. Here it has not
    /// (degree factor 8 at rate 1/8), so it is the verifier who finds that vanishing polynomial and quotient differ at zeta.
    fn named(message: String) -> Self {
        let quotient = ["vanishing polynomial is not divisible by Z_H", "vanishing_polys_zeta[i] == z_h_zeta"];
        if quotient.iter().any(|part| message.contains(part)) { Self::Quotient } else { Self::Other(message) }
    }
}

impl Wires {
    /// What the generators of `circuit` make of `inputs`.
    pub fn generate<K: Config>(circuit: &Data<K>, inputs: PartialWitness<F>) -> Self {
        let witness = generate_partial_witness(inputs, &circuit.prover_only, &circuit.common)
            .expect("generators accept the inputs");
        let representatives = &circuit.prover_only.representative_map;
        Self(representatives.iter().map(|&index| witness.values[index].unwrap_or_default()).collect())
    }

    /// The value of a target.
    pub fn get<K: Config>(&self, circuit: &Data<K>, target: Target) -> F {
        self.0[target.index(circuit.common.config.num_wires, circuit.common.degree())]
    }

    /// Proves with exactly these wires: no generator runs, and no copy is made.
    pub fn prove<K: Config>(&self, circuit: &Data<K>) -> Result<ProofWithPublicInputs<F, K, D>, Refusal> {
        self.attempt(circuit, &circuit.common).and_then(|proof| match circuit.verify(proof.clone()) {
            Ok(()) => Ok(proof),
            Err(error) => Err(Refusal::named(error.to_string())),
        })
    }

    /// As [`Self::prove`], whatever the verifier says, with gates that may be others than the circuit's.
    pub fn attempt<K: Config>(
        &self,
        circuit: &Data<K>,
        common: &Common,
    ) -> Result<ProofWithPublicInputs<F, K, D>, Refusal> {
        assert_eq!(
            self.0.len(),
            circuit.prover_only.representative_map.len(),
            "the circuits differ in more than a clause"
        );
        let itself: Vec<usize> = (0..self.0.len()).collect();
        let mut witness = PartitionWitness::new(circuit.common.config.num_wires, circuit.common.degree(), &itself);
        witness.values = self.0.iter().copied().map(Some).collect();
        assert!(circuit.prover_only.public_inputs.iter().all(|&target| witness.contains(target)));
        let prove = || prove_with_partition_witness(&circuit.prover_only, common, witness, &mut TimingTree::default());
        match catch_unwind(AssertUnwindSafe(prove)) {
            Ok(Ok(proof)) => Ok(proof),
            Ok(Err(error)) => Err(Refusal::Other(error.to_string())),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                let text = panic.downcast_ref::<&str>().map_or(text, ToString::to_string);
                Err(Refusal::named(text))
            }
        }
    }
}

/// Shows that `clause`, and nothing else, holds the forged wires back.
pub fn assert_only_the_clause_refuses<K: Config>(
    clause: Clause,
    full: &Data<K>,
    without: &Data<K>,
    forged: &Wires,
) -> ProofWithPublicInputs<F, K, D> {
    assert_eq!(full.common.degree_bits(), without.common.degree_bits());
    let accepted = forged
        .prove(without)
        .unwrap_or_else(|refusal| panic!("without {clause:?} the forgery must pass, but: {refusal:?}"));
    assert_eq!(forged.prove(full).err(), Some(Refusal::Quotient), "{clause:?} must refuse the forgery");
    accepted
}

/// Overwrites inputs.
pub fn set(witness: &mut PartialWitness<F>, target: Target, value: F) {
    witness.target_values.insert(target, value);
}

/// Gives the free values of a circuit without a clause what they are in an honest run of the full one.
pub fn fill_free<K: Config>(
    witness: &mut PartialWitness<F>,
    free: &[(Clause, Vec<Target>)],
    full: &Data<K>,
    honest: &Wires,
) {
    for &target in free.iter().flat_map(|(_, targets)| targets) {
        set(witness, target, honest.get(full, target));
    }
}
