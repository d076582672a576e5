//! The committed proofs, whole and with every word changed.
//!
//! Changing a word that the transcript reads changes every challenge, and the grinding is wrong already. So that the later
//! checks have to find a change themselves, words are also changed *between* steps, which the program never allows: what is
//! refused then is refused by that check alone.

use bytemuck::Zeroable;
use cairn_types::{Digest, Profile};
use cairn_verifier::{
    Dev, NONCE, NativeKeccak, Parameters, Production, Progress, Rejection, Step, all_queries, circuit_id_of,
    proof_bytes, proof_bytes_of, step, verify, verify_profile,
};

struct Fixture {
    proof: Vec<u64>,
    statement: [u64; 4],
}

fn fixture(name: &str) -> Fixture {
    let file = |extension: &str| format!("{}/tests/fixtures/{name}.{extension}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(file("proof")).expect("the committed proof");
    let words: Vec<u64> = std::fs::read_to_string(file("statement"))
        .expect("its statement")
        .split_whitespace()
        .map(|word| word.parse().expect("a decimal word"))
        .collect();
    Fixture { proof: bytemuck::pod_collect_to_vec(&bytes), statement: words.try_into().expect("four words") }
}

fn production() -> Fixture {
    fixture("production")
}

fn dev() -> Fixture {
    fixture("dev")
}

impl Fixture {
    fn verdict<P: Parameters>(&self) -> Result<(), Rejection> {
        verify::<P, NativeKeccak>(bytemuck::cast_slice(&self.proof), &self.statement)
    }

    fn run<P: Parameters>(&self, progress: &mut Progress, what: Step) -> Result<(), Rejection> {
        step::<P, NativeKeccak>(progress, &self.proof, &self.statement, what)
    }

    /// What the steps before `what` leave behind.
    fn before<P: Parameters>(&self, what: Step) -> Progress {
        let mut progress = Progress::zeroed();
        let steps = match what {
            Step::Transcript => &[][..],
            Step::Constraints => &[Step::Transcript],
            Step::Queries(_) => &[Step::Transcript, Step::Constraints],
        };
        for each in steps {
            self.run::<P>(&mut progress, *each).expect("an honest step");
        }
        progress
    }

    /// The verdict of one step when a word was changed after the steps before it.
    fn changed<P: Parameters>(&mut self, before: &Progress, what: Step, place: usize) -> Result<(), Rejection> {
        self.proof[place] ^= 1;
        let mut progress = *before;
        let verdict = self.run::<P>(&mut progress, what);
        if verdict.is_err() {
            assert!(!progress.is_verified::<P>());
        }
        self.proof[place] ^= 1;
        verdict
    }
}

/// Where the parts of a proof begin, in words, as the layout's table has them.
const OPENINGS: usize = 96;
const FOLD_CAPS: usize = OPENINGS + 2 * 274 + 6;
const FINAL_POLYNOMIAL: usize = FOLD_CAPS + 64;
const QUERIES: usize = FINAL_POLYNOMIAL + 34;

#[test]
fn committed_proofs_are_valid_for_their_statement_and_profile_only() {
    assert_eq!(production().verdict::<Production>(), Ok(()));
    assert_eq!(dev().verdict::<Dev>(), Ok(()));
    assert_eq!(production().verdict::<Dev>(), Err(Rejection::Length));
    assert_eq!(dev().verdict::<Production>(), Err(Rejection::Length));
    for word in 0..4 {
        let mut other = dev();
        other.statement[word] ^= 1;
        assert_eq!(other.verdict::<Dev>(), Err(Rejection::ProofOfWork));
        other.statement[word] = cairn_goldilocks::MODULUS + word as u64;
        assert_eq!(other.verdict::<Dev>(), Err(Rejection::NonCanonical), "a small word by another name");
    }
}

#[test]
fn a_profile_that_is_named_at_run_time_is_the_one_that_is_gone_by() {
    for (profile, other, fixture) in
        [(Profile::Production, Profile::Dev, production()), (Profile::Dev, Profile::Production, dev())]
    {
        let statement = Digest::from_words(fixture.statement).expect("canonical");
        let mut bytes = bytemuck::pod_collect_to_vec::<u64, u8>(&fixture.proof);
        assert_eq!(bytes.len(), proof_bytes_of(profile));
        assert_eq!(verify_profile(profile, &bytes, &statement), Ok(()));
        assert_eq!(verify_profile(other, &bytes, &statement), Err(Rejection::Length));
        assert_eq!(verify_profile(profile, &bytes, &Digest::ZERO), Err(Rejection::ProofOfWork));
        bytes[8 * QUERIES] ^= 1;
        assert_eq!(verify_profile(profile, &bytes, &statement), Err(Rejection::RowPath));
    }
    assert_eq!(circuit_id_of(Profile::Production), Production::CIRCUIT_ID);
    assert_eq!(circuit_id_of(Profile::Dev), Dev::CIRCUIT_ID);
}

#[test]
fn proofs_have_one_length() {
    let bytes = bytemuck::pod_collect_to_vec::<u64, u8>(&dev().proof);
    assert_eq!(bytes.len(), proof_bytes::<Dev>());
    let verdict = |bytes: &[u8]| verify::<Dev, NativeKeccak>(bytes, &dev().statement);
    for bytes in
        [&[][..], &bytes[..bytes.len() - 1], &bytes[..bytes.len() - 8], &bytes[1..], &[&bytes[..], &[0]].concat()]
    {
        assert_eq!(verdict(bytes), Err(Rejection::Length));
    }
    assert_eq!(verdict(&bytes), Ok(()));
}

#[test]
fn every_word_before_the_queries_is_in_the_transcript() {
    let mut dev = dev();
    let nothing = Progress::zeroed();
    for place in 0..QUERIES {
        let refused = if place == NONCE + 1 { Rejection::Padding } else { Rejection::ProofOfWork };
        assert_eq!(dev.changed::<Dev>(&nothing, Step::Transcript, place), Err(refused), "word {place}");
    }
}

#[test]
fn words_that_are_no_elements_are_refused_wherever_elements_are() {
    let mut dev = dev();
    let elements = (OPENINGS..FOLD_CAPS).chain(FINAL_POLYNOMIAL..NONCE + 1);
    for place in elements {
        let word = std::mem::replace(&mut dev.proof[place], u64::MAX);
        let mut progress = Progress::zeroed();
        assert_eq!(dev.run::<Dev>(&mut progress, Step::Transcript), Err(Rejection::NonCanonical), "word {place}");
        dev.proof[place] = word;
    }
    let before = dev.before::<Dev>(Step::Queries(1));
    let rows = QUERIES..QUERIES + 274;
    let values = QUERIES + 274 + 16 * 14;
    for place in rows.chain(values..values + 32).chain(values + 32 + 40..values + 32 + 40 + 32) {
        let word = std::mem::replace(&mut dev.proof[place], u64::MAX);
        assert_eq!(dev.run::<Dev>(&mut before.clone(), Step::Queries(1)), Err(Rejection::NonCanonical), "word {place}");
        dev.proof[place] = word;
    }
}

#[test]
fn every_word_of_the_openings_is_in_the_constraints() {
    let mut dev = dev();
    let before = dev.before::<Dev>(Step::Constraints);
    for place in OPENINGS..FOLD_CAPS {
        assert_eq!(dev.changed::<Dev>(&before, Step::Constraints, place), Err(Rejection::Constraints), "word {place}");
    }
    assert_eq!(dev.run::<Dev>(&mut before.clone(), Step::Constraints), Ok(()));
}

#[test]
fn every_word_of_every_query_is_checked() {
    fn check<P: Parameters>(mut fixture: Fixture, query_words: usize, row_path: usize) {
        let before = fixture.before::<P>(Step::Queries(1));
        let (rows, paths) = (274, 4 * 4 * row_path);
        assert_eq!(fixture.proof.len(), QUERIES + P::QUERIES * query_words);
        // A query of production takes longer than all of the other profile's: the first, the last, and one between.
        let queries = if P::QUERIES > 16 { vec![0, 7, P::QUERIES - 1] } else { (0..P::QUERIES).collect() };
        for query in queries {
            let start = QUERIES + query * query_words;
            let what = Step::Queries(1 << query);
            for place in 0..query_words {
                let verdict = fixture.changed::<P>(&before, what, start + place);
                // Of the values, one is compared with what comes before, ahead of their path.
                let refused = match place < rows + paths {
                    true => verdict == Err(Rejection::RowPath),
                    false => matches!(verdict, Err(Rejection::ValuePath | Rejection::Fold)),
                };
                assert!(refused, "query {query}, word {place}: {verdict:?}");
            }
        }
    }
    check::<Dev>(dev(), 626, 14);
    check::<Production>(production(), 674, 16);
}

#[test]
fn what_the_queries_are_checked_against_is_checked_by_them() {
    let mut dev = dev();
    let everything = Step::Queries(all_queries::<Dev>());
    let before = dev.before::<Dev>(everything);
    for place in FINAL_POLYNOMIAL..NONCE {
        assert_eq!(dev.changed::<Dev>(&before, everything, place), Err(Rejection::FinalPolynomial), "word {place}");
    }
    // Each query ends in one of the eight hashes of each cap: some in each of these, for this proof.
    let mut refused = [0; 5];
    for (cap, start) in [0, 32, 64, FOLD_CAPS, FOLD_CAPS + 32].into_iter().enumerate() {
        for place in start..start + 32 {
            match dev.changed::<Dev>(&before, everything, place) {
                Err(Rejection::RowPath) if cap < 3 => refused[cap] += 1,
                Err(Rejection::ValuePath) if cap >= 3 => refused[cap] += 1,
                Ok(()) => {}
                verdict => panic!("word {place}: {verdict:?}"),
            }
        }
    }
    assert!(refused.iter().all(|words| *words >= 16), "{refused:?}");
}

#[test]
fn steps_have_an_order_and_are_not_done_twice() {
    let dev = dev();
    let mut progress = Progress::zeroed();
    let everything = all_queries::<Dev>();
    assert!(!progress.is_started());
    for early in [Step::Constraints, Step::Queries(1), Step::Queries(everything)] {
        assert_eq!(dev.run::<Dev>(&mut progress, early), Err(Rejection::OutOfOrder));
    }
    assert_eq!(dev.run::<Dev>(&mut progress, Step::Transcript), Ok(()));
    assert!(progress.is_started() && !progress.has_constraints());
    assert_eq!(dev.run::<Dev>(&mut progress, Step::Queries(1)), Err(Rejection::OutOfOrder));
    assert_eq!(dev.run::<Dev>(&mut progress, Step::Constraints), Ok(()));
    assert!(progress.has_constraints() && !progress.is_verified::<Dev>());
    assert_eq!(dev.run::<Dev>(&mut progress, Step::Queries(everything + 1)), Err(Rejection::UnknownQuery));

    for query in (0..Dev::QUERIES).rev() {
        assert!(!progress.is_verified::<Dev>(), "before query {query}");
        assert_eq!(dev.run::<Dev>(&mut progress, Step::Queries(1 << query)), Ok(()));
        assert_eq!(progress.queries(), everything & !((1 << query) - 1));
    }
    assert!(progress.is_verified::<Dev>());
    let done = bytemuck::bytes_of(&progress).to_vec();
    let mut broken = Fixture { proof: vec![0; dev.proof.len()], ..dev };
    for again in [Step::Transcript, Step::Constraints, Step::Queries(everything)] {
        assert_eq!(broken.run::<Dev>(&mut progress, again), Ok(()), "what is done is not looked at again");
    }
    assert_eq!(bytemuck::bytes_of(&progress), done);
    broken.proof.pop();
    assert_eq!(broken.run::<Dev>(&mut progress, Step::Transcript), Err(Rejection::Length));
}

/// The first word is the phase, the second has the queries.
#[test]
fn what_another_revision_has_verified_counts_for_nothing() {
    let dev = dev();
    let everything = all_queries::<Dev>();
    let mut verified = Progress::zeroed();
    for each in [Step::Transcript, Step::Constraints, Step::Queries(everything)] {
        assert_eq!(dev.run::<Dev>(&mut verified, each), Ok(()));
    }
    let [phase, ..] = bytemuck::cast_ref::<_, [u64; size_of::<Progress>() / 8]>(&verified);
    for other in [0, 1, 2, phase - 256, phase + 256, u64::MAX] {
        let mut progress = verified;
        bytemuck::bytes_of_mut(&mut progress)[..8].copy_from_slice(&other.to_le_bytes());
        assert!(!progress.is_started() && !progress.has_constraints() && !progress.is_verified::<Dev>(), "{other}");
        assert_eq!(progress.queries(), 0);
        for early in [Step::Constraints, Step::Queries(everything)] {
            assert_eq!(dev.run::<Dev>(&mut progress, early), Err(Rejection::OutOfOrder));
        }
        assert_eq!(dev.run::<Dev>(&mut progress, Step::Transcript), Ok(()));
        assert_eq!(dev.run::<Dev>(&mut progress, Step::Constraints), Ok(()));
        assert!(progress.queries() == 0 && !progress.is_verified::<Dev>(), "{other}: each query is checked again");
        assert_eq!(dev.run::<Dev>(&mut progress, Step::Queries(everything)), Ok(()));
        assert!(progress.is_verified::<Dev>());
    }
}
