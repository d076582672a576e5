//! What becomes of the liar's proofs.

use crate::fixture::Fixture;
use crate::liar::{Lie, prove};
use cairn_circuits::plonk::elements;
use cairn_circuits::{Profile, packed_proof};
use cairn_verifier::{Dev, NativeKeccak, Progress, Rejection, Step, all_queries, step};

/// Liars of each kind.
const EACH: u64 = 3;

#[test]
fn each_lie_is_refused_by_the_check_that_it_does_not_satisfy_and_by_no_earlier_one() {
    let dev = Fixture::committed(Profile::Dev);
    let circuit = &dev.set().last().circuit;
    for (lie, step_that_refuses, expected) in [
        (Lie::None, 1, Rejection::Constraints),
        (Lie::Openings, 2, Rejection::Fold),
        (Lie::FirstFold, 2, Rejection::Fold),
        (Lie::FinalPolynomial, 2, Rejection::FinalPolynomial),
    ] {
        for seed in 0..EACH {
            let statement = [seed, 1, 2, 3];
            let bytes = packed_proof::pack(&prove(circuit, &elements(statement), lie));
            let lying = Fixture { statement, bytes, ..dev.clone() };
            assert_eq!(lying.verdict(), Err(expected), "{lie:?}");

            let words: Vec<u64> =
                lying.bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
            let mut progress: Progress = bytemuck::Zeroable::zeroed();
            let steps = [Step::Transcript, Step::Constraints, Step::Queries(all_queries::<Dev>())];
            for (index, each) in steps.into_iter().enumerate().take(step_that_refuses + 1) {
                let done = step::<Dev, NativeKeccak>(&mut progress, &words, &statement, each);
                let refused = index == step_that_refuses;
                assert_eq!(done, if refused { Err(expected) } else { Ok(()) }, "{lie:?}, {each:?}");
            }
            assert!(!progress.is_verified::<Dev>());
        }
    }
}

/// The combination that the liar makes consistent is false at nearly every point: no query lets it pass.
#[test]
fn every_single_query_refuses_a_lie() {
    let dev = Fixture::committed(Profile::Dev);
    let statement = [9, 8, 7, 6];
    let bytes = packed_proof::pack(&prove(&dev.set().last().circuit, &elements(statement), Lie::Openings));
    let words: Vec<u64> = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    let mut progress: Progress = bytemuck::Zeroable::zeroed();
    for each in [Step::Transcript, Step::Constraints] {
        step::<Dev, NativeKeccak>(&mut progress, &words, &statement, each).unwrap();
    }
    for query in 0..all_queries::<Dev>().count_ones() {
        let verdict = step::<Dev, NativeKeccak>(&mut progress, &words, &statement, Step::Queries(1 << query));
        assert_eq!(verdict, Err(Rejection::Fold), "query {query}");
    }
}
