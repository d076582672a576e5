//! `submit_batch`: the sequencer extends the tip.
//!
//! The program checks what it can see without a proof: that the header is canonical, that it continues from the tip
//! and ends at a digest of the registration queue, and that it is not from the future. Whether the batch is what the
//! header says, the new state root included, is the proof's business; `statement`, computed here from the header's
//! words, is what that proof must be about.

use crate::create::create;
use crate::fail::{ensure, refusal};
use crate::queue::{FullQueue, open};
use crate::state::{Batch, CursorWords, Rollup, Words, is_at, load};
use anchor_lang::bytemuck;
use anchor_lang::prelude::*;
use anchor_lang::{Discriminator, find_program_address};
use cairn_interface::{BATCH, BATCH_SEED, BatchStatus, OVERDUE_GRACE, SettlementError, layout};
use cairn_types::limits::MAX_CLOCK_SKEW_MS;
use cairn_types::{BatchHeader, HEADER_WORDS};

/// Rollup and queue are known by their owner and discriminator: only `initialize` makes accounts of these kinds. The queue
/// is read here and written by nodes, who only read the rollup: no account is written by both.
#[derive(Accounts)]
pub struct SubmitBatch {
    #[account(mut)]
    pub sequencer: Signer,
    #[account(mut)]
    pub rollup: Account<Rollup>,
    pub queue: UncheckedAccount,
    /// Its address follows from the batch number, and it may be there already, abandoned. The handler checks both.
    #[account(mut)]
    pub batch: UncheckedAccount,
    pub system_program: Program<System>,
}

pub fn submit_batch(ctx: &mut Context<SubmitBatch>, header: &[u8; HEADER_WORDS * 8]) -> Result<()> {
    let SubmitBatch { sequencer, rollup, queue, .. } = &ctx.accounts;
    ensure(*sequencer.address().as_array() == rollup.sequencer, SettlementError::NotSequencer)?;
    let clock = Clock::get()?;
    ensure(!rollup.is_paused(&clock), SettlementError::Paused)?;
    let data = queue.account().try_borrow()?;
    let queue = open(queue.account(), &data, rollup.address())?;

    let header = BatchHeader::from_bytes(header).map_err(|_| refusal(SettlementError::NonCanonicalHeader))?;
    check_continuation(&header, rollup)?;
    check_queue_end(&header, queue)?;
    let pending = rollup.tip.batches.saturating_sub(rollup.settled.batches);
    ensure(pending < rollup.max_pending, SettlementError::TooManyPending)?;
    let now = u64::try_from(clock.unix_timestamp).unwrap_or(0).saturating_mul(1_000);
    ensure(header.time_max <= now.saturating_add(MAX_CLOCK_SKEW_MS), SettlementError::FutureTime)?;

    let after = CursorWords::from(&header.cursor());
    let overdue_batches = match overdue_before(ctx.accounts.batch.account(), &after.header_digest)? {
        Some(0) => 0,
        _ => check_queue_progress(&header, queue, clock.slot, rollup)?,
    };
    let record = Batch {
        rollup: *rollup.address().as_array(),
        payer: *sequencer.address().as_array(),
        number: header.number,
        generation: rollup.generation,
        slot: clock.slot,
        time: clock.unix_timestamp,
        attestations: 0,
        status: BatchStatus::Submitted.code(),
        overdue_batches,
        settled_slot: 0,
        digest: after.header_digest,
        header: header.words(),
    };
    drop(data);
    store(ctx, &record)?;
    ctx.accounts.rollup.tip = after;
    ctx.accounts.rollup.overdue_batches = overdue_batches;
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
/// nobody registered. Where it does not move, it ends where the tip does, which is checked already.
fn check_queue_end(header: &BatchHeader, queue: &FullQueue) -> Result<()> {
    let end = &header.queue_to;
    if end.position == header.queue_from.position {
        return Ok(());
    }
    let known = queue.at(end.position).ok_or(refusal(SettlementError::UnknownQueueEnd))?;
    ensure(end.digest.words() == known.digest, SettlementError::WrongQueueEnd)
}

/// No entry waits for longer than the deadline and [`OVERDUE_GRACE`] batches: a sequencer cannot keep a stolen key alive,
/// nor a node out. Without the grace, batches that were sealed before the entry, and cannot be changed, could never be
/// submitted once the deadline has passed, and the rollup would halt for good.
///
/// Returns how many batches up to this one have left an overdue entry since the last that left none.
fn check_queue_progress(header: &BatchHeader, queue: &FullQueue, slot: u64, rollup: &Rollup) -> Result<u32> {
    if header.queue_to.position >= queue.head.length {
        return Ok(0);
    }
    // What is not consumed is in the ring: no entry is taken on otherwise.
    let oldest = queue.at(header.queue_to.position + 1).ok_or(refusal(SettlementError::UnknownQueueEnd))?;
    if slot.saturating_sub(oldest.slot) <= rollup.queue_deadline {
        return Ok(0);
    }
    ensure(rollup.overdue_batches < OVERDUE_GRACE, SettlementError::QueueOverdue)?;
    Ok(rollup.overdue_batches + 1)
}

/// What the account says of the count of overdue batches, if it is of an abandoned batch with this header.
///
/// A batch that left nothing overdue when it was submitted leaves nothing overdue when it is submitted again: it cannot be
/// changed any more. Without that, as many batches as may be pending would count, once they were abandoned, that did not
/// before, and more than the grace has room for.
fn overdue_before(account: &AccountView, digest: &Words) -> Result<Option<u32>> {
    if !account.owned_by(&crate::ID) {
        return Ok(None);
    }
    let data = account.try_borrow()?;
    let before: &Batch = load(account, &data, SettlementError::ForeignBatchAccount)?;
    Ok((before.digest == *digest).then_some(before.overdue_batches))
}

/// Writes the batch's account, which is created unless an abandoned batch of that number left one behind.
fn store(ctx: &mut Context<SubmitBatch>, record: &Batch) -> Result<()> {
    let mut account = *ctx.accounts.batch.account();
    if account.owned_by(&System::id()) {
        create_batch(ctx.accounts.sequencer.account(), &account, record)?;
    } else {
        batch_bump(&account, record)?;
        let data = account.try_borrow()?;
        let old: &Batch = load(&account, &data, SettlementError::ForeignBatchAccount)?;
        let same = old.rollup == record.rollup && old.number == record.number;
        ensure(same, SettlementError::ForeignBatchAccount)?;
        ensure(old.generation < record.generation, SettlementError::BatchExists)?;
    }
    write_batch(&mut account, record)
}

/// The bump of the batch's address, which the account's has to be.
fn batch_bump(account: &AccountView, record: &Batch) -> Result<u8> {
    let seeds: [&[u8]; 3] = [BATCH_SEED, &record.rollup, &record.number.to_be_bytes()];
    let (address, bump) = find_program_address(&seeds, &crate::ID);
    ensure(*account.address() == address, SettlementError::WrongBatchAddress)?;
    Ok(bump)
}

/// Creates the batch's account. Lamports that anyone may have sent to the address count towards the rent; they do not stand
/// in the way.
pub fn create_batch(payer: &AccountView, account: &AccountView, record: &Batch) -> Result<()> {
    let bump = batch_bump(account, record)?;
    let seeds: [&[u8]; 4] = [BATCH_SEED, &record.rollup, &record.number.to_be_bytes(), &[bump]];
    create(payer, account, BATCH.size, &seeds)
}

/// Writes the whole account.
pub fn write_batch(account: &mut AccountView, record: &Batch) -> Result<()> {
    let mut data = account.try_borrow_mut()?;
    let (discriminator, body) =
        data.split_at_mut_checked(layout::DISCRIMINATOR).ok_or(refusal(SettlementError::ForeignBatchAccount))?;
    discriminator.copy_from_slice(Batch::DISCRIMINATOR);
    body.copy_from_slice(bytemuck::bytes_of(record));
    Ok(())
}
