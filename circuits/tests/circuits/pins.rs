//! The circuits that are built are the pinned ones, and the cache gives back those and no others.

use crate::heavy::seat;
use crate::segment_attacks::{build, full};
use cairn_circuits::cache::{Cache, Kind};
use cairn_circuits::fingerprint::Fingerprint;
use cairn_circuits::security::MAX_OPENED_POLYNOMIALS;
use cairn_circuits::{CircuitSet, Clause, Clauses, Layer, Profile, pinned};
use std::fs;

/// Builds all circuits of a profile, which checks their fingerprints, and compares what the security estimate assumes.
fn built_circuits_are_the_pinned_ones(profile: Profile) {
    let _seat = seat();
    let set = CircuitSet::make(profile, &Cache::none(), &|_| ()).unwrap();
    assert_eq!(pinned::layers(profile).count(), set.layers().count());
    for ((layer, circuit, used), (pinned_layer, pin)) in set.layers().zip(pinned::layers(profile)) {
        assert_eq!((layer, circuit.common.degree_bits()), (pinned_layer, pin.degree_bits));
        assert!(used <= circuit.common.degree());
        let common = &circuit.common;
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
