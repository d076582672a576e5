//! `submit_batch`: the sequencer extends the tip.
//!
//! The program checks what it can see without a proof: that the header is canonical, that it continues from the tip
//! and ends at a digest of the registration queue, and that it is not from the future. Whether the batch is what the
//! header says, the new state root included, is the proof's business; `statement`, computed here from the header's
//! words, is what that proof must be about.

use crate::fail::{ensure, refusal};
use crate::state::{Batch, CursorWords, Queue, Rollup, is_at};
use anchor_lang::bytemuck;
use anchor_lang::prelude::*;
use anchor_lang::{Discriminator, create_account_signed, find_program_address};
use cairn_interface::{BATCH, BATCH_SEED, SettlementError, layout};
use cairn_types::limits::MAX_CLOCK_SKEW_MS;
use cairn_types::{BatchHeader, HEADER_WORDS};

/// Rollup and queue are known by their owner and discriminator: only `initialize` makes accounts of these kinds.
#[derive(Accounts)]
pub struct SubmitBatch {
    #[account(mut)]
    pub sequencer: Signer,
    #[account(mut)]
    pub rollup: Account<Rollup>,
    pub queue: Account<Queue>,
    /// Its address follows from the batch number, and it may be there already, abandoned. The handler checks both.
    #[account(mut)]
    pub batch: UncheckedAccount,
    pub system_program: Program<System>,
}

pub fn submit_batch(ctx: &mut Context<SubmitBatch>, header: &[u8; HEADER_WORDS * 8]) -> Result<()> {
    let SubmitBatch { sequencer, rollup, queue, .. } = &ctx.accounts;
    ensure(*sequencer.address().as_array() == rollup.sequencer, SettlementError::NotSequencer)?;
    ensure(rollup.paused == 0, SettlementError::Paused)?;
    ensure(queue.rollup == *rollup.address().as_array(), SettlementError::WrongQueue)?;

    let header = BatchHeader::from_bytes(header).map_err(|_| refusal(SettlementError::NonCanonicalHeader))?;
    check_continuation(&header, rollup)?;
    check_queue_end(&header, queue)?;
    let pending = rollup.tip.batches.saturating_sub(rollup.settled.batches);
    ensure(pending < rollup.max_pending, SettlementError::TooManyPending)?;
    let clock = Clock::get()?;
    let now = u64::try_from(clock.unix_timestamp).unwrap_or(0).saturating_mul(1_000);
    ensure(header.time_max <= now.saturating_add(MAX_CLOCK_SKEW_MS), SettlementError::FutureTime)?;

    let after = CursorWords::from(&header.cursor());
    let record = Batch {
        rollup: *rollup.address().as_array(),
        payer: *sequencer.address().as_array(),
        number: header.number,
        generation: rollup.generation,
        slot: clock.slot,
        time: clock.unix_timestamp,
        attestations: 0,
        digest: after.header_digest,
        header: header.words(),
    };
    store(ctx, &record)?;
    ctx.accounts.rollup.tip = after;
    Ok(())
}

/// The header begins where the tip is.
fn check_continuation(header: &BatchHeader, rollup: &Rollup) -> Result<()> {
    let tip = &rollup.tip;
    ensure(header.rollup_id.words() == rollup.rollup_id, SettlementError::WrongRollupId)?;
    ensure(header.number == tip.batches, SettlementError::WrongNumber)?;
    ensure(header.previous.words() == tip.header_digest, SettlementError::WrongPrevious)?;
    ensure(header.old_state_root.words() == tip.state_root, SettlementError::WrongOldRoot)?;
    ensure(is_at(&header.queue_from, tip.queue_position, &tip.queue_digest), SettlementError::WrongQueueStart)
}

/// The header ends at a digest that the registration queue really had, so that no proof can be about entries that
/// nobody registered.
fn check_queue_end(header: &BatchHeader, queue: &Queue) -> Result<()> {
    let end = &header.queue_to;
    let known = queue.digest_at(end.position).ok_or(refusal(SettlementError::UnknownQueueEnd))?;
    ensure(end.digest.words() == *known, SettlementError::WrongQueueEnd)
}

/// Writes the batch's account, which is created unless an abandoned batch of that number left one behind.
fn store(ctx: &mut Context<SubmitBatch>, record: &Batch) -> Result<()> {
    let number = record.number.to_be_bytes();
    let (address, bump) = find_program_address(&[BATCH_SEED, &record.rollup, &number], ctx.program_id);
    let mut account = *ctx.accounts.batch.account();
    ensure(*account.address() == address, SettlementError::WrongBatchAddress)?;

    if account.owned_by(&System::id()) {
        // Lamports that anyone may have sent to the address count towards the rent; they do not stand in the way.
        let seeds: [&[u8]; 4] = [BATCH_SEED, &record.rollup, &number, &[bump]];
        create_account_signed(ctx.accounts.sequencer.account(), &account, BATCH.size, ctx.program_id, &seeds)?;
    } else {
        ensure(account.owned_by(ctx.program_id), SettlementError::ForeignBatchAccount)?;
        let data = account.try_borrow()?;
        let old = data.strip_prefix(Batch::DISCRIMINATOR).and_then(|body| bytemuck::try_from_bytes::<Batch>(body).ok());
        let old = old.ok_or(refusal(SettlementError::ForeignBatchAccount))?;
        let same = old.rollup == record.rollup && old.number == record.number;
        ensure(same, SettlementError::ForeignBatchAccount)?;
        ensure(old.generation < record.generation, SettlementError::BatchExists)?;
    }

    let mut data = account.try_borrow_mut()?;
    let (discriminator, body) =
        data.split_at_mut_checked(layout::DISCRIMINATOR).ok_or(refusal(SettlementError::ForeignBatchAccount))?;
    discriminator.copy_from_slice(Batch::DISCRIMINATOR);
    body.copy_from_slice(bytemuck::bytes_of(record));
    Ok(())
}
