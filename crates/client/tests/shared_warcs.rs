//! Files of other projects, which this one does not copy: read where they lie beside the repository.

mod warc_files;

use cairn_client::warc::{Oddity, Reason, read_files};
use cairn_types::{Capture, Method};
use std::path::PathBuf;
use warc_files::{Expected, options};

/// Where the files lie, when they do. Says so when not.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/warc");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no folder ../shared/data/warc beside the repository");
    None
}

const EXPECTED: &[Expected] = &[
    Expected {
        name: "commoncrawl-whirlwind.warc.gz",
        responses: 1,
        revisits: 0,
        skipped: &[(Reason::Request, 1), (Reason::Warcinfo, 1), (Reason::Metadata, 1)],
        odd: &[],
    },
    Expected {
        name: "pywb-dupes.warc.gz",
        responses: 3,
        revisits: 1,
        // These repeat captures of pywb-iana.warc.gz.
        skipped: &[(Reason::Request, 12), (Reason::Warcinfo, 1), (Reason::UnresolvedRevisit, 8)],
        odd: &[],
    },
    Expected {
        name: "pywb-example-url-agnostic-revisit.warc.gz",
        responses: 0,
        revisits: 0,
        skipped: &[(Reason::Warcinfo, 1), (Reason::UnresolvedRevisit, 1)],
        odd: &[],
    },
    Expected {
        name: "pywb-example-wpull.warc.gz",
        responses: 1,
        revisits: 0,
        skipped: &[(Reason::Request, 1), (Reason::Warcinfo, 1), (Reason::Resource, 1)],
        odd: &[],
    },
    Expected {
        name: "pywb-iana.warc.gz",
        responses: 48,
        revisits: 123,
        skipped: &[(Reason::Request, 171), (Reason::Warcinfo, 1)],
        odd: &[(Oddity::NotChunked, 25)],
    },
    Expected {
        name: "pywb-missing-status-text.warc",
        responses: 1,
        revisits: 0,
        skipped: &[],
        odd: &[(Oddity::HttpHeadUnfinished, 1), (Oddity::Boundary, 1)],
    },
    Expected {
        name: "warcio-example-bad-non-chunked.warc.gz",
        responses: 1,
        revisits: 1,
        skipped: &[(Reason::Request, 2), (Reason::Warcinfo, 2)],
        odd: &[(Oddity::BlockDigestDiffers, 1), (Oddity::SharedMember, 2)],
    },
    Expected {
        name: "warcio-example-digest.warc",
        responses: 0,
        revisits: 0,
        skipped: &[(Reason::Request, 4)],
        odd: &[],
    },
    Expected {
        name: "warcio-example-iana.org-chunked.warc",
        responses: 1,
        revisits: 0,
        skipped: &[(Reason::Request, 1), (Reason::Warcinfo, 1)],
        odd: &[(Oddity::DigestOfRawBody, 1)],
    },
    Expected {
        name: "warcio-example-resource.warc.gz",
        responses: 0,
        revisits: 0,
        skipped: &[(Reason::Warcinfo, 2), (Reason::Resource, 1)],
        odd: &[],
    },
    Expected {
        name: "warcio-example-space-in-target-uri.warc.gz",
        responses: 0,
        revisits: 0,
        skipped: &[(Reason::Warcinfo, 1), (Reason::Resource, 1)],
        odd: &[],
    },
    Expected {
        name: "warcio-example-trunc.warc",
        responses: 0,
        revisits: 0,
        // Its Content-Length ends two bytes before the payload does.
        skipped: &[(Reason::Request, 1), (Reason::Warcinfo, 2), (Reason::Malformed, 1)],
        odd: &[],
    },
    Expected {
        name: "warcio-example-wget-bad-target-uri.warc.gz",
        responses: 1,
        revisits: 0,
        skipped: &[(Reason::Request, 1), (Reason::Warcinfo, 1), (Reason::Metadata, 1), (Reason::Resource, 2)],
        odd: &[],
    },
    Expected {
        name: "warcio-example-wrong-chunks.warc.gz",
        responses: 0,
        revisits: 0,
        // Its Content-Length reaches past the next record and the end of the gzip member.
        skipped: &[(Reason::Malformed, 1)],
        odd: &[],
    },
    Expected { name: "warcio-example.arc.gz", responses: 0, revisits: 0, skipped: &[(Reason::Arc, 1)], odd: &[] },
    Expected {
        name: "warcio-example.warc.gz",
        responses: 1,
        revisits: 1,
        skipped: &[(Reason::Request, 2), (Reason::Warcinfo, 2)],
        odd: &[],
    },
    Expected {
        name: "warcio-post-test.warc.gz",
        responses: 3,
        revisits: 0,
        skipped: &[(Reason::Request, 3)],
        odd: &[],
    },
];

#[test]
fn every_shared_file_gives_what_is_expected_of_it() {
    let Some(folder) = folder() else { return };
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("warc") || name.contains("arc"))
        .collect();
    names.sort();
    assert_eq!(names, EXPECTED.iter().map(|expected| expected.name).collect::<Vec<_>>(), "each file has its line");
    for expected in EXPECTED {
        let crawl = read_files(&[folder.join(expected.name)], &options(), &()).unwrap();
        expected.check(&crawl);
        let total = std::fs::metadata(folder.join(expected.name)).unwrap().len();
        let stopped =
            crawl.report.skipped.iter().any(|skipped| matches!(skipped.reason, Reason::Arc | Reason::Malformed));
        assert!(stopped || crawl.report.files[0].1 == total, "{} is read to its end", expected.name);
    }
}

#[test]
fn revisits_find_captures_in_other_inputs_whatever_their_order() {
    let Some(folder) = folder() else { return };
    for pair in [["pywb-iana.warc.gz", "pywb-dupes.warc.gz"], ["pywb-dupes.warc.gz", "pywb-iana.warc.gz"]] {
        let crawl = read_files(&pair.map(|name| folder.join(name)), &options(), &()).unwrap();
        assert_eq!((crawl.report.responses, crawl.report.revisits), (51, 132), "{pair:?}\n{}", crawl.report);
        assert_eq!(crawl.report.count(Reason::UnresolvedRevisit), 0, "{pair:?}");
    }
    // This one names a record that is nowhere, and is found by its payload digest.
    let pair = ["pywb-example-url-agnostic-revisit.warc.gz", "pywb-example-wpull.warc.gz"];
    let crawl = read_files(&pair.map(|name| folder.join(name)), &options(), &()).unwrap();
    let revisit = crawl.receipts.iter().find(|receipt| receipt.capture == Capture::RevisitIdentical).unwrap();
    assert_eq!((revisit.content_length, revisit.truncated), (1270, false));
}

#[test]
fn receipts_of_the_demo_file_say_what_it_holds() {
    let Some(folder) = folder() else { return };
    let path = folder.join("pywb-iana.warc.gz");
    let crawl = read_files(&[&path], &options(), &()).unwrap();
    assert_eq!(crawl, read_files(&[&path], &options(), &()).unwrap(), "the same input gives the same receipts");
    assert_eq!(crawl.report.payload_digests_confirmed, 48);
    let bytes = std::fs::read(&path).unwrap();
    for receipt in &crawl.receipts {
        assert_eq!(receipt.domain, "iana.org");
        let locator = receipt.locator.as_ref().unwrap();
        let record = &bytes[usize::try_from(locator.offset).unwrap()..][..usize::try_from(locator.length).unwrap()];
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(record), &mut text).unwrap();
        let target = format!("WARC-Target-URI: {}\r\n", receipt.url);
        assert!(
            text.starts_with(b"WARC/1.0\r\n") && text.windows(target.len()).any(|window| window == target.as_bytes())
        );
    }
    let first = &crawl.receipts[0];
    assert_eq!((first.url.as_str(), first.fetch_time, first.status), ("http://www.iana.org/", 1_390_766_784_000, 200));
    assert_eq!(data_encoding::BASE32.encode(&first.payload_sha1), "OSSAPWJ23L56IYVRW3GFEAR4MCJMGPTB");
}

#[test]
fn methods_come_from_the_requests() {
    let Some(folder) = folder() else { return };
    let crawl = read_files(&[folder.join("warcio-post-test.warc.gz")], &options(), &()).unwrap();
    assert!(crawl.receipts.iter().all(|receipt| receipt.method == Method::Post));
}
