//! What is fixed about a final proof: the circuit's shape, the same for all profiles, and a profile's parameters.

use crate::constraints::MAX_CONSTRAINTS;
use crate::generated;
use crate::roots::{ROOTS, SHIFT};

/// log2 of the circuit's rows.
pub const DEGREE_BITS: usize = 12;
/// Elements of a Merkle cap.
pub const CAP: usize = 1 << CAP_HEIGHT;
/// Levels that a Merkle path ends below the root.
pub const CAP_HEIGHT: usize = 3;
/// log2 of the points that a folding joins.
pub const ARITY_BITS: usize = 4;
/// Points that a folding joins.
pub const ARITY: usize = 1 << ARITY_BITS;
/// Foldings.
pub const FOLDS: usize = 2;
/// log2 of the final polynomial's coefficients.
pub const FINAL_BITS: usize = DEGREE_BITS - FOLDS * ARITY_BITS;
/// Wires of a row.
pub const WIRES: usize = 135;
/// Wires of a row that take part in the permutation argument.
pub const ROUTED: usize = 80;
/// Repetitions of what is challenged in the base field.
pub const CHALLENGES: usize = 3;
/// Factors of a partial product, and chunks of a quotient polynomial.
pub const CHUNK: usize = 8;
/// Partial products of a repetition, without its first and last, which are openings of `Z`.
pub const PARTIAL_PRODUCTS: usize = ROUTED / CHUNK - 1;
/// Selectors, and the constants of gates after them.
pub const CONSTANTS: usize = SELECTORS + GATE_CONSTANTS;
/// Selectors: one for each group of gates.
pub const SELECTORS: usize = generated::production::NUM_SELECTORS;
/// Constants of a gate.
pub const GATE_CONSTANTS: usize = 2;
/// Quotient polynomials.
pub const QUOTIENT: usize = CHALLENGES * CHUNK;
/// Polynomials that are opened at zeta.
pub const OPENED: usize = CONSTANTS + ROUTED + WIRES + CHALLENGES * (1 + PARTIAL_PRODUCTS) + QUOTIENT;
/// Queries of any profile, at most.
pub const MAX_QUERIES: usize = 32;

/// A profile's parameters and the key of its circuit.
pub trait Parameters {
    /// The pinned fingerprint of the circuit, by which the chain knows it.
    const CIRCUIT_ID: [u8; 32];
    /// plonky2's digest of the circuit, which the transcript begins with.
    const CIRCUIT_DIGEST: [u64; 4];
    /// The Merkle cap of selectors, constants and sigmas: the circuit's verifier key.
    const CONSTANTS_SIGMAS_CAP: [[u64; 4]; CAP];
    /// log2 of the inverse rate.
    const RATE_BITS: usize;
    /// Queries.
    const QUERIES: usize;
    /// Leading zeros that the transcript's challenge has after grinding.
    const GRINDING_BITS: u32;
    /// plonky2's parameters of FRI, which the transcript begins with.
    const FRI_TRANSCRIPT: [u64; 11];
}

/// The profile `production`.
#[derive(Clone, Copy, Debug)]
pub enum Production {}

impl Parameters for Production {
    const CIRCUIT_ID: [u8; 32] = generated::production::CIRCUIT_ID;
    const CIRCUIT_DIGEST: [u64; 4] = words(&generated::production::CIRCUIT_DIGEST);
    const CONSTANTS_SIGMAS_CAP: [[u64; 4]; CAP] = cap(&generated::production::CONSTANTS_SIGMAS_CAP);
    const RATE_BITS: usize = generated::production::RATE_BITS;
    const QUERIES: usize = generated::production::QUERIES;
    const GRINDING_BITS: u32 = generated::production::GRINDING_BITS as u32;
    const FRI_TRANSCRIPT: [u64; 11] = generated::production::FRI_TRANSCRIPT;
}

/// The profile `dev`.
#[derive(Clone, Copy, Debug)]
pub enum Dev {}

impl Parameters for Dev {
    const CIRCUIT_ID: [u8; 32] = generated::dev::CIRCUIT_ID;
    const CIRCUIT_DIGEST: [u64; 4] = words(&generated::dev::CIRCUIT_DIGEST);
    const CONSTANTS_SIGMAS_CAP: [[u64; 4]; CAP] = cap(&generated::dev::CONSTANTS_SIGMAS_CAP);
    const RATE_BITS: usize = generated::dev::RATE_BITS;
    const QUERIES: usize = generated::dev::QUERIES;
    const GRINDING_BITS: u32 = generated::dev::GRINDING_BITS as u32;
    const FRI_TRANSCRIPT: [u64; 11] = generated::dev::FRI_TRANSCRIPT;
}

/// A digest as little-endian words.
const fn words(digest: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    let mut i = 0;
    while i < 32 {
        words[i / 8] |= (digest[i] as u64) << (8 * (i % 8));
        i += 1;
    }
    words
}

const fn cap(digests: &[[u8; 32]; CAP]) -> [[u64; 4]; CAP] {
    let mut cap = [[0; 4]; CAP];
    let mut i = 0;
    while i < CAP {
        cap[i] = words(&digests[i]);
        i += 1;
    }
    cap
}

/// Both circuits have the shape that this crate is written for.
macro_rules! assert_shape {
    ($circuit:ident) => {
        const _: () = {
            use generated::$circuit as circuit;
            assert!(circuit::DEGREE_BITS == DEGREE_BITS);
            assert!(circuit::CAP_BITS == CAP_HEIGHT);
            assert!(circuit::NUM_SELECTORS == SELECTORS);
            assert!(circuit::NUM_CONSTANTS == CONSTANTS);
            assert!(circuit::NUM_CHALLENGES == CHALLENGES);
            assert!(circuit::NUM_PARTIAL_PRODUCTS == PARTIAL_PRODUCTS);
            assert!(circuit::QUOTIENT_DEGREE_FACTOR == CHUNK);
            assert!(circuit::NUM_GATE_CONSTRAINTS == MAX_CONSTRAINTS);
            assert!(circuit::NUM_WIRES == WIRES);
            assert!(circuit::NUM_ROUTED_WIRES == ROUTED);
            assert!(circuit::FOLDING_BITS.len() == FOLDS);
            assert!(circuit::FOLDING_BITS[0] == ARITY_BITS && circuit::FOLDING_BITS[1] == ARITY_BITS);
            assert!(circuit::COSET_SHIFT == SHIFT);
            assert!(circuit::SUBGROUP_GENERATOR == ROOTS[DEGREE_BITS]);
            assert!(circuit::DOMAIN_GENERATOR == ROOTS[DEGREE_BITS + circuit::RATE_BITS]);
            let mut wire = 0;
            while wire < ROUTED {
                assert!(circuit::K_IS[wire] == generated::production::K_IS[wire]);
                wire += 1;
            }
            let mut gate = 0;
            while gate < circuit::GATES.len() {
                let (_, selector, begin, end, _) = circuit::GATES[gate];
                let (_, same_selector, same_begin, same_end, _) = generated::production::GATES[gate];
                assert!(selector == same_selector && begin == same_begin && end == same_end);
                gate += 1;
            }
        };
    };
}
assert_shape!(production);
assert_shape!(dev);
