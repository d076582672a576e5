//! What became of acknowledged bundles.

use super::SubmitError;
use super::contact::answer;
use super::retry::Failure;
use crate::clock::now_ms;
use crate::connect::Address;
use crate::spool::{Breach, Evidence, InBatch, Spool, SpoolError, Stage};
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_proto::v1::{GetBundleRequest, GetInfoRequest};
use cairn_proto::{Acknowledgement, BundleStage, BundleStatus, SequencerInfo, v1};
use prost::Message as _;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tonic::Code;
use tonic::transport::Channel;

/// Bundles that are looked at in one round of [`Observer::follow`].
const PAGE: usize = 256;

/// What following came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Followed {
    /// Bundles whose stage or batch is another than before.
    pub moved: u64,
    /// Of these, settled ones.
    pub settled: u64,
    /// The first bundle that the sequencer acknowledged and does not know any more.
    pub lost: Option<u64>,
    /// Bundles whose batch is not on chain although the promised slot has passed.
    pub overdue: u64,
    /// The newest finalized slot that the sequencer has seen.
    pub slot: u64,
}

/// A spool and a sequencer, without the key: what asks, and signs nothing.
#[derive(Debug)]
pub struct Observer {
    pub(super) client: SequencerClient<Channel>,
    pub(super) endpoint: String,
    pub(super) timeout: Duration,
    pub(super) spool: Arc<Spool>,
}

impl Observer {
    /// One that has not called the sequencer yet.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(address: &Address, spool: Arc<Spool>, timeout: Duration) -> Result<Self, SubmitError> {
        let client = address.client(timeout)?;
        Ok(Self { client, endpoint: address.url.clone(), timeout, spool })
    }

    /// Runs what waits for the disk off the threads that wait for the network.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SubmitError> {
        let spool = Arc::clone(&self.spool);
        Ok(tokio::task::spawn_blocking(move || run(&spool)).await??)
    }

    /// What the sequencer says about itself.
    pub(super) async fn info(&self) -> Result<SequencerInfo, Failure> {
        let mut client = self.client.clone();
        let reply = answer(self.timeout, client.get_info(GetInfoRequest {})).await.map_err(Failure::of)?;
        Ok(reply.try_into().map_err(SubmitError::Answer)?)
    }

    /// Asks how far acknowledged bundles have come, until one is met that has not gone on: a node's bundles go in order.
    /// Bundles of one batch are asked for once.
    ///
    /// # Errors
    /// When the sequencer does not answer, or the spool fails.
    pub async fn follow(&self) -> Result<Followed, SubmitError> {
        self.follow_all().await.map_err(super::contact::given_up)
    }

    async fn follow_all(&self) -> Result<Followed, Failure> {
        let mut followed = Followed { slot: self.info().await?.slot, ..Followed::default() };
        let mut batches: HashMap<u64, (Stage, InBatch)> = HashMap::new();
        let mut from = 0;
        loop {
            let page = self.on_disk(move |spool| spool.unsettled(from, PAGE)).await?;
            let Some(last) = page.last().copied() else { return Ok(followed) };
            let mut moves = Vec::new();
            let mut at_rest = false;
            for sequence in page {
                let record = self.spool.record(sequence)?;
                let known = record.batch.and_then(|batch| batches.get(&batch.number)).copied();
                let (stage, batch) = match known {
                    Some((stage, batch)) => (stage, Some(batch)),
                    None => {
                        let Some(status) = self.status_of(sequence).await? else {
                            followed.lost = Some(sequence);
                            at_rest = true;
                            break;
                        };
                        (status.stage.into(), status.batch.map(InBatch::from))
                    }
                };
                followed.overdue += u64::from(record.is_overdue(stage, followed.slot));
                if let Some(batch) = batch {
                    batches.insert(batch.number, (stage, batch));
                }
                if (record.stage, record.batch) != (stage, batch) {
                    followed.moved += 1;
                    followed.settled += u64::from(stage == Stage::Settled);
                    moves.push((sequence, stage, batch));
                }
                if stage == Stage::Acknowledged {
                    at_rest = true;
                    break;
                }
            }
            self.on_disk(move |spool| spool.advance(&moves)).await?;
            if at_rest {
                return Ok(followed);
            }
            from = last + 1;
        }
    }

    /// What the sequencer says of a bundle; `None` when it does not know it.
    async fn status_of(&self, sequence: u64) -> Result<Option<BundleStatus>, Failure> {
        let identity = self.spool.bound()?;
        let mut client = self.client.clone();
        let request = GetBundleRequest { node_index: identity.node_index, sequence };
        let reply = match answer(self.timeout, client.get_bundle(request)).await {
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            reply => reply.map_err(Failure::of)?,
        };
        let status = BundleStatus::try_from(reply).map_err(SubmitError::Answer)?;
        self.compare(sequence, &status.acknowledgement).await?;
        // What is acknowledged is all that is known of a bundle in no batch, whatever the answer says besides.
        let batch = status.batch.filter(|_| status.stage > BundleStage::Acknowledged);
        Ok(Some(BundleStatus { batch, ..status }))
    }

    /// The acknowledgement that comes with a status has to be the one that was given first.
    async fn compare(&self, sequence: u64, acknowledgement: &Acknowledgement) -> Result<(), SubmitError> {
        let identity = self.spool.bound()?;
        let record = self.spool.record(sequence)?;
        let (breach, error) = match acknowledgement.verify(&identity.rollup_id, &identity.acknowledgement_key) {
            Err(error) => (Breach::Forged, Some(SubmitError::Forged { sequence, reason: error.to_string() })),
            Ok(()) => {
                let named = (acknowledgement.node_index, acknowledgement.sequence, acknowledgement.bundle_digest);
                let is_ours = named == (identity.node_index, sequence, record.digest);
                let same = record.promise.is_some_and(|promise| {
                    (promise.log_index, promise.settle_by_slot)
                        == (acknowledgement.log_index, acknowledgement.settle_by_slot)
                });
                match (is_ours, same) {
                    (true, true) => return Ok(()),
                    // A promise broken and given anew; the bundle's way goes on all the same.
                    (true, false) => (Breach::SecondPromise, None),
                    (false, _) => (Breach::Mismatch, Some(SubmitError::Mismatch { sequence })),
                }
            }
        };
        let answer = v1::Acknowledgement::from(*acknowledgement).encode_to_vec();
        let (endpoint, ours) = (self.endpoint.clone(), record.digest);
        let evidence = Evidence { at_ms: now_ms(), breach, endpoint, sequence, ours, answer };
        self.on_disk(move |spool| spool.keep_evidence(&evidence)).await?;
        error.map_or(Ok(()), Err)
    }
}
