//! Against sources that share no line with this crate.

use cairn_schnorr::point::{Affine, NotAPoint, Point};
use cairn_schnorr::quintic::Quintic;
use cairn_schnorr::scalar::Scalar;
use cairn_schnorr::{PublicKey, Signature, SigningKey, challenge};

/// `w0` to `w7` of the reference implementation of ecGFp5 by Thomas Pornin, computed with Sage; `plonky2_ecgfp5` (MIT) has
/// them too. `w1` is random, `w2` a random multiple of it, and what the others are the test says.
const ENCODINGS: [[u64; 5]; 8] = [
    [0, 0, 0, 0, 0],
    [12539254003028696409, 15524144070600887654, 15092036948424041984, 11398871370327264211, 10958391180505708567],
    [11001943240060308920, 17075173755187928434, 3940989555384655766, 15017795574860011099, 5548543797011402287],
    [246872606398642312, 4900963247917836450, 7327006728177203977, 13945036888436667069, 3062018119121328861],
    [8058035104653144162, 16041715455419993830, 7448530016070824199, 11253639182222911208, 6228757819849640866],
    [10523134687509281194, 11148711503117769087, 9056499921957594891, 13016664454465495026, 16494247923890248266],
    [12173306542237620, 6587231965341539782, 17027985748515888117, 17194831817613584995, 10056734072351459010],
    [9420857400785992333, 4695934009314206363, 14471922162341187302, 13395190104221781928, 16359223219913018041],
];

/// From the same source: words that encode no point.
const NO_ENCODINGS: [[u64; 5]; 6] = [
    [13557832913345268708, 15669280705791538619, 8534654657267986396, 12533218303838131749, 5058070698878426028],
    [135036726621282077, 17283229938160287622, 13113167081889323961, 1653240450380825271, 520025869628727862],
    [6727960962624180771, 17240764188796091916, 3954717247028503753, 1002781561619501488, 4295357288570643789],
    [4578929270179684956, 3866930513245945042, 7662265318638150701, 9503686272550423634, 12241691520798116285],
    [16890297404904119082, 6169724643582733633, 9725973298012340311, 5977049210035183790, 11379332130141664883],
    [13777379982711219130, 14715168412651470168, 17942199593791635585, 6188824164976547520, 15461469634034461986],
];

fn encoding(words: [u64; 5]) -> Quintic {
    Quintic::new(words).expect("canonical")
}

#[test]
fn sums_and_doubles_are_those_of_the_reference_implementation() {
    let w = ENCODINGS.map(encoding);
    let p = w.map(|w| Affine::decode(w).expect("a point"));
    assert_eq!(p[0], Affine::NEUTRAL);
    for (point, w) in p.iter().zip(w) {
        assert_eq!(point.encode(), w);
        assert_eq!(Affine::new(point.x(), point.u()), Ok(*point));
    }
    let q = p.map(Point::from);
    for (sum, expected) in [
        (q[1] + q[2], w[3]),
        (q[1] + q[1], w[4]),
        (q[1].double(), w[4]),
        (q[2].double(), w[5]),
        (q[1].double() + q[2], w[6]),
        (q[1] + q[2].double(), w[7]),
        (q[0] + q[1], w[1]),
        (q[0].double(), w[0]),
    ] {
        assert_eq!(sum.encode(), expected);
    }
    for (sum, expected) in [(p[1] + p[2], p[3]), (p[1] + p[1], p[4]), (p[4] + p[2], p[6]), (p[1] + p[0], p[1])] {
        assert_eq!(sum, expected);
    }
}

#[test]
fn words_that_encode_no_point_are_refused() {
    for words in NO_ENCODINGS {
        assert_eq!(Affine::decode(encoding(words)), Err(NotAPoint));
    }
}

#[test]
fn a_multiple_is_that_of_the_reference_implementation() {
    let point = encoding([
        7534507442095725921,
        16658460051907528927,
        12417574136563175256,
        2750788641759288856,
        620002843272906439,
    ]);
    let scalar = "1b1851c81d22d40d6d36ecce5427416608142f8fff64b47628cd3ff8aa2516d4bad0cc021a447c03";
    let scalar = Scalar::from_bytes(&bytes(scalar)).expect("below the order");
    let expected = encoding([
        9486104512504676657,
        14312981644741144668,
        5159846406177847664,
        15978863787033795628,
        3249948839313771192,
    ]);
    let point = Point::from(Affine::decode(point).expect("a point"));
    assert_eq!(point.multiply(&scalar).encode(), expected);
}

#[test]
fn the_generator_is_encoded_as_four() {
    assert_eq!(Affine::GENERATOR.encode(), Quintic::from(4));
    assert_eq!(Affine::decode(Quintic::from(4)), Ok(Affine::GENERATOR));
}

/// `reference/vectors.txt` was made by `reference/reference.py`, with the curve's own chords and tangents.
#[test]
fn signatures_are_those_of_the_textbook() {
    let lines = include_str!("reference/vectors.txt").lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let fields: [&str; 6] = line.split(' ').collect::<Vec<_>>().try_into().expect("six fields");
        let [secret, message, public_key, nonce, digest, signature] = fields;
        let message = words(&bytes::<32>(message));
        let secret = SigningKey::from_hex(secret).expect("a secret");
        let signature: Signature = signature.parse().expect("a signature");
        let public_key: PublicKey = public_key.parse().expect("a public key");
        assert_eq!(secret.public_key(), public_key);
        let nonce = Scalar::from_bytes(&bytes(nonce)).expect("below the order");
        assert_eq!(Point::multiply_generator(&nonce).encode(), signature.commitment());
        let commitment = signature.commitment();
        assert_eq!(challenge(commitment, encoding(public_key.words()), &message), words(&bytes::<32>(digest)));
        assert_eq!(secret.sign(&message), signature);
        assert_eq!(public_key.verify(&message, &signature), Ok(()));
        count += 1;
    }
    assert_eq!(count, 16);
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).expect("hexadecimal");
    bytes
}

fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|index| u64::from_le_bytes(words[index]))
}
