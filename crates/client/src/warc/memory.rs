//! What later files refer to in earlier ones: the captures that revisits repeat, and the copies of robots.txt.
//!
//! A crawler goes on from file to file. What a running node has read is not read again, so what may be needed of it is
//! kept in short, under keys by which it is found.

use super::digests::{PayloadDigests, Stated};
use super::fetch::{Answer, Fetch, Kind, RefersTo};
use super::resolve::Captures;
use super::robots;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;

/// Domain of the keys' hashes.
const CONTEXT: &str = "cairn capture key 1";
/// Captures that are recalled under one key.
const MOST: usize = 8;

/// By what a capture is found.
pub type Key = [u8; 16];

/// A capture in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// By what it is found.
    pub keys: Vec<Key>,
    /// What [`Memory::recall`] gives back.
    pub bytes: Vec<u8>,
}

/// Where captures are kept from file to file.
pub trait Memory {
    /// Up to `most` captures that were remembered under `key`, the latest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn recall(&self, key: &Key, most: usize) -> std::io::Result<Vec<Vec<u8>>>;
}

/// Remembers nothing.
impl Memory for () {
    fn recall(&self, _: &Key, _: usize) -> std::io::Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Capture {
    id: Option<String>,
    target: String,
    time: u64,
    truncated: bool,
    stated: Option<Stated>,
    head: Answer,
    payload: PayloadDigests,
    text: Option<Vec<u8>>,
}

fn key(parts: &[&[u8]]) -> Key {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = Key::default();
    hasher.finalize_xof().fill(&mut key);
    key
}

fn id_key(id: &str) -> Key {
    key(&[b"id", id.as_bytes()])
}

fn target_key(target: &str, time: u64) -> Key {
    key(&[b"target", target.as_bytes(), &(time / 1000).to_le_bytes()])
}

fn digest_key(digest: &Stated) -> Key {
    let (name, bytes): (&[u8], &[u8]) = match digest {
        Stated::Blake3(bytes) => (b"blake3", bytes),
        Stated::Sha256(bytes) => (b"sha256", bytes),
        Stated::Sha1(bytes) => (b"sha1", bytes),
    };
    key(&[b"digest", name, bytes])
}

fn robots_key(origin: &str) -> Key {
    key(&[b"robots", origin.as_bytes()])
}

/// A fetch as it is remembered; `None` when nothing will refer to it.
pub(super) fn remember(fetch: &Fetch) -> Option<Remembered> {
    let (Kind::Response { payload, text, .. }, Some(head)) = (&fetch.kind, &fetch.head) else { return None };
    // Revisits state SHA-1, or what their writer states of its captures too.
    let mut keys = vec![target_key(&fetch.target, fetch.time), digest_key(&Stated::Sha1(payload.sha1))];
    keys.extend(fetch.id.as_deref().map(id_key));
    keys.extend(fetch.stated.as_ref().map(digest_key));
    if robots::is_robots_txt(&fetch.target) {
        keys.extend(Url::parse(&fetch.target).ok().map(|url| robots_key(&robots::origin(&url))));
    }
    keys.sort_unstable();
    keys.dedup();
    let capture = Capture {
        id: fetch.id.clone(),
        target: fetch.target.clone(),
        time: fetch.time,
        truncated: fetch.truncated,
        stated: fetch.stated.clone(),
        head: head.clone(),
        payload: *payload,
        text: text.as_deref().map(<[u8]>::to_vec),
    };
    Some(Remembered { keys, bytes: borsh::to_vec(&capture).expect("borsh to memory") })
}

/// Adds to `fetches` what `memory` holds of what they refer to.
pub(super) fn recall(fetches: &mut Vec<Fetch>, memory: &dyn Memory) -> std::io::Result<()> {
    let mut seen = BTreeSet::new();
    let mut recalled = Vec::new();
    for key in wanted(fetches) {
        for bytes in memory.recall(&key, MOST)? {
            if !seen.insert(*blake3::hash(&bytes).as_bytes()) {
                continue;
            }
            let capture: Capture = borsh::from_slice(&bytes)?;
            recalled.push(Fetch {
                at: (usize::MAX, 0),
                length: None,
                id: capture.id,
                target: capture.target,
                time: capture.time,
                truncated: capture.truncated,
                concurrent_to: Vec::new(),
                stated: capture.stated,
                head: Some(capture.head),
                kind: Kind::Response { payload: capture.payload, confirmed: false, text: capture.text.map(Arc::from) },
                found: Vec::new(),
                recalled: true,
            });
        }
    }
    fetches.append(&mut recalled);
    Ok(())
}

/// Keys of the captures that revisits repeat and no input holds, and of the robots.txt of every site.
fn wanted(fetches: &[Fetch]) -> BTreeSet<Key> {
    let captures = Captures::new(fetches);
    let mut keys = BTreeSet::new();
    let mut origins = BTreeSet::new();
    for (index, fetch) in fetches.iter().enumerate() {
        if let Ok(url) = Url::parse(&fetch.target) {
            origins.insert(robots::origin(&url));
        }
        let Kind::Revisit(RefersTo { id, target, time, .. }) = &fetch.kind else { continue };
        if captures.resolve(index).is_some_and(|found| !found.differs) {
            continue;
        }
        keys.extend(id.as_deref().map(id_key));
        if let (Some(target), Some(time)) = (target, time) {
            keys.insert(target_key(target, *time));
        }
        keys.extend(fetch.stated.as_ref().map(digest_key));
    }
    keys.extend(origins.iter().map(|origin| robots_key(origin)));
    keys
}
