//! A log on disk with registered nodes and no chain, for tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_types::{EntryKind, QueueEntry, ReceiptKey};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::intake::acknowledge::Acknowledger;
use crate::intake::authorise::Log;
use crate::intake::writer::Writer;
use crate::promise::{Pace, PromiseLimits, Rates};
use crate::registry::follow::ChainView;
use crate::registry::pending::{Pending, Registrations};
use crate::samples::{NOW_MS, acknowledgement_key, receipt_key, rollup};
use crate::seal::sealer::{SealerError, seal};
use crate::status::LogStatus;
use crate::store::{Identity, Queued, SealedBatch, Store};

/// A store in a folder of its own.
pub(crate) struct TestLog {
    pub(crate) store: Arc<Store>,
    pub(crate) registrations: Registrations,
    _folder: tempfile::TempDir,
}

impl TestLog {
    /// Where its chain is.
    pub(crate) const SLOT: u64 = 1_000;

    /// A log whose batch 0 registers `nodes`, each with its [`receipt_key`].
    pub(crate) fn new(nodes: &[u32]) -> Self {
        let log = Self::empty();
        for node in nodes {
            log.enqueue(EntryKind::Register, *node, receipt_key(*node));
        }
        while !log.registrations.read().is_empty() {
            log.seal(0, 0).unwrap();
        }
        log
    }

    /// A log of nothing.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity { rollup_id: rollup(), circuit_digest: [0; 32] };
        let store = Arc::new(Store::open(folder.path(), &identity).unwrap());
        let registrations = Arc::new(RwLock::new(Pending::load(&store).unwrap()));
        Self { store, registrations, _folder: folder }
    }

    /// An entry is seen on chain.
    pub(crate) fn enqueue(&self, kind: EntryKind, node_index: u32, key: ReceiptKey) {
        let entry = QueueEntry::new(kind, node_index, key).unwrap();
        let mut pending = self.registrations.write();
        let queued = Queued { cursor: pending.end().push(&entry), entry, slot: Self::SLOT, seen_ms: NOW_MS };
        self.store.enqueue(&[queued]).unwrap();
        pending.push(queued);
    }

    /// Seals the bundles `first..end`, and what waits of the queue.
    pub(crate) fn seal(&self, first: u64, end: u64) -> Result<SealedBatch, SealerError> {
        let waiting: Vec<_> = self.registrations.read().entries().map(|queued| queued.entry).collect();
        let sealed = seal(&self.store, &rollup(), first, end, &waiting)?;
        self.registrations.write().consumed(sealed.header.queue_to.position);
        Ok(sealed)
    }

    pub(crate) fn log(&self) -> Log {
        Log { store: Arc::clone(&self.store), registrations: Arc::clone(&self.registrations) }
    }

    /// Who appends to it.
    pub(crate) fn writer(&self) -> Writer {
        // Those who send have gone; what they sent last stays.
        let (_, status) = watch::channel(LogStatus::default());
        let (_, chain) = watch::channel(ChainView { slot: Self::SLOT, seen: Instant::now(), settled: 0 });
        let acknowledger = Acknowledger {
            rollup_id: rollup(),
            key: acknowledgement_key(),
            limits: PromiseLimits { floor: Duration::from_secs(900), most: Duration::from_secs(14_400) },
            bundles_per_batch: 512,
            seal_age: Duration::from_secs(600),
            pace: Arc::new(Mutex::new(Pace::new(Rates { batch: 30.0, segment: 10.0 }))),
            status,
            chain,
        };
        Writer { store: Arc::clone(&self.store), registrations: Arc::clone(&self.registrations), acknowledger }
    }
}
