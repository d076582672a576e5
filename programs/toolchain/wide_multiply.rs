//! `__multi3`: the low 128 bits of a 128-bit product, which LLVM calls for every wide multiplication on BPF.
//!
//! LLVM returns an `i128` in two registers here, while rustc's C calling convention for this target returns
//! it through a hidden pointer; the library's own `__multi3` therefore writes through whatever lies in a
//! register. The "unadjusted" convention leaves the return value to LLVM, on both sides of the call.
//!
//! The four partial products are summed one after the other: written as the usual tree, LLVM recognises a
//! wide multiplication and turns the body into a call of this very function.
#![no_std]
#![feature(abi_unadjusted)]
#![allow(internal_features)]

const LOW: u64 = 0xffff_ffff;

#[unsafe(no_mangle)]
pub extern "unadjusted" fn __multi3(x: u128, y: u128) -> u128 {
    let (x_low, x_high) = (x as u64, (x >> 64) as u64);
    let (y_low, y_high) = (y as u64, (y >> 64) as u64);
    let (x0, x1, y0, y1) = (x_low & LOW, x_low >> 32, y_low & LOW, y_low >> 32);

    let first = x0.wrapping_mul(y0);
    let carry = (first >> 32).wrapping_add(x1.wrapping_mul(y0));
    let middle = (carry & LOW).wrapping_add(y1.wrapping_mul(x0));
    let low = (first & LOW).wrapping_add(middle << 32);

    let high = (carry >> 32)
        .wrapping_add(middle >> 32)
        .wrapping_add(x1.wrapping_mul(y1))
        .wrapping_add(x_high.wrapping_mul(y_low))
        .wrapping_add(x_low.wrapping_mul(y_high));
    (u128::from(high) << 64) | u128::from(low)
}
