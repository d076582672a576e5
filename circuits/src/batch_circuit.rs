//! `BatchCircuit`: the top of the proof tree, one statement of four elements.
//!
//! **What it proves**: there is a header with the given digest (`statement`, the only public input) whose rollup, root,
//! counts, bytes, times and verdict counters are those of an accepted proof of the last aggregation level that is not a
//! no-op; its state root is the same before and after, its queue ends are equal, and no tier is claimed.
//!
//! **What it does not prove**: anything about batch number, previous header, state root, queue digest, data digest and data
//! length. They are bound by the statement, and the program compares them with what it holds.
//!
//! Native twin: `cairn_types::BatchHeader::statement`.

use crate::aggregation::{pinned_key, statement_of, verified};
use crate::compiled::{Compiled, Draft};
use crate::gadgets::{Enforcer, sponge};
use crate::plonk::{Builder, Circuit, D, DigestTarget, F, Proof};
use crate::{Clause, Clauses};
use anyhow::Result;
use cairn_types::header::word;
use cairn_types::{HEADER_WORDS, Kind};
use plonky2::field::types::Field;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use plonky2::plonk::circuit_data::{CircuitConfig, VerifierCircuitTarget};
use plonky2::plonk::proof::ProofWithPublicInputsTarget;

/// The circuit.
pub type BatchCircuit = Compiled<BatchTarget>;

/// A header in a circuit.
#[derive(Debug)]
pub struct BatchTarget {
    /// The proof of all bundles.
    pub child: ProofWithPublicInputsTarget<D>,
    /// The header.
    pub header: [Target; HEADER_WORDS],
    /// The statement.
    pub statement: DigestTarget,
    /// The child's key; constant in a full circuit.
    pub child_key: VerifierCircuitTarget,
    /// Values that a circuit without some clause leaves open; empty in a full one.
    pub free: Vec<(Clause, Vec<Target>)>,
}

impl BatchTarget {
    /// Draws the top above the last aggregation level, enforcing `clauses`.
    #[must_use]
    pub fn draft(config: CircuitConfig, child: &Circuit, clauses: Clauses) -> Draft<Self> {
        let mut builder = Builder::new(config);
        let enforcer = &mut Enforcer::new(clauses);
        let child_key = pinned_key(&mut builder, enforcer, child);
        let proof = verified(&mut builder, child, &child_key);
        let batch = statement_of(&proof);
        enforcer.zero(&mut builder, Clause::BatchIsReal, batch.no_op);

        let mut header: [Target; HEADER_WORDS] = builder.add_virtual_target_arr();
        let zero = builder.zero();
        let mut put = |builder: &mut Builder, clause: Clause, at: usize, values: &[Target]| {
            for (offset, &value) in values.iter().enumerate() {
                header[at + offset] = enforcer.bind_one(builder, clause, value);
            }
        };
        for (at, values) in [
            (word::ROLLUP_ID, &batch.rollup_id[..]),
            (word::BATCH_ROOT, &batch.root),
            (word::BUNDLES, &[batch.bundles]),
            (word::RECEIPTS, &[batch.receipts]),
            (word::BYTES, &[batch.bytes]),
            (word::TIME_MIN, &[batch.time_min]),
            (word::TIME_MAX, &[batch.time_max]),
            (word::VERDICTS, &batch.verdicts),
            (word::TIERS, &[zero, zero]),
        ] {
            put(&mut builder, Clause::HeaderIsTrue, at, values);
        }
        let carried = |from: usize, length: usize| header[from..from + length].to_vec();
        let (old_state, queue_from) = (carried(word::OLD_STATE_ROOT, 4), carried(word::QUEUE_FROM, 5));
        for (clause, at, values) in [
            (Clause::StateCarried, word::NEW_STATE_ROOT, old_state),
            (Clause::QueueCarried, word::QUEUE_TO, queue_from),
        ] {
            for (offset, &value) in values.iter().enumerate() {
                header[at + offset] = enforcer.bind_one(&mut builder, clause, value);
            }
        }

        let statement = sponge::hash(&mut builder, Kind::Header, &header);
        let statement = enforcer.bind(&mut builder, Clause::Statement, statement);
        builder.register_public_inputs(&statement);
        let free = std::mem::take(enforcer).into_free();
        Draft { builder, target: Self { child: proof, header, statement, child_key, free } }
    }

    /// Assigns the proof of all bundles and the header's words. Words that the circuit computes must agree with it.
    ///
    /// # Errors
    /// When the proof has another shape, or a word of the header is not what the proof says.
    pub fn assign(&self, witness: &mut PartialWitness<F>, bundles: &Proof, header: &[u64; HEADER_WORDS]) -> Result<()> {
        witness.set_proof_with_pis_target(&self.child, bundles)?;
        witness.set_target_arr(&self.header, &header.map(F::from_canonical_u64))
    }
}
