//! Receipts on chain: who writes them, and which bytes are one.

use crate::client::{self, ESCROW_PROGRAM, RECEIPT_HEAD};
use crate::error::EscrowError as E;
use crate::scene::{Scene, refused};
use cairn_interface::Address;
use cairn_tests::settlement::address;
use cairn_types::{Digest, Lineage, Locator, Receipt, Rights, RightsSignal, SignalKind, receipt_max};
use solana_sdk::signature::Keypair;

#[test]
fn only_who_began_a_receipt_writes_and_closes_it() {
    let mut scene = Scene::new();
    let receipt = scene.receipt(7, 0);
    let account = scene.written(&receipt);
    let (writer, stranger) = (scene.writer.insecure_clone(), scene.payer.insecure_clone());
    let write = client::write_receipt(&address(&stranger), &account, false, 0, &[1]);
    assert_eq!(scene.send(&[write], &[&stranger]), refused(E::NotReceiptAuthority));
    let close = client::close_receipt(&address(&stranger), &account);
    assert_eq!(scene.send(&[close], &[&stranger]), refused(E::NotReceiptAuthority));
    assert_eq!(scene.machine.data(&account)[RECEIPT_HEAD..], receipt.encode().expect("valid"));

    let held = scene.machine.lamports(&account);
    let before = scene.machine.lamports(&address(&writer));
    scene.send(&[client::close_receipt(&address(&writer), &account)], &[&writer]).expect("closed");
    assert_eq!(scene.machine.lamports(&account), 0);
    assert!(before + held - scene.machine.lamports(&address(&writer)) < 10_000, "all but the fee");
}

/// Somebody who sees an account being made cannot be the first to write to it.
#[test]
fn the_first_write_is_signed_by_the_account() {
    let mut scene = Scene::new();
    let (key, writer) = (Keypair::new(), scene.writer.insecure_clone());
    let (account, authority) = (address(&key), address(&writer));
    let rent = scene.machine.svm.minimum_balance_for_rent_exemption(RECEIPT_HEAD + 10);
    let create = client::create_receipt(&authority, &account, 10, rent);
    scene.send(&[create], &[&writer, &key]).expect("created");
    let stranger = scene.payer.insecure_clone();
    let first = client::write_receipt(&address(&stranger), &account, false, 0, &[1]);
    assert_eq!(scene.send(&[first], &[&stranger]), refused(E::ReceiptNotSigned));
    let first = client::write_receipt(&authority, &account, true, 9, &[1]);
    scene.send(&[first], &[&writer, &key]).expect("written");
    for (offset, bytes) in [(9, &[1, 2][..]), (10, &[1]), (11, &[]), (u32::MAX, &[1])] {
        let past = client::write_receipt(&authority, &account, false, offset, bytes);
        assert_eq!(scene.send(&[past], &[&writer]), refused(E::OutsideReceipt), "at {offset}");
    }
}

#[test]
fn other_accounts_are_not_taken_for_receipts() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let receipt = scene.receipt(7, 0);
    let batch = scene.settle(std::slice::from_ref(&receipt));
    let genuine = scene.accounts(1, &receipt, 0);
    let copy = Address([0x44; 32]);
    scene.machine.plant(&copy, Address([7; 32]), scene.machine.data(&genuine.receipt));
    let short = Address([0x45; 32]);
    scene.machine.plant(&short, ESCROW_PROGRAM, vec![0; RECEIPT_HEAD - 1]);
    for forged in [copy, short, genuine.node] {
        let accounts = client::Claim { receipt: forged, ..genuine };
        assert_eq!(scene.claim(&accounts, 0, &batch.path(0, 0)), refused(E::NotAReceipt));
    }
    let writer = scene.writer.insecure_clone();
    for foreign in [copy, short, genuine.escrow] {
        let write = client::write_receipt(&address(&writer), &foreign, false, 0, &[1]);
        assert_eq!(scene.send(&[write], &[&writer]), refused(E::NotAReceipt));
    }
    scene.claim(&genuine, 0, &batch.path(0, 0)).expect("paid");
}

#[test]
fn bytes_that_are_no_receipt_in_canonical_form_are_refused() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let receipt = scene.receipt(7, 0);
    let batch = scene.settle(std::slice::from_ref(&receipt));
    let bytes = receipt.encode().expect("valid");
    let digest = Receipt::digest_of(&bytes);
    for invalid in [&[&bytes[..], &[0]].concat()[..], &bytes[..bytes.len() - 1], &[2], &[&[2], &bytes[1..]].concat()] {
        let account = scene.write(invalid);
        let accounts = scene.accounts_with(1, account, &digest, 0);
        assert_eq!(scene.claim(&accounts, 0, &batch.path(0, 0)), refused(E::InvalidReceipt));
    }
}

/// With the longest URL and everything else at its longest but the other one: what one transaction has to hash and read
/// beside the path.
#[test]
fn a_receipt_of_14_kilobytes_can_be_claimed_with_and_a_byte_more_is_refused() {
    const LONGEST: usize = 14_336;
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let text = |length| Some("x".repeat(length));
    let long = Receipt {
        url: "x".repeat(receipt_max::URL),
        final_url: text(receipt_max::URL),
        domain: "x".repeat(receipt_max::DOMAIN),
        suffix_list: "x".repeat(receipt_max::SUFFIX_LIST),
        media_type: text(receipt_max::MEDIA_TYPE),
        charset: text(receipt_max::LABEL),
        language: text(receipt_max::LABEL),
        job: text(receipt_max::NAME),
        rights: Rights {
            signals: vec![RightsSignal { kind: SignalKind::RobotsTxt, digest: [6; 32] }; receipt_max::SIGNALS],
            ..Default::default()
        },
        locator: Some(Locator { file: "x".repeat(receipt_max::NAME), offset: 1, length: 2 }),
        lineage: Some(Lineage { parent: Digest::ZERO, transform: "x".repeat(receipt_max::NAME) }),
        groups: vec![[7; 32]; receipt_max::GROUPS],
        ..scene.receipt(7, 0)
    };
    let over = long.encode().expect("valid").len() - LONGEST;
    let of_length = |over: usize| Receipt { final_url: text(receipt_max::URL - over), ..long.clone() };
    let [longest, too_long] = [over, over - 1].map(of_length);
    let batch = scene.settle(&[longest.clone(), too_long.clone()]);
    assert_eq!(scene.claim_at(1, &too_long, &batch, 1), refused(E::LongReceipt));
    // Addresses whose bumps are far from 255 may take some thousands more.
    let units = scene.claim_at(1, &longest, &batch, 0).expect("paid");
    println!("a claim with the longest receipt takes {units} units");
    assert!(units < 1_360_000, "{units} units");
}
