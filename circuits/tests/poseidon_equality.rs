//! The project's field and Poseidon are plonky2's: what the program and the intake hash natively is what the circuits
//! constrain.

use cairn_goldilocks::{Goldilocks, MODULUS, Quadratic, WIDTH, poseidon};
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::extension::{Extendable, FieldExtension};
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::hash::poseidon::Poseidon;

/// SplitMix64: a fixed sequence, so that a failure can be repeated.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A canonical word; every fourth one from the edges, where carries and borrows happen.
    fn canonical(&mut self) -> u64 {
        const EDGES: [u64; 8] = [0, 1, 0xffff_fffe, 0xffff_ffff, 1 << 32, 1 << 63, MODULUS - 2, MODULUS - 1];
        let word = self.next();
        if word.is_multiple_of(4) { EDGES[(word >> 61) as usize] } else { self.next() % MODULUS }
    }
}

fn plonky2_words(state: [GoldilocksField; WIDTH]) -> [u64; WIDTH] {
    state.map(|element| element.to_canonical_u64())
}

#[test]
fn permutations_of_random_states_are_plonky2s() {
    let mut words = Words(1);
    for _ in 0..20_000 {
        let input: [u64; WIDTH] = std::array::from_fn(|_| words.canonical());
        let mut state = input;
        poseidon(&mut state);
        assert_eq!(
            state,
            plonky2_words(GoldilocksField::poseidon(input.map(GoldilocksField::from_canonical_u64))),
            "input {input:x?}"
        );
    }
}

#[test]
fn a_long_chain_of_permutations_is_plonky2s() {
    let mut state = [0; WIDTH];
    let mut expected = [GoldilocksField::ZERO; WIDTH];
    for _ in 0..10_000 {
        poseidon(&mut state);
        expected = GoldilocksField::poseidon(expected);
    }
    assert_eq!(state, plonky2_words(expected));
}

#[test]
fn field_operations_are_plonky2s() {
    let mut words = Words(2);
    for _ in 0..100_000 {
        let (a, b) = (words.canonical(), words.canonical());
        let ours = [a, b].map(|word| Goldilocks::new(word).expect("canonical"));
        let theirs = [a, b].map(GoldilocksField::from_canonical_u64);
        assert_eq!((ours[0] + ours[1]).word(), (theirs[0] + theirs[1]).to_canonical_u64());
        assert_eq!((ours[0] - ours[1]).word(), (theirs[0] - theirs[1]).to_canonical_u64());
        assert_eq!((ours[0] * ours[1]).word(), (theirs[0] * theirs[1]).to_canonical_u64());
        assert_eq!((-ours[0]).word(), (-theirs[0]).to_canonical_u64());
    }
}

#[test]
fn inverses_are_plonky2s() {
    let mut words = Words(3);
    for _ in 0..1_000 {
        let word = words.canonical();
        let inverse = Goldilocks::new(word).expect("canonical").inverse().map(Goldilocks::word);
        let expected =
            GoldilocksField::from_canonical_u64(word).try_inverse().map(|element| element.to_canonical_u64());
        assert_eq!(inverse, expected);
    }
}

#[test]
fn the_quadratic_extension_is_plonky2s() {
    type Theirs = <GoldilocksField as Extendable<2>>::Extension;
    assert_eq!(Quadratic::NON_RESIDUE.word(), <GoldilocksField as Extendable<2>>::W.to_canonical_u64());

    let mut words = Words(4);
    for _ in 0..20_000 {
        let [a, b] = std::array::from_fn(|_| [words.canonical(), words.canonical()]);
        let ours = |pair: [u64; 2]| {
            let [real, imaginary] = pair.map(|word| Goldilocks::new(word).expect("canonical"));
            Quadratic::new(real, imaginary)
        };
        let theirs = |pair: [u64; 2]| -> Theirs { QuadraticExtension(pair.map(GoldilocksField::from_canonical_u64)) };
        let compare = |ours: Quadratic, theirs: Theirs| {
            let theirs = theirs.to_basefield_array().map(|element: GoldilocksField| element.to_canonical_u64());
            assert_eq!(ours.words(), theirs, "of {a:x?} and {b:x?}");
        };
        compare(ours(a) + ours(b), theirs(a) + theirs(b));
        compare(ours(a) - ours(b), theirs(a) - theirs(b));
        compare(ours(a) * ours(b), theirs(a) * theirs(b));
        if let Some(inverse) = ours(a).inverse() {
            compare(inverse, theirs(a).inverse());
        }
    }
}
