//! A running node beside a crawler: what it picks up, when, and that each record leaves once.

mod fake;
mod warc_files;

use cairn_client::connect::Address;
use cairn_client::node::{self, NodeError, Options, Status};
use cairn_client::spool::{Filter, Spool};
use cairn_client::submit::{Config, Node, Pins, SubmitError};
use cairn_types::{Capture, Receipt, Verdict};
use fake::{Fake, Served, Trouble, config, node_key};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use warc_files::{date, gzip, record, response};

const PATIENCE: Duration = Duration::from_secs(20);

/// One gzip member for each of these numbers.
fn members(numbers: std::ops::Range<u32>) -> Vec<u8> {
    numbers.flat_map(|n| gzip(&response(&format!("/{n}"), n, "HTTP/1.1 200 OK\r\n\r\nhello"))).collect()
}

fn urls(numbers: std::ops::Range<u32>) -> Vec<String> {
    let mut urls: Vec<_> = numbers.map(|n| format!("http://example.org/{n}")).collect();
    urls.sort();
    urls
}

/// A folder with a crawl in it and a spool beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("crawl")).unwrap();
        Self { folder }
    }

    fn crawl(&self) -> PathBuf {
        self.folder.path().join("crawl")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.crawl().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn spool(&self) -> Arc<Spool> {
        Arc::new(Spool::open(&self.folder.path().join("spool")).unwrap())
    }
}

fn options(crawl: &Path) -> Options {
    Options {
        watch: crawl.to_owned(),
        once: false,
        settle: Duration::from_millis(300),
        rescan: Duration::from_millis(500),
        bundle_age: Duration::from_millis(50),
        refresh: Duration::from_millis(200),
        job: Some("test".to_owned()),
    }
}

/// A node that runs until it is stopped.
struct Running {
    stop: CancellationToken,
    status: watch::Receiver<Status>,
    task: JoinHandle<Result<(), NodeError>>,
}

impl Running {
    fn start(at: &Address, place: &Place, options: Options, max_failures: Option<usize>) -> Self {
        let config = Config { max_failures, ..config() };
        let node = Node::new(at, node_key(1), place.spool(), Pins::default(), config).unwrap();
        let (sender, status) = watch::channel(Status::default());
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(node::run(node, options, sender, stop.clone())), stop, status }
    }

    fn watching(served: &Served, place: &Place) -> Self {
        Self::start(&served.at(), place, options(&place.crawl()), None)
    }

    async fn until(&mut self, what: impl FnMut(&Status) -> bool) {
        let came = matches!(tokio::time::timeout(PATIENCE, self.status.wait_for(what)).await, Ok(Ok(_)));
        if !came {
            panic!("nothing more happens: {:?}", *self.status.borrow());
        }
    }

    async fn acknowledged(&mut self, receipts: u64) {
        self.until(|status| status.acknowledged_receipts >= receipts).await;
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap().unwrap();
    }
}

/// `cairn node --once`.
async fn once(at: &Address, place: &Place) -> Result<(), NodeError> {
    let options = Options { once: true, ..options(&place.crawl()) };
    Running::start(at, place, options, Some(3)).task.await.unwrap()
}

fn recorded(fake: &Fake) -> Vec<String> {
    let mut urls: Vec<_> = fake.recorded().into_iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect();
    urls.sort();
    urls
}

async fn sequencer() -> (Fake, Served) {
    let fake = Fake::new(node_key(1).public());
    let served = fake.serve().await;
    (fake, served)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_each_crawler_are_picked_up_when_they_are_finished_and_not_before() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    place.write("there-before.warc.gz", &members(0..3));
    // Settling takes longer than this test, so what arrives early was renamed, or is old.
    let slow = Options { settle: Duration::from_secs(3600), ..options(&place.crawl()) };
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    fs::File::open(place.path("there-before.warc.gz")).unwrap().set_modified(old).unwrap();
    let mut running = Running::start(&served.at(), &place, slow, None);
    running.acknowledged(3).await;
    // Heritrix renames what it has finished.
    let heritrix = "WEB-20260101000000000-00000-7~crawler~8443.warc.gz";
    place.write(&format!("{heritrix}.open"), &members(3..6));
    place.write("WEB-20260101000000000-00001-7~crawler~8443.warc.gz.invalid", &members(900..901));
    // wget writes under the final name: only time tells.
    place.write("site-00000.warc.gz", &members(800..801));
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(recorded(&fake), urls(0..3), "nothing unfinished is read");
    fs::rename(place.path(&format!("{heritrix}.open")), place.path(heritrix)).unwrap();
    running.acknowledged(6).await;
    running.stop().await;
    assert_eq!(recorded(&fake), urls(0..6));

    // Browsertrix and wget files count when nobody has written to them for a while, in new folders too.
    fs::remove_file(place.path("site-00000.warc.gz")).unwrap();
    let mut running = Running::watching(&served, &place);
    place.write("collections/c1/archive/rec-20260101000000-1a2b3c-0.warc.gz", &members(6..8));
    place.write("site-00000.warc.gz", &members(8..10));
    place.write("site-00000.cdx", b"not a WARC");
    running.acknowledged(10).await;
    running.stop().await;
    assert_eq!(recorded(&fake), urls(0..10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_is_read_on_where_it_was_whole() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    let all = members(0..12);
    let cut = members(0..5).len() + 40;
    place.write("site-00000.warc.gz", &all[..cut]);
    let mut running = Running::watching(&served, &place);
    running.acknowledged(5).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(recorded(&fake), urls(0..5), "the member that is not whole is left alone");
    let mut file = OpenOptions::new().append(true).open(place.path("site-00000.warc.gz")).unwrap();
    file.write_all(&all[cut..]).unwrap();
    drop(file);
    running.acknowledged(12).await;
    running.stop().await;
    assert_eq!(recorded(&fake), urls(0..12));
    let spool = place.spool();
    let mut offsets = Vec::new();
    spool
        .list(&Filter::default(), true, |_, lines| {
            offsets.extend(lines);
            true
        })
        .unwrap();
    assert_eq!(offsets.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_neither_repeats_nor_loses_records_whatever_happened_to_the_names() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    place.write("a.warc.gz", &members(0..4));
    place.write("b.warc.gz", &members(4..8)[..members(4..7).len() + 30]);
    once(&served.at(), &place).await.unwrap();
    assert_eq!(recorded(&fake), urls(0..7));
    once(&served.at(), &place).await.unwrap();
    // Moved, copied, touched; the unfinished one moved and completed.
    fs::create_dir(place.path("done")).unwrap();
    fs::rename(place.path("a.warc.gz"), place.path("done/a-moved.warc.gz")).unwrap();
    fs::copy(place.path("done/a-moved.warc.gz"), place.path("copy.warc.gz")).unwrap();
    fs::remove_file(place.path("b.warc.gz")).unwrap();
    place.write("done/b-moved.warc.gz", &members(4..8));
    once(&served.at(), &place).await.unwrap();
    assert_eq!(recorded(&fake), urls(0..8));
    // Another content under a known name is another file.
    place.write("copy.warc.gz", &members(8..10));
    once(&served.at(), &place).await.unwrap();
    assert_eq!(recorded(&fake), urls(0..10));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_while_the_sequencer_is_away_and_sent_when_it_is_back() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    place.write("a.warc.gz", &members(0..2));
    let mut running = Running::watching(&served, &place);
    running.acknowledged(2).await;
    let address = served.stop().await;
    place.write("b.warc.gz", &members(2..9));
    running.until(|status| status.receipts == 9 && status.problem.is_some()).await;
    assert_eq!(recorded(&fake), urls(0..2));
    let _served = fake.serve_at(address, None).await;
    running.acknowledged(9).await;
    running.until(|status| status.problem.is_none()).await;
    running.stop().await;
    assert_eq!(recorded(&fake), urls(0..9));
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_wait_for_their_bundle_to_fill_or_to_age() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    let patient = Options { bundle_age: Duration::from_secs(3600), ..options(&place.crawl()) };
    place.write("a.warc.gz", &members(0..10));
    let mut running = Running::start(&served.at(), &place, patient, None);
    // The sequencer takes four receipts in a bundle.
    running.acknowledged(8).await;
    running.until(|status| status.waiting == 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(fake.state().log.len(), 2);
    running.stop().await;
    assert_eq!(place.spool().waiting().unwrap().receipts, 2, "stopping leaves them in the spool");
    let mut running = Running::watching(&served, &place);
    running.acknowledged(10).await;
    running.stop().await;
    assert_eq!(recorded(&fake), urls(0..10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_acknowledgement_stops_the_node_and_once_gives_up_on_an_absent_sequencer() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    place.write("a.warc.gz", &members(0..2));
    fake.trouble(&[Trouble::Forge]);
    let running = Running::watching(&served, &place);
    let error = tokio::time::timeout(PATIENCE, running.task).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, NodeError::Submit(SubmitError::Forged { sequence: 0, .. })), "{error}");
    assert_eq!(place.spool().evidence().unwrap().len(), 1);
    let address = served.stop().await;
    place.write("b.warc.gz", &members(2..4));
    let error = once(&Address::from(format!("http://{address}").as_str()), &place).await.unwrap_err();
    assert!(matches!(error, NodeError::Submit(SubmitError::Unreachable { .. })), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_reach_the_status_and_an_overdue_promise_is_counted() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    place.write("a.warc.gz", &members(0..6));
    let mut running = Running::watching(&served, &place);
    running.acknowledged(6).await;
    fake.state().slot = 5000;
    running.until(|status| status.overdue > 0).await;
    fake.move_to(cairn_proto::BundleStage::Settled, 1);
    running.until(|status| status.settled == 2 && status.overdue == 0).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisits_and_robots_txt_are_found_in_files_that_were_read_long_before() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    let robots = response("/robots.txt", 0, "HTTP/1.1 404 Not Found\r\n\r\n");
    place.write("a.warc.gz", &[gzip(&robots), members(1..4)].concat());
    once(&served.at(), &place).await.unwrap();
    let revisit = |second: u32, refers: &str| {
        let fields = format!(
            "WARC-Type: revisit\nWARC-Target-URI: http://example.org/again/{second}\nWARC-Date: {}\n\
             WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\n{refers}",
            date(second)
        );
        gzip(&record(&fields, b"HTTP/1.1 200 OK\r\n\r\n"))
    };
    let by_id = revisit(10, "WARC-Refers-To: <urn:test:/2>");
    let by_target =
        revisit(11, &format!("WARC-Refers-To-Target-URI: http://example.org/3\nWARC-Refers-To-Date: {}", date(3)));
    let by_digest = revisit(12, "WARC-Payload-Digest: sha1:AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D");
    let nowhere = revisit(13, "WARC-Refers-To: <urn:test:/nowhere>");
    place.write("b.warc.gz", &[by_id, by_target, by_digest, nowhere, members(20..21)].concat());
    once(&served.at(), &place).await.unwrap();
    let receipts: Vec<Receipt> = fake
        .state()
        .log
        .iter()
        .flat_map(|entry| entry.receipts.clone())
        .map(|bytes| Receipt::decode(&bytes).unwrap())
        .collect();
    assert_eq!(receipts.len(), 4 + 3 + 1, "the earlier captures give no receipts again, one revisit has none");
    let payload = receipts.iter().find(|receipt| receipt.url.ends_with("/2")).unwrap().payload_sha256;
    let revisits: Vec<_> = receipts.iter().filter(|receipt| receipt.url.contains("/again/")).collect();
    assert_eq!(revisits.len(), 3);
    for revisit in revisits {
        assert_eq!((revisit.capture, revisit.payload_sha256), (Capture::RevisitIdentical, payload), "{}", revisit.url);
    }
    // A robots.txt that is not there allows everything, for a day.
    let late = receipts.iter().find(|receipt| receipt.url.ends_with("/20")).unwrap();
    assert_eq!(late.rights.verdicts.robots, Verdict::Allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_holds_up_no_other() {
    let (fake, served) = sequencer().await;
    let place = Place::new();
    place.write("b.warc.gz", &members(0..3));
    // A name that leads nowhere, and a folder with a file's name.
    std::os::unix::fs::symlink("/nonexistent", place.path("a.warc.gz")).unwrap();
    fs::create_dir(place.path("c.warc.gz")).unwrap();
    place.write("d.warc.gz", b"this is no WARC");
    once(&served.at(), &place).await.unwrap();
    assert_eq!(recorded(&fake), urls(0..3));
}
