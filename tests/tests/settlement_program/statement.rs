//! The digest that the program computes on chain, in sBPF, is the native one.

use cairn_goldilocks::MODULUS;
use cairn_interface::Batch;
use cairn_tests::settlement::Machine;
use cairn_types::{BatchHeader, Digest, VerdictCounts};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn word() -> impl Strategy<Value = u64> {
    let edges = prop::sample::select(vec![0, 1, 0xffff_ffff, 1 << 32, 1 << 63, MODULUS - 2, MODULUS - 1]);
    prop_oneof![1 => edges, 3 => 0..MODULUS]
}

fn digest() -> impl Strategy<Value = Digest> {
    [word(), word(), word(), word()].prop_map(Digest::constant)
}

prop_compose! {
    /// A header that says anything it may; rollup, number, previous digest, old root and queue are the tip's to say.
    fn header(base: BatchHeader)(
        batch_root in digest(),
        new_state_root in digest(),
        data in any::<[u8; 32]>(),
        bundles in 1_u32..=512,
        share in 1_u32..=256,
        bytes in 0_u64..1 << 60,
        (time_min, duration) in (0_u64..1_790_000_000_000, 0_u64..600_000),
        allowed in prop::array::uniform5(any::<prop::sample::Index>()),
        data_length in 0_u64..=1 << 30,
    ) -> BatchHeader {
        let receipts = bundles * share;
        BatchHeader {
            batch_root,
            new_state_root,
            data_digest: Digest::from_byte_digest(data),
            bundles,
            receipts,
            bytes,
            time_min,
            time_max: time_min + duration,
            verdicts: allowed.map(|index| {
                let allowed = u32::try_from(index.index(receipts as usize + 1)).expect("at most the receipts");
                let rest = receipts - allowed;
                VerdictCounts { allowed, refused: rest / 2, conditional: rest / 3 }
            }),
            data_length,
            ..base
        }
    }
}

#[test]
fn statements_of_random_headers_computed_on_chain_are_the_native_ones() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        let mut machine = Machine::new();
        // Each header continues from the one before, so that digests of random headers are hashed again.
        for _ in 0..32 {
            let header = header(machine.next_header()).new_tree(&mut runner).expect("a header").current();
            machine.submit(&header).expect("accepted");
            let batch = Batch::parse(&machine.data(&machine.batch_address(header.number))).expect("a batch");
            assert_eq!(batch.digest, header.statement());
            assert_eq!(machine.rollup().tip, header.cursor());
        }
    }
}
