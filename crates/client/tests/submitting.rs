//! A node against a sequencer that crashes, is busy, forgets and lies, as each test tells it to.

use cairn_client::journal::Journal;
use cairn_client::submit::{Config, Node, Progress, SubmitError, SubmitReport};
use cairn_proto::refusal::Refusal;
use cairn_proto::v1::sequencer_server::{Sequencer, SequencerServer};
use cairn_proto::v1::{self, InfoReply, InfoRequest, StatusReply, StatusRequest, SubmitBundleRequest};
use cairn_proto::{Acknowledgement, Limits, NodeInfo, Submission};
use cairn_types::{Digest, Receipt};
use std::collections::VecDeque;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

const ROLLUP: Digest = Digest::constant([1, 2, 3, 4]);
const NODE: u32 = 7;

/// What the sequencer does with the next bundle that it has not recorded yet.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// Ends the stream without recording it.
    DropBefore,
    /// Records it and ends the stream without acknowledging it.
    DropAfter,
    /// Refuses it for now.
    Busy,
    /// Acknowledges another digest.
    Lie,
    /// Refuses it for good.
    Refuse,
}

#[derive(Default)]
struct Log {
    bundles: Vec<(Digest, Vec<Vec<u8>>)>,
    troubles: VecDeque<Trouble>,
    most_in_flight: usize,
}

/// Keeps what it acknowledges in memory; refuses by the same rules as the real one.
#[derive(Clone)]
struct Fake {
    log: Arc<Mutex<Log>>,
    rollup_id: Digest,
}

impl Fake {
    fn record(&self, request: SubmitBundleRequest) -> Result<Acknowledgement, Status> {
        let receipts = request.receipts.clone();
        let submission = Submission::try_from(request)?;
        let statement = submission
            .bundle
            .statement(&self.rollup_id)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let (digest, sequence) = (statement.digest(), submission.bundle.sequence);
        let mut log = self.log.lock().unwrap();
        let at = usize::try_from(sequence).unwrap();
        let acknowledgement = |digest, duplicate| Acknowledgement {
            log_index: sequence,
            node_index: NODE,
            sequence,
            bundle_digest: digest,
            duplicate,
        };
        if let Some((recorded, _)) = log.bundles.get(at) {
            let recorded = *recorded;
            return if recorded == digest {
                Ok(acknowledgement(digest, true))
            } else {
                Err(Refusal::Conflict { recorded, offered: digest }.status("conflict"))
            };
        }
        if at > log.bundles.len() {
            return Err(Refusal::Gap { expected: log.bundles.len() as u64 }.status("gap"));
        }
        let trouble = log.troubles.pop_front();
        match trouble {
            Some(Trouble::DropBefore) => return Err(Status::unavailable("stopping")),
            Some(Trouble::Busy) => return Err(Refusal::Busy { retry_after: Duration::from_millis(30) }.status("busy")),
            Some(Trouble::Refuse) => return Err(Status::invalid_argument("receipts[0]: no")),
            _ => log.bundles.push((digest, receipts)),
        }
        match trouble {
            Some(Trouble::DropAfter) => Err(Status::unavailable("crashed")),
            Some(Trouble::Lie) => Ok(acknowledgement(Digest::constant([9, 9, 9, 9]), false)),
            _ => Ok(acknowledgement(digest, false)),
        }
    }

    fn recorded(&self) -> Vec<Vec<u8>> {
        self.log.lock().unwrap().bundles.iter().flat_map(|(_, receipts)| receipts.clone()).collect()
    }

    fn trouble(&self, troubles: &[Trouble]) {
        self.log.lock().unwrap().troubles.extend(troubles);
    }
}

#[tonic::async_trait]
impl Sequencer for Fake {
    type SubmitBundlesStream = Pin<Box<dyn Stream<Item = Result<v1::Acknowledgement, Status>> + Send>>;

    async fn info(&self, _: Request<InfoRequest>) -> Result<Response<InfoReply>, Status> {
        let limits =
            Limits { receipts_per_bundle: 4, receipt_bytes: 1 << 15, message_bytes: 1 << 22, bundles_in_flight: 3 };
        let next_sequence = self.log.lock().unwrap().bundles.len() as u64;
        Ok(Response::new(NodeInfo { rollup_id: self.rollup_id, limits, next_sequence }.into()))
    }

    async fn submit_bundle(
        &self,
        request: Request<SubmitBundleRequest>,
    ) -> Result<Response<v1::Acknowledgement>, Status> {
        Ok(Response::new(self.record(request.into_inner())?.into()))
    }

    async fn submit_bundles(
        &self,
        request: Request<Streaming<SubmitBundleRequest>>,
    ) -> Result<Response<Self::SubmitBundlesStream>, Status> {
        let mut requests = request.into_inner();
        let fake = self.clone();
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        tokio::spawn(async move {
            let mut waiting = VecDeque::new();
            loop {
                // Whatever the client sends without an answer is taken first, to see how much that is.
                match tokio::time::timeout(Duration::from_millis(20), requests.next()).await {
                    Ok(Some(Ok(request))) => {
                        waiting.push_back(request);
                        let mut log = fake.log.lock().unwrap();
                        log.most_in_flight = log.most_in_flight.max(waiting.len());
                        continue;
                    }
                    Ok(Some(Err(_))) => return,
                    Ok(None) if waiting.is_empty() => return,
                    Ok(None) | Err(_) => {}
                }
                let Some(request) = waiting.pop_front() else { continue };
                let answer = fake.record(request).map(v1::Acknowledgement::from);
                let last = answer.is_err();
                if sender.send(answer).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        Err(Status::unimplemented("no test asks"))
    }
}

/// Starts a sequencer on a port of its own.
async fn sequencer(rollup_id: Digest) -> (Fake, String) {
    let fake = Fake { log: Arc::default(), rollup_id };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let service = SequencerServer::new(fake.clone());
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    (fake, endpoint)
}

fn config() -> Config {
    Config {
        min_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(20),
        max_failures: 3,
        timeout: Duration::from_secs(5),
        ..Config::default()
    }
}

fn receipts(numbers: std::ops::Range<u64>) -> Vec<Receipt> {
    numbers
        .map(|n| Receipt {
            content_length: n,
            payload_blake3: [1; 32],
            payload_sha256: [2; 32],
            payload_sha1: [3; 20],
            ..Receipt::new(ROLLUP, NODE, &format!("https://example.org/{n}"), "example.org", 1000 + n)
        })
        .collect()
}

fn encoded(receipts: &[Receipt]) -> Vec<Vec<u8>> {
    receipts.iter().map(|receipt| receipt.encode().unwrap()).collect()
}

/// One run of `cairn submit`: opens the journal, submits, closes it.
async fn run(endpoint: &str, folder: &Path, receipts: &[Receipt], again: bool) -> Result<SubmitReport, SubmitError> {
    let mut node = Node::connect(endpoint, NODE, config(), &()).await?;
    let journal = Journal::open(&folder.join("journal"), ROLLUP, NODE)?;
    node.submit(receipts, &journal, again, &()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_receipt_is_acknowledged_once_and_a_second_run_sends_nothing() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    let all = receipts(0..30);
    let report = run(&endpoint, folder.path(), &all, false).await.unwrap();
    assert_eq!(report, SubmitReport { receipts: 30, bundles: 8, duplicates: 0, skipped: 0 });
    assert_eq!(fake.recorded(), encoded(&all));
    let report = run(&endpoint, folder.path(), &all, false).await.unwrap();
    assert_eq!(report, SubmitReport { receipts: 0, bundles: 0, duplicates: 0, skipped: 30 });
    let more = receipts(28..33);
    let report = run(&endpoint, folder.path(), &more, false).await.unwrap();
    assert_eq!(report, SubmitReport { receipts: 3, bundles: 1, duplicates: 0, skipped: 2 });
    assert_eq!(fake.recorded(), encoded(&receipts(0..33)));
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_again_makes_new_bundles_of_known_receipts() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    let all = receipts(0..5);
    run(&endpoint, folder.path(), &all, false).await.unwrap();
    let report = run(&endpoint, folder.path(), &all, true).await.unwrap();
    assert_eq!((report.receipts, report.skipped), (5, 0));
    assert_eq!(fake.recorded().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_receipts_of_one_input_are_sent_once() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    let twice = [receipts(0..3), receipts(0..3)].concat();
    let report = run(&endpoint, folder.path(), &twice, false).await.unwrap();
    assert_eq!((report.receipts, report.skipped), (3, 3));
    assert_eq!(fake.recorded().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_troubles_lose_and_duplicate_nothing() {
    use Trouble::{Busy, DropAfter, DropBefore};
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    fake.trouble(&[DropBefore, Busy, DropAfter, DropAfter, Busy, DropBefore, DropAfter]);
    let all = receipts(0..30);
    let report = run(&endpoint, folder.path(), &all, false).await.unwrap();
    assert_eq!((report.receipts, report.bundles), (30, 8));
    assert!(report.duplicates >= 3, "what was recorded before a crash is acknowledged as a duplicate: {report:?}");
    assert_eq!(fake.recorded(), encoded(&all));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_gave_up_is_finished_by_the_next_one() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    fake.trouble(&[Trouble::DropBefore; 4]);
    let all = receipts(0..10);
    let error = run(&endpoint, folder.path(), &all, false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unreachable { attempts: 4, .. }), "{error}");
    // The second run is not even given the receipts: they are in the journal.
    let report = run(&endpoint, folder.path(), &[], false).await.unwrap();
    assert_eq!((report.receipts, report.bundles), (10, 3));
    assert_eq!(fake.recorded(), encoded(&all));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_window_is_in_flight() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    run(&endpoint, folder.path(), &receipts(0..40), false).await.unwrap();
    assert_eq!(fake.log.lock().unwrap().most_in_flight, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn final_refusals_and_false_acknowledgements_stop_the_run() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    fake.trouble(&[Trouble::Refuse]);
    let error = run(&endpoint, folder.path(), &receipts(0..1), false).await.unwrap_err();
    assert!(matches!(&error, SubmitError::Refused(status) if status.message().contains("receipts[0]")), "{error}");
    fake.trouble(&[Trouble::Lie]);
    let error = run(&endpoint, folder.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Mismatch { sequence: 0 }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_journals_of_one_node_are_found_out() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fake.trouble(&[Trouble::DropBefore; 4]);
    run(&endpoint, one.path(), &receipts(0..3), false).await.unwrap_err();
    run(&endpoint, two.path(), &receipts(10..13), false).await.unwrap();
    let error = run(&endpoint, one.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Conflict { sequence: 0, .. }), "{error}");
    run(&endpoint, two.path(), &receipts(20..23), false).await.unwrap();
    let error = run(&endpoint, one.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Ahead { expected: 2, ours: 1 }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_forgot_is_not_fed() {
    let (fake, endpoint) = sequencer(ROLLUP).await;
    let folder = tempfile::tempdir().unwrap();
    run(&endpoint, folder.path(), &receipts(0..8), false).await.unwrap();
    fake.log.lock().unwrap().bundles.pop();
    let error = run(&endpoint, folder.path(), &receipts(8..9), false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Behind { expected: 1, ours: 2 }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rollup_is_refused_before_anything_is_sent() {
    let (fake, endpoint) = sequencer(Digest::constant([5, 6, 7, 8])).await;
    let folder = tempfile::tempdir().unwrap();
    let error = run(&endpoint, folder.path(), &receipts(0..1), false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Rollup { .. }), "{error}");
    assert!(fake.recorded().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_sequencer_is_given_up_on_and_a_wrong_address_named() {
    #[derive(Default)]
    struct Waits(Mutex<usize>);
    impl Progress for Waits {
        fn expect(&self, _: u64, _: u64) {}
        fn acknowledged(&self, _: u64) {}
        fn waiting(&self, _: &str, _: Duration) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let waits = Waits::default();
    let error = Node::connect(&endpoint, NODE, config(), &waits).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unreachable { attempts: 4, .. }), "{error}");
    assert_eq!(*waits.0.lock().unwrap(), 3);
    let error = Node::connect("no address", NODE, config(), &()).await.unwrap_err();
    assert!(matches!(error, SubmitError::Endpoint { .. }), "{error}");
}
