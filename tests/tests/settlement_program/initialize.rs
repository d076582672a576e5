use cairn_interface::{self as interface, Address, BATCH, PROGRAM_ID, Profile, QUEUE, ROLLUP, SettlementError};
use cairn_tests::settlement::{Failure, GENESIS_HASH, Machine, address};
use cairn_types::Cursor;
use solana_sdk::instruction::InstructionError;
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
    assert_eq!((rollup.profile, rollup.paused), (Profile::Dev, false));
    assert_eq!(rollup.circuit_id, [0; 32]);
}

#[test]
fn a_new_queue_knows_its_genesis_and_nothing_else() {
    let machine = Machine::new();
    let (rollup, queue) = (machine.rollup(), machine.queue());
    assert_eq!(queue.rollup, machine.rollup);
    assert_eq!(queue.end, rollup.tip.queue);
    assert_eq!(queue.known.len(), 1);
    assert_eq!((queue.known[0].cursor, queue.known[0].slot), (rollup.tip.queue, 1_000));
}

#[test]
fn accounts_have_the_documented_sizes() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    assert_eq!(machine.data(&machine.rollup).len(), ROLLUP.size);
    assert_eq!(machine.data(&machine.queue_address()).len(), QUEUE.size);
    assert_eq!(machine.data(&machine.batch_address(0)).len(), BATCH.size);
}

#[test]
fn one_admin_can_have_many_rollups_with_ids_of_their_own() {
    let mut machine = Machine::new();
    let arguments = interface::Initialize { id: 7, profile: Profile::Production, ..machine.arguments() };
    machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments)).expect("another rollup");
    let first = machine.rollup();
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 7);
    let second = machine.rollup();
    assert_eq!((second.id, second.profile), (7, Profile::Production));
    assert_ne!(first.rollup_id, second.rollup_id);
}

#[test]
fn a_second_initialize_changes_nothing() {
    let mut machine = Machine::new();
    let before = machine.data(&machine.rollup);
    let arguments = interface::Initialize { sequencer: Address([9; 32]), ..machine.arguments() };
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
fn a_queue_at_another_address_is_refused() {
    let mut machine = Machine::without_rollup();
    let mut instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
    instruction.accounts[2].address = interface::queue_address(&PROGRAM_ID, &Address([5; 32]));
    let result = machine.send_as_admin(&instruction);
    assert_eq!(result, Err(Failure::Instruction(InstructionError::InvalidSeeds)));
}

#[test]
fn lamports_sent_to_the_addresses_beforehand_do_not_stop_it() {
    let mut machine = Machine::without_rollup();
    for target in [machine.rollup, machine.queue_address()] {
        let key = cairn_tests::settlement::pubkey(target);
        machine.svm.airdrop(&key, 1_000_000).expect("lamports");
    }
    let instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
    machine.send_as_admin(&instruction).expect("created all the same");
    assert_eq!(machine.rollup().tip.batches, 0);
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
    for (max_pending, accepted) in [(0, false), (1, true), (1 << 20, true), ((1 << 20) + 1, false), (u32::MAX, false)] {
        let mut machine = Machine::without_rollup();
        let arguments = interface::Initialize { max_pending, ..machine.arguments() };
        let result = machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments));
        match accepted {
            true => assert_eq!(machine.rollup().max_pending, u64::from(max_pending)),
            false => assert_eq!(result, Err(Failure::Refused(SettlementError::InvalidMaxPending))),
        }
    }
}
