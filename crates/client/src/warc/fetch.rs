//! What one record says, before the records are put together.

use super::digests::{PayloadDigests, Stated};
use super::report::Oddity;
use super::signals::Signals;
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::Arc;

/// Position of a record in the inputs: index of the file, offset in it. Orders records as they were read.
pub(super) type Position = (usize, u64);

/// An oddity found while reading, with its detail.
pub(super) type Found = (Oddity, Option<String>);

/// A `response` or `revisit`.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) at: Position,
    /// Length of the record in the file, when it can be addressed.
    pub(super) length: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) target: String,
    /// ms since the Unix epoch.
    pub(super) time: u64,
    /// The record says that its block was cut off, and its type is not one that always is.
    pub(super) truncated: bool,
    pub(super) concurrent_to: Vec<String>,
    pub(super) stated: Option<Stated>,
    pub(super) head: Option<Answer>,
    pub(super) kind: Kind,
    pub(super) found: Vec<Found>,
    /// It is of an earlier file, and gives no receipt: others refer to it.
    pub(super) recalled: bool,
}

/// What tells the two apart.
#[derive(Debug)]
pub(super) enum Kind {
    Response {
        payload: PayloadDigests,
        /// The stated payload digest is that of the payload.
        confirmed: bool,
        /// The payload of a robots.txt, when not too long.
        text: Option<Arc<[u8]>>,
    },
    Revisit(RefersTo),
}

/// What a `revisit` says about the capture that holds its payload.
#[derive(Debug, Default)]
pub(super) struct RefersTo {
    pub(super) not_modified: bool,
    pub(super) id: Option<String>,
    pub(super) target: Option<String>,
    pub(super) time: Option<u64>,
}

/// What the head of a response says.
#[derive(Debug, Clone, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// BLAKE3 of the head; `None` where the record has none.
    pub(super) digest: Option<[u8; 32]>,
    pub(super) media_type: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) language: Option<String>,
    pub(super) signals: Signals,
}

/// A `request`.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) at: Position,
    pub(super) id: Option<String>,
    pub(super) concurrent_to: Vec<String>,
    pub(super) target: Option<String>,
    pub(super) time: Option<u64>,
    pub(super) method: String,
    pub(super) agent: Option<Arc<str>>,
}
