//! What is in a spool, for people.

use super::record::{BundleRecord, Line, Stage};
use super::table::{LINES, RECORDS};
use super::{Spool, SpoolError, decode};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Which bundles and receipts are meant: those that pass every condition.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Sequences of bundles.
    pub sequences: RangeInclusive<u64>,
    /// Bundles that have come at least so far.
    pub from: Stage,
    /// Receipts whose URL contains this text.
    pub url: Option<String>,
    /// Receipts of this registrable domain.
    pub domain: Option<String>,
}

impl Default for Filter {
    /// Everything.
    fn default() -> Self {
        Self { sequences: 0..=u64::MAX, from: Stage::Signed, url: None, domain: None }
    }
}

impl Filter {
    /// Whether it is about single receipts.
    #[must_use]
    pub const fn is_of_receipts(&self) -> bool {
        self.url.is_some() || self.domain.is_some()
    }

    fn passes(&self, line: &Line) -> bool {
        self.url.as_ref().is_none_or(|text| line.url.contains(text.as_str()))
            && self.domain.as_ref().is_none_or(|domain| line.domain.eq_ignore_ascii_case(domain))
    }
}

/// How many bundles, and receipts in them, have come how far and no further.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// By stage: bundles and receipts.
    pub stages: BTreeMap<Stage, (u64, u64)>,
}

impl Sums {
    /// Bundles and receipts that have come at least as far as `stage`.
    #[must_use]
    pub fn from(&self, stage: Stage) -> (u64, u64) {
        self.stages.range(stage..).fold((0, 0), |sum, (_, count)| (sum.0 + count.0, sum.1 + count.1))
    }
}

impl Spool {
    /// Gives each bundle that `filter` means to `hear`, in order of sequence, with those of its receipts that it means,
    /// until `hear` says no. A bundle without any is left out when the filter is about receipts. Lines are read only
    /// when they are wanted.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn list(
        &self,
        filter: &Filter,
        with_lines: bool,
        mut hear: impl FnMut(BundleRecord, Vec<Line>) -> bool,
    ) -> Result<(), SpoolError> {
        self.read(|transaction| {
            let lines = transaction.open_table(LINES)?;
            for entry in transaction.open_table(RECORDS)?.range(filter.sequences.clone())? {
                let (sequence, bytes) = entry?;
                let record: BundleRecord = decode(bytes.value(), "bundle record")?;
                if record.stage < filter.from {
                    continue;
                }
                let mut found = Vec::new();
                if with_lines || filter.is_of_receipts() {
                    for entry in lines.range((sequence.value(), 0)..=(sequence.value(), u16::MAX))? {
                        let line: Line = decode(entry?.1.value(), "receipt line")?;
                        if filter.passes(&line) {
                            found.push(line);
                        }
                    }
                }
                if filter.is_of_receipts() && found.is_empty() {
                    continue;
                }
                if !hear(record, found) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Counts all bundles by stage.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn sums(&self) -> Result<Sums, SpoolError> {
        let mut sums = Sums::default();
        self.list(&Filter::default(), false, |record, _| {
            let count = sums.stages.entry(record.stage).or_default();
            count.0 += 1;
            count.1 += u64::from(record.receipts);
            true
        })?;
        Ok(sums)
    }
}
