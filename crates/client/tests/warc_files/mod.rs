//! What the tests that read WARC files share.

use cairn_client::warc::{Crawl, Oddity, Options, Reason, read_inputs};
use cairn_types::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;

/// A rollup and a node of the tests' own.
pub fn options() -> Options {
    Options { rollup_id: Digest::from_byte_digest([0x11; 32]), node_index: 7, job: None }
}

/// Path of one of the project's own captures.
#[allow(dead_code)]
pub fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/warc").join(name)
}

/// Reads one file given as bytes.
#[allow(dead_code)]
pub fn read(bytes: &[u8]) -> Crawl {
    read_all(&[("test.warc", bytes)])
}

/// Reads files given as bytes.
#[allow(dead_code)]
pub fn read_all(files: &[(&str, &[u8])]) -> Crawl {
    let inputs = files.iter().map(|(name, bytes)| ((*name).to_owned(), Cursor::new(bytes.to_vec()))).collect();
    read_inputs(inputs, &options(), &()).expect("memory can always be read")
}

/// A record with its boundary, of WARC 1.1 and without a `Content-Length` among `fields`.
#[allow(dead_code)]
pub fn record(fields: &str, block: &[u8]) -> Vec<u8> {
    let mut text = "WARC/1.1\r\n".to_owned();
    for field in fields.lines().map(str::trim).filter(|field| !field.is_empty()) {
        write!(text, "{field}\r\n").expect("strings can be written");
    }
    write!(text, "Content-Length: {}\r\n\r\n", block.len()).expect("strings can be written");
    [text.as_bytes(), block, b"\r\n\r\n"].concat()
}

/// A response of `http://example.org/` with path `path`, a second after the `second`-th of 2026.
#[allow(dead_code)]
pub fn response(path: &str, second: u32, message: &str) -> Vec<u8> {
    let fields = format!(
        "WARC-Type: response\nWARC-Record-ID: <urn:test:{path}>\nWARC-Target-URI: http://example.org{path}\n\
         WARC-Date: {}\nContent-Type: application/http;msgtype=response",
        date(second)
    );
    record(&fields, message.as_bytes())
}

/// The `second`-th second of 2026 as a WARC date.
#[allow(dead_code)]
pub fn date(second: u32) -> String {
    format!("2026-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// One gzip member.
#[allow(dead_code)]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// What a file must come to.
#[allow(dead_code)]
pub struct Expected {
    pub name: &'static str,
    pub responses: u64,
    pub revisits: u64,
    pub skipped: &'static [(Reason, usize)],
    pub odd: &'static [(Oddity, usize)],
}

impl Expected {
    /// Compares all counts.
    #[allow(dead_code)]
    pub fn check(&self, crawl: &Crawl) {
        let report = &crawl.report;
        assert_eq!((report.responses, report.revisits), (self.responses, self.revisits), "{}\n{report}", self.name);
        assert_eq!(report.reasons().into_iter().collect::<Vec<_>>(), self.skipped, "{}\n{report}", self.name);
        assert_eq!(report.oddities().into_iter().collect::<Vec<_>>(), self.odd, "{}\n{report}", self.name);
        assert_eq!(crawl.receipts.len() as u64, report.receipts(), "{}", self.name);
        assert!(crawl.receipts.is_sorted_by_key(|receipt| receipt.fetch_time), "{}", self.name);
        for receipt in &crawl.receipts {
            receipt.encode().expect("every receipt that is given is valid");
        }
    }
}
