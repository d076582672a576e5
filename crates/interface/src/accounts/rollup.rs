//! The `Rollup` account.

use super::reader::Reader;
use super::{AccountError, ROLLUP, layout};
use crate::{Address, Profile};
use cairn_types::{Cursor, Digest};

/// A rollup, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// Who may change the sequencer.
    pub admin: Address,
    /// Who may submit batches.
    pub sequencer: Address,
    /// Whose signature stands under acknowledgements.
    pub acknowledgement_key: Address,
    /// The genesis hash that the rollup was created with: to be compared with the cluster's.
    pub genesis_hash: [u8; 32],
    /// The identity that the program computed.
    pub rollup_id: Digest,
    /// The circuit whose proofs settle batches; zero as long as the program verifies none.
    pub circuit_id: [u8; 32],
    /// What is proved on chain.
    pub settled: Cursor,
    /// What is submitted.
    pub tip: Cursor,
    /// The number that the admin gave it.
    pub id: u64,
    /// How often pending batches were abandoned.
    pub generation: u64,
    /// Batches that may wait between `settled` and `tip`.
    pub max_pending: u64,
    /// The profile of its proofs.
    pub profile: Profile,
    /// Whether batches are refused for now.
    pub paused: bool,
}

impl Rollup {
    /// Reads an account that belongs to the program.
    ///
    /// # Errors
    /// When the bytes are not a `Rollup`.
    pub fn parse(data: &[u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(ROLLUP, data)?;
        let admin = reader.address("admin")?;
        let sequencer = reader.address("sequencer")?;
        let acknowledgement_key = reader.address("acknowledgement_key")?;
        let genesis_hash = reader.bytes("genesis_hash")?;
        let rollup_id = reader.digest("rollup_id")?;
        let circuit_id = reader.bytes("circuit_id")?;
        let settled = reader.cursor("settled")?;
        let tip = reader.cursor("tip")?;
        let id = reader.word("id")?;
        let generation = reader.word("generation")?;
        let max_pending = reader.word("max_pending")?;
        reader.zeros("reserved", layout::ROLLUP_RESERVED)?;
        let profile = Profile::try_from(reader.byte("profile")?)
            .map_err(|_| reader.invalid("profile", "it is neither dev nor production"))?;
        let paused = reader.flag("paused")?;
        Ok(Self {
            admin,
            sequencer,
            acknowledgement_key,
            genesis_hash,
            rollup_id,
            circuit_id,
            settled,
            tip,
            id,
            generation,
            max_pending,
            profile,
            paused,
        })
    }

    /// Batches that wait to be settled.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.tip.batches.saturating_sub(self.settled.batches)
    }
}
