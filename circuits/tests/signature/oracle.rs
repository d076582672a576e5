//! The same statement from arithmetic gates alone, bit by bit and with the complete addition of eprint 2022/274 in fractional
//! coordinates: slow, and as plain as it gets. Nothing but the sponge is shared with the circuit under test.

use crate::forgery::Wires;
use crate::samples::Given;
use cairn_circuits::gadgets::sponge;
use cairn_circuits::plonk::{Builder, Circuit, DigestTarget, F, elements};
use cairn_circuits::{Draft, Layer, Profile};
use cairn_schnorr::quintic::Quintic;
use cairn_schnorr::scalar::ORDER;
use cairn_types::Kind;
use plonky2::field::types::Field;
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use std::sync::OnceLock;

type Five = [Target; 5];

/// A point `(X : Z : U : T)` with `x = X/Z` and `u = U/T`.
#[derive(Clone, Copy)]
struct Point {
    x: Five,
    z: Five,
    u: Five,
    t: Five,
}

const GENERATOR_X: [u64; 5] =
    [12883135586176881569, 4356519642755055268, 5248930565894896907, 2165973894480315022, 2448410071095648785];

struct Plain<'a>(&'a mut Builder);

impl Plain<'_> {
    fn constant(&mut self, words: [u64; 5]) -> Five {
        words.map(|word| self.0.constant(F::from_canonical_u64(word)))
    }

    fn add(&mut self, a: Five, b: Five) -> Five {
        std::array::from_fn(|k| self.0.add(a[k], b[k]))
    }

    fn sub(&mut self, a: Five, b: Five) -> Five {
        std::array::from_fn(|k| self.0.sub(a[k], b[k]))
    }

    fn mul(&mut self, a: Five, b: Five) -> Five {
        let mut product = [self.0.zero(); 5];
        for (i, a) in a.into_iter().enumerate() {
            for (j, b) in b.into_iter().enumerate() {
                let fold = if i + j < 5 { F::ONE } else { F::from_canonical_u64(3) };
                let k = (i + j) % 5;
                product[k] = self.0.arithmetic(fold, F::ONE, a, b, product[k]);
            }
        }
        product
    }

    /// `263z·a`, the curve's b times a.
    fn mul_b(&mut self, a: Five) -> Five {
        let b = F::from_canonical_u64(263);
        let rotated = [a[4], a[0], a[1], a[2], a[3]];
        let mut result = rotated.map(|coefficient| self.0.mul_const(b, coefficient));
        result[0] = self.0.mul_const(b * F::from_canonical_u64(3), a[4]);
        result
    }

    fn equal(&mut self, a: Five, b: Five) {
        self.0.connect_array(a, b);
    }

    fn select(&mut self, bit: Target, one: Five, other: Five) -> Five {
        std::array::from_fn(|k| {
            let difference = self.0.sub(one[k], other[k]);
            self.0.mul_add(bit, difference, other[k])
        })
    }

    fn select_point(&mut self, bit: Target, one: Point, other: Point) -> Point {
        Point {
            x: self.select(bit, one.x, other.x),
            z: self.select(bit, one.z, other.z),
            u: self.select(bit, one.u, other.u),
            t: self.select(bit, one.t, other.t),
        }
    }

    /// The group's sum, for all points.
    fn sum(&mut self, one: Point, other: Point) -> Point {
        let t1 = self.mul(one.x, other.x);
        let t2 = self.mul(one.z, other.z);
        let t3 = self.mul(one.u, other.u);
        let t4 = self.mul(one.t, other.t);
        let (xz, zx) = (self.mul(one.x, other.z), self.mul(other.x, one.z));
        let t5 = self.add(xz, zx);
        let (ut, tu) = (self.mul(one.u, other.t), self.mul(other.u, one.t));
        let t6 = self.add(ut, tu);
        let bt2 = self.mul_b(t2);
        let t7 = self.add(t1, bt2);
        let t8 = self.mul(t4, t7);
        let bt5 = self.mul_b(t5);
        let half = self.add(bt5, t7);
        let whole = self.add(half, half);
        let t9 = self.mul(t3, whole);
        let twice_t3 = self.add(t3, t3);
        let (left, right) = (self.add(t4, twice_t3), self.add(t5, t7));
        let t10 = self.mul(left, right);
        let difference = self.sub(t10, t8);
        let apart = self.sub(bt2, t1);
        Point { x: self.mul_b(difference), z: self.sub(t8, t9), u: self.mul(t6, apart), t: self.add(t8, t9) }
    }

    fn bits(&mut self, count: usize) -> Vec<Target> {
        (0..count).map(|_| self.0.add_virtual_bool_target_safe().target).collect()
    }

    fn zero(&mut self, value: Target) {
        let zero = self.0.zero();
        self.0.connect(value, zero);
    }
}

struct Oracle {
    key: Five,
    message: DigestTarget,
    nonce: Five,
    scalar: Vec<Target>,
    elements: Vec<Target>,
    point: [Five; 2],
    root: Five,
}

/// b, which is no square.
const NON_SQUARE: [u64; 5] = [0, 263, 0, 0, 0];

fn draft() -> Draft<Oracle> {
    let mut builder = Builder::new(Layer::Segment.config(Profile::Dev));
    let c = &mut Plain(&mut builder);
    let mut five = || c.0.add_virtual_target_arr::<5>();
    let (key, nonce, x, u, root) = (five(), five(), five(), five(), five());
    let message = c.0.add_virtual_target_arr();
    let one = c.constant([1, 0, 0, 0, 0]);
    let zero = c.constant([0; 5]);

    // The key is the encoding of (x, u): u·w = 1, u²(x² + 2x + b) = x, and x is no square: b·x is one.
    let unit = c.mul(u, key);
    c.equal(unit, one);
    let x_squared = c.mul(x, x);
    let b = c.constant(NON_SQUARE);
    let right = [x, x, b].into_iter().fold(x_squared, |sum, term| c.add(sum, term));
    let u_squared = c.mul(u, u);
    let right = c.mul(u_squared, right);
    c.equal(right, x);
    let (twisted, root_squared) = (c.mul(b, x), c.mul(root, root));
    c.equal(twisted, root_squared);

    // The scalar is below the order: from the top, the first bit that differs is smaller.
    let scalar = c.bits(320);
    let (mut equal, mut below) = (c.0.one(), c.0.zero());
    for index in (0..320).rev() {
        if ORDER[index / 64] >> (index % 64) & 1 == 1 {
            let here = c.0.mul(equal, scalar[index]);
            let smaller = c.0.sub(equal, here);
            below = c.0.add(below, smaller);
            equal = here;
        } else {
            let larger = c.0.mul(equal, scalar[index]);
            equal = c.0.sub(equal, larger);
        }
    }
    let is_one = c.0.one();
    c.0.connect(below, is_one);

    // The challenge in 64 bits for each element, below p: the upper half is not all ones unless the lower is zero.
    let words: Vec<Target> = nonce.into_iter().chain(key).chain(message).collect();
    let challenge = sponge::hash(c.0, Kind::Challenge, &words);
    let elements = c.bits(256);
    for (element, bits) in challenge.into_iter().zip(elements.chunks(64)) {
        let number = bits.iter().rev().fold(c.0.zero(), |sum, &bit| c.0.mul_const_add(F::TWO, sum, bit));
        c.0.connect(number, element);
        let upper = c.0.mul_many(&bits[32..]);
        let lower = c.0.add_many(&bits[..32]);
        let beyond = c.0.mul(upper, lower);
        c.zero(beyond);
    }

    let neutral = Point { x: zero, z: one, u: zero, t: one };
    let quarter = c.constant([13835058052060938241, 0, 0, 0, 0]);
    let generator_x = c.constant(GENERATOR_X);
    let generator = Point { x: generator_x, z: one, u: quarter, t: one };
    let minus_u = c.sub(zero, u);
    let minus_key = Point { x, z: one, u: minus_u, t: one };
    let both = c.sum(generator, minus_key);
    let mut point = neutral;
    for index in (0..320).rev() {
        point = c.sum(point, point);
        let without = c.select_point(scalar[index], generator, neutral);
        let entry = if index < 240 {
            let with = c.select_point(scalar[index], both, minus_key);
            c.select_point(elements[index / 60 * 64 + index % 60], with, without)
        } else {
            without
        };
        point = c.sum(point, entry);
    }
    // w = T/U, and U is not zero.
    let encoded = c.mul(nonce, point.u);
    c.equal(encoded, point.t);
    Draft::new(builder, Oracle { key, message, nonce, scalar, elements, point: [x, u], root })
}

fn oracle() -> &'static (Circuit, Oracle) {
    static ORACLE: OnceLock<(Circuit, Oracle)> = OnceLock::new();
    ORACLE.get_or_init(|| {
        let compiled = draft().build();
        println!("oracle: {} rows for one signature", compiled.used_rows);
        (compiled.circuit, compiled.target)
    })
}

/// Whether the oracle proves that the signature is valid.
pub fn accepts(given: &Given) -> bool {
    let (circuit, target) = oracle();
    let bytes = *given.signature.expect("the oracle has no empty slots").as_bytes();
    let words: Vec<u64> = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let nonce: [u64; 5] = std::array::from_fn(|index| words[index]);
    let Some(mut witness) = assign(target, given, nonce, &words[5..]) else {
        return false;
    };
    // A key that is no point: any values will do, none of them satisfies the constraints.
    let point = cairn_schnorr::PublicKey::decode(given.key).map(|key| key.point());
    let (x, u) = point.map_or((Quintic::ONE, Quintic::ONE), |point| (point.x(), point.u()));
    let root = Option::from((Quintic::new(NON_SQUARE).unwrap() * x).square_root()).unwrap_or(Quintic::ONE);
    for (targets, value) in target.point.into_iter().chain([target.root]).zip([x, u, root]) {
        witness.set_target_arr(&targets, &elements(value.words())).unwrap();
    }
    match generate_partial_witness(witness.clone(), &circuit.prover_only, &circuit.common) {
        Ok(_) => Wires::generate(circuit, witness).prove(circuit).is_ok(),
        // Connected wires that must hold two values: what arithmetic gates compute is not what it must equal.
        Err(_) => false,
    }
}

/// None where a word has no element of its own, which a circuit cannot be given.
fn assign(target: &Oracle, given: &Given, nonce: [u64; 5], scalar: &[u64]) -> Option<PartialWitness<F>> {
    let nonce_element = Quintic::new(nonce).ok()?;
    let challenge = cairn_schnorr::challenge(nonce_element, Quintic::new(given.key).ok()?, &given.message);
    let mut witness = PartialWitness::new();
    witness.set_target_arr(&target.key, &elements(given.key)).unwrap();
    witness.set_target_arr(&target.message, &elements(given.message)).unwrap();
    witness.set_target_arr(&target.nonce, &elements(nonce)).unwrap();
    for (bits, words) in [(&target.scalar, scalar), (&target.elements, &challenge[..])] {
        for (index, &bit) in bits.iter().enumerate() {
            witness.set_target(bit, F::from_bool(words[index / 64] >> (index % 64) & 1 == 1)).unwrap();
        }
    }
    Some(witness)
}
