//! Transactions on their way to have a proof verified, and what they cost. None of it outlives the process: see
//! [`super`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cairn_chain::{ChainError, Commitment, Draft, Priced, RollupClient, RollupError, Signature, TransactionFailure};
use futures::{StreamExt, stream};

use crate::settle::look::REBROADCAST;
use crate::store::Settlement;

/// Chunks that may be on their way at one time: what one call asks the statuses of, and others beside them.
pub const WINDOW: usize = 64;
/// Transactions that are being sent at one time.
const SENDING: usize = 16;
/// Statuses that one call asks for.
const STATUSES: usize = 256;

/// What a transaction is for. There is one transaction for a purpose at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The account is made.
    Open,
    /// It is emptied for another proof.
    Reset,
    /// It gets the chunk at this offset.
    Chunk(u32),
    /// Steps are done.
    Verify,
    /// The batch is settled.
    Settle,
    /// The account is closed.
    Close,
}

/// Something to be done by a transaction.
#[derive(Debug, Clone)]
pub struct Job {
    /// The batch that it is for; `None` when it is for none.
    pub number: Option<u64>,
    /// What it is for.
    pub purpose: Purpose,
    /// What it does.
    pub draft: Draft,
    /// Lamports that it leaves in the account.
    pub locks: u64,
}

/// What has become of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    /// It was executed in this slot, which is confirmed.
    Done(u64),
    /// It was refused, or failed.
    Failed,
}

/// A transaction on its way.
#[derive(Debug)]
struct Flight {
    job: Job,
    priced: Priced,
    attempt: u32,
    sent: Option<Instant>,
    fate: Fate,
}

/// What to do about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Its transaction was sent: wait for what becomes of it.
    Wait,
    /// Send the bytes that are signed, for the first time or again.
    Send,
    /// Sign another transaction: so many before it can execute no more.
    Sign {
        /// How many.
        attempt: u32,
    },
}

/// Where the chain is, as far as transactions are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The finalized block height.
    pub height: u64,
    /// The slot whose confirmed state was read.
    pub confirmed: u64,
    /// The time.
    pub at: Instant,
}

impl Flight {
    fn turn(&self, now: &Now) -> Turn {
        match self.fate {
            Fate::Failed => Turn::Sign { attempt: self.attempt.saturating_add(1) },
            // What it did is in the state that says that it is to be done, or was undone since.
            Fate::Done(slot) if slot <= now.confirmed => Turn::Sign { attempt: 0 },
            Fate::Done(_) => Turn::Wait,
            Fate::Unknown if now.height > self.priced.transaction.last_valid_block_height => {
                Turn::Sign { attempt: self.attempt.saturating_add(1) }
            }
            Fate::Unknown => match self.sent {
                Some(sent) if now.at.saturating_duration_since(sent) < REBROADCAST => Turn::Wait,
                _ => Turn::Send,
            },
        }
    }

    fn signature(&self) -> Signature {
        self.priced.transaction.signature
    }
}

/// Everything on its way.
#[derive(Debug, Default)]
pub struct Air {
    flights: BTreeMap<Purpose, Flight>,
    /// Those that stand for nothing that is to be done any more, and may still execute.
    left: Vec<Flight>,
    sums: BTreeMap<Option<u64>, Sum>,
}

/// What has become of transactions since they were last asked about.
#[derive(Debug, Default)]
pub struct Looked {
    /// Whether one took effect.
    pub done: bool,
    /// Those that failed.
    pub failures: Vec<(Purpose, TransactionFailure)>,
}

/// What was spent for a batch.
#[derive(Debug, Default)]
struct Sum {
    settlement: Settlement,
    began: Option<Instant>,
    /// Transactions that verified, and whose units the chain has not said yet.
    unmeasured: Vec<Signature>,
}

impl Air {
    /// Whether anything may still execute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flights.values().chain(&self.left).all(|flight| flight.fate != Fate::Unknown)
    }

    /// Asks what has become of everything, and adds up what it cost.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn look(&mut self, client: &RollupClient) -> Result<Looked, RollupError> {
        let mut unknown: Vec<_> = self.flights.values_mut().chain(&mut self.left).collect();
        unknown.retain(|flight| flight.fate == Fate::Unknown && flight.sent.is_some());
        let signatures: Vec<_> = unknown.iter().map(|flight| flight.signature()).collect();
        let mut statuses = Vec::with_capacity(signatures.len());
        for signatures in signatures.chunks(STATUSES) {
            statuses.extend(client.chain().statuses(signatures).await?);
        }
        let mut looked = Looked::default();
        for (flight, status) in unknown.into_iter().zip(statuses) {
            let Some(status) = status.filter(|status| status.commitment >= Commitment::Confirmed) else { continue };
            let sum = self.sums.entry(flight.job.number).or_default();
            sum.add(flight, status.fee, status.compute_units, status.outcome.is_ok());
            flight.fate = match status.outcome {
                Ok(()) => {
                    looked.done = true;
                    Fate::Done(status.slot)
                }
                Err(failure) => {
                    looked.failures.push((flight.job.purpose, failure));
                    Fate::Failed
                }
            };
        }
        Ok(looked)
    }

    /// What to do about each of `jobs`, which is everything that is to be done now: other transactions are left to
    /// themselves.
    pub fn turns(&mut self, jobs: Vec<Job>, now: &Now) -> Vec<(Job, Turn)> {
        let mut before = std::mem::take(&mut self.flights);
        let mut turns = Vec::with_capacity(jobs.len());
        for job in jobs {
            let flight = before.remove(&job.purpose);
            let same = |flight: &Flight| flight.job.draft.instructions == job.draft.instructions;
            let turn = match flight {
                Some(flight) if same(&flight) => {
                    let turn = flight.turn(now);
                    self.flights.insert(job.purpose, flight);
                    turn
                }
                other => {
                    self.left.extend(other);
                    Turn::Sign { attempt: 0 }
                }
            };
            turns.push((job, turn));
        }
        self.left.extend(before.into_values());
        self.left.retain(|flight| {
            let last = flight.priced.transaction.last_valid_block_height;
            flight.fate == Fate::Unknown && flight.sent.is_some() && now.height <= last
        });
        turns
    }

    /// Puts a signed transaction in the place of another for its purpose.
    pub fn signed(&mut self, job: Job, priced: Priced, attempt: u32) {
        let flight = Flight { job, priced, attempt, sent: None, fate: Fate::Unknown };
        let before = self.flights.insert(flight.job.purpose, flight);
        self.left.extend(before.filter(|before| before.fate == Fate::Unknown));
    }

    /// Sends the transactions for `purposes`, several at a time. Refusals come back.
    ///
    /// # Errors
    /// The first other error, when everything was tried.
    pub async fn send(
        &mut self,
        client: &RollupClient,
        purposes: &[Purpose],
    ) -> Result<Vec<(Purpose, TransactionFailure)>, ChainError> {
        let flights = purposes.iter().filter_map(|purpose| Some((*purpose, self.flights.get(purpose)?)));
        let transactions: Vec<_> =
            flights.map(|(purpose, flight)| (purpose, flight.priced.transaction.clone())).collect();
        let sending = transactions
            .into_iter()
            .map(|(purpose, transaction)| async move { (purpose, client.chain().send(&transaction).await) });
        let outcomes: Vec<_> = stream::iter(sending).buffer_unordered(SENDING).collect().await;
        let (mut refused, mut failed) = (Vec::new(), None);
        for (purpose, outcome) in outcomes {
            let Some(flight) = self.flights.get_mut(&purpose) else { continue };
            let was_sent = flight.sent.replace(Instant::now()).is_some();
            match outcome {
                Ok(_) => {
                    self.sums.entry(flight.job.number).or_default().began.get_or_insert_with(Instant::now);
                    crate::metrics::sent();
                }
                // Sent before, it may be on its way: its status, or its expiry, says what has become of it.
                Err(ChainError::Refused(failure)) if was_sent && !failure.is_expired() => {
                    refused.push((purpose, failure));
                }
                Err(ChainError::Refused(failure)) => {
                    flight.fate = Fate::Failed;
                    refused.push((purpose, failure));
                }
                // It may have arrived all the same.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(refused), Err)
    }

    /// What was spent for a batch, or for none, and since when it was worked on. It is forgotten here.
    pub async fn settle_up(&mut self, client: &RollupClient, number: Option<u64>) -> (Settlement, Option<Duration>) {
        let Sum { mut settlement, began, unmeasured } = self.sums.remove(&number).unwrap_or_default();
        for signature in unmeasured {
            // For people: nothing is decided by it.
            if let Ok(Some(status)) = client.chain().status(&signature).await {
                settlement.verify_compute_units += status.compute_units.unwrap_or_default();
            }
        }
        // Batches before it were settled by somebody else, or by an earlier process.
        self.sums.retain(|other, _| *other > number || other.is_none());
        (settlement, began.map(|began| began.elapsed()))
    }
}

impl Sum {
    fn add(&mut self, flight: &Flight, fee: Option<u64>, units: Option<u64>, done: bool) {
        let settlement = &mut self.settlement;
        settlement.lamports_fees += fee.unwrap_or(flight.priced.fee);
        if done {
            settlement.lamports_locked += flight.job.locks;
        }
        match flight.job.purpose {
            Purpose::Open | Purpose::Reset | Purpose::Chunk(_) => settlement.upload_transactions += 1,
            Purpose::Verify | Purpose::Settle => {
                settlement.verify_transactions += 1;
                match units {
                    Some(units) => settlement.verify_compute_units += units,
                    None => self.unmeasured.push(flight.signature()),
                }
            }
            Purpose::Close => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_chain::SignedTransaction;

    use super::*;

    fn job(purpose: Purpose, units: u32) -> Job {
        let instruction = cairn_interface::settle_batch(
            &cairn_chain::Address([1; 32]),
            &cairn_chain::Address([2; 32]),
            u64::from(units),
            &cairn_chain::Address([3; 32]),
        );
        Job { number: Some(7), purpose, draft: Draft { instructions: vec![instruction], units, expired: 0 }, locks: 0 }
    }

    fn priced(last_valid_block_height: u64) -> Priced {
        let transaction = SignedTransaction { signature: Signature([1; 64]), bytes: vec![1], last_valid_block_height };
        Priced { transaction, fee: 5_000 }
    }

    fn flight(fate: Fate, sent: Option<Instant>) -> Flight {
        Flight { job: job(Purpose::Verify, 1), priced: priced(100), attempt: 2, sent, fate }
    }

    #[test]
    fn every_fate_of_a_transaction_has_its_turn() {
        let start = Instant::now();
        let now = Now { height: 100, confirmed: 50, at: start + Duration::from_secs(60) };
        let fresh = Some(now.at);
        let old = Some(now.at - REBROADCAST);
        let later = Now { height: 101, ..now };
        let table = [
            ("signed and not sent", flight(Fate::Unknown, None), now, Turn::Send),
            ("just sent", flight(Fate::Unknown, fresh), now, Turn::Wait),
            ("sent a while ago", flight(Fate::Unknown, old), now, Turn::Send),
            ("expired", flight(Fate::Unknown, fresh), later, Turn::Sign { attempt: 3 }),
            ("failed", flight(Fate::Failed, fresh), now, Turn::Sign { attempt: 3 }),
            ("done, and not in the state yet", flight(Fate::Done(51), fresh), now, Turn::Wait),
            ("done, and undone", flight(Fate::Done(50), fresh), now, Turn::Sign { attempt: 0 }),
        ];
        for (what, flight, now, turn) in table {
            assert_eq!(flight.turn(&now), turn, "{what}");
        }
    }

    #[test]
    fn a_transaction_stands_for_its_job_until_the_job_is_another() {
        let now = Now { height: 0, confirmed: 0, at: Instant::now() };
        let mut air = Air::default();
        let turn = |air: &mut Air, job: Job| air.turns(vec![job], &now).pop().unwrap().1;
        assert_eq!(turn(&mut air, job(Purpose::Verify, 1)), Turn::Sign { attempt: 0 });
        air.signed(job(Purpose::Verify, 1), priced(9), 0);
        assert_eq!(turn(&mut air, job(Purpose::Verify, 1)), Turn::Send);
        assert_eq!(turn(&mut air, job(Purpose::Verify, 2)), Turn::Sign { attempt: 0 });
        assert!(air.is_empty(), "what was never sent is dropped");

        air.signed(job(Purpose::Verify, 1), priced(9), 0);
        air.flights.get_mut(&Purpose::Verify).unwrap().sent = Some(now.at);
        assert_eq!(turn(&mut air, job(Purpose::Settle, 1)), Turn::Sign { attempt: 0 });
        assert!(!air.is_empty(), "what was sent may still execute");
        air.turns(Vec::new(), &Now { height: 10, ..now });
        assert!(air.is_empty(), "and now it cannot");
    }
}
