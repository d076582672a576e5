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
mod read;
mod report;
mod resolve;
mod robots;
mod signals;
mod source;

pub use digests::PayloadDigests;
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
    let mut report = Report::default();
    let mut fetches = Vec::new();
    let mut requests = Vec::new();
    for (index, (name, input)) in inputs.into_iter().enumerate() {
        report.files.push((Arc::from(name.as_str()), 0));
        let mut file = Reading { index, report: &mut report, fetches: &mut fetches, requests: &mut requests };
        file.read(input, progress).map_err(|source| ReadError::Read { name, source })?;
    }
    Ok(assemble::assemble(&fetches, &requests, report, options))
}

/// One file on its way into memory.
struct Reading<'a> {
    index: usize,
    report: &'a mut Report,
    fetches: &'a mut Vec<Fetch>,
    requests: &'a mut Vec<Request>,
}

impl Reading<'_> {
    fn read<R: Read + Seek>(&mut self, input: R, progress: &dyn Progress) -> std::io::Result<()> {
        let mut records = Records::new(input)?;
        let mut position = 0;
        while let Some(step) = records.next(|header, block| Entry::read(self.index, header, block))? {
            match step {
                Step::Record { place, odd_boundary, value } => self.take(value, place, odd_boundary),
                Step::Broken { offset, why, resumed } => self.broken(offset, &why, resumed),
            }
            progress.advance(records.position().saturating_sub(position));
            position = position.max(records.position());
        }
        if let Some((_, bytes)) = self.report.files.get_mut(self.index) {
            *bytes = position;
        }
        Ok(())
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
            Entry::Request(request) => {
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
