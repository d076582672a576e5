//! A key in a circuit: from its encoding to the double-and-add gate's tables.
//!
//! **What it proves**: `w` is the encoding of a point K of the group other than the neutral one, and the tables are K's.
//! **What it does not**: that anyone can sign for K.
//!
//! K is odd, so `-K + N` is even, and its y is w times its x, too: `(X, wX)` with `w²X = X² + 2X + b`. Of this equation's two roots,
//! whose product b is no square, exactly one is a square if there are any: the x of the even point. So K decodes if and only if there
//! are X and t with `X = t²`. X is not zero, for b is not; w is not zero, for `X² + 2X + b` has no root.
//!
//! The tables come from chords that are never undetermined, for any key: `G - K` from an odd and an even point; `C - K` as
//! `(C/2 + (C/2 - K))`, as in the gate's second step. A key equal to C or to `C + G`, whose logarithms nobody knows, cannot be used.

use super::curve::{A, B_Z, GENERATOR, HALF_OFFSET, HALF_OFFSET_GENERATOR, OFFSET, OFFSET_GENERATOR, Point, b};
use super::double_add::{PointTarget, TablesTarget};
use super::generators::{KeyGenerator, QuotientGenerator};
use super::quintic::{Coefficients, Five, OverTargets};
use crate::Clause;
use crate::gadgets::Enforcer;
use crate::plonk::{Builder, F};
use plonky2::field::types::Field;
use plonky2::iop::target::Target;

/// A key in a circuit.
#[derive(Debug)]
pub struct KeyTarget {
    /// x of the even point that is the key's opposite.
    pub x: Five<Target>,
    /// Its square root.
    pub root: Five<Target>,
    /// Slopes of the chords, each of which is a free wire that the chord's equation determines.
    pub slopes: Vec<Five<Target>>,
    /// The tables.
    pub tables: TablesTarget,
}

/// The circuit, what is enforced in it, and the slopes so far.
struct Chords<'a> {
    builder: &'a mut Builder,
    enforcer: &'a mut Enforcer,
    slopes: Vec<Five<Target>>,
}

impl KeyTarget {
    /// Constrains the point and the tables of `w`.
    pub fn constrain(builder: &mut Builder, enforcer: &mut Enforcer, w: Five<Target>) -> Self {
        let (x, root): (Five<Target>, Five<Target>) =
            (builder.add_virtual_target_arr(), builder.add_virtual_target_arr());
        builder.add_simple_generator(KeyGenerator { w, x, root });
        let c = &mut OverTargets(builder);
        let off_root = c.square(1, root, Some((-1, x)));
        let w_squared = c.square(1, w, None);
        let right = c.square(1, x, Some((A as i64, x)));
        let mut off_curve = c.multiply(1, w_squared, x, Some((-1, right)));
        let b_z = c.constant(F::from_canonical_u64(B_Z));
        off_curve[1] = c.combine((1, off_curve[1]), (-1, b_z));
        let y = c.multiply(1, w, x, None);
        for value in off_root {
            enforcer.zero(builder, Clause::KeyRoot, value);
        }
        for value in off_curve {
            enforcer.zero(builder, Clause::KeyOnCurve, value);
        }

        let chords = &mut Chords { builder, enforcer, slopes: Vec::new() };
        let opposite = [x, y];
        let b = chords.arithmetic().constants(b());
        let odd_x = chords.quotient(b, x);
        let odd_y = chords.arithmetic().multiply(-1, w, odd_x, None);
        let minus_key = [odd_x, odd_y];
        let [generator, offset, offset_generator] =
            [GENERATOR, OFFSET, OFFSET_GENERATOR].map(|point| chords.constant(point));
        let generator_minus_key = chords.sum(GENERATOR, opposite);
        let offset_minus_key = chords.double_plus(HALF_OFFSET, opposite);
        let offset_generator_minus_key = chords.double_plus(HALF_OFFSET_GENERATOR, opposite);
        let mixed = chords.minus(generator_minus_key, generator);
        let mixed = chords.minus(mixed, minus_key);
        let offset_mixed = chords.minus(offset_generator_minus_key, offset_generator);
        let offset_minus_key = chords.minus(offset_minus_key, offset);
        let offset_mixed = chords.minus(offset_mixed, offset_minus_key);
        let slopes = std::mem::take(&mut chords.slopes);

        let mut bind = |point: PointTarget| point.map(|five| enforcer.bind(builder, Clause::SignatureTables, five));
        let tables = TablesTarget {
            minus_key: bind(minus_key),
            mixed: bind(mixed),
            offset_minus_key: bind(offset_minus_key),
            offset_mixed: bind(offset_mixed),
        };
        Self { x, root, slopes, tables }
    }
}

impl Chords<'_> {
    const fn arithmetic(&mut self) -> OverTargets<'_> {
        OverTargets(self.builder)
    }

    fn constant(&mut self, point: Point) -> PointTarget {
        [point.x, point.y].map(|coordinate| self.arithmetic().constants(coordinate))
    }

    fn minus(&mut self, one: PointTarget, other: PointTarget) -> PointTarget {
        [0, 1].map(|index| self.arithmetic().combined((1, one[index]), (-1, other[index])))
    }

    /// The one element that is `numerator / denominator`, which must have one.
    fn quotient(&mut self, numerator: Five<Target>, denominator: Five<Target>) -> Five<Target> {
        let quotient = self.builder.add_virtual_target_arr();
        self.builder.add_simple_generator(QuotientGenerator { numerator, denominator, quotient });
        let difference = self.arithmetic().multiply(1, quotient, denominator, Some((-1, numerator)));
        for value in difference {
            self.enforcer.zero(self.builder, Clause::KeySlopes, value);
        }
        self.slopes.push(quotient);
        quotient
    }

    /// The slope of the line through `constant` and `point`, and the difference of their x.
    fn slope(&mut self, constant: PointTarget, point: PointTarget) -> (Five<Target>, Five<Target>) {
        let [run, rise] = self.minus(point, constant);
        (self.quotient(rise, run), run)
    }

    /// `constant + point`.
    fn sum(&mut self, constant: Point, point: PointTarget) -> PointTarget {
        let constant = self.constant(constant);
        let (slope, run) = self.slope(constant, point);
        let c = &mut self.arithmetic();
        // slope² = 2 + constant + point + sum.
        let twice = c.combined((-2, constant[0]), (-1, run));
        let mut x = c.square(1, slope, Some((1, twice)));
        let a = c.constant(F::from_canonical_u64(A));
        x[0] = c.combine((1, x[0]), (-1, a));
        let fallen = c.combined((1, constant[0]), (-1, x));
        [x, c.multiply(1, slope, fallen, Some((-1, constant[1])))]
    }

    /// `2·constant + point`, as a step of the double-and-add gate does it.
    fn double_plus(&mut self, constant: Point, point: PointTarget) -> PointTarget {
        let constant = self.constant(constant);
        let (first, run) = self.slope(constant, point);
        let c = &mut self.arithmetic();
        let triple = c.square(1, first, Some((-1, run)));
        let mut apart = c.combined((3, constant[0]), (-1, triple));
        let a = c.constant(F::from_canonical_u64(A));
        apart[0] = c.combine((1, apart[0]), (1, a));
        let rise = c.combined((1, constant[1]), (1, constant[1]));
        let slopes = self.quotient(rise, apart);
        let c = &mut self.arithmetic();
        let second = c.combined((1, slopes), (-1, first));
        let base = c.combined((1, constant[0]), (-1, triple));
        let x = c.square(1, second, Some((1, base)));
        let fallen = c.combined((1, constant[0]), (-1, x));
        [x, c.multiply(1, second, fallen, Some((-1, constant[1])))]
    }
}
