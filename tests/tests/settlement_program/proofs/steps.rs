//! Steps of a verification: each once, in order, and each for itself.

use super::{PROGRESS_AT, PROOF_AT, refused, submit_fixture, verified, written};
use cairn_chain::STEP_UNITS;
use cairn_interface::ProofStep::{Constraints, Queries, Transcript};
use cairn_interface::{self as interface, SettlementError};
use cairn_tests::settlement::{ALL_QUERIES, Fixture, Machine, PROGRAM_ID, address};
use cairn_verifier::{Dev, NONCE, Parameters, all_queries};
use solana_sdk::signature::Keypair;

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
