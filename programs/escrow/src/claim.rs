//! `claim`: the node is paid.
//!
//! The receipt's bytes say which rollup, node and content it is for; its leaf is derived from them, its digest included,
//! and the settlement program says whether that leaf of that node is in a settled batch of that rollup. So nothing of the
//! receipt rests on the claimant's word, who is the authority of the node, and is paid.
//!
//! Nobody else can claim for it. A payer pays for a receipt once, so whoever may choose the escrow that it is shown to can
//! choose the cheapest one: the payer could make such a one for it, and have the dear one back when its time is over.

use crate::error::EscrowError;
use crate::receipt::open;
use crate::settlement::{self, verify_inclusion};
use crate::state::{Escrow, SPENT_SEED, Spent, create, ensure, pay, refusal};
use anchor_lang::prelude::*;
use cairn_interface::{Inclusion, Node};
use cairn_types::{Digest, INCLUSION_PATH_BYTES, InclusionPath, Leaf, Receipt};

/// The longest receipt that a claim can be made with, in bytes. To hash and read one takes 41 compute units a byte (50
/// in an sBPF v0 build), and there are 1,400,000 in a transaction, of which the rest of a claim takes some 600,000. The protocol has receipts of up to 19,300
/// bytes, with two URLs of 8,192: such a one shows in a proof file, and not here.
const MAX_RECEIPT_BYTES: usize = 14_336;

#[derive(Accounts)]
pub struct Claim {
    /// The node's authority: it is paid, and pays for the spent account.
    #[account(mut)]
    pub payee: Signer,
    #[account(mut)]
    pub escrow: Account<Escrow>,
    pub receipt: UncheckedAccount,
    /// Of the settlement program.
    pub node: UncheckedAccount,
    /// Of the settlement program, which looks at it.
    pub batch: UncheckedAccount,
    /// Its address follows from payer and receipt. The handler checks it, and that there is nothing yet.
    #[account(mut)]
    pub spent: UncheckedAccount,
    pub settlement: UncheckedAccount,
    pub system_program: Program<System>,
}

pub fn claim(ctx: &mut Context<Claim>, number: u64, path: &[u8; INCLUSION_PATH_BYTES]) -> Result<()> {
    let Claim { escrow, receipt, node, payee, batch, settlement, .. } = &ctx.accounts;
    ensure(escrow.paid_slot == 0, EscrowError::AlreadyPaid)?;
    let (leaf, digest) = leaf_of(receipt.account(), escrow)?;
    check_payee(node.account(), payee.account(), escrow)?;

    let rollup = cairn_interface::Address(escrow.rollup);
    let expected = Inclusion { rollup, number, node_index: escrow.node_index, leaf };
    verify_inclusion(settlement.account(), batch.account(), &expected, path)?;

    spend(ctx, number, path, &digest)?;
    let Claim { escrow, payee, .. } = &mut ctx.accounts;
    escrow.paid_slot = Clock::get()?.slot;
    pay(escrow.view(), payee.account(), escrow.amount)
}

/// The leaf of the receipt, and its digest, if it is one that the escrow pays for.
#[inline(never)]
fn leaf_of(account: &AccountView, escrow: &Escrow) -> Result<(Leaf, Digest)> {
    let data = account.try_borrow()?;
    let (_, bytes) = open(account, &data)?;
    ensure(bytes.len() <= MAX_RECEIPT_BYTES, EscrowError::LongReceipt)?;
    let receipt = Receipt::decode(bytes).map_err(|_| refusal(EscrowError::InvalidReceipt))?;
    ensure(receipt.rollup_id.words() == escrow.rollup_id, EscrowError::WrongRollup)?;
    ensure(receipt.node_index == escrow.node_index, EscrowError::WrongNode)?;
    ensure(receipt.payload_sha256 == escrow.content_sha256, EscrowError::WrongContent)?;
    let leaf = Leaf::of(&receipt, bytes).map_err(|_| refusal(EscrowError::InvalidReceipt))?;
    let [.., a, b, c, d] = leaf.words();
    let digest = Digest::from_words([a, b, c, d]).map_err(|_| refusal(EscrowError::InvalidReceipt))?;
    Ok((leaf, digest))
}

/// Who claims is the authority of the escrow's node.
#[inline(never)]
fn check_payee(node: &AccountView, payee: &AccountView, escrow: &Escrow) -> Result<()> {
    ensure(node.owned_by(&settlement::ID), EscrowError::WrongNodeAccount)?;
    let data = node.try_borrow()?;
    let node = Node::parse(&data).map_err(|_| refusal(EscrowError::WrongNodeAccount))?;
    let is_the_node = node.rollup.0 == escrow.rollup && node.index == escrow.node_index;
    ensure(is_the_node, EscrowError::WrongNodeAccount)?;
    ensure(*payee.address().as_array() == node.authority.0, EscrowError::WrongPayee)
}

/// Records that the payer has paid for this receipt; refuses if that is on record.
#[inline(never)]
fn spend(ctx: &Context<Claim>, number: u64, path: &[u8; INCLUSION_PATH_BYTES], digest: &Digest) -> Result<()> {
    let Claim { payee, escrow, spent, .. } = &ctx.accounts;
    let (account, digest) = (spent.account(), digest.to_bytes());
    let (place, bump) = find_program_address(&[SPENT_SEED, &escrow.payer, &digest], &crate::ID);
    ensure(*account.address() == place, EscrowError::WrongSpentAddress)?;
    ensure(account.owned_by(&System::id()), EscrowError::AlreadySpent)?;
    // The settlement program has accepted it: it is a path.
    let path = InclusionPath::from_bytes(path).map_err(|_| Error::InvalidInstructionData)?;
    let record = Spent {
        escrow: *escrow.address().as_array(),
        number,
        bundle_index: u32::from(path.bundle_index),
        leaf_index: u32::from(path.leaf_index),
    };
    create(payee.account(), account, &[SPENT_SEED, &escrow.payer, &digest, &[bump]], &record)
}
