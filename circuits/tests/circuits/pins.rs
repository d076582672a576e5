//! The circuits that are built are the pinned ones, and the cache gives back those and no others.

use crate::heavy::seat;
use crate::segment_attacks::{build, full};
use cairn_circuits::cache::{Cache, Kind};
use cairn_circuits::fingerprint::Fingerprint;
use cairn_circuits::security::MAX_OPENED_POLYNOMIALS;
use cairn_circuits::verifier_constants::{self, Selectors};
use cairn_circuits::{Built, CircuitSet, Clause, Clauses, Layer, Profile, packed_proof, pinned, proof_bytes};
use std::fs;

/// `make constants` has been run since the last change.
#[test]
fn the_verifiers_constants_are_those_of_the_circuits() {
    let _seat = seat();
    for profile in Profile::ALL {
        let set = CircuitSet::get(profile, &|_| ()).unwrap();
        let committed = fs::read_to_string(verifier_constants::file(profile)).unwrap();
        assert!(verifier_constants::source(set) == committed, "{profile}: run `make constants`");
        let common = &set.last().circuit.common;
        assert_eq!(packed_proof::length(common), proof_bytes(profile));
        assert_eq!(cairn_verifier::circuit_id_of(profile), pinned::layer(profile, Layer::Final).fingerprint.0);
    }
}

/// One verifier is for both profiles: it has the gates, their order and their selectors compiled in.
#[test]
fn the_last_circuits_of_both_profiles_have_the_same_gates_and_shape() {
    let _seat = seat();
    let [one, other] = Profile::ALL.map(|profile| &CircuitSet::get(profile, &|_| ()).unwrap().last().circuit.common);
    assert_eq!(one.gates, other.gates);
    assert_eq!(Selectors::of(one), Selectors::of(other));
    assert_eq!(
        (one.degree_bits(), one.num_constants, &one.k_is),
        (other.degree_bits(), other.num_constants, &other.k_is)
    );
    assert_eq!(one.fri_params.reduction_arity_bits, other.fri_params.reduction_arity_bits);
    assert_eq!(one.config.num_challenges, other.config.num_challenges);
}

/// Builds all circuits of a profile, which checks their fingerprints, and compares what the security estimate assumes.
fn built_circuits_are_the_pinned_ones(profile: Profile) {
    let _seat = seat();
    let set = CircuitSet::make(profile, &Cache::none(), &|_| ()).unwrap();
    assert_eq!(pinned::layers(profile).count(), set.layers().count());
    for (Built { layer, common, used_rows, .. }, (pinned_layer, pin)) in set.layers().zip(pinned::layers(profile)) {
        assert_eq!((layer, common.degree_bits()), (pinned_layer, pin.degree_bits));
        assert!(used_rows <= common.degree());
        let challenges = common.config.num_challenges;
        let opened = common.config.num_wires
            + common.config.num_routed_wires
            + common.num_constants
            + challenges * (1 + common.num_partial_products + common.quotient_degree_factor);
        assert!(opened <= MAX_OPENED_POLYNOMIALS, "{layer} opens {opened} polynomials");
    }
}

#[test]
fn the_circuits_of_dev_are_the_pinned_ones() {
    built_circuits_are_the_pinned_ones(Profile::Dev);
}

#[test]
fn the_circuits_of_production_are_the_pinned_ones() {
    built_circuits_are_the_pinned_ones(Profile::Production);
}

#[test]
fn the_gates_are_the_pinned_ones() {
    for (gate, built, pinned) in pinned::gates() {
        assert_eq!(built, pinned, "{gate} gate");
    }
}

#[test]
fn a_circuit_without_a_clause_has_another_fingerprint() {
    let honest = Fingerprint::of_circuit(&full().circuit);
    for clause in [Clause::TimeBound, Clause::SegmentRoot, Clause::TierZero] {
        // A clause inside the gate changes the gate's name, one outside changes the wiring.
        let without = build(Clauses::without(clause)).circuit;
        if without.common.gates == full().circuit.common.gates {
            assert_ne!(Fingerprint::of_circuit(&without), honest, "{clause:?}");
        } else {
            assert_eq!(clause, Clause::TierZero);
        }
    }
}

#[test]
fn the_cache_returns_what_was_kept_and_nothing_that_was_changed() {
    let folder = std::env::temp_dir().join(format!("cairn-circuit-cache-{}", std::process::id()));
    // Of a process of this number that was killed.
    let _ = fs::remove_dir_all(&folder);
    let cache = Cache::at(folder.clone());
    let circuit = &full().circuit;
    let fingerprint = Fingerprint::of_circuit(circuit);
    let (profile, layer) = (Profile::Dev, Layer::Segment);
    let load = || cache.circuit(profile, layer, &fingerprint);
    assert!(load().is_none(), "nothing is kept yet");

    cache.keep_circuit(profile, layer, &fingerprint, circuit).unwrap();
    assert!(load().is_some_and(|loaded| loaded == *circuit));

    let path = cache.file(profile, layer, Kind::Circuit, &fingerprint).unwrap();
    let intact = fs::read(&path).unwrap();
    for at in [0, 31, 32, 40, intact.len() / 2, intact.len() - 1] {
        let mut changed = intact.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(load().is_none(), "byte {at} was changed");
    }
    for length in [0, 16, 32, intact.len() - 1] {
        fs::write(&path, &intact[..length]).unwrap();
        assert!(load().is_none(), "cut to {length} bytes");
    }

    // An intact file of another circuit, put under this one's name.
    let other = build(Clauses::without(Clause::SegmentRoot)).circuit;
    cache.keep_circuit(profile, layer, &fingerprint, &other).unwrap();
    assert!(load().is_none());

    // The right circuit again replaces it, and a file of an older version goes.
    fs::write(folder.join("dev-segment-circuit-0000000000000000.bin"), b"old").unwrap();
    cache.keep_circuit(profile, layer, &fingerprint, circuit).unwrap();
    assert!(load().is_some());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    fs::remove_dir_all(&folder).unwrap();
}
