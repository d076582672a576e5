//! Bytes of a proof: any of them, by its authority, until the first step.

use super::{PROOF_AT, refused, written};
use cairn_interface::ProofStep::{Constraints, Queries, Transcript};
use cairn_interface::{self as interface, SettlementError, proof_bytes};
use cairn_tests::settlement::{ALL_QUERIES, Fixture, Machine, PROFILE, PROGRAM_ID, address};
use cairn_verifier::NONCE;

#[test]
fn chunks_may_come_in_any_order_and_more_than_once() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened").address;
    let middle = fixture.proof.len() / 2;
    machine.write_all(&proof, &vec![0xff; fixture.proof.len()]).expect("anything");
    for (chunk, bytes) in fixture.proof.chunks(700).enumerate().collect::<Vec<_>>().into_iter().rev() {
        machine.write(&proof, chunk * 700, bytes).expect("written");
    }
    machine.write(&proof, middle, &fixture.proof[middle..middle + 333]).expect("the same again");
    machine.verify(&proof).expect("verified");
}

#[test]
fn no_byte_changes_once_a_step_is_done() {
    let (mut machine, fixture, proof) = written();
    for step in [Transcript, Constraints, Queries(1), ALL_QUERIES] {
        machine.step(&proof.address, step).expect("done");
        let before = machine.data(&proof.address);
        for offset in [0, 8 * NONCE, fixture.proof.len() - 1] {
            let same = &fixture.proof[offset..=offset];
            let frozen = refused(SettlementError::ProofFrozen);
            assert_eq!(machine.write(&proof.address, offset, same), frozen, "{offset} after {step:?}");
        }
        assert_eq!(machine.data(&proof.address), before);
    }
}

#[test]
fn nobody_can_begin_before_the_authority_has_written_the_nonce() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened").address;
    let nonce = 8 * NONCE..8 * NONCE + 8;
    let mut without = fixture.proof.clone();
    without[nonce.clone()].fill(0);
    assert_eq!(machine.step(&proof, Transcript), refused(SettlementError::WrongProofOfWork), "nothing is written");
    machine.write_all(&proof, &without).expect("written");
    assert_eq!(machine.step(&proof, Transcript), refused(SettlementError::WrongProofOfWork));
    machine.write(&proof, nonce.start, &fixture.proof[nonce]).expect("not frozen by that");
    machine.verify(&proof).expect("verified");
}

/// What is wrong in the proof of a reset account stands there until it is written again: a stranger's first step would freeze it.
#[test]
fn nobody_can_begin_after_a_reset_before_the_authority_has_written_the_nonce_again() {
    let (mut machine, fixture, proof) = written();
    let (proof, last) = (proof.address, fixture.proof.len() - 1);
    machine.write(&proof, last, &[fixture.proof[last] ^ 1]).expect("a wrong byte, of the last query");
    machine.step(&proof, Transcript).expect("which reads no query");
    machine.reset(&proof, &fixture.statement).expect("reset");
    assert_eq!(machine.step(&proof, Transcript), refused(SettlementError::WrongProofOfWork));
    machine.write(&proof, last, &fixture.proof[last..]).expect("not frozen by that");
    machine.write_nonce(&proof, &fixture).expect("written");
    machine.verify(&proof).expect("verified");
}

#[test]
fn bytes_are_written_within_the_proof_and_nowhere_else() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened").address;
    let end = proof_bytes(PROFILE);
    let before = machine.data(&proof);
    for (offset, length) in [(end, 1), (end - 1, 2), (end + 1, 0), (usize::try_from(u32::MAX).expect("64 bits"), 1)] {
        let result = machine.write(&proof, offset, &vec![7; length]);
        assert_eq!(result, refused(SettlementError::OutOfProof), "{length} bytes at {offset}");
    }
    assert_eq!(machine.data(&proof), before);
    machine.write(&proof, end, &[]).expect("nothing, at the end");
    machine.write(&proof, end - 1, &[7]).expect("the last byte");
    machine.write(&proof, 0, &[8]).expect("the first byte");
    let after = machine.data(&proof);
    assert_eq!((after[PROOF_AT], after[PROOF_AT + end - 1]), (8, 7));
    assert_eq!(after[..PROOF_AT], before[..PROOF_AT]);
    let mut short = interface::write_proof(&PROGRAM_ID, &proof, &address(&machine.prover), 0, &[1; 100]);
    short.data.pop();
    let prover = machine.prover.insecure_clone();
    assert!(machine.send(&short, &prover).is_err(), "fewer bytes than are announced");
}
