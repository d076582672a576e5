//! Signed bundles: what is to be sent, what was answered, what became of them.

use super::record::{Breach, BundleRecord, Evidence, InBatch, Promise, Stage};
use super::table::{BUNDLES, EVIDENCE, PENDING, RECORDS, UNSETTLED};
use super::{Fault, Spool, SpoolError, borsh_bytes, decode};
use crate::clock::now_ms;
use crate::key::NodeKey;
use cairn_proto::{Acknowledgement, v1};
use cairn_types::BundleData;
use prost::Message as _;
use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

/// How much evidence is looked through for the same answer.
const MAX_COMPARED: usize = 256;

impl Spool {
    /// Sequences of the bundles to be sent, in order.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn pending(&self) -> Result<Vec<u64>, SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(PENDING)?;
            table.iter()?.map(|entry| Ok(entry?.0.value())).collect()
        })
    }

    /// How many bundles are to be sent, and the first of them.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn first_pending(&self) -> Result<(u64, Option<u64>), SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(PENDING)?;
            let first = table.first()?.map(|(sequence, _)| sequence.value());
            Ok((table.len()?, first))
        })
    }

    /// Up to `most` acknowledged bundles that are not settled, from `from` on.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn unsettled(&self, from: u64, most: usize) -> Result<Vec<u64>, SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(UNSETTLED)?;
            table.range(from..)?.take(most).map(|entry| Ok(entry?.0.value())).collect()
        })
    }

    /// What is known of a bundle.
    ///
    /// # Errors
    /// When there is none, or the spool cannot be read.
    pub fn record(&self, sequence: u64) -> Result<BundleRecord, SpoolError> {
        self.read(|transaction| record(&transaction.open_table(RECORDS)?, sequence))
    }

    /// A signed bundle, as it is sent.
    ///
    /// # Errors
    /// When its receipts are no longer here, it is damaged, or the spool cannot be read.
    pub fn bundle(&self, sequence: u64) -> Result<BundleData, SpoolError> {
        let identity = self.bound()?;
        let (record, bundle) = self.read(|transaction| {
            let record = record(&transaction.open_table(RECORDS)?, sequence)?;
            let table = transaction.open_table(BUNDLES)?;
            let bytes = table.get(sequence)?.ok_or(Fault::Spool(SpoolError::Pruned { sequence }))?;
            Ok((record, decode::<BundleData>(bytes.value(), &format!("bundle {sequence}"))?))
        })?;
        // What is sent is what was signed, whatever happened to the file since.
        let statement = bundle.statement(&identity.rollup_id).map(|statement| statement.digest());
        if (bundle.node_index, bundle.sequence, statement) == (identity.node_index, sequence, Ok(record.digest)) {
            return Ok(bundle);
        }
        Err(SpoolError::Damaged { path: self.path.clone(), what: format!("bundle {sequence} is not what was signed") })
    }

    /// Writes down acknowledgements whose signatures were checked against `key`. Gives the sequences of those that
    /// contradict an earlier one, which is kept and they as evidence.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(crate) fn acknowledge(
        &self,
        acknowledgements: &[Acknowledgement],
        key: &[u8; 32],
        endpoint: &str,
    ) -> Result<Vec<u64>, SpoolError> {
        let now = now_ms();
        self.write(|transaction| {
            let mut contradicted = Vec::new();
            let mut records = transaction.open_table(RECORDS)?;
            let mut pending = transaction.open_table(PENDING)?;
            let mut unsettled = transaction.open_table(UNSETTLED)?;
            for acknowledgement in acknowledgements {
                let sequence = acknowledgement.sequence;
                let mut record = record(&records, sequence)?;
                pending.remove(sequence)?;
                if record.promise.is_some() {
                    if !record.is_promised(acknowledgement) {
                        let breach = Breach::SecondPromise;
                        let answer = v1::Acknowledgement::from(*acknowledgement).encode_to_vec();
                        let ours = record.digest;
                        let endpoint = endpoint.to_owned();
                        keep(transaction, &Evidence { at_ms: now, breach, endpoint, sequence, ours, answer })?;
                        contradicted.push(sequence);
                    }
                    continue;
                }
                record.promise = Some(Promise {
                    log_index: acknowledgement.log_index,
                    settle_by_slot: acknowledgement.settle_by_slot,
                    signature: acknowledgement.signature,
                    key: *key,
                    received_ms: now,
                });
                record.stage = record.stage.max(Stage::Acknowledged);
                record.checked_ms = now;
                records.insert(sequence, borsh_bytes(&record).as_slice())?;
                unsettled.insert(sequence, ())?;
            }
            Ok(contradicted)
        })
    }

    /// Writes down how far bundles have come. The receipts of a settled one are dropped: the indexers have them, and
    /// its acknowledgement and one line for each receipt stay.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(crate) fn advance(&self, bundles: &[(u64, Stage, Option<InBatch>)]) -> Result<(), SpoolError> {
        let now = now_ms();
        self.write(|transaction| {
            let mut records = transaction.open_table(RECORDS)?;
            for (sequence, stage, batch) in bundles {
                let mut record = record(&records, *sequence)?;
                record.stage = *stage;
                record.batch = *batch;
                record.checked_ms = now;
                if *stage == Stage::Settled {
                    record.kept = false;
                    transaction.open_table(BUNDLES)?.remove(sequence)?;
                    transaction.open_table(UNSETTLED)?.remove(sequence)?;
                }
                records.insert(*sequence, borsh_bytes(&record).as_slice())?;
            }
            Ok(())
        })
    }

    /// Makes every bundle from `from` on one to be sent again, as it was signed. Gives how many there are.
    ///
    /// # Errors
    /// When there is no such bundle, the receipts of one are no longer here, or the spool cannot be written.
    pub fn reopen(&self, from: u64) -> Result<u64, SpoolError> {
        self.write(|transaction| {
            let records = transaction.open_table(RECORDS)?;
            record(&records, from)?;
            let mut pending = transaction.open_table(PENDING)?;
            let mut count = 0;
            for entry in records.range(from..)? {
                let (sequence, bytes) = entry?;
                let record: BundleRecord = decode(bytes.value(), "bundle record")?;
                if !record.kept {
                    return Err(Fault::Spool(SpoolError::Pruned { sequence: sequence.value() }));
                }
                pending.insert(sequence.value(), ())?;
                count += 1;
            }
            Ok(count)
        })
    }

    /// Keeps an answer that shows a fault.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(crate) fn keep_evidence(&self, evidence: &Evidence) -> Result<(), SpoolError> {
        self.write(|transaction| keep(transaction, evidence))
    }

    /// Every answer that shows a fault, in the order in which they came.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn evidence(&self) -> Result<Vec<Evidence>, SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(EVIDENCE)?;
            table.iter()?.map(|entry| decode(entry?.1.value(), "evidence")).collect()
        })
    }
}

pub(super) fn record(records: &impl ReadableTable<u64, &'static [u8]>, sequence: u64) -> Result<BundleRecord, Fault> {
    let bytes = records.get(sequence)?.ok_or(Fault::Spool(SpoolError::NoBundle { sequence }))?;
    decode(bytes.value(), &format!("record of bundle {sequence}"))
}

fn keep(transaction: &WriteTransaction, evidence: &Evidence) -> Result<(), Fault> {
    let mut table = transaction.open_table(EVIDENCE)?;
    let number = table.last()?.map_or(0, |(last, _)| last.value() + 1);
    // A sequencer that says the same wrong thing at every call says it once.
    for entry in table.iter()?.rev().take(MAX_COMPARED) {
        let known: Evidence = decode(entry?.1.value(), "evidence")?;
        let said = |evidence: &Evidence| (evidence.breach, evidence.sequence, evidence.ours);
        if said(&known) == said(evidence) && known.answer == evidence.answer {
            return Ok(());
        }
    }
    table.insert(number, borsh_bytes(evidence).as_slice())?;
    Ok(())
}

/// Signs every bundle that was never acknowledged with a new key. Their digests stay: this is no second statement.
pub(super) fn sign_again(transaction: &WriteTransaction, key: &NodeKey) -> Result<(), Fault> {
    let records = transaction.open_table(RECORDS)?;
    let mut bundles = transaction.open_table(BUNDLES)?;
    for entry in transaction.open_table(PENDING)?.iter()? {
        let sequence = entry?.0.value();
        let BundleRecord { digest, promise, .. } = record(&records, sequence)?;
        let bytes = bundles.get(sequence)?.map(|bytes| bytes.value().to_vec());
        let (None, Some(bytes)) = (promise, bytes) else { continue };
        let bundle: BundleData = decode(&bytes, &format!("bundle {sequence}"))?;
        let signed = BundleData { signature: key.sign(&digest), ..bundle };
        bundles.insert(sequence, borsh_bytes(&signed).as_slice())?;
    }
    Ok(())
}
