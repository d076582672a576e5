//! The state file: everything the embedded chain is, replaced as one.
//!
//! A commit writes a temporary file, syncs it, renames it over `state` and syncs the directory: after a crash at any
//! moment the file is the old state or the new one. It names how long `transactions.jsonl` was before the last
//! transaction and carries that transaction's line, so the log can be brought to match (see `journal.rs`).

use super::slots::Genesis;
use borsh::{BorshDeserialize, BorshSerialize};
use litesvm::LiteSVM;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

pub(super) const STATE_FILE: &str = "state";
pub(super) const TEMPORARY_FILE: &str = "state.tmp";
const MAGIC: [u8; 8] = *b"CAIRNCH1";
const HEADER_BYTES: usize = MAGIC.len() + blake3::OUT_LEN;
/// A state file larger than this is not one of ours.
const MAX_STATE_BYTES: u64 = 1 << 31;

/// All of the state that is not accounts.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Ledger {
    pub genesis: Genesis,
    /// Slot of the last transaction.
    pub slot: u64,
    /// Time of the last transaction, in milliseconds since the Unix epoch.
    pub unix_ms: i64,
    /// Transactions executed so far.
    pub transactions: u64,
    /// Bytes of `transactions.jsonl` before the last transaction's line.
    pub logged: u64,
    /// The last transaction's line, with its newline; empty before the first.
    pub last_line: Vec<u8>,
}

impl Ledger {
    /// The slot now: what the time says, and always past that of the last transaction, whose slot is closed. So every
    /// transaction has a slot of its own, and the same instruction signed twice in a row is two transactions.
    pub fn open_slot(&self, unix_ms: i64) -> u64 {
        self.genesis.slot_at(unix_ms).max(self.slot.saturating_add(1))
    }
}

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as one.
    #[error("it is not a state file of the embedded chain, or one of another version")]
    Magic,
    /// It was changed.
    #[error("its checksum does not match its content")]
    Checksum,
    /// Its content is not what this version writes.
    #[error("it does not decode: {0}")]
    Decode(String),
}

/// The bytes of the state file.
pub(super) fn encode(ledger: &Ledger, svm: &LiteSVM) -> Result<Vec<u8>, StateError> {
    let accounts = litesvm_persistence::to_bytes(svm).map_err(|error| StateError::Decode(error.to_string()))?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + accounts.len() + 4_096);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; blake3::OUT_LEN]);
    borsh::to_writer(&mut bytes, ledger)?;
    bytes.extend_from_slice(&accounts);
    let checksum = blake3::hash(bytes.get(HEADER_BYTES..).unwrap_or_default());
    bytes.splice(MAGIC.len()..HEADER_BYTES, *checksum.as_bytes());
    Ok(bytes)
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<(Ledger, LiteSVM), StateError> {
    let (header, mut body) = bytes.split_at_checked(HEADER_BYTES).ok_or(StateError::Magic)?;
    let (magic, checksum) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(StateError::Magic);
    }
    if blake3::hash(body).as_bytes() != checksum {
        return Err(StateError::Checksum);
    }
    let ledger = Ledger::deserialize(&mut body)?;
    let svm = litesvm_persistence::from_bytes(body).map_err(|error| StateError::Decode(error.to_string()))?;
    Ok((ledger, svm))
}

/// Reads the open state file, whatever happens to its name meanwhile.
pub(super) fn read(file: File) -> Result<(Ledger, LiteSVM), StateError> {
    let mut bytes = Vec::new();
    file.take(MAX_STATE_BYTES).read_to_end(&mut bytes)?;
    decode(&bytes)
}

/// Makes `bytes` the state in `dir`. When this returns `Err`, the old state may or may not have been replaced.
pub(super) fn commit(dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = dir.join(TEMPORARY_FILE);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, dir.join(STATE_FILE))?;
    sync_dir(dir)
}

/// Makes the names in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
