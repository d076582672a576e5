//! Captures of files that were read, for later files that refer to them.

use super::table::{CAPTURE_KEYS, CAPTURES};
use super::{Fault, Spool};
use crate::warc::{Key, Memory, Remembered};
use redb::{ReadableTable as _, WriteTransaction};

impl Memory for Spool {
    fn recall(&self, key: &Key, most: usize) -> std::io::Result<Vec<Vec<u8>>> {
        let recalled = self.read(|transaction| {
            let captures = transaction.open_table(CAPTURES)?;
            let keys = transaction.open_table(CAPTURE_KEYS)?;
            let mut recalled = Vec::new();
            for entry in keys.range((key, 0)..=(key, u64::MAX))?.rev().take(most) {
                let number = entry?.0.value().1;
                recalled.extend(captures.get(number)?.map(|bytes| bytes.value().to_vec()));
            }
            Ok(recalled)
        });
        recalled.map_err(std::io::Error::other)
    }
}

/// Keeps captures.
pub(super) fn keep(transaction: &WriteTransaction, remembered: &[Remembered]) -> Result<(), Fault> {
    let mut captures = transaction.open_table(CAPTURES)?;
    let mut keys = transaction.open_table(CAPTURE_KEYS)?;
    let first = captures.last()?.map_or(0, |(last, _)| last.value() + 1);
    for (number, capture) in (first..).zip(remembered) {
        captures.insert(number, capture.bytes.as_slice())?;
        for key in &capture.keys {
            keys.insert((key, number), ())?;
        }
    }
    Ok(())
}
