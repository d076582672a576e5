//! Many transactions at once: signed with one blockhash and one look at the market, and each with its fee.

use super::fees::writable;
use super::{RollupClient, RollupError};
use crate::{Commitment, Keypair, SignedTransaction, TransactionBuilder};
use cairn_interface::Instruction;
use std::collections::BTreeMap;

/// What a cluster charges for each signature, in lamports.
pub const LAMPORTS_PER_SIGNATURE: u64 = 5_000;
/// Prices per compute unit are in millionths of a lamport.
const MICRO: u128 = 1_000_000;

/// A transaction to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it does.
    pub instructions: Vec<Instruction>,
    /// Compute units that it may use.
    pub units: u32,
    /// Transactions for the same purpose that expired before: it offers more than they did.
    pub expired: u32,
}

/// A signed transaction, and what it costs if it is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// The transaction.
    pub transaction: SignedTransaction,
    /// Its fee in lamports.
    pub fee: u64,
}

impl RollupClient {
    /// Signs every draft, without sending any. `payer` pays the fees; of `signers`, those sign that a draft names.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn sign_all(
        &self,
        payer: &Keypair,
        signers: &[&Keypair],
        drafts: &[Draft],
    ) -> Result<Vec<Priced>, RollupError> {
        let blockhash = self.chain().latest_blockhash(Commitment::Finalized).await?;
        // Chunks of one proof write the same account: they are asked for once.
        let mut markets = BTreeMap::new();
        let mut signed = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let market = (writable(&draft.instructions), draft.units, draft.expired);
            let price = match markets.get(&market) {
                Some(price) => *price,
                None => {
                    let client = self.clone().with_fees(self.fees().after(draft.expired));
                    let price = client.price(&draft.instructions, draft.units).await;
                    markets.insert(market, price);
                    price
                }
            };
            let mut builder = TransactionBuilder::new().compute_unit_limit(draft.units);
            if price > 0 {
                builder = builder.compute_unit_price(price);
            }
            let builder = draft.instructions.iter().fold(builder, TransactionBuilder::instruction);
            let transaction = builder.sign(payer, signers, &blockhash)?;
            let fee = fee(&transaction, price, draft.units);
            signed.push(Priced { transaction, fee });
        }
        Ok(signed)
    }
}

fn fee(transaction: &SignedTransaction, price: u64, units: u32) -> u64 {
    // The wire format begins with the number of signatures, a few.
    let signatures = transaction.bytes.first().copied().unwrap_or_default();
    let offered = (u128::from(price) * u128::from(units)).div_ceil(MICRO);
    let offered = u64::try_from(offered).unwrap_or(u64::MAX);
    (u64::from(signatures) * LAMPORTS_PER_SIGNATURE).saturating_add(offered)
}
