//! The batch header: 48 words whose digest is the only public input of a batch's proof.

use crate::hash::{Kind, hash};
use crate::limits::{
    COUNTER_BITS, MAX_BATCH_BUNDLES, MAX_BATCH_BYTES, MAX_BATCH_QUEUE_ENTRIES, MAX_BATCH_RECEIPTS, MAX_COUNTER,
    MAX_DATA_LENGTH, MAX_TIME,
};
use crate::{Cursor, Digest, QueueCursor};

/// Words in a header.
pub const HEADER_WORDS: usize = 48;

/// Where each part of a header begins.
pub mod word {
    /// `rollup_id`, four words.
    pub const ROLLUP_ID: usize = 0;
    /// Batch number.
    pub const NUMBER: usize = 4;
    /// Digest of the previous header, four words.
    pub const PREVIOUS: usize = 5;
    /// Root of the bundle tree, four words.
    pub const BATCH_ROOT: usize = 9;
    /// Account root before the batch, four words.
    pub const OLD_STATE_ROOT: usize = 13;
    /// Account root after the batch, four words.
    pub const NEW_STATE_ROOT: usize = 17;
    /// Queue position before the batch, then its digest (four words).
    pub const QUEUE_FROM: usize = 21;
    /// Queue position after the batch, then its digest (four words).
    pub const QUEUE_TO: usize = 26;
    /// Bundles.
    pub const BUNDLES: usize = 31;
    /// Receipts.
    pub const RECEIPTS: usize = 32;
    /// Sum of content lengths.
    pub const BYTES: usize = 33;
    /// Earliest fetch time.
    pub const TIME_MIN: usize = 34;
    /// Latest fetch time.
    pub const TIME_MAX: usize = 35;
    /// Packed counts, one word for each verdict: allowed + 2^21 refused + 2^42 conditional.
    pub const VERDICTS: usize = 36;
    /// Packed counts of claimed tiers: 1 to 3 in the first word, 4 and 5 in the second.
    pub const TIERS: usize = 41;
    /// Digest of the blob, four words.
    pub const DATA_DIGEST: usize = 43;
    /// Length of the blob in bytes.
    pub const DATA_LENGTH: usize = 47;
}

/// How many receipts said what; those that said nothing are the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerdictCounts {
    /// Allowed.
    pub allowed: u32,
    /// Refused.
    pub refused: u32,
    /// Allowed under terms.
    pub conditional: u32,
}

/// The header of a batch, `docs/protocol.md`, "Batch".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The rollup.
    pub rollup_id: Digest,
    /// Number of batches before it.
    pub number: u64,
    /// Digest of the header before it; zero in batch 0.
    pub previous: Digest,
    /// Root of the tree of depth 9 over the bundles' digests.
    pub batch_root: Digest,
    /// Account root before.
    pub old_state_root: Digest,
    /// Account root after.
    pub new_state_root: Digest,
    /// Registration queue before.
    pub queue_from: QueueCursor,
    /// Registration queue after.
    pub queue_to: QueueCursor,
    /// Bundles, up to 512.
    pub bundles: u32,
    /// Receipts, up to 131,072.
    pub receipts: u32,
    /// Sum of content lengths.
    pub bytes: u64,
    /// Earliest fetch time; zero without receipts.
    pub time_min: u64,
    /// Latest fetch time; zero without receipts.
    pub time_max: u64,
    /// Counts for each of [`crate::VERDICT_NAMES`].
    pub verdicts: [VerdictCounts; 5],
    /// Receipts that claim tiers 1 to 5.
    pub tiers: [u32; 5],
    /// BLAKE3 of the blob.
    pub data_digest: Digest,
    /// Length of the blob in bytes.
    pub data_length: u64,
}

/// Why words are not a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("header word {word} ({value}): {reason}")]
pub struct HeaderError {
    /// Which word.
    pub word: usize,
    /// Its value.
    pub value: u64,
    /// What it breaks.
    pub reason: &'static str,
}

impl BatchHeader {
    /// Reads and checks 48 words: canonical, within bounds, and consistent with one another. Every word has exactly
    /// one accepted form, so two headers that differ have different digests.
    ///
    /// # Errors
    /// The first word that breaks a rule.
    pub fn from_words(words: &[u64; HEADER_WORDS]) -> Result<Self, HeaderError> {
        let reader = Reader(words);
        let receipts =
            reader.below(word::RECEIPTS, MAX_BATCH_RECEIPTS as u64 + 1, "more receipts than a batch holds")?;
        let mut verdicts = [VerdictCounts::default(); 5];
        for (offset, counts) in verdicts.iter_mut().enumerate() {
            let [allowed, refused, conditional] = reader.counts(word::VERDICTS + offset, receipts)?;
            *counts = VerdictCounts { allowed, refused, conditional };
        }
        let [tier1, tier2, tier3] = reader.counts(word::TIERS, receipts)?;
        let [tier4, tier5, none] = reader.counts(word::TIERS + 1, receipts)?;
        reader.ensure(word::TIERS + 1, none == 0, "there is no tier 6")?;
        let header = Self {
            rollup_id: reader.byte_digest(word::ROLLUP_ID)?,
            number: reader.below(word::NUMBER, MAX_COUNTER, "out of range")?,
            previous: reader.digest(word::PREVIOUS)?,
            batch_root: reader.digest(word::BATCH_ROOT)?,
            old_state_root: reader.digest(word::OLD_STATE_ROOT)?,
            new_state_root: reader.digest(word::NEW_STATE_ROOT)?,
            queue_from: reader.queue(word::QUEUE_FROM)?,
            queue_to: reader.queue(word::QUEUE_TO)?,
            bundles: reader.below(word::BUNDLES, MAX_BATCH_BUNDLES as u64 + 1, "more bundles than a batch holds")?
                as u32,
            receipts: receipts as u32,
            bytes: reader.below(word::BYTES, MAX_BATCH_BYTES, "out of range")?,
            time_min: reader.below(word::TIME_MIN, MAX_TIME, "not a time below 2^48 ms")?,
            time_max: reader.below(word::TIME_MAX, MAX_TIME, "not a time below 2^48 ms")?,
            verdicts,
            tiers: [tier1, tier2, tier3, tier4, tier5],
            data_digest: reader.byte_digest(word::DATA_DIGEST)?,
            data_length: reader.below(
                word::DATA_LENGTH,
                MAX_DATA_LENGTH + 1,
                "a blob larger than the protocol allows",
            )?,
        };
        reader.ensure(word::TIME_MAX, header.time_min <= header.time_max, "time_max is before time_min")?;
        reader.ensure(
            word::TIME_MAX,
            header.receipts > 0 || header.time_max == 0,
            "a batch without receipts has times zero",
        )?;
        reader.ensure(
            word::BYTES,
            header.receipts > 0 || header.bytes == 0,
            "a batch without receipts has no bytes",
        )?;
        reader.ensure(word::BUNDLES, header.bundles <= header.receipts, "a bundle has at least one receipt")?;
        reader.ensure(
            word::RECEIPTS,
            receipts <= 256 * u64::from(header.bundles),
            "a bundle has at most 256 receipts",
        )?;
        let consumed = header.queue_to.position.checked_sub(header.queue_from.position);
        reader.ensure(word::QUEUE_TO, consumed.is_some(), "the queue runs backwards")?;
        reader.ensure(
            word::QUEUE_TO,
            consumed.is_some_and(|entries| entries <= MAX_BATCH_QUEUE_ENTRIES),
            "more queue entries than a batch consumes",
        )?;
        reader.ensure(
            word::QUEUE_TO + 1,
            consumed != Some(0) || header.queue_to == header.queue_from,
            "the queue's digest changed without an entry",
        )?;
        reader.ensure(word::BUNDLES, header.bundles > 0 || consumed != Some(0), "the batch is empty")?;
        Ok(header)
    }

    /// The 48 words.
    #[must_use]
    pub fn words(&self) -> [u64; HEADER_WORDS] {
        let mut words = [0; HEADER_WORDS];
        let digests = [
            (word::ROLLUP_ID, self.rollup_id),
            (word::PREVIOUS, self.previous),
            (word::BATCH_ROOT, self.batch_root),
            (word::OLD_STATE_ROOT, self.old_state_root),
            (word::NEW_STATE_ROOT, self.new_state_root),
            (word::QUEUE_FROM + 1, self.queue_from.digest),
            (word::QUEUE_TO + 1, self.queue_to.digest),
            (word::DATA_DIGEST, self.data_digest),
        ];
        for (at, digest) in digests {
            words[at..at + 4].copy_from_slice(&digest.words());
        }
        words[word::NUMBER] = self.number;
        words[word::QUEUE_FROM] = self.queue_from.position;
        words[word::QUEUE_TO] = self.queue_to.position;
        words[word::BUNDLES] = u64::from(self.bundles);
        words[word::RECEIPTS] = u64::from(self.receipts);
        words[word::BYTES] = self.bytes;
        words[word::TIME_MIN] = self.time_min;
        words[word::TIME_MAX] = self.time_max;
        for (offset, counts) in self.verdicts.iter().enumerate() {
            words[word::VERDICTS + offset] = counts.packed();
        }
        let [tier1, tier2, tier3, tier4, tier5] = self.tiers;
        words[word::TIERS] = pack([tier1, tier2, tier3]);
        words[word::TIERS + 1] = pack([tier4, tier5, 0]);
        words[word::DATA_LENGTH] = self.data_length;
        words
    }

    /// The words as bytes, each little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_WORDS * 8] {
        let mut bytes = [0; HEADER_WORDS * 8];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.words()) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote, with all checks of [`Self::from_words`].
    ///
    /// # Errors
    /// The first word that breaks a rule.
    pub fn from_bytes(bytes: &[u8; HEADER_WORDS * 8]) -> Result<Self, HeaderError> {
        let mut words = [0; HEADER_WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        Self::from_words(&words)
    }

    /// `statement = H_header(header)`: the header's digest, and the proof's only public input.
    #[must_use]
    pub fn statement(&self) -> Digest {
        hash(Kind::Header, &self.words())
    }

    /// Where the rollup stands after this batch.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            batches: self.number + 1,
            header_digest: self.statement(),
            state_root: self.new_state_root,
            queue: self.queue_to,
        }
    }

    /// Whether this batch continues from `cursor`; the name of the first part that does not.
    ///
    /// # Errors
    /// That name.
    pub fn continues(&self, cursor: &Cursor) -> Result<(), &'static str> {
        let parts = [
            ("number", self.number == cursor.batches),
            ("previous header digest", self.previous == cursor.header_digest),
            ("old state root", self.old_state_root == cursor.state_root),
            ("queue position", self.queue_from.position == cursor.queue.position),
            ("queue digest", self.queue_from.digest == cursor.queue.digest),
        ];
        parts.iter().find(|(_, same)| !same).map_or(Ok(()), |(name, _)| Err(*name))
    }

    /// Name of the first part in which two headers differ.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            ("rollup_id", self.rollup_id == other.rollup_id),
            ("number", self.number == other.number),
            ("previous header digest", self.previous == other.previous),
            ("batch_root", self.batch_root == other.batch_root),
            ("old state root", self.old_state_root == other.old_state_root),
            ("new state root", self.new_state_root == other.new_state_root),
            ("queue_from", self.queue_from == other.queue_from),
            ("queue_to", self.queue_to == other.queue_to),
            ("bundles", self.bundles == other.bundles),
            ("receipts", self.receipts == other.receipts),
            ("bytes", self.bytes == other.bytes),
            ("time_min", self.time_min == other.time_min),
            ("time_max", self.time_max == other.time_max),
            ("verdict counts", self.verdicts == other.verdicts),
            ("tier counts", self.tiers == other.tiers),
            ("data_digest", self.data_digest == other.data_digest),
            ("data_length", self.data_length == other.data_length),
        ];
        parts.iter().find(|(_, same)| !same).map(|(name, _)| *name)
    }
}

impl VerdictCounts {
    /// allowed + 2^21 refused + 2^42 conditional
    #[must_use]
    pub const fn packed(&self) -> u64 {
        pack([self.allowed, self.refused, self.conditional])
    }
}

const fn pack([low, middle, high]: [u32; 3]) -> u64 {
    low as u64 | (middle as u64) << COUNTER_BITS | (high as u64) << (2 * COUNTER_BITS)
}

struct Reader<'a>(&'a [u64; HEADER_WORDS]);

impl Reader<'_> {
    fn ensure(&self, word: usize, holds: bool, reason: &'static str) -> Result<(), HeaderError> {
        if holds { Ok(()) } else { Err(HeaderError { word, value: self.0[word], reason }) }
    }

    fn below(&self, word: usize, limit: u64, reason: &'static str) -> Result<u64, HeaderError> {
        self.ensure(word, self.0[word] < limit, reason).map(|()| self.0[word])
    }

    fn digest(&self, at: usize) -> Result<Digest, HeaderError> {
        let words = core::array::from_fn(|offset| self.0[at + offset]);
        for offset in 0..4 {
            self.below(at + offset, cairn_goldilocks::MODULUS, "not below the field modulus")?;
        }
        Ok(Digest::constant(words))
    }

    fn byte_digest(&self, at: usize) -> Result<Digest, HeaderError> {
        for offset in 0..4 {
            self.below(at + offset, 1 << 63, "a byte digest has its top bit clear")?;
        }
        self.digest(at)
    }

    fn queue(&self, at: usize) -> Result<QueueCursor, HeaderError> {
        Ok(QueueCursor { position: self.below(at, MAX_COUNTER, "out of range")?, digest: self.digest(at + 1)? })
    }

    fn counts(&self, at: usize, receipts: u64) -> Result<[u32; 3], HeaderError> {
        let packed = self.below(at, 1 << (3 * COUNTER_BITS), "counts are three times 21 bits")?;
        let mask = (1 << COUNTER_BITS) - 1;
        let counts = [packed & mask, packed >> COUNTER_BITS & mask, packed >> (2 * COUNTER_BITS)];
        self.ensure(at, counts.iter().sum::<u64>() <= receipts, "counts more receipts than there are")?;
        Ok(counts.map(|count| count as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_goldilocks::MODULUS;

    pub(crate) fn header() -> BatchHeader {
        let rollup_id = Digest::from_byte_digest([7; 32]);
        let cursor = Cursor::genesis(&rollup_id);
        BatchHeader {
            rollup_id,
            number: 3,
            previous: Digest::constant([1, 2, 3, MODULUS - 1]),
            batch_root: Digest::constant([5, 6, 7, 8]),
            old_state_root: cursor.state_root,
            new_state_root: cursor.state_root,
            queue_from: cursor.queue,
            queue_to: QueueCursor { position: 2, digest: Digest::constant([9; 4]) },
            bundles: 2,
            receipts: 300,
            bytes: 123_456,
            time_min: 1,
            time_max: 2,
            verdicts: [VerdictCounts { allowed: 100, refused: 150, conditional: 50 }; 5],
            tiers: [1, 2, 3, 4, 5],
            data_digest: Digest::from_byte_digest([8; 32]),
            data_length: 1000,
        }
    }

    #[test]
    fn words_and_bytes_round_trip() {
        let header = header();
        assert_eq!(BatchHeader::from_words(&header.words()), Ok(header));
        assert_eq!(BatchHeader::from_bytes(&header.to_bytes()), Ok(header));
    }

    #[test]
    fn no_word_has_a_second_form() {
        let words = header().words();
        for at in 0..HEADER_WORDS {
            for other in [words[at].checked_add(MODULUS), words[at].checked_add(1 << 63)].into_iter().flatten() {
                let mut changed = words;
                changed[at] = other;
                let reduced = other % MODULUS;
                match BatchHeader::from_words(&changed) {
                    Err(error) => assert!(error.word <= 47, "{error}"),
                    // x + 2^63 is another canonical element where a Poseidon digest or a number of any size may stand
                    Ok(read) => assert!(reduced == other && read.statement() != header().statement(), "word {at}"),
                }
                if other >= MODULUS {
                    assert!(BatchHeader::from_words(&changed).is_err(), "word {at} + p");
                }
            }
        }
    }

    #[test]
    fn each_bound_is_enforced_at_its_word() {
        let cases: [(usize, u64); 12] = [
            (word::ROLLUP_ID, 1 << 63),
            (word::NUMBER, MAX_COUNTER),
            (word::QUEUE_FROM, 3),
            (word::QUEUE_TO, MAX_BATCH_QUEUE_ENTRIES + 1),
            (word::BUNDLES, 513),
            (word::RECEIPTS, 131_073),
            (word::BYTES, 1 << 60),
            (word::TIME_MIN, 3),
            (word::TIME_MAX, 1 << 48),
            (word::VERDICTS + 4, 301),
            (word::TIERS + 1, 1 << 42),
            (word::DATA_LENGTH, MAX_DATA_LENGTH + 1),
        ];
        for (at, value) in cases {
            let mut words = header().words();
            words[at] = value;
            assert!(BatchHeader::from_words(&words).is_err(), "word {at}");
        }
    }

    #[test]
    fn an_empty_batch_and_a_moved_digest_are_refused() {
        let mut empty = header();
        (empty.bundles, empty.receipts, empty.bytes, empty.time_min, empty.time_max) = (0, 0, 0, 0, 0);
        (empty.verdicts, empty.tiers) = (Default::default(), Default::default());
        assert_eq!(BatchHeader::from_words(&empty.words()), Ok(empty), "queue entries alone make a batch");
        empty.queue_to = empty.queue_from;
        assert!(BatchHeader::from_words(&empty.words()).unwrap_err().reason.contains("empty"));
        let mut moved = header();
        moved.queue_to.position = moved.queue_from.position;
        assert!(BatchHeader::from_words(&moved.words()).is_err());
    }

    #[test]
    fn a_header_continues_only_its_predecessor() {
        let first = header();
        let next = BatchHeader { number: 4, previous: first.statement(), queue_from: first.queue_to, ..first };
        assert_eq!(next.continues(&first.cursor()), Ok(()));
        assert_eq!(first.continues(&first.cursor()), Err("number"));
        let forked = BatchHeader { previous: Digest::ZERO, ..next };
        assert_eq!(forked.continues(&first.cursor()), Err("previous header digest"));
    }
}
