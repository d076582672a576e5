//! A rollup on the embedded chain, with the program that ships.

use cairn_chain::{
    DEV_PROGRAM_ID, EmbeddedChain, ErrorClass, Keypair, NewNode, NewRollup, Options, RollupClient, RollupError,
};
use cairn_interface::{DEFAULT_MAX_PENDING, Profile, Registry, SettlementError};
use cairn_schnorr::SigningKey;
use cairn_types::{Batch, Cursor};
use std::sync::Arc;
use support::{FETCH_TIME, Sealer, receipt_key, signing_key};

mod support;

const SOL: u64 = 1_000_000_000;

struct Bench {
    _dir: tempfile::TempDir,
    chain: Arc<EmbeddedChain>,
    client: RollupClient,
    admin: Keypair,
    sequencer: Keypair,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chain = Arc::new(EmbeddedChain::open(dir.path(), Options::of(Profile::Dev)).unwrap());
        let (admin, sequencer) = (Keypair::generate(), Keypair::generate());
        for key in [&admin, &sequencer] {
            chain.fund(key.address(), 10 * SOL).await.unwrap();
        }
        let client = RollupClient::of_admin(chain.clone(), DEV_PROGRAM_ID, &admin.address(), 7);
        Self { _dir: dir, chain, client, admin, sequencer }
    }

    fn rollup(&self) -> NewRollup {
        NewRollup {
            id: 7,
            sequencer: self.sequencer.address(),
            acknowledgement_key: Keypair::generate().address(),
            profile: Profile::Dev,
            max_pending: DEFAULT_MAX_PENDING,
            registry: Registry::OPEN,
        }
    }

    /// The rollup with one node, whose registration batch 0 has consumed.
    async fn with_node(&self) -> (Sealer, SigningKey) {
        self.client.initialize(&self.admin, &self.rollup()).await.unwrap();
        let mut sealer = Sealer::new(self.client.rollup().await.unwrap().rollup_id);
        let key = signing_key();
        let receipt_key = receipt_key(&key);
        let new = NewNode { authority: &self.admin, payer: None, registrar: None, receipt_key };
        self.client.register_node(&new).await.unwrap();
        let first = sealer.seal(vec![], sealer.waiting(&self.client.finalized_queue().await.unwrap()));
        self.client.submit_batch(&self.sequencer, &first.header).await.unwrap();
        sealer.accepted(&first);
        (sealer, key)
    }
}

fn batch(sealer: &Sealer, key: &SigningKey, sequence: u64, fetch_time: u64) -> Batch {
    sealer.seal(vec![sealer.bundle(key, 0, sequence, fetch_time)], vec![])
}

#[tokio::test]
async fn batches_extend_the_tip_and_read_back_as_they_were_submitted() {
    let bench = Bench::new().await;
    assert!(matches!(bench.client.rollup().await, Err(RollupError::Missing(_))));
    assert!(matches!(bench.client.finalized_queue().await, Err(RollupError::Missing(_))));
    let (mut sealer, key) = bench.with_node().await;
    let rollup_id = bench.client.rollup_id(Profile::Dev).await.unwrap();
    assert_eq!(bench.client.rollup().await.unwrap().rollup_id, rollup_id);
    assert_eq!(bench.client.rollup().await.unwrap().settled, Cursor::genesis(&rollup_id));

    for sequence in 0..3 {
        let sealed = batch(&sealer, &key, sequence, FETCH_TIME);
        let submitted = bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap();
        let units = submitted.compute_units.unwrap();
        println!("submit_batch {sequence}: {units} compute units");
        assert!((1..=200_000).contains(&units));
        sealer.accepted(&sealed);
        let stored = bench.client.batch(sequence + 1).await.unwrap().unwrap();
        assert_eq!((stored.header, stored.digest), (sealed.header, sealed.header.statement()));
        assert_eq!(stored.slot, submitted.slot);
    }
    let snapshot = bench.client.snapshot(0..6).await.unwrap();
    assert_eq!(snapshot.rollup.tip, sealer.cursor);
    let found: Vec<_> = snapshot.batches.iter().map(Option::is_some).collect();
    assert_eq!(found, [true, true, true, true, false, false]);
    let read = bench.client.finalized_queue().await.unwrap();
    assert_eq!((read.queue.end, read.queue.nodes), (sealer.cursor.queue, 1));
}

#[tokio::test]
async fn refusals_of_the_program_come_out_under_their_names_and_classes() {
    let bench = Bench::new().await;
    let (sealer, key) = bench.with_node().await;
    let sealed = batch(&sealer, &key, 0, FETCH_TIME);

    let settlement = |error: &RollupError| error.failure().and_then(cairn_chain::TransactionFailure::settlement);
    let error = bench.client.submit_batch(&bench.admin, &sealed.header).await.unwrap_err();
    assert_eq!((settlement(&error), error.class()), (Some(SettlementError::NotSequencer), ErrorClass::Rejection));
    assert!(error.to_string().contains("NotSequencer (6004)"), "{error}");

    let future = batch(&sealer, &key, 0, 4_000_000_000_000);
    let error = bench.client.submit_batch(&bench.sequencer, &future.header).await.unwrap_err();
    assert_eq!((settlement(&error), error.class()), (Some(SettlementError::FutureTime), ErrorClass::Transient));

    bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap();
    let error = bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::WrongNumber));

    let (other, keys) = (Keypair::generate(), Keypair::generate());
    let error = bench.client.set_sequencer(&bench.admin, &other.address(), &other.address()).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::SameKeys));
    bench.client.set_sequencer(&bench.admin, &other.address(), &keys.address()).await.unwrap();
    let rollup = bench.client.rollup().await.unwrap();
    assert_eq!((rollup.sequencer, rollup.acknowledgement_key), (other.address(), keys.address()));
    assert!(matches!(bench.client.initialize(&bench.admin, &bench.rollup()).await, Err(RollupError::Failed { .. })));
}

#[tokio::test]
async fn a_prepared_transaction_may_be_delivered_any_number_of_times() {
    let bench = Bench::new().await;
    let (sealer, key) = bench.with_node().await;
    let sealed = batch(&sealer, &key, 0, FETCH_TIME);
    let prepared = bench.client.prepare_batch(&bench.sequencer, &sealed.header).await.unwrap();
    let first = bench.client.deliver(&prepared).await.unwrap();
    let lines = std::fs::read_to_string(bench.chain.transactions_path()).unwrap().lines().count();
    let again = bench.client.deliver(&prepared).await.unwrap();
    assert_eq!((first.sends, again.sends), (1, 0));
    assert_eq!((again.signature, again.slot, again.logs), (first.signature, first.slot, first.logs));
    assert_eq!(std::fs::read_to_string(bench.chain.transactions_path()).unwrap().lines().count(), lines);
    assert_eq!(bench.client.rollup().await.unwrap().tip.batches, 2);
}

#[tokio::test]
async fn lamports_sent_ahead_to_a_batch_address_do_not_hide_or_stop_the_batch() {
    let bench = Bench::new().await;
    let (sealer, key) = bench.with_node().await;
    bench.chain.fund(bench.client.batch_address(1), SOL).await.unwrap();
    assert_eq!(bench.client.batch(1).await.unwrap(), None);
    let sealed = batch(&sealer, &key, 0, FETCH_TIME);
    bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap();
    assert_eq!(bench.client.batch(1).await.unwrap().unwrap().header, sealed.header);
}

#[tokio::test]
async fn whatever_is_asked_for_twice_is_done_once() {
    let bench = Bench::new().await;
    let (mut sealer, old) = bench.with_node().await;
    let new = receipt_key(&signing_key());
    let registration = NewNode { authority: &bench.admin, payer: None, registrar: None, receipt_key: new };
    let (node, sent) = bench.client.ensure_registered(&registration).await.unwrap();
    assert!(sent.is_none());
    assert_eq!(node.receipt_key, receipt_key(&old), "the node that there is, not the one asked for");

    let (node, sent) = bench.client.ensure_key(&bench.admin, &new).await.unwrap();
    assert!(sent.is_some() && node.receipt_key == new && node.last_position == 2);
    let (again, sent) = bench.client.ensure_key(&bench.admin, &new).await.unwrap();
    assert!(sent.is_none() && again == node);
    let batch = sealer.seal(vec![], sealer.waiting(&bench.client.finalized_queue().await.unwrap()));
    bench.client.submit_batch(&bench.sequencer, &batch.header).await.unwrap();
    sealer.accepted(&batch);

    let (node, sent) = bench.client.ensure_deactivated(&bench.admin).await.unwrap();
    assert!(sent.is_some() && !node.is_active() && node.last_position == 3);
    assert_eq!(bench.client.ensure_deactivated(&bench.admin).await.unwrap(), (node, None));
    let stranger = Keypair::generate();
    bench.chain.fund(stranger.address(), SOL).await.unwrap();
    for refused in [
        bench.client.ensure_key(&stranger, &new).await,
        bench.client.ensure_deactivated(&stranger).await,
        bench.client.ensure_key(&bench.admin, &receipt_key(&old)).await,
    ] {
        assert_eq!(refused.unwrap_err().class(), ErrorClass::Rejection);
    }
    assert_eq!(bench.client.queue().await.unwrap().end.position, 3);
}
