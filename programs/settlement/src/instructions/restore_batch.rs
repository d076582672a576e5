//! `restore_batch`: the account of a settled batch is written again, from a path to the rollup's history. Anyone may pay.
//!
//! The leaf in the history has the header's digest, which the program computes from the header, and slot and time. So all
//! that the account says afterwards was in the account that was closed. What the leaf does not have is not said: generation,
//! attestations, and when it was settled are zero, and the status is one of its own.

use crate::fail::{ensure, refusal};
use crate::history::History;
use crate::instructions::submit_batch::{create_batch, write_batch};
use crate::state::Batch;
use crate::syscalls::Syscalls;
use anchor_lang::prelude::*;
use cairn_interface::{BatchStatus, SettlementError};
use cairn_types::history::{Hash, SettledBatch, verify};
use cairn_types::{BatchHeader, HEADER_WORDS};

#[derive(Accounts)]
pub struct RestoreBatch {
    #[account(mut)]
    pub payer: Signer,
    pub history: Account<History>,
    /// Its address follows from the number. The handler checks it, and that there is nothing.
    #[account(mut)]
    pub batch: UncheckedAccount,
    pub system_program: Program<System>,
}

/// What leads from the batch to a root. One value: sBPF v0 passes five arguments and no more.
pub struct Path<'a> {
    pub slot: u64,
    pub time: i64,
    pub size: u32,
    pub siblings: &'a [u8],
}

pub fn restore_batch(ctx: &mut Context<RestoreBatch>, header: &[u8; HEADER_WORDS * 8], path: &Path<'_>) -> Result<()> {
    let RestoreBatch { payer, history, batch, .. } = &ctx.accounts;
    let header = BatchHeader::from_bytes(header).map_err(|_| refusal(SettlementError::NonCanonicalHeader))?;
    let digest = header.statement();
    check_path(history, &SettledBatch::of(&header, digest, path.slot, path.time), path)?;

    // The leaves of a rollup's history are of that rollup alone, and at most one has this number.
    let record = Batch {
        rollup: history.rollup,
        payer: *payer.address().as_array(),
        number: header.number,
        generation: 0,
        slot: path.slot,
        time: path.time,
        attestations: 0,
        status: BatchStatus::Restored.code(),
        overdue_batches: 0,
        settled_slot: 0,
        digest: digest.words(),
        header: header.words(),
    };
    let mut account = *batch.account();
    ensure(account.owned_by(&System::id()), SettlementError::BatchPresent)?;
    create_batch(payer.account(), &account, &record)?;
    write_batch(&mut account, &record)
}

fn check_path(history: &History, batch: &SettledBatch, path: &Path<'_>) -> Result<()> {
    let size = u64::from(path.size);
    let root = history.root_at(size).ok_or(refusal(SettlementError::UnknownHistoryRoot))?;
    let (siblings, rest) = path.siblings.as_chunks::<{ size_of::<Hash>() }>();
    ensure(rest.is_empty(), SettlementError::NotInHistory)?;
    let leaf = batch.leaf::<Syscalls>();
    verify::<Syscalls>(leaf, batch.number, size, siblings, root).map_err(|_| refusal(SettlementError::NotInHistory))
}
