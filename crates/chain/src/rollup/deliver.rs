//! Signing transactions, and bringing them through.

use super::fees::FeePolicy;
use super::{RollupClient, RollupError};
use crate::{
    ChainError, Commitment, ErrorClass, Keypair, Signature, SignedTransaction, TransactionBuilder, TransactionStatus,
};
use cairn_interface::Instruction;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait between two looks at a transaction's status.
const POLL: Duration = Duration::from_millis(400);
/// How long to wait before the same bytes are sent again.
const REBROADCAST: Duration = Duration::from_secs(2);
/// How long nothing may move before a delivery gives up: several times what a healthy cluster takes to make a transaction
/// final or let its blockhash expire.
pub const DELIVERY_PATIENCE: Duration = Duration::from_secs(180);

/// A transaction that took effect, finally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Its signature.
    pub signature: Signature,
    /// The slot it executed in.
    pub slot: u64,
    /// Units it consumed, where the chain says so.
    pub compute_units: Option<u64>,
    /// Fee in lamports, where the chain says so.
    pub fee: Option<u64>,
    /// The program's log, where the chain keeps it.
    pub logs: Vec<String>,
    /// How often its bytes were sent in this delivery: not at all when an earlier one had done it.
    pub sends: u32,
    /// Time from the beginning of this delivery until it was first seen confirmed; `None` when it was final before that was
    /// seen. What was confirmed may still have been rolled back and confirmed anew.
    pub confirmed_after: Option<Duration>,
    /// Time from the beginning of this delivery until it was seen finalized.
    pub finalized_after: Duration,
}

/// What happens to a transaction on its way.
#[derive(Debug)]
pub enum DeliveryEvent<'a> {
    /// Its bytes went out, for the `sends`-th time.
    Sent {
        /// How often by now.
        sends: u32,
    },
    /// The chain has executed it; that is not final yet.
    Seen {
        /// [`Commitment::Processed`] or [`Commitment::Confirmed`].
        commitment: Commitment,
        /// The slot.
        slot: u64,
        /// Since the delivery began.
        after: Duration,
    },
    /// The chain had executed it and dropped the block: the same bytes go out again.
    Dropped {
        /// The slot in which it was.
        slot: u64,
    },
    /// The chain did not answer, or refused the bytes at a moment when that says nothing yet.
    Trouble {
        /// What it said.
        error: &'a ChainError,
    },
}

/// Hears of every step of a delivery.
pub type DeliveryObserver = Arc<dyn Fn(&Signature, &DeliveryEvent<'_>) + Send + Sync>;

/// How a client brings transactions through.
#[derive(Clone)]
pub(super) struct Delivery {
    pub fees: FeePolicy,
    pub patience: Duration,
    pub observer: Option<DeliveryObserver>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { fees: FeePolicy::default(), patience: DELIVERY_PATIENCE, observer: None }
    }
}

/// What is known about a transaction in the air.
struct Watched {
    signature: Signature,
    started: Instant,
    /// The last time that anything changed.
    moved: Instant,
    /// Finalized height, as last heard.
    height: Option<u64>,
    sends: u32,
    sent: Option<Instant>,
    seen: Option<(Commitment, u64)>,
    confirmed_after: Option<Duration>,
    observer: Option<DeliveryObserver>,
}

impl RollupClient {
    /// The same client, which tells `observer` what happens to transactions on their way.
    #[must_use]
    pub fn with_observer(mut self, observer: DeliveryObserver) -> Self {
        self.delivery.observer = Some(observer);
        self
    }

    /// The same client, whose deliveries give up when nothing has moved for `patience`, which is [`DELIVERY_PATIENCE`]
    /// otherwise.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.delivery.patience = patience;
        self
    }

    /// Signs a transaction that may use `units` compute units, without sending it. `payer` pays its fee, and offers for
    /// it what the client's [`FeePolicy`] says.
    pub(super) async fn prepare(
        &self,
        payer: &Keypair,
        signers: &[&Keypair],
        instructions: &[Instruction],
        units: u32,
    ) -> Result<SignedTransaction, RollupError> {
        let price = self.price(instructions, units).await;
        let blockhash = self.chain().latest_blockhash(Commitment::Finalized).await?;
        let mut builder = TransactionBuilder::new().compute_unit_limit(units);
        if price > 0 {
            builder = builder.compute_unit_price(price);
        }
        let builder = instructions.iter().fold(builder, TransactionBuilder::instruction);
        Ok(builder.sign(payer, signers, &blockhash)?)
    }

    /// Sends these bytes, again while the chain does not know them, and waits until the outcome is final or the
    /// blockhash has expired. The same bytes may be delivered any number of times: they execute at most once.
    ///
    /// A chain that does not answer, and a confirmed block that is dropped, are waited out.
    ///
    /// # Errors
    /// [`RollupError::Failed`] and [`RollupError::Expired`] are final for these bytes, and so is a refusal of bytes that
    /// were never sent before; [`RollupError::Stalled`] and other transient errors are not.
    pub async fn deliver(&self, transaction: &SignedTransaction) -> Result<Submitted, RollupError> {
        let signature = transaction.signature;
        let mut watched = Watched::new(signature, self.delivery.observer.clone());
        loop {
            match self.look(transaction, &mut watched).await {
                Ok(Some(status)) => return watched.outcome(status),
                Ok(None) => {}
                Err(RollupError::Chain(error)) if is_unanswered(&error) => {
                    watched.tell(&DeliveryEvent::Trouble { error: &error });
                }
                Err(error) => return Err(error),
            }
            if watched.moved.elapsed() >= self.delivery.patience {
                return Err(RollupError::Stalled {
                    signature,
                    sends: watched.sends,
                    seen: watched.seen.map(|(commitment, _)| commitment),
                    height: watched.height,
                    last_valid_block_height: transaction.last_valid_block_height,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// One look at the transaction, and its bytes sent if that is due; its status when that is final.
    async fn look(
        &self,
        transaction: &SignedTransaction,
        watched: &mut Watched,
    ) -> Result<Option<TransactionStatus>, RollupError> {
        let chain = self.chain();
        if let Some(status) = chain.status(&transaction.signature).await? {
            return Ok(watched.see(status));
        }
        watched.unseen();
        let height = chain.tip(Commitment::Finalized).await?.block_height;
        watched.at(height, transaction.last_valid_block_height);
        if height > transaction.last_valid_block_height {
            // Looked at after the height: unknown now, it never executed.
            return match chain.status(&transaction.signature).await? {
                Some(status) => Ok(watched.see(status)),
                None => Err(RollupError::Expired(transaction.signature)),
            };
        }
        if watched.sent.is_some_and(|sent| sent.elapsed() < REBROADCAST) {
            return Ok(None);
        }
        let again = watched.sends > 0;
        match chain.send(transaction).await {
            Ok(_) => {}
            // They are on their way already. A refusal now may be for what they did themselves, seen by a server that has
            // them executed, while the one asked for the status has not: time will tell.
            Err(error) if again && error.class() != ErrorClass::Fatal => {
                watched.tell(&DeliveryEvent::Trouble { error: &error });
            }
            // The answer may be what was lost.
            Err(error) if is_unanswered(&error) => watched.tell(&DeliveryEvent::Trouble { error: &error }),
            Err(error) => return Err(error.into()),
        }
        watched.send();
        // Some chains execute what they are sent before they answer.
        Ok(if again {
            None
        } else {
            chain.status(&transaction.signature).await?.and_then(|status| watched.see(status))
        })
    }
}

/// Whether the chain may have taken the bytes all the same.
fn is_unanswered(error: &ChainError) -> bool {
    matches!(error, ChainError::Transient { .. })
}

impl Watched {
    fn new(signature: Signature, observer: Option<DeliveryObserver>) -> Self {
        let started = Instant::now();
        Self {
            signature,
            started,
            moved: started,
            height: None,
            sends: 0,
            sent: None,
            seen: None,
            confirmed_after: None,
            observer,
        }
    }

    fn tell(&self, event: &DeliveryEvent<'_>) {
        match event {
            DeliveryEvent::Trouble { error } => tracing::debug!(signature = %self.signature, %error, "in delivery"),
            event => tracing::debug!(signature = %self.signature, ?event, "in delivery"),
        }
        if let Some(observer) = &self.observer {
            observer(&self.signature, event);
        }
    }

    fn send(&mut self) {
        self.sends = self.sends.saturating_add(1);
        self.sent = Some(Instant::now());
        self.tell(&DeliveryEvent::Sent { sends: self.sends });
    }

    /// The chain knows it; the status comes back when it is final.
    fn see(&mut self, status: TransactionStatus) -> Option<TransactionStatus> {
        let now = (status.commitment, status.slot);
        if self.seen != Some(now) {
            let after = self.started.elapsed();
            self.moved = Instant::now();
            self.seen = Some(now);
            if status.commitment == Commitment::Confirmed && self.confirmed_after.is_none() {
                self.confirmed_after = Some(after);
            }
            if status.commitment < Commitment::Finalized {
                self.tell(&DeliveryEvent::Seen { commitment: status.commitment, slot: status.slot, after });
            }
        }
        (status.commitment == Commitment::Finalized).then_some(status)
    }

    /// The chain does not know it.
    fn unseen(&mut self) {
        if let Some((_, slot)) = self.seen.take() {
            self.moved = Instant::now();
            self.sent = None;
            self.tell(&DeliveryEvent::Dropped { slot });
        }
    }

    /// The finalized height. It counts as movement while the transaction can still execute.
    fn at(&mut self, height: u64, last_valid: u64) {
        if self.height.is_none_or(|before| before < height) && height <= last_valid {
            self.moved = Instant::now();
        }
        self.height = self.height.max(Some(height));
    }

    fn outcome(self, status: TransactionStatus) -> Result<Submitted, RollupError> {
        let signature = self.signature;
        match status.outcome {
            Err(failure) => Err(RollupError::Failed { signature, failure: Box::new(failure) }),
            Ok(()) => Ok(Submitted {
                signature,
                slot: status.slot,
                compute_units: status.compute_units,
                fee: status.fee,
                logs: status.logs,
                sends: self.sends,
                confirmed_after: self.confirmed_after,
                finalized_after: self.started.elapsed(),
            }),
        }
    }
}
