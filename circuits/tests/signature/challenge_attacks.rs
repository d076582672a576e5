//! The split of a challenge whose elements are so small that p added to them is below 2^64. Hashes are hardly ever, so the
//! challenge is an input here.

use crate::attack::{number, set_all};
use crate::forgery::{Wires, assert_only_the_clause_refuses, set};
use cairn_circuits::gadgets::Enforcer;
use cairn_circuits::plonk::{Builder, DigestTarget, F};
use cairn_circuits::signature::chain::ChainTarget;
use cairn_circuits::signature::key::KeyTarget;
use cairn_circuits::signature::scalar::ChallengeTarget;
use cairn_circuits::{Clause, Clauses, Compiled, Draft, Layer, Profile};
use plonky2::field::types::Field;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};

const P: u64 = 0xffff_ffff_0000_0001;

struct Split {
    w: [Target; 5],
    challenge: DigestTarget,
    chain: ChainTarget,
    split: ChallengeTarget,
}

fn build(clauses: Clauses) -> Compiled<Split> {
    let mut builder = Builder::new(Layer::Segment.config(Profile::Dev));
    let enforcer = &mut Enforcer::new(clauses);
    let (w, challenge) = (builder.add_virtual_target_arr(), builder.add_virtual_target_arr());
    let key = KeyTarget::constrain(&mut builder, enforcer, w);
    let chain = ChainTarget::constrain(&mut builder, enforcer, &key.tables);
    let bits = chain.challenge_bits().collect();
    let split =
        ChallengeTarget::constrain(&mut builder, enforcer, challenge, chain.challenge, chain.challenge_upper, bits);
    Draft::new(builder, Split { w, challenge, chain, split }).build()
}

fn assign(target: &Split, challenge: [u64; 4]) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    witness.set_target_arr(&target.w, &[4, 0, 0, 0, 0].map(number)).unwrap();
    witness.set_target_arr(&target.challenge, &challenge.map(F::from_canonical_u64)).unwrap();
    for bit in target.chain.scalar_bits() {
        witness.set_target(bit, F::ZERO).unwrap();
    }
    witness
}

#[test]
fn elements_at_the_ends_of_their_range_are_split() {
    let circuit = build(Clauses::ALL);
    for challenge in [[0, 1, P - 1, P - 2], [(1 << 32) - 2, (1 << 32) - 1, 1 << 60, P - (1 << 32)]] {
        let wires = Wires::generate(&circuit.circuit, assign(&circuit.target, challenge));
        for (word, element) in circuit.target.chain.challenge.into_iter().zip(challenge) {
            assert_eq!(wires.get(&circuit.circuit, word), number(element & ((1 << 60) - 1)));
        }
        wires.prove(&circuit.circuit).unwrap();
    }
}

#[test]
fn an_element_split_as_the_number_that_is_p_more() {
    let (full, lenient) = (build(Clauses::ALL), build(Clauses::without(Clause::ChallengeCanonical)));
    for small in [0, 1, 12_345, (1 << 32) - 2] {
        for element in 0..4 {
            let mut challenge = [41, 42, 43, 44];
            challenge[element] = small;
            let mut witness = assign(&lenient.target, challenge);
            let longer = small + P;
            let bits = (0..64).map(|bit| number(longer >> bit & 1));
            let targets: Vec<_> = lenient.target.chain.challenge_bits().skip(60 * element).take(60).collect();
            set_all(&mut witness, targets.into_iter().chain(lenient.target.split.top_bits[element]), bits);
            // Upper bits all ones lack nothing, so no inverse helps; one that is there is tried.
            set(&mut witness, lenient.target.split.inverses[element], F::ONE);
            let forged = Wires::generate(&lenient.circuit, witness);
            assert_only_the_clause_refuses(Clause::ChallengeCanonical, &full.circuit, &lenient.circuit, &forged);
        }
    }
}
