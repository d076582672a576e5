//! `open_proof`, `write_proof`, `verify_step`, `reset_proof`, `close_proof`: a proof comes on chain and is verified.
//!
//! A proof account is *written* by its authority until its first step is done; from then on no byte of it changes, while
//! anyone has the remaining steps done, until the authority resets or closes it. That it is verified says: this program has
//! done every step, on the bytes and for the statement and circuit that are there.

use crate::close::close;
use crate::fail::{ensure, refusal};
use crate::profile::Parameters;
use crate::proof::{Parts, Proof, begin, open_head, open_mut};
use crate::syscalls::{Syscalls, clear, copy};
use anchor_lang::bytemuck;
use anchor_lang::prelude::*;
use cairn_interface::SettlementError;
use cairn_types::Digest;
use cairn_verifier::{NONCE, Parameters as _, Step, step};
use core::ops::Range;

/// The account signs, with the key that created it: whoever sees it created cannot open it as their own. Authority and payer
/// may be one key, so that neither is `mut` for Anchor.
#[derive(Accounts)]
pub struct OpenProof {
    #[account(mut)]
    pub proof: Signer,
    pub authority: Signer,
    pub payer: Signer,
}

pub fn open_proof(ctx: &mut Context<OpenProof>, statement: &[u8; Digest::BYTES]) -> Result<()> {
    let OpenProof { proof, authority, payer } = &ctx.accounts;
    let (place, mut borrowed) = (*proof.account(), *proof.account());
    let mut data = borrowed.try_borrow_mut()?;
    let Parts { head, .. } = begin(&place, &mut data)?;
    head.authority = *authority.address().as_array();
    head.payer = *payer.address().as_array();
    head.begin(statement)
}

#[derive(Accounts)]
pub struct ByProofAuthority {
    pub authority: Signer,
    #[account(mut)]
    pub proof: UncheckedAccount,
}

/// Where a proof has its nonce.
const NONCE_BYTES: Range<usize> = 8 * NONCE..8 * NONCE + 8;

fn check_authority(head: &Proof, authority: &Signer) -> Result<()> {
    ensure(head.authority == *authority.address().as_array(), SettlementError::NotProofAuthority)
}

/// The same bytes at the same place may be written again and again.
pub fn write_proof(ctx: &mut Context<ByProofAuthority>, offset: u32, bytes: &[u8]) -> Result<()> {
    let ByProofAuthority { authority, proof } = &ctx.accounts;
    let (place, mut borrowed) = (*proof.account(), *proof.account());
    let mut data = borrowed.try_borrow_mut()?;
    let Parts { head, progress, proof } = open_mut(&place, &mut data)?;
    check_authority(head, authority)?;
    ensure(!progress.is_started(), SettlementError::ProofFrozen)?;
    let rest = proof.get_mut(offset as usize..);
    rest.and_then(|rest| copy(rest, bytes)).ok_or(refusal(SettlementError::OutOfProof))
}

/// Nothing that was computed outlives the statement, the bytes or the circuit that it was computed from. Nor does the nonce, so
/// that nobody can have the first step done before the authority has written one again: other bytes may be wrong yet.
pub fn reset_proof(ctx: &mut Context<ByProofAuthority>, statement: &[u8; Digest::BYTES]) -> Result<()> {
    let ByProofAuthority { authority, proof } = &ctx.accounts;
    let (place, mut borrowed) = (*proof.account(), *proof.account());
    let mut data = borrowed.try_borrow_mut()?;
    let Parts { head, progress, proof } = open_mut(&place, &mut data)?;
    check_authority(head, authority)?;
    clear(bytemuck::bytes_of_mut(progress));
    clear(proof.get_mut(NONCE_BYTES).ok_or(refusal(SettlementError::WrongProofLength))?);
    head.begin(statement)
}

#[derive(Accounts)]
pub struct VerifyStep {
    #[account(mut)]
    pub proof: UncheckedAccount,
}

/// A step that fails changes nothing: the runtime takes back what a failed instruction has written.
pub fn verify_step(ctx: &mut Context<VerifyStep>, code: u8, queries: u32) -> Result<()> {
    let (place, mut borrowed) = (*ctx.accounts.proof.account(), *ctx.accounts.proof.account());
    let mut data = borrowed.try_borrow_mut()?;
    let Parts { head, progress, proof } = open_mut(&place, &mut data)?;
    // After an upgrade to another circuit, no step continues what the former program began.
    ensure(head.circuit_id == Parameters::CIRCUIT_ID, SettlementError::OutdatedProof)?;
    let which = match code {
        0 => Step::Transcript,
        1 => Step::Constraints,
        2 => Step::Queries(queries),
        _ => return Err(refusal(SettlementError::UnknownStep)),
    };
    let words = bytemuck::try_cast_slice(proof).map_err(|_| refusal(SettlementError::WrongProofLength))?;
    let done = step::<Parameters, Syscalls>(progress, words, &head.statement, which);
    done.map_err(|rejection| refusal(rejection.into()))
}

/// As in [`OpenProof`], authority and payer may be one.
#[derive(Accounts)]
pub struct CloseProof {
    pub authority: Signer,
    #[account(mut)]
    pub proof: UncheckedAccount,
    /// Who paid for it.
    pub payer: UncheckedAccount,
}

/// An account of any length: one that a former program opened, for longer proofs or shorter ones, gives its rent back too.
pub fn close_proof(ctx: &mut Context<CloseProof>) -> Result<()> {
    let CloseProof { authority, proof, payer } = &ctx.accounts;
    let account = *proof.account();
    {
        let data = account.try_borrow()?;
        let head = open_head(&account, &data)?;
        check_authority(head, authority)?;
        ensure(head.payer == *payer.address().as_array(), SettlementError::WrongProofRecipient)?;
    }
    close(account, *payer.account())
}
