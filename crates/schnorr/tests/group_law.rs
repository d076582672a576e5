//! Properties of the group law, in all its forms.

use cairn_schnorr::point::{Affine, B, NotAPoint, Point};
use cairn_schnorr::quintic::Quintic;
use cairn_schnorr::scalar::{ORDER, Scalar};
use proptest::prelude::*;

/// Any element, often the neutral one, the generator or its opposite.
fn point() -> impl Strategy<Value = Point> {
    prop_oneof![
        8 => scalar().prop_map(|scalar| Point::multiply_generator(&scalar)),
        1 => prop::sample::select(vec![Affine::NEUTRAL, Affine::GENERATOR, -Affine::GENERATOR]).prop_map(Point::from),
    ]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        4 => any::<[[u8; 40]; 2]>().prop_map(|bytes| Scalar::from_wide_bytes(bytes.as_flattened().try_into().expect("80"))),
        1 => any::<u64>().prop_map(|word| Scalar::from_words([word, 0, 0, 0, 0]).expect("small")),
        1 => (0..320_usize).prop_map(|bit| {
            let mut words = [0; 5];
            words[bit / 64] = 1 << (bit % 64);
            Scalar::from_words(words).unwrap_or(-Scalar::ONE)
        }),
        1 => prop::sample::select(vec![Scalar::ZERO, Scalar::ONE, -Scalar::ONE]),
    ]
}

fn element() -> impl Strategy<Value = Quintic> {
    any::<[u64; 5]>().prop_map(Quintic::from_residues)
}

/// `words` times the element by double and add; the number need not be below the order.
fn slow_multiple(point: Point, words: &[u64; 5]) -> Point {
    (0..320).rev().fold(Point::NEUTRAL, |sum, bit| {
        let twice = sum + sum;
        if words[bit / 64] >> (bit % 64) & 1 == 1 { twice + point } else { twice }
    })
}

/// The curve's own chord through two points `(x, y)`, then through the result and `N`, for points where it exists.
fn chords(a: Affine, b: Affine) -> Option<Affine> {
    let divide = |a: Quintic, b: Quintic| Option::<Quintic>::from(b.inverse()).map(|inverse| a * inverse);
    let chord = |(x1, y1): (Quintic, Quintic), (x2, y2): (Quintic, Quintic)| {
        let slope = divide(y2 - y1, x2 - x1)?;
        let x3 = slope.square() - Quintic::from(2) - x1 - x2;
        Some((x3, slope * (x1 - x3) - y1))
    };
    let cartesian = |point: Affine| Some((point.x(), divide(point.x(), point.u())?));
    let (x, y) = chord(chord(cartesian(a)?, cartesian(b)?)?, (Quintic::ZERO, Quintic::ZERO))?;
    Affine::new(x, divide(x, y)?).ok()
}

#[test]
fn the_order_annihilates_every_point_and_nothing_smaller_does() {
    let generator = Point::from(Affine::GENERATOR);
    assert_eq!(slow_multiple(generator, &ORDER), Point::NEUTRAL);
    let mut words = ORDER;
    words[0] -= 1;
    assert_eq!(slow_multiple(generator, &words), -generator);
    // The order is prime, so that no element but the neutral one has a smaller one.
    for count in 1..1_000_u64 {
        assert_ne!(slow_multiple(generator, &[count, 0, 0, 0, 0]), Point::NEUTRAL);
    }
}

#[test]
fn of_the_two_points_with_one_encoding_only_that_in_the_group_is_accepted() {
    let point = Affine::GENERATOR;
    // The other solution for the same w: the product of both x is b.
    let other = B * point.x().invert_or_zero();
    assert!(bool::from(other.is_square()) && !bool::from(point.x().is_square()));
    // It is on the curve, and outside the group.
    assert_eq!(point.u().square() * (other.square() + other.double() + B), other);
    assert_eq!(Affine::new(other, point.u()), Err(NotAPoint));
    assert_eq!(Affine::new(point.x(), point.u()), Ok(point));
    // The point at infinity and others with x = 0 or u = 0 have no coordinates but those of N.
    assert_eq!(Affine::new(Quintic::ZERO, Quintic::ZERO), Ok(Affine::NEUTRAL));
    assert_eq!(Affine::new(Quintic::ZERO, Quintic::ONE), Err(NotAPoint));
    assert_eq!(Affine::new(point.x(), Quintic::ZERO), Err(NotAPoint));
    assert_eq!(Affine::new(point.x() + Quintic::ONE, point.u()), Err(NotAPoint));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn addition_is_a_commutative_group(a in point(), b in point(), c in point()) {
        prop_assert_eq!(a + b, b + a);
        prop_assert_eq!((a + b) + c, a + (b + c));
        prop_assert_eq!(a + Point::NEUTRAL, a);
        prop_assert_eq!(a - a, Point::NEUTRAL);
        prop_assert!(bool::from((a - a).is_neutral()));
        prop_assert_eq!(-(a + b), -a - b);
        prop_assert_eq!((a == b).then_some(a - b), (a == b).then_some(Point::NEUTRAL));
    }

    #[test]
    fn all_forms_of_addition_and_doubling_agree(a in point(), b in point(), times in 0..12_u32) {
        let (x, y) = (a.to_affine(), b.to_affine());
        prop_assert_eq!(x + y, (a + b).to_affine());
        prop_assert_eq!(a + y, a + b);
        prop_assert_eq!(a + x, a.double());
        prop_assert_eq!(x + x, a.double().to_affine());
        prop_assert_eq!(x + -x, Affine::NEUTRAL);
        prop_assert_eq!(x + Affine::NEUTRAL, x);
        prop_assert_eq!(a.double_times(times), (0..times).fold(a, |sum, _| sum + sum));
        // A denominator of zero would spoil what is computed from the sum.
        prop_assert_eq!(Affine::new((x + y).x(), (x + y).u()), Ok(x + y));
        let all = Point::all_to_affine(&[a, b, a + b, a - b, Point::NEUTRAL]);
        prop_assert_eq!(all, [a, b, a + b, a - b, Point::NEUTRAL].map(Point::to_affine));
    }

    #[test]
    fn addition_is_by_chords_of_the_curve(a in point(), b in point()) {
        let (a, b) = (a.to_affine(), b.to_affine());
        if let Some(sum) = chords(a, b) {
            prop_assert_eq!(a + b, sum);
        } else {
            // No chord where x is the same, or a sum is N itself or infinite.
            let special = [Affine::NEUTRAL, b, -b];
            prop_assert!(special.contains(&a) || b == Affine::NEUTRAL);
        }
    }

    #[test]
    fn an_element_is_decoded_from_its_encoding_and_no_other(a in point(), w in element()) {
        let point = a.to_affine();
        prop_assert_eq!(point.encode(), a.encode());
        prop_assert_eq!(Affine::decode(a.encode()), Ok(point));
        if let Ok(decoded) = Affine::decode(w) {
            prop_assert_eq!(decoded.encode(), w);
            prop_assert_eq!(Affine::new(decoded.x(), decoded.u()), Ok(decoded));
            prop_assert_eq!(Affine::decode(-w), Ok(-decoded));
            prop_assert_eq!(slow_multiple(decoded.into(), &ORDER), Point::NEUTRAL);
        } else {
            // w is refused for want of any point on the curve: its twist has it.
            let e = w.square() - Quintic::from(2);
            prop_assert!(!bool::from((e.square() - B.scale(4)).is_square()));
        }
    }

    #[test]
    fn multiplication_is_repeated_addition_and_linear(a in scalar(), b in scalar(), p in point()) {
        let generator = Point::from(Affine::GENERATOR);
        prop_assert_eq!(Point::multiply_generator(&a), slow_multiple(generator, &a.words()));
        prop_assert_eq!(p.multiply(&a), slow_multiple(p, &a.words()));
        prop_assert_eq!(p.multiply(&(a + b)), p.multiply(&a) + p.multiply(&b));
        prop_assert_eq!(p.multiply(&(a * b)), p.multiply(&a).multiply(&b));
        prop_assert_eq!(p.multiply(&-a), -p.multiply(&a));
    }
}
