//! One slot of a segment for an entry of the registration queue.
//!
//! **What it proves** (clauses 5 and 6 of the protocol): the entry is the next link of the queue's chain, and the account at
//! its index becomes what its kind makes of it. This is total: whatever the chain holds can be applied, whatever is there
//! before; a place without an account counts as an account of zeros. An empty slot moves neither queue nor state.
//! **What it does not**: that the key is a point; signatures by one that is not fail.
//!
//! Native twins: `cairn_types::QueueCursor::push` and `cairn_types::state::PartialState::apply_entry`.

use super::account::{AccountPath, AccountTarget, Move};
use crate::Clause;
use crate::gadgets::{Enforcer, masked, not, select, sponge};
use crate::plonk::{Builder, DigestTarget, F};
use crate::public_inputs::QueueEnd;
use cairn_types::{EntryKind, Kind};
use plonky2::field::types::Field;
use plonky2::iop::target::Target;

// The kind of an entry is 2, less 1 if it registers, and 1 more if it deactivates.
const _: () = assert!(EntryKind::Register.code() + 1 == EntryKind::Rotate.code());
const _: () = assert!(EntryKind::Rotate.code() + 1 == EntryKind::Deactivate.code());

/// An entry slot in a circuit.
#[derive(Debug)]
pub struct EntryTarget {
    /// 1 if there is an entry.
    pub occupied: Target,
    /// 1 if it registers.
    pub registers: Target,
    /// 1 if it deactivates.
    pub deactivates: Target,
    /// The node.
    pub node_index: Target,
    /// The key.
    pub key: [Target; 5],
    /// 1 if there is an account before.
    pub exists: Target,
    /// The account before; zeros where there is none.
    pub account: AccountTarget,
    /// The account after.
    pub after: AccountTarget,
    /// Its place.
    pub path: AccountPath,
}

/// Where a slot leaves state and queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Root of the account tree.
    pub state: DigestTarget,
    /// The queue.
    pub queue: QueueEnd<Target>,
}

impl EntryTarget {
    /// Constrains an entry slot that starts from `before`.
    pub(super) fn constrain(builder: &mut Builder, enforcer: &mut Enforcer, before: Standing) -> (Self, Standing) {
        let [occupied, registers, deactivates, exists, node_index] = builder.add_virtual_target_arr();
        let key: [Target; 5] = builder.add_virtual_target_arr();
        enforcer.bit(builder, Clause::EntryIsBit, occupied);
        enforcer.bit(builder, Clause::EntryKindKnown, registers);
        enforcer.bit(builder, Clause::EntryKindKnown, deactivates);
        enforcer.zero_if(builder, Clause::EntryKindKnown, registers, deactivates);

        let difference = builder.sub(deactivates, registers);
        let kind = builder.add_const(difference, F::from_canonical_u64(EntryKind::Rotate.code()));
        let position = builder.add(before.queue.position, occupied);
        let position = enforcer.bind_one(builder, Clause::QueuePosition, position);
        let ([p0, p1, p2, p3], [k0, k1, k2, k3, k4]) = (before.queue.digest, key);
        let words = [p0, p1, p2, p3, position, kind, node_index, k0, k1, k2, k3, k4];
        let link = sponge::hash(builder, Kind::Queue, &words);
        let digest = select(builder, occupied, link, before.queue.digest);
        let queue = QueueEnd { position, digest: enforcer.bind(builder, Clause::QueueChain, digest) };

        let account = AccountTarget::free(builder);
        let AccountTarget { next_sequence, receipts_total, bytes_total, .. } = account;
        let missing = not(builder, exists);
        enforcer.bit(builder, Clause::EntryAccountReal, exists);
        for count in [next_sequence, receipts_total, bytes_total] {
            enforcer.zero_if(builder, Clause::EntryAccountReal, missing, count);
        }
        let leaf = account.digest(builder);
        let leaf = masked(builder, exists, leaf);

        let (stays_active, keeps_counts) = (not(builder, deactivates), not(builder, registers));
        let kept = [next_sequence, receipts_total, bytes_total];
        let [next_sequence, receipts_total, bytes_total] = masked(builder, keeps_counts, kept);
        let key_after = masked(builder, stays_active, key);
        let after = AccountTarget { key: key_after, next_sequence, receipts_total, bytes_total };
        let after = after.bound(builder, enforcer, Clause::EntryApplied);
        let leaf_after = after.digest(builder);

        let index = enforcer.bind_one(builder, Clause::EntryAccountIndex, node_index);
        let path = AccountPath::constrain(builder, index);
        let changed = Move { occupied, before: leaf, after: leaf_after, opened: Clause::EntryAccountOpened };
        let state = path.moved(builder, enforcer, before.state, changed);
        let slot = Self { occupied, registers, deactivates, node_index, key, exists, account, after, path };
        (slot, Standing { state, queue })
    }
}
