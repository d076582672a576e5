//! What steps leave for those after them.

use crate::constraints::TERMS;
use crate::layout::Element;
use crate::parameters::{CHALLENGES, FOLDS, MAX_QUERIES, OPENED, Parameters};
use bytemuck::{Pod, Zeroable};

/// A verification under way, as it lies in an account between transactions. All zero: nothing is done.
///
/// Only what this crate computed may be in it, for this proof and this statement: whoever keeps it has to see to that,
/// and to begin again from zeros whenever one of the two changes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Progress {
    /// What is done, and by which revision of this crate: [`Self::TRANSCRIPT`] or [`Self::CONSTRAINTS`]. Anything else: nothing.
    pub(crate) phase: u64,
    /// The queries that hold, one bit each.
    pub(crate) queries: u64,
    /// The digest of the statement, which the circuit's public input gate has.
    pub(crate) public_inputs_hash: [u64; 4],
    pub(crate) betas: [u64; CHALLENGES],
    pub(crate) gammas: [u64; CHALLENGES],
    pub(crate) alphas: [u64; CHALLENGES],
    pub(crate) zeta: Element,
    pub(crate) fold_betas: [Element; FOLDS],
    /// The openings at zeta and at g·zeta, combined by powers of FRI's alpha.
    pub(crate) combined: [Element; 2],
    /// Where the queries are.
    pub(crate) indices: [u64; MAX_QUERIES],
    /// The powers of FRI's alpha.
    pub(crate) powers: [Element; OPENED],
    /// The powers of the constraints' alphas: used within one step, and here because a stack frame has no room for them.
    pub(crate) term_powers: [[u64; TERMS]; CHALLENGES],
}

impl Progress {
    /// Raised whenever this crate checks something else, or leaves something else, for the same circuit: what an earlier
    /// revision computed counts for nothing then. A program that is mended takes no proof that it had verified before.
    const REVISION: u64 = 1;
    pub(crate) const TRANSCRIPT: u64 = Self::REVISION << 8 | 1;
    pub(crate) const CONSTRAINTS: u64 = Self::REVISION << 8 | 2;

    /// Whether a step has been done. From then on the proof must not change.
    #[must_use]
    pub const fn is_started(&self) -> bool {
        self.phase == Self::TRANSCRIPT || self.has_constraints()
    }

    /// The queries that hold, one bit each.
    #[must_use]
    pub const fn queries(&self) -> u32 {
        if self.has_constraints() { self.queries as u32 } else { 0 }
    }

    /// Whether the constraints hold.
    #[must_use]
    pub const fn has_constraints(&self) -> bool {
        self.phase == Self::CONSTRAINTS
    }

    /// Whether every step is done: the proof is valid.
    #[must_use]
    pub const fn is_verified<P: Parameters>(&self) -> bool {
        self.queries() == all_queries::<P>()
    }
}

/// All queries of a profile, one bit each.
#[must_use]
pub const fn all_queries<P: Parameters>() -> u32 {
    const { assert!(P::QUERIES >= 1 && P::QUERIES <= MAX_QUERIES) };
    u32::MAX >> (MAX_QUERIES - P::QUERIES)
}
