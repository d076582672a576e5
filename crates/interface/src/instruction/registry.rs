//! Instructions of nodes. Each but the refund appends an entry to the rollup's queue.

use super::{AccountMeta, Discriminator, Instruction};
use crate::{Address, SYSTEM_PROGRAM_ID, node_address, queue_address};
use alloc::vec;
use cairn_types::ReceiptKey;

const REGISTER_NODE: Discriminator = [0x66, 0x55, 0x75, 0x72, 0xc2, 0xbc, 0xd3, 0xa8];
const ROTATE_KEY: Discriminator = [0x56, 0xf0, 0xc2, 0x74, 0x1f, 0x03, 0xac, 0xc8];
const DEACTIVATE_NODE: Discriminator = [0xf2, 0xb9, 0x72, 0x92, 0x16, 0xf8, 0x17, 0x9d];
const REFUND_BOND: Discriminator = [0x6d, 0x12, 0x79, 0x43, 0x19, 0x79, 0x82, 0xb3];

#[cfg(test)]
pub(super) const DISCRIMINATORS: &[(&str, Discriminator)] = &[
    ("register_node", REGISTER_NODE),
    ("rotate_key", ROTATE_KEY),
    ("deactivate_node", DEACTIVATE_NODE),
    ("refund_bond", REFUND_BOND),
];

/// What [`register_node`] is told. The index is the program's to assign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterNode {
    /// Signs, pays the rent and the bond, and gets the bond back. May be the authority, or the registrar.
    pub payer: Address,
    /// Signs, and is the one who rotates the key and deactivates the node later.
    pub authority: Address,
    /// The rollup's registrar, who then signs too and saves the bond; without one the payer pays the bond.
    pub registrar: Option<Address>,
    /// The key that signs bundles. Not zero; whether it is a point of the curve is looked at where it signs.
    pub receipt_key: ReceiptKey,
}

/// Registers a node, under the next index. Signed by payer, authority, and registrar if one is given.
#[must_use]
pub fn register_node(program: &Address, rollup: &Address, arguments: &RegisterNode) -> Instruction {
    let mut data = REGISTER_NODE.to_vec();
    data.extend_from_slice(&arguments.receipt_key.to_bytes());
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(arguments.payer),
            AccountMeta::signer(arguments.authority),
            arguments.registrar.map_or(AccountMeta::readonly(SYSTEM_PROGRAM_ID), AccountMeta::signer),
            AccountMeta::readonly(*rollup),
            AccountMeta::writable(queue_address(program, rollup)),
            AccountMeta::writable(node_address(program, rollup, &arguments.authority)),
            AccountMeta::readonly(SYSTEM_PROGRAM_ID),
        ],
        data,
    }
}

/// Replaces a node's key, once the entry is consumed. Refused while an earlier rotation of the node is unconsumed. Signed
/// by the authority.
#[must_use]
pub fn rotate_key(program: &Address, rollup: &Address, authority: &Address, receipt_key: &ReceiptKey) -> Instruction {
    let mut data = ROTATE_KEY.to_vec();
    data.extend_from_slice(&receipt_key.to_bytes());
    Instruction { data, ..deactivate_node(program, rollup, authority) }
}

/// Takes a node's key away, once the entry is consumed; for good. Signed by the authority.
#[must_use]
pub fn deactivate_node(program: &Address, rollup: &Address, authority: &Address) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::signer(*authority),
            AccountMeta::readonly(*rollup),
            AccountMeta::writable(queue_address(program, rollup)),
            AccountMeta::writable(node_address(program, rollup, authority)),
        ],
        data: DEACTIVATE_NODE.to_vec(),
    }
}

/// Pays a deactivated node's bond back to `payer`, who paid it (the `Node` account says who), once the deactivation is
/// consumed. Anyone may call it, with no signature but that of the transaction's payer.
#[must_use]
pub fn refund_bond(program: &Address, rollup: &Address, authority: &Address, payer: &Address) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::readonly(*rollup),
            AccountMeta::writable(node_address(program, rollup, authority)),
            AccountMeta::writable(*payer),
        ],
        data: REFUND_BOND.to_vec(),
    }
}
