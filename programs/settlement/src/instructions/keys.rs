//! What callers hand in: keys, terms, a location, and when they are refused.

use crate::fail::{ensure, refusal};
use crate::state::Rollup;
use anchor_lang::prelude::*;
use anchor_lang::wincode::adapter::{DefaultOnEmptyRead, FromInto};
use cairn_interface::{
    MAX_BLOB_LOCATION_BYTES, MAX_QUEUE_DEADLINE, MIN_BOND, MIN_QUEUE_DEADLINE, SettlementError, blob_location_in,
};
use cairn_types::ReceiptKey;

/// The keys that a sequencer works with.
pub struct Keys {
    /// Signs `submit_batch`.
    pub sequencer: [u8; 32],
    /// Signs acknowledgements.
    pub acknowledgement_key: [u8; 32],
}

impl Keys {
    /// Zero is nobody's key, and what a client sends that forgot to set one. One key for both would have whoever makes
    /// acknowledgements, on a machine that nodes talk to, submit batches too.
    pub fn set(&self, rollup: &mut Rollup) -> Result<()> {
        let set = self.sequencer != [0; 32] && self.acknowledgement_key != [0; 32];
        ensure(set, SettlementError::InvalidKey)?;
        ensure(self.sequencer != self.acknowledgement_key, SettlementError::SameKeys)?;
        rollup.sequencer = self.sequencer;
        rollup.acknowledgement_key = self.acknowledgement_key;
        Ok(())
    }
}

/// The terms on which nodes are registered.
pub struct Terms {
    /// Registers without a bond; zero is nobody.
    pub registrar: [u8; 32],
    /// What registers without the registrar, in lamports; zero is nothing does.
    pub bond: u64,
    /// Slots after which an entry has to be consumed.
    pub queue_deadline: u64,
}

impl Terms {
    pub fn set(&self, rollup: &mut Rollup) -> Result<()> {
        // Without registrar and bond, registration would be free, or nobody's.
        let bond = self.bond >= MIN_BOND || (self.bond == 0 && self.registrar != [0; 32]);
        ensure(bond, SettlementError::InvalidBond)?;
        let deadline = (MIN_QUEUE_DEADLINE..=MAX_QUEUE_DEADLINE).contains(&self.queue_deadline);
        ensure(deadline, SettlementError::InvalidQueueDeadline)?;
        rollup.registrar = self.registrar;
        rollup.bond = self.bond;
        rollup.queue_deadline = self.queue_deadline;
        Ok(())
    }
}

/// Where blobs are, and what the instruction has after it.
pub struct Location {
    pub length: u8,
    pub place: [u8; MAX_BLOB_LOCATION_BYTES],
    pub end: End,
}

impl Location {
    pub fn set(&self, rollup: &mut Rollup) -> Result<()> {
        ensure(self.end.next == Next::Nothing, SettlementError::BadBlobLocation)?;
        ensure(blob_location_in(self.length, &self.place).is_some(), SettlementError::BadBlobLocation)?;
        rollup.blob_location_length = self.length;
        rollup.blob_location.as_flattened_mut().copy_from_slice(&self.place);
        Ok(())
    }
}

/// Whether an instruction's data end where its arguments do. Anchor does not look.
#[derive(AnchorDeserialize, AnchorSerialize)]
pub struct End {
    #[wincode(with = "DefaultOnEmptyRead<FromInto<u8, Next>>")]
    next: Next,
}

/// What follows the arguments: nothing, by default, or a byte.
#[derive(Default, PartialEq)]
enum Next {
    #[default]
    Nothing,
    Byte,
}

impl From<u8> for Next {
    fn from(_: u8) -> Self {
        Self::Byte
    }
}

/// Anchor asks for it, for a caller of its own making that nobody uses.
impl From<&Next> for u8 {
    fn from(_: &Next) -> Self {
        0
    }
}

/// A receipt key from a caller. Whether it is a point of the curve is not looked at here: consuming an entry never fails,
/// and a key that is none verifies nothing.
pub fn receipt_key(bytes: [u8; ReceiptKey::BYTES]) -> Result<ReceiptKey> {
    let key = ReceiptKey::from_bytes(bytes).map_err(|_| refusal(SettlementError::NonCanonicalKey))?;
    ensure(!key.is_zero(), SettlementError::ZeroReceiptKey)?;
    Ok(key)
}
