//! The account of a proof: who has it, what it is to be about, what the steps have computed, and the proof's words.
//!
//! It is as long as the profile says, too long for Anchor's accounts to be created by this program, and made by its client.
//! It is read through [`open`] and [`open_mut`].

use crate::fail::{ensure, refusal};
use crate::profile::{PROFILE, Parameters};
use crate::state::Words;
use anchor_lang::bytemuck;
use anchor_lang::prelude::*;
use cairn_interface::{PROGRESS_BYTES, SettlementError, layout, proof_account, proof_bytes};
use cairn_types::Digest;
use cairn_verifier::{Parameters as _, Progress};
use core::ops::Range;

/// What the account begins with.
#[account]
pub struct Proof {
    pub authority: [u8; 32],
    pub payer: [u8; 32],
    pub statement: Words,
    pub circuit_id: [u8; 32],
}

const _: () = {
    assert!(size_of::<Proof>() == layout::PROOF_HEAD);
    assert!(size_of::<Progress>() == PROGRESS_BYTES);
    assert!(cairn_verifier::proof_bytes::<Parameters>() == proof_bytes(PROFILE));
    // What lies after it in the account is aligned to words.
    assert!((layout::DISCRIMINATOR + layout::PROOF_HEAD).is_multiple_of(8) && PROGRESS_BYTES.is_multiple_of(8));
};

/// Where the account has what the steps computed.
const COMPUTED: Range<usize> = {
    let start = layout::DISCRIMINATOR + layout::PROOF_HEAD;
    start..start + PROGRESS_BYTES
};

/// The account's parts.
pub struct Parts<'a> {
    pub head: &'a mut Proof,
    pub progress: &'a mut Progress,
    pub proof: &'a mut [u8],
}

/// The head of an account that this program opened, whatever follows it: an account as long as a former program's proofs were
/// has one as well.
pub fn open_head<'a>(account: &AccountView, data: &'a [u8]) -> Result<&'a Proof> {
    ensure(account.owned_by(&crate::ID), SettlementError::ForeignProofAccount)?;
    let body = data.strip_prefix(Proof::DISCRIMINATOR).ok_or(refusal(SettlementError::NotAProof))?;
    plain(body.get(..size_of::<Proof>()).ok_or(refusal(SettlementError::WrongProofLength))?)
}

/// The head and what is computed of an account that this program opened, to look at.
pub fn open<'a>(account: &AccountView, data: &'a [u8]) -> Result<(&'a Proof, &'a Progress)> {
    check_shape(account, data)?;
    let computed = data.get(COMPUTED).ok_or(refusal(SettlementError::WrongProofLength))?;
    Ok((open_head(account, data)?, plain(computed)?))
}

/// The parts of an account that this program opened.
pub fn open_mut<'a>(account: &AccountView, data: &'a mut [u8]) -> Result<Parts<'a>> {
    open(account, data)?;
    parts(data)
}

/// The parts of an account that nobody has opened, which is given the discriminator.
///
/// That nothing is computed in it matters, and that it is nobody's. What else is in it does not; it is zero all the same: the
/// runtime gives no account to a program that is not, and this program writes into no account that is not open.
pub fn begin<'a>(account: &AccountView, data: &'a mut [u8]) -> Result<Parts<'a>> {
    check_shape(account, data)?;
    let computed = data.get(..COMPUTED.end).ok_or(refusal(SettlementError::WrongProofLength))?;
    // Word by word: byte by byte takes 70,000 units.
    let words: &[u64] = bytemuck::try_cast_slice(computed).map_err(|_| refusal(SettlementError::WrongProofLength))?;
    ensure(words.iter().all(|word| *word == 0), SettlementError::ProofAccountInUse)?;
    data.iter_mut().zip(Proof::DISCRIMINATOR).for_each(|(place, byte)| *place = *byte);
    parts(data)
}

fn check_shape(account: &AccountView, data: &[u8]) -> Result<()> {
    ensure(account.owned_by(&crate::ID), SettlementError::ForeignProofAccount)?;
    ensure(data.len() == proof_account(PROFILE).size, SettlementError::WrongProofLength)
}

fn parts(data: &mut [u8]) -> Result<Parts<'_>> {
    let too_short = || refusal(SettlementError::WrongProofLength);
    let body = data.get_mut(layout::DISCRIMINATOR..).ok_or_else(too_short)?;
    let (head, rest) = body.split_at_mut_checked(size_of::<Proof>()).ok_or_else(too_short)?;
    let (progress, proof) = rest.split_at_mut_checked(size_of::<Progress>()).ok_or_else(too_short)?;
    let head = bytemuck::try_from_bytes_mut(head).map_err(|_| too_short())?;
    let progress = bytemuck::try_from_bytes_mut(progress).map_err(|_| too_short())?;
    Ok(Parts { head, progress, proof })
}

fn plain<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Result<&T> {
    bytemuck::try_from_bytes(bytes).map_err(|_| refusal(SettlementError::WrongProofLength))
}

impl Proof {
    /// Makes it about a statement, for the circuit whose proofs this program verifies.
    pub fn begin(&mut self, statement: &[u8; Digest::BYTES]) -> Result<()> {
        let statement = Digest::from_bytes(*statement);
        let statement = statement.map_err(|_| refusal(SettlementError::NonCanonicalStatement))?;
        self.statement = statement.words();
        self.circuit_id = Parameters::CIRCUIT_ID;
        Ok(())
    }
}
