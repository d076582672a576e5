//! How a sequencer does, for anyone who asks.

use crate::connect::{Address, AddressError};
use cairn_interface::rollup_id;
use cairn_proto::NodeQuery;
use cairn_proto::v1::{GetInfoRequest, GetNodeRequest, Stage as StageMessage, StatusRequest};
pub use cairn_proto::{FieldError, NodeState, NodeStatus, SequencerInfo};
use cairn_types::{Digest, ReceiptKey};
use std::future::Future;
use std::time::Duration;
use tonic::{Code, Response, Status};

/// A stage that batches pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageStatus {
    /// The word for it.
    pub name: &'static str,
    /// Batches that have passed it.
    pub batches: u64,
    /// Header digest of the last one.
    pub header_digest: Option<Digest>,
}

/// A sequencer in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequencerStatus {
    /// Which rollup it serves, and what it accepts.
    pub info: SequencerInfo,
    /// The rollup's identity, computed from the parts that it names.
    pub rollup_id: Digest,
    /// Bundles acknowledged since its log began.
    pub bundles_acknowledged: u64,
    /// Of these, the ones in no batch yet.
    pub bundles_unsealed: u64,
    /// Entries of the registration queue that it has seen, and those in sealed batches.
    pub queue_entries: (u64, u64),
    /// In order.
    pub stages: Vec<StageStatus>,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It does not answer.
    #[error("the sequencer does not answer: {}", crate::submit::describe(.0))]
    Unreachable(Box<Status>),
    /// Its answer breaks the protocol.
    #[error("the sequencer's answer is not usable: {0}")]
    Answer(#[from] FieldError),
}

impl SequencerStatus {
    /// Asks once.
    ///
    /// # Errors
    /// When it cannot be reached, or its answer is not usable.
    pub async fn ask(address: &Address, timeout: Duration) -> Result<Self, StatusError> {
        let mut client = address.client(timeout)?;
        let info = SequencerInfo::try_from(answer(timeout, client.get_info(GetInfoRequest {})).await?)?;
        let status = answer(timeout, client.status(StatusRequest {})).await?;
        let (program, rollup) =
            (cairn_interface::Address(info.program_id), cairn_interface::Address(info.rollup_address));
        let stages = [
            ("sealed", status.sealed),
            ("published", status.published),
            ("proved", status.proved),
            ("confirmed", status.confirmed),
            ("submitted", status.submitted),
            ("settled", status.settled),
        ];
        Ok(Self {
            info,
            rollup_id: rollup_id(&info.genesis_hash, &program, &rollup, info.profile),
            bundles_acknowledged: status.bundles_acknowledged,
            bundles_unsealed: status.bundles_unsealed,
            queue_entries: (status.queue_entries_seen, status.queue_entries_consumed),
            stages: stages.into_iter().map(|(name, message)| stage(name, message)).collect::<Result<_, _>>()?,
        })
    }
}

/// Asks a sequencer, once, for the node that `key` signs for. `None` when it knows none.
///
/// # Errors
/// When it cannot be reached, or its answer is not usable.
pub async fn ask_node(
    address: &Address,
    key: &ReceiptKey,
    timeout: Duration,
) -> Result<Option<NodeStatus>, StatusError> {
    let request = GetNodeRequest::from(NodeQuery::Key(*key));
    match answer(timeout, address.client(timeout)?.get_node(request)).await {
        Err(StatusError::Unreachable(status)) if status.code() == Code::NotFound => Ok(None),
        reply => Ok(Some(NodeStatus::try_from(reply?)?)),
    }
}

fn stage(name: &'static str, message: Option<StageMessage>) -> Result<StageStatus, FieldError> {
    let StageMessage { batches, header_digest } = message.unwrap_or_default();
    let header_digest = header_digest.map(|bytes| cairn_proto::field::digest("header_digest", &bytes)).transpose()?;
    Ok(StageStatus { name, batches, header_digest })
}

async fn answer<T>(
    timeout: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, StatusError> {
    crate::submit::answer(timeout, call).await.map_err(|status| StatusError::Unreachable(Box::new(status)))
}
