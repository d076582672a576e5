//! What may be put aside, and who gets it back.

use crate::client::{self, escrow_address};
use crate::error::EscrowError as E;
use crate::scene::{AMOUNT, Scene, TERM, refused};
use cairn_interface::{self as interface, Address, Profile};
use cairn_tests::settlement::{PROGRAM_ID, address};

#[test]
fn terms_that_nobody_can_count_on_are_refused() {
    let mut scene = Scene::new();
    let terms = scene.terms(1, 7);
    let small = client::Terms { amount: 999_999, ..terms };
    assert_eq!(scene.deposit(&small), refused(E::SmallAmount));
    let over = client::Terms { refundable_from: scene.slot(), ..terms };
    assert_eq!(scene.deposit(&over), refused(E::RefundableNow));
    scene.deposit(&terms).expect("deposited");
    assert_eq!(scene.deposit(&terms), refused(E::EscrowExists));
}

#[test]
fn an_escrow_is_for_a_rollup_of_the_settlement_program() {
    let mut scene = Scene::new();
    let (payer, terms, rollup) = (scene.payer.insecure_clone(), scene.terms(1, 7), scene.machine.rollup);
    let copy = Address([0x77; 32]);
    scene.machine.plant(&copy, Address([7; 32]), scene.machine.data(&rollup));
    for forged in [copy, scene.machine.queue_address(), PROGRAM_ID] {
        let deposit = client::deposit(&address(&payer), &forged, &terms);
        assert_eq!(scene.send(&[deposit], &[&payer]), refused(E::NotARollup));
    }
    let mut elsewhere = client::deposit(&address(&payer), &rollup, &terms);
    elsewhere.accounts[2].address = escrow_address(&address(&payer), 2);
    assert_eq!(scene.send(&[elsewhere], &[&payer]), refused(E::WrongEscrowAddress));
}

/// One program goes by one settlement program: what is proved for tests only pays nothing elsewhere.
#[test]
fn the_program_for_production_takes_no_rollup_of_the_profile_dev() {
    let mut scene = Scene::with_program(Profile::Production);
    assert_eq!(scene.deposit(&scene.terms(1, 7)), refused(E::NotARollup));
    let copy = scene.machine.data(&scene.machine.rollup);
    let rollup = scene.machine.rollup;
    scene.machine.plant(&rollup, interface::PROGRAM_ID, copy);
    scene.deposit(&scene.terms(1, 7)).expect("deposited, with the owner that it goes by");
}

#[test]
fn lamports_that_were_at_the_address_before_do_not_count_towards_the_amount() {
    let mut scene = Scene::new();
    let escrow = escrow_address(&address(&scene.payer), 1);
    scene.machine.plant(&escrow, Address([0; 32]), vec![]);
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let length = scene.machine.data(&escrow).len();
    let rent = scene.machine.svm.minimum_balance_for_rent_exemption(length);
    assert_eq!(scene.machine.lamports(&escrow), rent + AMOUNT);
}

#[test]
fn only_the_payer_gets_an_escrow_back_and_only_when_it_is_over() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let (payer, stranger) = (scene.payer.insecure_clone(), scene.writer.insecure_clone());
    let escrow = escrow_address(&address(&payer), 1);
    scene.machine.advance(TERM - 1, 0);
    assert_eq!(scene.withdraw(&payer, &escrow), refused(E::NotRefundable));
    scene.machine.advance(1, 0);
    assert_eq!(scene.withdraw(&stranger, &escrow), refused(E::NotPayer));
    let held = scene.machine.lamports(&escrow);
    let before = scene.machine.lamports(&address(&payer));
    scene.withdraw(&payer, &escrow).expect("over");
    assert_eq!(scene.machine.lamports(&escrow), 0);
    let got = scene.machine.lamports(&address(&payer)) - before;
    assert!(held - got < 10_000, "all but the fee");
    assert!(scene.withdraw(&payer, &escrow).is_err());
}

/// Until somebody takes it back, an escrow can pay, whatever the slot.
#[test]
fn after_it_has_paid_the_payer_gets_the_rent_back_at_once() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let receipt = scene.receipt(7, 0);
    let batch = scene.settle(std::slice::from_ref(&receipt));
    scene.machine.advance(TERM * 2, 0);
    scene.claim_at(1, &receipt, &batch, 0).expect("paid");
    let payer = scene.payer.insecure_clone();
    let escrow = escrow_address(&address(&payer), 1);
    assert!(scene.machine.lamports(&escrow) < AMOUNT);
    scene.withdraw(&payer, &escrow).expect("it has paid");
}
