//! Program-derived addresses: where the program's accounts are.
//!
//! The address for some seeds is the SHA-256 of seeds, bump, program id and a marker, with the highest bump for which
//! the result is no point of the ed25519 curve, so that no key can belong to it.

use crate::{Address, BATCH_SEED, HISTORY_SEED, NODE_SEED, QUEUE_SEED, ROLLUP_SEED};
use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest, Sha256};

const MARKER: &[u8] = b"ProgramDerivedAddress";

/// The address of the rollup that `admin` numbered `id`.
#[must_use]
pub fn rollup_address(program: &Address, admin: &Address, id: u64) -> Address {
    find(program, &[ROLLUP_SEED, &admin.0, &id.to_le_bytes()])
}

/// The address of a rollup's registration queue.
#[must_use]
pub fn queue_address(program: &Address, rollup: &Address) -> Address {
    find(program, &[QUEUE_SEED, &rollup.0])
}

/// The address of a rollup's history.
#[must_use]
pub fn history_address(program: &Address, rollup: &Address) -> Address {
    find(program, &[HISTORY_SEED, &rollup.0])
}

/// The address of a rollup's batch `number`.
#[must_use]
pub fn batch_address(program: &Address, rollup: &Address, number: u64) -> Address {
    find(program, &[BATCH_SEED, &rollup.0, &number.to_be_bytes()])
}

/// The address of the node that `authority` registered, or will register, in a rollup.
#[must_use]
pub fn node_address(program: &Address, rollup: &Address, authority: &Address) -> Address {
    find(program, &[NODE_SEED, &rollup.0, &authority.0])
}

fn find(program: &Address, seeds: &[&[u8]]) -> Address {
    let hashed = seeds.iter().fold(Sha256::new(), |hash, seed| hash.chain_update(seed));
    (0..=u8::MAX)
        .rev()
        .map(|bump| hashed.clone().chain_update([bump]).chain_update(program.0).chain_update(MARKER).finalize().into())
        .find(|candidate| CompressedEdwardsY(*candidate).decompress().is_none())
        .map(Address)
        .expect("about half of all hashes are no curve points: 256 that all are have never been seen")
}
