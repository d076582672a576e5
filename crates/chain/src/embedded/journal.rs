//! `transactions.jsonl`: one line per executed transaction, for people and tools.
//!
//! The state file is what counts; the log follows it. A line is appended after the state that contains its
//! transaction is durable. A crash in between leaves the log one line short, or with part of that line: opening
//! cuts the log where the state says and appends the line that the state carries.

use super::state::Ledger;
use crate::{REMEMBERED_SIGNATURES, Signature, TransactionFailure};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

pub(super) const LOG_FILE: &str = "transactions.jsonl";
/// The log collector stops at 10,000 bytes; escapes and the rest of a line fit many times.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// A line of `transactions.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// First signature of the transaction, base58.
    pub signature: String,
    /// The slot it executed in.
    pub slot: u64,
    /// The chain's clock, in seconds since the Unix epoch.
    pub unix_time: i64,
    /// Size on the wire, in bytes.
    pub size: usize,
    /// Units it consumed.
    pub compute_units: u64,
    /// Fee in lamports.
    pub fee: u64,
    /// Why it failed; `null` when it did not.
    pub error: Option<TransactionFailure>,
    /// The same in the cluster's own form, which RPC answers carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_error: Option<serde_json::Value>,
    /// Lamports of the accounts that the message names, in its order, before the transaction.
    #[serde(default)]
    pub pre_balances: Vec<u64>,
    /// The same, after it.
    #[serde(default)]
    pub post_balances: Vec<u64>,
    /// The transaction as it went over the wire, in base64.
    #[serde(default)]
    pub transaction: String,
    /// What the programs logged.
    pub logs: Vec<String>,
}

/// Where the line of a signature is.
#[derive(Debug, Clone, Copy)]
struct Position {
    offset: u64,
    length: u64,
}

/// Remembers the outcomes of the newest [`REMEMBERED_SIGNATURES`] transactions; the lines themselves stay on disk.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    positions: HashMap<[u8; 64], Position>,
    order: VecDeque<[u8; 64]>,
    /// Bytes indexed so far.
    end: u64,
}

/// Why a transaction log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is shorter than the state says.
    #[error("it has {found} bytes and the state file knows of {wanted}: lines were lost, restore both files together")]
    Short {
        /// Its bytes.
        found: u64,
        /// Bytes by the state.
        wanted: u64,
    },
    /// A line is not a transaction.
    #[error("the line at byte {offset} is not a transaction: {reason}")]
    Line {
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl Journal {
    /// Brings the log in `dir` to what `ledger` says, and reads it.
    pub fn repair(dir: &Path, ledger: &Ledger) -> Result<Self, JournalError> {
        let path = dir.join(LOG_FILE);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        let found = file.metadata()?.len();
        if found < ledger.logged {
            return Err(JournalError::Short { found, wanted: ledger.logged });
        }
        file.seek(SeekFrom::Start(ledger.logged))?;
        let mut tail = Vec::new();
        Read::by_ref(&mut file).take(MAX_LINE_BYTES).read_to_end(&mut tail)?;
        if tail != ledger.last_line {
            file.set_len(ledger.logged)?;
            file.seek(SeekFrom::Start(ledger.logged))?;
            file.write_all(&ledger.last_line)?;
            file.sync_all()?;
        }
        let mut journal = Self::empty(path);
        journal.index(ledger.logged.saturating_add(ledger.last_line.len() as u64))?;
        Ok(journal)
    }

    /// A journal that has read nothing yet.
    pub fn empty(path: PathBuf) -> Self {
        Self { path, positions: HashMap::new(), order: VecDeque::new(), end: 0 }
    }

    /// Indexes the lines up to byte `end`.
    pub fn index(&mut self, end: u64) -> Result<(), JournalError> {
        if end <= self.end {
            return Ok(());
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.end))?;
        let mut lines = BufReader::new(file.take(end - self.end));
        let mut line = Vec::new();
        while self.end < end {
            line.clear();
            Read::by_ref(&mut lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
            let bad = |reason: &str| JournalError::Line { offset: self.end, reason: reason.to_owned() };
            if line.last() != Some(&b'\n') {
                return Err(bad("it does not end"));
            }
            let record: Named<'_> = serde_json::from_slice(&line).map_err(|error| bad(&error.to_string()))?;
            let signature: Signature = record.signature.parse().map_err(|_| bad("its signature is not base58"))?;
            self.remember(signature, line.len() as u64);
        }
        Ok(())
    }

    /// Appends the line whose state is already durable.
    pub fn append(&mut self, signature: Signature, line: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(line)?;
        file.sync_all()?;
        self.remember(signature, line.len() as u64);
        Ok(())
    }

    fn remember(&mut self, signature: Signature, length: u64) {
        if self.order.len() >= REMEMBERED_SIGNATURES
            && let Some(oldest) = self.order.pop_front()
        {
            self.positions.remove(&oldest);
        }
        self.positions.insert(signature.0, Position { offset: self.end, length });
        self.order.push_back(signature.0);
        self.end = self.end.saturating_add(length);
    }

    /// Bytes of the log so far.
    pub fn end(&self) -> u64 {
        self.end
    }

    pub fn knows(&self, signature: &Signature) -> bool {
        self.positions.contains_key(&signature.0)
    }

    /// The line of a signature.
    pub fn read(&self, signature: &Signature) -> Result<Option<Record>, JournalError> {
        let Some(position) = self.positions.get(&signature.0) else { return Ok(None) };
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(position.offset))?;
        let mut line = Vec::new();
        file.take(position.length).read_to_end(&mut line)?;
        parse(&line, position.offset).map(Some)
    }
}

/// The only part of a line that indexing needs.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    signature: &'a str,
}

pub(super) fn parse(line: &[u8], offset: u64) -> Result<Record, JournalError> {
    serde_json::from_slice(line).map_err(|error| JournalError::Line { offset, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::slots::Genesis;
    use std::io::BufWriter;

    fn signature(index: u64) -> Signature {
        let mut bytes = [7; 64];
        bytes[..8].copy_from_slice(&index.to_le_bytes());
        Signature(bytes)
    }

    fn line(index: u64) -> Vec<u8> {
        let record = Record {
            signature: signature(index).to_string(),
            slot: index,
            unix_time: 0,
            size: 200,
            compute_units: 1,
            fee: 5_000,
            error: None,
            cluster_error: None,
            pre_balances: vec![],
            post_balances: vec![],
            transaction: String::new(),
            logs: vec!["line\n".to_owned()],
        };
        [serde_json::to_vec(&record).unwrap(), b"\n".to_vec()].concat()
    }

    #[test]
    fn the_newest_200_000_signatures_are_remembered_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let total = REMEMBERED_SIGNATURES as u64 + 10;
        let mut file = BufWriter::new(File::create(dir.path().join(LOG_FILE)).unwrap());
        let mut logged = 0;
        for index in 0..total - 1 {
            let line = line(index);
            logged += line.len() as u64;
            file.write_all(&line).unwrap();
        }
        file.flush().unwrap();
        let genesis = Genesis { hash: [0; 32], slot: 0, unix_ms: 0 };
        let last_line = line(total - 1);
        let ledger = Ledger { genesis, slot: total, unix_ms: 0, transactions: total, logged, last_line };
        let journal = Journal::repair(dir.path(), &ledger).unwrap();
        for index in [10, 11, total / 2, total - 2, total - 1] {
            assert!(journal.knows(&signature(index)), "{index}");
            assert_eq!(journal.read(&signature(index)).unwrap().unwrap().slot, index);
        }
        assert!(!journal.knows(&signature(9)));
        const { assert!(REMEMBERED_SIGNATURES >= 100_000) };
    }
}
