//! What makes a circuit the one it is, in 32 bytes.
//!
//! plonky2's own circuit digest binds the wiring and constants but not which gates there are, let alone what they
//! check. So a fingerprint covers the serialised common data (gates, parameters, shape) and the verifier key; and for our own gates,
//! whose serialised form is only a name, there is one each of their constraints' values at a fixed pseudo-random point.

use crate::Clauses;
use crate::plonk::{Config, D, Data, Extension, F};
use crate::receipt_gate::ReceiptGate;
use crate::serializers::Gates;
use crate::signature::double_add::DoubleAddGate;
use plonky2::field::extension::FieldExtension;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::gates::gate::Gate;
use plonky2::hash::hash_types::HashOut;
use plonky2::plonk::vars::EvaluationVars;
use std::fmt;

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Fingerprint {
    /// Of a circuit's common data and verifier key.
    ///
    /// # Panics
    /// When the circuit has a gate that [`Gates`] does not know, which no circuit here has.
    #[must_use]
    pub fn of_circuit<K: Config>(circuit: &Data<K>) -> Self {
        let common = circuit.common.to_bytes(&Gates).expect("the list of gates has all that are used");
        let key = circuit.verifier_only.to_bytes().expect("writing to memory does not fail");
        let mut hasher = blake3::Hasher::new_derive_key("cairn v1 circuit");
        hasher.update(&(common.len() as u64).to_le_bytes()).update(&common).update(&key);
        Self(*hasher.finalize().as_bytes())
    }

    /// Of the receipt gate's constraints.
    #[must_use]
    pub fn of_receipt_gate() -> Self {
        Self::of_gate(&ReceiptGate::new(Clauses::ALL))
    }

    /// Of the double-and-add gate's constraints.
    #[must_use]
    pub fn of_double_add_gate() -> Self {
        Self::of_gate(&DoubleAddGate::new(Clauses::ALL))
    }

    /// Of a gate's constraints: their values at a point of the extension field that nothing was chosen to suit.
    fn of_gate(gate: &impl Gate<F, D>) -> Self {
        let mut stream = blake3::Hasher::new_derive_key("cairn v1 gate point").finalize_xof();
        let mut element = || {
            let mut bytes = [0; 16];
            stream.fill(&mut bytes);
            F::from_noncanonical_u128(u128::from_le_bytes(bytes))
        };
        let mut point = || Extension::from_basefield_array([element(), element()]);
        let wires: Vec<Extension> = (0..gate.num_wires()).map(|_| point()).collect();
        let vars = EvaluationVars { local_constants: &[], local_wires: &wires, public_inputs_hash: &HashOut::ZERO };
        let mut hasher = blake3::Hasher::new_derive_key("cairn v1 gate values");
        for value in gate.eval_unfiltered(vars) {
            let limbs: [F; D] = value.to_basefield_array();
            limbs.iter().for_each(|limb| {
                hasher.update(&limb.to_canonical_u64().to_le_bytes());
            });
        }
        Self(*hasher.finalize().as_bytes())
    }
}
