//! Signatures, and a circuit that checks one.

use cairn_circuits::gadgets::Enforcer;
use cairn_circuits::plonk::{Builder, DigestTarget, F, elements};
use cairn_circuits::{Clause, Clauses, Compiled, Draft, Layer, Profile, SignatureTarget};
use cairn_schnorr::SigningKey;
use cairn_schnorr::scalar::Scalar;
use cairn_types::ReceiptSignature;
use plonky2::field::types::Field;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use std::sync::OnceLock;

/// One signature slot, whose key, message and flag are inputs.
pub struct Slot {
    pub key: [Target; 5],
    pub message: DigestTarget,
    pub occupied: Target,
    pub signature: SignatureTarget,
    pub free: Vec<(Clause, Vec<Target>)>,
}

/// What a slot is given.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    pub key: [u64; 5],
    pub message: [u64; 4],
    pub signature: Option<ReceiptSignature>,
}

/// A slot whose key, message and flag nothing else constrains.
pub fn constrain(builder: &mut Builder, enforcer: &mut Enforcer) -> Slot {
    let (key, message) = (builder.add_virtual_target_arr(), builder.add_virtual_target_arr());
    let occupied = builder.add_virtual_target();
    let signature = SignatureTarget::constrain(builder, enforcer, key, message, occupied);
    Slot { key, message, occupied, signature, free: std::mem::take(enforcer).into_free() }
}

pub fn draft(clauses: Clauses) -> Draft<Slot> {
    let mut builder = Builder::new(Layer::Segment.config(Profile::Dev));
    let target = constrain(&mut builder, &mut Enforcer::new(clauses));
    Draft::new(builder, target)
}

pub fn build(clauses: Clauses) -> Compiled<Slot> {
    draft(clauses).build()
}

/// The circuit with all clauses.
pub fn full() -> &'static Compiled<Slot> {
    static FULL: OnceLock<Compiled<Slot>> = OnceLock::new();
    FULL.get_or_init(|| build(Clauses::ALL))
}

pub fn assign(slot: &Slot, given: &Given) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    witness.set_target_arr(&slot.key, &elements(given.key)).unwrap();
    witness.set_target_arr(&slot.message, &elements(given.message)).unwrap();
    witness.set_target(slot.occupied, F::from_bool(given.signature.is_some())).unwrap();
    slot.signature.assign(&mut witness, given.signature.as_ref()).unwrap();
    witness
}

/// A secret number.
pub fn secret_scalar(secret: u64) -> Scalar {
    Scalar::from_words([secret, 0, 0, 7 << 48, 0]).unwrap()
}

/// Its signing key.
pub fn signing_key(secret: u64) -> SigningKey {
    SigningKey::from_bytes(&secret_scalar(secret).to_bytes()).unwrap()
}

/// A valid signature.
pub fn signed(secret: u64, message: [u64; 4]) -> Given {
    let key = signing_key(secret);
    let signature = ReceiptSignature::from_bytes(key.sign(&message).to_bytes());
    Given { key: key.public_key().words(), message, signature: Some(signature) }
}
