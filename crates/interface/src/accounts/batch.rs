//! The `Batch` account.

use super::reader::Reader;
use super::{AccountError, BATCH};
use crate::Address;
use cairn_types::{BatchHeader, Digest, HEADER_WORDS};

/// How far a batch has got, by what its account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum BatchStatus {
    /// Submitted, and neither settled nor abandoned as far as the account knows: when the rollup's generation is a later one
    /// than the batch's, it was abandoned.
    Submitted = 0,
    /// Proved to the program. Final.
    Settled = 1,
    /// Settled, closed, and written again from a path to the rollup's history: header, slot and time are the settled batch's,
    /// the payer is who paid this time, and nothing is said about generation and attestations, which are zero.
    Restored = 2,
}

impl BatchStatus {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Submitted, Self::Settled, Self::Restored];

    /// The code in an account.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// Whether the rollup has settled the batch, whoever wrote the account.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Submitted)
    }
}

/// A batch, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The rollup it belongs to.
    pub rollup: Address,
    /// Who paid for the account.
    pub payer: Address,
    /// The rollup's generation when it was submitted: of an older one than the rollup's, it was abandoned.
    pub generation: u64,
    /// When it was submitted.
    pub slot: u64,
    /// The cluster's clock then, seconds since the Unix epoch.
    pub time: i64,
    /// One bit for each keeper that attests to have the data.
    pub attestations: u64,
    /// How far it has got.
    pub status: BatchStatus,
    /// [`crate::Rollup::overdue_batches`] up to and with this batch.
    pub overdue_batches: u32,
    /// When it was settled; zero before, and in a restored account.
    pub settled_slot: u64,
    /// `statement`, as the program computed it.
    pub digest: Digest,
    /// The header.
    pub header: BatchHeader,
}

impl Batch {
    /// Reads an account that belongs to the program.
    ///
    /// # Errors
    /// When the bytes are not a `Batch`.
    pub fn parse(data: &[u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(BATCH, data)?;
        let rollup = reader.address("rollup")?;
        let payer = reader.address("payer")?;
        let number = reader.word("number")?;
        let generation = reader.word("generation")?;
        let slot = reader.word("slot")?;
        let time = i64::from_le_bytes(reader.bytes("time")?);
        let attestations = reader.word("attestations")?;
        let code = reader.half("status")?;
        let status = BatchStatus::ALL.into_iter().find(|status| status.code() == code);
        let status =
            status.ok_or(reader.invalid("status", "it is not that of a submitted, settled or restored batch"))?;
        let overdue_batches = reader.half("overdue_batches")?;
        let settled_slot = reader.word("settled_slot")?;
        let digest = reader.digest("digest")?;
        let bytes = reader.bytes::<{ HEADER_WORDS * 8 }>("header")?;
        let header = BatchHeader::from_bytes(&bytes).map_err(|error| reader.invalid("header", error.reason))?;
        if header.number != number {
            return Err(reader.invalid("number", "it is not the header's"));
        }
        Ok(Self {
            rollup,
            payer,
            generation,
            slot,
            time,
            attestations,
            status,
            overdue_batches,
            settled_slot,
            digest,
            header,
        })
    }
}
