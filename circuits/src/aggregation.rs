//! Binary aggregation: two proofs of the circuit below become one.
//!
//! **What it proves**: there are two accepted proofs of the one circuit whose verifier key is compiled in here; the right
//! one holds bundles only if the left one is full and has consumed no entries; a real right one starts from the state and the
//! queue that the left one leaves, so it is no right sibling of a no-op, whose state is zero, which is the root of no tree. The public values are those of both together: the node
//! over the two roots (the empty subtree's for a no-op), sums, least and greatest time, one rollup, the first state and
//! queue and the last.
//!
//! **What it does not prove**: anything that its children do not. There is one such circuit per level and no cycle: a
//! level knows the key of the level below, never its own.
//!
//! Native twin: `cairn_types::Totals` over the bundles of both, and `tree::node`.

use crate::compiled::{Compiled, Draft};
use crate::gadgets::compare::{greatest, least};
use crate::gadgets::{Enforcer, constant_digest, masked, not, select, sponge};
use crate::plonk::{Builder, C, Circuit, D, F, Proof};
use crate::public_inputs::{PublicInputs, PublicInputsTarget, QueueEnd};
use crate::{Clause, Clauses};
use anyhow::Result;
use cairn_types::tree::EMPTY;
use plonky2::field::types::Field;
use plonky2::hash::hash_types::{HashOutTarget, MerkleCapTarget};
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use plonky2::plonk::circuit_data::{CircuitConfig, VerifierCircuitTarget};
use plonky2::plonk::proof::ProofWithPublicInputsTarget;

/// The circuit of one level.
pub type AggregationCircuit = Compiled<AggregationTarget>;

/// A node in a circuit.
#[derive(Debug)]
pub struct AggregationTarget {
    /// The two children.
    pub children: [ProofWithPublicInputsTarget<D>; 2],
    /// What it says in public.
    pub public: PublicInputsTarget,
    /// The children's key; constant in a full circuit.
    pub child_key: VerifierCircuitTarget,
    /// Values that a circuit without some clause leaves open; empty in a full one.
    pub free: Vec<(Clause, Vec<Target>)>,
}

impl AggregationTarget {
    /// Draws the level above `child`, whose proofs cover subtrees of `child_depth` (so up to `2^child_depth` bundles),
    /// enforcing `clauses`.
    #[must_use]
    pub fn draft(config: CircuitConfig, child: &Circuit, child_depth: usize, clauses: Clauses) -> Draft<Self> {
        let mut builder = Builder::new(config);
        let enforcer = &mut Enforcer::new(clauses);
        let child_key = pinned_key(&mut builder, enforcer, child);
        let children = [(); 2].map(|()| verified(&mut builder, child, &child_key));
        let [left, right] = [0, 1].map(|side: usize| statement_of(&children[side]));
        let public = merge(&mut builder, enforcer, &left, &right, child_depth);
        builder.register_public_inputs(&public.to_array());
        let free = std::mem::take(enforcer).into_free();
        Draft::new(builder, Self { children, public, child_key, free })
    }

    /// Assigns the two children.
    ///
    /// # Errors
    /// When a proof has another shape than the level below.
    pub fn assign(&self, witness: &mut PartialWitness<F>, left: &Proof, right: &Proof) -> Result<()> {
        witness.set_proof_with_pis_target(&self.children[0], left)?;
        witness.set_proof_with_pis_target(&self.children[1], right)
    }
}

/// The verifier key of `child` as constants.
pub(crate) fn pinned_key(builder: &mut Builder, enforcer: &mut Enforcer, child: &Circuit) -> VerifierCircuitTarget {
    let constant = builder.constant_verifier_data(&child.verifier_only);
    let mut bind =
        |digest: HashOutTarget| HashOutTarget::from(enforcer.bind(builder, Clause::ChildKey, digest.elements));
    VerifierCircuitTarget {
        circuit_digest: bind(constant.circuit_digest),
        constants_sigmas_cap: MerkleCapTarget(constant.constants_sigmas_cap.0.into_iter().map(bind).collect()),
    }
}

/// A proof that is verified under `key`.
pub(crate) fn verified(
    builder: &mut Builder,
    child: &Circuit,
    key: &VerifierCircuitTarget,
) -> ProofWithPublicInputsTarget<D> {
    let proof = builder.add_virtual_proof_with_pis(&child.common);
    builder.verify_proof::<C>(&proof, key, &child.common);
    proof
}

/// What a child says.
pub(crate) fn statement_of(proof: &ProofWithPublicInputsTarget<D>) -> PublicInputsTarget {
    PublicInputs::from_slice(&proof.public_inputs).expect("a child has the public inputs of this layout")
}

/// What both children say together.
fn merge(
    builder: &mut Builder,
    enforcer: &mut Enforcer,
    left: &PublicInputsTarget,
    right: &PublicInputsTarget,
    child_depth: usize,
) -> PublicInputsTarget {
    let left_real = not(builder, left.no_op);
    let right_real = not(builder, right.no_op);

    // A count stands for "any": the product is zero if the right child has no bundles or the condition holds.
    let missing = builder.add_const(left.bundles, -F::from_canonical_u64(1 << child_depth));
    enforcer.zero_if(builder, Clause::LeftIsFull, right.bundles, missing);
    let consumed = builder.sub(left.queue_to.position, left.queue_from.position);
    enforcer.zero_if(builder, Clause::BundlesFirst, right.bundles, consumed);
    enforcer.equal_if(builder, Clause::AggregateRollup, right_real, left.rollup_id, right.rollup_id);
    enforcer.equal_if(builder, Clause::AggregateStateThreaded, right_real, left.new_state, right.old_state);
    let (left_to, right_from) = (left.queue_to.to_array(), right.queue_from.to_array());
    enforcer.equal_if(builder, Clause::AggregateQueueThreaded, right_real, left_to, right_from);

    // A no-op's root is zero, so adding the empty subtree's where the flag is set replaces it.
    let empty = constant_digest(builder, EMPTY[child_depth].words());
    let right_root = std::array::from_fn(|lane| builder.mul_add(right.no_op, empty[lane], right.root[lane]));
    let node = sponge::node(builder, left.root, right_root);
    let root = masked(builder, left_real, node);

    let sum = |builder: &mut Builder, a, b| builder.add(a, b);
    let totals: [Target; 3] = [
        sum(builder, left.bundles, right.bundles),
        sum(builder, left.receipts, right.receipts),
        sum(builder, left.bytes, right.bytes),
    ];
    let verdicts = std::array::from_fn(|index| sum(builder, left.verdicts[index], right.verdicts[index]));
    let [bundles, receipts, bytes] = enforcer.bind(builder, Clause::AggregateTotals, totals);

    // Without bundles times are zero: they must not lower the least, and cannot raise the greatest.
    let zero = builder.zero();
    let right_without = builder.is_equal(right.bundles, zero);
    let candidate = builder.select(right_without, left.time_min, right.time_min);
    let time_min = least(builder, left.time_min, candidate);
    let time_max = greatest(builder, left.time_max, right.time_max);
    let [time_min, time_max] = enforcer.bind(builder, Clause::AggregateTimes, [time_min, time_max]);

    let new_state = select(builder, right_real, right.new_state, left.new_state);
    let queue_to = select(builder, right_real, right.queue_to.to_array(), left_to);

    PublicInputs {
        no_op: left.no_op,
        root: enforcer.bind(builder, Clause::AggregateRoot, root),
        bundles,
        receipts,
        bytes,
        time_min,
        time_max,
        verdicts: enforcer.bind(builder, Clause::AggregateTotals, verdicts),
        rollup_id: left.rollup_id,
        old_state: left.old_state,
        new_state: enforcer.bind(builder, Clause::AggregateEnds, new_state),
        queue_from: left.queue_from,
        queue_to: QueueEnd::from_array(enforcer.bind(builder, Clause::AggregateEnds, queue_to)),
    }
}
