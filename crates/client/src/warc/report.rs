//! What was read and what was not: every record that gave no receipt, and everything odd about those that did.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why a record gave no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An HTTP request; it gives its response the method.
    Request,
    /// Facts about the file.
    Warcinfo,
    /// Facts about another record.
    Metadata,
    /// Content that did not come by an HTTP response.
    Resource,
    /// A conversion of another record's content.
    Conversion,
    /// A later part of a segmented record.
    Continuation,
    /// The first part of a segmented record: its payload is not whole.
    Segmented,
    /// A response of another protocol, such as `dns:`.
    NotHttp,
    /// A revisit whose earlier capture is in none of the inputs, or of a profile that is not known.
    UnresolvedRevisit,
    /// A record type that is in no version of the standard read here.
    UnknownType,
    /// A WARC version other than 1.0 and 1.1.
    UnknownVersion,
    /// An ARC file.
    Arc,
    /// A file in a compression that is not read.
    Compression,
    /// A gzip member without content.
    EmptyMember,
    /// The input ends inside the record.
    CutOff,
    /// The record breaks the format.
    Malformed,
    /// A fetch that does not fit into a receipt.
    DoesNotFit,
}

impl Reason {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Warcinfo => "warcinfo",
            Self::Metadata => "metadata",
            Self::Resource => "resource",
            Self::Conversion => "conversion",
            Self::Continuation => "continuation",
            Self::Segmented => "segmented",
            Self::NotHttp => "not HTTP",
            Self::UnresolvedRevisit => "unresolved revisit",
            Self::UnknownType => "unknown record type",
            Self::UnknownVersion => "unknown WARC version",
            Self::Arc => "ARC file",
            Self::Compression => "unknown compression",
            Self::EmptyMember => "empty gzip member",
            Self::CutOff => "cut off by the end of the input",
            Self::Malformed => "malformed",
            Self::DoesNotFit => "does not fit a receipt",
        }
    }

    /// Whether such records are in every sound file, so that none of them needs a look.
    #[must_use]
    pub const fn is_ordinary(self) -> bool {
        matches!(self, Self::Request | Self::Warcinfo | Self::Metadata | Self::Resource | Self::Conversion)
    }
}

/// A record that gave no receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Name of the file.
    pub file: Arc<str>,
    /// Offset of the record in the file, in (compressed) bytes.
    pub offset: u64,
    /// Why.
    pub reason: Reason,
    /// What exactly, where there is more to say.
    pub detail: Option<String>,
}

/// Something odd about a record that gave a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// `Transfer-Encoding: chunked` over a body that is not chunked; it was taken as it is.
    NotChunked,
    /// A chunked body without its last chunk; it was taken as it is, chunk sizes included.
    ChunksUnfinished,
    /// A chunked body without its last chunk in a record marked as truncated; the chunks there are were joined.
    ChunksTruncated,
    /// Bytes after the last chunk; they are not part of the payload.
    BytesAfterChunks,
    /// The stated payload digest is that of the body with its transfer coding.
    DigestOfRawBody,
    /// The stated payload digest is neither the payload's nor the raw body's.
    PayloadDigestDiffers,
    /// The stated block digest is not the block's.
    BlockDigestDiffers,
    /// A stated digest in an algorithm or form that cannot be checked.
    DigestUnchecked,
    /// Lines in the record's header that are no fields.
    HeaderLines,
    /// Lines in the HTTP head that are no fields.
    HttpLines,
    /// The HTTP head has no blank line after it.
    HttpHeadUnfinished,
    /// The record is not followed by exactly two line ends.
    Boundary,
    /// The record shares its gzip member with others, so that the receipt has no locator.
    SharedMember,
    /// A revisit without an HTTP head; status and headers are those of the earlier capture.
    RevisitWithoutHead,
    /// A revisit whose stated payload digest is not that of the capture it names.
    RevisitDigestDiffers,
    /// A text in the headers that a receipt has no room for was left out.
    TextLeftOut,
}

impl Oddity {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotChunked => "body claims chunked and is not: taken as it is",
            Self::ChunksUnfinished => "last chunk missing: body taken as it is",
            Self::ChunksTruncated => "last chunk missing in a truncated record: chunks joined",
            Self::BytesAfterChunks => "bytes after the last chunk: not in the payload",
            Self::DigestOfRawBody => "payload digest is that of the raw body",
            Self::PayloadDigestDiffers => "payload digest differs",
            Self::BlockDigestDiffers => "block digest differs",
            Self::DigestUnchecked => "stated digest cannot be checked",
            Self::HeaderLines => "record header has lines that are no fields",
            Self::HttpLines => "HTTP head has lines that are no fields",
            Self::HttpHeadUnfinished => "HTTP head without a blank line",
            Self::Boundary => "record not followed by exactly two line ends",
            Self::SharedMember => "gzip member shared with other records: no locator",
            Self::RevisitWithoutHead => "revisit without an HTTP head",
            Self::RevisitDigestDiffers => "revisit states another digest than the capture it names",
            Self::TextLeftOut => "header text left out: it does not fit a receipt",
        }
    }
}

/// An oddity and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Name of the file.
    pub file: Arc<str>,
    /// Offset of the record in the file.
    pub offset: u64,
    /// What is odd.
    pub oddity: Oddity,
    /// What exactly, where there is more to say.
    pub detail: Option<String>,
}

/// What reading some files came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Names of the files, in order, with the bytes read of each.
    pub files: Vec<(Arc<str>, u64)>,
    /// Offset in each file, in the same order, before which everything was read.
    pub read_to: Vec<u64>,
    /// Receipts from `response` records.
    pub responses: u64,
    /// Receipts from `revisit` records.
    pub revisits: u64,
    /// Receipts whose stated payload digest is that of the payload.
    pub payload_digests_confirmed: u64,
    /// Records that gave no receipt, in order of file and offset.
    pub skipped: Vec<Skipped>,
    /// Oddities of records that gave one, in order of file and offset.
    pub notes: Vec<Note>,
}

impl Report {
    /// Takes what another report says of other files.
    pub fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.read_to.extend(other.read_to);
        self.responses += other.responses;
        self.revisits += other.revisits;
        self.payload_digests_confirmed += other.payload_digests_confirmed;
        self.skipped.extend(other.skipped);
        self.notes.extend(other.notes);
    }

    /// Receipts in all.
    #[must_use]
    pub const fn receipts(&self) -> u64 {
        self.responses + self.revisits
    }

    /// Records skipped for `reason`.
    #[must_use]
    pub fn count(&self, reason: Reason) -> usize {
        self.skipped.iter().filter(|skipped| skipped.reason == reason).count()
    }

    /// Records with `oddity`.
    #[must_use]
    pub fn noted(&self, oddity: Oddity) -> usize {
        self.notes.iter().filter(|note| note.oddity == oddity).count()
    }

    /// Counts by reason, in order.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<Reason, usize> {
        self.skipped.iter().fold(BTreeMap::new(), |mut counts, skipped| {
            *counts.entry(skipped.reason).or_default() += 1;
            counts
        })
    }

    /// Counts by oddity, in order.
    #[must_use]
    pub fn oddities(&self) -> BTreeMap<Oddity, usize> {
        self.notes.iter().fold(BTreeMap::new(), |mut counts, note| {
            *counts.entry(note.oddity).or_default() += 1;
            counts
        })
    }
}

/// A table of counts, then one line for each skipped record that is not of an ordinary kind.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |count: u64, text: &str| writeln!(f, "{count:>10}  {text}");
        row(self.receipts(), "receipts")?;
        row(self.responses, "  from responses")?;
        row(self.revisits, "  from revisits")?;
        row(self.payload_digests_confirmed, "  with a stated payload digest that agrees")?;
        for (oddity, count) in self.oddities() {
            row(count as u64, &format!("  {}", oddity.name()))?;
        }
        row(self.skipped.len() as u64, "records without a receipt")?;
        for (reason, count) in self.reasons() {
            row(count as u64, &format!("  {}", reason.name()))?;
        }
        for skipped in self.skipped.iter().filter(|skipped| !skipped.reason.is_ordinary()) {
            write!(f, "{} at {}: {}", skipped.file, skipped.offset, skipped.reason.name())?;
            match &skipped.detail {
                Some(detail) => writeln!(f, ": {detail}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
