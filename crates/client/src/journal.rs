//! What a node has submitted: every bundle before it is sent, every acknowledgement after it came.
//!
//! The journal is one file, a `redb` database; each change is on disk before the call returns. A crash between sending
//! and acknowledging leaves the bundle pending: the same bytes are sent again, and the sequencer answers with the
//! original acknowledgement. Bundles stay in the journal after they were acknowledged.

use cairn_proto::v1::{self, SubmitBundleRequest};
use cairn_proto::{Acknowledgement, FieldError, Submission};
use cairn_types::limits::MAX_COUNTER;
use cairn_types::{BundleData, Digest, Receipt};
use prost::Message;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::{Path, PathBuf};

/// `name -> value`: the format, and whom the journal is for.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// `sequence -> SubmitBundleRequest`, encoded.
const BUNDLES: TableDefinition<u64, &[u8]> = TableDefinition::new("bundles");
/// `sequence -> Acknowledgement`, encoded.
const ACKNOWLEDGEMENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("acknowledgements");
/// `receipt digest -> sequence` of the first bundle that holds it.
const RECEIPTS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("receipts");

const FORMAT: &[u8] = b"cairn journal 1";

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("journal {path} is in use by another process: wait for it, or name another journal")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is for another rollup or node.
    #[error("journal {path} is for another {what}: name another journal for this one")]
    Other {
        /// The file.
        path: PathBuf,
        /// `rollup`, `node` or `format`.
        what: &'static str,
    },
    /// The file cannot be read or written.
    #[error("journal {path} cannot be read or written")]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<redb::Error>,
    },
    /// An entry is damaged.
    #[error("journal {path}: the entry of sequence {sequence} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Of the bundle.
        sequence: u64,
    },
    /// A bundle does not follow the last one.
    #[error("bundle {sequence} cannot be journalled: the next one is {expected}")]
    Order {
        /// Of the bundle.
        sequence: u64,
        /// What must come.
        expected: u64,
    },
}

/// A node's journal for one rollup.
#[derive(Debug)]
pub struct Journal {
    database: Database,
    path: PathBuf,
    rollup_id: Digest,
    node_index: u32,
}

impl Journal {
    /// Opens the journal of `node_index` in the rollup, making it if it is not there.
    ///
    /// # Errors
    /// When it is in use, cannot be read, or is for another rollup or node.
    pub fn open(path: &Path, rollup_id: Digest, node_index: u32) -> Result<Self, JournalError> {
        let database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => JournalError::InUse { path: path.to_owned() },
            other => JournalError::Store { path: path.to_owned(), source: Box::new(other.into()) },
        })?;
        let journal = Self { database, path: path.to_owned(), rollup_id, node_index };
        journal.check_meta()?;
        Ok(journal)
    }

    fn check_meta(&self) -> Result<(), JournalError> {
        let rollup = self.rollup_id.to_bytes();
        let node = self.node_index.to_be_bytes();
        let expected: [(&'static str, &[u8]); 3] = [("format", FORMAT), ("rollup", &rollup), ("node", &node)];
        let differing = self.store(|| {
            let transaction = self.database.begin_write()?;
            let mut differing = None;
            {
                let mut meta = transaction.open_table(META)?;
                transaction.open_table(BUNDLES)?;
                transaction.open_table(ACKNOWLEDGEMENTS)?;
                transaction.open_table(RECEIPTS)?;
                let is_new = meta.get("format")?.is_none();
                for (name, value) in expected {
                    if is_new {
                        meta.insert(name, value)?;
                    } else if meta.get(name)?.is_none_or(|found| found.value() != value) {
                        differing = differing.or(Some(name));
                    }
                }
            }
            transaction.commit()?;
            Ok(differing)
        })?;
        match differing {
            Some(what) => Err(JournalError::Other { path: self.path.clone(), what }),
            None => Ok(()),
        }
    }

    /// The rollup it is for.
    #[must_use]
    pub const fn rollup_id(&self) -> Digest {
        self.rollup_id
    }

    /// The node it is for.
    #[must_use]
    pub const fn node_index(&self) -> u32 {
        self.node_index
    }

    /// Sequence after the last journalled bundle; `None` in an empty journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn next_sequence(&self) -> Result<Option<u64>, JournalError> {
        self.store(|| {
            let bundles = self.database.begin_read()?.open_table(BUNDLES)?;
            Ok(bundles.last()?.map(|(sequence, _)| sequence.value() + 1))
        })
    }

    /// Which of the receipts with these digests are in a journalled bundle.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn known(&self, digests: &[Digest]) -> Result<Vec<bool>, JournalError> {
        self.store(|| {
            let receipts = self.database.begin_read()?.open_table(RECEIPTS)?;
            digests.iter().map(|digest| Ok(receipts.get(&digest.to_bytes())?.is_some())).collect()
        })
    }

    /// Writes bundles down, all or none of them, before they are sent. The first may have any sequence in an empty
    /// journal; otherwise sequences go on from the last one.
    ///
    /// # Errors
    /// When they do not follow, or the journal cannot be written.
    pub fn append(&self, bundles: &[BundleData]) -> Result<(), JournalError> {
        let mut next = self.next_sequence()?;
        for bundle in bundles {
            let expected = next.unwrap_or(bundle.sequence);
            if bundle.sequence != expected || expected >= MAX_COUNTER {
                return Err(JournalError::Order { sequence: bundle.sequence, expected });
            }
            next = Some(expected + 1);
        }
        self.store(|| {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(BUNDLES)?;
                let mut receipts = transaction.open_table(RECEIPTS)?;
                for bundle in bundles {
                    let submission = Submission { rollup_id: self.rollup_id, bundle: bundle.clone() };
                    table.insert(bundle.sequence, SubmitBundleRequest::from(submission).encode_to_vec().as_slice())?;
                    for record in &bundle.records {
                        let digest = Receipt::digest_of(&record.receipt).to_bytes();
                        if receipts.get(&digest)?.is_none() {
                            receipts.insert(&digest, bundle.sequence)?;
                        }
                    }
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Sequences of the bundles without an acknowledgement, in order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn pending(&self) -> Result<Vec<u64>, JournalError> {
        self.store(|| {
            let transaction = self.database.begin_read()?;
            let acknowledged = transaction.open_table(ACKNOWLEDGEMENTS)?;
            let mut pending = Vec::new();
            for entry in transaction.open_table(BUNDLES)?.iter()? {
                let sequence = entry?.0.value();
                if acknowledged.get(sequence)?.is_none() {
                    pending.push(sequence);
                }
            }
            Ok(pending)
        })
    }

    /// A journalled bundle.
    ///
    /// # Errors
    /// When it is not there, damaged, or the journal cannot be read.
    pub fn bundle(&self, sequence: u64) -> Result<Submission, JournalError> {
        let bytes = self.store(|| {
            let bundles = self.database.begin_read()?.open_table(BUNDLES)?;
            Ok(bundles.get(sequence)?.map(|bytes| bytes.value().to_vec()))
        })?;
        let damaged = || JournalError::Damaged { path: self.path.clone(), sequence };
        let request = SubmitBundleRequest::decode(bytes.ok_or_else(damaged)?.as_slice()).map_err(|_| damaged())?;
        let submission = Submission::try_from(request).map_err(|_: FieldError| damaged())?;
        let bundle = &submission.bundle;
        let ours = submission.rollup_id == self.rollup_id
            && (bundle.node_index, bundle.sequence) == (self.node_index, sequence);
        ours.then_some(submission).ok_or_else(damaged)
    }

    /// Writes an acknowledgement down.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn acknowledge(&self, acknowledgement: &Acknowledgement) -> Result<(), JournalError> {
        let bytes = v1::Acknowledgement::from(*acknowledgement).encode_to_vec();
        self.store(|| {
            let transaction = self.database.begin_write()?;
            transaction.open_table(ACKNOWLEDGEMENTS)?.insert(acknowledgement.sequence, bytes.as_slice())?;
            transaction.commit()?;
            Ok(())
        })
    }

    /// The acknowledgement of a bundle, if it came.
    ///
    /// # Errors
    /// When it is damaged or the journal cannot be read.
    pub fn acknowledgement(&self, sequence: u64) -> Result<Option<Acknowledgement>, JournalError> {
        let bytes = self.store(|| {
            let table = self.database.begin_read()?.open_table(ACKNOWLEDGEMENTS)?;
            Ok(table.get(sequence)?.map(|bytes| bytes.value().to_vec()))
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        let damaged = || JournalError::Damaged { path: self.path.clone(), sequence };
        let message = v1::Acknowledgement::decode(bytes.as_slice()).map_err(|_| damaged())?;
        Acknowledgement::try_from(message).map(Some).map_err(|_| damaged())
    }

    fn store<T>(&self, run: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, JournalError> {
        run().map_err(|source| JournalError::Store { path: self.path.clone(), source: Box::new(source) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundling::{Encoded, Room, bundles};
    use crate::samples::{ROLLUP, receipt};

    fn two_bundles(sequence: u64) -> Vec<BundleData> {
        let receipts = (0..3).map(|n| Encoded::of(&receipt(n, n)).unwrap()).collect();
        bundles(receipts, 7, sequence, Room { receipts: 2, bytes: 1 << 20 }).unwrap()
    }

    fn acknowledgement(bundle: &BundleData) -> Acknowledgement {
        Acknowledgement {
            log_index: 100 + bundle.sequence,
            node_index: 7,
            sequence: bundle.sequence,
            bundle_digest: bundle.statement(&ROLLUP).unwrap().digest(),
            duplicate: false,
        }
    }

    #[test]
    fn bundles_survive_reopening_and_stay_pending_until_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let bundles = two_bundles(5);
        {
            let journal = Journal::open(&path, ROLLUP, 7).unwrap();
            assert_eq!(journal.next_sequence().unwrap(), None);
            journal.append(&bundles).unwrap();
            journal.acknowledge(&acknowledgement(&bundles[0])).unwrap();
        }
        let journal = Journal::open(&path, ROLLUP, 7).unwrap();
        assert_eq!(journal.next_sequence().unwrap(), Some(7));
        assert_eq!(journal.pending().unwrap(), [6]);
        assert_eq!(journal.bundle(6).unwrap().bundle, bundles[1]);
        assert_eq!(journal.acknowledgement(5).unwrap(), Some(acknowledgement(&bundles[0])));
        assert_eq!(journal.acknowledgement(6).unwrap(), None);
        let digests: Vec<_> = (0..4).map(|n| Receipt::digest_of(&receipt(n, n).encode().unwrap())).collect();
        assert_eq!(journal.known(&digests).unwrap(), [true, true, true, false]);
    }

    #[test]
    fn a_journal_is_for_one_rollup_and_one_node() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(Journal::open(&path, ROLLUP, 7).unwrap());
        let other = Digest::constant([9, 9, 9, 9]);
        assert!(matches!(Journal::open(&path, other, 7), Err(JournalError::Other { what: "rollup", .. })));
        assert!(matches!(Journal::open(&path, ROLLUP, 8), Err(JournalError::Other { what: "node", .. })));
        let _open = Journal::open(&path, ROLLUP, 7).unwrap();
        assert!(matches!(Journal::open(&path, ROLLUP, 7), Err(JournalError::InUse { .. })));
    }

    #[test]
    fn bundles_must_follow_one_another() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal"), ROLLUP, 7).unwrap();
        journal.append(&two_bundles(5)).unwrap();
        assert!(matches!(journal.append(&two_bundles(6)), Err(JournalError::Order { sequence: 6, expected: 7 })));
        assert!(matches!(journal.append(&two_bundles(8)), Err(JournalError::Order { sequence: 8, expected: 7 })));
        journal.append(&two_bundles(7)).unwrap();
    }

    #[test]
    fn a_file_that_is_no_journal_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, b"WARC/1.0\r\n").unwrap();
        assert!(matches!(Journal::open(&path, ROLLUP, 7), Err(JournalError::Store { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"WARC/1.0\r\n", "what was there is left alone");
    }
}
