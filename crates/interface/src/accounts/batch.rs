//! The `Batch` account.

use super::reader::Reader;
use super::{AccountError, BATCH};
use crate::Address;
use cairn_types::{BatchHeader, Digest, HEADER_WORDS};

/// A submitted batch, as the chain has it.
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
        let digest = reader.digest("digest")?;
        let bytes = reader.bytes::<{ HEADER_WORDS * 8 }>("header")?;
        let header = BatchHeader::from_bytes(&bytes).map_err(|error| reader.invalid("header", error.reason))?;
        if header.number != number {
            return Err(reader.invalid("number", "it is not the header's"));
        }
        Ok(Self { rollup, payer, generation, slot, time, attestations, digest, header })
    }
}
