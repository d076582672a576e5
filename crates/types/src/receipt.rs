//! The receipt: what a crawl node says about one fetch.

use crate::codes::{Method, Verdicts};
use crate::limits::{MAX_CONTENT_LENGTH, MAX_NODES, MAX_RECEIPT_BYTES, MAX_TIME};
use crate::{Digest, MediaClass};
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Version byte that precedes the fields.
const VERSION: u8 = 1;
/// BLAKE3 key-derivation context of a receipt's digest.
const DIGEST_CONTEXT: &str = "cairn v1 receipt";

/// Longest texts, in bytes, and longest lists of a receipt.
pub mod max {
    /// `url`, `final_url`
    pub const URL: usize = 8192;
    /// `domain`: a DNS name
    pub const DOMAIN: usize = 253;
    /// `suffix_list`
    pub const SUFFIX_LIST: usize = 32;
    /// `media_type`
    pub const MEDIA_TYPE: usize = 255;
    /// `charset`, `language`
    pub const LABEL: usize = 64;
    /// `job`, `lineage.transform`, `locator.file`
    pub const NAME: usize = 255;
    /// `rights.signals`
    pub const SIGNALS: usize = 32;
    /// `groups`
    pub const GROUPS: usize = 8;
}

/// How the payload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Capture {
    /// The server sent it (WARC `response`).
    #[default]
    Response = 0,
    /// The server sent what had been sent before (WARC `revisit`, identical payload digest).
    RevisitIdentical = 1,
    /// The server said that it had not changed (WARC `revisit`, server not modified).
    RevisitNotModified = 2,
}

/// Kinds of raw preference signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum SignalKind {
    /// The host's robots.txt in force at the fetch.
    RobotsTxt = 0,
    /// `X-Robots-Tag` response header.
    XRobotsTag = 1,
    /// `Content-Usage` response header (IETF AI preferences).
    ContentUsage = 2,
    /// `Content-Signal` response header or robots.txt line.
    ContentSignal = 3,
    /// `TDM-Reservation` and `TDM-Policy` response headers.
    Tdm = 4,
    /// Really Simple Licensing document or `Link: rel="license"`.
    Rsl = 5,
}

/// One raw preference signal.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RightsSignal {
    /// What it is.
    pub kind: SignalKind,
    /// BLAKE3 of its bytes: the document, or the header's value.
    pub digest: [u8; 32],
}

/// Evidence of the rights in force: digests of the raw signals, and what the node read in them.
#[derive(Debug, Clone, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct Rights {
    /// Raw signals, in order of kind.
    pub signals: Vec<RightsSignal>,
    /// Parsed verdicts.
    pub verdicts: Verdicts,
}

/// How the fetch itself is backed, as the node claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// Claimed tier, 0 (self-asserted) to 5.
    pub tier: u8,
    /// Digest of the evidence that tiers above 0 rest on.
    pub digest: Option<[u8; 32]>,
}

/// Where the capture lies.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Locator {
    /// Name of the WARC file, without folders.
    pub file: String,
    /// Offset of the record in that file, in bytes.
    pub offset: u64,
    /// Length of the record in that file, in bytes.
    pub length: u64,
}

/// What the payload was made from, when it was not fetched as it is.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Lineage {
    /// Digest of the parent receipt.
    pub parent: Digest,
    /// Name of the transform.
    pub transform: String,
}

/// A receipt, one per fetch. Its canonical form is a version byte and the borsh of these fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The rollup it is for.
    pub rollup_id: Digest,
    /// The node that fetched.
    pub node_index: u32,
    /// URL requested.
    pub url: String,
    /// URL that answered, when redirects led elsewhere.
    pub final_url: Option<String>,
    /// Registrable domain of the URL that answered; the host itself where it has none.
    pub domain: String,
    /// Version of the public suffix list that gave `domain`.
    pub suffix_list: String,
    /// Start of the request, ms UTC.
    pub fetch_time: u64,
    /// End of the response, ms UTC.
    pub fetch_end: Option<u64>,
    /// HTTP status.
    pub status: u16,
    /// Request method.
    pub method: Method,
    /// Media type, lower case, without parameters.
    pub media_type: Option<String>,
    /// Character set.
    pub charset: Option<String>,
    /// Language stated by the server.
    pub language: Option<String>,
    /// Length of the payload in bytes.
    pub content_length: u64,
    /// Whether the payload was cut off.
    pub truncated: bool,
    /// How the payload came.
    pub capture: Capture,
    /// BLAKE3 of the payload.
    pub payload_blake3: [u8; 32],
    /// SHA-256 of the payload.
    pub payload_sha256: [u8; 32],
    /// SHA-1 of the payload, which WARC and Common Crawl name content by.
    pub payload_sha1: [u8; 20],
    /// BLAKE3 of the response's status line and headers as received.
    pub headers_digest: Option<[u8; 32]>,
    /// Crawl job.
    pub job: Option<String>,
    /// Rights in force.
    pub rights: Rights,
    /// Claimed evidence.
    pub evidence: Evidence,
    /// Where the capture lies.
    pub locator: Option<Locator>,
    /// What it was made from.
    pub lineage: Option<Lineage>,
    /// BLAKE3 of each salted group of personal fields.
    pub groups: Vec<[u8; 32]>,
}

/// Why a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Too many bytes.
    #[error("a receipt is at most {MAX_RECEIPT_BYTES} bytes, not {0}")]
    Size(usize),
    /// A version that this code does not know.
    #[error("receipt version {0:?} is not known: version {VERSION} is")]
    Version(Option<u8>),
    /// Bytes that are not the canonical form.
    #[error("receipt bytes are not canonical: {0}")]
    Encoding(String),
    /// A text or list is too long.
    #[error("receipt {field} is {length} long, at most {limit} fit")]
    Length {
        /// Name of the field.
        field: &'static str,
        /// Its length.
        length: usize,
        /// The most that fits.
        limit: usize,
    },
    /// A field has a value that it must not have.
    #[error("receipt {field}: {reason}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Receipt {
    /// A receipt of an empty answer to a GET, status 200, with nothing that is optional: a start to fill in, as in
    /// `Receipt { content_length, ..Receipt::new(…) }`.
    #[must_use]
    pub fn new(rollup_id: Digest, node_index: u32, url: &str, domain: &str, fetch_time: u64) -> Self {
        Self {
            rollup_id,
            node_index,
            url: url.into(),
            final_url: None,
            domain: domain.into(),
            suffix_list: String::new(),
            fetch_time,
            fetch_end: None,
            status: 200,
            method: Method::Get,
            media_type: None,
            charset: None,
            language: None,
            content_length: 0,
            truncated: false,
            capture: Capture::Response,
            payload_blake3: [0; 32],
            payload_sha256: [0; 32],
            payload_sha1: [0; 20],
            headers_digest: None,
            job: None,
            rights: Rights::default(),
            evidence: Evidence::default(),
            locator: None,
            lineage: None,
            groups: Vec::new(),
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// When [`Self::validate`] refuses the receipt, or it is too large.
    pub fn encode(&self) -> Result<Vec<u8>, ReceiptError> {
        self.validate()?;
        let bytes =
            borsh::to_vec(&(VERSION, self)).map_err(|error| ReceiptError::Encoding(alloc::format!("{error}")))?;
        if bytes.len() > MAX_RECEIPT_BYTES {
            return Err(ReceiptError::Size(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads canonical bytes and validates them.
    ///
    /// # Errors
    /// When the bytes are too many, not canonical, or a field breaks its limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_RECEIPT_BYTES {
            return Err(ReceiptError::Size(bytes.len()));
        }
        let Some((&VERSION, fields)) = bytes.split_first() else {
            return Err(ReceiptError::Version(bytes.first().copied()));
        };
        let receipt: Self =
            borsh::from_slice(fields).map_err(|error| ReceiptError::Encoding(alloc::format!("{error}")))?;
        receipt.validate()?;
        Ok(receipt)
    }

    /// `receipt_digest` of canonical bytes: the receipt's identity.
    #[must_use]
    pub fn digest_of(bytes: &[u8]) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
        // One chunk at a time: several at once are hashed side by side where there are vector instructions, by functions
        // of more arguments than an sBPF v0 program can pass. Few receipts have more than one.
        for chunk in bytes.chunks(blake3::CHUNK_LEN) {
            hasher.update(chunk);
        }
        Digest::from_byte_digest(*hasher.finalize().as_bytes())
    }

    /// Class of the media type.
    #[must_use]
    pub fn media_class(&self) -> MediaClass {
        MediaClass::of(self.media_type.as_deref())
    }

    /// Checks every field against its limits.
    ///
    /// # Errors
    /// The first field that breaks one.
    pub fn validate(&self) -> Result<(), ReceiptError> {
        let empty = "";
        let text = |value: &Option<String>| value.as_deref().unwrap_or(empty).len();
        let locator = self.locator.as_ref();
        let lengths = [
            ("url", self.url.len(), max::URL),
            ("final_url", text(&self.final_url), max::URL),
            ("domain", self.domain.len(), max::DOMAIN),
            ("suffix_list", self.suffix_list.len(), max::SUFFIX_LIST),
            ("media_type", text(&self.media_type), max::MEDIA_TYPE),
            ("charset", text(&self.charset), max::LABEL),
            ("language", text(&self.language), max::LABEL),
            ("job", text(&self.job), max::NAME),
            ("rights.signals", self.rights.signals.len(), max::SIGNALS),
            ("locator.file", locator.map_or(0, |locator| locator.file.len()), max::NAME),
            ("lineage.transform", self.lineage.as_ref().map_or(0, |lineage| lineage.transform.len()), max::NAME),
            ("groups", self.groups.len(), max::GROUPS),
        ];
        for (field, length, limit) in lengths {
            if length > limit {
                return Err(ReceiptError::Length { field, length, limit });
            }
        }
        let rules = [
            (
                "rollup_id",
                self.rollup_id.words().iter().all(|word| *word < 1 << 63),
                "has a top bit set: it is no rollup's id",
            ),
            ("node_index", self.node_index < MAX_NODES, "is not below 2^24"),
            ("url", !self.url.is_empty(), "is empty"),
            ("domain", !self.domain.is_empty(), "is empty"),
            ("domain", !self.domain.bytes().any(|byte| byte.is_ascii_uppercase()), "is not in lower case"),
            ("fetch_time", self.fetch_time < MAX_TIME, "is not below 2^48 ms"),
            ("fetch_end", self.fetch_end.is_none_or(|end| end < MAX_TIME), "is not below 2^48 ms"),
            ("fetch_end", self.fetch_end.is_none_or(|end| end >= self.fetch_time), "is before fetch_time"),
            ("status", (100..1000).contains(&self.status), "is not 100 to 999"),
            ("content_length", self.content_length < MAX_CONTENT_LENGTH, "is not below 2^40 bytes"),
            ("evidence.tier", self.evidence.tier == 0, "is over 0: no other tier can be proved so far"),
            ("rights.signals", self.rights.signals.is_sorted_by_key(|signal| signal.kind), "are not in order of kind"),
            (
                "locator",
                locator.is_none_or(|locator| locator.offset.checked_add(locator.length).is_some()),
                "ends past the largest offset",
            ),
        ];
        match rules.iter().find(|(_, holds, _)| !holds) {
            Some((field, _, reason)) => Err(ReceiptError::Value { field, reason }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::codes::Verdict;
    use alloc::string::ToString;
    use alloc::vec;

    pub(crate) fn receipt() -> Receipt {
        Receipt {
            rollup_id: Digest::from_byte_digest([1; 32]),
            node_index: 5,
            url: "https://example.org/a".to_string(),
            final_url: Some("https://www.example.org/a".to_string()),
            domain: "example.org".to_string(),
            suffix_list: "2.1.247".to_string(),
            fetch_time: 1_700_000_000_000,
            fetch_end: Some(1_700_000_000_100),
            status: 200,
            method: Method::Get,
            media_type: Some("text/html".to_string()),
            charset: Some("utf-8".to_string()),
            language: None,
            content_length: 1234,
            truncated: false,
            capture: Capture::Response,
            payload_blake3: [2; 32],
            payload_sha256: [3; 32],
            payload_sha1: [4; 20],
            headers_digest: Some([5; 32]),
            job: Some("job-1".to_string()),
            rights: Rights {
                signals: vec![RightsSignal { kind: SignalKind::RobotsTxt, digest: [6; 32] }],
                verdicts: Verdicts { robots: Verdict::Allowed, ..Verdicts::default() },
            },
            evidence: Evidence::default(),
            locator: Some(Locator { file: "a.warc.gz".to_string(), offset: 10, length: 20 }),
            lineage: Some(Lineage { parent: Digest::ZERO, transform: "none".to_string() }),
            groups: vec![[7; 32]],
        }
    }

    #[test]
    fn bytes_round_trip_and_trailing_bytes_are_refused() {
        let bytes = receipt().encode().unwrap();
        assert_eq!(Receipt::decode(&bytes), Ok(receipt()));
        let longer = [&bytes[..], &[0]].concat();
        assert!(matches!(Receipt::decode(&longer), Err(ReceiptError::Encoding(_))));
        for end in 0..bytes.len() {
            assert!(Receipt::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(Receipt::decode(&[9, 0]), Err(ReceiptError::Version(Some(9))));
    }

    #[test]
    fn a_digest_is_of_all_bytes_however_many_chunks_they_are() {
        for length in [0, 1, 1023, 1024, 1025, 2048, 2049, 5000, MAX_RECEIPT_BYTES] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let expected = Digest::from_byte_digest(blake3::derive_key(DIGEST_CONTEXT, &bytes));
            assert_eq!(Receipt::digest_of(&bytes), expected, "{length} bytes");
        }
    }

    #[test]
    fn each_changed_byte_gives_another_digest_or_is_refused() {
        let bytes = receipt().encode().unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if Receipt::decode(&changed).is_ok() {
                assert_ne!(Receipt::digest_of(&changed), Receipt::digest_of(&bytes), "byte {at}");
            }
        }
    }

    #[test]
    fn each_limit_names_its_field() {
        let changes: [(&str, fn(&mut Receipt)); 16] = [
            ("url", |r| r.url = "x".repeat(max::URL + 1)),
            ("url", |r| r.url.clear()),
            ("final_url", |r| r.final_url = Some("x".repeat(max::URL + 1))),
            ("domain", |r| r.domain = "x".repeat(max::DOMAIN + 1)),
            ("domain", |r| r.domain = "Example.org".to_string()),
            ("media_type", |r| r.media_type = Some("x".repeat(256))),
            ("charset", |r| r.charset = Some("x".repeat(65))),
            ("job", |r| r.job = Some("x".repeat(256))),
            ("rights.signals", |r| r.rights.signals = vec![r.rights.signals[0].clone(); 33]),
            ("groups", |r| r.groups = vec![[0; 32]; 9]),
            ("node_index", |r| r.node_index = MAX_NODES),
            ("fetch_time", |r| r.fetch_time = MAX_TIME),
            ("fetch_end", |r| r.fetch_end = Some(0)),
            ("status", |r| r.status = 99),
            ("content_length", |r| r.content_length = MAX_CONTENT_LENGTH),
            ("evidence.tier", |r| r.evidence.tier = 1),
        ];
        for (field, change) in changes {
            let mut receipt = receipt();
            change(&mut receipt);
            let error = receipt.encode().unwrap_err().to_string();
            assert!(error.contains(field), "{field}: {error}");
        }
    }
}
