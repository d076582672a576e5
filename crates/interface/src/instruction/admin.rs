//! Instructions of a rollup's admin, and the growth of its queue, which is anyone's to pay for.

use super::{AccountMeta, Discriminator, Instruction};
use crate::{
    Address, Profile, QUEUE_EXTENSIONS, Registry, SYSTEM_PROGRAM_ID, blob_location_place, history_address,
    queue_address, rollup_address,
};
use alloc::vec;
use alloc::vec::Vec;

const INITIALIZE: Discriminator = [0xaf, 0xaf, 0x6d, 0x1f, 0x0d, 0x98, 0x9b, 0xed];
const EXTEND_QUEUE: Discriminator = [0x82, 0x78, 0xd2, 0xe1, 0x93, 0xb1, 0xb5, 0x4d];
const SET_SEQUENCER: Discriminator = [0x45, 0xd2, 0x5d, 0x09, 0x2c, 0xe6, 0x4e, 0x16];
const SET_REGISTRY: Discriminator = [0xb5, 0xec, 0x22, 0x84, 0xfa, 0x02, 0x53, 0x89];
const SET_BLOB_LOCATION: Discriminator = [0x3d, 0x41, 0x20, 0x45, 0x80, 0x9e, 0x87, 0xfe];
const PAUSE: Discriminator = [0xd3, 0x16, 0xdd, 0xfb, 0x4a, 0x79, 0xc1, 0x2f];
const UNPAUSE: Discriminator = [0xa9, 0x90, 0x04, 0x26, 0x0a, 0x8d, 0xbc, 0xff];

#[cfg(test)]
pub(super) const DISCRIMINATORS: &[(&str, Discriminator)] = &[
    ("initialize", INITIALIZE),
    ("extend_queue", EXTEND_QUEUE),
    ("set_sequencer", SET_SEQUENCER),
    ("set_registry", SET_REGISTRY),
    ("set_blob_location", SET_BLOB_LOCATION),
    ("pause", PAUSE),
    ("unpause", UNPAUSE),
];

/// What [`initialize`] is told. Circuit and empty state root are the program's own and no arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initialize {
    /// Signs, pays, and is the one who may change keys and terms later.
    pub admin: Address,
    /// Which of the admin's rollups this is.
    pub id: u64,
    /// Who may submit batches.
    pub sequencer: Address,
    /// Whose ed25519 signature stands under acknowledgements: another key than the sequencer's.
    pub acknowledgement_key: Address,
    /// The cluster's genesis hash, which goes into the rollup's identity. Hosts check it.
    pub genesis_hash: [u8; 32],
    /// The profile of the proofs. Part of the identity, and has to be the program's.
    pub profile: Profile,
    /// Batches that may wait to be settled: 1 to [`crate::MAX_PENDING_CEILING`].
    pub max_pending: u32,
    /// The terms of registration.
    pub registry: Registry,
}

/// Creates a rollup, its history, and its registration queue at its full size: `initialize` and as many `extend_queue` as it takes,
/// all in one transaction, signed and paid for by the admin. The queue's rent is 158,298,240 lamports (0.158 SOL) at
/// 6,960 lamports a byte.
#[must_use]
pub fn create_rollup(program: &Address, arguments: &Initialize) -> Vec<Instruction> {
    let rollup = rollup_address(program, &arguments.admin, arguments.id);
    let mut instructions = vec![extend_queue(program, &rollup, &arguments.admin); QUEUE_EXTENSIONS];
    instructions.insert(0, initialize(program, arguments));
    instructions
}

/// Creates a rollup, its history and the beginning of its registration queue, which nothing works with before it is extended: see
/// [`create_rollup`]. Signed by the admin.
#[must_use]
pub fn initialize(program: &Address, arguments: &Initialize) -> Instruction {
    let rollup = rollup_address(program, &arguments.admin, arguments.id);
    let mut data = INITIALIZE.to_vec();
    data.extend_from_slice(&arguments.id.to_le_bytes());
    data.extend_from_slice(&arguments.sequencer.0);
    data.extend_from_slice(&arguments.acknowledgement_key.0);
    data.extend_from_slice(&arguments.genesis_hash);
    data.push(arguments.profile.code());
    data.extend_from_slice(&arguments.max_pending.to_le_bytes());
    push_registry(&mut data, &arguments.registry);
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(arguments.admin),
            AccountMeta::writable(rollup),
            AccountMeta::writable(queue_address(program, &rollup)),
            AccountMeta::writable(history_address(program, &rollup)),
            AccountMeta::readonly(SYSTEM_PROGRAM_ID),
        ],
        data,
    }
}

/// Makes a rollup's queue 10,240 bytes longer, or as long as it gets; does nothing to one of full size. Signed by
/// whoever pays the rent.
#[must_use]
pub fn extend_queue(program: &Address, rollup: &Address, payer: &Address) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(*payer),
            AccountMeta::writable(queue_address(program, rollup)),
            AccountMeta::readonly(SYSTEM_PROGRAM_ID),
        ],
        data: EXTEND_QUEUE.to_vec(),
    }
}

/// Replaces the rollup's sequencer and its acknowledgement key, which must differ. Signed by the admin.
#[must_use]
pub fn set_sequencer(
    program: &Address,
    rollup: &Address,
    admin: &Address,
    sequencer: &Address,
    acknowledgement_key: &Address,
) -> Instruction {
    let mut data = SET_SEQUENCER.to_vec();
    data.extend_from_slice(&sequencer.0);
    data.extend_from_slice(&acknowledgement_key.0);
    by_admin(program, rollup, admin, data)
}

/// Replaces the terms of registration. Nodes that are registered keep the bond that they have. Signed by the admin.
#[must_use]
pub fn set_registry(program: &Address, rollup: &Address, admin: &Address, registry: &Registry) -> Instruction {
    let mut data = SET_REGISTRY.to_vec();
    push_registry(&mut data, registry);
    by_admin(program, rollup, admin, data)
}

/// Replaces where the rollup's blobs are; an empty location clears it. Signed by the admin, and taken in a pause too. The
/// program refuses what [`crate::is_blob_location`] refuses.
#[must_use]
pub fn set_blob_location(program: &Address, rollup: &Address, admin: &Address, location: &str) -> Instruction {
    let mut data = SET_BLOB_LOCATION.to_vec();
    let (length, place) = blob_location_place(location);
    data.push(length);
    data.extend_from_slice(&place);
    by_admin(program, rollup, admin, data)
}

/// Stops `submit_batch` and `register_node` for [`crate::PAUSE_SECONDS`]. Signed by the admin.
#[must_use]
pub fn pause(program: &Address, rollup: &Address, admin: &Address) -> Instruction {
    by_admin(program, rollup, admin, PAUSE.to_vec())
}

/// Ends a pause before its time. Signed by the admin.
#[must_use]
pub fn unpause(program: &Address, rollup: &Address, admin: &Address) -> Instruction {
    by_admin(program, rollup, admin, UNPAUSE.to_vec())
}

fn push_registry(data: &mut Vec<u8>, registry: &Registry) {
    data.extend_from_slice(&registry.registrar.0);
    data.extend_from_slice(&registry.bond.to_le_bytes());
    data.extend_from_slice(&registry.queue_deadline.to_le_bytes());
}

fn by_admin(program: &Address, rollup: &Address, admin: &Address, data: Vec<u8>) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![AccountMeta::signer(*admin), AccountMeta::writable(*rollup)],
        data,
    }
}
