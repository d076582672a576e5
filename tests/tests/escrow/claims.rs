//! Which claims are paid.

use crate::client::{self, Claim, ESCROW_PROGRAM, Terms, budget, escrow_address, spent_address};
use crate::error::EscrowError as E;
use crate::scene::{AMOUNT, Scene, content, leaf, refused};
use cairn_interface::{self as interface, Address, MAX_TRANSACTION_BYTES, SettlementError};
use cairn_tests::settlement::{Failure, FilledBatch, Leaves, PROGRAM_ID, address, pubkey, solana};
use cairn_types::{Digest, InclusionPath, LeafParts, Receipt};
use solana_sdk::instruction::InstructionError;
use solana_sdk::message::Message;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;

/// A scene with an escrow for content 7, and a settled batch in which the receipt for it is between others.
fn scene() -> (Scene, Receipt, FilledBatch) {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let receipts = [1, 7, 2].map(|content| scene.receipt(content, 0));
    let batch = scene.settle(&receipts);
    let [_, receipt, _] = receipts;
    (scene, receipt, batch)
}

/// What comes of a claim that would be paid, with something changed about it.
fn changed(change: impl FnOnce(&mut Scene, &mut Claim, &mut InclusionPath)) -> Result<u64, Failure> {
    let (mut scene, receipt, batch) = scene();
    let (mut accounts, mut path) = (scene.accounts(1, &receipt, 0), batch.path(0, 1));
    change(&mut scene, &mut accounts, &mut path);
    scene.claim(&accounts, 0, &path)
}

#[test]
fn an_honest_claim_pays_the_node_and_records_what_it_was_paid_for() {
    let (mut scene, receipt, batch) = scene();
    let accounts = scene.accounts(1, &receipt, 0);
    let lamports = |scene: &Scene| {
        [accounts.payee, accounts.escrow, accounts.spent].map(|address| scene.machine.lamports(&address))
    };
    let before = lamports(&scene);
    let units = scene.claim(&accounts, 0, &batch.path(0, 1)).expect("paid");
    let after = lamports(&scene);
    // Of the node: the record's rent, a signature, and a price for as many units as there are.
    let spending = after[2] + 5_000 + 1_400;
    assert_eq!((after[0], after[1]), (before[0] + AMOUNT - spending, before[1] - AMOUNT));
    println!("a claim with a receipt of {} bytes takes {units} units", receipt.encode().expect("valid").len());
    assert!(units < 700_000, "{units} units");

    let spent = scene.machine.data(&accounts.spent);
    let expected = [&accounts.escrow.0[..], &0_u64.to_le_bytes(), &0_u32.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    assert_eq!(spent[8..], expected);
}

/// A receipt is paid for once. A payer who could show it to a cheap escrow of its own would have the dear one back.
#[test]
fn nobody_but_the_node_chooses_the_escrow_that_pays_for_its_receipt() {
    let (mut scene, receipt, batch) = scene();
    let dear = scene.accounts(1, &receipt, 0);
    let cheap = Terms { amount: 1_000_000, ..scene.terms(2, 7) };
    scene.deposit(&cheap).expect("deposited");
    let accounts = Claim { escrow: escrow_address(&address(&scene.payer), 2), ..dear };
    let mut unsigned = client::claim(&accounts, 0, &batch.path(0, 1));
    unsigned.accounts[0].is_signer = false;
    let payer = scene.payer.insecure_clone();
    let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
    assert_eq!(scene.send(&[unsigned], &[&payer]), missing);
    for stranger in [address(&scene.payer), address(&scene.writer), address(&scene.nodes[1])] {
        let as_himself = Claim { payee: stranger, ..accounts };
        assert_eq!(scene.claim(&as_himself, 0, &batch.path(0, 1)), refused(E::WrongPayee));
    }
    scene.claim(&dear, 0, &batch.path(0, 1)).expect("paid");
}

#[test]
fn a_claim_with_a_priority_fee_fits_a_transaction_and_a_receipt_beside_it_would_not() {
    let (mut scene, receipt, batch) = scene();
    let claim = client::claim(&scene.accounts(1, &receipt, 0), 0, &batch.path(0, 1));
    let [limit, price] = budget(700_000);
    let instructions = [limit, price, claim].map(|instruction| solana(&instruction));
    let message = Message::new(&instructions, Some(&scene.nodes[0].pubkey()));
    let transaction = Transaction::new(&[&scene.nodes[0]], message, scene.machine.svm.latest_blockhash());
    let size = 1 + 64 * transaction.signatures.len() + transaction.message.serialize().len();
    assert!(size <= MAX_TRANSACTION_BYTES, "{size} bytes");
    assert_eq!(size, 1_052, "as the programs' README says");
    assert!(size + receipt.encode().expect("valid").len() > MAX_TRANSACTION_BYTES, "{size} bytes");
}

/// Signed by nobody and in no batch: whoever wants to be paid can write any receipt.
#[test]
fn a_self_asserted_receipt_is_not_paid_for() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let others = [1, 2].map(|content| scene.receipt(content, 0));
    let batch = scene.settle(&others);
    let asserted = scene.receipt(7, 0);
    for place in 0..2 {
        let refused = scene.claim_at(1, &asserted, &batch, place);
        assert_eq!(refused, Err(Failure::Refused(SettlementError::NotIncluded)));
    }
    // A batch of the claimant's own making, in an account that is not the settlement program's.
    let own = FilledBatch::next(&scene.machine, vec![Leaves { node_index: 0, leaves: vec![leaf(&asserted)] }]);
    let mut forged = scene.machine.data(&scene.machine.batch_address(0));
    let header_at = forged.len() - own.header.to_bytes().len();
    forged[header_at..].copy_from_slice(&own.header.to_bytes());
    let account = Address([0x66; 32]);
    scene.machine.plant(&account, ESCROW_PROGRAM, forged);
    let accounts = Claim { batch: account, ..scene.accounts(1, &asserted, 0) };
    assert!(matches!(scene.claim(&accounts, 0, &own.path(0, 0)), Err(Failure::Instruction(_))));
    // A program of the claimant's own that says yes.
    let accounts = Claim { settlement: ESCROW_PROGRAM, ..accounts };
    assert_eq!(scene.claim(&accounts, 0, &own.path(0, 0)), refused(E::WrongSettlementProgram));
}

#[test]
fn a_batch_that_is_only_submitted_or_abandoned_pays_nothing() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let receipt = scene.receipt(7, 0);
    let batch = scene.submit(0, vec![leaf(&receipt)]);
    let unsettled = Err(Failure::Refused(SettlementError::UnsettledBatch));
    assert_eq!(scene.claim_at(1, &receipt, &batch, 0), unsettled);
    scene.machine.abandon().expect("abandoned");
    assert_eq!(scene.claim_at(1, &receipt, &batch, 0), unsettled);
}

#[test]
fn an_escrow_pays_once() {
    let (mut scene, receipt, batch) = scene();
    scene.claim_at(1, &receipt, &batch, 1).expect("paid");
    assert_eq!(scene.claim_at(1, &receipt, &batch, 1), refused(E::AlreadyPaid));
    // Not for another fetch of the same content either.
    let again = scene.receipt(7, 1);
    let batch = scene.settle(std::slice::from_ref(&again));
    assert_eq!(scene.claim_at(1, &again, &batch, 0), refused(E::AlreadyPaid));
}

#[test]
fn a_payer_pays_for_a_receipt_once_however_often_it_is_ordered_and_wherever_it_is() {
    let (mut scene, receipt, batch) = scene();
    scene.deposit(&scene.terms(2, 7)).expect("deposited");
    scene.claim_at(1, &receipt, &batch, 1).expect("paid");
    assert_eq!(scene.claim_at(2, &receipt, &batch, 1), refused(E::AlreadySpent));
    // The node puts the same receipt into two more places.
    let repeated = scene.settle(&[scene.receipt(3, 0), receipt.clone(), receipt.clone()]);
    for place in [1, 2] {
        assert_eq!(scene.claim_at(2, &receipt, &repeated, place), refused(E::AlreadySpent));
    }
    // The record outlives the escrow.
    let payer = scene.payer.insecure_clone();
    scene.withdraw(&payer, &escrow_address(&address(&payer), 1)).expect("it has paid");
    scene.deposit(&scene.terms(1, 7)).expect("deposited again");
    assert_eq!(scene.claim_at(1, &receipt, &batch, 1), refused(E::AlreadySpent));

    // A second fetch is another receipt, and another payer has not paid for the first.
    let again = scene.receipt(7, 1);
    let batch_again = scene.settle(std::slice::from_ref(&again));
    scene.claim_at(2, &again, &batch_again, 0).expect("paid");
    scene.payer = scene.machine.funded();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    scene.claim_at(1, &receipt, &batch, 1).expect("paid");
}

#[test]
fn a_record_somewhere_else_is_no_record() {
    let elsewhere = changed(|scene, accounts, _| {
        accounts.spent = spent_address(&address(&scene.payer), &Digest::constant([1, 2, 3, 4]));
    });
    assert_eq!(elsewhere, refused(E::WrongSpentAddress));
}

#[test]
fn another_rollups_receipt_is_not_paid_for() {
    let (mut scene, receipt, _) = scene();
    let own = scene.machine.rollup;
    let arguments = interface::Initialize { id: 1, ..scene.machine.arguments() };
    scene.machine.create(&arguments).expect("another rollup");
    scene.machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 1);
    let authority = scene.nodes[0].insecure_clone();
    scene.machine.register(&authority, &cairn_tests::settlement::receipt_key(0)).expect("registered");

    // The other rollup's receipt, and this rollup's in the other's batch: which no honest sequencer puts there.
    let foreign = scene.receipt(7, 0);
    assert_ne!(foreign.rollup_id, receipt.rollup_id);
    let batch = scene.settle(&[foreign.clone(), receipt.clone()]);
    assert_eq!(scene.claim_at(1, &foreign, &batch, 0), refused(E::WrongRollup));
    let accounts = scene.accounts(1, &receipt, 0);
    let foreign_node = scene.claim(&accounts, 0, &batch.path(0, 1));
    assert_eq!(foreign_node, refused(E::WrongNodeAccount));
    let node = interface::node_address(&PROGRAM_ID, &own, &address(&authority));
    let foreign_batch = scene.claim(&Claim { node, ..accounts }, 0, &batch.path(0, 1));
    assert_eq!(foreign_batch, Err(Failure::Refused(SettlementError::WrongBatch)));
}

#[test]
fn another_nodes_receipt_is_not_paid_for() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    // Node 1 says so of itself; then it says so in node 0's name, which it can only under its own signature.
    let of_its_own = Receipt { node_index: 1, ..scene.receipt(7, 0) };
    let in_anothers_name = scene.receipt(7, 0);
    let batch = scene.submit(1, vec![leaf(&of_its_own), leaf(&in_anothers_name)]);
    scene.machine.settle(0).expect("settled");
    assert_eq!(scene.claim_at(1, &of_its_own, &batch, 0), refused(E::WrongNode));
    let not_included = Err(Failure::Refused(SettlementError::NotIncluded));
    assert_eq!(scene.claim_at(1, &in_anothers_name, &batch, 1), not_included);
}

#[test]
fn nobody_is_paid_but_the_nodes_authority() {
    let stranger = changed(|scene, accounts, _| accounts.payee = address(&scene.writer));
    assert_eq!(stranger, refused(E::WrongPayee));
    let other_node = changed(|scene, accounts, _| {
        accounts.node = scene.machine.node_address(&scene.nodes[1]);
        accounts.payee = address(&scene.nodes[1]);
    });
    assert_eq!(other_node, refused(E::WrongNodeAccount));
    // A node account of the claimant's own making.
    let forged = changed(|scene, accounts, _| {
        let mut data = scene.machine.data(&accounts.node);
        data[8 + 32..8 + 64].copy_from_slice(&address(&scene.writer).0);
        accounts.node = Address([0x55; 32]);
        accounts.payee = address(&scene.writer);
        scene.machine.plant(&accounts.node, ESCROW_PROGRAM, data);
    });
    assert_eq!(forged, refused(E::WrongNodeAccount));
}

#[test]
fn another_content_is_not_paid_for_nor_a_receipt_that_was_changed_to_name_it() {
    let (mut scene, _, batch) = scene();
    let other = scene.receipt(1, 0);
    assert_eq!(scene.claim_at(1, &other, &batch, 0), refused(E::WrongContent));
    let altered = Receipt { payload_sha256: content(7), ..other };
    let not_included = Err(Failure::Refused(SettlementError::NotIncluded));
    assert_eq!(scene.claim_at(1, &altered, &batch, 0), not_included);
}

/// A leaf that names the receipt but says another thing of it, which a circuit does not see: such a record is never served as
/// valid, and not paid for either.
#[test]
fn a_receipt_whose_leaf_says_otherwise_is_not_paid_for() {
    let mut scene = Scene::new();
    scene.deposit(&scene.terms(1, 7)).expect("deposited");
    let receipt = scene.receipt(7, 0);
    let parts = leaf(&receipt).parts().expect("well formed");
    let lying = LeafParts { content_length: 1 << 30, ..parts }.leaf().expect("well formed");
    let batch = scene.submit(0, vec![lying]);
    scene.machine.settle(0).expect("settled");
    let not_included = Err(Failure::Refused(SettlementError::NotIncluded));
    assert_eq!(scene.claim_at(1, &receipt, &batch, 0), not_included);
}

#[test]
fn a_place_outside_the_bundle_or_the_batch_is_refused() {
    for (leaf_index, count) in [(256 + 1, 256), (3, 3), (1, 1), (u16::MAX, u16::MAX)] {
        let outside = changed(|_, _, path| (path.leaf_index, path.count) = (leaf_index, count));
        assert_eq!(outside, Err(Failure::Refused(SettlementError::OutsideBundle)), "{leaf_index} of {count}");
    }
    for bundle_index in [1, 512, u16::MAX] {
        let outside = changed(|_, _, path| path.bundle_index = bundle_index);
        assert_eq!(outside, Err(Failure::Refused(SettlementError::OutsideBatch)), "{bundle_index}");
    }
}

#[test]
fn a_batch_is_the_one_whose_number_is_claimed() {
    let (mut scene, receipt, batch) = scene();
    scene.settle(&[scene.receipt(1, 5)]);
    let accounts = scene.accounts(1, &receipt, 0);
    let refused = scene.claim(&accounts, 1, &batch.path(0, 1));
    assert_eq!(refused, Err(Failure::Refused(SettlementError::WrongBatchNumber)));
    assert!(scene.machine.svm.get_account(&pubkey(accounts.spent)).is_none(), "nothing is on record");
}

#[test]
fn a_leaf_is_the_receipts_and_not_the_callers() {
    // Whatever account is given as the receipt, the leaf comes from its bytes: there is no other way to hand one in.
    let other = changed(|scene, accounts, _| {
        let other = scene.receipt(7, 99);
        accounts.receipt = scene.written(&other);
    });
    assert_eq!(other, Err(Failure::Refused(SettlementError::NotIncluded)));
}
