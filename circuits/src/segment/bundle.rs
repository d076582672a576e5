//! One bundle slot of a segment: its receipts, its tree, its statement.
//!
//! **What it proves**: clauses 1 to 4 and 6 for the bundle and clause 8 towards the segment. A slot whose first receipt slot
//! is empty is an empty bundle slot: its digest towards the batch tree is zero, no account is looked for, and the state stays
//! as it is. **What it does not**: see the segment.

use super::account::{AccountPath, AccountTarget, Move};
use crate::Clause;
use crate::gadgets::{Enforcer, masked, sponge, tree};
use crate::plonk::{Builder, DigestTarget, F};
use crate::receipt_gate::{COUNTERS, ReceiptGate, ReceiptRow, Running, SLOTS_PER_ROW};
use crate::signature::SignatureTarget;
use cairn_types::limits::{MAX_BUNDLE_RECEIPTS, MAX_COUNTER, TIME_BITS};
use cairn_types::{Kind, LEAF_WORDS};
use plonky2::field::types::Field;
use plonky2::iop::target::Target;

// A time is a sum of at most 256 differences below 2^48, so no sum of them wraps the field before the last one is checked.
const _: () = assert!((MAX_BUNDLE_RECEIPTS as u128) << TIME_BITS < 1 << 63);

/// Bits of an account's total of bytes. What a bundle adds cannot wrap the field before the sum is checked.
const TOTAL_BITS: u32 = MAX_COUNTER.trailing_zeros();
const _: () = assert!(1 << TOTAL_BITS == MAX_COUNTER && TOTAL_BITS < 63);

/// Rows that the parts of a bundle slot take. A row that several parts share counts where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleRows {
    /// Receipts, their tree, and the bundle's statement.
    pub receipts: usize,
    /// The signature.
    pub signature: usize,
    /// The account and its path.
    pub account: usize,
}

/// A bundle slot in a circuit.
#[derive(Debug)]
pub struct BundleTarget {
    /// The leaves' words, slot by slot.
    pub leaves: Vec<[Target; LEAF_WORDS]>,
    /// The occupied flags, slot by slot.
    pub flags: Vec<Target>,
    /// Rows of the receipt gate, for tests of its digits.
    pub rows: Vec<ReceiptRow>,
    /// The node.
    pub node_index: Target,
    /// Its account before the bundle.
    pub account: AccountTarget,
    /// Its account after it.
    pub after: AccountTarget,
    /// The account's place.
    pub path: AccountPath,
    /// `H_bundle`, which the node signs.
    pub digest: DigestTarget,
    /// The node's signature.
    pub signature: SignatureTarget,
    /// The rollup that the bundle names.
    pub rollup_id: DigestTarget,
    /// 1 if there is a bundle.
    pub occupied: Target,
    /// Receipts.
    pub count: Target,
    /// Sum of content lengths.
    pub bytes: Target,
    /// First time.
    pub time_min: Target,
    /// Last time.
    pub time_max: Target,
    /// Packed verdict counters.
    pub verdicts: [Target; 5],
    /// `H_bundle`, or zero if there is none.
    pub slot_digest: DigestTarget,
    /// What it takes.
    pub spent: BundleRows,
}

impl BundleTarget {
    /// Constrains a bundle slot that starts from `state`; gives the root after it, too.
    pub(super) fn constrain(
        builder: &mut Builder,
        enforcer: &mut Enforcer,
        receipts_depth: usize,
        segment_rollup: DigestTarget,
        state: DigestTarget,
    ) -> (Self, DigestTarget) {
        let begin = builder.num_gates();
        let gate = ReceiptGate::new(enforcer.clauses());
        let zero = builder.zero();
        let mut running = Running { time: zero, occupied: builder.one(), counters: [zero; COUNTERS] };
        let (mut leaves, mut flags, mut rows, mut digests) = (vec![], vec![], vec![], vec![]);
        for _ in 0..(1 << receipts_depth) / SLOTS_PER_ROW {
            let row = gate.place(builder, &running);
            for slot in row.slots {
                let mut words: [Target; LEAF_WORDS] = builder.add_virtual_target_arr();
                (words[0], words[1]) = (slot.time, slot.packed);
                let hash = sponge::hash(builder, Kind::Leaf, &words);
                builder.connect_array(hash, slot.hash);
                leaves.push(words);
                flags.push(slot.occupied);
                digests.push(slot.digest);
            }
            running = row.after;
            rows.push(row);
        }

        let [count, bytes, verdicts @ ..] = running.counters;
        let root = tree::root(builder, &digests);
        let root = enforcer.bind(builder, Clause::ReceiptsRoot, root);
        let count = enforcer.bind_one(builder, Clause::Count, count);
        let bytes = enforcer.bind_one(builder, Clause::Bytes, bytes);
        let time_min = enforcer.bind_one(builder, Clause::BundleTimeMin, leaves[0][0]);
        let time_max = enforcer.bind_one(builder, Clause::BundleTimeMax, running.time);
        let bounded = enforcer.bind_one(builder, Clause::TimeBound, running.time);
        builder.range_check(bounded, TIME_BITS as usize);
        let rollup_id = enforcer.bind(builder, Clause::BundleRollup, segment_rollup);

        let node_index = builder.add_virtual_target();
        let account = AccountTarget::free(builder);
        let sequence = enforcer.bind_one(builder, Clause::SequenceIsNext, account.next_sequence);
        let ([i0, i1, i2, i3], [r0, r1, r2, r3]) = (rollup_id, root);
        let words = [i0, i1, i2, i3, node_index, sequence, r0, r1, r2, r3, count, time_min, time_max, bytes];
        let digest = sponge::hash(builder, Kind::Bundle, &words);
        let occupied = flags[0];
        let slot_digest = masked(builder, occupied, digest);
        let slot_digest = enforcer.bind(builder, Clause::EmptyBundleIsZero, slot_digest);
        let receipts = builder.num_gates() - begin;
        let signature = SignatureTarget::constrain(builder, enforcer, account.key, digest, occupied);
        let signed = builder.num_gates() - begin - receipts;

        let index = enforcer.bind_one(builder, Clause::BundleAccountIndex, node_index);
        let path = AccountPath::constrain(builder, index);
        let after = AccountTarget {
            key: account.key,
            next_sequence: builder.add_const(account.next_sequence, F::ONE),
            receipts_total: builder.add(account.receipts_total, count),
            bytes_total: builder.add(account.bytes_total, bytes),
        };
        let after = after.bound(builder, enforcer, Clause::AccountCounts);
        let bounded = enforcer.bind_one(builder, Clause::BytesTotalBound, after.bytes_total);
        builder.range_check(bounded, TOTAL_BITS as usize);
        let [before, leaf] = [account, after].map(|account| account.digest(builder));
        let counted = Move { occupied, before, after: leaf, opened: Clause::BundleAccountOpened };
        let state = path.moved(builder, enforcer, state, counted);
        let spent =
            BundleRows { receipts, signature: signed, account: builder.num_gates() - begin - receipts - signed };
        let slot = Self {
            leaves,
            flags,
            rows,
            node_index,
            account,
            after,
            path,
            digest,
            signature,
            rollup_id,
            occupied,
            count,
            bytes,
            time_min,
            time_max,
            verdicts,
            slot_digest,
            spent,
        };
        (slot, state)
    }
}
