//! Reading WARC files, for a person to watch.

use cairn_client::warc::Progress;
use indicatif::ProgressBar;

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
