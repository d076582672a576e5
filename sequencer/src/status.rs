//! How far the log has come: a value to watch, and a stream of what happens to each batch.

use std::time::Duration;

use cairn_proto::v1;
use cairn_types::{BatchHeader, Digest};
use tokio::sync::{broadcast, watch};

use crate::store::{BatchTimes, Settlement};
use crate::{Stage, metrics};

/// Events that a slow listener may lag behind before it misses some.
const EVENTS: usize = 1_024;

/// A batch in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSummary {
    /// Its number.
    pub number: u64,
    /// Digest of its header.
    pub header_digest: Digest,
    /// Bundles in it.
    pub bundles: u32,
    /// Receipts in it.
    pub receipts: u32,
    /// Entries of the registration queue that it consumes.
    pub entries: u32,
}

impl BatchSummary {
    /// The summary of a header.
    #[must_use]
    pub fn of(header: &BatchHeader, header_digest: Digest) -> Self {
        // A batch consumes a few hundred at most.
        let entries = header.queue_to.position.saturating_sub(header.queue_from.position) as u32;
        Self { number: header.number, header_digest, bundles: header.bundles, receipts: header.receipts, entries }
    }
}

/// How far one stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageStatus {
    /// Batches that have passed it.
    pub batches: u64,
    /// The last of them.
    pub last: Option<BatchSummary>,
}

/// How far the log has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogStatus {
    /// Bundles acknowledged since the log began.
    pub bundles_acknowledged: u64,
    /// Bundles in sealed batches.
    pub bundles_sealed: u64,
    /// Bundles in proved batches.
    pub bundles_proved: u64,
    /// Entries of the registration queue that were seen final on chain.
    pub queue_seen: u64,
    /// Of these, the ones in sealed batches.
    pub queue_consumed: u64,
    /// Lamports that lie in the account that proofs are uploaded to, as last seen.
    pub proof_account_lamports: u64,
    /// One entry per stage.
    pub(crate) stages: [StageStatus; Stage::ALL.len()],
}

impl LogStatus {
    /// How far `stage` has come.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> StageStatus {
        self.stages[stage as usize]
    }

    pub(crate) fn set_stage(&mut self, stage: Stage, status: StageStatus) {
        self.stages[stage as usize] = status;
    }

    /// Acknowledged bundles that are in no sealed batch yet.
    #[must_use]
    pub fn bundles_unsealed(&self) -> u64 {
        self.bundles_acknowledged.saturating_sub(self.bundles_sealed)
    }

    /// The message that says this.
    #[must_use]
    pub fn reply(&self, rollup_id: &Digest) -> v1::StatusReply {
        let stage = |stage| {
            let StageStatus { batches, last } = self.stage(stage);
            Some(v1::Stage { batches, header_digest: last.map(|last| last.header_digest.to_bytes().to_vec()) })
        };
        v1::StatusReply {
            rollup_id: rollup_id.to_bytes().to_vec(),
            bundles_acknowledged: self.bundles_acknowledged,
            bundles_unsealed: self.bundles_unsealed(),
            sealed: stage(Stage::Sealed),
            published: stage(Stage::Published),
            proved: stage(Stage::Proved),
            confirmed: stage(Stage::Confirmed),
            submitted: stage(Stage::Submitted),
            settled: stage(Stage::Settled),
            queue_entries_seen: self.queue_seen,
            queue_entries_consumed: self.queue_consumed,
        }
    }
}

/// Something that happened to a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchEvent {
    /// Its header is final and on disk.
    Sealed(BatchSummary),
    /// Its data is in the object store.
    Published {
        /// The batch.
        batch: BatchSummary,
        /// Path in the object store.
        path: String,
        /// Bytes of the data.
        data_bytes: u64,
        /// Bytes of the object.
        blob_bytes: u64,
    },
    /// The prover has begun with it.
    Proving(BatchSummary),
    /// The prover has come this far.
    ProvingProgress {
        /// The batch.
        batch: BatchSummary,
        /// What is being proved.
        part: cairn_prover::Stage,
        /// Proofs of this part that are done.
        done: u64,
        /// Proofs of this part in all.
        total: u64,
    },
    /// It is proved.
    Proved {
        /// The batch.
        batch: BatchSummary,
        /// Time of proving.
        took: Duration,
        /// Bytes of the proof.
        proof_bytes: u64,
    },
    /// A transaction with its header went out.
    Sent {
        /// The batch.
        batch: BatchSummary,
        /// Base58 signature of the transaction.
        signature: String,
        /// Transactions for this batch that expired or failed before it.
        attempt: u32,
        /// How often its bytes were sent by this process.
        sends: u32,
    },
    /// The chain has its header in a block that may still be dropped. Happens again after that.
    Confirmed {
        /// The batch.
        batch: BatchSummary,
        /// Slot in which it executed, where known.
        slot: Option<u64>,
        /// From the first time that this process sent a transaction with it, where it did.
        after: Option<Duration>,
    },
    /// The chain has its header, finally.
    Submitted {
        /// The batch.
        batch: BatchSummary,
        /// Base58 signature of the transaction, where known.
        signature: Option<String>,
        /// Slot in which it executed, where known.
        slot: Option<u64>,
        /// Compute units that it took, where known.
        compute_units: Option<u64>,
        /// Fee in lamports, where known.
        fee: Option<u64>,
        /// When it came how far.
        times: BatchTimes,
    },
    /// The account that proofs are uploaded to has come this far with a proof.
    Uploading {
        /// The batch.
        batch: BatchSummary,
        /// Chunks that the account has.
        done: u64,
        /// Chunks in all.
        total: u64,
    },
    /// The chain has verified its proof, finally: this sequencer had it do so, or somebody else.
    Settled {
        /// The batch.
        batch: BatchSummary,
        /// What this process has sent for it, in all.
        settlement: Settlement,
        /// When it came how far.
        times: BatchTimes,
    },
    /// The account that proofs are uploaded to is closed, finally, and the rent is back.
    ProofAccountClosed {
        /// Lamports that came back.
        lamports_refunded: u64,
        /// Lamports of fees to get them.
        lamports_fees: u64,
    },
    /// A stage failed and will try again.
    Retrying {
        /// The batch.
        number: u64,
        /// The stage.
        stage: Stage,
        /// Why.
        reason: String,
        /// When.
        after: Duration,
    },
}

/// Where tasks write how far they are, and others read it.
///
/// An event is sent before the status that it leads to: who waits for a status finds its events waiting.
#[derive(Debug, Clone)]
pub struct Board {
    status: watch::Sender<LogStatus>,
    events: broadcast::Sender<BatchEvent>,
}

impl Board {
    /// A board that shows `status`.
    #[must_use]
    pub fn new(status: LogStatus) -> Self {
        let board = Self { status: watch::Sender::new(status), events: broadcast::Sender::new(EVENTS) };
        board.measure();
        board
    }

    /// The status, and each change of it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<LogStatus> {
        self.status.subscribe()
    }

    /// Events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<BatchEvent> {
        self.events.subscribe()
    }

    /// The log has this many bundles.
    pub fn acknowledged(&self, bundles: u64) {
        self.status.send_modify(|status| status.bundles_acknowledged = bundles);
        self.measure();
    }

    /// So many entries of the registration queue were seen.
    pub fn queued(&self, entries: u64) {
        self.status.send_modify(|status| status.queue_seen = entries);
        self.measure();
    }

    /// Bundles below `end` and queue entries up to `consumed` are in sealed batches.
    pub fn sealed(&self, batch: BatchSummary, end: u64, consumed: u64) {
        self.event(BatchEvent::Sealed(batch));
        self.status.send_modify(|status| {
            status.bundles_sealed = end;
            status.queue_consumed = consumed;
            status.stages[Stage::Sealed as usize] = StageStatus { batches: batch.number + 1, last: Some(batch) };
        });
        self.measure();
    }

    /// The batch is proved, and with it the bundles below `end`.
    pub fn proved(&self, batch: BatchSummary, end: u64) {
        self.status.send_modify(|status| {
            status.bundles_proved = end;
            status.stages[Stage::Proved as usize] = StageStatus { batches: batch.number + 1, last: Some(batch) };
        });
        self.measure();
    }

    /// `stage` has passed `batches` batches, of which `last` was the last.
    pub fn passed(&self, stage: Stage, batches: u64, last: Option<BatchSummary>) {
        self.status.send_modify(|status| {
            status.stages[stage as usize] = StageStatus { batches, last };
            // What is final is confirmed, seen or not.
            if stage == Stage::Submitted && status.stage(Stage::Confirmed).batches < batches {
                status.set_stage(Stage::Confirmed, StageStatus { batches, last });
            }
        });
        self.measure();
    }

    /// The account that proofs are uploaded to has so many lamports.
    pub fn proof_account(&self, lamports: u64) {
        self.status
            .send_if_modified(|status| std::mem::replace(&mut status.proof_account_lamports, lamports) != lamports);
        metrics::proof_account(lamports);
    }

    /// Tells everyone who listens.
    pub fn event(&self, event: BatchEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    fn measure(&self) {
        let status = self.status.borrow();
        metrics::unsealed(status.bundles_unsealed());
        metrics::queue(status.queue_seen, status.queue_consumed);
        let sealed = status.stage(Stage::Sealed).batches;
        for stage in Stage::ALL {
            metrics::stage_passed(stage, status.stage(stage).batches, sealed);
        }
    }
}
