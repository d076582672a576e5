//! A file that is read while it grows gives the receipts of the whole file, each once, wherever it was cut.

mod warc_files;

use cairn_client::warc::{Crawl, Input, read_parts};
use cairn_types::Receipt;
use std::collections::BTreeSet;
use std::io::Cursor;
use warc_files::{gzip, options, read, record, response};

fn part(bytes: &[u8], start: u64) -> Crawl {
    let reader = Cursor::new(bytes.to_vec());
    let input = Input { name: "test.warc".to_owned(), reader, start, grows: true };
    read_parts(vec![input], &options(), &()).unwrap()
}

/// What tells a crawl's receipts from one another. The length of a plain record depends on how much of the line ends after
/// it was there.
fn told(crawl: &Crawl, gzip: bool) -> Vec<cairn_types::Digest> {
    let digest = |receipt: &Receipt| {
        let mut receipt = receipt.clone();
        if let Some(locator) = receipt.locator.as_mut().filter(|_| !gzip) {
            locator.length = 0;
        }
        Receipt::digest_of(&receipt.encode().unwrap())
    };
    crawl.receipts.iter().map(digest).collect()
}

fn grows_everywhere(whole: &[u8]) {
    let gzip = whole.starts_with(&[0x1f, 0x8b]);
    let expected: BTreeSet<_> = told(&read(whole), gzip).into_iter().collect();
    assert!(expected.len() > 2);
    for cut in 0..=whole.len() {
        let first = part(&whole[..cut], 0);
        let read_to = first.report.read_to[0];
        assert!(read_to <= cut as u64, "read beyond the cut at {cut}");
        let second = part(whole, read_to);
        assert_eq!(second.report.read_to, [whole.len() as u64], "cut at {cut}");
        let both = [told(&first, gzip), told(&second, gzip)].concat();
        assert_eq!(both.len(), expected.len(), "cut at {cut}: a receipt is lost or repeated");
        assert_eq!(both.into_iter().collect::<BTreeSet<_>>(), expected, "cut at {cut}");
        assert_eq!(
            first.report.skipped.iter().filter(|skipped| !skipped.reason.is_ordinary()).count(),
            0,
            "cut at {cut}"
        );
    }
}

fn records() -> Vec<Vec<u8>> {
    let warcinfo = record("WARC-Type: warcinfo\nWARC-Date: 2026-01-01T00:00:00Z", b"software: test\r\n");
    let page =
        |n: u32| response(&format!("/{n}"), n, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello\nWARC/1.0");
    [vec![warcinfo], (0..4).map(page).collect()].concat()
}

#[test]
fn gzip_with_a_member_for_each_record() {
    grows_everywhere(&records().iter().flat_map(|record| gzip(record)).collect::<Vec<_>>());
}

#[test]
fn gzip_with_one_member_for_all_records() {
    grows_everywhere(&gzip(&records().concat()));
}

#[test]
fn gzip_with_several_records_in_each_member() {
    grows_everywhere(&records().chunks(2).flat_map(|records| gzip(&records.concat())).collect::<Vec<_>>());
}

#[test]
fn plain_records() {
    grows_everywhere(&records().concat());
}
