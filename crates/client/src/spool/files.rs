//! Which files were read, and how far.

use super::record::FileRecord;
use super::table::{CONTENTS, FILES};
use super::{Fault, Spool, SpoolError, borsh_bytes, decode};
use redb::{ReadableTable, WriteTransaction};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A file that was read: its path, and what the spool keeps about it.
pub type Read = (PathBuf, FileRecord);

/// Whether a file may hold records that were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is as it was when it was read.
    Unchanged,
    /// It may.
    Changed,
}

impl Spool {
    /// What is known of the file at `path`.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn file(&self, path: &Path) -> Result<Option<FileRecord>, SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(FILES)?;
            let Some(bytes) = table.get(path.as_os_str().as_bytes())? else { return Ok(None) };
            decode(bytes.value(), "file").map(Some)
        })
    }

    /// Whether the file at `path`, now of this length and last written to then, is as it was when it was read.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn seen(&self, path: &Path, size: u64, modified_ns: u64) -> Result<Seen, SpoolError> {
        let same = |record: FileRecord| (record.size, record.modified_ns) == (size, modified_ns);
        Ok(if self.file(path)?.is_some_and(same) { Seen::Unchanged } else { Seen::Changed })
    }

    /// Lengths to which files were read that went on behind with something that was not whole.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn unfinished(&self) -> Result<Vec<u64>, SpoolError> {
        let files = self.files()?;
        Ok(files.into_iter().filter(|(_, file)| file.read_to < file.size).map(|(_, file)| file.read_to).collect())
    }

    /// Every file that was read.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn files(&self) -> Result<Vec<Read>, SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(FILES)?;
            let mut files = Vec::new();
            for entry in table.iter()? {
                let (path, bytes) = entry?;
                files.push((PathBuf::from(OsStr::from_bytes(path.value())), decode(bytes.value(), "file")?));
            }
            Ok(files)
        })
    }

    /// Whether a file that begins with these bytes was read as far as these: their digest, and how many they are.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn has_content(&self, digest: &[u8; 32], bytes: u64) -> Result<bool, SpoolError> {
        self.read(|transaction| Ok(transaction.open_table(CONTENTS)?.get((digest, bytes))?.is_some()))
    }
}

/// Notes files as read.
pub(super) fn note(transaction: &WriteTransaction, read: &[Read]) -> Result<(), Fault> {
    let mut files = transaction.open_table(FILES)?;
    let mut contents = transaction.open_table(CONTENTS)?;
    for (path, record) in read {
        let path = path.as_os_str().as_bytes();
        files.insert(path, borsh_bytes(record).as_slice())?;
        contents.insert((&record.digest, record.read_to), path)?;
    }
    Ok(())
}
