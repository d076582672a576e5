//! Statements that several circuits use.

pub mod compare;
pub mod sponge;
pub mod tree;

use crate::plonk::{Builder, DigestTarget, F};
use crate::{Clause, Clauses};
use plonky2::field::types::Field;
use plonky2::iop::target::{BoolTarget, Target};

/// Where a circuit's clauses are switched: every clause is enforced by one of these functions or inside a gate, and a
/// circuit with a clause left out has the same rows and columns as the full one.
#[derive(Debug, Default)]
pub struct Enforcer {
    clauses: Clauses,
    /// Values left free by clauses that are not enforced.
    free: Vec<(Clause, Vec<Target>)>,
}

impl Enforcer {
    /// Enforces `clauses`.
    #[must_use]
    pub const fn new(clauses: Clauses) -> Self {
        Self { clauses, free: Vec::new() }
    }

    /// The clauses.
    #[must_use]
    pub const fn clauses(&self) -> Clauses {
        self.clauses
    }

    /// What the rest of the circuit takes for `computed`: equal to it, unless `clause` is left out.
    pub fn bind<const N: usize>(
        &mut self,
        builder: &mut Builder,
        clause: Clause,
        computed: [Target; N],
    ) -> [Target; N] {
        let claimed = builder.add_virtual_target_arr::<N>();
        if self.clauses.enforce(clause) {
            builder.connect_array(computed, claimed);
        } else {
            self.free.push((clause, claimed.to_vec()));
        }
        claimed
    }

    /// As [`Self::bind`], of one value.
    pub fn bind_one(&mut self, builder: &mut Builder, clause: Clause, computed: Target) -> Target {
        let [claimed] = self.bind(builder, clause, [computed]);
        claimed
    }

    /// Requires `value` to be zero.
    pub fn zero(&self, builder: &mut Builder, clause: Clause, value: Target) {
        // The constant is made in either case: rows must not depend on clauses.
        let zero = builder.zero();
        if self.clauses.enforce(clause) {
            builder.connect(value, zero);
        }
    }

    /// Requires `value` to be zero where `condition` holds.
    pub fn zero_if(&self, builder: &mut Builder, clause: Clause, condition: Target, value: Target) {
        let product = builder.mul(condition, value);
        self.zero(builder, clause, product);
    }

    /// Requires `one` to be `other`, element by element, where `condition` holds.
    pub fn equal_if<const N: usize>(
        &self,
        builder: &mut Builder,
        clause: Clause,
        condition: Target,
        one: [Target; N],
        other: [Target; N],
    ) {
        for (one, other) in one.into_iter().zip(other) {
            let difference = builder.sub(one, other);
            self.zero_if(builder, clause, condition, difference);
        }
    }

    /// Requires `value` to be 0 or 1.
    pub fn bit(&self, builder: &mut Builder, clause: Clause, value: Target) {
        let product = builder.mul_sub(value, value, value);
        self.zero(builder, clause, product);
    }

    /// What is left free, in the order of construction.
    #[must_use]
    pub fn into_free(self) -> Vec<(Clause, Vec<Target>)> {
        self.free
    }
}

/// `1 - bit`.
pub(crate) fn not(builder: &mut Builder, bit: Target) -> Target {
    let one = builder.one();
    builder.sub(one, bit)
}

/// `bit · value`, element by element.
pub(crate) fn masked<const N: usize>(builder: &mut Builder, bit: Target, values: [Target; N]) -> [Target; N] {
    values.map(|value| builder.mul(bit, value))
}

/// `one` where `bit` is 1, `other` where it is 0, element by element.
pub(crate) fn select<const N: usize>(
    builder: &mut Builder,
    bit: Target,
    one: [Target; N],
    other: [Target; N],
) -> [Target; N] {
    let bit = BoolTarget::new_unsafe(bit);
    std::array::from_fn(|index| builder.select(bit, one[index], other[index]))
}

/// The constant digest `words`.
pub(crate) fn constant_digest(builder: &mut Builder, words: [u64; 4]) -> DigestTarget {
    words.map(|word| builder.constant(F::from_canonical_u64(word)))
}
