//! Roots of unity, as plonky2 chooses them.

/// `ROOTS[n]` is a primitive root of unity of order `2^n`, the square of the next.
#[rustfmt::skip]
pub(crate) const ROOTS: [u64; 21] = [
    0x0000_0000_0000_0001, 0xffff_ffff_0000_0000, 0x0001_0000_0000_0000, 0x0000_0000_0100_0000,
    0x0000_0000_0000_1000, 0x0000_0000_0000_0040, 0x0000_0000_0000_0008, 0x0000_01ff_fdff_fe00,
    0x3d21_2e8c_bc8a_1ed3, 0x594c_6b9e_f163_5ca5, 0x3b0d_463d_6552_a871, 0x7e78_5a6e_2821_983e,
    0x3c71_3933_c4eb_986b, 0x3bca_b9c3_f9dd_e835, 0x62e4_b947_76c8_1aaa, 0x1a00_3738_6d98_ca5e,
    0x7157_8c3f_d919_9c53, 0x4f5a_afc1_370c_c51a, 0x2f57_bb2f_6781_6280, 0x7ca8_0b47_ba4b_38bd,
    0x1b5c_0ad6_b72d_b3a1,
];
/// The inverses of [`ROOTS`].
#[rustfmt::skip]
pub(crate) const INVERSE_ROOTS: [u64; 21] = [
    0x0000_0000_0000_0001, 0xffff_ffff_0000_0000, 0xfffe_ffff_0000_0001, 0xffff_feff_0000_0101,
    0xffef_ffff_0010_0001, 0xfbff_ffff_0400_0001, 0xdfff_ffff_2000_0001, 0x0000_003f_ffbf_ffc0,
    0x7f49_49dc_e07b_f05d, 0x4bd6_bb17_2e15_d48c, 0x38bc_9765_2b54_c741, 0x553a_9b71_1648_c890,
    0x055d_a9bb_6895_8caa, 0xa0a6_2f8f_0bb8_e2b6, 0x276f_d7ae_450a_ee4b, 0x7b68_7b64_f5de_658f,
    0x7de5_776c_bda1_87e9, 0xd219_9b15_6a6f_3b06, 0xd01c_8acd_8ea0_e8c0, 0x4f38_b243_9950_a4cf,
    0x5987_c395_dd5d_fdcf,
];
/// What the domain that polynomials are committed on is shifted by: the generator of the multiplicative group that plonky2 takes.
pub(crate) const SHIFT: u64 = 0xc65c_18b6_7785_d900;
/// The inverse of [`SHIFT`].
pub(crate) const INVERSE_SHIFT: u64 = 0xb1dd_c963_fcd2_9ccc;
/// `ROOTS[4]` to the powers of `-0, -4, -2, -6, -1, -5, -3, -7`: inverses of the points of a coset of 16, without its
/// beginning, in the order in which pairs are committed. The first half is the same for a coset of 8, and so on.
#[rustfmt::skip]
pub(crate) const FOLD_ROOTS: [u64; 8] = [
    0x0000_0000_0000_0001, 0xfffe_ffff_0000_0001, 0xffff_feff_0000_0101, 0xffff_fffe_ff00_0001,
    0xffef_ffff_0010_0001, 0xffff_ffef_0000_0001, 0xefff_ffff_0000_0001, 0xffff_fffe_ffff_f001,
];
/// The powers of `ROOTS[4]`.
#[rustfmt::skip]
pub(crate) const COSET_POWERS: [u64; 16] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_1000, 0x0000_0000_0100_0000, 0x0000_0010_0000_0000,
    0x0001_0000_0000_0000, 0x1000_0000_0000_0000, 0x0000_00ff_ffff_ff00, 0x000f_ffff_fff0_0000,
    0xffff_ffff_0000_0000, 0xffff_fffe_ffff_f001, 0xffff_fffe_ff00_0001, 0xffff_ffef_0000_0001,
    0xfffe_ffff_0000_0001, 0xefff_ffff_0000_0001, 0xffff_feff_0000_0101, 0xffef_ffff_0010_0001,
];
/// The barycentric weights of the powers of `ROOTS[4]`: a sixteenth of each.
#[rustfmt::skip]
pub(crate) const COSET_WEIGHTS: [u64; 16] = [
    0xefff_ffff_1000_0001, 0x0000_0000_0000_0100, 0x0000_0000_0010_0000, 0x0000_0001_0000_0000,
    0x0000_1000_0000_0000, 0x0100_0000_0000_0000, 0x0000_000f_ffff_fff0, 0x0000_ffff_ffff_0000,
    0x0fff_ffff_f000_0000, 0xffff_fffe_ffff_ff01, 0xffff_fffe_fff0_0001, 0xffff_fffe_0000_0001,
    0xffff_efff_0000_0001, 0xfeff_ffff_0000_0001, 0xffff_ffef_0000_0011, 0xfffe_ffff_0001_0001,
];
/// One sixteenth.
pub(crate) const SIXTEENTH: u64 = 0xefff_ffff_1000_0001;
