//! Finds, for each revisit, the capture that holds its payload, and for each fetch the request that asked for it.

use super::digests::Stated;
use super::fetch::{Fetch, Kind, RefersTo, Request};
use std::collections::HashMap;

/// Longest chain of revisits that name revisits.
const MAX_CHAIN: usize = 16;

/// A revisit's capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Index of the `response` among the fetches.
    pub(super) response: usize,
    /// The revisit states another payload digest than that capture has.
    pub(super) differs: bool,
}

/// Look-ups over all fetches of all inputs.
pub(super) struct Captures<'a> {
    fetches: &'a [Fetch],
    by_id: HashMap<&'a str, usize>,
    by_target: HashMap<&'a str, Vec<usize>>,
    by_digest: HashMap<Stated, usize>,
}

impl<'a> Captures<'a> {
    pub(super) fn new(fetches: &'a [Fetch]) -> Self {
        let mut captures =
            Self { fetches, by_id: HashMap::new(), by_target: HashMap::new(), by_digest: HashMap::new() };
        for (index, fetch) in fetches.iter().enumerate() {
            // Of captures with one id or digest the first one stands.
            if let Some(id) = &fetch.id {
                captures.by_id.entry(id).or_insert(index);
            }
            captures.by_target.entry(&fetch.target).or_default().push(index);
            if let Kind::Response { payload, .. } = &fetch.kind {
                for digest in
                    [Stated::Sha1(payload.sha1), Stated::Sha256(payload.sha256), Stated::Blake3(payload.blake3)]
                {
                    captures.by_digest.entry(digest).or_insert(index);
                }
            }
        }
        // Writers that digest the raw body state digests that no payload has.
        for (index, fetch) in fetches.iter().enumerate() {
            if let (Kind::Response { .. }, Some(stated)) = (&fetch.kind, &fetch.stated) {
                captures.by_digest.entry(stated.clone()).or_insert(index);
            }
        }
        captures
    }

    /// The capture that the revisit at `index` repeats: by record id, else by target URI and date, else by payload
    /// digest. One that has the stated digest goes before one that has not.
    pub(super) fn resolve(&self, index: usize) -> Option<Found> {
        let Some(Fetch { kind: Kind::Revisit(refers_to), stated, .. }) = self.fetches.get(index) else { return None };
        let ways = [
            refers_to.id.as_deref().and_then(|id| self.by_id(id)),
            self.by_target_and_date(refers_to, index),
            stated.as_ref().and_then(|stated| self.by_digest.get(stated).copied()),
        ];
        let found = ways
            .into_iter()
            .flatten()
            .map(|response| Found { response, differs: self.differs(response, stated.as_ref()) });
        found.min_by_key(|found| found.differs)
    }

    fn by_id(&self, id: &str) -> Option<usize> {
        let mut id = id;
        for _ in 0..MAX_CHAIN {
            let index = *self.by_id.get(id)?;
            match &self.fetches.get(index)?.kind {
                Kind::Response { .. } => return Some(index),
                Kind::Revisit(refers_to) => id = refers_to.id.as_deref()?,
            }
        }
        None
    }

    fn by_target_and_date(&self, refers_to: &RefersTo, revisit: usize) -> Option<usize> {
        let (target, time) = (refers_to.target.as_deref()?, refers_to.time?);
        let candidates = self.by_target.get(target)?.iter().copied().filter(|index| *index != revisit);
        let responses = candidates
            .filter(|index| self.fetches.get(*index).is_some_and(|fetch| matches!(fetch.kind, Kind::Response { .. })));
        responses
            .filter_map(|index| self.fetches.get(index).map(|fetch| (index, fetch.time)))
            .filter(|(_, other)| same_time(time, *other))
            // The exact time goes before the same second.
            .min_by_key(|(index, other)| (other.abs_diff(time), *index))
            .map(|(index, _)| index)
    }

    fn differs(&self, response: usize, stated: Option<&Stated>) -> bool {
        match (self.fetches.get(response), stated) {
            (Some(Fetch { kind: Kind::Response { payload, .. }, stated: theirs, .. }), Some(stated)) => {
                !stated.agrees(payload) && theirs.as_ref() != Some(stated)
            }
            _ => false,
        }
    }
}

/// Equal to the millisecond, or, when one of them has whole seconds only, in the same second.
fn same_time(a: u64, b: u64) -> bool {
    a == b || (a / 1000 == b / 1000 && (a.is_multiple_of(1000) || b.is_multiple_of(1000)))
}

/// Look-ups over all requests of all inputs.
pub(super) struct Requests<'a> {
    requests: &'a [Request],
    by_id: HashMap<&'a str, usize>,
    by_response: HashMap<&'a str, usize>,
    by_fetch: HashMap<(&'a str, u64), Option<usize>>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(requests: &'a [Request]) -> Self {
        let mut all = Self { requests, by_id: HashMap::new(), by_response: HashMap::new(), by_fetch: HashMap::new() };
        for (index, request) in requests.iter().enumerate() {
            if let Some(id) = &request.id {
                all.by_id.entry(id).or_insert(index);
            }
            for id in &request.concurrent_to {
                all.by_response.entry(id).or_insert(index);
            }
            if let (Some(target), Some(time)) = (&request.target, request.time) {
                // Two requests for one URI at one time cannot be told apart.
                all.by_fetch.entry((target, time)).and_modify(|index| *index = None).or_insert(Some(index));
            }
        }
        all
    }

    /// The request that `fetch` answers: concurrent by either's statement, else the only one of that URI and date.
    pub(super) fn of(&self, fetch: &Fetch) -> Option<&'a Request> {
        let named = fetch.concurrent_to.iter().find_map(|id| self.by_id.get(id.as_str()));
        let naming = || fetch.id.as_deref().and_then(|id| self.by_response.get(id));
        let same = || self.by_fetch.get(&(fetch.target.as_str(), fetch.time)).and_then(Option::as_ref);
        named.or_else(naming).or_else(same).and_then(|index| self.requests.get(*index))
    }
}
