//! Doubling, which is cheaper than addition, and cheaper still in a row: the formulas for double-odd curves of eprint
//! 2020/1558 and 2022/274.

use super::{B1, Point};
use crate::quintic::Quintic;

impl Point {
    /// Twice the element: 4 products and 5 squares.
    #[must_use]
    pub fn double(self) -> Self {
        let (x1, z1, w1) = self.halfway();
        let zz = z1.square();
        let ww = w1.square();
        Self { x: zz.scale_z(4 * B1), z: ww, u: (w1 + z1).square() - zz - ww, t: x1.double() - zz.scale(4) - ww }
    }

    /// The first half of a doubling, a 2-isogeny: `(X, Z, W)` of a point of the partner curve
    /// `y^2 = x (x^2 - 4x + 4 - 4b)`, from which the second half takes it back.
    #[inline]
    fn halfway(&self) -> (Quintic, Quintic, Quintic) {
        let zt = self.z * self.t;
        let ztt = zt * self.t;
        let w = ztt - (self.x + self.z).double() * self.u.square();
        (ztt.square(), zt * self.u, w)
    }

    /// `2^times` times the element, for `2 times + 2` products and `5 times + 1` squares: between the two ends of a row
    /// points stay in Jacobian coordinates `(X, W, Z)`, `w = W / Z` being `y / x`.
    #[must_use]
    pub fn double_times(self, times: u32) -> Self {
        match times {
            0 => return self,
            1 => return self.double(),
            _ => {}
        }
        let (x1, z1, w1) = self.halfway();
        let ww = w1.square();
        let zz = z1.square();
        let mut x = zz.square().scale_z(16 * B1);
        let mut w = x1.double() - zz.scale(4) - ww;
        let mut z = (w1 + z1).square() - ww - zz;
        for _ in 2..times {
            let z2 = z.square();
            let z4 = z2.square();
            let w2 = w.square();
            let w4 = w2.square();
            let wz_twice = (w + z).square() - z2 - w2;
            z = wz_twice * ((x + z2).double() - w2);
            x = (z4 * w4).scale_z(16 * B1);
            // (a^2 - 4b) Z^4 - W^4.
            w = z4.scale(4) - z4.scale_z(4 * B1) - w4;
        }
        let w2 = w.square();
        let z2 = z.square();
        let wz_twice = (w + z).square() - w2 - z2;
        let last = w2 - (x + z2).double();
        let zn = last.square();
        Self { x: wz_twice.square().scale_z(B1), z: zn, u: wz_twice * last, t: w2.double() * (w2 - z2.double()) - zn }
    }
}
