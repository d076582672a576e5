//! Progress bars for a terminal.

use crate::{submit, warc};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar for reading WARC files, or for submitting what was read.
#[derive(Debug, Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Counts bytes read.
    #[must_use]
    pub fn reading() -> Self {
        Self::new("reading {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {msg}")
    }

    /// Counts receipts acknowledged.
    #[must_use]
    pub fn submitting() -> Self {
        Self::new("submitting {bar:40} {pos}/{len} receipts {msg}")
    }

    fn new(template: &str) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(0).with_style(style))
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl warc::Progress for Bar {
    fn expect(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl submit::Progress for Bar {
    fn expect(&self, _: u64, receipts: u64) {
        self.0.set_length(receipts);
    }

    fn acknowledged(&self, receipts: u64) {
        self.0.inc(receipts);
        self.0.set_message("");
    }

    fn waiting(&self, reason: &str, delay: Duration) {
        self.0.set_message(format!("waiting {:.1} s: {reason}", delay.as_secs_f32()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        for bar in [Bar::reading(), Bar::submitting()] {
            warc::Progress::expect(&bar, 10);
            warc::Progress::advance(&bar, 4);
            submit::Progress::waiting(&bar, "busy", Duration::from_secs(1));
            assert_eq!((bar.0.position(), bar.0.length()), (4, Some(10)));
            assert_eq!(bar.0.message(), "waiting 1.0 s: busy");
        }
        for template in ["reading {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {msg}", "submitting {bar:40} {pos}/{len} receipts {msg}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
