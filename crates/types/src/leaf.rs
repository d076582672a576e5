//! The leaf: eight field elements that stand for a receipt in a tree and in a circuit.

use crate::codes::{MediaClass, Method, UnknownCode, Verdict, Verdicts};
use crate::hash::{Kind, hash};
use crate::limits::{CONTENT_LENGTH_BITS, MAX_CONTENT_LENGTH, MAX_TIME};
use crate::{Digest, DigestError};
use borsh::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use borsh::{BorshDeserialize, BorshSerialize};

/// Words in a leaf.
pub const LEAF_WORDS: usize = 8;

/// Bit positions in the words of a leaf. Word 0 is the fetch time; words 4 to 7 are the receipt's digest.
pub mod bits {
    /// Word 1: status, above the content length.
    pub const STATUS: u32 = super::CONTENT_LENGTH_BITS;
    /// Width of the status.
    pub const STATUS_BITS: u32 = 10;
    /// Word 1: claimed tier.
    pub const TIER: u32 = STATUS + STATUS_BITS;
    /// Width of the claimed tier.
    pub const TIER_BITS: u32 = 3;
    /// Word 1: first of the five verdicts, each [`VERDICT_BITS`] wide.
    pub const VERDICTS: u32 = TIER + TIER_BITS;
    /// Width of a verdict.
    pub const VERDICT_BITS: u32 = 2;
    /// Used bits of words 1, 2 and 3.
    pub const WORD_BITS: u32 = VERDICTS + 5 * VERDICT_BITS;
    /// Word 3: method, above bits 63 to 117 of the domain tag.
    pub const METHOD: u32 = 55;
    /// Width of the method.
    pub const METHOD_BITS: u32 = 3;
    /// Word 3: set when the payload was cut off.
    pub const TRUNCATED: u32 = METHOD + METHOD_BITS;
    /// Word 3: media class.
    pub const MEDIA: u32 = TRUNCATED + 1;
    /// Width of the media class.
    pub const MEDIA_BITS: u32 = 4;
}

const _: () = assert!(bits::WORD_BITS == 63 && bits::MEDIA + bits::MEDIA_BITS == 63);

/// A leaf. Its words are canonical; whether they are well formed is what [`Leaf::parts`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Leaf([u64; LEAF_WORDS]);

/// What the words of a leaf say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafParts {
    /// Fetch time in milliseconds since the Unix epoch, below 2^48.
    pub time: u64,
    /// Content length in bytes, below 2^40.
    pub content_length: u64,
    /// HTTP status, below 1024.
    pub status: u16,
    /// Claimed evidence tier.
    pub tier: u8,
    /// The five verdicts.
    pub verdicts: Verdicts,
    /// Bits 0 to 62 and 63 to 117 of the domain's digest.
    pub domain_tag: [u64; 2],
    /// Request method.
    pub method: Method,
    /// Whether the payload was cut off.
    pub truncated: bool,
    /// Class of the media type.
    pub media: MediaClass,
    /// Digest of the receipt.
    pub receipt: Digest,
}

/// Why words are not a well-formed leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// A word is not below the modulus.
    #[error("leaf word {0} is not below the field modulus")]
    NonCanonical(usize),
    /// A field is over its range.
    #[error("leaf {field} is {value}, which must be below {limit}")]
    Range {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// The first value that is too large.
        limit: u64,
    },
    /// A field has a code that means nothing.
    #[error(transparent)]
    Code(#[from] UnknownCode),
    /// A tier that nothing checks yet.
    #[error("leaf tier is {0}: only tier 0 (self-asserted) can be proved so far")]
    Tier(u8),
    /// Words 4 to 7 are not a digest of bytes.
    #[error("leaf receipt digest: {0}")]
    Receipt(#[from] DigestError),
}

impl Leaf {
    /// Takes eight words.
    ///
    /// # Errors
    /// [`LeafError::NonCanonical`] with the first word that is not below the modulus.
    pub fn from_words(words: [u64; LEAF_WORDS]) -> Result<Self, LeafError> {
        match words.iter().position(|word| !cairn_goldilocks::is_canonical(*word)) {
            Some(word) => Err(LeafError::NonCanonical(word)),
            None => Ok(Self(words)),
        }
    }

    /// The eight words.
    #[must_use]
    pub const fn words(&self) -> [u64; LEAF_WORDS] {
        self.0
    }

    /// `H_leaf`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        hash(Kind::Leaf, &self.0)
    }

    /// Reads the words: the native twin of the circuit's clause 1 on one leaf.
    ///
    /// # Errors
    /// The first field that is out of range or unknown.
    pub fn parts(&self) -> Result<LeafParts, LeafError> {
        let [time, packed, tag_low, tag_high, a, b, c, d] = self.0;
        below("time", time, MAX_TIME)?;
        below("packed length, status and verdicts", packed, 1 << bits::WORD_BITS)?;
        below("domain tag", tag_low, 1 << bits::WORD_BITS)?;
        below("packed tag, method and media", tag_high, 1 << bits::WORD_BITS)?;
        for limb in [a, b, c, d] {
            below("receipt digest limb", limb, 1 << 63)?;
        }
        let tier = field(packed, bits::TIER, bits::TIER_BITS) as u8;
        if tier != 0 {
            return Err(LeafError::Tier(tier));
        }
        let mut verdicts = [Verdict::Unknown; 5];
        for (verdict, shift) in verdicts.iter_mut().zip((bits::VERDICTS..).step_by(bits::VERDICT_BITS as usize)) {
            *verdict = Verdict::try_from(field(packed, shift, bits::VERDICT_BITS))?;
        }
        Ok(LeafParts {
            time,
            content_length: field(packed, 0, CONTENT_LENGTH_BITS),
            status: field(packed, bits::STATUS, bits::STATUS_BITS) as u16,
            tier,
            verdicts: Verdicts::from_array(verdicts),
            domain_tag: [tag_low, field(tag_high, 0, bits::METHOD)],
            method: Method::try_from(field(tag_high, bits::METHOD, bits::METHOD_BITS))?,
            truncated: field(tag_high, bits::TRUNCATED, 1) == 1,
            media: MediaClass::try_from(field(tag_high, bits::MEDIA, bits::MEDIA_BITS))?,
            receipt: Digest::from_words([a, b, c, d])?,
        })
    }
}

impl LeafParts {
    /// Packs the fields.
    ///
    /// # Errors
    /// The first field that is out of range, so that [`Leaf::parts`] of the result always succeeds.
    pub fn leaf(&self) -> Result<Leaf, LeafError> {
        below("time", self.time, MAX_TIME)?;
        below("content length", self.content_length, MAX_CONTENT_LENGTH)?;
        below("status", u64::from(self.status), 1 << bits::STATUS_BITS)?;
        below("tier", u64::from(self.tier), 1 << bits::TIER_BITS)?;
        below("domain tag", self.domain_tag[0], 1 << 63)?;
        below("domain tag", self.domain_tag[1], 1 << bits::METHOD)?;
        let verdicts =
            self.verdicts.to_array().iter().rev().fold(0, |word, verdict| word << bits::VERDICT_BITS | verdict.code());
        let packed = self.content_length
            | u64::from(self.status) << bits::STATUS
            | u64::from(self.tier) << bits::TIER
            | verdicts << bits::VERDICTS;
        let tag_high = self.domain_tag[1]
            | self.method.code() << bits::METHOD
            | u64::from(self.truncated) << bits::TRUNCATED
            | self.media.code() << bits::MEDIA;
        let [a, b, c, d] = self.receipt.words();
        let leaf = Leaf::from_words([self.time, packed, self.domain_tag[0], tag_high, a, b, c, d])?;
        leaf.parts().map(|_| leaf)
    }
}

fn below(field: &'static str, value: u64, limit: u64) -> Result<(), LeafError> {
    if value < limit { Ok(()) } else { Err(LeafError::Range { field, value, limit }) }
}

const fn field(word: u64, shift: u32, width: u32) -> u64 {
    (word >> shift) & ((1 << width) - 1)
}

impl BorshSerialize for Leaf {
    fn serialize<W: Write>(&self, writer: &mut W) -> IoResult<()> {
        self.0.serialize(writer)
    }
}

impl BorshDeserialize for Leaf {
    fn deserialize_reader<R: Read>(reader: &mut R) -> IoResult<Self> {
        let words = <[u64; LEAF_WORDS]>::deserialize_reader(reader)?;
        Self::from_words(words).map_err(|_| Error::new(ErrorKind::InvalidData, "leaf word is not canonical"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_goldilocks::MODULUS;

    fn parts() -> LeafParts {
        LeafParts {
            time: (1 << 48) - 1,
            content_length: (1 << 40) - 1,
            status: 1023,
            tier: 0,
            verdicts: Verdicts::from_array([
                Verdict::Allowed,
                Verdict::Refused,
                Verdict::Conditional,
                Verdict::Unknown,
                Verdict::Refused,
            ]),
            domain_tag: [(1 << 63) - 1, (1 << 55) - 1],
            method: Method::Patch,
            truncated: true,
            media: MediaClass::Other,
            receipt: Digest::from_byte_digest([0xff; 32]),
        }
    }

    #[test]
    fn largest_values_of_every_field_round_trip() {
        let parts = parts();
        assert_eq!(parts.leaf().unwrap().parts(), Ok(parts));
    }

    #[test]
    fn each_field_over_its_range_is_refused() {
        let over: [fn(&mut LeafParts); 5] = [
            |parts| parts.time += 1,
            |parts| parts.content_length += 1,
            |parts| parts.status += 1,
            |parts| parts.domain_tag[0] += 1,
            |parts| parts.domain_tag[1] += 1,
        ];
        for (case, change) in over.iter().enumerate() {
            let mut parts = parts();
            change(&mut parts);
            assert!(matches!(parts.leaf(), Err(LeafError::Range { .. })), "case {case}");
        }
    }

    #[test]
    fn only_tier_zero_is_well_formed() {
        for tier in 1..8 {
            assert_eq!(LeafParts { tier, ..parts() }.leaf(), Err(LeafError::Tier(tier)));
        }
    }

    #[test]
    fn unused_codes_and_bits_are_refused() {
        let leaf = parts().leaf().unwrap();
        let with = |word: usize, value: u64| {
            let mut words = leaf.words();
            words[word] = value;
            Leaf::from_words(words).unwrap().parts()
        };
        assert!(matches!(with(0, 1 << 48), Err(LeafError::Range { .. })));
        for word in 1..8 {
            assert!(matches!(with(word, 1 << 63), Err(LeafError::Range { .. })), "word {word}");
        }
        assert!(matches!(with(3, 13 << bits::MEDIA), Err(LeafError::Code(_))));
    }

    #[test]
    fn non_canonical_words_are_refused() {
        for word in 0..LEAF_WORDS {
            let mut words = [0; LEAF_WORDS];
            words[word] = MODULUS;
            assert_eq!(Leaf::from_words(words), Err(LeafError::NonCanonical(word)));
            assert!(borsh::from_slice::<Leaf>(&borsh::to_vec(&words).unwrap()).is_err());
        }
    }
}
