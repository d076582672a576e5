//! A node against a sequencer that crashes, is busy, forgets and lies, as each test tells it to.

mod fake;

use cairn_client::connect::Address;
use cairn_client::key::NodeKey;
use cairn_client::spool::{Breach, Spool, SpoolError, Stage};
use cairn_client::submit::{Config, Node, Pins, Progress, SubmitError, SubmitReport};
use cairn_proto::NodeState;
use cairn_types::{Digest, Receipt};
use fake::{Fake, NODE, Served, Trouble, config, encoded, node_key, receipts, rollup};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

async fn sequencer() -> (Fake, Served) {
    let fake = Fake::new(node_key(1).public());
    let served = fake.serve().await;
    (fake, served)
}

fn spool(folder: &Path) -> Arc<Spool> {
    Arc::new(Spool::open(&folder.join("spool")).unwrap())
}

async fn connect(at: &Address, folder: &Path, key: NodeKey, config: Config) -> Result<Node, SubmitError> {
    let spool = Spool::open(&folder.join("spool"))?;
    Node::connect(at, key, Arc::new(spool), Pins::default(), config, &()).await
}

/// One run of `cairn submit`: opens the spool, submits, closes it.
async fn run(served: &Served, folder: &Path, receipts: &[Receipt], again: bool) -> Result<SubmitReport, SubmitError> {
    let mut node = Node::new(&served.at(), node_key(1), spool(folder), Pins::default(), config())?;
    if node.spool().identity()?.is_none() {
        node.greet(&()).await?;
    }
    node.submit(receipts, again, &()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_receipt_is_acknowledged_once_and_a_second_run_sends_nothing() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    let all = receipts(0..30);
    let report = run(&served, folder.path(), &all, false).await.unwrap();
    assert_eq!(report, SubmitReport { receipts: 30, bundles: 8, duplicates: 0, skipped: 0 });
    assert_eq!(fake.recorded(), encoded(&all));
    let report = run(&served, folder.path(), &all, false).await.unwrap();
    assert_eq!(report, SubmitReport { receipts: 0, bundles: 0, duplicates: 0, skipped: 30 });
    let report = run(&served, folder.path(), &receipts(28..33), false).await.unwrap();
    assert_eq!(report, SubmitReport { receipts: 3, bundles: 1, duplicates: 0, skipped: 2 });
    assert_eq!(fake.recorded(), encoded(&receipts(0..33)));
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_are_kept_with_signatures_that_anyone_can_check() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..10), false).await.unwrap();
    let spool = spool(folder.path());
    let mut seen = 0;
    spool
        .list(&cairn_client::spool::Filter::default(), true, |record, lines| {
            let promise = record.promise.unwrap();
            assert_eq!(record.stage, Stage::Acknowledged);
            assert_eq!(promise.key, fake.acknowledgement_key());
            assert_eq!(lines.len(), usize::from(record.receipts));
            let message = cairn_types::Acknowledgement {
                rollup_id: rollup(),
                log_index: promise.log_index,
                node_index: NODE,
                sequence: record.sequence,
                bundle_digest: record.digest,
                settle_by_slot: promise.settle_by_slot,
            }
            .message();
            let key = ed25519_dalek::VerifyingKey::from_bytes(&promise.key).unwrap();
            key.verify_strict(&message, &ed25519_dalek::Signature::from_bytes(&promise.signature)).unwrap();
            seen += 1;
            true
        })
        .unwrap();
    assert_eq!(seen, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_again_makes_new_bundles_of_known_receipts() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    let all = receipts(0..5);
    run(&served, folder.path(), &all, false).await.unwrap();
    let report = run(&served, folder.path(), &all, true).await.unwrap();
    assert_eq!((report.receipts, report.skipped), (5, 0));
    assert_eq!(fake.recorded().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_receipts_of_one_input_are_sent_once() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    let twice = [receipts(0..3), receipts(0..3)].concat();
    let report = run(&served, folder.path(), &twice, false).await.unwrap();
    assert_eq!((report.receipts, report.skipped), (3, 3));
    assert_eq!(fake.recorded().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_troubles_lose_and_duplicate_nothing() {
    use Trouble::{Busy, DropAfter, DropBefore};
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    fake.trouble(&[DropBefore, Busy, DropAfter, DropAfter, Busy, DropBefore, DropAfter]);
    let all = receipts(0..30);
    let report = run(&served, folder.path(), &all, false).await.unwrap();
    assert_eq!((report.receipts, report.bundles), (30, 8));
    assert!(report.duplicates >= 3, "what was recorded before a crash is acknowledged as a duplicate: {report:?}");
    assert_eq!(fake.recorded(), encoded(&all));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_gave_up_is_finished_by_the_next_one() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    fake.trouble(&[Trouble::DropBefore; 4]);
    let all = receipts(0..10);
    let error = run(&served, folder.path(), &all, false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unreachable { attempts: 4, .. }), "{error}");
    // The second run is not even given the receipts: they are in the spool.
    let report = run(&served, folder.path(), &[], false).await.unwrap();
    assert_eq!((report.receipts, report.bundles), (10, 3));
    assert_eq!(fake.recorded(), encoded(&all));
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_wait_on_disk_while_the_sequencer_is_away_and_leave_when_it_is_back() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..2), false).await.unwrap();
    let address = served.stop().await;
    let at = Address::from(format!("http://{address}").as_str());
    // Two runs while it is away: nothing is signed, and nothing is lost.
    for numbers in [2..6, 4..11] {
        let spool = spool(folder.path());
        let mut node = Node::new(&at, node_key(1), Arc::clone(&spool), Pins::default(), config()).unwrap();
        let error = node.submit(&receipts(numbers), false, &()).await.unwrap_err();
        assert!(matches!(error, SubmitError::Unreachable { .. }), "{error}");
        assert_eq!(spool.next_sequence().unwrap(), Some(1), "a sequence is not used before it is known to be free");
    }
    assert_eq!(spool(folder.path()).waiting().unwrap().receipts, 9);
    let served = fake.serve_at(address, None).await;
    let report = run(&served, folder.path(), &[], false).await.unwrap();
    assert_eq!((report.receipts, report.bundles), (9, 3));
    assert_eq!(fake.recorded(), encoded(&receipts(0..11)));
    assert_eq!(spool(folder.path()).waiting().unwrap(), cairn_client::spool::Waiting::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_window_is_in_flight() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..40), false).await.unwrap();
    assert_eq!(fake.state().most_in_flight, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn final_refusals_stop_the_run() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    fake.trouble(&[Trouble::Refuse]);
    let error = run(&served, folder.path(), &receipts(0..1), false).await.unwrap_err();
    assert!(matches!(&error, SubmitError::Refused(status) if status.message().contains("receipts[0]")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn false_acknowledgements_are_refused_and_kept_as_evidence() {
    for (trouble, breach) in
        [(Trouble::Forge, Breach::Forged), (Trouble::Garble, Breach::Forged), (Trouble::Lie, Breach::Mismatch)]
    {
        let (fake, served) = sequencer().await;
        let folder = tempfile::tempdir().unwrap();
        fake.trouble(&[trouble]);
        let error = run(&served, folder.path(), &receipts(0..1), false).await.unwrap_err();
        match breach {
            Breach::Forged => assert!(matches!(error, SubmitError::Forged { sequence: 0, .. }), "{error}"),
            _ => assert!(matches!(error, SubmitError::Mismatch { sequence: 0 }), "{error}"),
        }
        let spool = spool(folder.path());
        let evidence = spool.evidence().unwrap();
        assert_eq!(evidence.len(), 1);
        assert_eq!((evidence[0].breach, evidence[0].sequence), (breach, 0));
        let answer = <cairn_proto::v1::Acknowledgement as prost::Message>::decode(&evidence[0].answer[..]).unwrap();
        assert_eq!(answer.sequence, 0, "the answer is there as it came");
        assert_eq!(spool.record(0).unwrap().promise, None);
        assert_eq!(spool.pending().unwrap(), [0], "it stays to be sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_spools_of_one_node_are_found_out() {
    let (fake, served) = sequencer().await;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fake.trouble(&[Trouble::DropBefore; 4]);
    run(&served, one.path(), &receipts(0..3), false).await.unwrap_err();
    run(&served, two.path(), &receipts(10..13), false).await.unwrap();
    let error = run(&served, one.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Conflict { sequence: 0, .. }), "{error}");
    let evidence = spool(one.path()).evidence().unwrap();
    assert_eq!(evidence[0].breach, Breach::Conflict);
    assert_eq!(evidence[0].answer, fake.state().log[0].digest.to_bytes());
    run(&served, two.path(), &receipts(20..23), false).await.unwrap();
    let error = run(&served, one.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Ahead { expected: 2, ours: 1 }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_restored_from_a_copy_signs_no_sequence_a_second_time() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..3), false).await.unwrap();
    let (path, copy) = (folder.path().join("spool"), folder.path().join("copy"));
    std::fs::copy(&path, &copy).unwrap();
    run(&served, folder.path(), &receipts(3..6), false).await.unwrap();
    std::fs::copy(&copy, &path).unwrap();
    let error = run(&served, folder.path(), &receipts(50..53), false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Ahead { expected: 2, ours: 1 }), "{error}");
    // Neither does it while the sequencer cannot be asked.
    let address = served.stop().await;
    let spool = spool(folder.path());
    let at = Address::from(format!("http://{address}").as_str());
    let mut node = Node::new(&at, node_key(1), Arc::clone(&spool), Pins::default(), config()).unwrap();
    assert!(node.submit(&receipts(50..53), false, &()).await.is_err());
    assert!(node.bundle(true).await.is_err());
    assert_eq!(spool.next_sequence().unwrap(), Some(1));
    assert_eq!(spool.waiting().unwrap().receipts, 3);
    assert_eq!(fake.recorded(), encoded(&receipts(0..6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_forgot_is_fed_again_on_request_only() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..12), false).await.unwrap();
    {
        let mut state = fake.state();
        state.log.truncate(1);
        state.first_log_index = 500;
    }
    let error = run(&served, folder.path(), &receipts(12..13), false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Behind { expected: 1, ours: 3 }), "{error}");
    assert_eq!(fake.recorded().len(), 4);
    let again = Config { resubmit: true, ..config() };
    let mut node = connect(&served.at(), folder.path(), node_key(1), again).await.unwrap();
    node.flush(&()).await.unwrap();
    assert_eq!(fake.recorded(), encoded(&receipts(0..13)));
    // The first promises stand, the second ones are evidence of the loss.
    let spool = node.spool();
    assert_eq!(spool.record(1).unwrap().promise.unwrap().log_index, 1);
    let evidence = spool.evidence().unwrap();
    assert_eq!(evidence.iter().map(|evidence| evidence.sequence).collect::<Vec<_>>(), [1, 2]);
    assert!(evidence.iter().all(|evidence| evidence.breach == Breach::SecondPromise));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_for_another_rollup() {
    // The sequencer's parts do not make what it claims.
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    fake.state().claimed_rollup = Some(Digest::constant([5, 6, 7, 8]));
    let error = run(&served, folder.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::FalseRollup { computed, .. } if computed == rollup()), "{error}");
    assert_eq!(spool(folder.path()).identity().unwrap(), None);
    // It serves another than the one that was pinned.
    fake.state().claimed_rollup = None;
    let pins = Pins { rollup_id: Some(Digest::constant([1, 1, 1, 1])), ..Pins::default() };
    let pinned = Node::connect(&served.at(), node_key(1), spool(folder.path()), pins, config(), &()).await.unwrap_err();
    assert!(matches!(pinned, SubmitError::Rollup { what: "--rollup-id says", .. }), "{pinned}");
    // It serves another than it did: another program, consistently.
    run(&served, folder.path(), &receipts(0..1), false).await.unwrap();
    fake.state().program = Some([9; 32]);
    let error = run(&served, folder.path(), &receipts(1..2), false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Rollup { ours, .. } if ours == rollup()), "{error}");
    assert_eq!(fake.recorded().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_acknowledgement_key_is_taken_only_when_it_is_pinned() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..1), false).await.unwrap();
    let other = fake.clone().with_signer([8; 32]);
    let served = other.serve().await;
    let error = run(&served, folder.path(), &receipts(1..2), false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Spool(SpoolError::AcknowledgementKey { .. })), "{error}");
    let pins = |key| Pins { acknowledgement_key: Some(key), ..Pins::default() };
    let at = served.at();
    let connect = |key| Node::connect(&at, node_key(1), spool(folder.path()), pins(key), config(), &());
    let wrong = connect(fake.acknowledgement_key()).await.unwrap_err();
    assert!(matches!(wrong, SubmitError::AcknowledgementKey { .. }), "{wrong}");
    let mut node = connect(other.acknowledgement_key()).await.unwrap();
    node.flush(&()).await.unwrap();
    assert_eq!(node.spool().record(0).unwrap().promise.unwrap().key, fake.acknowledgement_key());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_registered_or_that_was_deactivated_is_told_so() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    let error = connect(&served.at(), folder.path(), node_key(2), config()).await.unwrap_err();
    assert!(matches!(error, SubmitError::NotRegistered { key } if key == node_key(2).public()), "{error}");
    run(&served, folder.path(), &receipts(0..1), false).await.unwrap();
    fake.state().nodes[0].2 = Some(NodeState::Deactivating);
    let error = run(&served, folder.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Deactivated { node_index: NODE }), "{error}");
}

/// Whoever saw the key can register it, and before its owner does.
#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_node_signs_for_nobody_who_registered_its_key_first() {
    let (fake, served) = sequencer().await;
    let thief = NODE - 1;
    fake.state().nodes.insert(0, (thief, node_key(1).public(), None));
    let at = served.at();
    let pins = |node_index| Pins { node_index, ..Pins::default() };
    let connect = async |index| {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::connect(&at, node_key(1), spool(folder.path()), pins(index), config(), &()).await?;
        Ok::<_, SubmitError>(node.spool().bound().unwrap().node_index)
    };
    assert_eq!(connect(None).await.unwrap(), thief, "nothing says that it is another's");
    assert_eq!(connect(Some(NODE)).await.unwrap(), NODE);
    let unknown = connect(Some(NODE + 1)).await.unwrap_err();
    assert!(matches!(unknown, SubmitError::NotRegistered { .. }), "{unknown}");
    fake.state().nodes[0].1 = node_key(2).public();
    let other = connect(Some(thief)).await.unwrap_err();
    assert!(matches!(other, SubmitError::Rotated { node_index, .. } if node_index == thief), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_waits_until_its_registration_is_in_a_batch() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    fake.state().nodes[0].2 = Some(NodeState::Registering);
    let later = fake.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        later.state().nodes[0].2 = None;
    });
    run(&served, folder.path(), &receipts(0..1), false).await.unwrap();
    assert_eq!(fake.recorded().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_pending_bundles_are_signed_again_with_the_same_content() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..2), false).await.unwrap();
    fake.trouble(&[Trouble::DropBefore; 4]);
    run(&served, folder.path(), &receipts(2..9), false).await.unwrap_err();
    let digests = |spool: &Spool| [1, 2].map(|sequence| spool.record(sequence).unwrap().digest);
    let signed = digests(&spool(folder.path()));
    fake.state().nodes[0].1 = node_key(2).public();
    let error = run(&served, folder.path(), &[], false).await.unwrap_err();
    assert!(matches!(error, SubmitError::Rotated { node_index: NODE, .. }), "{error}");
    let mut node = connect(&served.at(), folder.path(), node_key(2), config()).await.unwrap();
    assert_eq!(digests(node.spool()), signed);
    node.flush(&()).await.unwrap();
    assert_eq!(fake.recorded(), encoded(&receipts(0..9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_are_followed_and_settled_bundles_pruned_to_their_acknowledgement() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..20), false).await.unwrap();
    let node = connect(&served.at(), folder.path(), node_key(1), config()).await.unwrap();
    let spool = node.spool();
    let idle = node.follow().await.unwrap();
    assert_eq!((idle.moved, idle.lost, fake.state().status_calls), (0, None, 1), "the first that rests is enough");
    fake.move_to(cairn_proto::BundleStage::Submitted, 4);
    assert_eq!(node.follow().await.unwrap().moved, 5);
    let record = spool.record(3).unwrap();
    assert_eq!((record.stage, record.batch.unwrap().number), (Stage::Submitted, 4));
    fake.state().status_calls = 0;
    assert_eq!(node.follow().await.unwrap().moved, 0);
    assert_eq!(fake.state().status_calls, 1, "bundles of one batch are asked for once");
    fake.move_to(cairn_proto::BundleStage::Settled, 4);
    let settled = node.follow().await.unwrap();
    assert_eq!((settled.moved, settled.settled), (5, 5));
    assert!(spool.unsettled(0, 10).unwrap().is_empty());
    let record = spool.record(2).unwrap();
    assert_eq!((record.stage, record.kept, record.promise.is_some()), (Stage::Settled, false, true));
    assert!(matches!(spool.bundle(2), Err(SpoolError::Pruned { sequence: 2 })));
    assert!(matches!(spool.reopen(2), Err(SpoolError::Pruned { sequence: 2 })));
    let mut urls = Vec::new();
    let filter = cairn_client::spool::Filter { url: Some("/13".to_owned()), ..Default::default() };
    spool
        .list(&filter, true, |_, lines| {
            urls.extend(lines.into_iter().map(|line| line.url));
            true
        })
        .unwrap();
    assert_eq!(urls, ["https://example.org/13"], "its line stays");
    fake.state().log.clear();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bundle_is_noticed_while_following() {
    let (fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..8), false).await.unwrap();
    let node = connect(&served.at(), folder.path(), node_key(1), config()).await.unwrap();
    fake.move_to(cairn_proto::BundleStage::Sealed, 0);
    fake.state().log.pop();
    assert_eq!(node.follow().await.unwrap().lost, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_is_read_while_another_process_would_write_it() {
    let (_fake, served) = sequencer().await;
    let folder = tempfile::tempdir().unwrap();
    run(&served, folder.path(), &receipts(0..4), false).await.unwrap();
    let writer = spool(folder.path());
    let path = folder.path().join("spool");
    assert!(matches!(Spool::open(&path), Err(SpoolError::InUse { .. })));
    let reader = Spool::open_existing(&path).unwrap();
    assert!(!reader.is_writable() && writer.is_writable());
    assert_eq!(reader.record(0).unwrap(), writer.record(0).unwrap());
    writer.enqueue(&receipts(70..75), false, &[]).unwrap();
    assert_eq!(reader.waiting().unwrap().receipts, 5, "it sees what is written after it was opened");
    assert!(matches!(reader.enqueue(&receipts(80..81), false, &[]), Err(SpoolError::ReadOnly { .. })));
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
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = Address::from(format!("http://{}", listener.local_addr().unwrap()).as_str());
    drop(listener);
    let waits = Waits::default();
    let connected = Node::connect(&at, node_key(1), spool(folder.path()), Pins::default(), config(), &waits).await;
    let error = connected.unwrap_err();
    assert!(matches!(error, SubmitError::Unreachable { attempts: 4, .. }), "{error}");
    assert_eq!(*waits.0.lock().unwrap(), 3);
    let error = connect(&Address::from("no address"), folder.path(), node_key(1), config()).await.unwrap_err();
    assert!(matches!(error, SubmitError::Address(_)), "{error}");
}
