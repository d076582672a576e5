//! Batches that go, and what is kept of them.

use super::*;

#[test]
fn taking_back_leaves_what_was_there_before_and_another_history_can_follow() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    let mut before = Vec::new();
    for round in 0..9 {
        before.push((live(&store), ledger.clone()));
        advance(&store, &mut ledger, round, 0);
    }
    let first = live(&store);
    for number in (4..9).rev() {
        assert!(store.take_back(gone(true)).unwrap());
        let (rows, ledger) = before[number].clone();
        assert_eq!(live(&store), rows, "{number} batches are left");
        assert_eq!(store.whole().unwrap().cursor(&rollup_id()).unwrap(), ledger.cursor);
    }
    ledger = before[4].1.clone();
    for round in 4..9 {
        advance(&store, &mut ledger, round, 3);
    }
    assert_ne!(live(&store), first);
    let straight = tempfile::tempdir().unwrap();
    let (other, mut again) = (open(&straight), Ledger::new(rollup_id()));
    for round in 0..9 {
        advance(&other, &mut again, round, if round < 4 { 0 } else { 3 });
    }
    assert_eq!(live(&store), live(&other), "as if the first history had never been");
    assert_eq!(store.whole().unwrap().replaced_count().unwrap(), 5);
    while store.take_back(gone(true)).unwrap() {}
    let left: Vec<_> = live(&store).into_keys().collect();
    assert_eq!(left, [("meta", b"identity".to_vec()), ("meta", b"reach".to_vec())]);
    assert_eq!(store.whole().unwrap().cursor(&rollup_id()).unwrap(), Cursor::genesis(&rollup_id()));
}

#[test]
fn a_receipt_that_stands_in_earlier_batches_survives_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    (0..5).for_each(|round| drop(advance(&store, &mut ledger, round, 0)));
    let shared = Receipt::digest_of(&records(0, 0)[0].receipt);
    let places = |store: &Store| store.whole().unwrap().receipt(&shared, None, 100).unwrap().unwrap().places;
    let all = places(&store);
    assert!(all.len() > 1 && all.last().unwrap().0.batch > all[0].0.batch);
    store.take_back(gone(true)).unwrap();
    let left = places(&store);
    assert!(left.len() < all.len() && left.iter().all(|(place, valid)| *valid && place.batch < 4));
    let (hits, _) = store.whole().unwrap().content(&ContentDigest::Sha256([7; 32]), None, 100).unwrap();
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.place.batch < 4));
    assert!(store.whole().unwrap().proof(&shared, left[0].0).unwrap().is_some());
    assert_eq!(store.whole().unwrap().proof(&shared, Place { batch: 4, bundle: 0, receipt: 0 }).unwrap(), None);
}

#[test]
fn a_replaced_batch_is_kept_whole_and_stands_again_when_it_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    let batches: Vec<_> = (0..5).map(|round| advance(&store, &mut ledger, round, 0)).collect();
    let last = &batches[4];
    let before = dump(&store);
    let bundles = last.bundles.len() as u16;
    let stood: Vec<_> = (0..bundles).map(|at| store.whole().unwrap().bundle(4, at).unwrap().unwrap()).collect();
    store.take_back(gone(false)).unwrap();

    let view = store.whole().unwrap();
    let id = ReplacedId { number: 4, header_digest: last.header.statement() };
    assert_eq!(ReplacedId::from_key(&id.to_key()), Some(id));
    let (list, next) = view.replaced(None, 10).unwrap();
    assert_eq!((list.len(), next), (1, None));
    assert_eq!(view.replaced_batch(id).unwrap().as_ref(), Some(&list[0]));
    assert_eq!((list[0].batch.header, &list[0].replaced), (last.header, &gone(false)));
    assert_eq!(list[0].entries, last.entries);
    for (at, stood) in (0..).zip(&stood) {
        let (found, _) = view.replaced_bundle(id, at).unwrap().unwrap();
        let stood = StoredBundle { commitment: Commitment::Confirmed, ..stood.clone() };
        assert_eq!(found, stood);
        for (place, (digest, valid)) in (0..).zip(found.receipts) {
            let places = view.replaced_places(&digest, 100).unwrap();
            let place = Place { batch: 4, bundle: at, receipt: place };
            let found = places.iter().find(|found| found.place == place).unwrap();
            assert_eq!((found.valid, found.header_digest, found.reason), (valid, id.header_digest, Reason::Fork));
            assert!(view.receipt(&digest, None, 10).unwrap().is_some(), "its bytes stay");
        }
    }
    assert_eq!(view.replaced_bundle(id, bundles).unwrap(), None);
    drop(view);
    // It was never final, so who asks for what is final hears nothing of it.
    let view = store.view(Commitment::Finalized).unwrap();
    assert_eq!((view.replaced(None, 10).unwrap(), view.replaced_batch(id).unwrap()), ((Vec::new(), None), None));
    let own = Receipt::digest_of(&last.bundles[0].records[1].receipt);
    assert!(view.replaced_places(&own, 9).unwrap().is_empty() && view.receipt(&own, None, 9).unwrap().is_none());
    drop(view);

    take_in(&store, last);
    assert_eq!(dump(&store), before, "as if it had never gone");
}

#[test]
fn replaced_batches_of_one_number_come_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    (0..3).for_each(|round| drop(advance(&store, &mut ledger, round, 0)));
    let mut gone_for = Vec::new();
    for salt in 1..6 {
        let mut fork = ledger.clone();
        gone_for.push(advance(&store, &mut fork, 3, salt).header.statement());
        store.take_back(gone(salt % 2 == 0)).unwrap();
    }
    gone_for.sort_by_key(|digest| digest.to_bytes());
    let view = store.whole().unwrap();
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let (page, next) = view.replaced(from, 2).unwrap();
        assert!(page.len() <= 2);
        seen.extend(page.into_iter().map(|found| found.batch.header_digest));
        from = next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, gone_for);
    assert_eq!(store.view(Commitment::Finalized).unwrap().replaced(None, 10).unwrap().0.len(), 2);
}
