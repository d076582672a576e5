//! Every header word in a form that is not its canonical one.

use cairn_goldilocks::MODULUS;
use cairn_interface::{Instruction, SettlementError};
use cairn_tests::settlement::{Failure, Machine};
use cairn_types::{BatchHeader, Digest};

const HEADER_AT: usize = 8;

fn with_word(mut instruction: Instruction, word: usize, value: u64) -> Instruction {
    let at = HEADER_AT + 8 * word;
    instruction.data[at..at + 8].copy_from_slice(&value.to_le_bytes());
    instruction
}

fn word(instruction: &Instruction, word: usize) -> u64 {
    let at = HEADER_AT + 8 * word;
    u64::from_le_bytes(instruction.data[at..at + 8].try_into().expect("eight bytes"))
}

#[test]
fn each_word_plus_the_modulus_is_refused_as_non_canonical() {
    let mut machine = Machine::new();
    // x + p fits 64 bits for x below 2^32 - 1: small times and a small digest give more words such a twin.
    let header = BatchHeader {
        time_min: 1_000,
        time_max: 2_000,
        data_digest: Digest::constant([1, 2, 3, 4]),
        ..machine.next_header()
    };
    let honest = machine.submission(&header);
    let mut tried = 0;
    for place in 0..48 {
        let Some(twin) = word(&honest, place).checked_add(MODULUS) else { continue };
        let result = machine.send_as_sequencer(&with_word(honest.clone(), place, twin));
        assert_eq!(result, Err(Failure::Refused(SettlementError::NonCanonicalHeader)), "word {place}");
        tried += 1;
    }
    assert_eq!(tried, 48 - 4 * 4, "all but identity, old root and two queue digests, which the tip fixes");
    machine.send_as_sequencer(&honest).expect("the canonical form is accepted");
}

#[test]
fn each_word_at_the_modulus_or_above_is_refused() {
    let mut machine = Machine::new();
    let honest = machine.submission(&machine.next_header());
    for place in 0..48 {
        for value in [MODULUS, u64::MAX] {
            let result = machine.send_as_sequencer(&with_word(honest.clone(), place, value));
            assert_eq!(result, Err(Failure::Refused(SettlementError::NonCanonicalHeader)), "word {place}");
        }
    }
}

#[test]
fn top_bits_of_byte_digests_are_refused() {
    let mut machine = Machine::new();
    let honest = machine.submission(&machine.next_header());
    for place in (0..4).chain(43..47) {
        let value = word(&honest, place) | 1 << 63;
        let result = machine.send_as_sequencer(&with_word(honest.clone(), place, value));
        assert_eq!(result, Err(Failure::Refused(SettlementError::NonCanonicalHeader)), "word {place}");
    }
}

#[test]
fn each_bounded_word_is_refused_one_past_its_bound() {
    let mut machine = Machine::new();
    let honest = machine.submission(&machine.next_header());
    let cases = [
        (4, 1 << 62, "number"),
        (21, 1 << 62, "queue position before"),
        (26, 1 << 62, "queue position after"),
        (31, 513, "bundles"),
        (32, 131_073, "receipts"),
        (32, 257, "receipts in one bundle"),
        (31, 4, "more bundles than receipts"),
        (33, 1 << 60, "bytes"),
        (34, 1 << 48, "earliest time"),
        (35, 1 << 48, "latest time"),
        (35, 1, "latest time before the earliest"),
        (36, 4, "more verdicts than receipts"),
        (40, 1 << 63, "unused bit of verdict counts"),
        (41, 4 << 21, "more tiers than receipts"),
        (42, 1 << 42, "a sixth tier"),
        (47, (1 << 30) + 1, "length of the blob"),
        (47, u64::MAX >> 1, "length of the blob"),
    ];
    for (place, value, what) in cases {
        let result = machine.send_as_sequencer(&with_word(honest.clone(), place, value));
        assert_eq!(result, Err(Failure::Refused(SettlementError::NonCanonicalHeader)), "{what}");
    }
}

#[test]
fn an_empty_batch_is_refused() {
    let mut machine = Machine::new();
    let mut empty = machine.submission(&machine.next_header());
    for place in 31..43 {
        empty = with_word(empty, place, 0);
    }
    let result = machine.send_as_sequencer(&empty);
    assert_eq!(result, Err(Failure::Refused(SettlementError::NonCanonicalHeader)));
}
