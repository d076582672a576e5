//! `FinalCircuit`: the batch proof once more, in the form that a chain verifies.
//!
//! **What it proves**: there is an accepted proof of the batch circuit whose verifier key is compiled in here, and whose
//! public inputs are this one's.
//!
//! **What it does not prove**: anything that the batch circuit does not. It exists for its own proof: Keccak instead of Poseidon, few
//! queries at a low rate, and few rows.
//!
//! The circuits of both profiles have the same gates in the same order, hence the same selectors, so that one verifier is
//! both; they differ in constants, wiring and FRI parameters.

use crate::aggregation::{pinned_key, verified};
use crate::compiled::{Compiled, Draft};
use crate::gadgets::Enforcer;
use crate::plonk::{Builder, Circuit, D, DigestTarget, F, FinalConfig, Proof};
use crate::{Clause, Clauses};
use anyhow::Result;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use plonky2::plonk::circuit_data::{CircuitConfig, VerifierCircuitTarget};
use plonky2::plonk::proof::ProofWithPublicInputsTarget;

/// The circuit.
pub type FinalCircuit = Compiled<FinalTarget, FinalConfig>;

/// A batch proof in a circuit.
#[derive(Debug)]
pub struct FinalTarget {
    /// The batch proof.
    pub child: ProofWithPublicInputsTarget<D>,
    /// The statement.
    pub statement: DigestTarget,
    /// The child's key; constant in a full circuit.
    pub child_key: VerifierCircuitTarget,
    /// Values that a circuit without some clause leaves open; empty in a full one.
    pub free: Vec<(Clause, Vec<Target>)>,
}

impl FinalTarget {
    /// Draws the circuit above the batch circuit `child`, enforcing `clauses`.
    ///
    /// # Panics
    /// When `child` is no batch circuit: those have four public inputs.
    #[must_use]
    pub fn draft(config: CircuitConfig, child: &Circuit, clauses: Clauses) -> Draft<Self, FinalConfig> {
        let mut builder = Builder::new(config);
        let enforcer = &mut Enforcer::new(clauses);
        let child_key = pinned_key(&mut builder, enforcer, child);
        let proof = verified(&mut builder, child, &child_key);
        let said: DigestTarget = proof.public_inputs.as_slice().try_into().expect("a batch proof states four elements");
        let statement = enforcer.bind(&mut builder, Clause::FinalStatement, said);
        builder.register_public_inputs(&statement);
        let free = std::mem::take(enforcer).into_free();
        Draft::new(builder, Self { child: proof, statement, child_key, free })
    }

    /// Assigns the batch proof.
    ///
    /// # Errors
    /// When the proof has another shape.
    pub fn assign(&self, witness: &mut PartialWitness<F>, batch: &Proof) -> Result<()> {
        witness.set_proof_with_pis_target(&self.child, batch)
    }
}
