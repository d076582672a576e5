//! The `Rollup` account.

use super::reader::Reader;
use super::{AccountError, ROLLUP, layout};
use crate::{Address, Profile, blob_location_in};
use alloc::borrow::ToOwned;
use alloc::string::String;
use cairn_types::{Cursor, Digest};

/// On what terms nodes are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Whose signature registers a node without a bond; zero when there is nobody.
    pub registrar: Address,
    /// What registers a node without the registrar, in lamports; refundable. Zero when only the registrar registers.
    pub bond: u64,
    /// Slots after which an entry of the queue that no batch consumed is overdue: no more than [`crate::OVERDUE_GRACE`]
    /// batches may leave such an entry. Longer than the longest time in which a
    /// sequencer promises to settle, so that a rotation does not overtake what was acknowledged before it.
    pub queue_deadline: u64,
}

impl Registry {
    /// Anyone registers, against [`crate::DEFAULT_BOND`].
    pub const OPEN: Self =
        Self { registrar: Address([0; 32]), bond: crate::DEFAULT_BOND, queue_deadline: crate::DEFAULT_QUEUE_DEADLINE };

    /// Only who `registrar` lets in.
    #[must_use]
    pub const fn closed(registrar: Address) -> Self {
        Self { registrar, bond: 0, queue_deadline: crate::DEFAULT_QUEUE_DEADLINE }
    }
}

/// The slot from which anyone may abandon what is pending: see [`Rollup::abandonable_from`].
#[must_use]
pub const fn abandonable_from(settled_slot: u64, submitted_slot: u64) -> u64 {
    let waiting_since = if settled_slot > submitted_slot { settled_slot } else { submitted_slot };
    waiting_since.saturating_add(crate::ABANDON_AFTER_SLOTS)
}

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
    /// The circuit whose proofs settle batches: that of the program which created the rollup.
    pub circuit_id: [u8; 32],
    /// What is proved on chain.
    pub settled: Cursor,
    /// What is submitted.
    pub tip: Cursor,
    /// The number that the admin gave it.
    pub id: u64,
    /// How often pending batches were abandoned. A `Batch` of a smaller one that is not settled was.
    pub generation: u64,
    /// Batches that may wait between `settled` and `tip`.
    pub max_pending: u64,
    /// The terms of registration.
    pub registry: Registry,
    /// Until when it takes no batches and no registrations, in seconds since the Unix epoch by the cluster's clock; zero
    /// when it was never paused, or unpaused.
    pub paused_until: i64,
    /// Batches, up to the tip and without one in between that did not, that left an entry of the queue unconsumed for
    /// longer than [`Registry::queue_deadline`]; at [`crate::OVERDUE_GRACE`] no further one may.
    pub overdue_batches: u32,
    /// The same count up to the last settled batch, to which it falls back when the pending ones are abandoned.
    pub settled_overdue_batches: u32,
    /// When the last batch was settled; zero before the first.
    pub settled_slot: u64,
    /// The profile of its proofs.
    pub profile: Profile,
    /// Where its blobs and proofs are: a base URL that the admin has set, printable ASCII of at most
    /// [`crate::MAX_BLOB_LOCATION_BYTES`]; empty when nothing is said. The program knows nothing of URLs: whoever follows it
    /// decides which it follows.
    pub blob_location: String,
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
        let registrar = reader.address("registrar")?;
        let settled = reader.cursor("settled")?;
        let tip = reader.cursor("tip")?;
        let id = reader.word("id")?;
        let generation = reader.word("generation")?;
        let max_pending = reader.word("max_pending")?;
        let bond = reader.word("bond")?;
        let queue_deadline = reader.word("queue_deadline")?;
        let paused_until = i64::from_le_bytes(reader.bytes("paused_until")?);
        let overdue_batches = reader.half("overdue_batches")?;
        let settled_overdue_batches = reader.half("settled_overdue_batches")?;
        let settled_slot = reader.word("settled_slot")?;
        reader.zeros("reserved", layout::ROLLUP_RESERVED)?;
        let profile = Profile::try_from(reader.byte("profile")?)
            .map_err(|_| reader.invalid("profile", "it is neither dev nor production"))?;
        let _bumps = reader.bytes::<2>("bumps")?;
        let length = reader.byte("blob_location_length")?;
        reader.zeros("padding", 4)?;
        let place = reader.bytes("blob_location")?;
        let blob_location = blob_location_in(length, &place)
            .and_then(|text| core::str::from_utf8(text).ok())
            .map(ToOwned::to_owned)
            .ok_or(reader.invalid("blob_location", "it is not printable ASCII of its length, followed by zeros"))?;
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
            registry: Registry { registrar, bond, queue_deadline },
            paused_until,
            overdue_batches,
            settled_overdue_batches,
            settled_slot,
            profile,
            blob_location,
        })
    }

    /// Batches that wait to be settled.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.tip.batches.saturating_sub(self.settled.batches)
    }

    /// Whether batches and registrations are refused when the cluster's clock says `now`, in seconds.
    #[must_use]
    pub fn is_paused(&self, now: i64) -> bool {
        now < self.paused_until
    }

    /// The slot from which anyone may abandon what is pending, given the slot in which the batch after the last settled one
    /// was submitted: [`crate::ABANDON_AFTER_SLOTS`] after that batch was there and its turn had come.
    #[must_use]
    pub const fn abandonable_from(&self, submitted_slot: u64) -> u64 {
        abandonable_from(self.settled_slot, submitted_slot)
    }

    /// The queue position up to which entries count as consumed, for the ring, for `QueueFull`, for a node's pending rotation
    /// and for its bond: their places are free again. It is the **settled** cursor's: what a batch beyond it has consumed, a
    /// later one has to find again when that batch is abandoned.
    #[must_use]
    pub const fn consumed_position(&self) -> u64 {
        self.settled.queue.position
    }
}
