//! How many bits of security a profile has, layer by layer.
//!
//! A prover that wants to cheat succeeds with at most the sum of these probabilities, so the bits of a layer are those of
//! the weakest part. For a trace of `n` rows, rate `r`, code length `N = n/r`, `q` the extension field's order, `p` the base field's:
//!
//! * **queries**: a word that is far from the code passes each query with probability at most 1 minus its distance, and
//!   grinding makes each attempt cost `2^g` hashes. *Conjectured* (ethSTARK, IACR eprint 2021/582): `r` per query. *Proven*, up to the
//!   Johnson bound: `sqrt(r)·(1 + 1/2m)` per query, for any `m ≥ 3`.
//! * **commit phase**: folding or batching words that are far from the code gives one that is near. *Conjectured*: `N/q`.
//!   *Proven*: `((2(m+½)^5 + 3(m+½)γr)/(3r^1.5)·N + (m+½)/sqrt(r))/q` for each combination of two words, with `γ` the distance (Ben-Sasson,
//!   Carmon, Haböck, Kopparty, Saraf, IACR eprint 2025/2055), times the number of words less one when they are combined by powers.
//! * **wiring**: the permutation argument's challenges are in the *base* field, `num_challenges` of them:
//!   `(80n/p)^num_challenges`, times the number of words within the Johnson radius for the proven figure.
//! * **opening point**: `8n/q`, times the same number.
//!
//! All of this is for the interactive protocol with Poseidon as a random oracle; Poseidon itself, with plonky2's
//! number of rounds, is put at about [`POSEIDON_BITS`] bits. `m` is chosen for the best proven figure.

use crate::{Layer, Profile};
use plonky2::plonk::circuit_data::CircuitConfig;

/// What an audit of plonky2 (Least Authority, December 2022) leaves of Poseidon with 8 + 22 rounds, about.
pub const POSEIDON_BITS: u32 = 95;
/// Polynomials that one proof opens, at most: wires, routed wires' sigmas, constants, partial products, quotient chunks.
pub const MAX_OPENED_POLYNOMIALS: usize = 300;

/// Bits of one layer or of a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Security {
    /// Under the ethSTARK conjecture.
    pub conjectured: f64,
    /// Proven, up to the Johnson bound.
    pub proven: f64,
}

impl Security {
    /// Whole bits, rounded down: conjectured, proven.
    #[must_use]
    pub const fn floor(self) -> (u32, u32) {
        (self.conjectured as u32, self.proven as u32)
    }

    fn least(self, other: Self) -> Self {
        Self { conjectured: self.conjectured.min(other.conjectured), proven: self.proven.min(other.proven) }
    }
}

/// Bits of a layer whose circuit has `2^degree_bits` rows.
#[must_use]
pub fn of_layer(profile: Profile, layer: Layer, degree_bits: usize) -> Security {
    of_config(&layer.config(profile), degree_bits)
}

/// Bits of a circuit of `2^degree_bits` rows with these parameters.
#[must_use]
pub fn of_config(config: &CircuitConfig, degree_bits: usize) -> Security {
    const FIELD: f64 = 64.0;
    const EXTENSION: f64 = 2.0 * FIELD;
    let fri = &config.fri_config;
    let (rows, rate_bits, queries) = (degree_bits as f64, fri.rate_bits as f64, fri.num_query_rounds as f64);
    let (grinding, challenges) = (f64::from(fri.proof_of_work_bits), config.num_challenges as f64);

    let wiring = challenges * (FIELD - rows - (config.num_routed_wires as f64).log2());
    let point = EXTENSION - rows - 3.0;
    let conjectured = [queries * rate_bits + grinding, EXTENSION - rows - rate_bits, wiring, point];

    let rate = (-rate_bits).exp2();
    let arities =
        fri.reduction_strategy.reduction_arity_bits(degree_bits, fri.rate_bits, fri.cap_height, fri.num_query_rounds);
    let proven = (3..200).map(|m| {
        let multiplicity = f64::from(m);
        let half = multiplicity + 0.5;
        let distance = 1.0 - rate.sqrt() * (1.0 + 0.5 / multiplicity);
        let per_query = -(1.0 - distance).log2();
        let pair = |length: f64| {
            (2.0 * half.powi(5) + 3.0 * half * distance * rate) / (3.0 * rate.powf(1.5)) * length + half / rate.sqrt()
        };
        let mut length = (rows + rate_bits).exp2();
        let mut combined = (MAX_OPENED_POLYNOMIALS as f64 - 1.0) * pair(length);
        for arity in &arities {
            let folded = (*arity as f64).exp2();
            combined += (folded - 1.0) * pair(length);
            length /= folded;
        }
        let list = (half / rate.sqrt()).log2();
        least(&[queries * per_query + grinding, EXTENSION - combined.log2(), wiring - list, point - list])
    });
    Security { conjectured: least(&conjectured), proven: proven.fold(0.0, f64::max) }
}

/// Bits of a profile: those of its weakest layer, at the sizes that the circuits have.
#[must_use]
pub fn of_profile(profile: Profile) -> Security {
    let most = Security { conjectured: f64::INFINITY, proven: f64::INFINITY };
    crate::pinned::layers(profile)
        .map(|(layer, pin)| of_layer(profile, layer, pin.degree_bits))
        .fold(most, Security::least)
}

/// One line for reports: what the profile claims.
#[must_use]
pub fn statement(profile: Profile) -> String {
    let (conjectured, proven) = of_profile(profile).floor();
    let bytes = crate::proof_bytes(profile);
    format!(
        "{profile}: {conjectured} bits conjectured, {proven} proven (weakest layer); Poseidon about {POSEIDON_BITS}; \
         proofs of {bytes} bytes"
    )
}

fn least(bits: &[f64]) -> f64 {
    bits.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_that_are_printed() {
        assert_eq!(
            statement(Profile::Dev),
            "dev: 86 bits conjectured, 50 proven (weakest layer); Poseidon about 95; proofs of 76096 bytes"
        );
        assert_eq!(
            statement(Profile::Production),
            "production: 109 bits conjectured, 80 proven (weakest layer); Poseidon about 95; proofs of 103040 bytes"
        );
    }

    #[test]
    fn every_layer_of_production_has_100_bits_conjectured_and_80_proven() {
        for (layer, pin) in crate::pinned::layers(Profile::Production) {
            let bits = of_layer(Profile::Production, layer, pin.degree_bits);
            assert!(bits.conjectured >= 100.0 && bits.proven >= 80.0, "{layer}: {bits:?}");
        }
    }

    #[test]
    fn every_layer_has_three_challenges() {
        for (profile, layer) in
            Profile::ALL.into_iter().flat_map(|profile| Layer::all().map(move |layer| (profile, layer)))
        {
            assert_eq!(layer.config(profile).num_challenges, 3, "{profile} {layer}");
        }
    }

    #[test]
    fn the_header_with_24_queries_and_20_bits_of_grinding_would_not_reach_80_proven_bits() {
        let mut config = Layer::Batch.config(Profile::Production);
        config.fri_config.num_query_rounds = 24;
        config.fri_config.proof_of_work_bits = 20;
        assert_eq!(of_config(&config, 13).floor(), (110, 78));
    }

    #[test]
    fn the_last_layer_at_rate_8_would_not_reach_80_proven_bits_however_many_queries_it_has() {
        let mut config = Layer::Final.config(Profile::Production);
        config.fri_config.rate_bits = 8;
        config.fri_config.num_query_rounds = 100;
        assert_eq!(of_config(&config, 12).floor(), (108, 79));
    }
}
