//! What becomes of batches that are not settled, and of the accounts of those that are.

use super::{RollupClient, RollupError, Submitted};
use crate::Keypair;
use cairn_interface::HOUSEKEEPING_COMPUTE_UNITS;

impl RollupClient {
    /// Takes the tip back to the last settled batch, and waits until that is final: the batches after it have to be
    /// submitted again. The sequencer may do so at any time, and anyone once the next batch to settle has waited long.
    ///
    /// # Errors
    /// [`RollupError`]; the failure is `NothingToAbandon` when no batch is pending.
    pub async fn abandon_batches(&self, signer: &Keypair) -> Result<Submitted, RollupError> {
        let next = self.rollup().await?.settled.batches;
        let abandon = cairn_interface::abandon_batches(&self.program(), &self.address(), &signer.address(), next);
        self.deliver(&self.prepare(signer, &[], &[abandon], HOUSEKEEPING_COMPUTE_UNITS).await?).await
    }

    /// Closes the account of batch `number`, and waits until that is final. Its payer signs and gets the rent back, of a
    /// settled batch after [`cairn_interface::BATCH_RETENTION_SLOTS`].
    ///
    /// # Errors
    /// [`RollupError`]; the failure is `BatchRetained` before that, and `BatchPending` before it is settled.
    pub async fn close_batch(&self, payer: &Keypair, number: u64) -> Result<Submitted, RollupError> {
        let close = cairn_interface::close_batch(&self.program(), &self.address(), &payer.address(), number);
        self.deliver(&self.prepare(payer, &[], &[close], HOUSEKEEPING_COMPUTE_UNITS).await?).await
    }
}
