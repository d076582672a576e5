//! What a server says that is not so.

use crate::bench::{Bench, agreed, disputed, find, rewrite, set_status, settle, settled_cursor};
use cairn_chain::agreement::{AgreementError, Dispute, Patience, Pins, Server, agree};
use cairn_chain::{Account, Address, Chain as _, Commitment, RollupError};
use cairn_interface::{BatchStatus, layout};
use cairn_types::{BatchHeader, Cursor, Digest, HEADER_WORDS};
use std::collections::BTreeSet;
use std::sync::Arc;

#[tokio::test]
async fn a_lie_that_holds_together_is_a_dispute_with_both_sides_named() {
    let bench = Bench::new().await;
    let lie = |header: &mut BatchHeader| header.batch_root = Digest::constant([1, 2, 3, 4]);
    let liar = || bench.changing(bench.client.batch_address(1), move |account| rewrite(account, lie));
    let truth = bench.client.batch(1).await.unwrap().unwrap();
    let mut lied = truth.header;
    lie(&mut lied);

    let agreement = bench.ask(liar(), &[1, 3]).await.unwrap();
    agreed(&agreement, 3);
    let dispute = disputed(&agreement, 1);
    assert!(matches!(dispute, Dispute::Differ { number: 1, part: "batch_root", .. }), "{dispute:?}");
    let text = dispute.to_string();
    let said = |name: &str, digest: Digest| text.contains(&format!("{name} says that the header's digest is {digest}"));
    assert!(said("https://a", truth.digest) && said("https://b", lied.statement()), "{text}");

    // Asked for the next batch too, it has to lie about that as well.
    let error = bench.ask(liar(), &[1, 2]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::Contradiction { server, .. } if server == "https://b"), "{error}");
    assert!(error.to_string().contains("previous header digest"), "{error}");
}

#[tokio::test]
async fn what_can_be_recomputed_is_not_believed() {
    let bench = Bench::new().await;
    let digest = |account: &mut Account| {
        let at = account.data.len() - HEADER_WORDS * 8 - 32;
        account.data[at] ^= 1;
    };
    let batch = |number| bench.client.batch_address(number);
    let tip = bench.client.rollup().await.unwrap().tip;
    let moved = Cursor { state_root: Digest::constant([9; 4]), ..tip };
    for (liar, numbers, said) in [
        (bench.changing(batch(2), digest), vec![2], "not that of its header"),
        (
            bench.changing(batch(3), |a| rewrite(a, |header| header.bytes += 1)),
            vec![3],
            "does not lead to the rollup's tip",
        ),
        (
            bench.changing(batch(0), |a| rewrite(a, |header| header.previous = Digest::constant([1; 4]))),
            vec![0],
            "previous header digest",
        ),
        (
            bench.changing(batch(1), |a| rewrite(a, |header| header.rollup_id = Digest::from_byte_digest([7; 32]))),
            vec![1],
            "is of rollup",
        ),
        (bench.altering(|_, _, read| read.slot = 0), vec![1], "after slot 0"),
        (bench.changing(bench.rollup(), settle), vec![1], "batch 1 says that it is not settled"),
        (
            bench.changing(batch(1), |account| set_status(account, BatchStatus::Settled)),
            vec![1],
            "batch 1 says that it is settled, beside a rollup with 0 settled batches",
        ),
        (
            bench.changing(bench.rollup(), move |account| {
                let at = settled_cursor(account) + layout::CURSOR + 40;
                account.data[at..at + 32].copy_from_slice(&moved.state_root.to_bytes());
            }),
            vec![3],
            "does not lead to the rollup's tip",
        ),
    ] {
        let error = bench.ask(liar, &numbers).await.unwrap_err();
        assert!(matches!(&error, AgreementError::Contradiction { server, .. } if server == "https://b"), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_recomputed_has_to_be_the_same() {
    let bench = Bench::new().await;
    let slot = layout::DISCRIMINATOR + 2 * 32 + 2 * 8;
    for (offset, part) in [(slot, "slot"), (slot + 8, "time"), (layout::DISCRIMINATOR + 32, "payer")] {
        let liar = bench.changing(bench.client.batch_address(1), move |account| {
            // An earlier slot: a later one would be after the answer's own.
            account.data[offset] = account.data[offset].wrapping_sub(1);
        });
        let agreement = bench.ask(liar, &[1, 2]).await.unwrap();
        let dispute = disputed(&agreement, 1);
        assert!(matches!(dispute, Dispute::Differ { part: found, .. } if *found == part), "{part}: {dispute:?}");
        agreed(&agreement, 2);
    }

    // Another tip after as many batches, and nobody asks for the last of them.
    let liar = bench.changing(bench.rollup(), |account| {
        let tip = settled_cursor(account) + layout::CURSOR;
        account.data[tip + 8..tip + 40].copy_from_slice(&Digest::constant([1; 4]).to_bytes());
    });
    let error = bench.ask(liar, &[1]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::Differ { part: "tip", .. }), "{error}");
    assert!(error.to_string().contains("https://a") && error.to_string().contains("https://b"), "{error}");
}

#[tokio::test]
async fn bytes_that_the_program_would_not_write_end_it_with_the_servers_name() {
    let bench = Bench::new().await;
    let batch = bench.client.batch_address(1);
    let id = bench.client.rollup().await.unwrap().rollup_id;
    for liar in [
        bench.changing(bench.rollup(), |account| account.data.truncate(100)),
        bench.changing(bench.rollup(), |account| account.data.clear()),
        bench.changing(bench.rollup(), |account| account.owner = Address([7; 32])),
        bench.changing(bench.rollup(), |account| account.data.fill(0xff)),
        bench.changing(bench.rollup(), move |account| {
            let at = find(&account.data, &id.to_bytes());
            account.data[at] ^= 1;
        }),
        bench.changing(batch, |account| account.owner = Address([7; 32])),
        bench.changing(batch, |account| account.data.push(0)),
        bench.changing(batch, |account| account.data.fill(0xff)),
        bench.changing(batch, |account| account.data[layout::DISCRIMINATOR] ^= 1),
        bench.altering(|_, _, read| read.accounts.swap(1, 2)),
    ] {
        let error = bench.ask(liar, &[1, 2]).await.unwrap_err();
        assert!(matches!(&error, AgreementError::Answer { server, .. } if server == "https://b"), "{error}");
    }
    // Another rollup of the same program, whole and genuine, is not the pinned one.
    let pins = Pins { rollup: Address([5; 32]), ..bench.pins };
    let genuine = bench.chain.account(&bench.rollup(), Commitment::Finalized).await.unwrap().unwrap();
    let liar = bench.altering(move |_, _, read| read.accounts[0] = Some(genuine.clone()));
    let servers = [Server { name: "https://a".to_owned(), chain: Arc::new(liar) }];
    let error = agree(&servers, &pins, &BTreeSet::new(), Patience::default()).await.unwrap_err();
    let AgreementError::Answer { source, .. } = &error else { panic!("{error}") };
    assert!(matches!(**source, RollupError::Inconsistent { field: "rollup_id", .. }), "{error}");
}

#[tokio::test]
async fn an_account_that_cannot_be_missing_or_there_contradicts_its_server() {
    let bench = Bench::new().await;
    let missing = bench.altering(|_, _, read| read.accounts[1] = None);
    let error = bench.ask(missing, &[1]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::Contradiction { server, .. } if server == "https://b"), "{error}");
    assert!(error.to_string().contains("batch 1 has no account"), "{error}");

    let (rollup, old) = (bench.rollup(), bench.history[2].accounts[&bench.rollup()].clone());
    let torn = bench.changing(rollup, move |account| *account = old.clone());
    let error = bench.ask(torn, &[3]).await.unwrap_err();
    assert!(matches!(&error, AgreementError::Contradiction { server, .. } if server == "https://b"), "{error}");
    assert!(error.to_string().contains("cannot be beside a rollup"), "{error}");
}
