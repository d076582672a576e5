//! One test per thing that a WARC file can hold, be or lack.

mod warc_files;

use cairn_client::warc::{Crawl, Oddity, ReadError, Reason, read_files, read_inputs};
use cairn_types::{Capture, Method, Verdict};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha1::{Digest as _, Sha1};
use std::cell::Cell;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use warc_files::{date, gzip, options, read, read_all, record, response};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello";

fn sha1(bytes: &[u8]) -> String {
    format!("sha1:{}", data_encoding::BASE32.encode(&Sha1::digest(bytes)))
}

/// A revisit of `path` in second `second` with more fields and a block.
fn revisit(path: &str, second: u32, fields: &str, block: &str) -> Vec<u8> {
    let fields = format!(
        "WARC-Type: revisit\nWARC-Record-ID: <urn:test:revisit:{second}>\nWARC-Target-URI: http://example.org{path}\n\
         WARC-Date: {}\n{fields}",
        date(second)
    );
    record(&fields, block.as_bytes())
}

const IDENTICAL: &str = "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
const NOT_MODIFIED: &str = "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/server-not-modified";

fn only_reason(crawl: &Crawl) -> (Reason, u64, String) {
    let [skipped] = crawl.report.skipped.as_slice() else { panic!("one record is skipped:\n{}", crawl.report) };
    (skipped.reason, skipped.offset, skipped.detail.clone().unwrap_or_default())
}

#[test]
fn the_same_records_give_the_same_receipts_plain_per_member_and_in_one_member() {
    let records = [response("/a", 1, OK), response("/b", 2, OK), response("/c", 3, "HTTP/1.1 404 No\r\n\r\n")];
    let plain = read(&records.concat());
    let members = read(&records.iter().flat_map(|record| gzip(record)).collect::<Vec<_>>());
    let one = read(&gzip(&records.concat()));
    let mixed = read(&[records[0].clone(), gzip(&records[1]), records[2].clone()].concat());
    assert_eq!(plain.receipts.len(), 3);
    for other in [&members, &one, &mixed] {
        for (a, b) in plain.receipts.iter().zip(&other.receipts) {
            let mut b = b.clone();
            b.locator.clone_from(&a.locator);
            assert_eq!(*a, b);
        }
        assert_eq!(other.receipts.len(), 3);
    }
    let offsets = |crawl: &Crawl| -> Vec<_> {
        crawl
            .receipts
            .iter()
            .map(|receipt| receipt.locator.as_ref().map(|locator| (locator.offset, locator.length)))
            .collect()
    };
    let lengths: Vec<_> = records.iter().map(|record| record.len() as u64).collect();
    assert_eq!(
        offsets(&plain),
        [Some((0, lengths[0])), Some((lengths[0], lengths[1])), Some((lengths[0] + lengths[1], lengths[2]))]
    );
    let packed: Vec<_> = records.iter().map(|record| gzip(record).len() as u64).collect();
    assert_eq!(
        offsets(&members),
        [Some((0, packed[0])), Some((packed[0], packed[1])), Some((packed[0] + packed[1], packed[2]))]
    );
    assert_eq!((offsets(&one), one.report.noted(Oddity::SharedMember)), (vec![None; 3], 3));
}

#[test]
fn payloads_are_bodies_without_their_transfer_coding() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let falsely = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello";
    let more = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nmore";
    let unfinished = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for (message, payload, oddity) in [
        (OK, "hello", None),
        (chunked, "hello", None),
        (falsely, "hello", Some(Oddity::NotChunked)),
        (more, "hello", Some(Oddity::BytesAfterChunks)),
        (unfinished, "5\r\nhello\r\n", Some(Oddity::ChunksUnfinished)),
    ] {
        let crawl = read(&response("/", 1, message));
        let receipt = &crawl.receipts[0];
        assert_eq!(receipt.content_length, payload.len() as u64);
        assert_eq!(receipt.payload_blake3, *blake3::hash(payload.as_bytes()).as_bytes());
        assert_eq!(receipt.payload_sha1, <[u8; 20]>::from(Sha1::digest(payload)));
        assert_eq!(crawl.report.oddities().into_keys().collect::<Vec<_>>(), Vec::from_iter(oddity), "{message}");
    }
}

#[test]
fn stated_digests_are_compared_and_block_no_receipt() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let fields = |digests: &str| {
        format!("WARC-Type: response\nWARC-Target-URI: http://example.org/\nWARC-Date: {}\n{digests}", date(1))
    };
    for (digests, confirmed, oddity) in [
        (format!("WARC-Payload-Digest: {}", sha1(b"hello")), 1, None),
        (format!("WARC-Payload-Digest: sha256:{}", hex::encode(sha2::Sha256::digest(b"hello"))), 1, None),
        (format!("WARC-Payload-Digest: {}", sha1(b"5\r\nhello\r\n0\r\n\r\n")), 0, Some(Oddity::DigestOfRawBody)),
        (format!("WARC-Payload-Digest: {}", sha1(b"other")), 0, Some(Oddity::PayloadDigestDiffers)),
        ("WARC-Payload-Digest: md5:00".to_owned(), 0, Some(Oddity::DigestUnchecked)),
        (format!("WARC-Block-Digest: {}", sha1(chunked.as_bytes())), 0, None),
        (format!("WARC-Block-Digest: {}", sha1(b"other")), 0, Some(Oddity::BlockDigestDiffers)),
    ] {
        let crawl = read(&record(&fields(&digests), chunked.as_bytes()));
        assert_eq!((crawl.receipts.len(), crawl.report.payload_digests_confirmed), (1, confirmed), "{digests}");
        assert_eq!(crawl.report.oddities().into_keys().collect::<Vec<_>>(), Vec::from_iter(oddity), "{digests}");
    }
}

#[test]
fn truncation_sets_the_bit_and_keeps_the_chunks_there_are() {
    let fields = format!(
        "WARC-Type: response\nWARC-Target-URI: http://example.org/\nWARC-Date: {}\nWARC-Truncated: length",
        date(1)
    );
    let crawl = read(&record(&fields, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello"));
    assert!(crawl.receipts[0].truncated);
    assert_eq!(crawl.receipts[0].content_length, 5);
    assert_eq!(crawl.report.noted(Oddity::ChunksTruncated), 1);
    assert!(!read(&response("/", 1, OK)).receipts[0].truncated);
}

#[test]
fn every_other_record_is_counted_and_named() {
    let at = format!("WARC-Date: {}\nWARC-Target-URI: http://example.org/", date(1));
    for (fields, block, reason) in [
        ("WARC-Type: warcinfo".to_owned(), "software: x\r\n", Reason::Warcinfo),
        (format!("WARC-Type: request\n{at}"), "GET / HTTP/1.1\r\n\r\n", Reason::Request),
        (format!("WARC-Type: request\n{at}"), "", Reason::Request),
        (format!("WARC-Type: metadata\n{at}"), "x", Reason::Metadata),
        (format!("WARC-Type: resource\n{at}"), "x", Reason::Resource),
        (format!("WARC-Type: conversion\n{at}"), "x", Reason::Conversion),
        (format!("WARC-Type: continuation\n{at}\nWARC-Segment-Number: 2"), "x", Reason::Continuation),
        (format!("WARC-Type: response\n{at}\nWARC-Segment-Number: 1"), OK, Reason::Segmented),
        (
            format!("WARC-Type: response\nWARC-Date: {}\nWARC-Target-URI: dns:example.org", date(1)),
            "1.2.3.4",
            Reason::NotHttp,
        ),
        (format!("WARC-Type: response\n{at}\nContent-Type: text/dns"), "1.2.3.4", Reason::NotHttp),
        (format!("WARC-Type: response\n{at}"), "no message", Reason::Malformed),
        (format!("WARC-Type: response\n{at}"), "HTTP/1.1 abc\r\n\r\n", Reason::Malformed),
        ("WARC-Type: response\nWARC-Target-URI: http://example.org/".to_owned(), OK, Reason::Malformed),
        (format!("WARC-Type: response\nWARC-Date: {}", date(1)), OK, Reason::Malformed),
        (format!("WARC-Type: response\nWARC-Date: {}\nWARC-Target-URI: http://", date(1)), OK, Reason::Malformed),
        (at.clone(), OK, Reason::Malformed),
        (format!("WARC-Type: novelty\n{at}"), OK, Reason::UnknownType),
        (
            format!("WARC-Type: response\nWARC-Date: {}\nWARC-Target-URI: http://e.org/{}", date(1), "x".repeat(8200)),
            OK,
            Reason::DoesNotFit,
        ),
        (format!("WARC-Type: revisit\n{at}\n{IDENTICAL}"), OK, Reason::UnresolvedRevisit),
        (format!("WARC-Type: revisit\n{at}\nWARC-Profile: http://example.org/other"), OK, Reason::UnresolvedRevisit),
    ] {
        let before = response("/before", 1, OK);
        let bytes = [before.clone(), record(&fields, block.as_bytes()), response("/after", 2, OK)].concat();
        let crawl = read(&bytes);
        assert_eq!(crawl.receipts.len(), 2, "{fields}\n{}", crawl.report);
        let (found, offset, _) = only_reason(&crawl);
        assert_eq!((found, offset), (reason, before.len() as u64), "{fields}");
    }
    let mut old = response("/", 1, OK);
    old[5..8].copy_from_slice(b"0.9");
    assert_eq!(only_reason(&read(&old)).0, Reason::UnknownVersion);
}

#[test]
fn files_of_other_kinds_are_named() {
    let arc = "filedesc://x.arc 0.0.0.0 20260101000000 text/plain 10\n1 0 test\n\n";
    assert_eq!(only_reason(&read(arc.as_bytes())).0, Reason::Arc);
    assert_eq!(only_reason(&read(&gzip(arc.as_bytes()))).0, Reason::Arc);
    assert_eq!(only_reason(&read(b"\x28\xb5\x2f\xfd\x00\x00")).0, Reason::Compression);
    assert_eq!(only_reason(&read(b"GIF89a and so on")).0, Reason::Malformed);
    assert_eq!(only_reason(&read(&gzip(b""))).0, Reason::EmptyMember);
    let nothing = read(b"");
    assert!(nothing.receipts.is_empty() && nothing.report.skipped.is_empty());
    assert!(matches!(read_files(&["no such file"], &options(), &()), Err(ReadError::Open { .. })));
    assert!(matches!(read_files(&[env!("CARGO_MANIFEST_DIR")], &options(), &()), Err(ReadError::Read { .. })));
}

#[test]
fn a_record_cut_off_by_the_end_gives_no_receipt_at_whatever_byte() {
    let (first, second) = (response("/a", 1, OK), response("/b", 2, OK));
    for pack in [|record: &[u8]| record.to_vec(), |record: &[u8]| gzip(record)] {
        let (first, second) = (pack(&first), pack(&second));
        for cut in 1..second.len() {
            let crawl = read(&[&first[..], &second[..cut]].concat());
            // The line ends after a record belong to no payload: without them the record is whole.
            let whole = second.starts_with(b"WARC") && cut + 4 >= second.len();
            assert_eq!(crawl.receipts.len(), if whole { 2 } else { 1 }, "cut at {cut}\n{}", crawl.report);
            if !whole {
                let (reason, offset, _) = only_reason(&crawl);
                assert!(matches!(reason, Reason::CutOff | Reason::Malformed), "cut at {cut}: {reason:?}");
                assert_eq!(offset, first.len() as u64);
                assert!(cut < 5 || reason == Reason::CutOff, "cut at {cut}: {reason:?}");
            }
        }
    }
}

#[test]
fn reading_goes_on_after_a_broken_record() {
    let (first, last) = (response("/first", 1, OK), response("/last", 9, OK));
    let no_length = b"WARC/1.0\r\nWARC-Type: response\r\n\r\nsome block\r\n\r\n".to_vec();
    let mut too_short = response("/short", 2, OK);
    let at = too_short.windows(18).position(|window| window == b"Content-Length: 50").unwrap();
    too_short[at + 16..at + 18].copy_from_slice(b"40");
    for broken in [no_length, too_short, b"what is this?\r\n".to_vec()] {
        let plain = read(&[&first[..], &broken, &last].concat());
        assert_eq!(plain.receipts.len(), 2, "{}", plain.report);
        let (reason, offset, detail) = only_reason(&plain);
        assert_eq!((reason, offset), (Reason::Malformed, first.len() as u64));
        assert!(detail.ends_with(&format!("reading went on at {}", first.len() + broken.len())), "{detail}");
        let packed = [gzip(&first), gzip(&broken), gzip(&last)];
        let crawl = read(&packed.concat());
        assert_eq!((crawl.receipts.len(), only_reason(&crawl).0), (2, Reason::Malformed), "{}", crawl.report);
    }
}

#[test]
fn a_damaged_gzip_member_costs_only_itself() {
    let members: Vec<_> = (0..3).map(|n| gzip(&response(&format!("/{n}"), n, OK))).collect();
    for at in 0..members[1].len() {
        let mut damaged = members[1].clone();
        damaged[at] ^= 0x55;
        let crawl = read(&[members[0].clone(), damaged, members[2].clone()].concat());
        let urls: Vec<_> = crawl.receipts.iter().map(|receipt| receipt.url.as_str()).collect();
        assert!(urls.contains(&"http://example.org/0"), "byte {at}");
        // The gzip header's time and system say nothing about the content, so that such damage changes nothing.
        let harmless = (4..10).contains(&at);
        assert_eq!(urls.contains(&"http://example.org/1"), harmless, "byte {at}\n{}", crawl.report);
        assert!(harmless || !crawl.report.skipped.is_empty(), "byte {at}");
    }
}

#[test]
fn revisits_resolve_by_id_then_by_target_and_date_then_by_digest() {
    let other = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nother";
    let captures = [response("/a", 1, OK), response("/b", 2, other)].concat();
    let hello = sha1(b"hello");
    for (fields, length_of) in [
        ("WARC-Refers-To: <urn:test:/a>".to_owned(), Some("hello")),
        ("WARC-Refers-To: <urn:test:/b>".to_owned(), Some("other")),
        (format!("WARC-Refers-To-Target-URI: http://example.org/b\nWARC-Refers-To-Date: {}", date(2)), Some("other")),
        (format!("WARC-Refers-To-Target-URI: http://example.org/b\nWARC-Refers-To-Date: {}", date(3)), None),
        (format!("WARC-Payload-Digest: {hello}"), Some("hello")),
        (format!("WARC-Refers-To: <urn:test:gone>\nWARC-Payload-Digest: {hello}"), Some("hello")),
        // One with the stated digest goes before one that is named.
        (format!("WARC-Refers-To: <urn:test:/b>\nWARC-Payload-Digest: {hello}"), Some("hello")),
        ("WARC-Refers-To: <urn:test:revisit:5>".to_owned(), None),
        (String::new(), None),
    ] {
        let revisit = revisit("/c", 5, &format!("{IDENTICAL}\n{fields}"), "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n");
        for files in [[captures.clone(), revisit.clone()], [revisit, captures.clone()]] {
            let crawl = read_all(&[("one", &files[0]), ("two", &files[1])]);
            let found = crawl.receipts.iter().find(|receipt| receipt.capture == Capture::RevisitIdentical);
            let payload = found.map(|receipt| receipt.payload_blake3);
            assert_eq!(payload, length_of.map(|text| *blake3::hash(text.as_bytes()).as_bytes()), "{fields}");
        }
    }
}

#[test]
fn a_revisit_with_a_digest_that_nothing_has_is_noted() {
    let revisit = revisit(
        "/a",
        5,
        &format!("{IDENTICAL}\nWARC-Refers-To: <urn:test:/a>\nWARC-Payload-Digest: {}", sha1(b"x")),
        "",
    );
    let crawl = read(&[response("/a", 1, OK), revisit].concat());
    assert_eq!((crawl.report.revisits, crawl.report.noted(Oddity::RevisitDigestDiffers)), (1, 1));
}

#[test]
fn revisits_of_revisits_are_followed_and_circles_are_not() {
    let first = revisit("/a", 5, &format!("{IDENTICAL}\nWARC-Refers-To: <urn:test:/a>"), "");
    let second = revisit("/a", 6, &format!("{IDENTICAL}\nWARC-Refers-To: <urn:test:revisit:5>"), "");
    assert_eq!(read(&[response("/a", 1, OK), first, second].concat()).report.revisits, 2);
    let one = revisit("/a", 5, &format!("{IDENTICAL}\nWARC-Refers-To: <urn:test:revisit:6>"), "");
    let two = revisit("/a", 6, &format!("{IDENTICAL}\nWARC-Refers-To: <urn:test:revisit:5>"), "");
    assert_eq!(read(&[one, two].concat()).report.count(Reason::UnresolvedRevisit), 2);
}

#[test]
fn a_page_that_was_not_modified_keeps_status_304() {
    for block in ["HTTP/1.1 304 Not Modified\r\nServer: x\r\n\r\n", ""] {
        let revisit = revisit("/a", 5, &format!("{NOT_MODIFIED}\nWARC-Refers-To: <urn:test:/a>"), block);
        let crawl = read(&[response("/a", 1, OK), revisit].concat());
        let receipt = &crawl.receipts[1];
        assert_eq!((receipt.status, receipt.capture), (304, Capture::RevisitNotModified));
        assert_eq!((receipt.content_length, receipt.media_type.as_deref()), (5, Some("text/plain")));
        assert_eq!(receipt.headers_digest.is_some(), !block.is_empty());
    }
}

#[test]
fn a_revisit_is_truncated_when_its_capture_is() {
    let fields = format!(
        "WARC-Type: response\nWARC-Record-ID: <urn:test:cut>\nWARC-Target-URI: http://example.org/\nWARC-Date: {}\nWARC-Truncated: time",
        date(1)
    );
    for (name, truncated) in [("cut", true), ("/whole", false)] {
        // Writers mark every revisit as truncated by length, since it has no payload.
        let revisit =
            revisit("/", 5, &format!("{IDENTICAL}\nWARC-Truncated: length\nWARC-Refers-To: <urn:test:{name}>"), "");
        let crawl = read(&[record(&fields, OK.as_bytes()), response("/whole", 2, OK), revisit].concat());
        assert_eq!(crawl.receipts[2].truncated, truncated, "{name}");
    }
}

#[test]
fn methods_come_from_the_concurrent_request() {
    let request = |fields: &str, method: &str| {
        let fields = format!("WARC-Type: request\nWARC-Target-URI: http://example.org/a\n{fields}");
        record(&fields, format!("{method} /a HTTP/1.1\r\nHost: example.org\r\n\r\n").as_bytes())
    };
    let answer = |fields: &str| {
        let fields = format!(
            "WARC-Type: response\nWARC-Record-ID: <urn:test:answer>\nWARC-Target-URI: http://example.org/a\nWARC-Date: {}\n{fields}",
            date(1)
        );
        record(&fields, OK.as_bytes())
    };
    let method = |records: &[Vec<u8>]| read(&records.concat()).receipts[0].method;
    let dated = |second| format!("WARC-Date: {}", date(second));
    assert_eq!(method(&[answer("")]), Method::Get);
    assert_eq!(method(&[request("WARC-Concurrent-To: <urn:test:answer>", "POST"), answer("")]), Method::Post);
    assert_eq!(
        method(&[answer("WARC-Concurrent-To: <urn:test:ask>"), request("WARC-Record-ID: <urn:test:ask>", "PUT")]),
        Method::Put
    );
    assert_eq!(method(&[answer(""), request(&dated(1), "HEAD")]), Method::Head);
    assert_eq!(method(&[answer(""), request(&dated(2), "HEAD")]), Method::Get, "another time");
    assert_eq!(
        method(&[answer(""), request(&dated(1), "HEAD"), request(&dated(1), "POST")]),
        Method::Get,
        "not to be told apart"
    );
    assert_eq!(method(&[answer(""), request(&dated(1), "BREW")]), Method::Other);
}

#[test]
fn receipts_are_in_order_of_time_then_of_input() {
    let one = [response("/late", 9, OK), response("/b", 5, OK)].concat();
    let two = [response("/a", 5, OK), response("/early", 1, OK)].concat();
    let crawl = read_all(&[("one", &one), ("two", &two)]);
    let paths: Vec<_> =
        crawl.receipts.iter().map(|receipt| receipt.url.trim_start_matches("http://example.org")).collect();
    assert_eq!(paths, ["/early", "/b", "/a", "/late"]);
}

#[test]
fn targets_are_read_with_and_without_brackets_and_kept_as_written() {
    for (written, url, domain) in [
        ("<http://example.org/a>", "http://example.org/a", "example.org"),
        ("http://www.EXAMPLE.co.uk/A b", "http://www.EXAMPLE.co.uk/A b", "example.co.uk"),
        ("HTTPS://10.0.0.1/", "HTTPS://10.0.0.1/", "10.0.0.1"),
    ] {
        let fields = format!("WARC-Type: response\nWARC-Target-URI: {written}\nWARC-Date: {}", date(1));
        let crawl = read(&record(&fields, OK.as_bytes()));
        assert_eq!((crawl.receipts[0].url.as_str(), crawl.receipts[0].domain.as_str()), (url, domain));
    }
}

#[test]
fn a_missing_robots_txt_allows_and_a_failing_one_refuses() {
    for (status, verdict) in [("404 Not Found", Verdict::Allowed), ("500 Error", Verdict::Refused)] {
        let robots = response("/robots.txt", 1, &format!("HTTP/1.1 {status}\r\n\r\n"));
        let crawl = read(&[robots, response("/a", 2, OK)].concat());
        assert_eq!(crawl.receipts[1].rights.verdicts.robots, verdict, "{status}");
    }
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// An input that keeps the most memory that was in use when it was read.
struct Watched<'a>(Cursor<Vec<u8>>, &'a Cell<u64>);

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1.set(self.1.get().max(resident()));
        self.0.read(buffer)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(position)
    }
}

#[test]
fn a_large_payload_streams_by_in_bounded_memory() {
    const MIB: u64 = 128;
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let length = head.len() as u64 + (MIB << 20);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write!(encoder, "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://example.org/\r\n").unwrap();
    write!(encoder, "WARC-Date: {}\r\nContent-Length: {length}\r\n\r\n{head}", date(1)).unwrap();
    let noise: Vec<u8> = (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    for _ in 0..MIB {
        encoder.write_all(&noise).unwrap();
    }
    encoder.write_all(b"\r\n\r\n").unwrap();
    let bytes = encoder.finish().unwrap();
    let (before, most) = (resident(), Cell::new(0));
    let crawl =
        read_inputs(vec![("large.warc.gz".to_owned(), Watched(Cursor::new(bytes), &most))], &options(), &()).unwrap();
    assert_eq!(crawl.receipts[0].content_length, MIB << 20);
    assert!(
        most.get() > 0 && most.get() < before + (32 << 20),
        "{} bytes at the start, {} at most",
        before,
        most.get()
    );
}
