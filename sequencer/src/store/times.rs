//! When a batch came how far. For people and measurements: nothing is decided by it.

use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::{Family, Store, StoreError, damaged, number_of};

/// Something that happened to a batch after it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Published = 0,
    Proved = 1,
    Signed = 2,
    Confirmed = 3,
    Finalized = 4,
    Settled = 5,
}

/// When a batch came how far, each in milliseconds since the Unix epoch by this machine's clock; `None` where it has not
/// come so far, or where nobody saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchTimes {
    /// Its header was final and on disk.
    pub sealed: Option<u64>,
    /// Its data was in the object store.
    pub published: Option<u64>,
    /// So was its proof.
    pub proved: Option<u64>,
    /// The first transaction with its header was signed; right after that, it was sent.
    pub signed: Option<u64>,
    /// A transaction with its header was first seen confirmed.
    pub confirmed: Option<u64>,
    /// The chain was first seen to have it, finally.
    pub finalized: Option<u64>,
    /// The chain was first seen to have verified its proof, finally.
    pub settled: Option<u64>,
}

impl Store {
    pub(super) fn put_moment(&self, batch: &mut WriteBatch, number: u64, moment: Moment, at_ms: u64) {
        batch.put_cf(self.family(Family::Times), key(number, moment as u8), at_ms.to_be_bytes());
    }

    /// When batch `number` came how far.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn times(&self, number: u64) -> Result<BatchTimes, StoreError> {
        let mut times =
            BatchTimes { sealed: self.batch(number)?.map(|batch| batch.sealed_ms), ..BatchTimes::default() };
        let from = key(number, 0);
        for entry in self.db.iterator_cf(self.family(Family::Times), IteratorMode::From(&from, Direction::Forward)) {
            let (key, value) = entry.map_err(|source| StoreError::Database { what: "read a batch's times", source })?;
            let Some([moment]) = key.strip_prefix(&from[..8]) else { break };
            let place = match moment {
                0 => &mut times.published,
                1 => &mut times.proved,
                2 => &mut times.signed,
                3 => &mut times.confirmed,
                4 => &mut times.finalized,
                5 => &mut times.settled,
                _ => return Err(damaged(Family::Times, &key, "is of a moment that this version does not know")),
            };
            *place = Some(number_of(Family::Times, &value)?);
        }
        Ok(times)
    }
}

fn key(number: u64, moment: u8) -> [u8; 9] {
    let mut key = [moment; 9];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}
