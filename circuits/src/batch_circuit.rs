//! `BatchCircuit`: the top of the proof tree, one statement of four elements.
//!
//! **What it proves**: there is a header with the given digest (`statement`, the only public input) whose rollup, root,
//! counts, bytes, times, verdict counters, state roots and queue ends are those of an accepted proof of the last aggregation
//! level that is not a no-op; no tier is claimed.
//!
//! **What it does not prove**: anything about batch number, previous header, data digest and data length, or that old state
//! and queue are the rollup's. They are bound by the statement, and the program compares them with what it holds.
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
        let (queue_from, queue_to) = (batch.queue_from.to_array(), batch.queue_to.to_array());
        for (clause, at, values) in [
            (Clause::HeaderIsTrue, word::ROLLUP_ID, &batch.rollup_id[..]),
            (Clause::HeaderIsTrue, word::BATCH_ROOT, &batch.root),
            (Clause::HeaderIsTrue, word::BUNDLES, &[batch.bundles]),
            (Clause::HeaderIsTrue, word::RECEIPTS, &[batch.receipts]),
            (Clause::HeaderIsTrue, word::BYTES, &[batch.bytes]),
            (Clause::HeaderIsTrue, word::TIME_MIN, &[batch.time_min]),
            (Clause::HeaderIsTrue, word::TIME_MAX, &[batch.time_max]),
            (Clause::HeaderIsTrue, word::VERDICTS, &batch.verdicts),
            (Clause::HeaderIsTrue, word::TIERS, &[zero, zero]),
            (Clause::HeaderState, word::OLD_STATE_ROOT, &batch.old_state),
            (Clause::HeaderState, word::NEW_STATE_ROOT, &batch.new_state),
            (Clause::HeaderQueue, word::QUEUE_FROM, &queue_from),
            (Clause::HeaderQueue, word::QUEUE_TO, &queue_to),
        ] {
            for (offset, &value) in values.iter().enumerate() {
                header[at + offset] = enforcer.bind_one(&mut builder, clause, value);
            }
        }

        let statement = sponge::hash(&mut builder, Kind::Header, &header);
        let statement = enforcer.bind(&mut builder, Clause::Statement, statement);
        builder.register_public_inputs(&statement);
        let free = std::mem::take(enforcer).into_free();
        Draft::new(builder, Self { child: proof, header, statement, child_key, free })
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
