//! Puts the records of all inputs together into receipts.

use super::digests::PayloadDigests;
use super::domain::{self, SUFFIX_LIST};
use super::fetch::{Answer, Fetch, Kind, Request};
use super::report::{Note, Oddity, Reason, Report, Skipped};
use super::resolve::{Captures, Requests};
use super::robots::{self, Copies, Copy, Evidence};
use super::signals::Opinion;
use super::{Crawl, Options};
use cairn_types::{Capture, Locator, Method, Receipt, Rights, Verdicts, receipt_max as max};
use std::sync::Arc;
use url::Url;

/// A fetch with all that other records add to it.
struct Whole<'a> {
    fetch: &'a Fetch,
    capture: Capture,
    payload: &'a PayloadDigests,
    text: Option<&'a Arc<[u8]>>,
    truncated: bool,
    answer: Answer,
    url: Url,
    request: Option<&'a Request>,
}

/// Makes receipts, in order of fetch time, of `fetches`, which are in order of position.
pub(super) fn assemble(fetches: &[Fetch], requests: &[Request], mut report: Report, options: &Options) -> Crawl {
    let captures = Captures::new(fetches);
    let requests = Requests::new(requests);
    let mut wholes = Vec::with_capacity(fetches.len());
    for (index, fetch) in fetches.iter().enumerate() {
        match whole(fetches, index, &captures, &requests, &mut report) {
            Ok(whole) => wholes.push((index, whole)),
            Err(_) if fetch.recalled => {}
            Err((reason, detail)) => report.skip(fetch.at, reason, detail),
        }
    }
    let mut copies = Copies::default();
    for (order, whole) in wholes.iter().filter(|(_, whole)| robots::is_robots_txt(&whole.fetch.target)) {
        copies.insert(robots::origin(&whole.url), whole.copy(*order));
    }
    let mut receipts = Vec::with_capacity(wholes.len());
    for (order, whole) in wholes.iter().filter(|(_, whole)| !whole.fetch.recalled) {
        let agent = whole.request.and_then(|request| request.agent.as_deref());
        let evidence = copies.evidence(*order, &whole.url, whole.fetch.time, agent);
        let receipt = whole.receipt(evidence, &mut report, options);
        match receipt.validate() {
            Ok(()) => {
                match whole.capture {
                    Capture::Response => report.responses += 1,
                    Capture::RevisitIdentical | Capture::RevisitNotModified => report.revisits += 1,
                }
                report.payload_digests_confirmed +=
                    u64::from(matches!(whole.fetch.kind, Kind::Response { confirmed: true, .. }));
                receipts.push(receipt);
            }
            Err(error) => report.skip(whole.fetch.at, Reason::DoesNotFit, Some(error.to_string())),
        }
    }
    // Stable: fetches of one time stay in order of position.
    receipts.sort_by_key(|receipt| receipt.fetch_time);
    report.sort();
    Crawl { receipts, report }
}

fn whole<'a>(
    fetches: &'a [Fetch],
    index: usize,
    captures: &Captures<'_>,
    requests: &Requests<'a>,
    report: &mut Report,
) -> Result<Whole<'a>, (Reason, Option<String>)> {
    let fetch = &fetches[index];
    let url =
        Url::parse(&fetch.target).map_err(|error| (Reason::Malformed, Some(format!("WARC-Target-URI: {error}"))))?;
    let request = requests.of(fetch);
    match &fetch.kind {
        Kind::Response { payload, text, .. } => {
            let answer = fetch.head.clone().ok_or((Reason::Malformed, None))?;
            Ok(Whole {
                fetch,
                capture: Capture::Response,
                payload,
                text: text.as_ref(),
                truncated: fetch.truncated,
                answer,
                url,
                request,
            })
        }
        Kind::Revisit(refers_to) => {
            let unresolved = || (Reason::UnresolvedRevisit, Some("no input holds the capture it repeats".to_owned()));
            let found = captures.resolve(index).ok_or_else(unresolved)?;
            let original = fetches.get(found.response).ok_or_else(unresolved)?;
            let (Kind::Response { payload, text, .. }, Some(theirs)) = (&original.kind, &original.head) else {
                return Err(unresolved());
            };
            if found.differs {
                report.note(fetch.at, Oddity::RevisitDigestDiffers, None);
            }
            let capture = if refers_to.not_modified { Capture::RevisitNotModified } else { Capture::RevisitIdentical };
            Ok(Whole {
                fetch,
                capture,
                payload,
                text: text.as_ref(),
                truncated: fetch.truncated || original.truncated,
                answer: revisit_answer(fetch.head.as_ref(), theirs, refers_to.not_modified),
                url,
                request,
            })
        }
    }
}

/// What a revisit's own head says, filled up from the earlier capture's: a 304 repeats few headers, and a revisit
/// without a head has none.
fn revisit_answer(own: Option<&Answer>, theirs: &Answer, not_modified: bool) -> Answer {
    let Some(own) = own else {
        let status = if not_modified { 304 } else { theirs.status };
        return Answer { status, digest: None, ..theirs.clone() };
    };
    let mut answer = own.clone();
    if answer.media_type.is_none() {
        answer.media_type.clone_from(&theirs.media_type);
        answer.charset.clone_from(&theirs.charset);
    }
    if answer.language.is_none() {
        answer.language.clone_from(&theirs.language);
    }
    if not_modified && answer.signals.raw.is_empty() {
        answer.signals.clone_from(&theirs.signals);
    }
    answer
}

impl Whole<'_> {
    fn copy(&self, order: usize) -> Copy {
        Copy {
            order,
            time: self.fetch.time,
            // What has not been modified is what a 200 brought before.
            status: if self.capture == Capture::RevisitNotModified { 200 } else { self.answer.status },
            payload_blake3: self.payload.blake3,
            text: self.text.filter(|_| !self.truncated).cloned(),
        }
    }

    fn receipt(&self, robots: Evidence, report: &mut Report, options: &Options) -> Receipt {
        let fetch = self.fetch;
        let mut signals = self.answer.signals.clone();
        signals.merge(robots.signals);
        for (oddity, detail) in &fetch.found {
            report.note(fetch.at, *oddity, detail.clone());
        }
        let file = report.file(fetch.at);
        let locator = match fetch.length {
            Some(length) if file.len() <= max::NAME => {
                Some(Locator { file: file.to_string(), offset: fetch.at.1, length })
            }
            Some(_) => {
                report.note(fetch.at, Oddity::TextLeftOut, Some("the file's name".to_owned()));
                None
            }
            None => {
                report.note(fetch.at, Oddity::SharedMember, None);
                None
            }
        };
        Receipt {
            rollup_id: options.rollup_id,
            node_index: options.node_index,
            url: fetch.target.clone(),
            // Each hop of a redirect is a record, and gets a receipt, of its own.
            final_url: None,
            domain: domain::registrable(&self.url).unwrap_or_default(),
            suffix_list: SUFFIX_LIST.to_owned(),
            fetch_time: fetch.time,
            fetch_end: None,
            status: self.answer.status,
            method: self.request.map_or(Method::Get, |request| Method::of(&request.method)),
            media_type: self.answer.media_type.clone(),
            charset: self.answer.charset.clone(),
            language: self.answer.language.clone(),
            content_length: self.payload.length,
            truncated: self.truncated,
            capture: self.capture,
            payload_blake3: self.payload.blake3,
            payload_sha256: self.payload.sha256,
            payload_sha1: self.payload.sha1,
            headers_digest: self.answer.digest,
            job: options.job.clone(),
            rights: Rights {
                verdicts: Verdicts {
                    robots: robots.verdict,
                    train_ai: Opinion::verdict(signals.train_ai),
                    search: Opinion::verdict(signals.search),
                    tdm: Opinion::verdict(signals.tdm),
                    rsl: Opinion::verdict(signals.rsl),
                },
                signals: signals.raw,
            },
            evidence: cairn_types::Evidence::default(),
            locator,
            lineage: None,
            groups: Vec::new(),
        }
    }
}

impl Report {
    fn file(&self, at: (usize, u64)) -> Arc<str> {
        self.files.get(at.0).map_or_else(|| Arc::from(""), |(name, _)| name.clone())
    }

    pub(super) fn skip(&mut self, at: (usize, u64), reason: Reason, detail: Option<String>) {
        let file = self.file(at);
        self.skipped.push(Skipped { file, offset: at.1, reason, detail });
    }

    pub(super) fn note(&mut self, at: (usize, u64), oddity: Oddity, detail: Option<String>) {
        let file = self.file(at);
        self.notes.push(Note { file, offset: at.1, oddity, detail });
    }

    /// Brings what was found at different stages into the order of the inputs.
    fn sort(&mut self) {
        let index = |file: &Arc<str>| self.files.iter().position(|(name, _)| Arc::ptr_eq(name, file));
        self.skipped.sort_by_cached_key(|skipped| (index(&skipped.file), skipped.offset));
        self.notes.sort_by_cached_key(|note| (index(&note.file), note.offset));
    }
}
