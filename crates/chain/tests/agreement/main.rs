//! Several servers over one chain, some of which lie, lag or are silent.

mod bench;
mod lags;
mod lies;
#[path = "../support/mod.rs"]
mod support;

use bench::{BATCHES, Bench, Witness, agreed};
use cairn_chain::agreement::{AgreementError, Cluster, Patience, Server, agree};
use cairn_interface::Profile;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn servers_that_say_the_same_are_believed() {
    let bench = Bench::new().await;
    let ahead = bench.altering(|_, _, read| read.slot += 7);
    let agreement = bench.ask(ahead, &[0, 1, 2, 3]).await.unwrap();
    assert_eq!(agreement.rollup_id, bench.client.rollup_id(Profile::Dev).await.unwrap());
    assert_eq!(agreement.profile, Profile::Dev);
    for number in 0..BATCHES {
        let stored = bench.client.batch(number).await.unwrap().unwrap();
        let batch = agreed(&agreement, number);
        assert_eq!((batch.header, batch.digest), (stored.header, stored.digest));
        assert_eq!((batch.slot, batch.time, batch.settled), (stored.slot, stored.time, false));
        let [first, second] = batch.seen[..] else { panic!("{:?}", batch.seen) };
        assert!(second >= first + 7 && first >= stored.slot);
    }
    let [first, second] = &agreement.servers[..] else { panic!("{agreement:?}") };
    assert_eq!((first.server.as_str(), second.server.as_str()), ("https://a", "https://b"));
    assert_eq!((first.tip, first.settled, first.generation), (BATCHES, 0, 0));
}

#[tokio::test]
async fn a_server_of_another_chain_or_without_an_answer_is_not_dropped() {
    let bench = Bench::new().await;
    let other = Witness { genesis: Some(Cluster::Devnet.genesis_hash()), ..bench.witness() };
    let error = bench.ask(other, &[1]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::WrongChain { server, .. } if server == "https://b"), "{error}");
    assert!(error.to_string().contains("(devnet)"), "{error}");
    let silent = Witness { silent: true, ..bench.witness() };
    let error = bench.ask(silent, &[1]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::Silent { server, .. } if server == "https://b"), "{error}");
    let nobody = agree(&[], &bench.pins, &BTreeSet::new(), Patience::default()).await;
    assert!(matches!(nobody, Err(AgreementError::NoServers)));
}

#[tokio::test]
async fn many_batches_are_read_sixty_four_at_a_time() {
    let bench = Bench::new().await;
    let second = Arc::new(bench.witness());
    let servers = [Server { name: "https://b".to_owned(), chain: second.clone() }];
    let numbers: BTreeSet<u64> = (0..130).map(|number| number * 3).collect();
    let agreement = agree(&servers, &bench.pins, &numbers, Patience::default()).await.unwrap();
    assert_eq!(agreement.batches.len(), 130);
    agreed(&agreement, 0);
    agreed(&agreement, 3);
    assert_eq!(second.reads.load(Ordering::Relaxed), 3);
}
