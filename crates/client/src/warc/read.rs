//! One record at a time: from header and block to what it says.

use super::body::{BlockHasher, Body, Coding, Wanted};
use super::digests::Stated;
use super::fetch::{Answer, Fetch, Kind, Position, RefersTo, Request};
use super::header::{Header, without_brackets};
use super::http::MessageHead;
use super::media::ContentType;
use super::report::{Oddity, Reason};
use super::robots;
use super::signals::Signals;
use cairn_types::limits::MAX_TIME;
use std::io::{BufRead, Result};
use std::sync::Arc;

/// Most records that one record may name as concurrent to it; any more are not looked at.
const MAX_CONCURRENT: usize = 16;
/// Longest name or identifier kept of a record, in bytes.
const MAX_TEXT: usize = 8192;

/// What a record is.
#[derive(Debug)]
pub(super) enum Entry {
    Fetch(Box<Fetch>),
    Request(Request),
    Skip(Reason, Option<String>),
}

fn malformed(what: &str) -> Entry {
    Entry::Skip(Reason::Malformed, Some(what.to_owned()))
}

impl Entry {
    /// Reads a record of file `file`. The offset and length are known, and set by the caller, after it was read.
    pub(super) fn read(file: usize, header: &Header, block: &mut dyn BufRead) -> Result<Self> {
        if !matches!(header.version.as_str(), "1.0" | "1.1") {
            return Ok(Self::Skip(Reason::UnknownVersion, Some(shown(&header.version))));
        }
        let Some(kind) = header.get("WARC-Type") else { return Ok(malformed("no WARC-Type")) };
        let plain = |reason| Ok(Self::Skip(reason, header.uri("WARC-Target-URI").map(shown)));
        match kind.to_ascii_lowercase().as_str() {
            "response" => fetch(file, header, block, false),
            "revisit" => fetch(file, header, block, true),
            "request" => request(header, block),
            "warcinfo" => plain(Reason::Warcinfo),
            "metadata" => plain(Reason::Metadata),
            "resource" => plain(Reason::Resource),
            "conversion" => plain(Reason::Conversion),
            "continuation" => plain(Reason::Continuation),
            other => Ok(Self::Skip(Reason::UnknownType, Some(shown(other)))),
        }
    }
}

fn request(header: &Header, block: &mut dyn BufRead) -> Result<Entry> {
    let head = MessageHead::read(block, b"")?.ok();
    let Some(method) = head.as_ref().and_then(MessageHead::method) else {
        return Ok(Entry::Skip(Reason::Request, header.uri("WARC-Target-URI").map(shown)));
    };
    Ok(Entry::Request(Request {
        at: Position::default(),
        id: identifier(header, "WARC-Record-ID"),
        concurrent_to: concurrent_to(header),
        target: header.uri("WARC-Target-URI").filter(|target| target.len() <= MAX_TEXT).map(str::to_owned),
        time: header.get("WARC-Date").and_then(parse_time),
        method: method.chars().take(32).collect(),
        agent: head
            .as_ref()
            .and_then(|head| head.get("user-agent"))
            .map(|agent| agent.chars().take(1024).collect::<String>().into()),
    }))
}

fn fetch(file: usize, header: &Header, block: &mut dyn BufRead, revisit: bool) -> Result<Entry> {
    let Some(target) = header.uri("WARC-Target-URI") else { return Ok(malformed("no WARC-Target-URI")) };
    let target = target.trim();
    let scheme = target.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let content_type = header.get("Content-Type").map(str::to_ascii_lowercase);
    if !matches!(scheme.as_str(), "http" | "https") {
        return Ok(Entry::Skip(Reason::NotHttp, Some(shown(target))));
    }
    if target.len() > MAX_TEXT {
        return Ok(Entry::Skip(Reason::DoesNotFit, Some(format!("WARC-Target-URI is {} bytes long", target.len()))));
    }
    if header.get("WARC-Segment-Number").is_some() {
        return Ok(Entry::Skip(Reason::Segmented, Some(shown(target))));
    }
    let Some(time) = header.get("WARC-Date").and_then(parse_time) else {
        return Ok(malformed("no WARC-Date, or one that is no time since 1970 in UTC"));
    };
    let mut found = Vec::new();
    if header.odd_lines > 0 {
        found.push((Oddity::HeaderLines, Some(format!("{} lines", header.odd_lines))));
    }
    let mut digest_of = |name: &str| {
        let text = header.get(name)?;
        let stated = Stated::parse(text);
        if stated.is_none() {
            found.push((Oddity::DigestUnchecked, Some(format!("{name}: {}", shown(text)))));
        }
        stated
    };
    let stated = digest_of("WARC-Payload-Digest");
    let mut block_hasher = BlockHasher::new(digest_of("WARC-Block-Digest"));
    let profile = header.get("WARC-Profile").unwrap_or_default();
    let reason = header.get("WARC-Truncated").map(str::to_ascii_lowercase);
    // The payload of a revisit is always left out, and old writers call that a truncation by length.
    let truncated = reason.is_some_and(|reason| !revisit || reason != "length");

    let head = if revisit && header.content_length == 0 {
        found.push((Oddity::RevisitWithoutHead, None));
        None
    } else {
        match MessageHead::read(block, b"HTTP/")? {
            Ok(head) => Some(head),
            Err(_) if content_type.is_some_and(|kind| !kind.starts_with("application/http")) => {
                return Ok(Entry::Skip(Reason::NotHttp, Some(shown(target))));
            }
            Err(error) => return Ok(malformed(&error.to_string())),
        }
    };
    let mut answer = None;
    let mut wanted = Wanted { truncated, ..Wanted::default() };
    if let Some(head) = head {
        let Some(status) = head.status() else { return Ok(malformed("the HTTP status line has no status code")) };
        if head.odd_lines > 0 {
            found.push((Oddity::HttpLines, Some(format!("{} lines", head.odd_lines))));
        }
        if head.unfinished {
            found.push((Oddity::HttpHeadUnfinished, None));
        }
        block_hasher.update(&head.bytes);
        wanted.claims_chunked = head.claims_chunked();
        wanted.keep_text = (200..300).contains(&status) && robots::is_robots_txt(target);
        answer = Some(read_answer(&head, status, &mut found));
    }
    let body = Body::read(block, &mut block_hasher, wanted)?;
    if block_hasher.agrees() == Some(false) {
        found.push((Oddity::BlockDigestDiffers, header.get("WARC-Block-Digest").map(shown)));
    }
    let kind = if revisit {
        match refers_to(header, profile) {
            Some(refers_to) => Kind::Revisit(refers_to),
            None => return Ok(Entry::Skip(Reason::UnresolvedRevisit, Some(format!("profile {}", shown(profile))))),
        }
    } else {
        found.extend(coding_oddity(body.coding));
        let agrees = stated.as_ref().map(|stated| (stated.agrees(&body.payload), stated.agrees(&body.raw)));
        match agrees {
            Some((false, true)) => found.push((Oddity::DigestOfRawBody, None)),
            Some((false, false)) => {
                found.push((Oddity::PayloadDigestDiffers, header.get("WARC-Payload-Digest").map(shown)));
            }
            Some((true, _)) | None => {}
        }
        let confirmed = agrees.is_some_and(|(payload, _)| payload);
        Kind::Response { payload: body.payload, confirmed, text: body.text.map(Arc::from) }
    };
    Ok(Entry::Fetch(Box::new(Fetch {
        at: Position::from((file, 0)),
        length: None,
        id: identifier(header, "WARC-Record-ID"),
        target: target.to_owned(),
        time,
        truncated,
        concurrent_to: concurrent_to(header),
        stated,
        head: answer,
        kind,
        found,
        recalled: false,
    })))
}

fn read_answer(head: &MessageHead, status: u16, found: &mut Vec<super::fetch::Found>) -> Answer {
    let content_type = head.get("content-type").map(ContentType::parse).unwrap_or_default();
    let language = head.get("content-language").map(super::media::language).unwrap_or_default();
    for (name, left_out) in [("content-type", content_type.left_out), ("content-language", language.left_out)] {
        if left_out {
            found.push((Oddity::TextLeftOut, Some(name.to_owned())));
        }
    }
    let is_image = content_type.media_type.as_deref().is_some_and(|media_type| media_type.starts_with("image/"));
    Answer {
        status,
        digest: Some(*blake3::hash(&head.bytes).as_bytes()),
        signals: Signals::of_response(head, is_image),
        media_type: content_type.media_type,
        charset: content_type.charset,
        language: language.tag,
    }
}

fn refers_to(header: &Header, profile: &str) -> Option<RefersTo> {
    let not_modified = profile.ends_with("/server-not-modified");
    // A record without a profile is not to the letter of the standard, but says no less than one with it.
    let identical = profile.ends_with("identical-payload-digest") || profile.is_empty();
    (not_modified || identical).then(|| RefersTo {
        not_modified,
        id: identifier(header, "WARC-Refers-To"),
        target: header.uri("WARC-Refers-To-Target-URI").map(str::to_owned),
        time: header.get("WARC-Refers-To-Date").and_then(parse_time),
    })
}

fn coding_oddity(coding: Coding) -> Option<super::fetch::Found> {
    match coding {
        Coding::Plain | Coding::Chunked => None,
        Coding::ChunkedAndMore(extra) => Some((Oddity::BytesAfterChunks, Some(format!("{extra} bytes")))),
        Coding::ChunkedInPart => Some((Oddity::ChunksTruncated, None)),
        Coding::NotChunked => Some((Oddity::NotChunked, None)),
        Coding::Unfinished => Some((Oddity::ChunksUnfinished, None)),
    }
}

fn identifier(header: &Header, name: &str) -> Option<String> {
    header.uri(name).filter(|text| text.len() <= MAX_TEXT).map(str::to_owned)
}

fn concurrent_to(header: &Header) -> Vec<String> {
    let all = header.get_all("WARC-Concurrent-To").map(without_brackets);
    all.filter(|text| text.len() <= MAX_TEXT).take(MAX_CONCURRENT).map(str::to_owned).collect()
}

/// ms since the Unix epoch of a WARC date: UTC, in whole seconds or with a fraction of up to nine digits.
pub(super) fn parse_time(text: &str) -> Option<u64> {
    let time = chrono::DateTime::parse_from_rfc3339(text.trim()).ok()?;
    u64::try_from(time.timestamp_millis()).ok().filter(|time| *time < MAX_TIME)
}

/// At most 200 characters of a text from a file, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_to_the_millisecond() {
        assert_eq!(parse_time("2014-01-26T20:06:24Z"), Some(1_390_766_784_000));
        assert_eq!(parse_time("2014-01-26T20:06:24.5Z"), Some(1_390_766_784_500));
        assert_eq!(parse_time("2014-01-26T20:06:24.123456789Z"), Some(1_390_766_784_123));
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        for wrong in [
            "",
            "2014",
            "2014-01-26",
            "20140126200624",
            "1969-12-31T23:59:59Z",
            "2014-13-26T20:06:24Z",
            "9999999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }
}
