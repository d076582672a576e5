//! Servers that are not equally far, and batches that are not there.

use crate::bench::{BATCHES, Bench, abandon, agreed, disputed, settle};
use cairn_chain::agreement::{AgreementError, Dispute, Finding};

#[tokio::test]
async fn a_server_that_lags_is_waited_for_and_named_when_it_never_comes() {
    let bench = Bench::new().await;
    let agreement = bench.ask_patiently(bench.lagging(2, 3), &[1, 3]).await.unwrap();
    agreed(&agreement, 1);
    agreed(&agreement, 3);
    assert_eq!(agreement.servers[1].tip, BATCHES, "the view is that of the last answer");

    let agreement = bench.ask(bench.lagging(2, u64::MAX), &[1, 3]).await.unwrap();
    agreed(&agreement, 1);
    let dispute = disputed(&agreement, 3);
    assert!(
        matches!(dispute, Dispute::Behind { number: 3, tip: 2, server, .. } if server == "https://b"),
        "{dispute:?}"
    );
    assert!(dispute.to_string().contains("https://a has batch 3, and https://b does not"), "{dispute}");
    // Whichever it is.
    let agreement = bench.ask_both(bench.lagging(2, u64::MAX), bench.witness(), &[3]).await.unwrap();
    assert!(matches!(disputed(&agreement, 3), Dispute::Behind { server, .. } if server == "https://a"));

    let young = |reads| bench.unaware(reads);
    agreed(&bench.ask_patiently(young(2), &[0]).await.unwrap(), 0);
    let error = bench.ask(young(u64::MAX), &[0]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::RollupMissing { server, .. } if server == "https://b"), "{error}");
    let error = bench.ask_both(young(u64::MAX), young(u64::MAX), &[0]).await.unwrap_err();
    assert!(matches!(error, AgreementError::NoRollup(_)), "{error}");
}

#[tokio::test]
async fn a_batch_that_nobody_has_is_absent_at_once() {
    let bench = Bench::new().await;
    let second = bench.witness();
    let agreement = bench.ask(second, &[3, BATCHES, 1 << 40]).await.unwrap();
    agreed(&agreement, 3);
    for number in [BATCHES, 1 << 40] {
        assert_eq!(agreement.batches[&number], Finding::Absent { tip: BATCHES });
    }
}

#[tokio::test]
async fn settled_is_what_every_server_says_and_closed_accounts_are_said_to_be() {
    let bench = Bench::new().await;
    let settled = || bench.settled();
    let agreement = bench.ask_both(settled(), settled(), &[0, 3]).await.unwrap();
    assert!(agreed(&agreement, 0).settled && agreed(&agreement, 3).settled);
    assert_eq!(agreement.servers[0].settled, BATCHES);
    let agreement = bench.ask(settled(), &[0]).await.unwrap();
    assert!(!agreed(&agreement, 0).settled, "one server has not seen it yet");

    // Whoever restored the account is its payer then: no server lies about that.
    let agreement = bench.ask_both(settled(), bench.restored(), &[0, 3]).await.unwrap();
    assert!(agreed(&agreement, 0).settled && agreed(&agreement, 3).settled);

    let rollup = bench.rollup();
    let closed = || {
        bench.altering(move |_, addresses, read| {
            for (at, account) in addresses.iter().zip(&mut read.accounts) {
                match account {
                    Some(account) if *at == rollup => settle(account),
                    account => *account = None,
                }
            }
        })
    };
    let agreement = bench.ask_both(closed(), closed(), &[1]).await.unwrap();
    assert_eq!(agreement.batches[&1], Finding::Closed);
    let agreement = bench.ask_both(settled(), closed(), &[1]).await.unwrap();
    let dispute = disputed(&agreement, 1);
    assert!(matches!(dispute, Dispute::Closed { server, .. } if server == "https://b"), "{dispute:?}");
}

#[tokio::test]
async fn what_a_later_generation_abandoned_is_not_final() {
    let bench = Bench::new().await;
    let abandoned = || bench.changing(bench.rollup(), abandon);
    let agreement = bench.ask(abandoned(), &[1]).await.unwrap();
    let dispute = disputed(&agreement, 1);
    assert!(matches!(dispute, Dispute::Behind { server, generation: 0, .. } if server == "https://a"), "{dispute:?}");
    let agreement = bench.ask_both(abandoned(), abandoned(), &[0, 1]).await.unwrap();
    assert_eq!(agreement.batches[&1], Finding::Absent { tip: 0 }, "the account is there still, the batch is not");
}
