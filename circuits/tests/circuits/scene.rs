//! A small segment that tells of everything: two bundles, then two queue entries, over a state with three nodes.
//!
//! Tests change what is in it, and [`Scene::repair`] does what an attacker would: it signs whatever digests come out with
//! the nodes' keys, and opens accounts where the forged state has them.

use crate::forgery::Wires;
use crate::segment_attacks::{assign, full_but_loose};
use cairn_circuits::plonk::{F, digest_of};
use cairn_circuits::{AccountInputs, BundleInputs, EntryInputs, SegmentCircuit, SegmentInputs};
use cairn_schnorr::SigningKey;
use cairn_types::leaf::bits;
use cairn_types::limits::ACCOUNTS_DEPTH;
use cairn_types::tree::{EMPTY, node};
use cairn_types::{Digest, EntryKind, Kind, QueueCursor, QueueEntry, ReceiptKey, ReceiptSignature, hash};
use plonky2::field::types::PrimeField64;
use plonky2::iop::target::Target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// The rollup of the scene.
pub const ROLLUP: [u64; 4] = [1, 2, 3, 4];
/// The nodes that are registered before.
pub const NODES: [u32; 3] = [7, 8, 1 << 23];

/// The secret key of a name.
pub fn signing_key(name: u64) -> SigningKey {
    SigningKey::generate(&mut StdRng::seed_from_u64(name))
}

/// The words of its public key.
pub fn key(name: u64) -> [u64; 5] {
    signing_key(name).public_key().words()
}

/// A receipt key of words.
pub fn receipt_key(words: [u64; 5]) -> ReceiptKey {
    ReceiptKey::from_words(words).unwrap()
}

/// A leaf at `time`.
pub fn leaf(time: u64, packed: u64) -> [u64; 8] {
    [time, packed, 11, 12, 13, 14, 15, time + 16]
}

/// Length 1000 and some, status 200, one verdict of each code.
pub fn packed(length: u64) -> u64 {
    length | 200 << bits::STATUS | 0b00_11_10_01_00 << bits::VERDICTS
}

/// An account tree in which anything may stand anywhere.
#[derive(Clone, Default)]
pub struct Tree(BTreeMap<(usize, u64), Digest>);

impl Tree {
    fn digest(&self, level: usize, position: u64) -> Digest {
        self.0.get(&(level, position)).copied().unwrap_or(EMPTY[level])
    }

    pub fn set(&mut self, index: u64, leaf: Digest) {
        self.0.insert((0, index), leaf);
        for level in 0..ACCOUNTS_DEPTH {
            let left = index >> level & !1;
            let parent = node(&self.digest(level, left), &self.digest(level, left | 1));
            self.0.insert((level + 1, left >> 1), parent);
        }
    }

    pub fn set_account(&mut self, index: u64, words: [u64; 8]) {
        self.set(index, hash(Kind::Account, &words));
    }

    pub fn root(&self) -> [u64; 4] {
        self.digest(ACCOUNTS_DEPTH, 0).words()
    }

    pub fn path(&self, index: u64) -> [[u64; 4]; ACCOUNTS_DEPTH] {
        std::array::from_fn(|level| self.digest(level, index >> level ^ 1).words())
    }
}

/// What a segment is made of.
#[derive(Clone)]
pub struct Scene {
    /// The accounts before.
    pub accounts: BTreeMap<u64, [u64; 8]>,
    /// The queue before.
    pub queue: QueueCursor,
    /// Who signs each bundle, by name of the key.
    pub signers: Vec<u64>,
    /// Slots, entries after bundles, whose account is opened elsewhere than at the node index that they name.
    pub elsewhere: BTreeMap<usize, u64>,
    /// The words; [`Self::repair`] keeps accounts, places and signatures up to date.
    pub inputs: SegmentInputs,
    /// Root before everything, and after each slot.
    pub roots: Vec<[u64; 4]>,
    /// The queue before everything, and after each entry slot.
    pub queues: Vec<[u64; 5]>,
}

/// The key that a node has in the state before, and signs with.
pub fn name_of(node: u64) -> u64 {
    node
}

/// An account before the scene: node 7 has a history.
fn before(node: u32) -> [u64; 8] {
    let [k0, k1, k2, k3, k4] = key(name_of(node.into()));
    let [sequence, receipts, bytes] = if node == 7 { [9, 100, 5_000] } else { [0; 3] };
    [k0, k1, k2, k3, k4, sequence, receipts, bytes]
}

impl Scene {
    /// Nothing but the state.
    pub fn empty() -> Self {
        Self {
            accounts: NODES.iter().map(|&node| (node.into(), before(node))).collect(),
            queue: QueueCursor { position: 3, digest: Digest::from_byte_digest([5; 32]) },
            signers: Vec::new(),
            elsewhere: BTreeMap::new(),
            roots: Vec::new(),
            queues: Vec::new(),
            inputs: SegmentInputs { rollup_id: ROLLUP, ..SegmentInputs::default() },
        }
    }

    /// A full bundle of node 7, one of two receipts of node 8; then 7 gets another key, and node 9 is registered.
    pub fn honest() -> Self {
        let first = (0..4).map(|n| leaf(5_000 + 10 * n, packed(1_000 + n))).collect();
        let second = (0..2).map(|n| leaf(4_000 + 10 * n, packed(2_000 + n))).collect();
        Self::empty().bundle(7, first).bundle(8, second).entry(EntryKind::Rotate, 7, key(70)).entry(
            EntryKind::Register,
            9,
            key(9),
        )
    }

    /// With one more bundle, signed by the node's own key.
    pub fn bundle(mut self, node_index: u64, leaves: Vec<[u64; 8]>) -> Self {
        self.inputs.bundles.push(BundleInputs { node_index, leaves, ..BundleInputs::default() });
        self.signers.push(name_of(node_index));
        self
    }

    /// With one more entry.
    pub fn entry(mut self, kind: EntryKind, node_index: u64, key: [u64; 5]) -> Self {
        self.inputs.entries.push(EntryInputs {
            occupied: true,
            registers: kind == EntryKind::Register,
            deactivates: kind == EntryKind::Deactivate,
            node_index,
            key,
            ..EntryInputs::default()
        });
        self
    }

    /// The entries as the chain knows them.
    pub fn entries(&self) -> Vec<QueueEntry> {
        let entry = |entry: &EntryInputs| {
            let kind = match (entry.registers, entry.deactivates) {
                (true, _) => EntryKind::Register,
                (_, true) => EntryKind::Deactivate,
                _ => EntryKind::Rotate,
            };
            QueueEntry { kind, node_index: entry.node_index as u32, key: receipt_key(entry.key) }
        };
        self.inputs.entries.iter().map(entry).collect()
    }

    /// The tree before.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        for (&index, &words) in &self.accounts {
            tree.set_account(index, words);
        }
        tree
    }

    /// What it leaves when it is settled: accounts and queue, and nothing in it.
    pub fn after(&self) -> Self {
        let circuit = full_but_loose();
        let accounts = self.clone().repair(circuit, &self.wires(circuit));
        let queue = self.entries().iter().fold(self.queue, |queue, entry| queue.push(entry));
        Self { accounts, queue, ..Self::empty() }
    }

    /// What the generators of a circuit make of it.
    fn wires(&self, circuit: &SegmentCircuit) -> Wires {
        Wires::generate(&circuit.circuit, assign(circuit, &self.inputs))
    }

    /// Consistent: accounts opened and bundles signed.
    pub fn settle(mut self) -> Self {
        let circuit = full_but_loose();
        self.settle_by(circuit, |scene| scene.wires(circuit));
        self
    }

    /// Repairs what `generate` makes of it until nothing changes: an account depends on the slots before it, and a
    /// signature on the account.
    pub fn settle_by(&mut self, circuit: &SegmentCircuit, generate: impl Fn(&Self) -> Wires) {
        // To begin with, each account is the one before everything.
        let slots = self.inputs.bundles.len();
        for (slot, bundle) in self.inputs.bundles.iter_mut().enumerate().filter(|(_, bundle)| !bundle.leaves.is_empty())
        {
            let place = self.elsewhere.get(&slot).unwrap_or(&bundle.node_index);
            bundle.account.words = self.accounts.get(place).copied().unwrap_or_default();
        }
        for (slot, entry) in self.inputs.entries.iter_mut().enumerate().filter(|(_, entry)| entry.occupied) {
            let place = self.elsewhere.get(&(slots + slot)).unwrap_or(&entry.node_index);
            entry.account.words = self.accounts.get(place).copied().unwrap_or_default();
            entry.exists = self.accounts.contains_key(place);
        }
        for _ in 0..=slots + self.inputs.entries.len() {
            let before = self.inputs.clone();
            let wires = generate(self);
            self.repair(circuit, &wires);
            if self.inputs == before {
                return;
            }
        }
    }

    /// Opens each account where the state of `wires` has it, and signs each bundle's digest. Gives the accounts after.
    pub fn repair(&mut self, circuit: &SegmentCircuit, wires: &Wires) -> BTreeMap<u64, [u64; 8]> {
        let target = &circuit.target;
        let read = |target: Target| wires.get(&circuit.circuit, target);
        let (mut tree, mut accounts) = (self.tree(), self.accounts.clone());
        let queue_words = |queue: &QueueCursor| {
            let [d0, d1, d2, d3] = queue.digest.words();
            [queue.position, d0, d1, d2, d3]
        };
        (self.inputs.state, self.inputs.queue) = (tree.root(), queue_words(&self.queue));
        (self.roots, self.queues) = (vec![self.inputs.state], vec![self.inputs.queue]);
        let place = |slot: usize, stated: u64| self.elsewhere.get(&slot).copied().unwrap_or(stated);
        let mut change = |index: u64, tree: &mut Tree, after: [Target; 8]| {
            let found = accounts.get(&index).copied();
            let opened = AccountInputs { words: found.unwrap_or_default(), siblings: tree.path(index) };
            let words = after.map(|word| read(word).to_canonical_u64());
            accounts.insert(index, words);
            tree.set_account(index, words);
            (opened, found.is_some())
        };
        for (slot, target) in target.bundles.iter().enumerate() {
            if let Some(bundle) = self.inputs.bundles.get_mut(slot).filter(|bundle| !bundle.leaves.is_empty()) {
                (bundle.account, _) = change(place(slot, bundle.node_index), &mut tree, target.after.words());
                let digest = digest_of(target.digest.map(read)).words();
                let signature = signing_key(self.signers[slot]).sign(&digest);
                bundle.signature = Some(ReceiptSignature::from_bytes(signature.to_bytes()));
            }
            self.roots.push(tree.root());
        }
        let (entries, mut queue) = (self.entries(), self.queue);
        for (slot, entry_target) in target.entries.iter().enumerate() {
            if let Some(entry) = self.inputs.entries.get_mut(slot).filter(|entry| entry.occupied) {
                let place = place(target.bundles.len() + slot, entry.node_index);
                (entry.account, entry.exists) = change(place, &mut tree, entry_target.after.words());
                queue = queue.push(&entries[slot]);
            }
            self.roots.push(tree.root());
            self.queues.push(queue_words(&queue));
        }
        accounts
    }
}

/// The value of a word.
pub fn number(value: u64) -> F {
    plonky2::field::types::Field::from_canonical_u64(value)
}
