//! Nodes come, change their keys and go.

use cairn_interface::{self as interface, MAX_TRANSACTION_BYTES, REGISTRY_COMPUTE_UNITS, RegisterNode};
use cairn_tests::settlement::{Machine, PROGRAM_ID, address, receipt_key, solana};
use cairn_types::{EntryKind, QueueEntry, ReceiptKey};
use solana_sdk::message::Message;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

#[test]
fn nodes_get_consecutive_indices_and_an_account_each() {
    let mut machine = Machine::new();
    for index in 0..5 {
        machine.advance(3, 1);
        let (authority, key) = (Keypair::new(), receipt_key(index));
        machine.register(&authority, &key).expect("registered");
        let node = machine.node(&authority);
        assert_eq!((u64::from(node.index), node.receipt_key, node.is_active()), (index, key, true));
        assert_eq!((node.rollup, node.authority), (machine.rollup, address(&authority)));
        assert_eq!((node.payer, node.bond), (address(&machine.admin), interface::DEFAULT_BOND));
        assert_eq!((node.last_position, node.last_kind), (index + 1, EntryKind::Register));
        assert_eq!(node.registered_slot, 1_000 + 3 * (index + 1));

        let queue = machine.queue();
        assert_eq!((queue.end.position, u64::from(queue.nodes)), (index + 1, index + 1));
        let last = queue.ring.last().expect("an entry");
        let entry = QueueEntry { kind: EntryKind::Register, node_index: node.index, key };
        assert_eq!((last.entry, last.slot), (entry, node.registered_slot));
    }
}

#[test]
fn a_rotation_replaces_the_key_and_keeps_the_index() {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(3);
    machine.advance(10, 4);
    machine.rotate(&authorities[1], &receipt_key(100)).expect("rotated");
    let node = machine.node(&authorities[1]);
    assert_eq!((node.index, node.receipt_key, node.is_active()), (1, receipt_key(100), true));
    assert_eq!((node.last_position, node.last_kind), (4, EntryKind::Rotate));
    assert_eq!(node.registered_slot, 1_000);
    let queue = machine.queue();
    let entry = QueueEntry { kind: EntryKind::Rotate, node_index: 1, key: receipt_key(100) };
    assert_eq!((queue.ring[3].entry, queue.ring[3].slot, queue.nodes), (entry, 1_010, 3));
}

#[test]
fn a_deactivation_leaves_a_node_without_a_key() {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(2);
    machine.deactivate(&authorities[0]).expect("deactivated");
    let node = machine.node(&authorities[0]);
    assert_eq!((node.index, node.receipt_key, node.is_active()), (0, ReceiptKey::ZERO, false));
    assert_eq!((node.last_position, node.last_kind), (3, EntryKind::Deactivate));
    let entry = QueueEntry { kind: EntryKind::Deactivate, node_index: 0, key: ReceiptKey::ZERO };
    assert_eq!(machine.queue().ring[2].entry, entry);
    machine.rotate(&authorities[1], &receipt_key(9)).expect("the other node is not concerned");
}

#[test]
fn a_node_rotates_again_once_its_rotation_is_consumed() {
    let mut machine = Machine::new();
    let authority = machine.register_nodes(1).remove(0);
    machine.rotate(&authority, &receipt_key(1)).expect("while the registration is unconsumed");
    machine.consume(1).expect("the registration");
    machine.rotate(&authority, &receipt_key(2)).expect_err("the rotation is not");
    machine.consume(2).expect("the rotation");
    machine.rotate(&authority, &receipt_key(2)).expect("consumed");
    machine.deactivate(&authority).expect("possible while a rotation waits");
}

#[test]
fn the_index_of_a_refused_registration_goes_to_the_next_one() {
    let mut machine = Machine::new();
    machine.register(&Keypair::new(), &ReceiptKey::ZERO).expect_err("refused");
    let authority = machine.register_nodes(1).remove(0);
    assert_eq!(machine.node(&authority).index, 0);
}

#[test]
fn payer_authority_and_registrar_may_be_one_key() {
    let (mut machine, registrar) = Machine::with_registrar();
    machine.svm.airdrop(&registrar.pubkey(), 1_000_000_000).expect("lamports");
    let key = address(&registrar);
    let arguments = RegisterNode { payer: key, authority: key, registrar: Some(key), receipt_key: receipt_key(0) };
    let instruction = interface::register_node(&PROGRAM_ID, &machine.rollup, &arguments);
    machine.send(&instruction, &registrar).expect("registered");
    assert_eq!(machine.node(&registrar).bond, 0);
}

#[test]
fn several_nodes_are_registered_in_one_transaction() {
    let mut machine = Machine::new();
    let (admin, one, two) = (machine.admin.insecure_clone(), Keypair::new(), Keypair::new());
    let instructions = [machine.registration(&one, &receipt_key(1)), machine.registration(&two, &receipt_key(2))];
    machine.send_all(&instructions, &[&admin, &one, &two]).expect("registered");
    assert_eq!((machine.node(&one).index, machine.node(&two).index), (0, 1));
    let (queue, genesis) = (machine.queue(), machine.rollup().tip.queue);
    assert_eq!(queue.entries_from(&genesis, 2).map(<[_]>::len), Ok(2));
}

#[test]
fn registrations_do_not_write_the_rollup_and_batches_do_not_write_the_queue() {
    let mut machine = Machine::new();
    let (rollup, queue) = (machine.rollup, machine.queue_address());
    let authority = Keypair::new();
    let writes = |instruction: &interface::Instruction, place| {
        instruction.accounts.iter().any(|meta| meta.address == place && meta.is_writable)
    };
    assert!(!writes(&machine.registration(&authority, &receipt_key(0)), rollup));
    assert!(!writes(&interface::deactivate_node(&PROGRAM_ID, &rollup, &address(&authority)), rollup));
    assert!(!writes(&machine.submission(&machine.next_header()), queue));
    machine.register(&authority, &receipt_key(0)).expect("with the rollup read only");
    machine.consume(1).expect("with the queue read only");
}

#[test]
fn changes_of_the_registry_stay_within_the_units_that_hosts_request() {
    let mut machine = Machine::new();
    for number in 0..20 {
        let authority = Keypair::new();
        let units = [
            machine.register(&authority, &receipt_key(number)).expect("registered"),
            machine.rotate(&authority, &receipt_key(number + 1)).expect("rotated"),
            machine.deactivate(&authority).expect("deactivated"),
        ];
        // Every further bump costs some 400 units: see the batches.
        assert!(units.iter().all(|units| units + 10_000 <= u64::from(REGISTRY_COMPUTE_UNITS)), "{units:?}");
    }
}

#[test]
fn a_registration_with_three_signers_and_a_compute_budget_fits_a_transaction() {
    let machine = Machine::new();
    let (authority, registrar) = (Keypair::new(), Keypair::new());
    let arguments = RegisterNode {
        payer: address(&machine.admin),
        authority: address(&authority),
        registrar: Some(address(&registrar)),
        receipt_key: receipt_key(0),
    };
    let instruction = solana(&interface::register_node(&PROGRAM_ID, &machine.rollup, &arguments));
    let size = 1 + 3 * 64 + Message::new(&[instruction], Some(&machine.admin.pubkey())).serialize().len() + 32 + 2 * 16;
    assert!(size <= MAX_TRANSACTION_BYTES, "{size} bytes");
}
