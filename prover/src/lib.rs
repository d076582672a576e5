//! The proof engine: takes sealed batches, gives proofs of their headers' digests.
//!
//! ```no_run
//! # fn example(
//! #     batch: &cairn_types::Batch,
//! #     before: &cairn_types::state::PartialState,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use cairn_prover::{LocalProver, Options, Profile, Prover};
//! let prover = LocalProver::start(Options::new(Profile::Dev), &())?;
//! let proof = prover.prove(batch, before, &())?;
//! prover.verify(&proof)?;
//! # Ok(())
//! # }
//! ```
//!
//! With [`remote`], other machines make the proofs of a batch, or some of them.

pub mod bench;
pub mod job;
mod local;
pub mod memory;
mod plan;
mod progress;
mod proof;
pub mod remote;
mod workers;

pub use cairn_circuits::{Profile, VerifyError};
pub use local::{LocalProver, Options, StartError};
pub use progress::{Progress, Stage};
pub use proof::BatchProof;

use cairn_circuits::{CircuitError, Layer};
use cairn_types::state::{PartialState, StateError};
use cairn_types::{Batch, SealError};

/// Whoever can prove batches: this process, or another one.
pub trait Prover: Send + Sync {
    /// Parameters of the proofs it makes and accepts.
    fn profile(&self) -> Profile;

    /// Proves that `batch.header` is the true header of its bundles and queue entries, applied to the state `before`, which
    /// has the header's old root and holds every account that they touch. Blocks for seconds to minutes.
    ///
    /// # Errors
    /// When the batch breaks a clause, the caller cancels, or the engine fails.
    fn prove(&self, batch: &Batch, before: &PartialState, progress: &dyn Progress) -> Result<BatchProof, ProveError>;

    /// Verifies that `proof.bytes` prove `proof.statement`. Takes milliseconds.
    ///
    /// # Errors
    /// When they do not, or the proof is of another profile.
    fn verify(&self, proof: &BatchProof) -> Result<(), VerifyError>;
}

/// Digest over all circuits of a profile: what a store pins, so that it is not continued with other circuits.
#[must_use]
pub fn circuit_digest(profile: Profile) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("cairn v1 circuit set");
    hasher.update(profile.name().as_bytes());
    for (_, pin) in cairn_circuits::pinned::layers(profile) {
        hasher.update(&pin.fingerprint.0);
    }
    *hasher.finalize().as_bytes()
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The native twin of the circuits refuses the batch, so no proof of it can exist.
    #[error("the batch breaks a clause")]
    Batch(#[from] SealError),
    /// The state before the batch is not the one that its header names, or lacks an account.
    #[error("the state before the batch does not fit its header: open it anew, at the header's old_state_root")]
    State(#[source] StateError),
    /// The statements of the batch are not those of its bundles.
    #[error("the statements of the batch are not those of its bundles: seal it anew")]
    Statements,
    /// The header is not the one that the bundles and entries give.
    #[error("word {word} of the header is {stated}, but bundles and entries give {computed}")]
    Header {
        /// First word that differs.
        word: usize,
        /// What the header says.
        stated: u64,
        /// What it should say.
        computed: u64,
    },
    /// [`Progress::cancelled`] said so.
    #[error("proving was cancelled")]
    Cancelled,
    /// A circuit refused its inputs.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// plonky2 panicked: the native twin and the circuit disagree, which is a defect.
    #[error("the {layer} circuit has no proof for inputs that pass the native checks ({panic}); report this batch")]
    Defect {
        /// Which circuit.
        layer: Layer,
        /// What plonky2 said.
        panic: String,
    },
    /// The finished proof does not verify, which is a defect or broken memory.
    #[error("the finished proof does not verify; prove again, and if it recurs check the machine's memory")]
    SelfCheck(#[source] VerifyError),
}
