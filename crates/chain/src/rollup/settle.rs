//! What becomes of batches that are not settled, of the accounts of those that are, and of accounts of proofs.

use super::{RollupClient, RollupError, Submitted};
use crate::{AccountFilter, Address, Commitment, Keypair};
use cairn_interface::{HOUSEKEEPING_COMPUTE_UNITS, Profile, ProofOwners, proof_account};

/// An account that proofs are uploaded to, of this version's length or another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldProof {
    /// Its address.
    pub address: Address,
    /// Whose it is.
    pub owners: ProofOwners,
    /// What lies in it, and comes back to the payer.
    pub lamports: u64,
}

impl RollupClient {
    /// The proof accounts that `authority` can close, of any rollup of the program, finalized and by address. Costly on a
    /// cluster: see [`crate::Chain::program_accounts`].
    ///
    /// # Errors
    /// [`RollupError::Chain`].
    pub async fn proofs_of(&self, authority: &Address) -> Result<Vec<HeldProof>, RollupError> {
        // Both profiles' proof accounts begin alike.
        let discriminator = proof_account(Profile::Production).discriminator;
        let filters = [
            AccountFilter::Bytes { offset: 0, bytes: discriminator.to_vec() },
            AccountFilter::Bytes { offset: discriminator.len(), bytes: authority.0.to_vec() },
        ];
        let read = self.chain().program_accounts(&self.program(), &filters, Commitment::Finalized).await?;
        // The server chose the accounts: whether they are the right ones is checked here.
        let own = read.accounts.into_iter().filter(|(_, account)| account.owner == self.program());
        let mut held: Vec<_> = own
            .filter_map(|(address, account)| {
                let owners = ProofOwners::parse(&account.data)?;
                Some(HeldProof { address, owners, lamports: account.lamports })
            })
            .filter(|held| held.owners.authority == *authority)
            .collect();
        held.sort_unstable_by_key(|held| held.address);
        Ok(held)
    }

    /// Closes a proof account, and waits until that is final. What was written and verified in it is gone.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn close_held_proof(&self, authority: &Keypair, held: &HeldProof) -> Result<Submitted, RollupError> {
        let draft = self.close_proof(&held.address, &authority.address(), &held.owners.payer);
        self.deliver(&self.prepare(authority, &[], &draft.instructions, draft.units).await?).await
    }

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
