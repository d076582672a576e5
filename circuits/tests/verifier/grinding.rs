//! Changed transcripts with a nonce that fits them: grinding does not hide what is checked after it.

use crate::fixture::Fixture;
use crate::transcript::Transcript;
use cairn_circuits::plonk::{D, Extension, F, FinalProof};
use cairn_circuits::{Profile, packed_proof};
use cairn_verifier::Rejection;
use plonky2::field::extension::FieldExtension;
use plonky2::field::types::Field;
use plonky2::hash::hash_types::BytesHash;
use plonky2::plonk::proof::{OpeningSet, Proof};

/// Every so many openings one is changed.
const STRIDE: usize = 7;

fn verdict(fixture: &Fixture, mut proof: FinalProof) -> Result<(), Rejection> {
    let circuit = &fixture.set().last().circuit;
    proof.proof.opening_proof.pow_witness = Transcript::of(circuit, &proof).grind(&circuit.common);
    Fixture { bytes: packed_proof::pack(&proof), ..fixture.clone() }.verdict()
}

fn groups(openings: &mut OpeningSet<F, D>) -> [&mut Vec<Extension>; 7] {
    let OpeningSet {
        constants, plonk_sigmas, wires, plonk_zs, plonk_zs_next, partial_products, quotient_polys, ..
    } = openings;
    [constants, plonk_sigmas, wires, plonk_zs, partial_products, quotient_polys, plonk_zs_next]
}

#[test]
fn the_fixtures_transcript_is_the_one_that_is_written_here() {
    let fixture = Fixture::committed(Profile::Dev);
    let (circuit, proof) = (&fixture.set().last().circuit, fixture.proof());
    assert!(Transcript::of(circuit, &proof).accepts(&circuit.common, proof.proof.opening_proof.pow_witness));
    // Another nonce asks for other queries.
    assert_eq!(verdict(&fixture, proof), Err(Rejection::RowPath));
}

#[test]
fn a_changed_opening_breaks_the_constraints_or_belongs_to_no_polynomial() {
    let fixture = Fixture::committed(Profile::Dev);
    let honest = fixture.proof();
    let lengths = groups(&mut honest.proof.openings.clone()).map(|values| values.len());
    for (group, length) in lengths.into_iter().enumerate() {
        for index in (0..length).step_by(STRIDE).chain([length - 1]) {
            let mut proof = honest.clone();
            groups(&mut proof.proof.openings)[group][index] += Extension::from_basefield_array([F::ZERO, F::ONE]);
            assert_eq!(verdict(&fixture, proof), Err(Rejection::Constraints), "group {group}, opening {index}");
        }
    }
}

#[test]
fn a_changed_cap_or_final_polynomial_or_statement_is_refused_after_the_grinding() {
    let fixture = Fixture::committed(Profile::Dev);
    let honest = fixture.proof();
    let flip = |hash: &mut BytesHash<32>| hash.0[31] ^= 0x80;
    let changes: [(&str, &[Rejection], fn(&mut Proof<_, _, D>, fn(&mut BytesHash<32>))); 6] = [
        ("wires", &[Rejection::Constraints], |proof, flip| flip(&mut proof.wires_cap.0[7])),
        ("products", &[Rejection::Constraints], |proof, flip| flip(&mut proof.plonk_zs_partial_products_cap.0[0])),
        ("quotient", &[Rejection::Constraints], |proof, flip| flip(&mut proof.quotient_polys_cap.0[3])),
        // From here on the point is the same, and so are the openings; other queries are asked for.
        ("fold 0", &[Rejection::RowPath], |proof, flip| {
            flip(&mut proof.opening_proof.commit_phase_merkle_caps[0].0[5])
        }),
        ("fold 1", &[Rejection::RowPath], |proof, flip| {
            flip(&mut proof.opening_proof.commit_phase_merkle_caps[1].0[5])
        }),
        ("final", &[Rejection::RowPath], |proof, _| proof.opening_proof.final_poly.coeffs[15] += Extension::ONE),
    ];
    for (name, expected, change) in changes {
        let mut proof = honest.clone();
        change(&mut proof.proof, flip);
        let verdict = verdict(&fixture, proof).unwrap_err();
        assert!(expected.contains(&verdict), "{name}: {verdict:?}");
    }
    let mut proof = honest.clone();
    proof.public_inputs[2] += F::ONE;
    let mut other = fixture.clone();
    other.statement[2] += 1;
    assert_eq!(verdict(&other, proof), Err(Rejection::Constraints));
}
