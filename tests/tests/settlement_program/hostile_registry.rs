//! What somebody would try with nodes who means harm.

use cairn_goldilocks::MODULUS;
use cairn_interface::{
    self as interface, Address, DEFAULT_BOND, Initialize, Instruction, RegisterNode, Registry, SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, receipt_key};
use cairn_types::EntryKind;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;

fn refused(error: SettlementError) -> Result<u64, Failure> {
    Err(Failure::Refused(error))
}

/// Sends a registration as its admin and authority.
fn send(machine: &mut Machine, instruction: &Instruction, authority: &Keypair) -> Result<u64, Failure> {
    let admin = machine.admin.insecure_clone();
    machine.send_all(std::slice::from_ref(instruction), &[&admin, authority])
}

/// Another rollup of the same admin's, with its queue.
fn another_rollup(machine: &mut Machine) -> Address {
    let other = Initialize { id: 1, ..machine.arguments() };
    machine.create(&other).expect("another rollup");
    interface::rollup_address(&PROGRAM_ID, &other.admin, 1)
}

#[test]
fn nobody_changes_the_node_of_another_authority() {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(2);
    let (victim, thief) = (&authorities[0], &authorities[1]);
    let node = machine.node_address(victim);
    let thiefs = address(thief);
    for mut instruction in [
        interface::rotate_key(&PROGRAM_ID, &machine.rollup, &thiefs, &receipt_key(66)),
        interface::deactivate_node(&PROGRAM_ID, &machine.rollup, &thiefs),
    ] {
        instruction.accounts[3].address = node;
        assert_eq!(send(&mut machine, &instruction, thief), refused(SettlementError::NotAuthority));
    }
    assert_eq!(machine.node(victim).receipt_key, receipt_key(0));
    assert_eq!(machine.queue().end.position, 2);
}

#[test]
fn the_admin_and_the_registrar_do_not_change_nodes() {
    let (mut machine, registrar) = Machine::with_registrar();
    let victim = machine.register_nodes(1).remove(0);
    for key in [machine.admin.insecure_clone(), registrar] {
        let mut instruction = interface::rotate_key(&PROGRAM_ID, &machine.rollup, &address(&key), &receipt_key(66));
        instruction.accounts[3].address = machine.node_address(&victim);
        assert_eq!(send(&mut machine, &instruction, &key), refused(SettlementError::NotAuthority));
    }
}

#[test]
fn each_signature_is_missed() {
    let (mut machine, registrar) = Machine::with_registrar();
    let (admin, authority, payer) = (machine.admin.insecure_clone(), Keypair::new(), machine.funded());
    let arguments = RegisterNode {
        payer: address(&payer),
        authority: address(&authority),
        registrar: Some(address(&registrar)),
        receipt_key: receipt_key(0),
    };
    let whole = interface::register_node(&PROGRAM_ID, &machine.rollup, &arguments);
    let missing = Failure::Instruction(InstructionError::MissingRequiredSignature);
    let cases = [
        (0, [&admin, &authority, &registrar], missing),
        (1, [&admin, &payer, &registrar], Failure::Instruction(InstructionError::MissingRequiredSignature)),
        (2, [&admin, &payer, &authority], Failure::Refused(SettlementError::NotRegistrar)),
    ];
    for (place, signers, failure) in cases {
        let mut instruction = whole.clone();
        instruction.accounts[place].is_signer = false;
        assert_eq!(machine.send_all(&[instruction], &signers), Err(failure), "account {place}");
    }
    machine.send_all(std::slice::from_ref(&whole), &[&admin, &payer, &authority, &registrar]).expect("all signatures");

    for mut instruction in [
        interface::rotate_key(&PROGRAM_ID, &machine.rollup, &address(&authority), &receipt_key(1)),
        interface::deactivate_node(&PROGRAM_ID, &machine.rollup, &address(&authority)),
    ] {
        instruction.accounts[0].is_signer = false;
        let result = machine.send_as_admin(&instruction);
        assert_eq!(result, Err(Failure::Instruction(InstructionError::MissingRequiredSignature)));
    }
}

#[test]
fn no_registrar_is_nobody_and_registers_nothing_for_free() {
    // A rollup without a registrar has zero in its place, which is the system program's address too.
    let mut machine = Machine::new();
    let authority = Keypair::new();
    assert!(machine.rollup().registry.registrar.is_zero());
    let instruction = machine.registration(&authority, &receipt_key(0));
    assert!(instruction.accounts[2].address.is_zero());
    send(&mut machine, &instruction, &authority).expect("registered");
    assert_eq!(machine.node(&authority).bond, DEFAULT_BOND);
}

#[test]
fn a_queue_of_another_rollup_is_refused() {
    let mut machine = Machine::new();
    let authority = machine.register_nodes(1).remove(0);
    let other = another_rollup(&mut machine);
    let queue = interface::queue_address(&PROGRAM_ID, &other);
    let newcomer = Keypair::new();
    let mut registration = machine.registration(&newcomer, &receipt_key(1));
    registration.accounts[4].address = queue;
    assert_eq!(send(&mut machine, &registration, &newcomer), refused(SettlementError::WrongQueue));
    for mut instruction in [
        interface::rotate_key(&PROGRAM_ID, &machine.rollup, &address(&authority), &receipt_key(1)),
        interface::deactivate_node(&PROGRAM_ID, &machine.rollup, &address(&authority)),
    ] {
        instruction.accounts[2].address = queue;
        assert_eq!(send(&mut machine, &instruction, &authority), refused(SettlementError::WrongQueue));
    }
}

#[test]
fn a_rollup_of_ones_own_opens_no_other_queue() {
    // The thief's rollup takes small bonds, and is not the one that the queue belongs to.
    let mut machine = Machine::new();
    let thief = machine.funded();
    let registry = Registry { bond: interface::MIN_BOND, ..Registry::OPEN };
    let own = Initialize { admin: address(&thief), registry, ..machine.arguments() };
    machine.send_all(&interface::create_rollup(&PROGRAM_ID, &own), &[&thief]).expect("a rollup of the thief's");
    let rollup = interface::rollup_address(&PROGRAM_ID, &own.admin, 0);
    let arguments =
        RegisterNode { payer: own.admin, authority: own.admin, registrar: None, receipt_key: receipt_key(0) };
    let mut instruction = interface::register_node(&PROGRAM_ID, &rollup, &arguments);
    instruction.accounts[4].address = machine.queue_address();
    assert_eq!(machine.send(&instruction, &thief), refused(SettlementError::WrongQueue));
    assert_eq!(machine.queue().end.position, 0);

    // Nor does a node of the thief's rollup act in the other's queue, nor pay its bond out of turn.
    let honest = interface::register_node(&PROGRAM_ID, &rollup, &arguments);
    machine.send(&honest, &thief).expect("a node of the thief's");
    let mut rotation = interface::rotate_key(&PROGRAM_ID, &machine.rollup, &own.admin, &receipt_key(1));
    rotation.accounts[3].address = interface::node_address(&PROGRAM_ID, &rollup, &own.admin);
    assert_eq!(machine.send(&rotation, &thief), refused(SettlementError::WrongNode));
    let mut refund = interface::refund_bond(&PROGRAM_ID, &rollup, &own.admin, &own.admin);
    refund.accounts[0].address = machine.rollup;
    assert_eq!(machine.send(&refund, &thief), refused(SettlementError::WrongNode));
}

#[test]
fn lookalikes_that_another_program_owns_are_refused() {
    let (mut machine, foreign) = (Machine::new(), Address([0x66; 32]));
    let authority = machine.register_nodes(1).remove(0);
    let honest = interface::rotate_key(&PROGRAM_ID, &machine.rollup, &address(&authority), &receipt_key(1));
    for place in 1..4 {
        let lookalike = Address([0x50 + place as u8; 32]);
        let data = machine.data(&honest.accounts[place].address);
        machine.plant(&lookalike, foreign, data);
        let mut instruction = honest.clone();
        instruction.accounts[place].address = lookalike;
        let failure = match place {
            2 => Failure::Refused(SettlementError::WrongQueue),
            _ => Failure::Instruction(InstructionError::IllegalOwner),
        };
        assert_eq!(send(&mut machine, &instruction, &authority), Err(failure), "account {place}");
    }
    send(&mut machine, &honest, &authority).expect("the real ones");
}

#[test]
fn accounts_of_another_kind_or_used_twice_are_refused() {
    let mut machine = Machine::new();
    let authority = machine.register_nodes(1).remove(0);
    let honest = interface::rotate_key(&PROGRAM_ID, &machine.rollup, &address(&authority), &receipt_key(1));
    for place in 1..4 {
        for other in 1..4 {
            if place != other {
                let mut instruction = honest.clone();
                instruction.accounts[place].address = honest.accounts[other].address;
                assert!(send(&mut machine, &instruction, &authority).is_err(), "{other} for {place}");
            }
        }
    }
    for place in 2..4 {
        let mut instruction = honest.clone();
        instruction.accounts[place].is_writable = false;
        assert!(send(&mut machine, &instruction, &authority).is_err(), "account {place} read only");
    }
    assert_eq!(machine.queue().end.position, 1);
}

#[test]
fn an_authority_registers_once_and_never_again() {
    let mut machine = Machine::new();
    let authority = machine.register_nodes(1).remove(0);
    assert_eq!(machine.register(&authority, &receipt_key(1)), refused(SettlementError::NodeExists));
    machine.deactivate(&authority).expect("deactivated");
    assert_eq!(machine.register(&authority, &receipt_key(1)), refused(SettlementError::NodeExists));
    machine.consume(2).expect("consumed");
    machine.refund(&authority).expect("refunded");
    assert_eq!(machine.register(&authority, &receipt_key(1)), refused(SettlementError::NodeExists));
    assert_eq!((machine.queue().nodes, machine.queue().end.position), (1, 2));
}

#[test]
fn one_transaction_does_not_register_an_authority_twice() {
    let mut machine = Machine::new();
    let (admin, authority) = (machine.admin.insecure_clone(), Keypair::new());
    let twice = [machine.registration(&authority, &receipt_key(0)), machine.registration(&authority, &receipt_key(1))];
    assert_eq!(machine.send_all(&twice, &[&admin, &authority]), refused(SettlementError::NodeExists));
    assert_eq!(machine.queue().end.position, 0, "and not once either");
}

#[test]
fn a_node_cannot_be_placed_at_an_address_of_its_own_choice() {
    let mut machine = Machine::new();
    let (authority, other) = (Keypair::new(), Keypair::new());
    let rollup = another_rollup(&mut machine);
    let elsewhere = [
        machine.node_address(&other),
        interface::node_address(&PROGRAM_ID, &rollup, &address(&authority)),
        address(&authority),
        machine.batch_address(0),
    ];
    for place in elsewhere {
        let mut instruction = machine.registration(&authority, &receipt_key(0));
        instruction.accounts[5].address = place;
        // The authority itself is given twice then, which Anchor refuses first.
        let result = send(&mut machine, &instruction, &authority);
        assert!(result == refused(SettlementError::WrongNodeAddress) || place == address(&authority), "{result:?}");
        assert!(result.is_err());
    }
    assert_eq!(machine.queue().end.position, 0);
}

#[test]
fn a_deactivated_node_changes_nothing_any_more() {
    let mut machine = Machine::new();
    let authority = machine.register_nodes(1).remove(0);
    machine.deactivate(&authority).expect("deactivated");
    for consumed in [false, true] {
        if consumed {
            machine.consume(2).expect("consumed");
        }
        assert_eq!(machine.rotate(&authority, &receipt_key(1)), refused(SettlementError::NodeInactive));
        assert_eq!(machine.deactivate(&authority), refused(SettlementError::NodeInactive));
    }
    assert_eq!(machine.node(&authority).last_kind, EntryKind::Deactivate);
}

#[test]
fn no_word_of_a_key_is_over_the_modulus() {
    let mut machine = Machine::new();
    let registered = machine.register_nodes(1).remove(0);
    let newcomer = Keypair::new();
    let key = receipt_key(5);
    let calls = [
        (machine.registration(&newcomer, &key), &newcomer),
        (interface::rotate_key(&PROGRAM_ID, &machine.rollup, &address(&registered), &key), &registered),
    ];
    for (honest, authority) in calls {
        for word in 0..5 {
            let at = 8 + 8 * word;
            for value in [MODULUS, key.words()[word] + MODULUS, u64::MAX] {
                let mut instruction = honest.clone();
                instruction.data[at..at + 8].copy_from_slice(&value.to_le_bytes());
                let result = send(&mut machine, &instruction, authority);
                assert_eq!(result, refused(SettlementError::NonCanonicalKey), "word {word}");
            }
            let mut largest = honest.clone();
            largest.data[8..].fill(0);
            largest.data[at..at + 8].copy_from_slice(&(MODULUS - 1).to_le_bytes());
            let copy = machine.svm.clone();
            send(&mut machine, &largest, authority).expect("canonical, and nobody's business whether it is a point");
            machine.svm = copy;
        }
        let mut zero = honest.clone();
        zero.data[8..].fill(0);
        assert_eq!(send(&mut machine, &zero, authority), refused(SettlementError::ZeroReceiptKey));
        let mut short = honest;
        short.data.pop();
        assert!(send(&mut machine, &short, authority).is_err(), "39 bytes");
    }
}

#[test]
fn a_key_that_somebody_registered_first_is_registered_all_the_same() {
    let mut machine = Machine::new();
    let (thief, owner) = (Keypair::new(), Keypair::new());
    machine.register(&thief, &receipt_key(0)).expect("the thief cannot sign with it");
    machine.register(&owner, &receipt_key(0)).expect("the owner can");
    assert_eq!((machine.node(&thief).index, machine.node(&owner).index), (0, 1));
}

#[test]
fn one_node_cannot_fill_the_half_that_is_kept_for_all() {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(2);
    machine.consume(2).expect("consumed");
    let mut appended = 0;
    for number in 0..300 {
        appended += u64::from(machine.rotate(&authorities[0], &receipt_key(number)).is_ok());
    }
    appended += u64::from(machine.deactivate(&authorities[0]).is_ok());
    assert_eq!((appended, machine.queue().end.position), (2, 4));
    machine.rotate(&authorities[1], &receipt_key(1)).expect("there is room for the other");
}

#[test]
fn the_last_index_is_given_and_none_after_it() {
    let mut machine = Machine::new();
    let queue = machine.queue_address();
    machine.tamper(&queue, |data| data[80..88].copy_from_slice(&((1_u64 << 24) - 1).to_le_bytes()));
    let last = machine.register_nodes(1).remove(0);
    assert_eq!(machine.node(&last).index, (1 << 24) - 1);
    assert_eq!(machine.register(&Keypair::new(), &receipt_key(0)), refused(SettlementError::RegistryFull));
}
