//! `rotate_key` and `deactivate_node`, by the node's authority, and `refund_bond`, by anyone. None of them can be paused.

use crate::fail::ensure;
use crate::instructions::receipt_key;
use crate::queue::open_mut;
use crate::state::{Node, Rollup};
use anchor_lang::prelude::*;
use cairn_interface::{QUEUE_RING, SettlementError};
use cairn_types::{EntryKind, QueueEntry, ReceiptKey};

#[derive(Accounts)]
pub struct ChangeNode {
    pub authority: Signer,
    pub rollup: Account<Rollup>,
    #[account(mut)]
    pub queue: UncheckedAccount,
    #[account(mut)]
    pub node: Account<Node>,
}

/// A node has one rotation at most in the queue that is not consumed: the places that registrations leave free are for
/// all nodes, and one that rotates and rotates cannot take them all.
pub fn rotate_key(ctx: &mut Context<ChangeNode>, key: [u8; ReceiptKey::BYTES]) -> Result<()> {
    let receipt_key = receipt_key(key)?;
    let ChangeNode { node, rollup, .. } = &ctx.accounts;
    let is_pending = node.last_kind == EntryKind::Rotate as u8 && node.last_position > rollup.consumed_position();
    change(&mut ctx.accounts, EntryKind::Rotate, receipt_key, is_pending)
}

/// Always possible, once.
pub fn deactivate_node(ctx: &mut Context<ChangeNode>) -> Result<()> {
    change(&mut ctx.accounts, EntryKind::Deactivate, ReceiptKey::ZERO, false)
}

fn change(accounts: &mut ChangeNode, kind: EntryKind, key: ReceiptKey, is_pending: bool) -> Result<()> {
    let ChangeNode { authority, rollup, queue, node } = accounts;
    ensure(node.rollup == *rollup.address().as_array(), SettlementError::WrongNode)?;
    ensure(node.authority == *authority.address().as_array(), SettlementError::NotAuthority)?;
    ensure(node.last_kind != EntryKind::Deactivate as u8, SettlementError::NodeInactive)?;
    ensure(!is_pending, SettlementError::RotationPending)?;

    let (place, mut borrowed) = (*queue.account(), *queue.account());
    let mut data = borrowed.try_borrow_mut()?;
    let queue = open_mut(&place, &mut data, rollup.address())?;
    queue.check_room(rollup, QUEUE_RING as u64)?;
    let entry = QueueEntry { kind, node_index: node.index, key };
    node.last_position = queue.append(&entry, Clock::get()?.slot)?;
    node.last_kind = kind as u8;
    node.receipt_key = key.words();
    Ok(())
}

#[derive(Accounts)]
pub struct RefundBond {
    pub rollup: Account<Rollup>,
    #[account(mut)]
    pub node: Account<Node>,
    /// Who paid the bond.
    #[account(mut)]
    pub payer: UncheckedAccount,
}

/// A bond is what an entry costs as long as it takes up the queue: it is refunded when the node's last entry, its
/// deactivation, is consumed, so that whoever registers, deactivates and registers again under other names needs as many
/// bonds as there are places to fill.
pub fn refund_bond(ctx: &mut Context<RefundBond>) -> Result<()> {
    let RefundBond { rollup, node, payer } = &mut ctx.accounts;
    ensure(node.rollup == *rollup.address().as_array(), SettlementError::WrongNode)?;
    ensure(node.payer == *payer.address().as_array(), SettlementError::WrongRecipient)?;
    ensure(node.bond > 0, SettlementError::NoBond)?;
    let is_free = node.last_kind == EntryKind::Deactivate as u8 && node.last_position <= rollup.consumed_position();
    ensure(is_free, SettlementError::BondLocked)?;

    let bond = core::mem::take(&mut node.bond);
    let (mut from, mut to) = (*node.account(), *payer.account());
    let rest = from.lamports().checked_sub(bond).ok_or(ProgramError::ArithmeticOverflow)?;
    let sum = to.lamports().checked_add(bond).ok_or(ProgramError::ArithmeticOverflow)?;
    from.set_lamports(rest);
    to.set_lamports(sum);
    Ok(())
}
