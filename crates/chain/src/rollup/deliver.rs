//! Signing transactions, and bringing them through.

use super::{RollupClient, RollupError};
use crate::{Commitment, ErrorClass, Keypair, Signature, SignedTransaction, TransactionBuilder};
use cairn_interface::Instruction;
use std::time::{Duration, Instant};

/// How long to wait between two looks at a transaction's status.
const POLL: Duration = Duration::from_millis(400);
/// How long to wait before the same bytes are sent again.
const REBROADCAST: Duration = Duration::from_secs(2);

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
}

impl RollupClient {
    /// Signs a transaction that may use `units` compute units, without sending it. `payer` pays its fee.
    pub(super) async fn prepare(
        &self,
        payer: &Keypair,
        signers: &[&Keypair],
        instructions: &[Instruction],
        units: u32,
    ) -> Result<SignedTransaction, RollupError> {
        let blockhash = self.chain().latest_blockhash(Commitment::Finalized).await?;
        let builder = TransactionBuilder::new().compute_unit_limit(units);
        let builder = instructions.iter().fold(builder, TransactionBuilder::instruction);
        Ok(builder.sign(payer, signers, &blockhash)?)
    }

    /// Sends these bytes, again while the chain does not know them, and waits until the outcome is final or the
    /// blockhash has expired. The same bytes may be delivered any number of times: they execute at most once.
    ///
    /// # Errors
    /// [`RollupError::Failed`] and [`RollupError::Expired`] are final for these bytes; transient errors are not.
    pub async fn deliver(&self, transaction: &SignedTransaction) -> Result<Submitted, RollupError> {
        let signature = transaction.signature;
        let mut sent: Option<Instant> = None;
        loop {
            // Height first: a transaction that is unknown after its last height was passed never executed.
            let height = self.chain().tip(Commitment::Finalized).await?.block_height;
            match self.chain().status(&signature).await? {
                Some(status) if status.commitment == Commitment::Finalized => {
                    return match status.outcome {
                        Err(failure) => Err(RollupError::Failed { signature, failure: Box::new(failure) }),
                        Ok(()) => Ok(Submitted {
                            signature,
                            slot: status.slot,
                            compute_units: status.compute_units,
                            fee: status.fee,
                            logs: status.logs,
                        }),
                    };
                }
                None if height > transaction.last_valid_block_height => return Err(RollupError::Expired(signature)),
                None if sent.is_none_or(|sent| sent.elapsed() >= REBROADCAST) => {
                    match self.chain().send(transaction).await {
                        Ok(_) => {}
                        // They are on their way already. A refusal now may be for what they did themselves, seen by a
                        // server that has them executed, while the one asked for the status has not: time will tell.
                        Err(error) if sent.is_some() && error.class() != ErrorClass::Fatal => {
                            tracing::debug!(%signature, %error, "sending the same bytes again was refused");
                        }
                        Err(error) => return Err(error.into()),
                    }
                    sent = Some(Instant::now());
                }
                _ => tokio::time::sleep(POLL).await,
            }
        }
    }
}
