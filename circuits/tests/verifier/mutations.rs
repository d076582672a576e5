//! Thousands of changes to the committed proofs.

use crate::fixture::Fixture;
use crate::parts::{Kind, Part, parts};
use cairn_circuits::Profile;
use cairn_verifier::Rejection;
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::Field64;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// The field's order.
const P: u64 = GoldilocksField::ORDER;
/// Changes of each part.
const EACH: usize = 12;

impl Fixture {
    fn word(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes[8 * at..][..8].try_into().unwrap())
    }

    pub fn with_word(&self, at: usize, word: u64) -> Self {
        let mut changed = self.clone();
        changed.bytes[8 * at..][..8].copy_from_slice(&word.to_le_bytes());
        changed
    }

    fn swapped(&self, one: usize, other: usize, words: usize) -> Self {
        (0..words).fold(self.clone(), |changed, offset| {
            let (a, b) = (self.word(one + offset), self.word(other + offset));
            changed.with_word(one + offset, b).with_word(other + offset, a)
        })
    }
}

/// Some change of some word of a part, and how it has to end.
fn change(fixture: &Fixture, part: &Part, way: usize, rng: &mut StdRng) -> Option<(Fixture, &'static [Rejection])> {
    let at = rng.gen_range(part.words.clone());
    let word = fixture.word(at);
    let new = match way {
        0 => word ^ 1 << rng.gen_range(0..64),
        1 => word.wrapping_add(1),
        2 => 0,
        3 => rng.gen_range(0..P),
        // The same element in another word, if it has one; else an element's other word.
        4 => word.checked_add(P).unwrap_or_else(|| rng.gen_range(P..=u64::MAX)),
        5 => rng.gen_range(P..=u64::MAX),
        6 => P,
        7 => u64::MAX,
        _ => P - 1 - word % P,
    };
    let hash = matches!(part.kind, Kind::Hashes | Kind::Path);
    let expected: &[Rejection] = match part.kind {
        Kind::Padding => &[Rejection::Padding],
        _ if !hash && new >= P => &[Rejection::NonCanonical],
        Kind::Elements | Kind::Hashes | Kind::Nonce => &[Rejection::ProofOfWork],
        Kind::Opened | Kind::Path => &[Rejection::RowPath, Rejection::ValuePath, Rejection::Fold],
    };
    (new != word).then(|| (fixture.with_word(at, new), expected))
}

fn every_part_is_changed_in_every_way(profile: Profile) {
    let fixture = Fixture::committed(profile);
    let common = &fixture.set().last().circuit.common;
    let parts = parts(common);
    assert_eq!(parts.last().unwrap().words.end * 8, fixture.bytes.len());
    let rng = &mut StdRng::seed_from_u64(5);
    let mut verdicts = BTreeMap::new();
    for part in &parts {
        let ways = (0..EACH).chain(std::iter::repeat_n(0, EACH));
        for (changed, expected) in ways.filter_map(|way| change(&fixture, part, way, rng)).collect::<Vec<_>>() {
            let verdict = changed.verdict().expect_err(&part.name);
            // Grinding ends a changed transcript, but for one in 2^16.
            assert!(expected.contains(&verdict) || verdict == Rejection::Constraints, "{}: {verdict:?}", part.name);
            *verdicts.entry(format!("{verdict:?}")).or_insert(0) += 1;
        }
    }
    let all: usize = verdicts.values().sum();
    eprintln!("{profile}: {all} mutations refused by both: {verdicts:?}");
    assert!(all > 3_000, "{all}");
}

#[test]
fn changes_of_every_part_of_a_dev_proof_are_refused_by_both() {
    every_part_is_changed_in_every_way(Profile::Dev);
}

#[test]
fn changes_of_every_part_of_a_production_proof_are_refused_by_both() {
    every_part_is_changed_in_every_way(Profile::Production);
}

#[test]
fn statements_that_are_not_the_proofs_are_refused_by_both() {
    for profile in Profile::ALL {
        let fixture = Fixture::committed(profile);
        for lane in 0..4 {
            let word = fixture.statement[lane];
            for (new, expected) in [
                (word ^ 1, Rejection::ProofOfWork),
                (0, Rejection::ProofOfWork),
                (P, Rejection::NonCanonical),
                (u64::MAX, Rejection::NonCanonical),
                (word.checked_add(P).unwrap_or(P + 1), Rejection::NonCanonical),
            ] {
                let mut changed = fixture.clone();
                changed.statement[lane] = new;
                assert_eq!(changed.verdict(), Err(expected), "{profile} {lane} {new}");
            }
        }
        let mut swapped = fixture.clone();
        swapped.statement.swap(0, 1);
        assert_eq!(swapped.verdict(), Err(Rejection::ProofOfWork));
    }
}

#[test]
fn parts_that_change_places_are_refused_by_both() {
    for profile in Profile::ALL {
        let fixture = Fixture::committed(profile);
        let parts = parts(&fixture.set().last().circuit.common);
        let begin = |name: &str| parts.iter().find(|part| part.name == name).unwrap().words.start;
        let (first, second) = (begin("query 0: row 0"), begin("query 1: row 0"));
        // Two queries, two caps, two hashes of a cap, of a path, two elements, and the two words of one.
        for (one, other, words) in [
            (first, second, second - first),
            (begin("wires cap"), begin("quotient cap"), 32),
            (begin("wires cap"), begin("wires cap") + 4, 4),
            (begin("query 0: path 1"), begin("query 0: path 1") + 4, 4),
            (begin("query 0: path 0"), begin("query 0: path 1"), 4),
            (begin("query 0: values 0"), begin("query 0: values 0") + 2, 2),
            (begin("query 0: values 1"), begin("query 0: values 1") + 1, 1),
            (begin("wires"), begin("wires") + 2, 2),
            (begin("zs"), begin("next zs"), 6),
            (begin("final polynomial"), begin("final polynomial") + 2, 2),
        ] {
            assert!(fixture.swapped(one, other, words).verdict().is_err(), "{profile}: words {one} and {other}");
        }
    }
}

#[test]
fn proofs_of_another_length_or_profile_are_refused_by_both() {
    let [dev, production] = Profile::ALL.map(Fixture::committed);
    for (fixture, other) in [(&dev, &production), (&production, &dev)] {
        let length = fixture.bytes.len();
        for cut in [0, 1, 8, 4_096, length / 2, length - 8, length - 1] {
            let cut = Fixture { bytes: fixture.bytes[..cut].to_vec(), ..fixture.clone() };
            assert_eq!(cut.verdict(), Err(Rejection::Length));
        }
        for more in [1, 8, 5_000] {
            let longer = Fixture { bytes: [&fixture.bytes[..], &vec![0; more]].concat(), ..fixture.clone() };
            assert_eq!(longer.verdict(), Err(Rejection::Length));
        }
        // The other profile's proof of its own statement, as it is and brought to length.
        let mut foreign = Fixture { profile: fixture.profile, ..other.clone() };
        assert_eq!(foreign.verdict(), Err(Rejection::Length));
        foreign.bytes.resize(length, 0);
        assert!(foreign.verdict().is_err());
    }
}
