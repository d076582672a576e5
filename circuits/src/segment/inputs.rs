//! What a segment's prover puts in: assignment of the free wires, and nothing that constraints compute.

use super::{AccountPath, AccountTarget, BundleTarget, EntryTarget, SegmentTarget};
use crate::plonk::{F, elements};
use anyhow::Result;
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::limits::ACCOUNTS_DEPTH;
use cairn_types::state::{PartialState, StateError};
use cairn_types::{
    Account, Bundle, BundleData, Digest, EntryKind, LEAF_WORDS, QueueCursor, QueueEntry, ReceiptSignature,
};
use plonky2::field::types::Field;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};

/// An account and its place in the tree as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct AccountInputs {
    /// The words that `H_account` hashes; zeros where there is no account.
    pub words: [u64; 8],
    /// Siblings from the leaf up.
    pub siblings: [[u64; 4]; ACCOUNTS_DEPTH],
}

/// A bundle as words.
#[derive(Debug, Clone, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct BundleInputs {
    /// The node.
    pub node_index: u64,
    /// Its account before the bundle, whose next sequence is the bundle's.
    pub account: AccountInputs,
    /// The node's signature; none where there is no bundle.
    pub signature: Option<ReceiptSignature>,
    /// Its leaves.
    pub leaves: Vec<[u64; LEAF_WORDS]>,
}

/// A queue entry as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct EntryInputs {
    /// Whether there is one.
    pub occupied: bool,
    /// Whether it registers.
    pub registers: bool,
    /// Whether it deactivates.
    pub deactivates: bool,
    /// The node.
    pub node_index: u64,
    /// The key.
    pub key: [u64; 5],
    /// Whether there is an account before.
    pub exists: bool,
    /// The account before.
    pub account: AccountInputs,
}

/// A segment as words. Neither bundles nor entries make a no-op.
#[derive(Debug, Clone, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct SegmentInputs {
    /// The rollup; zero for a no-op.
    pub rollup_id: [u64; 4],
    /// Root of the account tree before.
    pub state: [u64; 4],
    /// The queue before: position, digest.
    pub queue: [u64; 5],
    /// The bundles.
    pub bundles: Vec<BundleInputs>,
    /// The entries after them.
    pub entries: Vec<EntryInputs>,
}

impl AccountInputs {
    fn read(state: &PartialState, index: u32) -> Result<(Self, bool), StateError> {
        let account = state.account(index)?;
        let words = account.as_ref().map_or([0; 8], Account::words);
        let siblings = state.path(index)?.map(|sibling| sibling.words());
        Ok((Self { words, siblings }, account.is_some()))
    }
}

impl BundleInputs {
    /// The words of a bundle, applied to `state`.
    ///
    /// # Errors
    /// When its account does not take it (clauses 3 and 4).
    pub fn apply(statement: &Bundle, data: &BundleData, state: &mut PartialState) -> Result<Self, StateError> {
        let (account, _) = AccountInputs::read(state, statement.node_index)?;
        state.apply_bundle(statement, &data.signature)?;
        Ok(Self {
            node_index: u64::from(statement.node_index),
            account,
            signature: Some(data.signature),
            leaves: data.records.iter().map(|record| record.leaf.words()).collect(),
        })
    }
}

impl EntryInputs {
    /// The words of an entry, applied to `state` and `queue`.
    ///
    /// # Errors
    /// When `state` was opened without its account.
    pub fn apply(entry: &QueueEntry, state: &mut PartialState, queue: &mut QueueCursor) -> Result<Self, StateError> {
        let (account, exists) = AccountInputs::read(state, entry.node_index)?;
        state.apply_entry(entry)?;
        *queue = queue.push(entry);
        Ok(Self {
            occupied: true,
            registers: entry.kind == EntryKind::Register,
            deactivates: entry.kind == EntryKind::Deactivate,
            node_index: u64::from(entry.node_index),
            key: entry.key.words(),
            exists,
            account,
        })
    }
}

impl SegmentInputs {
    /// The words of a segment, which must be no more than it holds, applied to `state` and `queue`: they are left as they are
    /// after it.
    ///
    /// # Errors
    /// When an account does not take its bundle, or `state` was opened without an account.
    pub fn apply(
        rollup_id: &Digest,
        bundles: &[(Bundle, &BundleData)],
        entries: &[QueueEntry],
        state: &mut PartialState,
        queue: &mut QueueCursor,
    ) -> Result<Self, StateError> {
        let (before, [d0, d1, d2, d3]) = (state.root().words(), queue.digest.words());
        let queue_before = [queue.position, d0, d1, d2, d3];
        let bundles = bundles
            .iter()
            .map(|(statement, data)| BundleInputs::apply(statement, data, state))
            .collect::<Result<_, _>>()?;
        let entries = entries.iter().map(|entry| EntryInputs::apply(entry, state, queue)).collect::<Result<_, _>>()?;
        Ok(Self { rollup_id: rollup_id.words(), state: before, queue: queue_before, bundles, entries })
    }
}

impl SegmentTarget {
    /// Assigns `inputs`; empty slots repeat the last time and are zero otherwise.
    ///
    /// # Errors
    /// When a wire already has another value, which honest callers never cause.
    ///
    /// # Panics
    /// When there are more bundles, receipts or entries than the shape has.
    pub fn assign(&self, witness: &mut PartialWitness<F>, inputs: &SegmentInputs) -> Result<()> {
        assert!(inputs.bundles.len() <= self.bundles.len(), "{} bundles in one segment", inputs.bundles.len());
        assert!(inputs.entries.len() <= self.entries.len(), "{} entries in one segment", inputs.entries.len());
        witness.set_target_arr(&self.rollup_id, &elements(inputs.rollup_id))?;
        witness.set_target_arr(&self.state, &elements(inputs.state))?;
        witness.set_target_arr(&self.queue.to_array(), &elements(inputs.queue))?;
        let (no_bundle, no_entry) = (BundleInputs::default(), EntryInputs::default());
        for (index, target) in self.bundles.iter().enumerate() {
            target.assign(witness, inputs.bundles.get(index).unwrap_or(&no_bundle))?;
        }
        for (index, target) in self.entries.iter().enumerate() {
            target.assign(witness, inputs.entries.get(index).unwrap_or(&no_entry))?;
        }
        Ok(())
    }
}

/// Assigns an account and its place.
fn assign_account(
    witness: &mut PartialWitness<F>,
    account: &AccountTarget,
    path: &AccountPath,
    inputs: &AccountInputs,
) -> Result<()> {
    witness.set_target_arr(&account.words(), &elements(inputs.words))?;
    for (target, sibling) in path.siblings.iter().zip(inputs.siblings) {
        witness.set_target_arr(target, &elements(sibling))?;
    }
    Ok(())
}

impl BundleTarget {
    fn assign(&self, witness: &mut PartialWitness<F>, inputs: &BundleInputs) -> Result<()> {
        assert!(inputs.leaves.len() <= self.leaves.len(), "{} receipts in one bundle", inputs.leaves.len());
        witness.set_target(self.node_index, F::from_canonical_u64(inputs.node_index))?;
        assign_account(witness, &self.account, &self.path, &inputs.account)?;
        self.signature.assign(witness, inputs.signature.as_ref())?;
        let mut blank = [0; LEAF_WORDS];
        for (index, (words, &flag)) in self.leaves.iter().zip(&self.flags).enumerate() {
            let leaf = inputs.leaves.get(index);
            let values = leaf.unwrap_or(&blank);
            witness.set_target_arr(words, &elements(*values))?;
            witness.set_target(flag, F::from_bool(leaf.is_some()))?;
            blank[0] = values[0];
        }
        Ok(())
    }
}

impl EntryTarget {
    fn assign(&self, witness: &mut PartialWitness<F>, inputs: &EntryInputs) -> Result<()> {
        let flags = [
            (self.occupied, inputs.occupied),
            (self.registers, inputs.registers),
            (self.deactivates, inputs.deactivates),
            (self.exists, inputs.exists),
        ];
        for (target, flag) in flags {
            witness.set_target(target, F::from_bool(flag))?;
        }
        witness.set_target(self.node_index, F::from_canonical_u64(inputs.node_index))?;
        witness.set_target_arr(&self.key, &elements(inputs.key))?;
        assign_account(witness, &self.account, &self.path, &inputs.account)
    }
}
