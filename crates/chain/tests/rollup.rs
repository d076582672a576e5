//! A rollup on the embedded chain, with the program that ships.

use cairn_chain::{
    Chain as _, EmbeddedChain, ErrorClass, Keypair, NewRollup, Options, PROGRAM_ID, RollupClient, RollupError,
};
use cairn_interface::{DEFAULT_MAX_PENDING, Profile, SettlementError};
use cairn_types::{Batch, BundleData, Cursor, Digest, Leaf, Receipt, Record};
use std::sync::Arc;

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
        let chain = Arc::new(EmbeddedChain::open(dir.path(), Options::default()).unwrap());
        let (admin, sequencer) = (Keypair::generate(), Keypair::generate());
        for key in [&admin, &sequencer] {
            chain.fund(key.address(), 10 * SOL).await.unwrap();
        }
        let client = RollupClient::of_admin(chain.clone(), PROGRAM_ID, &admin.address(), 7);
        Self { _dir: dir, chain, client, admin, sequencer }
    }

    fn rollup(&self) -> NewRollup {
        NewRollup {
            id: 7,
            sequencer: self.sequencer.address(),
            acknowledgement_key: self.sequencer.address(),
            profile: Profile::Dev,
            max_pending: DEFAULT_MAX_PENDING,
        }
    }
}

fn receipt(rollup_id: Digest, fetch_time: u64) -> Receipt {
    Receipt {
        media_type: Some("text/html".into()),
        content_length: 10,
        payload_blake3: [1; 32],
        payload_sha256: [2; 32],
        payload_sha1: [3; 20],
        ..Receipt::new(rollup_id, 0, "https://example.org/", "example.org", fetch_time)
    }
}

fn batch(cursor: &Cursor, rollup_id: Digest, fetch_time: u64) -> Batch {
    let receipt = receipt(rollup_id, fetch_time);
    let bytes = receipt.encode().unwrap();
    let leaf = Leaf::of(&receipt, &bytes).unwrap();
    let records = vec![Record { receipt: bytes, leaf }];
    Batch::seal(cursor, rollup_id, vec![BundleData { node_index: 0, sequence: cursor.batches, records }]).unwrap()
}

#[tokio::test]
async fn batches_extend_the_tip_and_read_back_as_they_were_submitted() {
    let bench = Bench::new().await;
    assert!(matches!(bench.client.rollup().await, Err(RollupError::Missing(_))));
    bench.client.initialize(&bench.admin, &bench.rollup()).await.unwrap();
    let rollup = bench.client.rollup().await.unwrap();
    let rollup_id = bench.client.rollup_id(Profile::Dev).await.unwrap();
    assert_eq!((rollup.rollup_id, rollup.tip), (rollup_id, Cursor::genesis(&rollup_id)));
    assert_eq!(bench.client.queue().await.unwrap().end, rollup.tip.queue);

    let mut cursor = rollup.tip;
    for number in 0..3 {
        let sealed = batch(&cursor, rollup_id, 1_700_000_000_000);
        let submitted = bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap();
        let units = submitted.compute_units.unwrap();
        println!("submit_batch {number}: {units} compute units");
        assert!((1..400_000).contains(&units));
        cursor = sealed.header.cursor();
        let stored = bench.client.batch(number).await.unwrap().unwrap();
        assert_eq!((stored.header, stored.digest), (sealed.header, sealed.header.statement()));
        assert_eq!(stored.slot, submitted.slot);
    }
    let snapshot = bench.client.snapshot(0..5).await.unwrap();
    assert_eq!(snapshot.rollup.tip, cursor);
    let found: Vec<_> = snapshot.batches.iter().map(Option::is_some).collect();
    assert_eq!(found, [true, true, true, false, false]);
}

#[tokio::test]
async fn refusals_of_the_program_come_out_under_their_names_and_classes() {
    let bench = Bench::new().await;
    bench.client.initialize(&bench.admin, &bench.rollup()).await.unwrap();
    let cursor = bench.client.rollup().await.unwrap().tip;
    let rollup_id = bench.client.rollup_id(Profile::Dev).await.unwrap();
    let sealed = batch(&cursor, rollup_id, 1_700_000_000_000);

    let settlement = |error: &RollupError| error.failure().and_then(cairn_chain::TransactionFailure::settlement);
    let error = bench.client.submit_batch(&bench.admin, &sealed.header).await.unwrap_err();
    assert_eq!((settlement(&error), error.class()), (Some(SettlementError::NotSequencer), ErrorClass::Rejection));
    assert!(error.to_string().contains("NotSequencer (6004)"), "{error}");

    let future = batch(&cursor, rollup_id, 4_000_000_000_000);
    let error = bench.client.submit_batch(&bench.sequencer, &future.header).await.unwrap_err();
    assert_eq!((settlement(&error), error.class()), (Some(SettlementError::FutureTime), ErrorClass::Transient));

    bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap();
    let error = bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::WrongNumber));

    let other = Keypair::generate();
    bench.client.set_sequencer(&bench.admin, &other.address(), &other.address()).await.unwrap();
    assert_eq!(bench.client.rollup().await.unwrap().sequencer, other.address());
    assert!(matches!(bench.client.initialize(&bench.admin, &bench.rollup()).await, Err(RollupError::Failed { .. })));
}

#[tokio::test]
async fn a_prepared_transaction_may_be_delivered_any_number_of_times() {
    let bench = Bench::new().await;
    bench.client.initialize(&bench.admin, &bench.rollup()).await.unwrap();
    let cursor = bench.client.rollup().await.unwrap().tip;
    let rollup_id = bench.client.rollup_id(Profile::Dev).await.unwrap();
    let sealed = batch(&cursor, rollup_id, 1_700_000_000_000);
    let prepared = bench.client.prepare_batch(&bench.sequencer, &sealed.header).await.unwrap();
    let first = bench.client.deliver(&prepared).await.unwrap();
    let height = bench.chain.tip(cairn_chain::Commitment::Finalized).await.unwrap().block_height;
    assert_eq!(bench.client.deliver(&prepared).await.unwrap(), first);
    assert_eq!(
        bench.chain.tip(cairn_chain::Commitment::Finalized).await.unwrap().block_height.max(height + 5),
        height + 5
    );
    assert_eq!(bench.client.rollup().await.unwrap().tip.batches, 1);
}

#[tokio::test]
async fn lamports_sent_ahead_to_a_batch_address_do_not_hide_or_stop_the_batch() {
    let bench = Bench::new().await;
    bench.client.initialize(&bench.admin, &bench.rollup()).await.unwrap();
    bench.chain.fund(bench.client.batch_address(0), SOL).await.unwrap();
    assert_eq!(bench.client.batch(0).await.unwrap(), None);
    let cursor = bench.client.rollup().await.unwrap().tip;
    let rollup_id = bench.client.rollup_id(Profile::Dev).await.unwrap();
    let sealed = batch(&cursor, rollup_id, 1_700_000_000_000);
    bench.client.submit_batch(&bench.sequencer, &sealed.header).await.unwrap();
    assert_eq!(bench.client.batch(0).await.unwrap().unwrap().header, sealed.header);
}
