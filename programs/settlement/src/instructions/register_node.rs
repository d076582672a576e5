//! `register_node`: an authority puts a node's key into the queue, under an index that the program assigns.

use crate::create::create;
use crate::fail::{ensure, refusal};
use crate::instructions::receipt_key;
use crate::queue::open_mut;
use crate::state::{Node, Rollup};
use anchor_lang::prelude::*;
use anchor_lang::{bytemuck, find_program_address};
use cairn_interface::{MAX_QUEUE_FOR_REGISTRATION, NODE, NODE_SEED, SettlementError, layout};
use cairn_types::limits::MAX_NODES;
use cairn_types::{EntryKind, QueueEntry, ReceiptKey};
use pinocchio_system::instructions::Transfer;

/// The payer is not `mut` for Anchor, which refuses an account that is given twice as soon as one use is, and payer,
/// authority and registrar may well be one key. The runtime sees to it that it is writable when lamports leave it.
#[derive(Accounts)]
pub struct RegisterNode {
    pub payer: Signer,
    pub authority: Signer,
    /// The rollup's registrar, or the system program where there is none. The handler looks at the signature.
    pub registrar: UncheckedAccount,
    pub rollup: Account<Rollup>,
    #[account(mut)]
    pub queue: UncheckedAccount,
    /// Its address follows from the authority's. The handler checks it, and that there is nothing yet.
    #[account(mut)]
    pub node: UncheckedAccount,
    pub system_program: Program<System>,
}

pub fn register_node(ctx: &mut Context<RegisterNode>, key: [u8; ReceiptKey::BYTES]) -> Result<()> {
    let RegisterNode { payer, authority, registrar, rollup, queue, node, .. } = &mut ctx.accounts;
    let clock = Clock::get()?;
    ensure(!rollup.is_paused(&clock), SettlementError::Paused)?;
    let receipt_key = receipt_key(key)?;
    let bond = bond_due(rollup, registrar)?;

    let (program, address) = (ctx.program_id, *rollup.address());
    let seeds: [&[u8]; 3] = [NODE_SEED, address.as_ref(), authority.address().as_ref()];
    let (place, bump) = find_program_address(&seeds, program);
    let mut account = *node.account();
    ensure(*account.address() == place, SettlementError::WrongNodeAddress)?;
    // Nothing but this instruction makes an account there, and no account there ever goes.
    ensure(account.owned_by(&System::id()), SettlementError::NodeExists)?;

    let (place, mut borrowed) = (*queue.account(), *queue.account());
    let mut data = borrowed.try_borrow_mut()?;
    let queue = open_mut(&place, &mut data, &address)?;
    queue.check_room(rollup, MAX_QUEUE_FOR_REGISTRATION)?;
    ensure(queue.head.nodes < u64::from(MAX_NODES), SettlementError::RegistryFull)?;
    let index = queue.head.nodes as u32;
    let entry = QueueEntry { kind: EntryKind::Register, node_index: index, key: receipt_key };
    let position = queue.append(&entry, clock.slot)?;
    queue.head.nodes += 1;
    drop(data);

    // Lamports that anyone may have sent to the address count towards the rent, never towards the bond.
    let signed: [&[u8]; 4] = [NODE_SEED, address.as_ref(), authority.address().as_ref(), &[bump]];
    create(payer.account(), &account, NODE.size, &signed)?;
    if bond > 0 {
        Transfer { from: payer.account(), to: &account, lamports: bond }.invoke()?;
    }

    let record = Node {
        rollup: *address.as_array(),
        authority: *authority.address().as_array(),
        payer: *payer.address().as_array(),
        receipt_key: receipt_key.words(),
        registered_slot: clock.slot,
        bond,
        last_position: position,
        index,
        last_kind: EntryKind::Register as u8,
        bump,
        padding: [0; 2],
    };
    let mut data = account.try_borrow_mut()?;
    let (discriminator, body) =
        data.split_at_mut_checked(layout::DISCRIMINATOR).ok_or(refusal(SettlementError::NodeExists))?;
    discriminator.copy_from_slice(Node::DISCRIMINATOR);
    body.copy_from_slice(bytemuck::bytes_of(&record));
    Ok(())
}

/// Nothing with the registrar's signature; what the rollup asks for without.
fn bond_due(rollup: &Rollup, registrar: &UncheckedAccount) -> Result<u64> {
    if *registrar.address() == System::id() {
        ensure(rollup.bond > 0, SettlementError::RegistrarRequired)?;
        return Ok(rollup.bond);
    }
    let is_registrar = *registrar.address().as_array() == rollup.registrar && registrar.account().is_signer();
    ensure(is_registrar, SettlementError::NotRegistrar)?;
    Ok(0)
}
