//! The terms of registration, at the start and changed.

use cairn_interface::{
    self as interface, Address, DEFAULT_BOND, Initialize, MAX_QUEUE_DEADLINE, MIN_BOND, MIN_QUEUE_DEADLINE,
    RegisterNode, Registry, SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, receipt_key};
use solana_sdk::signature::Keypair;

const REGISTRAR: Address = Address([0x4e; 32]);

/// Terms, and why they are refused.
fn cases() -> [(Registry, Option<SettlementError>); 13] {
    use SettlementError::{InvalidBond, InvalidQueueDeadline};
    let (open, closed) = (Registry::OPEN, Registry::closed(REGISTRAR));
    [
        (open, None),
        (closed, None),
        (Registry { registrar: REGISTRAR, ..open }, None),
        (Registry { bond: MIN_BOND, ..open }, None),
        (Registry { bond: u64::MAX, ..open }, None),
        (Registry { bond: 0, ..open }, Some(InvalidBond)),
        (Registry { bond: MIN_BOND - 1, ..open }, Some(InvalidBond)),
        (Registry { bond: 1, ..closed }, Some(InvalidBond)),
        (Registry { queue_deadline: MIN_QUEUE_DEADLINE, ..open }, None),
        (Registry { queue_deadline: MAX_QUEUE_DEADLINE, ..open }, None),
        (Registry { queue_deadline: MIN_QUEUE_DEADLINE - 1, ..open }, Some(InvalidQueueDeadline)),
        (Registry { queue_deadline: MAX_QUEUE_DEADLINE + 1, ..open }, Some(InvalidQueueDeadline)),
        (Registry { queue_deadline: u64::MAX, ..closed }, Some(InvalidQueueDeadline)),
    ]
}

#[test]
fn terms_are_bounded_when_a_rollup_is_created() {
    for (registry, error) in cases() {
        let mut machine = Machine::without_rollup();
        let result = machine.create(&Initialize { registry, ..machine.arguments() });
        match error {
            None => assert_eq!(machine.rollup().registry, registry),
            Some(error) => assert_eq!(result, Err(Failure::Refused(error)), "{registry:?}"),
        }
    }
}

#[test]
fn terms_are_bounded_alike_when_they_are_changed() {
    let mut machine = Machine::new();
    let admin = address(&machine.admin);
    for (registry, error) in cases() {
        let before = machine.rollup();
        let result = machine.send_as_admin(&interface::set_registry(&PROGRAM_ID, &machine.rollup, &admin, &registry));
        match error {
            None => assert_eq!(machine.rollup(), interface::Rollup { registry, ..before }, "nothing else changes"),
            Some(error) => {
                assert_eq!(result, Err(Failure::Refused(error)), "{registry:?}");
                assert_eq!(machine.rollup(), before);
            }
        }
    }
}

#[test]
fn only_the_admin_changes_the_terms() {
    let (mut machine, registrar) = Machine::with_registrar();
    machine.svm.airdrop(&solana_sdk::signer::Signer::pubkey(&registrar), 1_000_000_000).expect("lamports");
    let terms = Registry { bond: MIN_BOND, ..Registry::OPEN };
    for key in [registrar, machine.sequencer.insecure_clone()] {
        let instruction = interface::set_registry(&PROGRAM_ID, &machine.rollup, &address(&key), &terms);
        assert_eq!(machine.send(&instruction, &key), Err(Failure::Refused(SettlementError::NotAdmin)));
    }
}

#[test]
fn a_registrar_that_was_replaced_registers_nobody() {
    let (mut machine, registrar) = Machine::with_registrar();
    let (admin, successor) = (machine.admin.insecure_clone(), Keypair::new());
    let terms = Registry { registrar: address(&successor), ..Registry::OPEN };
    let instruction = interface::set_registry(&PROGRAM_ID, &machine.rollup, &address(&admin), &terms);
    machine.send_as_admin(&instruction).expect("replaced");
    for (key, accepted) in [(&registrar, false), (&successor, true)] {
        let authority = Keypair::new();
        let arguments = RegisterNode {
            payer: address(&admin),
            authority: address(&authority),
            registrar: Some(address(key)),
            receipt_key: receipt_key(0),
        };
        let instruction = interface::register_node(&PROGRAM_ID, &machine.rollup, &arguments);
        let result = machine.send_all(&[instruction], &[&admin, &authority, key]);
        match accepted {
            true => assert_eq!(machine.node(&authority).bond, 0),
            false => assert_eq!(result, Err(Failure::Refused(SettlementError::NotRegistrar))),
        }
    }
    let authority = machine.register_nodes(1).remove(0);
    assert_eq!(machine.node(&authority).bond, DEFAULT_BOND, "a bond does for the registrar, as before");
}
