//! One attack for each clause that a segment enforces.

use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use cairn_circuits::plonk::F;
use cairn_circuits::receipt_gate::ReceiptGate;
use cairn_circuits::{
    BundleInputs, Clause, Clauses, Layer, Profile, SegmentCircuit, SegmentInputs, SegmentShape, SegmentTarget,
};
use cairn_types::leaf::bits;
use plonky2::field::types::Field;
use plonky2::iop::target::Target;
use plonky2::iop::witness::PartialWitness;
use std::sync::OnceLock;

/// Two bundles of four receipts.
pub const SMALL: SegmentShape = SegmentShape { receipts_depth: 2, bundles_depth: 1 };

/// The circuit in the small shape.
pub fn build(clauses: Clauses) -> SegmentCircuit {
    SegmentTarget::draft(Layer::Segment.config(Profile::Dev), SMALL, clauses).build()
}

/// The full circuit in the small shape.
pub fn full() -> &'static SegmentCircuit {
    static FULL: OnceLock<SegmentCircuit> = OnceLock::new();
    FULL.get_or_init(|| build(Clauses::ALL))
}

fn leaf(time: u64, packed: u64) -> [u64; 8] {
    [time, packed, 11, 12, 13, 14, 15, time + 16]
}

/// Length 1000 and some, status 200, one verdict of each code.
fn packed(length: u64) -> u64 {
    length | 200 << bits::STATUS | 0b00_11_10_01_00 << bits::VERDICTS
}

/// A full bundle, then one of two receipts.
pub fn honest() -> SegmentInputs {
    let first = (0..4).map(|n| leaf(5_000 + 10 * n, packed(1_000 + n))).collect();
    let second = (0..2).map(|n| leaf(4_000 + 10 * n, packed(2_000 + n))).collect();
    SegmentInputs {
        rollup_id: [1, 2, 3, 4],
        bundles: vec![
            BundleInputs { node_index: 7, sequence: 9, leaves: first },
            BundleInputs { node_index: 8, sequence: 0, leaves: second },
        ],
    }
}

fn assign(circuit: &SegmentCircuit, inputs: &SegmentInputs) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    circuit.target.assign(&mut witness, inputs).unwrap();
    witness
}

/// Generates `inputs`, changed by `tamper`, in a circuit without `clause`, and shows that the full one refuses them.
fn attack(clause: Clause, inputs: &SegmentInputs, tamper: impl FnOnce(&SegmentCircuit, &mut PartialWitness<F>)) {
    let full = full();
    let honest = Wires::generate(&full.circuit, assign(full, &honest()));
    let lenient = build(Clauses::without(clause));
    let mut witness = assign(&lenient, inputs);
    fill_free(&mut witness, &lenient.target.free, &full.circuit, &honest);
    tamper(&lenient, &mut witness);
    let forged = Wires::generate(&lenient.circuit, witness);
    assert_only_the_clause_refuses(clause, &full.circuit, &lenient.circuit, &forged);
}

/// Overwrites the `index`th value that a missing clause leaves free, in one lane.
fn free(index: usize, lane: usize, value: u64) -> impl FnOnce(&SegmentCircuit, &mut PartialWitness<F>) {
    move |circuit, witness| set(witness, circuit.target.free[index].1[lane], F::from_canonical_u64(value))
}

/// No change beyond the inputs.
fn nothing(_: &SegmentCircuit, _: &mut PartialWitness<F>) {}

fn number(value: u64) -> F {
    F::from_canonical_u64(value)
}

#[test]
fn an_honest_witness_passes_the_same_way_forgeries_are_tried() {
    let full = full();
    let wires = Wires::generate(&full.circuit, assign(full, &honest()));
    wires.prove(&full.circuit).unwrap();
}

#[test]
fn a_receipt_earlier_than_the_one_before_it() {
    for (bundle, slot) in [(0, 1), (0, 2), (1, 1)] {
        let mut inputs = honest();
        inputs.bundles[bundle].leaves[slot][0] = inputs.bundles[bundle].leaves[slot - 1][0] - 1;
        attack(Clause::TimesNonDecreasing, &inputs, nothing);
    }
}

#[test]
fn a_last_time_of_2_to_the_48() {
    let mut inputs = honest();
    inputs.bundles[0].leaves[3][0] = 1 << 47;
    (inputs.bundles[1].leaves[0][0], inputs.bundles[1].leaves[1][0]) = ((1 << 48) - 1, 1 << 48);
    attack(Clause::TimeBound, &inputs, nothing);
}

#[test]
fn a_word_of_more_than_63_bits() {
    for slot in [0, 1] {
        let mut inputs = honest();
        inputs.bundles[0].leaves[slot][1] |= 1 << 63;
        attack(Clause::WordRanges, &inputs, nothing);
    }
}

#[test]
fn a_length_inflated_with_bits_of_the_status() {
    attack(Clause::WordRanges, &honest(), |circuit, witness| {
        let row = circuit.target.bundles[0].rows[0].row;
        let digits = ReceiptGate::packed_digits(row, 0);
        // Status 200 has lowest octal digit 0 and next 1: take one off, and put 2^40 into the length's top bit.
        set(witness, digits[13], number(2));
        set(witness, digits[14], number(7));
        set(witness, digits[15], number(0));
    });
}

#[test]
fn a_claimed_tier() {
    for tier in 1..8 {
        let mut inputs = honest();
        inputs.bundles[1].leaves[1][1] |= tier << bits::TIER;
        attack(Clause::TierZero, &inputs, nothing);
    }
}

#[test]
fn counted_parts_that_are_not_those_of_the_word() {
    for digit in [0, 13, 14, 18] {
        attack(Clause::WordIsSplit, &honest(), |circuit, witness| {
            let digits = ReceiptGate::packed_digits(circuit.target.bundles[0].rows[1].row, 1);
            set(witness, digits[digit], F::ONE);
        });
    }
}

#[test]
fn a_receipt_that_counts_twice() {
    let mut inputs = honest();
    inputs.bundles[0].leaves[3] = leaf(inputs.bundles[0].leaves[2][0], 0);
    attack(Clause::OccupiedIsBit, &inputs, |circuit, witness| set(witness, circuit.target.bundles[0].flags[3], F::TWO));
}

#[test]
fn a_receipt_after_an_empty_slot() {
    for slot in [1, 2] {
        let mut inputs = honest();
        inputs.bundles[0].leaves[slot] = leaf(inputs.bundles[0].leaves[slot - 1][0], 0);
        attack(Clause::EmptySlotsLast, &inputs, move |circuit, witness| {
            set(witness, circuit.target.bundles[0].flags[slot], F::ZERO)
        });
    }
}

#[test]
fn an_empty_slot_with_a_digest() {
    for lane in 0..4 {
        attack(Clause::EmptyDigestIsZero, &honest(), |circuit, witness| {
            set(witness, circuit.target.bundles[1].rows[1].slots[1].digest[lane], F::ONE);
        });
    }
}

#[test]
fn a_receipt_with_another_digest_than_its_leafs() {
    attack(Clause::EmptyDigestIsZero, &honest(), |circuit, witness| {
        set(witness, circuit.target.bundles[0].rows[0].slots[0].digest[0], F::ONE);
    });
}

#[test]
fn an_empty_slot_that_counts_bytes_or_verdicts() {
    for packed in [5, 1 << bits::VERDICTS] {
        attack(Clause::EmptySlotIsBlank, &honest(), |circuit, witness| {
            set(witness, circuit.target.bundles[1].leaves[3][1], number(packed));
        });
    }
}

#[test]
fn an_empty_slot_that_moves_the_time() {
    attack(Clause::EmptySlotIsBlank, &honest(), |circuit, witness| {
        for slot in [2, 3] {
            set(witness, circuit.target.bundles[1].leaves[slot][0], number(9_999));
        }
    });
}

#[test]
fn a_receipts_root_of_other_receipts() {
    for lane in 0..4 {
        attack(Clause::ReceiptsRoot, &honest(), free(0, lane, 42));
    }
}

#[test]
fn a_stated_count_or_sum_of_bytes_that_is_not_the_running_one() {
    attack(Clause::Count, &honest(), free(0, 0, 5));
    attack(Clause::Count, &honest(), free(1, 0, 1));
    attack(Clause::Bytes, &honest(), free(0, 0, 4_007));
}

/// Forges a running counter after the last row of bundle 0, and states the forged value.
fn forge_counter(clause: Clause, counter: usize, value: u64) {
    attack(clause, &honest(), |circuit, witness| {
        let last = circuit.target.bundles[0].rows[1];
        set(witness, last.after.counters[counter], number(value));
        if let Some((_, stated)) = circuit.target.free.first() {
            set(witness, stated[0], number(value));
        }
    });
}

#[test]
fn a_running_count_that_grows_by_more_than_the_receipts() {
    forge_counter(Clause::Count, 0, 5);
}

#[test]
fn running_bytes_that_grow_by_more_than_the_lengths() {
    forge_counter(Clause::Bytes, 1, 1 << 40);
}

#[test]
fn each_verdict_counter_that_grows_by_what_nobody_said() {
    for verdict in 0..5 {
        forge_counter(Clause::Verdicts, 2 + verdict, 1 << 21);
    }
}

#[test]
fn a_time_min_that_is_not_the_first_receipts() {
    attack(Clause::BundleTimeMin, &honest(), free(0, 0, 4_999));
}

#[test]
fn a_time_max_that_is_not_the_last_receipts() {
    attack(Clause::BundleTimeMax, &honest(), free(0, 0, 5_031));
}

#[test]
fn a_bundle_of_another_rollup() {
    for lane in 0..4 {
        attack(Clause::BundleRollup, &honest(), free(1, lane, 77));
    }
}

#[test]
fn a_bundle_after_an_empty_bundle_slot() {
    let mut inputs = honest();
    inputs.bundles[0] = BundleInputs::default();
    attack(Clause::EmptyBundlesLast, &inputs, nothing);
}

#[test]
fn an_empty_bundle_slot_with_a_digest() {
    let mut inputs = honest();
    inputs.bundles.pop();
    attack(Clause::EmptyBundleIsZero, &inputs, free(1, 0, 1));
}

#[test]
fn a_segment_root_of_other_bundles() {
    for lane in 0..4 {
        attack(Clause::SegmentRoot, &honest(), free(0, lane, 42));
    }
}

#[test]
fn each_total_of_a_segment_that_is_not_the_sum() {
    // Bundles, receipts, bytes, five verdict counters.
    for total in 0..8 {
        attack(Clause::SegmentTotals, &honest(), free(total, 0, 1 << 50));
    }
}

#[test]
fn times_of_a_segment_that_are_not_the_least_and_greatest() {
    attack(Clause::SegmentTimes, &honest(), free(0, 0, 5_000));
    attack(Clause::SegmentTimes, &honest(), free(0, 1, 4_010));
}

#[test]
fn a_real_segment_that_calls_itself_a_no_op() {
    attack(Clause::NoOpIsBlank, &honest(), free(0, 0, 1));
}

#[test]
fn a_no_op_that_calls_itself_real_or_has_a_root_or_a_rollup() {
    let nothing_in_it = SegmentInputs::default();
    for forged in 0..3 {
        attack(Clause::NoOpIsBlank, &nothing_in_it, |circuit, witness| {
            let values: [&[u64]; 3] = [&[1], &[0; 4], &[0; 4]];
            for ((_, targets), values) in circuit.target.free.iter().zip(values) {
                for (&target, &value) in targets.iter().zip(values) {
                    set(witness, target, number(value));
                }
            }
            let target: Target = circuit.target.free[forged].1[0];
            set(witness, target, if forged == 0 { F::ZERO } else { F::ONE });
        });
    }
}
