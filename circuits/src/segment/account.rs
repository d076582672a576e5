//! Accounts in a circuit, and one move of the account tree.
//!
//! **What it proves**: an account's digest stands at an index under the root before, and the root after differs in nothing
//! but what stands there. **What it does not**: what the account after is; bundles and entries constrain that. Native twin:
//! `cairn_types::state::PartialState`.

use crate::Clause;
use crate::gadgets::{Enforcer, select, sponge};
use crate::plonk::{Builder, DigestTarget};
use cairn_types::Kind;
use cairn_types::limits::ACCOUNTS_DEPTH;
use plonky2::iop::target::{BoolTarget, Target};

/// An account.
#[derive(Debug, Clone, Copy)]
pub struct AccountTarget {
    /// Who signs.
    pub key: [Target; 5],
    /// Bundles so far.
    pub next_sequence: Target,
    /// Receipts so far.
    pub receipts_total: Target,
    /// Bytes so far.
    pub bytes_total: Target,
}

impl AccountTarget {
    /// An account of which nothing is known yet.
    pub(super) fn free(builder: &mut Builder) -> Self {
        Self::from_words(builder.add_virtual_target_arr())
    }

    /// The words that `H_account` hashes.
    #[must_use]
    pub const fn words(&self) -> [Target; 8] {
        let [k0, k1, k2, k3, k4] = self.key;
        [k0, k1, k2, k3, k4, self.next_sequence, self.receipts_total, self.bytes_total]
    }

    const fn from_words(words: [Target; 8]) -> Self {
        let [k0, k1, k2, k3, k4, next_sequence, receipts_total, bytes_total] = words;
        Self { key: [k0, k1, k2, k3, k4], next_sequence, receipts_total, bytes_total }
    }

    /// The same account, unless `clause` is left out.
    pub(super) fn bound(&self, builder: &mut Builder, enforcer: &mut Enforcer, clause: Clause) -> Self {
        Self::from_words(enforcer.bind(builder, clause, self.words()))
    }

    /// Its leaf in the tree.
    pub(super) fn digest(&self, builder: &mut Builder) -> DigestTarget {
        sponge::hash(builder, Kind::Account, &self.words())
    }
}

/// A place in the account tree.
#[derive(Debug)]
pub struct AccountPath {
    /// Bits of the index, least significant first: which side of its sibling each node is on.
    swaps: Vec<BoolTarget>,
    /// Siblings from the leaf up.
    pub siblings: [DigestTarget; ACCOUNTS_DEPTH],
}

/// What a slot does to the tree.
pub(super) struct Move {
    /// 1 if the slot holds anything: nothing is required of an empty one, and it moves nothing.
    pub occupied: Target,
    /// The leaf before.
    pub before: DigestTarget,
    /// The leaf after.
    pub after: DigestTarget,
    /// What refuses a leaf that is not in the state.
    pub opened: Clause,
}

impl AccountPath {
    /// The place of `index`, which is required to be below 2^24.
    pub(super) fn constrain(builder: &mut Builder, index: Target) -> Self {
        let swaps = builder.split_le(index, ACCOUNTS_DEPTH);
        let siblings = std::array::from_fn(|_| builder.add_virtual_target_arr());
        Self { swaps, siblings }
    }

    /// The root with `leaf` in this place.
    fn root_over(&self, builder: &mut Builder, leaf: DigestTarget) -> DigestTarget {
        let levels = self.swaps.iter().zip(self.siblings);
        levels.fold(leaf, |node, (&swap, sibling)| sponge::node_swapped(builder, swap, node, sibling))
    }

    /// The root after a move from `root`.
    pub(super) fn moved(
        &self,
        builder: &mut Builder,
        enforcer: &mut Enforcer,
        root: DigestTarget,
        Move { occupied, before, after, opened }: Move,
    ) -> DigestTarget {
        let [found, moved] = [before, after].map(|leaf| self.root_over(builder, leaf));
        enforcer.equal_if(builder, opened, occupied, found, root);
        let next = select(builder, occupied, moved, root);
        enforcer.bind(builder, Clause::StateMoves, next)
    }
}
