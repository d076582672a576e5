//! Reads WARC files and makes a receipt of every fetch in them.
//!
//! WARC 1.0 and 1.1, plain or gzip, are read as they stream by: no payload, and no file, is ever held in memory. Every
//! HTTP `response`, and every `revisit` whose earlier capture is in the inputs, gives one receipt; every other record
//! is counted and named in the [`Report`]. The same inputs give the same receipts, in the same order.
//!
//! The payload is the HTTP body with its transfer coding removed, content coding kept, as WARC defines it.

mod assemble;
mod body;
mod chunked;
mod digests;
mod domain;
mod fetch;
mod framing;
mod header;
mod http;
mod media;
mod memory;
mod read;
mod report;
mod resolve;
mod robots;
mod signals;
mod source;

pub use digests::PayloadDigests;
pub use memory::{Key, Memory, Remembered};
pub use report::{Note, Oddity, Reason, Report, Skipped};

use cairn_types::{Digest, Receipt};
use fetch::{Fetch, Request};
use framing::{Break, Records, Step};
use read::Entry;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the receipts say that no WARC file does.
#[derive(Debug, Clone)]
pub struct Options {
    /// The rollup that the receipts are for.
    pub rollup_id: Digest,
    /// The node that fetched.
    pub node_index: u32,
    /// Name of the crawl job, at most 255 bytes.
    pub job: Option<String>,
}

/// An input, and what to read of it.
#[derive(Debug)]
pub struct Input<R> {
    /// Name of the file.
    pub name: String,
    /// The file.
    pub reader: R,
    /// Offset of the first record to read; 0 for all of them.
    pub start: u64,
    /// Whether the file may still grow: a record that its end cuts off, and whatever shares its gzip member, is then
    /// left alone, as if the file ended before it.
    pub grows: bool,
}

/// Receipts of some files, and what was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Crawl {
    /// In order of fetch time; those of one time in order of file and offset.
    pub receipts: Vec<Receipt>,
    /// Everything that gave no receipt, and everything odd.
    pub report: Report,
}

/// Hears how far reading has come.
pub trait Progress {
    /// So many bytes are to be read in all.
    fn expect(&self, bytes: u64);
    /// So many more bytes were read.
    fn advance(&self, bytes: u64);
}

/// Hears nothing.
impl Progress for () {
    fn expect(&self, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// Why a file could not be read. Damage inside a file is no error: it is in the [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read {name}")]
    Read {
        /// Name of the file.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Reads files. Revisits find their captures, responses their requests, and fetches their robots.txt in any of them.
///
/// # Errors
/// When a file cannot be opened or read.
pub fn read_files<P: AsRef<Path>>(paths: &[P], options: &Options, progress: &dyn Progress) -> Result<Crawl, ReadError> {
    let mut inputs = Vec::with_capacity(paths.len());
    let mut total = 0;
    for path in paths {
        let path = path.as_ref();
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        total += length;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        inputs.push((name, file));
    }
    progress.expect(total);
    read_inputs(inputs, options, progress)
}

/// As [`read_files`], of named inputs that are open.
///
/// # Errors
/// When an input cannot be read.
pub fn read_inputs<R: Read + Seek>(
    inputs: Vec<(String, R)>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Crawl, ReadError> {
    let whole = |(name, reader)| Input { name, reader, start: 0, grows: false };
    read_parts(inputs.into_iter().map(whole).collect(), options, progress)
}

/// As [`read_inputs`], of parts of inputs. [`Report::read_to`] says how far each was read.
///
/// # Errors
/// When an input cannot be read.
pub fn read_parts<R: Read + Seek>(
    inputs: Vec<Input<R>>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Crawl, ReadError> {
    read_on(inputs, &(), options, progress).map(|(crawl, _)| crawl)
}

/// As [`read_parts`], where revisits find their captures, and fetches their robots.txt, in `memory` too. Also gives what
/// is to be remembered of these inputs.
///
/// # Errors
/// When an input or the memory cannot be read.
pub fn read_on<R: Read + Seek>(
    inputs: Vec<Input<R>>,
    memory: &dyn Memory,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Crawl, Vec<Remembered>), ReadError> {
    let mut report = Report::default();
    let mut fetches = Vec::new();
    let mut requests = Vec::new();
    for (index, Input { name, reader, start, grows }) in inputs.into_iter().enumerate() {
        report.files.push((Arc::from(name.as_str()), 0));
        report.read_to.push(start);
        let mut file = Reading { index, grows, report: &mut report, fetches: &mut fetches, requests: &mut requests };
        file.read(reader, start, progress).map_err(|source| ReadError::Read { name, source })?;
    }
    let remembered = fetches.iter().filter_map(memory::remember).collect();
    let failed = |source| ReadError::Read { name: "what is remembered of earlier files".to_owned(), source };
    memory::recall(&mut fetches, memory).map_err(failed)?;
    Ok((assemble::assemble(&fetches, &requests, report, options), remembered))
}

/// One file on its way into memory.
struct Reading<'a> {
    index: usize,
    grows: bool,
    report: &'a mut Report,
    fetches: &'a mut Vec<Fetch>,
    requests: &'a mut Vec<Request>,
}

impl Reading<'_> {
    fn read<R: Read + Seek>(&mut self, input: R, start: u64, progress: &dyn Progress) -> std::io::Result<()> {
        let mut records = Records::starting_at(input, start)?;
        let mut position = start;
        let mut unread = None;
        while let Some(step) = records.next(|header, block| Entry::read(self.index, header, block))? {
            match step {
                Step::Record { place, odd_boundary, value } => self.take(value, place, odd_boundary),
                Step::Broken { offset, why: Break::CutOff, .. } if self.grows => {
                    self.leave(offset);
                    unread = Some(offset);
                }
                Step::Broken { offset, why, resumed } => self.broken(offset, &why, resumed),
            }
            progress.advance(records.position().saturating_sub(position));
            position = position.max(records.position());
        }
        // Line ends after the last record belong to no step.
        position = position.max(records.position());
        if let Some((_, bytes)) = self.report.files.get_mut(self.index) {
            *bytes = position;
        }
        if let Some(read_to) = self.report.read_to.get_mut(self.index) {
            *read_to = unread.unwrap_or(position);
        }
        Ok(())
    }

    /// Forgets what was read of this file from `offset` on.
    fn leave(&mut self, offset: u64) {
        let stays = |at: (usize, u64)| at.0 != self.index || at.1 < offset;
        let file = self.report.files.get(self.index).map(|(name, _)| Arc::clone(name));
        self.fetches.retain(|fetch| stays(fetch.at));
        self.requests.retain(|request| stays(request.at));
        self.report.skipped.retain(|skipped| {
            file.as_ref().is_none_or(|file| !Arc::ptr_eq(file, &skipped.file)) || skipped.offset < offset
        });
    }

    fn take(&mut self, entry: Entry, place: framing::Place, odd_boundary: bool) {
        let at = (self.index, place.offset);
        match entry {
            Entry::Fetch(mut fetch) => {
                (fetch.at, fetch.length) = (at, place.length);
                if odd_boundary {
                    fetch.found.push((Oddity::Boundary, None));
                }
                self.fetches.push(*fetch);
            }
            Entry::Request(mut request) => {
                request.at = at;
                self.report.skip(at, Reason::Request, request.target.clone());
                self.requests.push(request);
            }
            Entry::Skip(reason, detail) => self.report.skip(at, reason, detail),
        }
    }

    fn broken(&mut self, offset: u64, why: &Break, resumed: Option<u64>) {
        let reason = match why {
            Break::CutOff => Reason::CutOff,
            Break::Arc => Reason::Arc,
            Break::Zstd => Reason::Compression,
            Break::EmptyMember => Reason::EmptyMember,
            Break::Malformed(_) => Reason::Malformed,
        };
        let detail = match resumed {
            Some(resumed) => format!("{why}; reading went on at {resumed}"),
            None => format!("{why}; the rest of the file is not read"),
        };
        self.report.skip((self.index, offset), reason, Some(detail));
    }
}
