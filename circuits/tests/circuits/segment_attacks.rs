//! One attack for each clause about receipts, bundles and totals that a segment enforces.

use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use crate::scene::{Scene, leaf, number};
use cairn_circuits::plonk::F;
use cairn_circuits::receipt_gate::ReceiptGate;
use cairn_circuits::{
    BundleInputs, Clause, Clauses, Layer, Profile, SegmentCircuit, SegmentInputs, SegmentShape, SegmentTarget,
};
use cairn_types::leaf::bits;
use plonky2::field::types::Field;
use plonky2::iop::witness::PartialWitness;
use std::sync::OnceLock;

/// Two bundles of four receipts and two queue entries.
pub const SMALL: SegmentShape = SegmentShape { receipts_depth: 2, bundles_depth: 1, entries: 2 };

/// The circuit in the small shape.
pub fn build(clauses: Clauses) -> SegmentCircuit {
    SegmentTarget::draft(Layer::Segment.config(Profile::Dev), SMALL, clauses).build()
}

/// The full circuit in the small shape.
pub fn full() -> &'static SegmentCircuit {
    static FULL: OnceLock<SegmentCircuit> = OnceLock::new();
    FULL.get_or_init(|| build(Clauses::ALL))
}

/// A circuit that also takes accounts from anywhere and any signature: in it wires can be generated first, which say what
/// there is to open and to sign.
fn loose(clauses: Clauses) -> SegmentCircuit {
    let clauses = clauses.and_without(Clause::BundleAccountOpened).and_without(Clause::EntryAccountOpened);
    build(clauses.and_without(Clause::SignatureEquation))
}

/// The full circuit but for that.
pub fn full_but_loose() -> &'static SegmentCircuit {
    static LOOSE: OnceLock<SegmentCircuit> = OnceLock::new();
    LOOSE.get_or_init(|| loose(Clauses::ALL))
}

/// [`Scene::honest`], settled.
pub fn honest() -> Scene {
    static HONEST: OnceLock<Scene> = OnceLock::new();
    HONEST.get_or_init(|| Scene::honest().settle()).clone()
}

/// The wires of [`honest`] in the full circuit.
fn honest_wires() -> &'static Wires {
    static WIRES: OnceLock<Wires> = OnceLock::new();
    WIRES.get_or_init(|| Wires::generate(&full().circuit, assign(full(), &honest().inputs)))
}

pub fn assign(circuit: &SegmentCircuit, inputs: &SegmentInputs) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    circuit.target.assign(&mut witness, inputs).unwrap();
    witness
}

/// Circuits without one clause.
pub struct Lenient {
    clause: Clause,
    circuit: SegmentCircuit,
    loose: SegmentCircuit,
    /// What refuses, if that is not the full circuit.
    strict: Option<SegmentCircuit>,
}

impl Lenient {
    /// Without `clause`.
    pub fn without(clause: Clause) -> Self {
        let clauses = Clauses::without(clause);
        Self { clause, circuit: build(clauses), loose: loose(clauses), strict: None }
    }

    /// Without `clause`, against a circuit that lacks `other`: for clauses whose absence alone does not let a forgery through.
    pub fn without_and_without(clause: Clause, other: Clause) -> Self {
        let strict = Clauses::without(other);
        let clauses = strict.and_without(clause);
        Self { clause, circuit: build(clauses), loose: loose(clauses), strict: Some(build(strict)) }
    }

    /// Generates `scene`, changed by `tamper`, without the clause, and shows that the full circuit refuses it. The attacker has
    /// the nodes' keys and knows the state: signatures and places of accounts fit what is forged.
    pub fn attack(&self, scene: &Scene, tamper: impl Fn(&SegmentCircuit, &mut PartialWitness<F>)) {
        let mut scene = scene.clone();
        scene.settle_by(&self.loose, |scene| forged(&self.loose, &scene.inputs, &tamper));
        self.attack_exactly(&scene.inputs, tamper);
    }

    /// As [`Self::attack`], with exactly these inputs: the attacker can neither sign nor choose the state.
    pub fn attack_exactly(&self, inputs: &SegmentInputs, tamper: impl Fn(&SegmentCircuit, &mut PartialWitness<F>)) {
        let forged = forged(&self.circuit, inputs, &tamper);
        let strict = self.strict.as_ref().unwrap_or_else(|| full());
        assert_only_the_clause_refuses(self.clause, &strict.circuit, &self.circuit.circuit, &forged);
    }
}

/// [`Lenient::attack`] without one clause.
pub fn attack(clause: Clause, scene: &Scene, tamper: impl Fn(&SegmentCircuit, &mut PartialWitness<F>)) {
    Lenient::without(clause).attack(scene, tamper);
}

/// [`Lenient::attack_exactly`] without one clause.
pub fn attack_exactly(
    clause: Clause,
    inputs: &SegmentInputs,
    tamper: impl Fn(&SegmentCircuit, &mut PartialWitness<F>),
) {
    Lenient::without(clause).attack_exactly(inputs, tamper);
}

fn forged(
    lenient: &SegmentCircuit,
    inputs: &SegmentInputs,
    tamper: &impl Fn(&SegmentCircuit, &mut PartialWitness<F>),
) -> Wires {
    let mut witness = assign(lenient, inputs);
    fill_free(&mut witness, &lenient.target.free, &full().circuit, honest_wires());
    tamper(lenient, &mut witness);
    Wires::generate(&lenient.circuit, witness)
}

/// Overwrites the `index`th value that a missing clause leaves free, in one lane.
pub fn free(index: usize, lane: usize, value: u64) -> impl Fn(&SegmentCircuit, &mut PartialWitness<F>) {
    move |circuit, witness| set(witness, circuit.target.free[index].1[lane], number(value))
}

/// Gives all values that a missing clause leaves free.
pub fn all_free(values: Vec<Vec<u64>>) -> impl Fn(&SegmentCircuit, &mut PartialWitness<F>) {
    move |circuit, witness| {
        assert_eq!(circuit.target.free.len(), values.len());
        for ((_, targets), values) in circuit.target.free.iter().zip(&values) {
            assert_eq!(targets.len(), values.len());
            targets.iter().zip(values).for_each(|(&target, &value)| set(witness, target, number(value)));
        }
    }
}

/// No change beyond the inputs.
pub fn nothing(_: &SegmentCircuit, _: &mut PartialWitness<F>) {}

#[test]
fn an_honest_witness_passes_the_same_way_forgeries_are_tried() {
    honest_wires().prove(&full().circuit).unwrap();
}

#[test]
fn a_receipt_earlier_than_the_one_before_it() {
    let lenient = Lenient::without(Clause::TimesNonDecreasing);
    for (bundle, slot) in [(0, 1), (0, 2), (1, 1)] {
        let mut scene = honest();
        scene.inputs.bundles[bundle].leaves[slot][0] = scene.inputs.bundles[bundle].leaves[slot - 1][0] - 1;
        lenient.attack(&scene, nothing);
    }
}

#[test]
fn a_last_time_of_2_to_the_48() {
    let mut scene = honest();
    scene.inputs.bundles[0].leaves[3][0] = 1 << 47;
    (scene.inputs.bundles[1].leaves[0][0], scene.inputs.bundles[1].leaves[1][0]) = ((1 << 48) - 1, 1 << 48);
    attack(Clause::TimeBound, &scene, nothing);
}

#[test]
fn a_word_of_more_than_63_bits() {
    let lenient = Lenient::without(Clause::WordRanges);
    for slot in [0, 1] {
        let mut scene = honest();
        scene.inputs.bundles[0].leaves[slot][1] |= 1 << 63;
        lenient.attack(&scene, nothing);
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
    let lenient = Lenient::without(Clause::TierZero);
    for tier in [1, 2, 4, 7] {
        let mut scene = honest();
        scene.inputs.bundles[1].leaves[1][1] |= tier << bits::TIER;
        lenient.attack(&scene, nothing);
    }
}

#[test]
fn counted_parts_that_are_not_those_of_the_word() {
    let lenient = Lenient::without(Clause::WordIsSplit);
    for digit in [0, 13, 14, 18] {
        lenient.attack(&honest(), |circuit, witness| {
            let digits = ReceiptGate::packed_digits(circuit.target.bundles[0].rows[1].row, 1);
            set(witness, digits[digit], F::ONE);
        });
    }
}

#[test]
fn a_receipt_that_counts_twice() {
    let mut scene = honest();
    scene.inputs.bundles[0].leaves[3] = leaf(scene.inputs.bundles[0].leaves[2][0], 0);
    attack(Clause::OccupiedIsBit, &scene, |circuit, witness| set(witness, circuit.target.bundles[0].flags[3], F::TWO));
}

#[test]
fn a_receipt_after_an_empty_slot() {
    let lenient = Lenient::without(Clause::EmptySlotsLast);
    for slot in [1, 2] {
        let mut scene = honest();
        scene.inputs.bundles[0].leaves[slot] = leaf(scene.inputs.bundles[0].leaves[slot - 1][0], 0);
        lenient.attack(&scene, move |circuit, witness| set(witness, circuit.target.bundles[0].flags[slot], F::ZERO));
    }
}

#[test]
fn an_empty_slot_with_a_digest() {
    let lenient = Lenient::without(Clause::EmptyDigestIsZero);
    for lane in [0, 3] {
        lenient.attack(&honest(), |circuit, witness| {
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
    let lenient = Lenient::without(Clause::EmptySlotIsBlank);
    for packed in [5, 1 << bits::VERDICTS] {
        lenient.attack(&honest(), |circuit, witness| {
            set(witness, circuit.target.bundles[1].leaves[3][1], number(packed));
        });
    }
}

#[test]
fn an_empty_slot_that_moves_the_time() {
    let lenient = Lenient::without(Clause::EmptySlotIsBlank);
    lenient.attack(&honest(), |circuit, witness| {
        for slot in [2, 3] {
            set(witness, circuit.target.bundles[1].leaves[slot][0], number(9_999));
        }
    });
}

#[test]
fn a_receipts_root_of_other_receipts() {
    let lenient = Lenient::without(Clause::ReceiptsRoot);
    for lane in [0, 3] {
        lenient.attack(&honest(), free(0, lane, 42));
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
    let lenient = Lenient::without(Clause::BundleRollup);
    for lane in [0, 3] {
        lenient.attack(&honest(), free(1, lane, 77));
    }
}

#[test]
fn a_bundle_after_an_empty_bundle_slot() {
    let mut scene = honest();
    scene.inputs.bundles[0] = BundleInputs::default();
    attack(Clause::EmptyBundlesLast, &scene, nothing);
}

#[test]
fn an_empty_bundle_slot_with_a_digest() {
    let mut scene = honest();
    scene.inputs.bundles.pop();
    attack(Clause::EmptyBundleIsZero, &scene, free(1, 0, 1));
}

#[test]
fn a_segment_root_of_other_bundles() {
    let lenient = Lenient::without(Clause::SegmentRoot);
    for lane in [0, 3] {
        lenient.attack(&honest(), free(0, lane, 42));
    }
}

#[test]
fn each_total_of_a_segment_that_is_not_the_sum() {
    let lenient = Lenient::without(Clause::SegmentTotals);
    // Bundles, receipts, bytes, five verdict counters.
    for total in 0..8 {
        lenient.attack(&honest(), free(total, 0, 1 << 50));
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

/// What a segment says that a no-op blanks: flag, root, rollup, old and new state, both ends of the queue.
const BLANKED: [usize; 7] = [1, 4, 4, 4, 4, 5, 5];

#[test]
fn a_real_segment_that_states_another_root_rollup_state_or_queue() {
    let lenient = Lenient::without(Clause::NoOpIsBlank);
    for (index, length) in BLANKED.into_iter().enumerate().skip(1) {
        for lane in [0, length - 1] {
            lenient.attack(&honest(), free(index, lane, 0));
        }
    }
}

#[test]
fn a_no_op_that_calls_itself_real_or_has_anything_to_say() {
    let nothing_in_it = SegmentInputs::default();
    let lenient = Lenient::without(Clause::NoOpIsBlank);
    for (forged, length) in BLANKED.into_iter().enumerate() {
        lenient.attack_exactly(&nothing_in_it, |circuit, witness| {
            for (index, (_, targets)) in circuit.target.free.iter().enumerate() {
                let honest = if index == 0 { F::ONE } else { F::ZERO };
                targets.iter().for_each(|&target| set(witness, target, honest));
            }
            let target = circuit.target.free[forged].1[length - 1];
            set(witness, target, if forged == 0 { F::ZERO } else { F::ONE });
        });
    }
}
