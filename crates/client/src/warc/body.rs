//! The body of a stored response, digested as it flows by.

use super::chunked::{Chunked, Ending};
use super::digests::{PayloadDigests, PayloadHasher, Stated};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use std::io::{BufRead, Result};

/// Bytes of a payload that are kept where the text itself is wanted: as much of a robots.txt as a crawler must read
/// (RFC 9309, section 2.5).
pub(super) const MAX_KEPT_BYTES: usize = 500 << 10;

/// How the transfer coding of a body was treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// None was claimed, or the body is empty.
    Plain,
    /// Chunks were joined.
    Chunked,
    /// Chunks were joined, and bytes followed the last one, which are not part of the payload.
    ChunkedAndMore(u64),
    /// Chunks were joined as far as the record, marked as truncated, has them.
    ChunkedInPart,
    /// Chunks were claimed; the body is not made of them and was taken as it is.
    NotChunked,
    /// Chunks were claimed; the last one is missing and the body was taken as it is.
    Unfinished,
}

/// A body that was read to its end.
#[derive(Debug)]
pub(super) struct Body {
    /// Of the body with its transfer coding removed.
    pub(super) payload: PayloadDigests,
    /// Of the body as stored.
    pub(super) raw: PayloadDigests,
    pub(super) coding: Coding,
    /// The payload, where it was asked for and is not longer than [`MAX_KEPT_BYTES`].
    pub(super) text: Option<Vec<u8>>,
}

/// What to do with a body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) claims_chunked: bool,
    pub(super) truncated: bool,
    pub(super) keep_text: bool,
}

#[derive(Default)]
struct Sink {
    hasher: PayloadHasher,
    kept: Vec<u8>,
}

impl Sink {
    fn update(&mut self, bytes: &[u8], keep: bool) {
        self.hasher.update(bytes);
        if keep {
            let room = (MAX_KEPT_BYTES + 1).saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

impl Body {
    /// Reads the rest of `block`, showing every byte to `block_hasher` too.
    pub(super) fn read(block: &mut dyn BufRead, block_hasher: &mut BlockHasher, wanted: Wanted) -> Result<Self> {
        let mut raw = Sink::default();
        let mut decoded = wanted.claims_chunked.then(|| (Chunked::new(), Sink::default()));
        loop {
            let bytes = block.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            block_hasher.update(bytes);
            raw.update(bytes, wanted.keep_text);
            if let Some((chunked, sink)) = &mut decoded {
                chunked.push(bytes, |data| sink.update(data, wanted.keep_text));
            }
            let length = bytes.len();
            block.consume(length);
        }
        let raw_digests = raw.hasher.clone().finish();
        let (sink, coding) = match decoded {
            None => (raw, Coding::Plain),
            Some(_) if raw_digests.length == 0 => (raw, Coding::Plain),
            Some((chunked, sink)) => match chunked.finish() {
                Ending::Complete { extra: 0 } => (sink, Coding::Chunked),
                Ending::Complete { extra } => (sink, Coding::ChunkedAndMore(extra)),
                Ending::Incomplete if wanted.truncated => (sink, Coding::ChunkedInPart),
                Ending::Incomplete => (raw, Coding::Unfinished),
                Ending::NotChunked => (raw, Coding::NotChunked),
            },
        };
        let text = (wanted.keep_text && sink.kept.len() <= MAX_KEPT_BYTES).then_some(sink.kept);
        Ok(Self { payload: sink.hasher.finish(), raw: raw_digests, coding, text })
    }
}

/// Digest of a whole block, in the algorithm that the record states one in.
pub(super) enum BlockHasher {
    Unstated,
    Blake3(Box<blake3::Hasher>, [u8; 32]),
    Sha256(Sha256, [u8; 32]),
    Sha1(Sha1, [u8; 20]),
}

impl BlockHasher {
    pub(super) fn new(stated: Option<Stated>) -> Self {
        match stated {
            None => Self::Unstated,
            Some(Stated::Blake3(stated)) => Self::Blake3(Box::default(), stated),
            Some(Stated::Sha256(stated)) => Self::Sha256(Sha256::new(), stated),
            Some(Stated::Sha1(stated)) => Self::Sha1(Sha1::new(), stated),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Unstated => {}
            Self::Blake3(hasher, _) => {
                hasher.update(bytes);
            }
            Self::Sha256(hasher, _) => hasher.update(bytes),
            Self::Sha1(hasher, _) => hasher.update(bytes),
        }
    }

    /// Whether the block has the stated digest; `None` when none was stated that could be checked.
    pub(super) fn agrees(self) -> Option<bool> {
        match self {
            Self::Unstated => None,
            Self::Blake3(hasher, stated) => Some(*blake3::Hasher::finalize(&hasher).as_bytes() == stated),
            Self::Sha256(hasher, stated) => Some(<[u8; 32]>::from(hasher.finalize()) == stated),
            Self::Sha1(hasher, stated) => Some(<[u8; 20]>::from(hasher.finalize()) == stated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8], wanted: Wanted) -> Body {
        Body::read(&mut &bytes[..], &mut BlockHasher::Unstated, wanted).unwrap()
    }

    fn chunked(bytes: &[u8], truncated: bool) -> (Vec<u8>, Coding) {
        let body = body(bytes, Wanted { claims_chunked: true, truncated, keep_text: true });
        (body.text.unwrap(), body.coding)
    }

    #[test]
    fn bodies_are_taken_as_chunked_only_when_they_are() {
        assert_eq!(chunked(b"3\r\nabc\r\n0\r\n\r\n", false), (b"abc".to_vec(), Coding::Chunked));
        assert_eq!(chunked(b"3\r\nabc\r\n0\r\n\r\n!", false), (b"abc".to_vec(), Coding::ChunkedAndMore(1)));
        assert_eq!(chunked(b"<html>\n", false), (b"<html>\n".to_vec(), Coding::NotChunked));
        assert_eq!(chunked(b"add\r\nmore", false), (b"add\r\nmore".to_vec(), Coding::Unfinished));
        assert_eq!(chunked(b"5\r\nabc", true), (b"abc".to_vec(), Coding::ChunkedInPart));
        assert_eq!(chunked(b"", false), (Vec::new(), Coding::Plain));
    }

    #[test]
    fn a_text_is_kept_whole_or_not_at_all() {
        let wanted = Wanted { keep_text: true, ..Wanted::default() };
        assert_eq!(body(&vec![b'a'; MAX_KEPT_BYTES], wanted).text.unwrap().len(), MAX_KEPT_BYTES);
        assert_eq!(body(&vec![b'a'; MAX_KEPT_BYTES + 1], wanted).text, None);
        assert_eq!(body(b"abc", Wanted::default()).text, None);
    }

    #[test]
    fn block_digests_cover_every_byte() {
        for (stated, agrees) in [
            (None, None),
            (Stated::parse("sha1:a9993e364706816aba3e25717850c26c9cd0d89d"), Some(true)),
            (Stated::parse("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"), Some(false)),
            (Stated::parse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), Some(true)),
            (Stated::parse("blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"), Some(true)),
        ] {
            let mut hasher = BlockHasher::new(stated);
            hasher.update(b"a");
            Body::read(&mut &b"bc"[..], &mut hasher, Wanted::default()).unwrap();
            assert_eq!(hasher.agrees(), agrees);
        }
    }
}
