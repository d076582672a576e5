//! What a verifier of the last layer's proofs has to know of its circuit, as the source text of `crates/verifier/src/generated/`.
//!
//! `make constants` writes those files, and a test compares them with what is printed here.

use crate::fingerprint::Fingerprint;
use crate::plonk::{Common, F};
use crate::{CircuitSet, Profile};
use plonky2::field::types::{Field, PrimeField64};
use plonky2::hash::hash_types::BytesHash;
use plonky2::plonk::config::GenericHashOut;
use serde::Deserialize;
use std::fmt::{self, Write};
use std::ops::Range;
use std::path::PathBuf;

/// Which gates share a selector. plonky2 keeps this to itself, except when it is serialised.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Selectors {
    /// Each gate's selector.
    pub selector_indices: Vec<usize>,
    /// Each selector's gates.
    pub groups: Vec<Range<usize>>,
}

impl Selectors {
    /// Of a circuit.
    ///
    /// # Panics
    /// When plonky2 serialises them otherwise, which its one pinned version does not.
    #[must_use]
    pub fn of(common: &Common) -> Self {
        let value = serde_json::to_value(&common.selectors_info).expect("numbers in lists");
        serde_json::from_value(value).expect("plonky2 1.1.0 serialises selectors by these names")
    }
}

/// The file of a profile, below the workspace's root.
#[must_use]
pub fn file(profile: Profile) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/verifier/src/generated");
    folder.join(format!("{profile}.rs"))
}

/// The contents of the file of a profile.
#[must_use]
pub fn source(circuits: &CircuitSet) -> String {
    let mut text = String::new();
    write(&mut text, circuits).expect("writing to a string does not fail");
    text
}

fn write(text: &mut String, circuits: &CircuitSet) -> fmt::Result {
    let circuit = &circuits.last.circuit;
    let (common, key) = (&circuit.common, &circuit.verifier_only);
    let fri = &common.fri_params;
    let selectors = Selectors::of(common);

    writeln!(text, "//! The last layer's circuit of profile `{}`. Written by `make constants`.", circuits.profile)?;
    let mut number =
        |doc: &str, name: &str, value: usize| writeln!(text, "\n/// {doc}.\npub const {name}: usize = {value};");
    number("log2 of the circuit's rows", "DEGREE_BITS", common.degree_bits())?;
    number("log2 of the points of the domain of which one is a row", "RATE_BITS", fri.config.rate_bits)?;
    number("Places where the committed polynomials are opened", "QUERIES", fri.config.num_query_rounds)?;
    number(
        "Leading zero bits that the response to the prover's work has",
        "GRINDING_BITS",
        fri.config.proof_of_work_bits as usize,
    )?;
    number("log2 of the hashes in a cap", "CAP_BITS", fri.config.cap_height)?;
    number("Selectors and gate constants of a row", "NUM_CONSTANTS", common.num_constants)?;
    number("Selectors of a row, which come before the constants", "NUM_SELECTORS", selectors.groups.len())?;
    number("Challenges in each round, all in the base field", "NUM_CHALLENGES", common.config.num_challenges)?;
    number(
        "Partial products of the wiring argument for each challenge",
        "NUM_PARTIAL_PRODUCTS",
        common.num_partial_products,
    )?;
    number("Chunks of the quotient for each challenge", "QUOTIENT_DEGREE_FACTOR", common.quotient_degree_factor)?;
    number("Constraints of the gate that has most", "NUM_GATE_CONSTRAINTS", common.num_gate_constraints)?;
    number("Columns", "NUM_WIRES", common.config.num_wires)?;
    number("Columns that can be wired", "NUM_ROUTED_WIRES", common.config.num_routed_wires)?;

    let lde_bits = fri.lde_bits();
    let mut element = |doc: &str, name: &str, value: F| {
        writeln!(text, "\n/// {doc}.\npub const {name}: u64 = {};", value.to_canonical_u64())
    };
    element(
        "Generator of the subgroup that the rows are",
        "SUBGROUP_GENERATOR",
        F::primitive_root_of_unity(common.degree_bits()),
    )?;
    element(
        "Generator of the subgroup of which the domain is a coset",
        "DOMAIN_GENERATOR",
        F::primitive_root_of_unity(lde_bits),
    )?;
    element("What shifts that subgroup to the domain", "COSET_SHIFT", F::coset_shift())?;

    writeln!(text, "\n/// log2 of the evaluations that each folding joins.")?;
    writeln!(
        text,
        "pub const FOLDING_BITS: [usize; {}] = {:?};",
        fri.reduction_arity_bits.len(),
        fri.reduction_arity_bits
    )?;
    let transcript = fri_transcript(common);
    writeln!(text, "\n/// What the transcript begins with: the parameters of the opening argument.")?;
    writeln!(text, "pub const FRI_TRANSCRIPT: [u64; {}] = {transcript:?};", transcript.len())?;

    writeln!(text, "\n/// The pinned fingerprint of the circuit: gates, parameters, shape and verifier key.")?;
    hash(text, "CIRCUIT_ID", &Fingerprint::of_circuit(circuit).0)?;
    writeln!(text, "\n/// plonky2's digest of the circuit, which its transcript begins with.")?;
    hash(text, "CIRCUIT_DIGEST", &bytes(&key.circuit_digest))?;

    let cap = &key.constants_sigmas_cap.0;
    writeln!(text, "\n/// The cap over constants and wiring.\n#[rustfmt::skip]")?;
    writeln!(text, "pub const CONSTANTS_SIGMAS_CAP: [[u8; 32]; {}] = [", cap.len())?;
    for digest in cap {
        writeln!(text, "    [\n{}    ],", lines(&bytes(digest), "        "))?;
    }
    writeln!(text, "];")?;

    writeln!(text, "\n/// Shifts of the subgroup, one for each column that can be wired.\n#[rustfmt::skip]")?;
    writeln!(text, "pub const K_IS: [u64; {}] = [", common.k_is.len())?;
    for shifts in common.k_is.chunks(4) {
        let shifts: Vec<_> = shifts.iter().map(|shift| shift.to_canonical_u64().to_string()).collect();
        writeln!(text, "    {},", shifts.join(", "))?;
    }
    writeln!(text, "];")?;

    writeln!(
        text,
        "\n/// The gates in order: name, its selector, first gate of that selector and the one after its last, index of the gate."
    )?;
    writeln!(
        text,
        "#[rustfmt::skip]\npub const GATES: [(&str, usize, usize, usize, usize); {}] = [",
        common.gates.len()
    )?;
    for (index, gate) in common.gates.iter().enumerate() {
        let selector = selectors.selector_indices[index];
        let Range { start, end } = selectors.groups[selector];
        writeln!(text, "    ({:?}, {selector}, {start}, {end}, {index}),", gate.0.id())?;
    }
    writeln!(text, "];")
}

/// What plonky2 puts into the transcript before anything else.
fn fri_transcript(common: &Common) -> Vec<u64> {
    let fri = &common.fri_params;
    let strategy: Vec<F> = fri.config.reduction_strategy.serialize();
    let mut words =
        vec![fri.config.rate_bits as u64, fri.config.cap_height as u64, fri.config.proof_of_work_bits.into()];
    words.extend(strategy.iter().map(PrimeField64::to_canonical_u64));
    words.extend([fri.config.num_query_rounds as u64, fri.hiding.into(), fri.degree_bits as u64]);
    words.extend(fri.reduction_arity_bits.iter().map(|&bits| bits as u64));
    words
}

fn hash(text: &mut String, name: &str, bytes: &[u8]) -> fmt::Result {
    writeln!(text, "#[rustfmt::skip]\npub const {name}: [u8; 32] = [\n{}];", lines(bytes, "    "))
}

fn bytes(digest: &BytesHash<32>) -> Vec<u8> {
    GenericHashOut::<F>::to_bytes(digest)
}

fn lines(bytes: &[u8], indent: &str) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    bytes.chunks(16).map(|line| format!("{indent}{},\n", line.join(", "))).collect()
}
