use cairn_interface::{self as interface, Address, SettlementError};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

fn replacement(machine: &Machine, admin: &Keypair, sequencer: &Keypair) -> interface::Instruction {
    let key = Address([0xbc; 32]);
    interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &address(admin), &address(sequencer), &key)
}

#[test]
fn the_new_sequencer_submits_and_the_old_one_no_longer_does() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("the old sequencer's batch");

    let successor = Keypair::new();
    machine.svm.airdrop(&successor.pubkey(), 1_000_000_000).expect("lamports");
    let instruction = replacement(&machine, &machine.admin, &successor);
    machine.send_as_admin(&instruction).expect("replaced");
    let rollup = machine.rollup();
    assert_eq!(rollup.sequencer, address(&successor));
    assert_eq!(rollup.acknowledgement_key, Address([0xbc; 32]));
    assert_eq!(rollup.tip.batches, 1, "nothing else changed");

    let header = machine.next_header();
    assert_eq!(machine.submit(&header), Err(Failure::Refused(SettlementError::NotSequencer)));
    machine.sequencer = successor;
    machine.submit(&header).expect("the new sequencer's batch");
}

#[test]
fn the_sequencer_cannot_replace_itself() {
    let mut machine = Machine::new();
    let instruction = replacement(&machine, &machine.sequencer, &Keypair::new());
    assert_eq!(machine.send_as_sequencer(&instruction), Err(Failure::Refused(SettlementError::NotAdmin)));
}

#[test]
fn the_admin_of_another_rollup_is_not_this_ones() {
    let mut machine = Machine::new();
    let other = Keypair::new();
    machine.svm.airdrop(&other.pubkey(), 1_000_000_000).expect("lamports");
    let arguments = interface::Initialize { admin: address(&other), ..machine.arguments() };
    machine.send_all(&interface::create_rollup(&PROGRAM_ID, &arguments), &[&other]).expect("a rollup of its own");
    let instruction = replacement(&machine, &other, &other);
    assert_eq!(machine.send(&instruction, &other), Err(Failure::Refused(SettlementError::NotAdmin)));
}

#[test]
fn zero_keys_and_one_key_for_both_are_refused() {
    let mut machine = Machine::new();
    let before = machine.rollup();
    let (admin, key, other) = (address(&machine.admin), Address([1; 32]), Address([2; 32]));
    let cases = [
        (Address::default(), key, SettlementError::InvalidKey),
        (key, Address::default(), SettlementError::InvalidKey),
        (key, key, SettlementError::SameKeys),
    ];
    for (sequencer, acknowledgement_key, error) in cases {
        let instruction =
            interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &admin, &sequencer, &acknowledgement_key);
        assert_eq!(machine.send_as_admin(&instruction), Err(Failure::Refused(error)));
    }
    assert_eq!(machine.rollup(), before);
    let instruction = interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &admin, &key, &other);
    machine.send_as_admin(&instruction).expect("two keys");
}
