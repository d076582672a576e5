//! Whatever is let in can be sealed and read back: an acknowledged bundle that cannot be would stop the log for ever.

use std::collections::BTreeMap;

use cairn_proto::Acknowledgement;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_types::state::MemoryState;
use cairn_types::{Blob, Cursor, EntryKind, ReceiptKey};
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::sync::{mpsc, oneshot};

use super::authorise::{Verdict, authorise};
use super::check::check;
use super::error::IntakeError;
use super::writer::Offer;
use crate::samples::{NOW_MS, receipt_key, request, rollup, signed, signing_key};
use crate::seal::rebuild::rebuild;
use crate::store::StoredBundle;
use crate::test_log::TestLog;

/// Nodes of a run: two are registered from the start, one perhaps later, one never.
const NODES: u32 = 4;
const REGISTERED: [u32; 2] = [0, 1];

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    /// A node submits a bundle, as it should be or not.
    Submit(Submit),
    /// An entry is seen on chain, if the program would have taken it.
    Entry(EntryKind, u32),
    /// A batch with at most so many bundles is sealed.
    Seal(u64),
}

#[derive(Debug, Clone)]
struct Submit {
    node_index: u32,
    /// Beside the sequence that is due.
    offset: i64,
    receipts: u64,
    /// Which of the node's keys, in order of its rotations, signs; beside the newest.
    older: u32,
    /// A byte of a receipt that is another.
    change: Option<(Index, Index, u8)>,
    /// Two receipts that change places.
    moved: Option<(Index, Index)>,
    /// Whether the node signs after these, or before.
    signs_last: bool,
    /// A byte of the signature that is another.
    forged: Option<(Index, u8)>,
    /// Submitted under another node's index.
    stolen: bool,
}

fn submits() -> impl Strategy<Value = Submit> {
    let content = (1_u64..4, any::<Option<(Index, Index, u8)>>(), any::<Option<(Index, Index)>>());
    let odd = prop_oneof![6 => Just(false), 1 => Just(true)];
    let forged = prop_oneof![6 => Just(None), 1 => any::<(Index, u8)>().prop_map(Some)];
    let older = prop_oneof![4 => Just(0_u32), 1 => 1_u32..3];
    let offset = prop_oneof![5 => Just(0_i64), 1 => -2_i64..3];
    // Most are left as they are: otherwise the log would stay empty.
    let touched = prop_oneof![3 => Just(false), 1 => Just(true)];
    (0..NODES, offset, content, older, any::<bool>(), forged, odd, touched).prop_map(
        |(node_index, offset, (receipts, change, moved), older, signs_last, forged, stolen, touched)| {
            let (change, moved) = if touched { (change, moved) } else { (None, None) };
            Submit { node_index, offset, receipts, older, change, moved, signs_last, forged, stolen }
        },
    )
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kind =
        prop_oneof![1 => Just(EntryKind::Register), 3 => Just(EntryKind::Rotate), 1 => Just(EntryKind::Deactivate)];
    let event = prop_oneof![
        8 => submits().prop_map(Event::Submit),
        1 => (kind, 0..NODES - 1).prop_map(|(kind, node)| Event::Entry(kind, node)),
        2 => (0_u64..5).prop_map(Event::Seal),
    ];
    prop::collection::vec(event, 1..40)
}

/// A log, and what the chain knows of its nodes.
struct Run {
    log: TestLog,
    /// How often each registered node has rotated; `None` when it is deactivated.
    rotations: BTreeMap<u32, Option<u32>>,
    acknowledged: Vec<Acknowledgement>,
    sealed: u64,
}

/// The secret of a node after so many rotations is that of a node which does not exist.
const fn identity(node_index: u32, rotations: u32) -> u32 {
    node_index + 1_000 * rotations
}

impl Run {
    fn new() -> Self {
        let rotations = REGISTERED.iter().map(|node| (*node, Some(0))).collect();
        Self { log: TestLog::new(&REGISTERED), rotations, acknowledged: Vec::new(), sealed: 0 }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Submit(submit) => {
                let request = self.request(&submit);
                if let Ok(acknowledgement) = self.submit(request) {
                    assert!(submit.node_index < NODES - 1, "a node that never registers is never taken");
                    self.acknowledged.push(acknowledgement);
                }
            }
            Event::Entry(kind, node_index) => self.entry(kind, node_index),
            Event::Seal(bundles) => self.seal(bundles),
        }
    }

    /// What the program takes: an index is registered once and in order, and a node that has gone stays gone.
    fn entry(&mut self, kind: EntryKind, node_index: u32) {
        let key = match (kind, self.rotations.get(&node_index).copied()) {
            (EntryKind::Register, None) => {
                self.rotations.insert(node_index, Some(0));
                receipt_key(node_index)
            }
            (EntryKind::Rotate, Some(Some(times))) => {
                self.rotations.insert(node_index, Some(times + 1));
                receipt_key(identity(node_index, times + 1))
            }
            (EntryKind::Deactivate, Some(Some(_))) => {
                self.rotations.insert(node_index, None);
                ReceiptKey::ZERO
            }
            _ => return,
        };
        self.log.enqueue(kind, node_index, key);
    }

    fn request(&self, submit: &Submit) -> SubmitBundleRequest {
        let due = self.log.store.head(submit.node_index).unwrap().map_or(0, |head| head.next_sequence);
        let sequence = due.saturating_add_signed(submit.offset);
        let rotations = self.rotations.get(&submit.node_index).copied().flatten().unwrap_or(0);
        let key = signing_key(identity(submit.node_index, rotations.saturating_sub(submit.older)));
        let mut request = signed(request(submit.node_index, sequence, submit.receipts), &key);
        if let Some((receipt, at, with)) = submit.change {
            let receipt = receipt.index(request.receipts.len());
            let at = at.index(request.receipts[receipt].len());
            request.receipts[receipt][at] = with;
        }
        if let Some((from, to)) = submit.moved {
            let (from, to) = (from.index(request.receipts.len()), to.index(request.receipts.len()));
            request.receipts.swap(from, to);
        }
        if submit.signs_last {
            request = signed(request, &key);
        }
        if let Some((at, with)) = submit.forged {
            let at = at.index(request.signature.len());
            request.signature[at] = with;
        }
        if submit.stolen {
            request.node_index = (request.node_index + 1) % NODES;
        }
        request
    }

    fn submit(&self, request: SubmitBundleRequest) -> Result<Acknowledgement, IntakeError> {
        let bundle = check(request, &rollup(), NOW_MS * 2)?;
        let (node_index, sequence) = (bundle.data.node_index, bundle.data.sequence);
        let authorised = match authorise(&self.log.log(), bundle).unwrap()? {
            Verdict::Known(placed) => {
                let first = placed.acknowledgement(&rollup(), node_index, sequence);
                assert!(self.acknowledged.contains(&first), "what is known was acknowledged, in the same bytes");
                return Ok(first);
            }
            Verdict::Authorised(authorised) => authorised,
        };
        let (reply, mut answer) = oneshot::channel();
        let (sender, offers) = mpsc::channel(1);
        sender.try_send(Offer { authorised, arrived_ms: NOW_MS, reply }).unwrap();
        drop(sender);
        self.log.writer().run(offers, |_| {}).unwrap();
        answer.try_recv().unwrap()
    }

    /// Seals at most `bundles` bundles, with what may be consumed of the queue.
    fn seal(&mut self, bundles: u64) {
        let end = self.log.store.log_end().unwrap().min(self.sealed + bundles);
        let waits = !self.log.registrations.read().is_empty();
        let all_sealed = self.sealed == self.log.store.log_end().unwrap();
        if end > self.sealed || waits && all_sealed {
            let sealed = self.log.seal(self.sealed, end).unwrap();
            rebuild(&self.log.store, &rollup(), sealed.header.number).unwrap();
            self.sealed = end;
        }
    }

    /// Seals the rest, and reads every batch as somebody who has only blobs and headers.
    fn finish(mut self) {
        let store = std::sync::Arc::clone(&self.log.store);
        for _ in 0..1_000 {
            if self.sealed == store.log_end().unwrap() && self.log.registrations.read().is_empty() {
                break;
            }
            self.seal(3);
        }
        assert_eq!(self.sealed, store.log_end().unwrap(), "every acknowledged bundle is in a batch");
        assert!(self.log.registrations.read().is_empty(), "every entry is consumed");

        let (mut cursor, mut state, mut bundles) = (Cursor::genesis(&rollup()), MemoryState::default(), Vec::new());
        for number in 0..=store.last_batch().unwrap().unwrap().header.number {
            let rebuilt = rebuild(&store, &rollup(), number).unwrap();
            let header = rebuilt.sealed.header;
            let blob = Blob::decode(&rebuilt.batch.blob(&rebuilt.cursor), &header).unwrap();
            let mut touched = state.open(blob.touched());
            let batch = blob.into_batch(&header, &cursor, &mut touched).unwrap();
            state.commit(&touched);
            bundles.extend(batch.statements);
            cursor = header.cursor();
        }
        for acknowledgement in &self.acknowledged {
            let bundle = &bundles[usize::try_from(acknowledgement.log_index).unwrap()];
            assert_eq!(bundle.digest(), acknowledgement.bundle_digest);
        }
        for StoredBundle { digest, data, .. } in store.bundles(0..store.log_end().unwrap()).unwrap() {
            let placed = store.placed(data.node_index, data.sequence).unwrap().unwrap();
            assert_eq!(placed.digest, digest);
            assert!(self.acknowledged.iter().any(|acknowledgement| acknowledgement.log_index == placed.log_index));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_let_in_can_be_sealed_and_read_back(events in events()) {
        let mut run = Run::new();
        for event in events {
            run.happen(event);
        }
        run.finish();
    }
}

/// The property above would hold of a door that is shut.
#[test]
fn bundles_as_they_should_be_are_let_in_and_others_are_not() {
    let good = Submit {
        node_index: 0,
        offset: 0,
        receipts: 2,
        older: 0,
        change: None,
        moved: None,
        signs_last: true,
        forged: None,
        stolen: false,
    };
    let mut run = Run::new();
    for node_index in REGISTERED {
        run.happen(Event::Submit(Submit { node_index, ..good.clone() }));
    }
    run.happen(Event::Entry(EntryKind::Rotate, 1));
    run.happen(Event::Entry(EntryKind::Register, 2));
    run.happen(Event::Seal(2));
    for node_index in 0..NODES {
        run.happen(Event::Submit(Submit { node_index, ..good.clone() }));
    }
    assert_eq!(run.acknowledged.iter().map(|ack| ack.node_index).collect::<Vec<_>>(), [0, 1, 0, 1, 2]);
    for bad in [
        Submit { offset: 1, ..good.clone() },
        Submit { older: 1, node_index: 1, ..good.clone() },
        Submit { stolen: true, node_index: 2, ..good.clone() },
        Submit { node_index: 3, ..good },
    ] {
        run.happen(Event::Submit(bad));
    }
    assert_eq!(run.acknowledged.len(), 5);
    run.finish();
}
