//! What a proof below the top says in public: the one layout for segments and all aggregation levels.

use crate::plonk::F;
use plonky2::iop::target::Target;

/// Verdict counters.
pub const VERDICTS: usize = 5;
/// Public inputs of a segment or aggregation proof.
pub const LENGTH: usize = 1 + 4 + 5 + VERDICTS + 4 + 2 * (4 + 5);

/// A place in the registration queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueEnd<T> {
    /// Entries up to here.
    pub position: T,
    /// Digest of the chain of them.
    pub digest: [T; 4],
}

/// The statement about a run of bundles and the entries after them, in the order in which it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicInputs<T> {
    /// 1 for a proof about nothing, whose other values are all zero; 0 otherwise.
    pub no_op: T,
    /// Root of the subtree over the bundles' digests.
    pub root: [T; 4],
    /// Bundles.
    pub bundles: T,
    /// Receipts.
    pub receipts: T,
    /// Sum of content lengths.
    pub bytes: T,
    /// Earliest fetch time; zero without bundles.
    pub time_min: T,
    /// Latest fetch time; zero without bundles.
    pub time_max: T,
    /// Packed verdict counters.
    pub verdicts: [T; VERDICTS],
    /// The rollup.
    pub rollup_id: [T; 4],
    /// Root of the account tree before.
    pub old_state: [T; 4],
    /// Root of the account tree after.
    pub new_state: [T; 4],
    /// The queue before.
    pub queue_from: QueueEnd<T>,
    /// The queue after.
    pub queue_to: QueueEnd<T>,
}

impl<T: Copy> QueueEnd<T> {
    /// Position, then digest, as in a header.
    pub fn to_array(self) -> [T; 5] {
        let [d0, d1, d2, d3] = self.digest;
        [self.position, d0, d1, d2, d3]
    }

    /// Reads [`Self::to_array`].
    pub const fn from_array([position, d0, d1, d2, d3]: [T; 5]) -> Self {
        Self { position, digest: [d0, d1, d2, d3] }
    }
}

impl<T: Copy> PublicInputs<T> {
    /// The values in order.
    ///
    /// # Panics
    /// Never: the parts are as many as [`LENGTH`] says.
    pub fn to_array(&self) -> [T; LENGTH] {
        let (from, to) = (self.queue_from.to_array(), self.queue_to.to_array());
        let counts = [self.bundles, self.receipts, self.bytes, self.time_min, self.time_max];
        let parts: [&[T]; 9] = [
            &[self.no_op],
            &self.root,
            &counts,
            &self.verdicts,
            &self.rollup_id,
            &self.old_state,
            &self.new_state,
            &from,
            &to,
        ];
        parts.concat().try_into().unwrap_or_else(|_| unreachable!("the parts make up the layout"))
    }

    /// Reads values in order.
    pub fn from_array(values: [T; LENGTH]) -> Self {
        let mut rest = values.into_iter();
        Self {
            no_op: take::<T, 1>(&mut rest)[0],
            root: take(&mut rest),
            bundles: take::<T, 1>(&mut rest)[0],
            receipts: take::<T, 1>(&mut rest)[0],
            bytes: take::<T, 1>(&mut rest)[0],
            time_min: take::<T, 1>(&mut rest)[0],
            time_max: take::<T, 1>(&mut rest)[0],
            verdicts: take(&mut rest),
            rollup_id: take(&mut rest),
            old_state: take(&mut rest),
            new_state: take(&mut rest),
            queue_from: QueueEnd::from_array(take(&mut rest)),
            queue_to: QueueEnd::from_array(take(&mut rest)),
        }
    }

    /// Reads a slice; `None` when its length is another.
    pub fn from_slice(values: &[T]) -> Option<Self> {
        values.try_into().ok().map(Self::from_array)
    }
}

fn take<T, const N: usize>(values: &mut impl Iterator<Item = T>) -> [T; N] {
    std::array::from_fn(|_| values.next().expect("the parts are as many as LENGTH says"))
}

/// The layout in a circuit.
pub type PublicInputsTarget = PublicInputs<Target>;
/// The layout as values.
pub type PublicInputsValue = PublicInputs<F>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_reads_back_in_its_order() {
        let values: [usize; LENGTH] = std::array::from_fn(|index| index);
        let read = PublicInputs::from_array(values);
        assert_eq!(read.to_array(), values);
        assert_eq!((read.no_op, read.root, read.queue_to.position), (0, [1, 2, 3, 4], LENGTH - 5));
        assert!(PublicInputs::from_slice(&values[1..]).is_none());
    }
}
