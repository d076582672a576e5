//! The circuits that this version is about. A prover or verifier whose circuits are others refuses to start.
//!
//! `cargo run --release -p cairn-circuits --example pin` prints this file's tables anew.

use crate::fingerprint::Fingerprint;
use crate::{Layer, Profile};

/// A layer's circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// log2 of its rows.
    pub degree_bits: usize,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

include!("pinned_tables.rs");

/// Our own gates: name, fingerprint as built, and as pinned.
pub fn gates() -> impl Iterator<Item = (&'static str, Fingerprint, Fingerprint)> {
    [
        ("receipt", Fingerprint::of_receipt_gate(), RECEIPT_GATE),
        ("double-and-add", Fingerprint::of_double_add_gate(), DOUBLE_AND_ADD_GATE),
    ]
    .into_iter()
}

/// The pins of a profile, from the bottom up.
pub fn layers(profile: Profile) -> impl Iterator<Item = (Layer, &'static Pin)> {
    let table = match profile {
        Profile::Dev => DEV,
        Profile::Production => PRODUCTION,
    };
    Layer::all().zip(table)
}

/// The pin of a layer.
///
/// # Panics
/// When the table has no such layer, because it was not made anew after a change of the proof tree.
#[must_use]
pub fn layer(profile: Profile, layer: Layer) -> &'static Pin {
    layers(profile)
        .find_map(|(found, pin)| (found == layer).then_some(pin))
        .expect("the pinned tables have every layer of the proof tree; make them anew")
}
