//! Views: one moment of the store, and nothing past their bound.

use super::*;

/// Everything that a view says, in one text.
fn answers(view: &View<'_>) -> String {
    let mut said = vec![format!("{:?}", view.totals(&rollup_id()).unwrap())];
    for number in 0..10 {
        said.push(format!("{:?}", view.batch(number).unwrap()));
        said.push(format!("{:?}", view.entries(number, None, 100).unwrap()));
        said.extend((0..6).map(|bundle| format!("{:?}", view.bundle(number, bundle).unwrap())));
        said.extend((0..4).map(|node| format!("{:?}", view.account_proof(number, node).unwrap())));
        said.extend((0..12).map(|node| format!("{:?}", view.node(number + 1, node).unwrap())));
    }
    said.push(format!("{:?}", view.nodes(0, 100).unwrap()));
    for node in 0..12 {
        for limit in [1, 100] {
            said.push(format!("{:?}", view.signed(node, None, limit).unwrap()));
        }
    }
    for seed in 1..60 {
        said.push(format!("{:?}", view.key_uses(&receipt_key(&signing_key(seed)), None, 1).unwrap()));
    }
    for node in 0..12 {
        for seed in 0..100 {
            for record in records(node, seed) {
                let digest = Receipt::digest_of(&record.receipt);
                let found = view.receipt(&digest, None, 3).unwrap();
                said.push(format!("{:?}", found.map(|found| (found.bytes, found.places, found.next))));
                said.push(format!("{:?}", view.first_valid_place(&digest).unwrap()));
            }
        }
    }
    said.push(format!("{:?}", view.content(&ContentDigest::Sha256([7; 32]), None, 5).unwrap()));
    said.join("\n")
}

#[test]
fn nothing_past_its_bound_shows_in_a_view() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    let mut then = Vec::new();
    for round in 0..6 {
        then.push(answers(&store.whole().unwrap()));
        advance(&store, &mut ledger, round, 0);
    }
    let whole = answers(&store.whole().unwrap());
    for (batches, then) in (0..).zip(&then) {
        let now = answers(&first(&store, batches));
        for (now, then) in now.lines().zip(then.lines()) {
            assert_eq!(now, then, "{batches} batches");
        }
        assert_ne!(now, whole);
    }
}

#[test]
fn a_view_is_one_moment_of_the_store_at_the_commitment_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut ledger) = (open(&dir), Ledger::new(rollup_id()));
    (0..4).for_each(|round| drop(advance(&store, &mut ledger, round, 0)));
    store.reached(&Reach { confirmed: 3, finalized: 2, settled: 1, generation: 5 }).unwrap();
    let batches = |commitment| store.view(commitment).unwrap().batches();
    assert_eq!((batches(Commitment::Finalized), batches(Commitment::Confirmed)), (2, 3));
    let view = store.view(Commitment::Confirmed).unwrap();
    let commitments: Vec<_> = (0..4).map(|number| view.batch(number).unwrap().map(|batch| batch.commitment)).collect();
    let [finalized, confirmed] = [Some(Commitment::Finalized), Some(Commitment::Confirmed)];
    assert_eq!(commitments, [finalized, finalized, confirmed, None]);
    store.take_back(gone(false)).unwrap();
    store.take_back(gone(false)).unwrap();
    assert!(view.batch(2).unwrap().is_some(), "what is being read stays as it was");
    let reach = store.whole().unwrap().reach().unwrap();
    assert_eq!(reach, Reach { confirmed: 2, finalized: 2, settled: 1, generation: 5 });
    assert_eq!(store.view(Commitment::Confirmed).unwrap().batch(2).unwrap(), None);
}
