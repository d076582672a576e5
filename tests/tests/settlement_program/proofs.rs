//! Proof accounts, with a real proof: what the program verifies, and what somebody would try who has none.

use cairn_chain::STEP_UNITS;
use cairn_goldilocks::MODULUS;
use cairn_interface::{
    self as interface, Address, Initialize, Instruction, OpenProof, ProofStep, SettlementError, layout, proof_account,
    proof_bytes,
};
use cairn_tests::settlement::{
    ALL_QUERIES, Failure, Fixture, Machine, OpenedProof, PROFILE, PROGRAM_ID, address, pubkey, verified_progress,
};
use cairn_types::Digest;
use cairn_verifier::{Dev, NONCE, Parameters, all_queries};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;

use ProofStep::{Constraints, Queries, Transcript};

/// Where the parts of a proof account are.
const STATEMENT_AT: usize = layout::DISCRIMINATOR + 2 * 32;
const CIRCUIT_AT: usize = STATEMENT_AT + 32;
const PROGRESS_AT: usize = layout::DISCRIMINATOR + layout::PROOF_HEAD;
const PROOF_AT: usize = PROGRESS_AT + interface::PROGRESS_BYTES;

fn refused<T>(error: SettlementError) -> Result<T, Failure> {
    Err(Failure::Refused(error))
}

/// A machine with the fixture written into an account, and no step done.
fn written() -> (Machine, Fixture, OpenedProof) {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened");
    machine.write_all(&proof.address, &fixture.proof).expect("written");
    (machine, fixture, proof)
}

/// The same, all steps done.
fn verified() -> (Machine, Fixture, OpenedProof) {
    let (mut machine, fixture, proof) = written();
    machine.verify(&proof.address).expect("verified");
    (machine, fixture, proof)
}

/// Submits a batch and makes it one of the fixture's statement, which is another rollup's.
fn submit_fixture(machine: &mut Machine, fixture: &Fixture) {
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let digest_at = interface::BATCH.size - 384 - 32;
    let bytes = fixture.statement.to_bytes();
    machine.tamper(&machine.batch_address(header.number), |data| {
        data[digest_at..digest_at + 32].copy_from_slice(&bytes);
    });
}

/// A proof account's instructions, each as its authority would send it.
fn all_instructions(machine: &Machine, proof: &Address) -> [Instruction; 5] {
    let prover = address(&machine.prover);
    [
        interface::write_proof(&PROGRAM_ID, proof, &prover, 0, &[1]),
        interface::verify_step(&PROGRAM_ID, proof, Transcript),
        interface::reset_proof(&PROGRAM_ID, proof, &prover, &Digest::ZERO),
        interface::close_proof(&PROGRAM_ID, proof, &prover, &prover),
        interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, proof),
    ]
}

#[test]
fn a_proof_that_is_written_and_verified_settles_its_batch() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    machine.settle_with(0, &proof.address).expect("settled");
    assert_eq!(machine.rollup().settled.header_digest, fixture.statement);
}

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

#[test]
fn only_the_authority_writes_resets_and_closes() {
    let (mut machine, _, proof) = written();
    let stranger = machine.funded();
    let (prover, own) = (address(&machine.prover), address(&stranger));
    let before = machine.data(&proof.address);
    for place in [0, 2, 3] {
        let honest = all_instructions(&machine, &proof.address)[place].clone();
        let mut as_himself = honest.clone();
        as_himself.accounts[0].address = own;
        assert_eq!(machine.send(&as_himself, &stranger), refused(SettlementError::NotProofAuthority), "{place}");
        let mut without_signature = honest;
        without_signature.accounts[0].is_signer = false;
        let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
        assert_eq!(machine.send(&without_signature, &stranger), missing, "{place}");
    }
    let to_himself = interface::close_proof(&PROGRAM_ID, &proof.address, &own, &own);
    assert_eq!(machine.send(&to_himself, &stranger), refused(SettlementError::NotProofAuthority));
    let elsewhere = interface::close_proof(&PROGRAM_ID, &proof.address, &prover, &own);
    let key = machine.prover.insecure_clone();
    assert_eq!(machine.send(&elsewhere, &key), refused(SettlementError::WrongProofRecipient));
    assert_eq!(machine.data(&proof.address), before);
}

#[test]
fn authority_and_payer_may_be_different_and_the_payer_gets_the_rent() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let (authority, payer, key) = (machine.funded(), machine.funded(), Keypair::new());
    let accounts = OpenProof { proof: address(&key), authority: address(&authority), payer: address(&payer) };
    let lamports = machine.svm.minimum_balance_for_rent_exemption(proof_account(PROFILE).size);
    let creation = interface::create_proof(&PROGRAM_ID, PROFILE, &accounts, &fixture.statement, lamports);
    let mut unsigned = creation.clone();
    unsigned[1].accounts[2].address = address(&machine.admin);
    unsigned[1].accounts[2].is_signer = false;
    let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
    assert_eq!(machine.send_all(&unsigned, &[&payer, &key, &authority]), missing, "nobody is made a payer");
    machine.send_all(&creation, &[&payer, &key, &authority]).expect("opened");
    let before = machine.lamports(&accounts.payer);
    let close = interface::close_proof(&PROGRAM_ID, &accounts.proof, &accounts.authority, &accounts.payer);
    machine.send(&close, &authority).expect("closed");
    assert_eq!(machine.lamports(&accounts.payer), before + lamports);
    assert!(machine.svm.get_account(&pubkey(accounts.proof)).is_none_or(|account| account.lamports == 0));
}

#[test]
fn an_account_is_opened_by_whoever_has_its_key_and_once() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let thief = machine.funded();
    let (key, own) = (Keypair::new(), address(&thief));
    let prover = machine.prover.insecure_clone();
    let [create, open] = machine.opening(&key, &fixture.statement).try_into().expect("two instructions");
    machine.send_all(&[create], &[&prover, &key]).expect("created, and not opened in the same transaction");

    let accounts = OpenProof { proof: address(&key), authority: own, payer: own };
    let mut stolen = interface::open_proof(&PROGRAM_ID, &accounts, &fixture.statement);
    stolen.accounts[0].is_signer = false;
    let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
    assert_eq!(machine.send(&stolen, &thief), missing);
    machine.send_all(std::slice::from_ref(&open), &[&prover, &key]).expect("by its owner");

    stolen.accounts[0].is_signer = true;
    let in_use = refused(SettlementError::ProofAccountInUse);
    assert_eq!(machine.send_all(&[stolen], &[&thief, &key]), in_use, "the key alone takes nothing away");
    assert_eq!(machine.send_all(&[open], &[&prover, &key]), in_use);
}

#[test]
fn an_account_that_is_not_new_is_not_opened() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let prover = machine.prover.insecure_clone();
    let size = proof_account(PROFILE).size;
    let cases = [
        (PROGRAM_ID, size - 8, None, SettlementError::WrongProofLength),
        (PROGRAM_ID, size + 8, None, SettlementError::WrongProofLength),
        (PROGRAM_ID, interface::ROLLUP.size, None, SettlementError::WrongProofLength),
        (PROGRAM_ID, proof_account(interface::Profile::Production).size, None, SettlementError::WrongProofLength),
        (Address([0x66; 32]), size, None, SettlementError::ForeignProofAccount),
        (PROGRAM_ID, size, Some(0), SettlementError::ProofAccountInUse),
        (PROGRAM_ID, size, Some(STATEMENT_AT), SettlementError::ProofAccountInUse),
        (PROGRAM_ID, size, Some(PROGRESS_AT), SettlementError::ProofAccountInUse),
        (PROGRAM_ID, size, Some(PROOF_AT - 1), SettlementError::ProofAccountInUse),
    ];
    for (owner, size, nonzero, error) in cases {
        let key = Keypair::new();
        let mut data = vec![0; size];
        if let Some(at) = nonzero {
            data[at] = 1;
        }
        machine.plant(&address(&key), owner, data);
        let open = machine.opening(&key, &fixture.statement).remove(1);
        assert_eq!(machine.send_all(&[open], &[&prover, &key]), refused(error), "{owner} {size} {nonzero:?}");
    }
}

#[test]
fn only_a_canonical_statement_is_taken() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened").address;
    let prover = machine.prover.insecure_clone();
    for word in 0..4 {
        for value in [MODULUS, u64::MAX] {
            let with = |mut instruction: Instruction| {
                instruction.data[8 + 8 * word..16 + 8 * word].copy_from_slice(&value.to_le_bytes());
                instruction
            };
            let error = refused(SettlementError::NonCanonicalStatement);
            let key = Keypair::new();
            let [create, open] = machine.opening(&key, &fixture.statement).try_into().expect("two instructions");
            assert_eq!(machine.send_all(&[create, with(open)], &[&prover, &key]), error);
            let reset = interface::reset_proof(&PROGRAM_ID, &proof, &address(&prover), &fixture.statement);
            assert_eq!(machine.send(&with(reset), &prover), error);
        }
    }
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

#[test]
fn no_step_can_be_skipped() {
    let (mut machine, fixture, proof) = written();
    submit_fixture(&mut machine, &fixture);
    let proof = proof.address;
    let early = refused(SettlementError::StepOutOfOrder);
    let unverified = refused(SettlementError::UnverifiedProof);
    assert_eq!(machine.settle_with(0, &proof), unverified);
    for step in [Constraints, Queries(1), ALL_QUERIES, Queries(0)] {
        assert_eq!(machine.step(&proof, step), early, "{step:?} first");
    }
    machine.step(&proof, Transcript).expect("done");
    assert_eq!(machine.settle_with(0, &proof), unverified);
    for step in [Queries(1), ALL_QUERIES, Queries(0)] {
        assert_eq!(machine.step(&proof, step), early, "{step:?} before the constraints");
    }
    machine.step(&proof, Constraints).expect("done");
    assert_eq!(machine.settle_with(0, &proof), unverified);
    machine.step(&proof, Queries(0)).expect("no query at all");
    assert_eq!(machine.progress(&proof).queries(), 0);
}

#[test]
fn every_query_counts_once_and_the_last_one_verifies() {
    let (mut machine, fixture, proof) = written();
    submit_fixture(&mut machine, &fixture);
    let proof = proof.address;
    machine.step(&proof, Transcript).expect("done");
    machine.step(&proof, Constraints).expect("done");
    let mut done = 0;
    // Five is prime to the number of queries, so that this comes by each of them, in a disorderly way.
    for query in (0..Dev::QUERIES as u32).map(|step| step * 5 % Dev::QUERIES as u32) {
        assert_eq!(machine.settle_with(0, &proof), refused(SettlementError::UnverifiedProof), "{done:b}");
        done |= 1 << query;
        machine.step(&proof, Queries(1 << query)).expect("done");
        let after = machine.data(&proof);
        machine.step(&proof, Queries(done)).expect("again, with those before");
        assert_eq!(machine.data(&proof), after);
        assert_eq!(machine.progress(&proof).queries(), done);
    }
    assert_eq!(Queries(done), ALL_QUERIES);
    machine.settle_with(0, &proof).expect("settled");
}

#[test]
fn steps_that_are_done_again_change_nothing() {
    let (mut machine, _, proof) = verified();
    let before = machine.data(&proof.address);
    for step in [Transcript, Constraints, Queries(1), ALL_QUERIES, Transcript] {
        machine.step(&proof.address, step).expect("done already");
        assert_eq!(machine.data(&proof.address), before, "{step:?}");
    }
}

#[test]
fn steps_and_queries_that_there_are_not_are_refused() {
    let (mut machine, _, proof) = written();
    let prover = machine.prover.insecure_clone();
    for code in [3, u8::MAX] {
        let mut instruction = interface::verify_step(&PROGRAM_ID, &proof.address, Transcript);
        instruction.data[8] = code;
        assert_eq!(machine.send(&instruction, &prover), refused(SettlementError::UnknownStep));
    }
    machine.step(&proof.address, Transcript).expect("done");
    machine.step(&proof.address, Constraints).expect("done");
    for query in Dev::QUERIES as u32..32 {
        let result = machine.step(&proof.address, Queries(1 | 1 << query));
        assert_eq!(result, refused(SettlementError::UnknownQuery), "query {query}");
    }
    assert_eq!(machine.progress(&proof.address).queries(), 0, "nor the one beside it");
}

#[test]
fn nothing_that_was_computed_outlives_a_reset() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let proof = proof.address;
    machine.reset(&proof, &fixture.statement).expect("reset");
    let data = machine.data(&proof);
    assert!(data[PROGRESS_AT..PROOF_AT].iter().all(|byte| *byte == 0));
    assert_eq!(data[PROOF_AT..], fixture.proof, "the bytes may serve again");
    assert_eq!(machine.settle_with(0, &proof), refused(SettlementError::UnverifiedProof));
    for step in [Constraints, ALL_QUERIES] {
        assert_eq!(machine.step(&proof, step), refused(SettlementError::StepOutOfOrder));
    }
    // Challenges of the first proof do not meet the bytes of a second.
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
    machine.verify(&proof.address).expect("what it is a proof of");
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
fn bytes_that_another_program_wrote_prove_nothing() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let (forged, data) = (Address([0x55; 32]), machine.data(&proof.address));
    machine.plant(&forged, Address([0x66; 32]), data);
    let prover = machine.prover.insecure_clone();
    for instruction in all_instructions(&machine, &forged) {
        assert_eq!(machine.send(&instruction, &prover), refused(SettlementError::ForeignProofAccount));
    }
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
fn accounts_of_another_kind_or_length_are_no_proofs() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    for other in [machine.rollup, machine.queue_address(), machine.history_address(), machine.batch_address(0)] {
        for (place, instruction) in all_instructions(&machine, &other).into_iter().enumerate() {
            let result = machine.send(&instruction, &prover);
            // Anchor refuses to have one account in two places of which one is written.
            let is_twice = place == 4 && other != machine.queue_address();
            let wrong = refused(SettlementError::WrongProofLength);
            assert!(if is_twice { result.is_err() } else { result == wrong }, "{place}: {result:?}");
        }
    }
    let (unopened, empty) = (Address([0x55; 32]), vec![0; proof_account(PROFILE).size]);
    machine.plant(&unopened, PROGRAM_ID, empty);
    for instruction in all_instructions(&machine, &unopened) {
        assert_eq!(machine.send(&instruction, &prover), refused(SettlementError::NotAProof));
    }
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
fn nothing_is_left_after_closing() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    machine.close_proof(&proof.address).expect("closed");
    assert!(machine.svm.get_account(&pubkey(proof.address)).is_none_or(|account| account.lamports == 0));
    let prover = machine.prover.insecure_clone();
    for instruction in all_instructions(&machine, &proof.address) {
        assert_eq!(machine.send(&instruction, &prover), refused(SettlementError::ForeignProofAccount));
    }
}

#[test]
fn an_account_that_is_kept_alive_while_it_is_closed_is_empty() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    let lamports = machine.lamports(&proof.address);
    let close = interface::close_proof(&PROGRAM_ID, &proof.address, &address(&prover), &address(&prover));
    let revive = transfer(&address(&prover), &proof.address, lamports);
    let settle = interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, &proof.address);
    let foreign = refused(SettlementError::ForeignProofAccount);
    assert_eq!(machine.send_all(&[close.clone(), revive.clone(), settle], &[&prover]), foreign);
    machine.send_all(&[close, revive], &[&prover]).expect("closed, and lamports sent to nobody");
    let account = machine.svm.get_account(&pubkey(proof.address)).expect("with lamports");
    assert_eq!((account.owner, account.data), (pubkey(Address([0; 32])), vec![]));
}

#[test]
fn an_account_that_is_closed_and_made_anew_in_one_transaction_is_new() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    let close = interface::close_proof(&PROGRAM_ID, &proof.address, &address(&prover), &address(&prover));
    let mut instructions = vec![close];
    instructions.extend(machine.opening(&proof.key, &fixture.statement));
    machine.send_all(&instructions, &[&prover, &proof.key]).expect("closed and opened");
    let data = machine.data(&proof.address);
    assert!(data[PROGRESS_AT..].iter().all(|byte| *byte == 0));
    assert_eq!(machine.settle_with(0, &proof.address), refused(SettlementError::UnverifiedProof));
    machine.write_all(&proof.address, &fixture.proof).expect("written");
    machine.verify(&proof.address).expect("verified");
    machine.settle_with(0, &proof.address).expect("settled");
}

#[test]
fn a_step_that_fails_changes_nothing_and_says_why() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    use SettlementError as E;
    for (name, at, change, error) in changes() {
        let mut bytes = fixture.proof.clone();
        change.apply(&mut bytes[8 * at..8 * at + 8]);
        let proof = machine.open(&fixture.statement).expect("opened").address;
        machine.write_all(&proof, &bytes).expect("written");
        let result = machine.step(&proof, Transcript).and_then(|_| machine.step(&proof, Constraints));
        match error {
            E::NonCanonicalProof | E::NonzeroPadding | E::WrongProofOfWork if at < 8 * NONCE && result.is_err() => {
                assert_eq!(result, refused(error), "{name}");
                assert!(!machine.progress(&proof).is_started());
            }
            _ => {
                result.expect("what the first steps read is as it was");
                let before = machine.data(&proof);
                assert_eq!(machine.step(&proof, ALL_QUERIES), refused(error), "{name}");
                assert_eq!(machine.data(&proof), before, "{name}");
                machine.step(&proof, Queries(2)).expect("the second query is as it was");
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Change {
    Flip,
    NonCanonical,
    One,
}

impl Change {
    fn apply(self, word: &mut [u8]) {
        match self {
            Self::Flip => word[0] ^= 1,
            Self::NonCanonical => word.fill(0xff),
            Self::One => word[0] = 1,
        }
    }
}

/// Words of the proof, what is done to them, and what the program says. Those after the nonce are of the first query.
fn changes() -> [(&'static str, usize, Change, SettlementError); 12] {
    use SettlementError as E;
    let query = NONCE + 2;
    let rows = cairn_verifier::OPENED;
    let paths = query + rows.next_multiple_of(2);
    let path = cairn_verifier::DEGREE_BITS + Dev::RATE_BITS - cairn_verifier::CAP_HEIGHT;
    let values = paths + 4 * 4 * path;
    [
        ("a cap", 0, Change::Flip, E::WrongProofOfWork),
        ("an opening", 3 * 32, Change::Flip, E::WrongProofOfWork),
        ("an opening", 3 * 32, Change::NonCanonical, E::NonCanonicalProof),
        ("a coefficient of the final polynomial", NONCE - 1, Change::Flip, E::WrongProofOfWork),
        ("the nonce", NONCE, Change::Flip, E::WrongProofOfWork),
        ("the nonce", NONCE, Change::NonCanonical, E::NonCanonicalProof),
        ("the word after it", NONCE + 1, Change::One, E::NonzeroPadding),
        ("a row", query, Change::Flip, E::WrongRowPath),
        ("a row", query + rows - 1, Change::NonCanonical, E::NonCanonicalProof),
        ("a path", paths, Change::Flip, E::WrongRowPath),
        ("folded values", values, Change::NonCanonical, E::NonCanonicalProof),
        ("the path of folded values", values + 32, Change::Flip, E::WrongValuePath),
    ]
}

#[test]
fn steps_check_what_they_say_and_not_only_what_is_hashed() {
    use SettlementError as E;
    let (mut machine, fixture, proof) = written();
    let proof = proof.address;
    machine.step(&proof, Transcript).expect("done");
    let after_transcript = machine.data(&proof);
    // Phase, queries, the hash of the public inputs, betas, gammas, alphas, zeta, two betas of FRI.
    let word = |number: usize| PROGRESS_AT + 8 * number;
    let (alphas, zeta, fold_betas) = (word(12), word(15), word(17));
    let restore = |machine: &mut Machine, data: &[u8]| machine.tamper(&proof, |place| place.copy_from_slice(data));

    machine.tamper(&proof, |data| data[alphas] ^= 1);
    assert_eq!(machine.step(&proof, Constraints), refused(E::UnsatisfiedConstraints), "other challenges");
    restore(&mut machine, &after_transcript);
    machine.tamper(&proof, |data| data[PROOF_AT + 8 * 3 * 32] ^= 1);
    assert_eq!(machine.step(&proof, Constraints), refused(E::UnsatisfiedConstraints), "another opening");
    restore(&mut machine, &after_transcript);
    machine.tamper(&proof, |data| {
        data[zeta..zeta + 16].fill(0);
        data[zeta] = 1;
    });
    assert_eq!(machine.step(&proof, Constraints), refused(E::ZeroDenominator), "at one");
    restore(&mut machine, &after_transcript);
    machine.step(&proof, Constraints).expect("done");
    let after_constraints = machine.data(&proof);

    machine.tamper(&proof, |data| data[fold_betas] ^= 1);
    assert_eq!(machine.step(&proof, ALL_QUERIES), refused(E::WrongFold), "another challenge of FRI");
    restore(&mut machine, &after_constraints);
    machine.tamper(&proof, |data| data[PROOF_AT + 8 * (NONCE - 1)] ^= 1);
    assert_eq!(machine.step(&proof, ALL_QUERIES), refused(E::WrongFinalPolynomial), "another final polynomial");
    restore(&mut machine, &after_constraints);
    machine.step(&proof, ALL_QUERIES).expect("done");
    assert_eq!(machine.data(&proof)[PROOF_AT..], fixture.proof);
}

#[test]
fn the_steps_stay_within_the_units_that_hosts_request() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let (key, prover) = (Keypair::new(), machine.prover.insecure_clone());
    let creation = machine.opening(&key, &fixture.statement);
    let create = machine.send_all(&creation, &[&prover, &key]).expect("opened");
    let proof = address(&key);
    let write = machine.write(&proof, 1, &fixture.proof[1..901]).expect("written");
    machine.write_all(&proof, &fixture.proof).expect("written");
    let transcript = machine.step(&proof, Transcript).expect("done");
    let constraints = machine.step(&proof, Constraints).expect("done");
    let queries = machine.step(&proof, ALL_QUERIES).expect("done");
    let reset = machine.reset(&proof, &fixture.statement).expect("reset");
    let close = machine.close_proof(&proof).expect("closed");
    for (name, units, requested) in [
        ("create_proof", create, interface::CREATE_PROOF_COMPUTE_UNITS),
        ("write_proof", write, interface::WRITE_PROOF_COMPUTE_UNITS),
        ("the nonce's write_proof", write, STEP_UNITS.transaction),
        ("the transcript", transcript, STEP_UNITS.transcript),
        ("the constraints", constraints, STEP_UNITS.constraints),
        ("the queries", queries, STEP_UNITS.query * all_queries::<Dev>().count_ones()),
        ("reset_proof", reset, interface::HOUSEKEEPING_COMPUTE_UNITS),
        ("close_proof", close, interface::HOUSEKEEPING_COMPUTE_UNITS),
    ] {
        println!("{name}: {units} of {requested}");
        assert!(units <= u64::from(requested), "{name}: {units} of {requested}");
    }
}

#[test]
fn a_program_has_the_rollups_of_its_own_profile_only() {
    let mut machine = Machine::without_rollup();
    let arguments = Initialize { profile: interface::Profile::Production, ..machine.arguments() };
    assert_eq!(machine.create(&arguments), refused(SettlementError::WrongProfile));
}

/// The system program's Transfer.
fn transfer(from: &Address, to: &Address, lamports: u64) -> Instruction {
    let mut data = 2_u32.to_le_bytes().to_vec();
    data.extend_from_slice(&lamports.to_le_bytes());
    let account =
        |address: &Address, is_signer| interface::AccountMeta { address: *address, is_signer, is_writable: true };
    Instruction {
        program_id: interface::SYSTEM_PROGRAM_ID,
        accounts: vec![account(from, true), account(to, false)],
        data,
    }
}
