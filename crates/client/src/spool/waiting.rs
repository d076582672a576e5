//! Receipts on their way into bundles.

use super::record::{BundleRecord, Line, Stage};
use super::table::{BUNDLES, LINES, META, PENDING, RECEIPTS, RECORDS, WAITING, WAITS};
use super::{Fault, FileRecord, Spool, SpoolError, borsh_bytes, decode, files, memory};
use crate::bundling::{Encoded, Room};
use crate::clock::now_ms;
use crate::key::NodeKey;
use crate::warc::Remembered;
use cairn_types::limits::MAX_COUNTER;
use cairn_types::{BundleData, Digest, Leaf, Receipt, ReceiptSignature, Record};
use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};
use std::path::PathBuf;

/// Bundles that are stored with one write, at most.
const GROUP: usize = 32;

/// What taking receipts came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Enqueued {
    /// Receipts that wait now.
    pub receipts: u64,
    /// Receipts that the spool, or this input itself, had already.
    pub known: u64,
}

/// Receipts that are in no bundle yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many.
    pub receipts: u64,
    /// Since when the oldest of them at most waits, in ms since the Unix epoch; `None` when there are none.
    pub since_ms: Option<u64>,
}

impl Spool {
    /// Takes receipts, and notes the files that they were made of, in one write. Of receipts that are equal, or in the
    /// spool already, one is kept, unless `again`.
    ///
    /// # Errors
    /// When a receipt cannot be bundled or is for another rollup or node, or the spool cannot be written.
    pub fn enqueue(
        &self,
        receipts: &[Receipt],
        again: bool,
        read: &[(PathBuf, FileRecord)],
    ) -> Result<Enqueued, SpoolError> {
        self.take_in(receipts, again, read, &[])
    }

    /// As [`Self::enqueue`], and keeps what later files may refer to.
    ///
    /// # Errors
    /// As there.
    pub fn take_in(
        &self,
        receipts: &[Receipt],
        again: bool,
        read: &[(PathBuf, FileRecord)],
        remembered: &[Remembered],
    ) -> Result<Enqueued, SpoolError> {
        let identity = self.bound()?;
        let mut encoded = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let other = |what| Err(SpoolError::Other { path: self.path.clone(), what });
            if receipt.rollup_id != identity.rollup_id {
                return other("rollup than the receipts are");
            }
            if receipt.node_index != identity.node_index {
                return other("node than the receipts are");
            }
            encoded.push(Encoded::of(receipt)?);
        }
        let now = now_ms();
        self.write(|transaction| {
            let mut enqueued = Enqueued::default();
            let mut known = transaction.open_table(RECEIPTS)?;
            let mut waiting = transaction.open_table(WAITING)?;
            let mut meta = transaction.open_table(META)?;
            let mut order: u64 = match meta.get("order")? {
                Some(value) => decode(value.value(), "order")?,
                None => 0,
            };
            if waiting.is_empty()? {
                meta.insert("waiting_since", borsh_bytes(&now).as_slice())?;
            }
            for Encoded { time, record } in &encoded {
                let digest = Receipt::digest_of(&record.receipt).to_bytes();
                let is_known = known.get(&digest)?.is_some();
                if is_known && !again {
                    enqueued.known += 1;
                    continue;
                }
                if !is_known {
                    known.insert(&digest, WAITS)?;
                }
                waiting.insert((*time, order), record.receipt.as_slice())?;
                order += 1;
                enqueued.receipts += 1;
            }
            meta.insert("order", borsh_bytes(&order).as_slice())?;
            files::note(transaction, read)?;
            memory::keep(transaction, remembered)?;
            Ok(enqueued)
        })
    }

    /// Receipts that are in no bundle yet.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn waiting(&self) -> Result<Waiting, SpoolError> {
        let receipts = self.read(|transaction| Ok(transaction.open_table(WAITING)?.len()?))?;
        let since_ms = if receipts == 0 { None } else { self.meta("waiting_since")? };
        Ok(Waiting { receipts, since_ms })
    }

    /// Sequence after the last signed bundle; `None` when there is none.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn next_sequence(&self) -> Result<Option<u64>, SpoolError> {
        self.read(|transaction| {
            let records = transaction.open_table(RECORDS)?;
            Ok(records.last()?.map(|(sequence, _)| sequence.value() + 1))
        })
    }

    /// Makes bundles of waiting receipts, in order of fetch time, signs and stores them: full ones, and with `all` one
    /// more of what is left. The first has sequence `first`, which must follow the last one in the spool, or may be any
    /// in an empty spool. Gives how many there are.
    ///
    /// # Errors
    /// When the sequence does not follow, the key is not the spool's, or the spool cannot be written.
    pub(crate) fn sign(&self, key: &NodeKey, first: u64, room: Room, all: bool) -> Result<u64, SpoolError> {
        let identity = self.bound()?;
        if identity.key != key.public() {
            return Err(SpoolError::Key { bound: identity.key, given: key.public() });
        }
        let mut next = first;
        loop {
            let made = self.write(|transaction| {
                let mut made = 0;
                while made < GROUP
                    && let Some(records) = take(transaction, room, all)?
                {
                    let (node_index, rollup_id) = (identity.node_index, identity.rollup_id);
                    store(transaction, key, &rollup_id, node_index, next + made as u64, records)?;
                    made += 1;
                }
                Ok(made)
            })?;
            next += made as u64;
            if made < GROUP {
                return Ok(next - first);
            }
        }
    }
}

/// Takes the next bundle's receipts out of those that wait; `None` when they do not fill one and are not to be sent yet.
fn take(transaction: &WriteTransaction, room: Room, all: bool) -> Result<Option<Vec<Record>>, Fault> {
    let mut waiting = transaction.open_table(WAITING)?;
    let mut taken = Vec::new();
    let mut bytes = 0;
    let mut full = false;
    for entry in waiting.iter()? {
        let (place, receipt) = entry?;
        let size = receipt.value().len();
        if size > room.bytes {
            let error = crate::BundlingError::TooLarge { bytes: size, limit: room.bytes };
            return Err(Fault::Spool(error.into()));
        }
        if taken.len() >= room.receipts || bytes + size > room.bytes {
            full = true;
            break;
        }
        bytes += size;
        taken.push((place.value(), receipt.value().to_vec()));
    }
    full |= taken.len() >= room.receipts;
    if taken.is_empty() || !(full || all) {
        return Ok(None);
    }
    let mut records = Vec::with_capacity(taken.len());
    for (place, bytes) in taken {
        waiting.remove(place)?;
        let damaged = |error: &dyn std::fmt::Display| Fault::Damaged(format!("waiting receipt: {error}"));
        let receipt = Receipt::decode(&bytes).map_err(|error| damaged(&error))?;
        let leaf = Leaf::of(&receipt, &bytes).map_err(|error| damaged(&error))?;
        records.push(Record { receipt: bytes, leaf });
    }
    Ok(Some(records))
}

/// Signs a bundle and writes it down. Nobody sees the signature before the transaction is on disk.
fn store(
    transaction: &WriteTransaction,
    key: &NodeKey,
    rollup_id: &Digest,
    node_index: u32,
    sequence: u64,
    records: Vec<Record>,
) -> Result<(), Fault> {
    let mut table = transaction.open_table(RECORDS)?;
    let expected = table.last()?.map_or(sequence, |(last, _)| last.value() + 1);
    if sequence != expected || sequence >= MAX_COUNTER {
        return Err(Fault::Spool(SpoolError::Order { sequence, expected }));
    }
    let unsigned = ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]);
    let mut bundle = BundleData { node_index, sequence, signature: unsigned, records };
    let statement =
        bundle.statement(rollup_id).map_err(|error| Fault::Damaged(format!("bundle {sequence}: {error}")))?;
    let digest = statement.digest();
    bundle.signature = key.sign(&digest);
    let record = BundleRecord {
        sequence,
        digest,
        receipts: statement.count,
        bytes: statement.bytes,
        times: (statement.time_min, statement.time_max),
        signed_ms: now_ms(),
        stage: Stage::Signed,
        checked_ms: 0,
        promise: None,
        batch: None,
        kept: true,
    };
    table.insert(sequence, borsh_bytes(&record).as_slice())?;
    transaction.open_table(BUNDLES)?.insert(sequence, borsh_bytes(&bundle).as_slice())?;
    transaction.open_table(PENDING)?.insert(sequence, ())?;
    let mut lines = transaction.open_table(LINES)?;
    let mut receipts = transaction.open_table(RECEIPTS)?;
    for (slot, record) in (0..).zip(&bundle.records) {
        let receipt = Receipt::decode(&record.receipt).map_err(|error| Fault::Damaged(error.to_string()))?;
        let digest = Receipt::digest_of(&record.receipt);
        let line = Line {
            digest,
            fetch_time: receipt.fetch_time,
            status: receipt.status,
            url: receipt.url,
            domain: receipt.domain,
        };
        lines.insert((sequence, slot), borsh_bytes(&line).as_slice())?;
        let first = receipts.get(&digest.to_bytes())?.map(|first| first.value());
        if first.is_none_or(|first| first == WAITS) {
            receipts.insert(&digest.to_bytes(), sequence)?;
        }
    }
    Ok(())
}
