//! `verify_inclusion`: for other programs, whether a receipt's leaf is in a settled batch.
//!
//! The account is a batch of this program's, by owner and discriminator, and it says itself whether it is settled. That is
//! enough: only `settle_batch` and `restore_batch` write so, the one for the batch that moves the settled cursor, the
//! other for one that the history has; and `submit_batch` writes numbers from the settled cursor on, so that no account
//! that says so is ever written over. What an abandoned generation has left behind says *submitted*, for as long as it is
//! there. Of the rollup itself nothing has to be read.

use crate::fail::{ensure, refusal};
use crate::state::Batch;
use anchor_lang::prelude::*;
use cairn_interface::{BatchStatus, INCLUSION_BYTES, Inclusion, SettlementError};
use cairn_types::header::word;
use cairn_types::{BatchScope, Digest, InclusionPathError};

#[derive(Accounts)]
pub struct VerifyInclusion {
    pub batch: Account<Batch>,
}

pub fn verify_inclusion(ctx: &mut Context<VerifyInclusion>, arguments: &[u8; INCLUSION_BYTES]) -> Result<()> {
    let batch = &ctx.accounts.batch;
    let (expected, path) = Inclusion::parse(arguments).ok_or(refusal(SettlementError::NonCanonicalInclusion))?;
    ensure(batch.rollup == expected.rollup.0, SettlementError::WrongBatch)?;
    ensure(batch.number == expected.number, SettlementError::WrongBatchNumber)?;
    let settled = [BatchStatus::Settled, BatchStatus::Restored].map(BatchStatus::code);
    ensure(settled.contains(&batch.status), SettlementError::UnsettledBatch)?;

    // The words of a header were checked when it was submitted, or restored.
    let scope = BatchScope { rollup_id: digest(batch, word::ROLLUP_ID)?, bundles: batch.header[word::BUNDLES] };
    let root = path.batch_root(&expected.leaf, expected.node_index, &scope).map_err(|error| {
        refusal(match error {
            InclusionPathError::NonCanonical => SettlementError::NonCanonicalInclusion,
            InclusionPathError::BundleIndex { .. } => SettlementError::OutsideBatch,
            InclusionPathError::NodeIndex(_) | InclusionPathError::Count(_) | InclusionPathError::LeafIndex { .. } => {
                SettlementError::OutsideBundle
            }
        })
    })?;
    ensure(root == digest(batch, word::BATCH_ROOT)?, SettlementError::NotIncluded)
}

/// The digest in the header's words from `at`.
fn digest(batch: &Batch, at: usize) -> Result<Digest> {
    let words = batch.header[at..].first_chunk().copied();
    words.and_then(|words| Digest::from_words(words).ok()).ok_or(refusal(SettlementError::NonCanonicalHeader))
}
