//! Telling a person what was read from WARC files.

use cairn_client::warc::{Progress, Report};
use indicatif::ProgressBar;
use std::fmt::Write;

/// Records and oddities that are named one by one; more are counted.
const NAMED: usize = 20;

/// A bar over the bytes of the files.
pub struct Reading(pub ProgressBar);

impl Progress for Reading {
    fn expect(&self, bytes: u64) {
        self.0.set_length(bytes);
    }
    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

/// Counts of everything read, and the records that need a look, with file and offset.
pub fn describe(report: &Report) -> String {
    let mut text = format!(
        "read       {} receipts: {} responses, {} revisits; {} payload digests confirmed",
        report.receipts(),
        report.responses,
        report.revisits,
        report.payload_digests_confirmed
    );
    for (reason, count) in report.reasons() {
        let _ = write!(text, "\n  {count:>8}  no receipt: {}", reason.name());
    }
    for (oddity, count) in report.oddities() {
        let _ = write!(text, "\n  {count:>8}  noted: {}", oddity.name());
    }
    let extraordinary: Vec<_> = report.skipped.iter().filter(|skipped| !skipped.reason.is_ordinary()).collect();
    for skipped in extraordinary.iter().take(NAMED) {
        let detail = skipped.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let _ = write!(text, "\n  {} at {}: {}{detail}", skipped.file, skipped.offset, skipped.reason.name());
    }
    if extraordinary.len() > NAMED {
        let _ = write!(text, "\n  and {} more; --report FILE lists every record", extraordinary.len() - NAMED);
    }
    text
}
