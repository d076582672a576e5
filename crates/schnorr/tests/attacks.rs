//! What must not pass, and what must not show.

use cairn_goldilocks::MODULUS;
use cairn_schnorr::point::Point;
use cairn_schnorr::quintic::{NonCanonicalWord, Quintic};
use cairn_schnorr::scalar::{ORDER, Scalar, ScalarTooLarge};
use cairn_schnorr::{
    InvalidKey, InvalidSecret, InvalidSignature, PublicKey, Signature, SigningKey, Unverified, challenge,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

const MESSAGE: [u64; 4] = [1, 2, 3, MODULUS - 1];

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(&mut StdRng::seed_from_u64(seed))
}

/// The bytes with word `index` replaced by what `change` makes of it.
fn with_word<const N: usize>(mut bytes: [u8; N], index: usize, change: impl Fn(u64) -> u64) -> [u8; N] {
    let (words, _) = bytes.as_chunks_mut::<8>();
    words[index] = change(u64::from_le_bytes(words[index])).to_le_bytes();
    bytes
}

/// `a + b` of 320-bit integers, if it fits.
fn add(a: [u64; 5], b: [u64; 5]) -> Option<[u64; 5]> {
    let mut carry = false;
    let sum = std::array::from_fn(|index| {
        let (word, over) = a[index].carrying_add(b[index], carry);
        carry = over;
        word
    });
    (!carry).then_some(sum)
}

#[test]
fn a_response_plus_the_order_is_refused() {
    let bytes = key(1).sign(&MESSAGE).to_bytes();
    let signature = Signature::from_bytes(&bytes).expect("a signature");
    let twin = add(signature.response().words(), ORDER).expect("2n is below 2^320");
    let mut forged = bytes;
    for (chunk, word) in forged[40..].as_chunks_mut::<8>().0.iter_mut().zip(twin) {
        *chunk = word.to_le_bytes();
    }
    assert_eq!(Signature::from_bytes(&forged), Err(InvalidSignature::Response(ScalarTooLarge)));
}

#[test]
fn words_of_the_modulus_and_beyond_are_refused_wherever_they_stand() {
    let signing = key(2);
    let signature = signing.sign(&MESSAGE).to_bytes();
    for index in 0..5 {
        for word in [MODULUS, MODULUS + 1, u64::MAX] {
            let error = NonCanonicalWord { index, word };
            let forged = with_word(signature, index, |_| word);
            assert_eq!(Signature::from_bytes(&forged), Err(InvalidSignature::Commitment(error)));
            let forged = with_word(signing.public_key().to_bytes(), index, |_| word);
            assert_eq!(PublicKey::from_bytes(&forged), Err(InvalidKey::NonCanonical(error)));
        }
    }
    // A small word has a twin modulo p: the commitment of a signature with one, moved up by p.
    let small = Quintic::from_residues([5, 0, 0, 0, 0]).to_bytes();
    assert!(PublicKey::from_bytes(&small).is_ok() || PublicKey::from_bytes(&small) == Err(InvalidKey::NotAPoint));
    assert!(matches!(
        PublicKey::from_bytes(&with_word(small, 0, |word| word + MODULUS)),
        Err(InvalidKey::NonCanonical(_))
    ));
}

#[test]
fn a_message_that_is_no_digest_is_refused() {
    let signing = key(3);
    let signature = signing.sign(&[1, 2, 3, 4]);
    for index in 0..4 {
        let mut message = [1, 2, 3, 4];
        message[index] += MODULUS;
        assert_eq!(signing.public_key().verify(&message, &signature), Err(Unverified::Message { index }));
        let refused = std::panic::catch_unwind(|| key(3).sign(&message));
        assert!(refused.is_err());
    }
}

#[test]
fn the_neutral_key_and_the_neutral_commitment_are_refused() {
    assert_eq!(PublicKey::decode([0; 5]), Err(InvalidKey::Neutral));
    // For a neutral key any s with R = s G would do; for R neutral, s = e d.
    let signature = key(4).sign(&MESSAGE).to_bytes();
    let mut forged = signature;
    forged[..40].fill(0);
    assert_eq!(Signature::from_bytes(&forged), Err(InvalidSignature::NeutralCommitment));
    assert_eq!(Signature::new(Quintic::ZERO, Scalar::ONE), Err(InvalidSignature::NeutralCommitment));
}

#[test]
fn a_signature_whose_commitment_would_be_neutral_cannot_be_built_even_with_the_secret() {
    // s = e d makes s G - e K the neutral element, whose encoding is zero; no other R fits it.
    let signing = key(5);
    let secret = Scalar::from_bytes(&signing.to_bytes()).expect("a scalar");
    for word in [1_u32, 4, 17] {
        let commitment = Quintic::from(word);
        let encoding = Quintic::new(signing.public_key().words()).expect("canonical");
        let e = Scalar::from_challenge(&challenge(commitment, encoding, &MESSAGE));
        let forged = Signature::new(commitment, e * secret).expect("not neutral");
        assert_eq!(signing.public_key().verify(&MESSAGE, &forged), Err(Unverified::Mismatch));
    }
}

#[test]
fn a_commitment_or_key_off_the_curve_is_refused() {
    let signing = key(6);
    let response = signing.sign(&MESSAGE).response();
    let mut seen = 0;
    for word in 1..200_u32 {
        let w = Quintic::from_residues([word.into(), 1, 0, 0, 0]);
        if PublicKey::decode(w.words()) == Err(InvalidKey::NotAPoint) {
            seen += 1;
            let forged = Signature::new(w, response).expect("not neutral");
            assert!(forged.commitment_point().is_err());
            assert_eq!(signing.public_key().verify(&MESSAGE, &forged), Err(Unverified::Mismatch));
        }
    }
    assert!((50..150).contains(&seen), "half of all words encode no point, not {seen} of 199");
}

#[test]
fn a_secret_of_zero_or_beyond_the_order_is_refused() {
    assert!(matches!(SigningKey::from_bytes(&[0; 40]), Err(InvalidSecret::OutOfRange)));
    assert!(matches!(SigningKey::from_bytes(&[0xff; 40]), Err(InvalidSecret::OutOfRange)));
    let mut order = [0; 40];
    for (chunk, word) in order.as_chunks_mut::<8>().0.iter_mut().zip(ORDER) {
        *chunk = word.to_le_bytes();
    }
    assert!(matches!(SigningKey::from_bytes(&order), Err(InvalidSecret::OutOfRange)));
    order[0] -= 1;
    assert!(SigningKey::from_bytes(&order).is_ok());
    assert!(matches!(SigningKey::from_hex("12"), Err(InvalidSecret::Hexadecimal)));
    assert!(matches!(SigningKey::from_hex(&"zz".repeat(40)), Err(InvalidSecret::Hexadecimal)));
}

#[test]
fn a_secret_does_not_show_when_printed() {
    let signing = key(7);
    let shown = format!("{signing:?}");
    assert_eq!(shown, format!("SigningKey(of {})", signing.public_key()));
    let secret = Scalar::from_bytes(&signing.to_bytes()).expect("a scalar");
    assert!(!shown.contains(signing.to_hex().as_str()));
    assert!(
        secret.words().iter().all(|word| !shown.contains(&word.to_string()) && !shown.contains(&format!("{word:x}")))
    );
}

#[test]
fn a_secret_is_erased_when_it_is_dropped() {
    fn erased_on_drop<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    let signing = key(7);
    erased_on_drop(&signing);
    erased_on_drop(&signing.to_bytes());
    erased_on_drop(&signing.to_hex());
    let mut scalar = Scalar::from_bytes(&signing.to_bytes()).expect("a scalar");
    zeroize::Zeroize::zeroize(&mut scalar);
    assert_eq!(scalar, Scalar::ZERO);
}

#[test]
fn two_messages_never_share_a_nonce_and_one_is_signed_the_same_way_each_time() {
    let signing = key(8);
    let mut commitments = std::collections::HashSet::new();
    for count in 0..200 {
        let message = [count, 0, 0, 0];
        let signature = signing.sign(&message);
        assert_eq!(signing.sign(&message), signature);
        assert!(commitments.insert(signature.commitment()));
        assert!(commitments.insert(key(9).sign(&message).commitment()), "another secret, another nonce");
        assert_ne!(key(9).sign(&message), key(9).sign(&[count + 1, 0, 0, 0]));
    }
}

#[test]
fn a_signature_is_bound_to_key_commitment_and_message_by_the_challenge() {
    // Without the key in the challenge, R and s of one key could be turned into those of a related one.
    let (first, second) = (key(10), key(11));
    let signature = first.sign(&MESSAGE);
    let e = |key: &SigningKey| {
        let encoding = Quintic::new(key.public_key().words()).expect("canonical");
        Scalar::from_challenge(&challenge(signature.commitment(), encoding, &MESSAGE))
    };
    let scalar = |key: &SigningKey| Scalar::from_bytes(&key.to_bytes()).expect("a scalar");
    let shifted = scalar(&first) + scalar(&second);
    let related = SigningKey::from_bytes(&shifted.to_bytes()).expect("not zero");
    let moved = Signature::new(signature.commitment(), signature.response() + e(&first) * scalar(&second)).expect("R");
    assert_eq!(related.public_key().verify(&MESSAGE, &moved), Err(Unverified::Mismatch));
    assert_ne!(e(&first), e(&related));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_signed_verifies_in_every_form(seed in any::<u64>(), message in any::<[u64; 4]>()) {
        let message = message.map(|word| word % MODULUS);
        let signing = key(seed);
        let again = SigningKey::from_hex(&signing.to_hex()).expect("the same key");
        prop_assert_eq!(*again.to_bytes(), *signing.to_bytes());
        let public: PublicKey = signing.public_key().to_string().parse().expect("a key");
        prop_assert_eq!(public, again.public_key());
        prop_assert_eq!(PublicKey::decode(public.words()), Ok(public));
        let signature = again.sign(&message);
        let parsed: Signature = signature.to_string().parse().expect("a signature");
        prop_assert_eq!(parsed, signature);
        prop_assert_eq!(public.verify(&message, &parsed), Ok(()));
        // The equation itself, by other means.
        let e = Scalar::from_challenge(&challenge(signature.commitment(), public.point().encode(), &message));
        let left = Point::multiply_generator(&signature.response()) - Point::from(public.point()).multiply(&e);
        prop_assert_eq!(left, Point::from(signature.commitment_point().expect("a point")));
    }

    #[test]
    fn nothing_verifies_after_any_bit_is_flipped(seed in any::<u64>(), bit in 0..640_usize, word in 0..4_usize) {
        let signing = key(seed);
        let public = signing.public_key();
        let signature = signing.sign(&MESSAGE);
        let mut bytes = signature.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(forged) = Signature::from_bytes(&bytes) {
            prop_assert_eq!(public.verify(&MESSAGE, &forged), Err(Unverified::Mismatch));
        }
        let mut other = MESSAGE;
        // Word 3 is p - 1, below which any bit set may be cleared.
        other[word] ^= if word == 3 { 1 << (32 + bit % 32) } else { 1 << (bit % 63) };
        prop_assert_eq!(public.verify(&other, &signature), Err(Unverified::Mismatch));
        prop_assert_eq!(key(seed ^ 1).public_key().verify(&MESSAGE, &signature), Err(Unverified::Mismatch));
        let negated = Signature::new(-signature.commitment(), -signature.response()).expect("not neutral");
        prop_assert_eq!(public.verify(&MESSAGE, &negated), Err(Unverified::Mismatch));
    }

    #[test]
    fn bytes_are_taken_for_a_signature_in_one_form_only(bytes in any::<[[u8; 40]; 2]>()) {
        let bytes: [u8; 80] = bytes.as_flattened().try_into().expect("80");
        if let Ok(signature) = Signature::from_bytes(&bytes) {
            prop_assert_eq!(signature.to_bytes(), bytes);
            prop_assert!(bytes[79] < 0x80, "the order has 319 bits");
        }
    }
}
