use cairn_interface::{
    self as interface, Address, BATCH, CREATE_ROLLUP_COMPUTE_UNITS, HISTORY, Initialize, MAX_TRANSACTION_BYTES, NODE,
    Profile, QUEUE, QUEUE_EXTENSIONS, Queue, ROLLUP, Registry, SettlementError, layout,
};
use cairn_tests::settlement::{Failure, GENESIS_HASH, Machine, PROGRAM_ID, address, pubkey, receipt_key, solana};
use cairn_types::Cursor;
use cairn_verifier::{Dev, Parameters};
use solana_sdk::instruction::InstructionError;
use solana_sdk::message::Message;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

#[test]
fn a_new_rollup_has_the_arguments_the_derived_id_and_two_genesis_cursors() {
    let machine = Machine::new();
    let (rollup, arguments) = (machine.rollup(), machine.arguments());

    let id = interface::rollup_id(&GENESIS_HASH, &PROGRAM_ID, &machine.rollup, Profile::Dev);
    assert_eq!(rollup.rollup_id, id, "the program and the hosts derive the same id");
    assert_eq!(rollup.settled, Cursor::genesis(&id));
    assert_eq!(rollup.tip, Cursor::genesis(&id));
    assert_eq!(rollup.admin, arguments.admin);
    assert_eq!(rollup.sequencer, arguments.sequencer);
    assert_eq!(rollup.acknowledgement_key, arguments.acknowledgement_key);
    assert_eq!(rollup.genesis_hash, GENESIS_HASH);
    assert_eq!((rollup.id, rollup.generation, rollup.max_pending), (0, 0, 32));
    assert_eq!((rollup.profile, rollup.paused_until), (Profile::Dev, 0));
    assert_eq!(rollup.registry, arguments.registry);
    assert_eq!(rollup.circuit_id, Dev::CIRCUIT_ID);
}

#[test]
fn a_new_queue_ends_at_its_genesis_and_is_empty() {
    let machine = Machine::new();
    let (rollup, queue) = (machine.rollup(), machine.queue());
    assert_eq!(queue.rollup, machine.rollup);
    assert_eq!(queue.end, rollup.tip.queue);
    assert_eq!((queue.nodes, queue.ring), (0, vec![]));
}

#[test]
fn a_rollup_with_its_queue_is_created_in_one_transaction_that_fits() {
    let machine = Machine::without_rollup();
    let arguments = Initialize { registry: Registry::closed(Address([9; 32])), ..machine.arguments() };
    let instructions = interface::create_rollup(&PROGRAM_ID, &arguments);
    assert_eq!(instructions.len(), 1 + QUEUE_EXTENSIONS);
    let instructions = instructions.iter().map(solana).collect::<Vec<_>>();
    let message = Message::new(&instructions, Some(&machine.admin.pubkey()));
    // One signature, its count, and room for a compute budget program with two instructions.
    let size = 1 + 64 + message.serialize().len() + 32 + 2 * 16;
    assert!(size <= MAX_TRANSACTION_BYTES, "{size} bytes");
}

#[test]
fn the_creation_of_a_rollup_stays_within_the_units_that_hosts_request() {
    for id in 0..20 {
        let mut machine = Machine::without_rollup();
        let units = machine.create(&Initialize { id, ..machine.arguments() }).expect("created");
        assert!(units + 10_000 <= u64::from(CREATE_ROLLUP_COMPUTE_UNITS), "{units} units");
    }
}

#[test]
fn the_rent_of_a_queue_is_what_the_documentation_says() {
    let machine = Machine::new();
    assert_eq!(machine.lamports(&machine.queue_address()), 158_298_240);
    assert_eq!(machine.svm.minimum_balance_for_rent_exemption(QUEUE.size), 158_298_240);
}

#[test]
fn anyone_may_pay_for_the_queues_growth_and_nothing_works_before_it() {
    let mut machine = Machine::without_rollup();
    machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &machine.arguments())).expect("created");
    let (benefactor, authority) = (machine.funded(), Keypair::new());
    let queue = machine.queue_address();
    for step in 1..=QUEUE_EXTENSIONS {
        let unextended = Err(Failure::Refused(SettlementError::UnextendedQueue));
        let header = machine.next_header();
        assert_eq!(machine.submit(&header), unextended, "before step {step}");
        assert_eq!(machine.register(&authority, &receipt_key(0)), unextended, "before step {step}");
        assert!(Queue::parse(&machine.data(&queue)).is_err());
        let instruction = interface::extend_queue(&PROGRAM_ID, &machine.rollup, &address(&benefactor));
        machine.send(&instruction, &benefactor).expect("extended");
        assert_eq!(machine.data(&queue).len(), QUEUE.size.min(layout::GROWTH * (step + 1)));
    }
    machine.register(&authority, &receipt_key(0)).expect("registered");
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
}

#[test]
fn a_queue_of_full_size_is_extended_to_no_effect() {
    let mut machine = Machine::new();
    machine.register_nodes(3);
    let (benefactor, queue) = (machine.funded(), machine.queue_address());
    let before = (machine.data(&queue), machine.lamports(&queue));
    let instruction = interface::extend_queue(&PROGRAM_ID, &machine.rollup, &address(&benefactor));
    machine.send(&instruction, &benefactor).expect("nothing to do");
    assert_eq!((machine.data(&queue), machine.lamports(&queue)), before);
}

#[test]
fn nothing_but_a_queue_is_extended() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let mut instruction = interface::extend_queue(&PROGRAM_ID, &machine.rollup, &address(&machine.admin));
    let (lookalike, data) = (Address([0x55; 32]), machine.data(&machine.queue_address()));
    machine.plant(&lookalike, Address([0x66; 32]), data[..layout::GROWTH].to_vec());
    for other in [machine.rollup, machine.batch_address(0), lookalike, address(&machine.sequencer)] {
        instruction.accounts[1].address = other;
        assert_eq!(machine.send_as_admin(&instruction), Err(Failure::Refused(SettlementError::WrongQueue)));
    }
}

#[test]
fn the_sequencer_does_not_sign_acknowledgements_with_the_same_key() {
    let mut machine = Machine::without_rollup();
    let key = address(&machine.sequencer);
    let arguments = Initialize { acknowledgement_key: key, ..machine.arguments() };
    assert_eq!(machine.create(&arguments), Err(Failure::Refused(SettlementError::SameKeys)));
    assert!(machine.svm.get_account(&pubkey(machine.rollup)).is_none());
}

#[test]
fn accounts_have_the_documented_sizes() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let authority = machine.register_nodes(1).remove(0);
    assert_eq!(machine.data(&machine.node_address(&authority)).len(), NODE.size);
    assert_eq!(machine.data(&machine.rollup).len(), ROLLUP.size);
    assert_eq!(machine.data(&machine.queue_address()).len(), QUEUE.size);
    assert_eq!(machine.data(&machine.history_address()).len(), HISTORY.size);
    assert_eq!(machine.data(&machine.batch_address(0)).len(), BATCH.size);
}

#[test]
fn one_admin_can_have_many_rollups_with_ids_of_their_own() {
    let mut machine = Machine::new();
    let arguments = Initialize { id: 7, ..machine.arguments() };
    machine.create(&arguments).expect("another rollup");
    let first = machine.rollup();
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 7);
    let second = machine.rollup();
    assert_eq!((second.id, second.profile), (7, Profile::Dev));
    assert_ne!(first.rollup_id, second.rollup_id);
}

#[test]
fn a_second_initialize_changes_nothing() {
    let mut machine = Machine::new();
    let before = machine.data(&machine.rollup);
    let arguments = Initialize { sequencer: Address([9; 32]), ..machine.arguments() };
    let result = machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments));
    // The system program's AccountAlreadyInUse.
    assert_eq!(result, Err(Failure::Instruction(InstructionError::Custom(0))));
    assert_eq!(machine.data(&machine.rollup), before);
}

#[test]
fn nobody_can_initialize_at_an_address_of_another_admin() {
    let mut machine = Machine::without_rollup();
    let thief = Keypair::new();
    machine.svm.airdrop(&thief.pubkey(), 1_000_000_000_000).expect("lamports");
    let mut instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
    instruction.accounts[0].address = address(&thief);
    let result = machine.send(&instruction, &thief);
    assert_eq!(result, Err(Failure::Instruction(InstructionError::InvalidSeeds)));
}

#[test]
fn the_admin_has_to_sign() {
    let mut machine = Machine::without_rollup();
    let mut instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
    instruction.accounts[0].is_signer = false;
    let result = machine.send_as_sequencer(&instruction);
    assert_eq!(result, Err(Failure::Instruction(InstructionError::MissingRequiredSignature)));
}

#[test]
fn a_queue_or_history_at_another_address_is_refused() {
    let mut machine = Machine::without_rollup();
    let mut instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
    let honest = instruction.clone();
    instruction.accounts[2].address = interface::queue_address(&PROGRAM_ID, &Address([5; 32]));
    let result = machine.send_as_admin(&instruction);
    assert_eq!(result, Err(Failure::Instruction(InstructionError::InvalidSeeds)));
    instruction = honest;
    instruction.accounts[3].address = interface::history_address(&PROGRAM_ID, &Address([5; 32]));
    let result = machine.send_as_admin(&instruction);
    assert_eq!(result, Err(Failure::Instruction(InstructionError::InvalidSeeds)));
}

#[test]
fn lamports_sent_to_the_addresses_beforehand_do_not_stop_it() {
    let mut machine = Machine::without_rollup();
    for target in [machine.rollup, machine.queue_address(), machine.history_address()] {
        let key = pubkey(target);
        machine.svm.airdrop(&key, 1_000_000).expect("lamports");
    }
    machine.create(&machine.arguments()).expect("created all the same");
    assert_eq!((machine.rollup().tip.batches, machine.queue().end.position), (0, 0));
}

#[test]
fn arguments_that_lack_or_exceed_bytes_are_refused() {
    let mut machine = Machine::without_rollup();
    let whole = interface::initialize(&PROGRAM_ID, &machine.arguments());
    let mut short = whole.clone();
    short.data.pop();
    assert!(machine.send_as_admin(&short).is_err());
    let mut unknown = whole;
    unknown.data[0] ^= 1;
    assert!(machine.send_as_admin(&unknown).is_err());
}

#[test]
fn limits_of_max_pending_are_accepted_and_their_neighbours_refused() {
    for (max_pending, accepted) in [(0, false), (1, true), (1_024, true), (1_025, false), (u32::MAX, false)] {
        let mut machine = Machine::without_rollup();
        let arguments = Initialize { max_pending, ..machine.arguments() };
        let result = machine.create(&arguments);
        match accepted {
            true => assert_eq!(machine.rollup().max_pending, u64::from(max_pending)),
            false => assert_eq!(result, Err(Failure::Refused(SettlementError::InvalidMaxPending))),
        }
    }
}
