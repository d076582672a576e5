//! Which files of a folder are finished.

use crate::spool::{Seen, Spool, SpoolError};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Folders within folders that are looked into, at most.
const MAX_DEPTH: usize = 16;
const SUFFIXES: [&str; 2] = [".warc", ".warc.gz"];

/// Whether a crawler that is done with a file would leave it under this name.
#[must_use]
pub fn is_warc_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.starts_with('.') && SUFFIXES.iter().any(|suffix| name.ends_with(suffix) && name.len() > suffix.len())
}

/// A finished file that may hold records that were not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub size: u64,
    /// When it was last written to, in ns since the Unix epoch.
    pub modified_ns: u64,
}

/// Looks through a folder, again and again.
#[derive(Debug)]
pub struct Finder {
    folder: PathBuf,
    settle: Duration,
    /// Files as they were last seen, and since when they are so.
    known: HashMap<PathBuf, (u64, u64, Instant)>,
    renamed: HashSet<PathBuf>,
}

impl Finder {
    /// Files in `folder`, at any depth, count as finished when nobody has written to them for `settle`.
    #[must_use]
    pub fn new(folder: &Path, settle: Duration) -> Self {
        Self { folder: folder.to_owned(), settle, known: HashMap::new(), renamed: HashSet::new() }
    }

    /// Counts a file as finished at once, because it was renamed to what it is called now.
    pub fn renamed(&mut self, path: PathBuf) {
        self.renamed.insert(path);
    }

    /// Finished files that the spool has not read as they are now, in order of path, and whether others may follow
    /// without anything happening in the folder.
    ///
    /// # Errors
    /// When the folder or the spool cannot be read.
    pub fn look(&mut self, spool: &Spool) -> Result<(Vec<Candidate>, bool), LookError> {
        let mut found = Vec::new();
        let mut unsettled = false;
        let mut files = Vec::new();
        let failed = |source| LookError::Folder { folder: self.folder.clone(), source };
        walk(&self.folder, 0, &mut files).map_err(failed)?;
        let (now, clock) = (Instant::now(), SystemTime::now());
        let mut known = HashMap::with_capacity(files.len());
        for Candidate { path, size, modified_ns } in files {
            let since = match self.known.get(&path) {
                Some(&(was, written, since)) if (was, written) == (size, modified_ns) => since,
                _ => now,
            };
            known.insert(path.clone(), (size, modified_ns, since));
            if size == 0 || spool.seen(&path, size, modified_ns)? == Seen::Unchanged {
                continue;
            }
            let modified = UNIX_EPOCH + Duration::from_nanos(modified_ns);
            let unwritten = clock.duration_since(modified).unwrap_or_default().max(now - since);
            if self.renamed.remove(&path) || unwritten >= self.settle {
                found.push(Candidate { path, size, modified_ns });
            } else {
                unsettled = true;
            }
        }
        self.renamed.retain(|path| known.contains_key(path));
        self.known = known;
        found.sort();
        Ok((found, unsettled))
    }
}

/// Why a folder cannot be looked through.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It cannot be read.
    #[error("cannot look through {folder}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The spool fails.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Every WARC file below `folder`. What vanishes while it is looked at is not there.
fn walk(folder: &Path, depth: usize, files: &mut Vec<Candidate>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // A link to a file is followed, one to a folder is not: it may lead in a circle.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth < MAX_DEPTH && !name.starts_with('.') {
                match walk(&path, depth + 1, files) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => continue,
                }
            }
        } else if is_warc_name(&name) {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_file() {
                files.push(Candidate { path, size: metadata.len(), modified_ns: modified_ns(&metadata) });
            }
        }
    }
    Ok(())
}

pub(super) fn modified_ns(metadata: &fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_finished_files_are_told_from_those_being_written() {
        let finished = [
            "WEB-20260101000000000-00000-7~crawler~8443.warc.gz",
            "rec-20260101000000-1a2b3c-0.warc.gz",
            "site-00000.warc.gz",
            "site-meta.warc.gz",
            "site.warc",
            "SITE.WARC.GZ",
        ];
        let others = [
            "WEB-20260101000000000-00000-7~crawler~8443.warc.gz.open",
            "WEB-20260101000000000-00000-7~crawler~8443.warc.gz.invalid",
            "rec-0.warc.gz.tmp",
            "rec-0.warc.gz.part",
            ".site.warc.gz.Xa81Bc",
            ".site.warc.gz",
            "site.cdx",
            "site.warc.zst",
            "site.wacz",
            ".warc.gz",
            "warc.gz",
        ];
        for name in finished {
            assert!(is_warc_name(name), "{name}");
        }
        for name in others {
            assert!(!is_warc_name(name), "{name}");
        }
    }
}
