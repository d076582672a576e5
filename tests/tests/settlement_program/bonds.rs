//! What a registration costs, and what comes back.

use cairn_interface::{
    self as interface, DEFAULT_BOND, Initialize, MIN_BOND, NODE, RegisterNode, Registry, SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, pubkey, receipt_key};
use solana_sdk::account::Account;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

fn refused(error: SettlementError) -> Result<u64, Failure> {
    Err(Failure::Refused(error))
}

fn node_rent(machine: &Machine) -> u64 {
    machine.svm.minimum_balance_for_rent_exemption(NODE.size)
}

/// Registers a node that `payer` pays for.
fn register_for(machine: &mut Machine, payer: &Keypair, authority: &Keypair) -> Result<u64, Failure> {
    let arguments = RegisterNode {
        payer: address(payer),
        authority: address(authority),
        registrar: None,
        receipt_key: receipt_key(0),
    };
    let instruction = interface::register_node(&PROGRAM_ID, &machine.rollup, &arguments);
    let admin = machine.admin.insecure_clone();
    machine.send_all(&[instruction], &[&admin, payer, authority])
}

#[test]
fn a_registration_takes_rent_and_bond_from_its_payer() {
    let mut machine = Machine::new();
    let (payer, authority) = (machine.funded(), Keypair::new());
    let before = machine.lamports(&address(&payer));
    register_for(&mut machine, &payer, &authority).expect("registered");
    let cost = node_rent(&machine) + DEFAULT_BOND;
    assert_eq!(machine.lamports(&address(&payer)), before - cost);
    assert_eq!(machine.lamports(&machine.node_address(&authority)), cost);
    assert_eq!((machine.node(&authority).bond, machine.node(&authority).payer), (DEFAULT_BOND, address(&payer)));
}

#[test]
fn the_registrars_signature_saves_the_bond() {
    let (mut machine, registrar) = Machine::with_registrar();
    let (admin, authority) = (machine.admin.insecure_clone(), Keypair::new());
    let arguments = RegisterNode {
        payer: address(&admin),
        authority: address(&authority),
        registrar: Some(address(&registrar)),
        receipt_key: receipt_key(0),
    };
    let instruction = interface::register_node(&PROGRAM_ID, &machine.rollup, &arguments);
    machine.send_all(&[instruction], &[&admin, &authority, &registrar]).expect("registered");
    assert_eq!(machine.node(&authority).bond, 0);
    assert_eq!(machine.lamports(&machine.node_address(&authority)), node_rent(&machine));
    machine.deactivate(&authority).expect("deactivated");
    machine.consume(2).expect("consumed");
    assert_eq!(machine.refund(&authority), refused(SettlementError::NoBond));
}

#[test]
fn the_bond_goes_back_to_its_payer_once_the_deactivation_is_consumed() {
    let mut machine = Machine::new();
    let (payer, authority) = (machine.funded(), Keypair::new());
    let before = machine.lamports(&address(&payer));
    register_for(&mut machine, &payer, &authority).expect("registered");
    machine.register_nodes(1);
    assert_eq!(machine.refund(&authority), refused(SettlementError::BondLocked), "the node is active");
    machine.consume(2).expect("the registrations");
    assert_eq!(machine.refund(&authority), refused(SettlementError::BondLocked), "the node is active still");
    machine.rotate(&authority, &receipt_key(1)).expect("rotated");
    machine.deactivate(&authority).expect("deactivated");
    assert_eq!(machine.refund(&authority), refused(SettlementError::BondLocked), "two entries wait");
    machine.consume(3).expect("the rotation");
    assert_eq!(machine.refund(&authority), refused(SettlementError::BondLocked), "one entry waits");
    machine.consume(4).expect("the deactivation");
    machine.refund(&authority).expect("nothing waits");

    assert_eq!(machine.lamports(&address(&payer)), before - node_rent(&machine));
    assert_eq!(machine.lamports(&machine.node_address(&authority)), node_rent(&machine), "the account stays");
    assert_eq!(machine.node(&authority).bond, 0);
    assert_eq!(machine.refund(&authority), refused(SettlementError::NoBond), "once");
}

#[test]
fn the_bond_goes_to_nobody_else() {
    let mut machine = Machine::new();
    let (payer, authority, thief) = (machine.funded(), Keypair::new(), machine.funded());
    register_for(&mut machine, &payer, &authority).expect("registered");
    machine.deactivate(&authority).expect("deactivated");
    machine.consume(2).expect("consumed");
    for other in [address(&thief), address(&authority), address(&machine.admin)] {
        let instruction = interface::refund_bond(&PROGRAM_ID, &machine.rollup, &address(&authority), &other);
        assert_eq!(machine.send(&instruction, &thief), refused(SettlementError::WrongRecipient));
    }
    let node = machine.node_address(&authority);
    let mut aliased = interface::refund_bond(&PROGRAM_ID, &machine.rollup, &address(&authority), &node);
    assert!(machine.send(&aliased, &thief).is_err(), "the node itself");
    aliased.accounts[2].address = address(&payer);
    machine.send(&aliased, &thief).expect("a stranger may call it for the payer");
}

#[test]
fn a_bond_is_paid_back_to_a_payer_that_has_nothing_left() {
    let mut machine = Machine::without_rollup();
    let registry = Registry { bond: MIN_BOND, ..Registry::OPEN };
    machine.create(&Initialize { registry, ..machine.arguments() }).expect("created");
    let (payer, authority) = (machine.funded(), Keypair::new());
    register_for(&mut machine, &payer, &authority).expect("registered");
    machine.deactivate(&authority).expect("deactivated");
    machine.consume(2).expect("consumed");
    machine.svm.set_account(payer.pubkey(), Account::default()).expect("emptied");
    machine.refund(&authority).expect("refunded");
    assert_eq!(machine.lamports(&address(&payer)), MIN_BOND);
}

#[test]
fn lamports_sent_to_the_nodes_address_count_towards_the_rent_and_not_the_bond() {
    for lamports in [1, 1_000_000, 10 * DEFAULT_BOND] {
        let mut machine = Machine::new();
        let (payer, authority) = (machine.funded(), Keypair::new());
        let (node, before) = (machine.node_address(&authority), machine.lamports(&address(&payer)));
        let account = Account { lamports, ..Default::default() };
        machine.svm.set_account(pubkey(node), account).expect("set");
        register_for(&mut machine, &payer, &authority).expect("registered all the same");
        let rent = node_rent(&machine);
        assert_eq!(machine.lamports(&node), rent.max(lamports) + DEFAULT_BOND);
        assert_eq!(machine.lamports(&address(&payer)), before - DEFAULT_BOND - rent.saturating_sub(lamports));
        machine.deactivate(&authority).expect("deactivated");
        machine.consume(2).expect("consumed");
        machine.refund(&authority).expect("refunded");
        assert_eq!(machine.lamports(&address(&payer)), before - rent.saturating_sub(lamports));
        assert_eq!(machine.lamports(&node), rent.max(lamports));
    }
}

#[test]
fn a_payer_that_cannot_afford_the_bond_registers_nothing() {
    let mut machine = Machine::new();
    let (payer, authority) = (Keypair::new(), Keypair::new());
    machine.svm.airdrop(&payer.pubkey(), DEFAULT_BOND).expect("the bond and no rent");
    let before = machine.data(&machine.queue_address());
    // The system program's ResultWithNegativeLamports.
    let failure = Failure::Instruction(InstructionError::Custom(1));
    assert_eq!(register_for(&mut machine, &payer, &authority), Err(failure));
    assert_eq!(machine.data(&machine.queue_address()), before);
    assert!(machine.svm.get_account(&pubkey(machine.node_address(&authority))).is_none());
}

#[test]
fn a_bond_is_the_one_that_was_paid_whatever_the_terms_are_now() {
    let mut machine = Machine::new();
    let (payer, authority) = (machine.funded(), Keypair::new());
    register_for(&mut machine, &payer, &authority).expect("registered");
    let terms = Registry { bond: 7 * DEFAULT_BOND, ..Registry::OPEN };
    let instruction = interface::set_registry(&PROGRAM_ID, &machine.rollup, &address(&machine.admin), &terms);
    machine.send_as_admin(&instruction).expect("changed");
    let dearer = machine.register_nodes(1).remove(0);
    assert_eq!((machine.node(&authority).bond, machine.node(&dearer).bond), (DEFAULT_BOND, 7 * DEFAULT_BOND));
    machine.deactivate(&authority).expect("deactivated");
    machine.consume(3).expect("consumed");
    let before = machine.lamports(&address(&payer));
    machine.refund(&authority).expect("refunded");
    assert_eq!(machine.lamports(&address(&payer)), before + DEFAULT_BOND);
}
