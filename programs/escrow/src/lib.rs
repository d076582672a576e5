//! An escrow that pays a crawl node for content: an example of a program that goes by Cairn's settled batches.
//!
//! * [`deposit`](escrow::deposit): a payer puts lamports aside and says for what: a rollup, a node in it, and the SHA-256 of
//!   the content that the node is to have fetched;
//! * [`write_receipt`](escrow::write_receipt) and [`close_receipt`](escrow::close_receipt): somebody brings the node's receipt
//!   on chain, in as many transactions as it takes;
//! * [`claim`](escrow::claim): shows that the receipt is for that content and in a settled batch, and pays the node;
//! * [`withdraw`](escrow::withdraw): the payer takes back what is left, once the node was paid or its time is over.
//!
//! What it pays for is that a known node has put its name, provably and for good, to having fetched this very content. Not
//! that it did: a receipt of tier 0 is the node's own word, and choosing the node is the payer's part. So nobody is paid
//! for a receipt with a wanted address or length, which anyone who registers can make up.
#![cfg_attr(target_os = "solana", no_std)]
extern crate alloc;

mod claim;
mod deposit;
mod error;
mod receipt;
mod settlement;
mod state;
mod withdraw;

use anchor_lang::prelude::*;
use cairn_types::INCLUSION_PATH_BYTES;
use claim::*;
use deposit::*;
use receipt::*;
use withdraw::*;

declare_id!("GnKXwtrPcnVR4Qe1c8tbSVgmcBiPAPGLgjGeTsq9WxwY");

#[program]
pub mod escrow {
    use super::*;

    /// Puts lamports aside for one receipt. The payer numbers its escrows.
    pub fn deposit(
        ctx: &mut Context<Deposit>,
        id: u64,
        amount: u64,
        refundable_from: u64,
        node_index: u32,
        content_sha256: [u8; 32],
    ) -> Result<()> {
        deposit::deposit(ctx, &Terms { id, amount, refundable_from, node_index, content_sha256 })
    }

    /// Gives back what an escrow holds, and closes it.
    pub fn withdraw(ctx: &mut Context<Withdraw>) -> Result<()> {
        withdraw::withdraw(ctx)
    }

    /// Writes bytes of a receipt at an offset. The first call makes the account the signer's.
    pub fn write_receipt(ctx: &mut Context<WriteReceipt>, offset: u32, bytes: &[u8]) -> Result<()> {
        receipt::write_receipt(ctx, offset, bytes)
    }

    /// Closes an account that a receipt was written to.
    pub fn close_receipt(ctx: &mut Context<CloseReceipt>) -> Result<()> {
        receipt::close_receipt(ctx)
    }

    /// Pays the node, whose authority signs. The path leads from the receipt's leaf to the root of batch `number`.
    pub fn claim(ctx: &mut Context<Claim>, number: u64, path: &[u8; INCLUSION_PATH_BYTES]) -> Result<()> {
        claim::claim(ctx, number, path)
    }
}
