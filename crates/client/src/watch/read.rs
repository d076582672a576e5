//! Reads what is new in finished files, and takes their receipts into the spool in one write.

use super::find::Candidate;
use crate::clock::now_ms;
use crate::spool::{Enqueued, FileRecord, Spool, SpoolError};
use crate::warc::{self, Input, Options, Progress, Report};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes hashed at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// A file that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// What reading some files came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files of which something was read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Receipts taken into the spool.
    pub enqueued: Enqueued,
    /// What gave no receipt, and everything odd.
    pub report: Report,
    /// Files to be tried again later.
    pub unreadable: Vec<Unreadable>,
}

/// A file, and what of it is to be read.
struct Part {
    candidate: Candidate,
    file: File,
    start: u64,
    digest: [u8; 32],
}

/// Reads the records of `candidates` that were never read, and takes their receipts into the spool, which then knows the
/// files as read: both or neither. Revisits find their captures, and fetches their robots.txt, in any of the files and in
/// those that were read before.
///
/// # Errors
/// When the spool fails. A file that cannot be read is in the outcome, and the others are read.
pub fn read(
    spool: &Spool,
    candidates: Vec<Candidate>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Outcome, SpoolError> {
    let mut outcome = Outcome::default();
    let mut parts = Vec::with_capacity(candidates.len());
    let unfinished = spool.unfinished()?;
    for candidate in candidates {
        match part(spool, &candidate, &unfinished)? {
            Ok(part) => parts.push(part),
            Err(error) => outcome.unreadable.push(Unreadable { path: candidate.path, error }),
        }
    }
    progress.expect(parts.iter().map(|part| part.candidate.size - part.start).sum());
    match take(spool, &parts, options, progress, &mut outcome)? {
        Ok(()) => {}
        // One file is in the way of the others: each by itself.
        Err(_) => {
            for part in &parts {
                if let Err(error) = take(spool, std::slice::from_ref(part), options, &(), &mut outcome)? {
                    outcome.unreadable.push(Unreadable { path: part.candidate.path.clone(), error });
                }
            }
        }
    }
    Ok(outcome)
}

/// Opens a file and finds out how much of it was read before, maybe under another name.
fn part(spool: &Spool, candidate: &Candidate, unfinished: &[u64]) -> Result<io::Result<Part>, SpoolError> {
    let known = spool.file(&candidate.path)?.map(|record| record.read_to);
    let mut lengths: Vec<u64> = unfinished.iter().copied().chain(known).chain([candidate.size]).collect();
    lengths.retain(|length| *length <= candidate.size);
    lengths.sort_unstable();
    lengths.dedup();
    let opened = File::open(&candidate.path).and_then(|mut file| {
        let digests = digests(&mut file, &lengths)?;
        Ok((file, digests))
    });
    let (file, digests) = match opened {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(error)),
    };
    let mut start = 0;
    for (length, digest) in lengths.iter().zip(&digests) {
        if *length > 0 && spool.has_content(digest, *length)? {
            start = *length;
        }
    }
    let digest = digests.last().copied().unwrap_or_default();
    Ok(Ok(Part { candidate: candidate.clone(), file, start, digest }))
}

/// Reads `parts` and writes down what comes of it, or says why one of them cannot be read.
fn take(
    spool: &Spool,
    parts: &[Part],
    options: &Options,
    progress: &dyn Progress,
    outcome: &mut Outcome,
) -> Result<io::Result<()>, SpoolError> {
    let inputs = parts.iter().map(|part| {
        let name = file_name(&part.candidate.path);
        let reader = Bounded { file: &part.file, at: 0, end: part.candidate.size };
        Input { name, reader, start: part.start, grows: true }
    });
    let (crawl, remembered) = match warc::read_on(inputs.collect(), spool, options, progress) {
        Ok(read) => read,
        Err(warc::ReadError::Open { source, .. } | warc::ReadError::Read { source, .. }) => return Ok(Err(source)),
    };
    let now = now_ms();
    let mut read = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let read_to = crawl.report.read_to.get(index).copied().unwrap_or(part.start);
        let mut digest = part.digest;
        if read_to != part.candidate.size {
            match digests(&mut &part.file, &[read_to]) {
                Ok(digests) => digest = digests.first().copied().unwrap_or_default(),
                Err(error) => return Ok(Err(error)),
            }
        }
        let of_file = |file: &str| *file == *file_name(&part.candidate.path);
        let record = FileRecord {
            size: part.candidate.size,
            modified_ns: part.candidate.modified_ns,
            read_to,
            digest,
            receipts: crawl.receipts.iter().filter(|r| r.locator.as_ref().is_some_and(|l| of_file(&l.file))).count()
                as u64,
            oddities: crawl.report.skipped.iter().filter(|s| of_file(&s.file) && !s.reason.is_ordinary()).count()
                as u64,
            read_ms: now,
        };
        outcome.bytes += read_to - part.start;
        outcome.files += u64::from(read_to > part.start);
        read.push((part.candidate.path.clone(), record));
    }
    let enqueued = spool.take_in(&crawl.receipts, false, &read, &remembered)?;
    outcome.enqueued.receipts += enqueued.receipts;
    outcome.enqueued.known += enqueued.known;
    outcome.report.add(crawl.report);
    Ok(Ok(()))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// BLAKE3 of the first bytes of a file, for each of these ascending lengths.
fn digests<R: Read + Seek>(file: &mut R, lengths: &[u64]) -> io::Result<Vec<[u8; 32]>> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut at = 0;
    let mut digests = Vec::with_capacity(lengths.len());
    for length in lengths {
        while at < *length {
            let wanted = usize::try_from(*length - at).unwrap_or(usize::MAX).min(buffer.len());
            match file.read(&mut buffer[..wanted])? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
                n => {
                    hasher.update(&buffer[..n]);
                    at += n as u64;
                }
            }
        }
        digests.push(*hasher.finalize().as_bytes());
    }
    Ok(digests)
}

/// A file as long as it was when it was found, whatever is written to it since.
struct Bounded<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.file.read(&mut buffer[..room])?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Bounded<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let position = match position {
            SeekFrom::End(offset) => SeekFrom::Start(self.end.saturating_add_signed(offset)),
            other => other,
        };
        self.at = self.file.seek(position)?;
        Ok(self.at)
    }
}
