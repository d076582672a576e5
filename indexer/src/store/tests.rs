//! The store against a tree in memory, batch by batch, forwards and back.

mod replaced;
mod view;

#[path = "../../tests/support/ledger.rs"]
#[allow(dead_code)]
mod ledger;

use super::*;
use crate::verify::{ChainBatch, check_batch, check_header, open_blob};
use crate::{Commitment, ContentDigest, Place};
use cairn_types::limits::{ACCOUNTS_DEPTH, BATCH_DEPTH, MAX_BATCH_BUNDLES, queue_room};
use cairn_types::{AccountProof, Batch, BundleData, Cursor, Digest, Leaf, QueueEntry, Receipt, Record};
use ledger::{Ledger, deactivate, receipt_key, register, rotate, signed, signing_key};
use std::collections::BTreeMap;

fn rollup_id() -> Digest {
    Digest::from_byte_digest([5; 32])
}

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(dir.path(), &Identity::new(rollup_id())).unwrap()
}

/// The same two receipts again and again, and one of its own, so that places share what they can share.
fn records(node_index: u32, seed: u64) -> Vec<Record> {
    let receipt = |url: &str, time| Receipt {
        payload_sha256: [7; 32],
        ..Receipt::new(rollup_id(), node_index, url, "example.org", time)
    };
    let receipts = [receipt("https://example.org/", 1_000), receipt(&format!("https://example.org/{seed}"), 2_000)];
    let mut records: Vec<_> = receipts
        .iter()
        .map(|receipt| {
            let bytes = receipt.encode().unwrap();
            Record { leaf: Leaf::of(receipt, &bytes).unwrap(), receipt: bytes }
        })
        .collect();
    // A receipt whose bytes are not its leaf's.
    records.push(Record { receipt: vec![seed as u8], leaf: records[1].leaf });
    records
}

/// Batch `round` of a rollup in which nodes come, sign, rotate and go.
fn content(ledger: &Ledger, round: u64, salt: u64) -> (Vec<BundleData>, Vec<QueueEntry>) {
    let mut bundles = Vec::new();
    let nodes = (round as u32 * 2).min(9);
    for index in 0..nodes {
        let Some(account) = ledger.account(index).filter(|account| !account.key.is_zero()) else { continue };
        if (u64::from(index) + round + salt).is_multiple_of(3) {
            continue;
        }
        let key = (1..60).map(signing_key).find(|key| receipt_key(key) == account.key).unwrap();
        for ahead in 0..=u64::from(index % 2) {
            let sequence = account.next_sequence + ahead;
            bundles.push(signed(rollup_id(), &key, index, sequence, records(index, 100 * salt + 10 * round + ahead)));
        }
    }
    let new = [nodes, nodes + 1].map(|index| register(index, &signing_key((index + 1) as u8)));
    let mut entries: Vec<_> = if round < 5 { new.to_vec() } else { Vec::new() };
    if round > 1 {
        entries.push(rotate((round % u64::from(nodes)) as u32, &signing_key((20 + round + 10 * salt) as u8)));
    }
    if round == 6 {
        entries.push(deactivate(1));
    }
    (bundles, entries)
}

/// Stores the next batch and commits it to the ledger.
fn advance(store: &Store, ledger: &mut Ledger, round: u64, salt: u64) -> Batch {
    let (bundles, entries) = content(ledger, round, salt);
    let batch = ledger.seal(bundles, entries);
    assert_eq!(store.whole().unwrap().cursor(&rollup_id()).unwrap(), ledger.cursor);
    take_in(store, &batch);
    ledger.commit(&batch);
    batch
}

/// The first batches only.
fn first(store: &Store, batches: u64) -> View<'_> {
    let mut view = store.whole().unwrap();
    view.batches = batches;
    view
}

/// A reach of so many batches, all final.
fn all(batches: u64) -> Reach {
    Reach { confirmed: batches, finalized: batches, ..Reach::default() }
}

/// Takes `batch` in as the follower does, and says how long opening the state, recomputing and writing took.
fn take_in(store: &Store, batch: &Batch) -> [std::time::Duration; 3] {
    let (number, header) = (batch.header.number, batch.header);
    let found = ChainBatch { number, header, header_digest: header.statement(), slot: 10 + number };
    let cursor = store.whole().unwrap().cursor(&rollup_id()).unwrap();
    check_header(&found, &rollup_id(), &cursor).unwrap();
    let blob = open_blob(&found, &batch.blob(&cursor)).unwrap();
    let started = std::time::Instant::now();
    let state = store.whole().unwrap().open_state(&cursor, blob.touched()).unwrap();
    let opened = started.elapsed();
    let verified = check_batch(&found, &cursor, blob, state).unwrap();
    let checked = started.elapsed();
    store.store(&verified, &all(number + 1)).unwrap();
    [opened, checked - opened, started.elapsed() - checked]
}

/// What was seen of batches that go.
fn gone(was_final: bool) -> Replaced {
    let reason = if was_final { Reason::Abandoned } else { Reason::Fork };
    Replaced { reason, at_ms: 7, by: None, was_final }
}

/// Everything of the history, batches beside it left out: receipts' bytes stay for those.
fn live(store: &Store) -> BTreeMap<(&'static str, Vec<u8>), Vec<u8>> {
    let mut rows = dump(store);
    rows.retain(|(family, key), _| {
        let beside = family.starts_with("replaced") || *family == "meta" && key == b"progress";
        !beside && *family != "receipts"
    });
    rows
}

/// Everything that the store holds.
fn dump(store: &Store) -> BTreeMap<(&'static str, Vec<u8>), Vec<u8>> {
    let rows = Family::ALL.into_iter().flat_map(|family| {
        let rows = store.db.iterator_cf(store.family(family), rocksdb::IteratorMode::Start);
        rows.map(Result::unwrap).map(move |(key, value)| ((family.name(), key.to_vec()), value.to_vec()))
    });
    rows.collect()
}

#[test]
fn accounts_and_their_proofs_are_those_of_the_tree_after_every_batch() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    let mut history = Vec::new();
    for round in 0..9 {
        let batch = advance(&store, &mut ledger, round, 0);
        history.push((batch, ledger.clone()));
    }
    drop(store);
    // What is read comes from the disk.
    let store = open(&dir);
    for (number, (batch, ledger)) in (0_u64..).zip(&history) {
        let batches = number + 1;
        let accounts: Vec<_> = (0..40).filter_map(|index| Some((index, ledger.account(index)?))).collect();
        assert_eq!(first(&store, batches).nodes(0, 100).unwrap(), Page { items: accounts.clone(), next: None });
        for index in (0..12).chain([1 << 23, (1 << 24) - 1]) {
            assert_eq!(store.whole().unwrap().node(batches, index).unwrap(), ledger.account(index));
            let proof = store.whole().unwrap().account_proof(number, index).unwrap().unwrap();
            let shown = AccountProof::decode(&proof.encode()).unwrap().verify().unwrap();
            assert_eq!((shown.node_index, shown.account), (index, ledger.account(index)));
            assert_eq!(shown.header_digest, batch.header.statement());
        }
        let mut paged = Vec::new();
        let mut from = Some(0);
        while let Some(start) = from {
            let page = first(&store, batches).nodes(start, 2).unwrap();
            assert!(page.items.len() <= 2);
            paged.extend(page.items);
            from = page.next;
        }
        assert_eq!(paged, accounts);
    }
    assert_eq!(store.whole().unwrap().account_proof(9, 0).unwrap(), None);
    assert_eq!(first(&store, 0).nodes(0, 100).unwrap().items, []);
    let totals = store.whole().unwrap().totals(&rollup_id()).unwrap();
    assert_eq!(totals.nodes, 10);
    assert_eq!(totals.cursor, ledger.cursor);
}

#[test]
fn entries_keys_and_bundles_of_nodes_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    let batches: Vec<_> = (0..9).map(|round| advance(&store, &mut ledger, round, 0)).collect();
    for (number, batch) in (0_u64..).zip(&batches) {
        let page = store.whole().unwrap().entries(number, None, 100).unwrap().unwrap();
        assert_eq!(page.items.iter().map(|item| item.entry).collect::<Vec<_>>(), batch.entries);
        let end = page.items.iter().fold(batch.header.queue_from, |cursor, item| {
            assert_eq!((item.position, item.batch), (cursor.position + 1, number));
            cursor.push(&item.entry)
        });
        assert_eq!(end, batch.header.queue_to, "a reader can chain them");
        for (index, (statement, data)) in batch.statements.iter().zip(&batch.bundles).enumerate() {
            let found = store.whole().unwrap().bundle(number, index as u16).unwrap().unwrap();
            assert_eq!((found.statement, found.signature), (*statement, data.signature));
            found.key.verify(&statement.digest(), &found.signature).unwrap();
            let root = cairn_types::tree::fold(statement.digest(), index as u64, &found.siblings);
            assert_eq!(root, Some(batch.header.batch_root));
            assert_eq!(found.receipts.iter().map(|(_, valid)| *valid).collect::<Vec<_>>(), [true, true, false]);
            let digests = data.records.iter().map(|record| Receipt::digest_of(&record.receipt));
            assert!(found.receipts.iter().map(|(digest, _)| *digest).eq(digests));
        }
        assert_eq!(store.whole().unwrap().bundle(number, batch.bundles.len() as u16).unwrap(), None);
    }
    for index in 0..10 {
        let page = store.whole().unwrap().signed(index, None, 3).unwrap();
        let rest = page
            .next
            .map(|next| store.whole().unwrap().signed(index, Some(next), 100).unwrap().items)
            .unwrap_or_default();
        let signed: Vec<_> = page.items.into_iter().chain(rest).collect();
        assert!(signed.iter().map(|bundle| bundle.sequence).eq(0..ledger.account(index).unwrap().next_sequence));
        for SignedBundle { sequence, batch, bundle, .. } in signed {
            let statement = batches[batch as usize].statements[usize::from(bundle)];
            assert_eq!((statement.node_index, statement.sequence), (index, sequence));
        }
    }
    // Node 2 got the key of round 2 by rotation, and another since.
    let key = receipt_key(&signing_key(22));
    let uses = store.whole().unwrap().key_uses(&key, None, 10).unwrap().items;
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].given.entry.node_index, uses[0].given.batch, uses[0].current), (2, 2, true));
    let first = store.whole().unwrap().key_uses(&receipt_key(&signing_key(3)), None, 10).unwrap().items;
    assert_eq!((first.len(), first[0].given.batch, first[0].current), (1, 1, false));
    assert_eq!(store.whole().unwrap().key_uses(&cairn_types::ReceiptKey::ZERO, None, 10).unwrap().items, []);
}

#[test]
fn a_batch_of_as_many_bundles_and_entries_as_fit_is_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    let nodes = MAX_BATCH_BUNDLES as u32;
    let key = |index: u32| {
        let mut secret = [1; 40];
        secret[..4].copy_from_slice(&(index + 1).to_le_bytes());
        secret[39] = 0;
        cairn_schnorr::SigningKey::from_bytes(&secret).unwrap()
    };
    // As far apart as they can be, so that no two share more of their paths than they must.
    let place = |index: u32| index << (ACCOUNTS_DEPTH - BATCH_DEPTH);
    for half in [0..nodes / 2, nodes / 2..nodes] {
        let batch = ledger.seal(Vec::new(), half.map(|index| register(place(index), &key(index))).collect());
        take_in(&store, &batch);
        ledger.commit(&batch);
    }
    let bundle = |index| signed(rollup_id(), &key(index), place(index), 0, records(place(index), 1));
    let entries: Vec<_> = (0..queue_room(MAX_BATCH_BUNDLES) as u32).map(|at| rotate(place(at), &key(at + 1))).collect();
    assert_eq!(entries.len(), 32);
    let batch = ledger.seal((0..nodes).map(bundle).collect(), entries);
    let [opened, checked, stored] = take_in(&store, &batch);
    println!("{nodes} bundles of as many nodes: state {opened:?}, recomputed {checked:?}, written {stored:?}");
    ledger.commit(&batch);
    let totals = store.whole().unwrap().totals(&rollup_id()).unwrap();
    assert_eq!((totals.nodes, totals.bundles, totals.cursor), (512, 512, ledger.cursor));
    assert!(store.take_back(gone(true)).unwrap());
    assert_eq!(store.whole().unwrap().totals(&rollup_id()).unwrap().bundles, 0);
    take_in(&store, &batch);
    for index in [0, 1, nodes - 1].map(place) {
        assert_eq!(store.whole().unwrap().node(3, index).unwrap(), ledger.account(index));
        assert_eq!(
            store.whole().unwrap().account_proof(2, index).unwrap().unwrap().verify().unwrap().account,
            ledger.account(index)
        );
    }
}

#[test]
fn a_state_that_does_not_lead_to_its_root_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    (0..3).for_each(|round| drop(advance(&store, &mut ledger, round, 0)));
    let cursor = ledger.cursor;
    store.whole().unwrap().open_state(&cursor, [0, 1, 2]).unwrap();
    let (key, mut value) =
        store.db.iterator_cf(store.family(Family::Accounts), rocksdb::IteratorMode::Start).next().unwrap().unwrap();
    value[42] ^= 1;
    store.db.put_cf(store.family(Family::Accounts), key, value).unwrap();
    let error = store.whole().unwrap().open_state(&cursor, [0]).err().unwrap().to_string();
    assert!(error.contains("damaged") && error.contains("--rebuild"), "{error}");
    assert!(store.whole().unwrap().account_proof(2, 0).is_err(), "nothing is proved from it");
}

#[test]
fn an_index_of_the_previous_layout_is_refused_untouched_and_emptied_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let old = ["meta", "batches", "leaves", "receipts", "places", "content"];
    let names = |dir: &tempfile::TempDir| DB::list_cf(&Options::default(), dir.path()).unwrap();
    {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, dir.path(), old).unwrap();
        let identity = Identity { schema: 1, rollup_id: rollup_id() };
        db.put_cf(db.cf_handle("meta").unwrap(), b"identity", encode(&identity)).unwrap();
    }
    let before = names(&dir);
    let error = Store::open(dir.path(), &Identity::new(rollup_id())).err().unwrap();
    assert!(matches!(error, OpenError::Schema { found: 1, expected: SCHEMA_VERSION, .. }), "{error}");
    assert!(error.to_string().contains("start once with --rebuild"), "{error}");
    assert_eq!(names(&dir), before, "nothing was changed");
    Store::destroy(dir.path()).unwrap();
    drop(open(&dir));
    drop(open(&dir));
}

#[test]
fn nothing_but_an_index_is_opened_or_emptied() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, dir.path(), ["meta", "bundles", "proofs"]).unwrap();
        db.put_cf(db.cf_handle("bundles").unwrap(), b"1", b"acknowledged").unwrap();
    }
    let error = Store::open(dir.path(), &Identity::new(rollup_id())).err().unwrap();
    assert!(matches!(error, OpenError::NotAnIndex { .. }), "{error}");
    assert!(matches!(Store::destroy(dir.path()), Err(OpenError::NotAnIndex { .. })));
    let db = DB::open_cf(&Options::default(), dir.path(), ["default", "meta", "bundles", "proofs"]).unwrap();
    assert_eq!(db.get_cf(db.cf_handle("bundles").unwrap(), b"1").unwrap().unwrap(), b"acknowledged");

    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("thesis"), "only copy").unwrap();
    assert!(matches!(Store::destroy(files.path()), Err(OpenError::NotAnIndex { .. })));
    assert!(files.path().join("thesis").exists());
    // Where nothing is, there is nothing to empty.
    Store::destroy(&files.path().join("new")).unwrap();
    Store::destroy(tempfile::tempdir().unwrap().path()).unwrap();
}

#[test]
fn an_index_that_is_in_use_is_not_emptied() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    advance(&store, &mut ledger, 0, 0);
    assert!(matches!(Store::destroy(dir.path()), Err(OpenError::Database { .. })));
    drop(store);
    assert_eq!(open(&dir).whole().unwrap().cursor(&rollup_id()).unwrap(), ledger.cursor);
}
