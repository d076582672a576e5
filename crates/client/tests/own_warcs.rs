//! The project's own captures, made by `make fixtures`.

mod warc_files;

use cairn_client::warc::{Crawl, Oddity, Reason, read_files};
use cairn_types::{Capture, MediaClass, Receipt, SignalKind, Verdict};
use warc_files::{Expected, options, own};

fn read(names: &[&str]) -> Crawl {
    read_files(&names.iter().map(|name| own(name)).collect::<Vec<_>>(), &options(), &()).unwrap()
}

fn of<'a>(crawl: &'a Crawl, path: &str) -> &'a Receipt {
    crawl.receipts.iter().find(|receipt| receipt.url.ends_with(path)).unwrap_or_else(|| panic!("no receipt of {path}"))
}

#[test]
fn a_crawl_gives_one_receipt_per_response() {
    let crawl = read(&["site.warc.gz"]);
    let expected = Expected {
        name: "site.warc.gz",
        responses: 9,
        revisits: 0,
        // wget records no response that has no content: the tenth request has none.
        skipped: &[(Reason::Request, 10), (Reason::Warcinfo, 1), (Reason::Metadata, 1), (Reason::Resource, 2)],
        // wget digests the chunked body with its chunk sizes.
        odd: &[(Oddity::DigestOfRawBody, 1)],
    };
    expected.check(&crawl);
    assert_eq!(of(&crawl, "/moved").status, 302);
    assert_eq!(of(&crawl, "/missing").status, 404);
    let page = of(&crawl, "/here.html");
    assert_eq!(
        (page.domain.as_str(), page.language.as_deref(), page.charset.as_deref()),
        ("127.0.0.1", Some("en-GB"), Some("utf-8"))
    );
    assert_eq!(of(&crawl, "/dot.png").media_class(), MediaClass::Image);
    let chunked = of(&crawl, "/chunked");
    let body = format!(
        "<!doctype html><html lang=\"en\"><title>Chunked</title><body>{}</body></html>\n",
        "<p>in pieces</p>".repeat(40)
    );
    assert_eq!(chunked.content_length, body.len() as u64);
    assert_eq!(chunked.payload_blake3, *blake3::hash(body.as_bytes()).as_bytes());
}

#[test]
fn rights_are_read_from_headers_and_from_the_robots_txt_in_force() {
    let crawl = read(&["private.warc", "site.warc.gz"]);
    let verdicts = |path| {
        let verdicts = of(&crawl, path).rights.verdicts;
        (verdicts.robots, verdicts.train_ai, verdicts.search, verdicts.tdm)
    };
    use Verdict::{Allowed, Refused, Unknown};
    // The first page was fetched before robots.txt was.
    assert_eq!(verdicts(":18473/"), (Unknown, Unknown, Unknown, Unknown));
    assert_eq!(verdicts("/here.html"), (Allowed, Refused, Allowed, Unknown));
    assert_eq!(verdicts("/reserved"), (Allowed, Refused, Refused, Refused));
    assert_eq!(verdicts("/data.json"), (Allowed, Refused, Allowed, Unknown));
    assert_eq!(verdicts("/private/notes.html"), (Refused, Refused, Allowed, Unknown));
    let robots = of(&crawl, "/robots.txt").payload_blake3;
    let signals = &of(&crawl, "/reserved").rights.signals;
    let kinds: Vec<_> = signals.iter().map(|signal| signal.kind).collect();
    assert_eq!(kinds, [SignalKind::RobotsTxt, SignalKind::XRobotsTag, SignalKind::ContentSignal, SignalKind::Tdm]);
    assert_eq!(signals[0].digest, robots);
}

#[test]
fn a_second_crawl_resolves_only_together_with_the_first() {
    let alone = read(&["again.warc.gz"]);
    assert_eq!((alone.receipts.len(), alone.report.count(Reason::UnresolvedRevisit)), (0, 9));
    for names in [["site.warc.gz", "again.warc.gz"], ["again.warc.gz", "site.warc.gz"]] {
        let crawl = read(&names);
        let expected = Expected {
            name: "both",
            responses: 9,
            revisits: 9,
            skipped: &[(Reason::Request, 20), (Reason::Warcinfo, 2), (Reason::Metadata, 2), (Reason::Resource, 4)],
            // wget states, for the block of a revisit, the digest of nothing.
            odd: &[(Oddity::DigestOfRawBody, 1), (Oddity::BlockDigestDiffers, 9)],
        };
        expected.check(&crawl);
        for revisit in crawl.receipts.iter().filter(|receipt| receipt.capture == Capture::RevisitIdentical) {
            let first = crawl.receipts.iter().find(|receipt| receipt.url == revisit.url).unwrap();
            assert_eq!(first.capture, Capture::Response);
            assert_eq!(first.payload_sha256, revisit.payload_sha256);
            assert_eq!((first.status, first.truncated), (revisit.status, revisit.truncated));
            assert!(first.fetch_time < revisit.fetch_time && first.headers_digest != revisit.headers_digest);
            assert_eq!(revisit.locator.as_ref().unwrap().file, "again.warc.gz");
        }
    }
}
