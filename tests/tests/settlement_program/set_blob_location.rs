//! Where blobs are: set, replaced, cleared, and refused.

use cairn_interface::{
    self as interface, Address, Instruction, MAX_BLOB_LOCATION_BYTES, SettlementError, blob_location_in, layout,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, solana};
use solana_sdk::message::Message;
use solana_sdk::signer::Signer;

/// Where an instruction's length is, and the place of its text.
const LENGTH_AT: usize = 8;
const PLACE_AT: usize = LENGTH_AT + 1;

fn location(machine: &Machine, text: &str) -> Instruction {
    interface::set_blob_location(&PROGRAM_ID, &machine.rollup, &address(&machine.admin), text)
}

fn set(machine: &mut Machine, text: &str) -> Result<u64, Failure> {
    let instruction = location(machine, text);
    machine.send_as_admin(&instruction)
}

fn refused(error: SettlementError) -> Result<u64, Failure> {
    Err(Failure::Refused(error))
}

#[test]
fn a_new_rollup_does_not_say_where_its_blobs_are() {
    let machine = Machine::new();
    assert_eq!(machine.rollup().blob_location, "");
    let data = machine.data(&machine.rollup);
    assert!(data[data.len() - layout::ROLLUP_TAIL + 3..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_location_is_set_replaced_and_cleared_and_nothing_else_changes() {
    let mut machine = Machine::new();
    let longest = "~".repeat(MAX_BLOB_LOCATION_BYTES);
    for text in ["https://blobs.example.org/cairn", &longest, "s3://b/c", "s3://b/c", "!", "", ""] {
        let before = machine.rollup();
        set(&mut machine, text).expect("set");
        assert_eq!(machine.rollup(), interface::Rollup { blob_location: text.to_owned(), ..before });
        // What a longer text left behind would show here, and in the parser above.
        let data = machine.data(&machine.rollup);
        let place = &data[data.len() - MAX_BLOB_LOCATION_BYTES..];
        assert_eq!(&place[..text.len()], text.as_bytes());
        assert!(place[text.len()..].iter().all(|byte| *byte == 0), "{text}");
    }
}

#[test]
fn a_location_outlives_batches_and_other_changes_of_the_admin() {
    let mut machine = Machine::new();
    set(&mut machine, "gs://blobs").expect("set");
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let admin = address(&machine.admin);
    for instruction in [
        interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &admin, &Address([1; 32]), &Address([2; 32])),
        interface::set_registry(&PROGRAM_ID, &machine.rollup, &admin, &interface::Registry::closed(Address([3; 32]))),
        interface::pause(&PROGRAM_ID, &machine.rollup, &admin),
        interface::unpause(&PROGRAM_ID, &machine.rollup, &admin),
    ] {
        machine.send_as_admin(&instruction).expect("changed");
        assert_eq!(machine.rollup().blob_location, "gs://blobs");
    }
}

#[test]
fn a_location_is_set_while_the_rollup_is_paused() {
    let mut machine = Machine::new();
    let pause = interface::pause(&PROGRAM_ID, &machine.rollup, &address(&machine.admin));
    machine.send_as_admin(&pause).expect("paused");
    set(&mut machine, "https://mirror.example.org").expect("set");
    assert_eq!(machine.rollup().blob_location, "https://mirror.example.org");
}

#[test]
fn only_the_admin_sets_it() {
    let mut machine = Machine::new();
    let stranger = machine.funded();
    for key in [machine.sequencer.insecure_clone(), stranger] {
        let by = address(&key);
        let instruction = interface::set_blob_location(&PROGRAM_ID, &machine.rollup, &by, "https://evil.example.org");
        assert_eq!(machine.send(&instruction, &key), refused(SettlementError::NotAdmin));
    }
    let mut unsigned = location(&machine, "https://evil.example.org");
    unsigned.accounts[0].is_signer = false;
    assert!(matches!(machine.send_as_sequencer(&unsigned), Err(Failure::Instruction(_))));
    assert_eq!(machine.rollup().blob_location, "");
}

#[test]
fn another_account_is_no_rollup_and_a_read_only_one_is_not_written() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let (lookalike, data) = (Address([0x55; 32]), machine.data(&machine.rollup));
    machine.plant(&lookalike, Address([0x66; 32]), data.clone());
    // As a program of before the location had it: the right owner and kind, and too short.
    let short = Address([0x56; 32]);
    machine.plant(&short, PROGRAM_ID, data[..data.len() - MAX_BLOB_LOCATION_BYTES].to_vec());
    for other in [machine.queue_address(), machine.batch_address(0), lookalike, short, address(&machine.admin)] {
        let mut instruction = location(&machine, "x");
        instruction.accounts[1].address = other;
        assert!(matches!(machine.send_as_admin(&instruction), Err(Failure::Instruction(_))), "{other}");
    }
    let mut instruction = location(&machine, "x");
    instruction.accounts[1].is_writable = false;
    assert!(machine.send_as_admin(&instruction).is_err());
    assert_eq!(machine.rollup().blob_location, "");
}

#[test]
fn a_text_that_is_too_long_or_not_printable_is_refused() {
    let mut machine = Machine::new();
    set(&mut machine, "https://blobs.example.org").expect("set");
    let before = machine.data(&machine.rollup);
    for text in [
        " ",
        "a b",
        "a\n",
        "\0",
        "\u{7f}",
        "é",
        "https://blobs.example.org/\u{202e}",
        &"x".repeat(201),
        &"x".repeat(300),
    ] {
        assert_eq!(set(&mut machine, text), refused(SettlementError::BadBlobLocation), "{text:?}");
    }
    for byte in 0..=u8::MAX {
        let mut instruction = location(&machine, "xyz");
        instruction.data[PLACE_AT + 1] = byte;
        let result = machine.send_as_admin(&instruction);
        match (0x21..=0x7e).contains(&byte) {
            true => assert!(result.is_ok(), "{byte}"),
            false => assert_eq!(result, refused(SettlementError::BadBlobLocation), "{byte}"),
        }
    }
    set(&mut machine, "https://blobs.example.org").expect("as before");
    assert_eq!(machine.data(&machine.rollup), before);
}

#[test]
fn what_follows_the_text_is_refused_wherever_it_stands() {
    let mut machine = Machine::new();
    let whole = location(&machine, "abc");
    for at in [PLACE_AT + 3, PLACE_AT + 4, PLACE_AT + MAX_BLOB_LOCATION_BYTES - 1] {
        let mut instruction = whole.clone();
        instruction.data[at] = b'x';
        assert_eq!(machine.send_as_admin(&instruction), refused(SettlementError::BadBlobLocation), "byte {at}");
    }
    for surplus in [&[0][..], &[1], b"x", &[0xff], &[0; 300]] {
        let mut instruction = whole.clone();
        instruction.data.extend_from_slice(surplus);
        assert_eq!(machine.send_as_admin(&instruction), refused(SettlementError::BadBlobLocation), "{surplus:?}");
    }
    for (length, accepted) in [(2, false), (3, true), (4, false), (200, false), (201, false), (255, false)] {
        let mut instruction = whole.clone();
        instruction.data[LENGTH_AT] = length;
        assert_eq!(machine.send_as_admin(&instruction).is_ok(), accepted, "length {length}");
    }
    for length in [0, 8, LENGTH_AT + 1, PLACE_AT + 3, whole.data.len() - 1] {
        let mut instruction = whole.clone();
        instruction.data.truncate(length);
        assert!(matches!(machine.send_as_admin(&instruction), Err(Failure::Instruction(_))), "{length} bytes");
    }
}

/// A generator that is good enough for bytes of which a good part are accepted.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn the_program_takes_exactly_what_hosts_can_read() {
    let mut machine = Machine::new();
    let mut random = Random(5);
    let mut taken = 0;
    for round in 0..1_500 {
        let length = random.below(203) as usize;
        let mut place = [0; MAX_BLOB_LOCATION_BYTES];
        place.iter_mut().take(length).for_each(|byte| *byte = 0x21 + random.below(94) as u8);
        // Two thirds get a byte of any kind, anywhere.
        if round % 3 > 0 {
            place[random.below(MAX_BLOB_LOCATION_BYTES as u64) as usize] = random.below(256) as u8;
        }
        let mut instruction = location(&machine, "");
        instruction.data[LENGTH_AT] = length as u8;
        instruction.data[PLACE_AT..].copy_from_slice(&place);
        let expected = blob_location_in(length as u8, &place);
        match machine.send_as_admin(&instruction) {
            Ok(_) => {
                assert_eq!(expected, Some(machine.rollup().blob_location.as_bytes()));
                taken += 1;
            }
            Err(error) => {
                assert_eq!(error, Failure::Refused(SettlementError::BadBlobLocation));
                assert_eq!(expected, None, "length {length}, {place:?}");
            }
        }
    }
    assert!((300..1_200).contains(&taken), "{taken} taken");
}

#[test]
fn the_longest_location_fits_into_a_transaction() {
    let machine = Machine::new();
    let instruction = solana(&location(&machine, &"x".repeat(MAX_BLOB_LOCATION_BYTES)));
    let message = Message::new(&[instruction], Some(&machine.admin.pubkey()));
    // Signatures, and room for a compute budget program with two instructions.
    let size = 1 + 64 + message.serialize().len() + 32 + 2 * 16;
    assert!(size <= interface::MAX_TRANSACTION_BYTES / 2, "{size} bytes");
}
