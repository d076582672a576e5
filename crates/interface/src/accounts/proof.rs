//! The `Proof` account.

use super::reader::Reader;
use super::{AccountError, AccountKind, layout};
use crate::verifier::{PROGRESS_BYTES, proof_bytes};
use crate::{Address, Profile};
use cairn_types::Digest;

const DISCRIMINATOR: [u8; layout::DISCRIMINATOR] = [0xa3, 0x23, 0x0d, 0x47, 0x0f, 0x80, 0x3f, 0x52];

/// A proof that is written and verified, of a rollup of this profile. Its length is the profile's.
#[must_use]
pub const fn proof_account(profile: Profile) -> AccountKind {
    AccountKind {
        name: "Proof",
        discriminator: DISCRIMINATOR,
        size: layout::DISCRIMINATOR + layout::PROOF_HEAD + PROGRESS_BYTES + proof_bytes(profile),
    }
}

/// A proof and how far its verification has got, as the chain has it. The account is at a key of the client's making, and
/// serves one proof after the other: `reset_proof` between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    /// Who writes, resets and closes it.
    pub authority: Address,
    /// Who gets its rent when it is closed.
    pub payer: Address,
    /// What the proof is to be about: the digest of a batch's header.
    pub statement: Digest,
    /// The circuit that the program verifies proofs of, as of the last `open_proof` or `reset_proof`.
    pub circuit_id: [u8; 32],
    /// What the steps have computed so far. All zero before the first step.
    pub progress: &'a [u8],
    /// The proof, as far as it is written. Zero elsewhere in a fresh account; what a reset leaves is the proof before.
    pub proof: &'a [u8],
}

/// Whose a proof account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofOwners {
    /// Who writes, resets and closes it.
    pub authority: Address,
    /// Who gets its rent when it is closed.
    pub payer: Address,
}

impl ProofOwners {
    /// Reads the head of an account of the program's, of any length: a former program may have opened it for longer proofs, or
    /// shorter ones, and `close_proof` closes it all the same. `None` when it is no proof account.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        let head = data.strip_prefix(&DISCRIMINATOR)?.get(..layout::PROOF_HEAD)?;
        let (authority, rest) = head.split_first_chunk()?;
        let payer = rest.first_chunk()?;
        Some(Self { authority: Address(*authority), payer: Address(*payer) })
    }
}

impl<'a> Proof<'a> {
    /// Reads an account that belongs to the program of that profile.
    ///
    /// # Errors
    /// When the bytes are not a `Proof` of the profile.
    pub fn parse(profile: Profile, data: &'a [u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(proof_account(profile), data)?;
        let authority = reader.address("authority")?;
        let payer = reader.address("payer")?;
        let statement = reader.digest("statement")?;
        let circuit_id = reader.bytes("circuit_id")?;
        let (progress, proof) = reader.rest().split_at_checked(PROGRESS_BYTES).ok_or(AccountError::Field {
            account: "Proof",
            field: "progress",
            reason: "the account ends before it",
        })?;
        Ok(Self { authority, payer, statement, circuit_id, progress, proof })
    }
}
