//! Batches with receipts in them, for what looks at receipts on chain. Nothing is signed or proved: of a batch, the program
//! sees the header, and here the header's root is the true one.

use super::Machine;
use cairn_interface::{Address, Inclusion};
use cairn_types::limits::{BATCH_DEPTH, RECEIPTS_DEPTH};
use cairn_types::{BatchHeader, Bundle, Digest, InclusionPath, Leaf, tree};

/// The leaves of one bundle, and whose it is.
#[derive(Clone, Debug)]
pub struct Leaves {
    /// The node.
    pub node_index: u32,
    /// In order.
    pub leaves: Vec<Leaf>,
}

/// A batch that a machine's rollup may take next, with everything its header commits to.
#[derive(Clone, Debug)]
pub struct FilledBatch {
    /// The header.
    pub header: BatchHeader,
    rollup: Address,
    statements: Vec<Bundle>,
    bundles: Vec<Leaves>,
}

impl FilledBatch {
    /// The batch of these bundles after the rollup's tip.
    #[must_use]
    pub fn next(machine: &Machine, bundles: Vec<Leaves>) -> Self {
        let template = machine.next_header();
        let statements = bundles.iter().zip(0..).map(|(bundle, sequence)| Bundle {
            rollup_id: template.rollup_id,
            node_index: bundle.node_index,
            sequence,
            receipts_root: tree::root(RECEIPTS_DEPTH, &bundle.digests()),
            count: bundle.leaves.len() as u16,
            time_min: 1_000 + sequence,
            time_max: 2_000,
            bytes: 3_000,
        });
        let statements = statements.collect::<Vec<_>>();
        let header = BatchHeader {
            batch_root: tree::root(BATCH_DEPTH, &digests(&statements)),
            bundles: bundles.len() as u32,
            receipts: bundles.iter().map(|bundle| bundle.leaves.len() as u32).sum(),
            verdicts: Default::default(),
            ..template
        };
        Self { header, rollup: machine.rollup, statements, bundles }
    }

    /// What a caller expects of a receipt in it.
    #[must_use]
    pub fn inclusion(&self, bundle: usize, leaf: usize) -> Inclusion {
        let Leaves { node_index, ref leaves } = self.bundles[bundle];
        Inclusion { rollup: self.rollup, number: self.header.number, node_index, leaf: leaves[leaf] }
    }

    /// The path of a receipt in it.
    #[must_use]
    pub fn path(&self, bundle: usize, leaf: usize) -> InclusionPath {
        let statement = &self.statements[bundle];
        let siblings = |depth, leaves: &[Digest], index| tree::path(depth, leaves, index);
        InclusionPath {
            leaf_index: leaf as u16,
            leaf_path: siblings(RECEIPTS_DEPTH, &self.bundles[bundle].digests(), leaf).try_into().expect("its depth"),
            sequence: statement.sequence,
            count: statement.count,
            time_min: statement.time_min,
            time_max: statement.time_max,
            bytes: statement.bytes,
            bundle_index: bundle as u16,
            bundle_path: siblings(BATCH_DEPTH, &digests(&self.statements), bundle).try_into().expect("its depth"),
        }
    }
}

impl Leaves {
    /// Bundles of node 0 with that many leaves each, all of them different.
    #[must_use]
    pub fn of_counts(counts: impl IntoIterator<Item = usize>) -> Vec<Self> {
        let leaf = |bundle: u64, index: u64| Leaf::from_words([bundle, index, 3, 4, 5, 6, 7, 8]).expect("small words");
        let leaves = |(count, bundle): (usize, u64)| (0..count as u64).map(|index| leaf(bundle, index)).collect();
        counts.into_iter().zip(0..).map(|counted| Self { node_index: 0, leaves: leaves(counted) }).collect()
    }

    fn digests(&self) -> Vec<Digest> {
        self.leaves.iter().map(Leaf::digest).collect()
    }
}

fn digests(statements: &[Bundle]) -> Vec<Digest> {
    statements.iter().map(Bundle::digest).collect()
}

impl Machine {
    /// Submits a batch and settles it, with a proof account that is planted.
    pub fn settle_filled(&mut self, batch: &FilledBatch) {
        self.submit(&batch.header).expect("accepted");
        self.settle(batch.header.number).expect("settled");
    }
}
