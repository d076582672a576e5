//! Order of times in a circuit.
//!
//! **What it proves**: of two values below 2^48, which is the smaller, and the least or greatest of them. **What it does
//! not**: that the values are below 2^48; callers take them from where that was shown. Native twins: `<=`, `min`, `max`.

use crate::plonk::{Builder, F};
use cairn_types::limits::TIME_BITS;
use plonky2::field::types::Field;
use plonky2::iop::target::{BoolTarget, Target};

/// 1 if `a <= b`: bit 48 of `b - a + 2^48`, which lies between 1 and 2^49 - 1, so the split is unique.
pub fn at_most(builder: &mut Builder, a: Target, b: Target) -> BoolTarget {
    let difference = builder.sub(b, a);
    let shifted = builder.add_const(difference, F::from_canonical_u64(1 << TIME_BITS));
    builder.split_le(shifted, TIME_BITS as usize + 1)[TIME_BITS as usize]
}

/// The smaller of two times.
pub fn least(builder: &mut Builder, a: Target, b: Target) -> Target {
    let a_first = at_most(builder, a, b);
    builder.select(a_first, a, b)
}

/// The greater of two times.
pub fn greatest(builder: &mut Builder, a: Target, b: Target) -> Target {
    let a_first = at_most(builder, a, b);
    builder.select(a_first, b, a)
}
