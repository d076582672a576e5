//! Which batch of which rollup a verified proof settles.

use super::{CIRCUIT_AT, PROGRESS_AT, PROOF_AT, refused, submit_fixture, verified, written};
use cairn_interface::ProofStep::{Constraints, Transcript};
use cairn_interface::{self as interface, Initialize, SettlementError, layout, proof_bytes};
use cairn_tests::settlement::{ALL_QUERIES, Failure, Fixture, Machine, PROFILE, verified_progress};
use cairn_types::Digest;
use cairn_verifier::{Dev, NONCE, Parameters};

#[test]
fn a_proof_that_is_written_and_verified_settles_its_batch() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    machine.settle_with(0, &proof.address).expect("settled");
    assert_eq!(machine.rollup().settled.header_digest, fixture.statement);
}

#[test]
fn nothing_that_was_computed_outlives_a_reset() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let proof = proof.address;
    machine.reset(&proof, &fixture.statement).expect("reset");
    let data = machine.data(&proof);
    assert!(data[PROGRESS_AT..PROOF_AT].iter().all(|byte| *byte == 0));
    let nonce = PROOF_AT + 8 * NONCE..PROOF_AT + 8 * NONCE + 8;
    assert_eq!(data[nonce.clone()], [0; 8]);
    assert_eq!(data[PROOF_AT..nonce.start], fixture.proof[..8 * NONCE], "the other bytes may serve again");
    assert_eq!(data[nonce.end..], fixture.proof[8 * NONCE + 8..]);
    assert_eq!(machine.settle_with(0, &proof), refused(SettlementError::UnverifiedProof));
    for step in [Constraints, ALL_QUERIES] {
        assert_eq!(machine.step(&proof, step), refused(SettlementError::StepOutOfOrder));
    }
    // Challenges of the first proof do not meet the bytes of a second.
    machine.write_nonce(&proof, &fixture).expect("written again");
    machine.write(&proof, 0, &[fixture.proof[0] ^ 1]).expect("written again");
    assert_eq!(machine.step(&proof, Transcript), refused(SettlementError::WrongProofOfWork));
    machine.write(&proof, 0, &fixture.proof[..1]).expect("written again");
    machine.verify(&proof).expect("verified again");
    machine.settle_with(0, &proof).expect("settled");
}

#[test]
fn a_reset_to_another_statement_does_not_take_the_proof_along() {
    let (mut machine, fixture, proof) = verified();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::WrongStatement));
    machine.reset(&proof.address, &header.statement()).expect("reset");
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::UnverifiedProof));
    assert_eq!(machine.step(&proof.address, Transcript), refused(SettlementError::WrongProofOfWork));
    machine.reset(&proof.address, &fixture.statement).expect("reset");
    machine.write_nonce(&proof.address, &fixture).expect("written");
    machine.verify(&proof.address).expect("what it is a proof of");
}

/// As the program of before a change of the verifier would have left it: see `Progress::REVISION`.
#[test]
fn what_a_former_verifier_has_verified_settles_nothing() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    machine.tamper(&proof.address, |data| data[PROGRESS_AT + 1] ^= 0xff);
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::UnverifiedProof));
    for step in [Constraints, ALL_QUERIES] {
        assert_eq!(machine.step(&proof.address, step), refused(SettlementError::StepOutOfOrder));
    }
    machine.verify(&proof.address).expect("verified anew");
    machine.settle_with(0, &proof.address).expect("settled");
}

#[test]
fn a_proof_of_another_statement_is_refused() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    for word in 0..4 {
        let mut words = fixture.statement.words();
        words[word] ^= 1;
        let statement = Digest::from_words(words).expect("canonical");
        let proof = machine.open(&statement).expect("opened").address;
        machine.write_all(&proof, &fixture.proof).expect("written");
        assert_eq!(machine.verify(&proof), refused(SettlementError::WrongProofOfWork), "word {word}");
    }
}

#[test]
fn a_proof_of_the_other_profile_is_refused() {
    let mut machine = Machine::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/verifier/tests/fixtures");
    let other = std::fs::read(format!("{folder}/production.proof")).expect("the other proof");
    let proof = machine.open(&Fixture::read().statement).expect("opened").address;
    let fits = proof_bytes(PROFILE);
    assert!(other.len() > fits);
    machine.write_all(&proof, &other[..fits]).expect("as much as there is room for");
    assert!(matches!(machine.verify(&proof), Err(Failure::Refused(_))));
    assert_eq!(machine.write(&proof, fits, &other[fits..=fits]), refused(SettlementError::OutOfProof));
}

#[test]
fn an_account_that_was_opened_for_another_circuit_is_reset_first() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    // As the program of before an upgrade would have left it.
    machine.tamper(&proof.address, |data| data[CIRCUIT_AT] ^= 1);
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::WrongCircuit));
    for step in [Transcript, Constraints, ALL_QUERIES] {
        assert_eq!(machine.step(&proof.address, step), refused(SettlementError::OutdatedProof), "{step:?}");
    }
    machine.reset(&proof.address, &fixture.statement).expect("reset");
    machine.write_nonce(&proof.address, &fixture).expect("written");
    machine.verify(&proof.address).expect("verified");
    machine.settle_with(0, &proof.address).expect("settled");
}

#[test]
fn a_rollup_of_another_circuit_takes_no_proof_of_this_one() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let circuit_at = layout::DISCRIMINATOR + 5 * 32;
    assert_eq!(machine.rollup().circuit_id, Dev::CIRCUIT_ID);
    let rollup = machine.rollup;
    machine.tamper(&rollup, |data| data[circuit_at] ^= 1);
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::WrongCircuit));
}

#[test]
fn phase_bytes_cannot_be_written_by_anyone() {
    let (mut machine, fixture, proof) = written();
    submit_fixture(&mut machine, &fixture);
    // What verification would leave, written into the proof: it is read nowhere but as a proof.
    machine.write_all(&proof.address, bytemuck::bytes_of(&verified_progress())).expect("written");
    assert!(!machine.progress(&proof.address).is_started());
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::UnverifiedProof));
}

#[test]
fn a_proof_in_another_account_does_not_help() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let other = machine.open(&fixture.statement).expect("opened").address;
    assert_eq!(machine.settle_with(0, &other), refused(SettlementError::UnverifiedProof));
    assert_eq!(machine.step(&other, Constraints), refused(SettlementError::StepOutOfOrder));
    machine.settle_with(0, &proof.address).expect("settled");
}

#[test]
fn a_program_has_the_rollups_of_its_own_profile_only() {
    let mut machine = Machine::without_rollup();
    let arguments = Initialize { profile: interface::Profile::Production, ..machine.arguments() };
    assert_eq!(machine.create(&arguments), refused(SettlementError::WrongProfile));
}
