//! `settle_batch`: a batch whose proof this program has verified becomes the last settled one. Anyone may call it.

use crate::fail::{ensure, refusal};
use crate::history::History;
use crate::profile::Parameters;
use crate::proof;
use crate::state::{Batch, CursorWords, Rollup};
use anchor_lang::prelude::*;
use cairn_interface::{BatchStatus, SettlementError};
use cairn_types::history::SettledBatch;
use cairn_types::{BatchHeader, Cursor, Digest};

/// Rollup, batch and history are known by owner and discriminator, and by what they say: only this program makes accounts of
/// these kinds, and no two of one batch.
#[derive(Accounts)]
pub struct SettleBatch {
    #[account(mut)]
    pub rollup: Account<Rollup>,
    #[account(mut)]
    pub batch: Account<Batch>,
    pub proof: UncheckedAccount,
    #[account(mut)]
    pub history: Account<History>,
}

pub fn settle_batch(ctx: &mut Context<SettleBatch>) -> Result<()> {
    let SettleBatch { rollup, batch, proof, history } = &mut ctx.accounts;
    let address = *rollup.address().as_array();
    ensure(history.rollup == address, SettlementError::WrongHistory)?;
    check_batch(batch, rollup, &address)?;
    check_proof(proof.account(), batch, rollup)?;

    let header = header_of(batch)?;
    ensure(header.previous.words() == rollup.settled.header_digest, SettlementError::UnlinkedBatch)?;
    ensure(header.old_state_root.words() == rollup.settled.state_root, SettlementError::UnlinkedRoot)?;
    let header_digest = Digest::from_words(batch.digest).map_err(|_| refusal(SettlementError::NonCanonicalHeader))?;

    history.append(&SettledBatch::of(&header, header_digest, batch.slot, batch.time))?;
    let slot = Clock::get()?.slot;
    batch.status = BatchStatus::Settled.code();
    batch.settled_slot = slot;
    rollup.settled = CursorWords::from(&Cursor {
        batches: header.number + 1,
        header_digest,
        state_root: header.new_state_root,
        queue: header.queue_to,
    });
    rollup.settled_overdue_batches = batch.overdue_batches;
    rollup.settled_slot = slot;
    Ok(())
}

/// The batch is the next one to settle, and was not abandoned.
fn check_batch(batch: &Batch, rollup: &Rollup, address: &[u8; 32]) -> Result<()> {
    ensure(batch.rollup == *address, SettlementError::WrongBatch)?;
    ensure(batch.number == rollup.settled.batches, SettlementError::NotNextBatch)?;
    ensure(batch.generation == rollup.generation, SettlementError::AbandonedBatch)
}

/// The proof is verified, and is one that this batch is what its header says.
fn check_proof(account: &AccountView, batch: &Batch, rollup: &Rollup) -> Result<()> {
    let data = account.try_borrow()?;
    let (head, progress) = proof::open(account, &data)?;
    ensure(head.circuit_id == rollup.circuit_id, SettlementError::WrongCircuit)?;
    ensure(head.statement == batch.digest, SettlementError::WrongStatement)?;
    ensure(progress.is_verified::<Parameters>(), SettlementError::UnverifiedProof)
}

/// Out of the way of the handler's stack frame: it takes 400 bytes more than once.
#[inline(never)]
fn header_of(batch: &Batch) -> Result<BatchHeader> {
    BatchHeader::from_words(&batch.header).map_err(|_| refusal(SettlementError::NonCanonicalHeader))
}
