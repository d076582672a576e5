//! The gRPC interface: the same answers as the JSON one.

mod messages;

use crate::api::{Api, ApiError};
use crate::{ContentDigest, metrics};
use cairn_proto::field::{self, FieldError};
use cairn_proto::v1;
use cairn_proto::v1::find_content_request::Digest as Requested;
use cairn_proto::v1::indexer_server::Indexer;
use cairn_types::limits::MAX_BATCH_BUNDLES;
use std::time::Instant;
use tonic::{Request, Response, Status};

pub(crate) struct Service(pub Api);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Indexer for Service {
    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Answer<v1::GetStatusReply> {
        measured("GetStatus", async { Ok(messages::status(self.0.status())) }).await
    }

    async fn get_batch(&self, request: Request<v1::GetBatchRequest>) -> Answer<v1::Batch> {
        measured("GetBatch", async {
            let request = request.into_inner();
            let (number, commitment) =
                (field::counter("number", request.number)?, messages::asked(request.commitment)?);
            Ok(match messages::which(&request.replaced)? {
                None => messages::batch(&self.0.batch(commitment, number).await?, None),
                Some(digest) => {
                    let found = self.0.replaced_batch(commitment, number, digest).await?;
                    messages::batch(&found.batch, Some(&found.replaced))
                }
            })
        })
        .await
    }

    async fn get_receipt(&self, request: Request<v1::GetReceiptRequest>) -> Answer<v1::ReceiptRecord> {
        measured("GetReceipt", async {
            let request = request.into_inner();
            let digest = field::digest("receipt_digest", &request.receipt_digest)?;
            let (from, limit) = messages::page(request.page_size, &request.page_token)?;
            let found = self.0.receipt(messages::asked(request.commitment)?, digest, from, limit).await?;
            let entry = found.entry;
            let places = entry.places.iter().map(|(place, valid)| v1::ReceiptPlace {
                position: Some(messages::position(*place)),
                leaf_mismatch: !valid,
                commitment: messages::commitment(entry.commitment(*place)),
            });
            Ok(v1::ReceiptRecord {
                receipt_digest: request.receipt_digest,
                places: places.collect(),
                replaced: found.replaced.iter().map(messages::replaced_place).collect(),
                receipt: entry.bytes,
                next_page_token: messages::token(entry.next),
            })
        })
        .await
    }

    async fn get_proof(&self, request: Request<v1::GetProofRequest>) -> Answer<v1::ReceiptProof> {
        measured("GetProof", async {
            let request = request.into_inner();
            let digest = field::digest("receipt_digest", &request.receipt_digest)?;
            let place = request.position.map(messages::place).transpose()?;
            let (place, found) = self.0.proof(messages::asked(request.commitment)?, digest, place).await?;
            let commitment = messages::commitment(found.commitment);
            let (position, settled) = (Some(messages::position(place)), found.settled);
            Ok(v1::ReceiptProof { position, file: found.proof.encode(), commitment, settled })
        })
        .await
    }

    async fn find_content(&self, request: Request<v1::FindContentRequest>) -> Answer<v1::FindContentReply> {
        measured("FindContent", async {
            let request = request.into_inner();
            let digest = match request.digest {
                Some(Requested::Blake3(bytes)) => ContentDigest::Blake3(field::array("blake3", &bytes)?),
                Some(Requested::Sha256(bytes)) => ContentDigest::Sha256(field::array("sha256", &bytes)?),
                Some(Requested::Sha1(bytes)) => ContentDigest::Sha1(field::array("sha1", &bytes)?),
                None => return Err(FieldError::Missing { field: "digest".to_owned() }.into()),
            };
            let (from, limit) = messages::page(request.page_size, &request.page_token)?;
            let (hits, next) = self.0.content(messages::asked(request.commitment)?, digest, from, limit).await?;
            let places = hits.into_iter().map(|hit| v1::ContentPlace {
                receipt_digest: hit.receipt_digest.to_bytes().to_vec(),
                position: Some(messages::position(hit.place)),
                commitment: messages::commitment(hit.commitment),
            });
            Ok(v1::FindContentReply { places: places.collect(), next_page_token: messages::token(next) })
        })
        .await
    }

    async fn get_account(&self, request: Request<v1::GetAccountRequest>) -> Answer<v1::AccountRecord> {
        measured("GetAccount", async {
            let (index, batch, commitment) = messages::state(request.into_inner())?;
            let node = self.0.node(commitment, index, batch).await?;
            Ok(messages::account(index, &node.account, node.header.number, node.commitment))
        })
        .await
    }

    async fn list_accounts(&self, request: Request<v1::ListAccountsRequest>) -> Answer<v1::ListAccountsReply> {
        measured("ListAccounts", async {
            let request = request.into_inner();
            let from = request.page.map(|from| field::node_index("page", from)).transpose()?;
            let limit = messages::limit(request.page_size)?;
            let commitment = messages::asked(request.commitment)?;
            let (last, page) = self.0.nodes(commitment, from.unwrap_or_default(), limit).await?;
            let accounts = page.items.iter().map(|(index, found)| messages::account(*index, found, last, commitment));
            Ok(v1::ListAccountsReply { accounts: accounts.collect(), next_page: page.next })
        })
        .await
    }

    async fn get_account_proof(&self, request: Request<v1::GetAccountRequest>) -> Answer<v1::AccountProof> {
        measured("GetAccountProof", async {
            let (index, batch, commitment) = messages::state(request.into_inner())?;
            let found = self.0.account_proof(commitment, index, batch).await?;
            Ok(v1::AccountProof {
                file: found.proof.encode(),
                commitment: messages::commitment(found.commitment),
                settled: found.settled,
            })
        })
        .await
    }

    async fn find_key(&self, request: Request<v1::FindKeyRequest>) -> Answer<v1::FindKeyReply> {
        measured("FindKey", async {
            let request = request.into_inner();
            let key = messages::key("receipt_key", &request.receipt_key)?;
            let (from, limit) = messages::numbered(request.page_size, request.page)?;
            let page = self.0.key_uses(messages::asked(request.commitment)?, key, from, limit).await?;
            let uses = page
                .items
                .iter()
                .map(|used| v1::KeyUse { entry: Some(messages::entry(&used.given)), current: used.current });
            Ok(v1::FindKeyReply { uses: uses.collect(), next_page: page.next })
        })
        .await
    }

    async fn list_entries(&self, request: Request<v1::ListEntriesRequest>) -> Answer<v1::ListEntriesReply> {
        measured("ListEntries", async {
            let request = request.into_inner();
            let number = field::counter("batch", request.batch)?;
            let (from, limit) = messages::numbered(request.page_size, request.page)?;
            let (_, page, _) = self.0.entries(messages::asked(request.commitment)?, number, from, limit).await?;
            let entries = page.items.iter().map(messages::entry).collect();
            Ok(v1::ListEntriesReply { entries, next_page: page.next })
        })
        .await
    }

    async fn list_signed_bundles(
        &self,
        request: Request<v1::ListSignedBundlesRequest>,
    ) -> Answer<v1::ListSignedBundlesReply> {
        measured("ListSignedBundles", async {
            let request = request.into_inner();
            let index = field::node_index("node_index", request.node_index)?;
            let (from, limit) = messages::numbered(request.page_size, request.page)?;
            let page = self.0.signed(messages::asked(request.commitment)?, index, from, limit).await?;
            let bundles = page.items.iter().map(|signed| v1::BundlePlace {
                sequence: signed.sequence,
                batch: signed.batch,
                bundle: u32::from(signed.bundle),
                commitment: messages::commitment(signed.commitment),
            });
            Ok(v1::ListSignedBundlesReply { bundles: bundles.collect(), next_page: page.next })
        })
        .await
    }

    async fn get_signed_bundle(&self, request: Request<v1::GetSignedBundleRequest>) -> Answer<v1::SignedBundle> {
        measured("GetSignedBundle", async {
            let request = request.into_inner();
            let number = field::counter("batch", request.batch)?;
            let bundle = field::below("bundle", u64::from(request.bundle), MAX_BATCH_BUNDLES as u64)?;
            let (bundle, commitment) = (bundle as u16, messages::asked(request.commitment)?);
            Ok(match messages::which(&request.replaced)? {
                None => messages::signed(&self.0.bundle(commitment, number, bundle).await?, None),
                Some(digest) => {
                    let (found, gone) = self.0.replaced_bundle(commitment, number, digest, bundle).await?;
                    messages::signed(&found, Some(&gone))
                }
            })
        })
        .await
    }

    async fn list_replaced(&self, request: Request<v1::ListReplacedRequest>) -> Answer<v1::ListReplacedReply> {
        measured("ListReplaced", async {
            let request = request.into_inner();
            let (from, limit) = messages::replaced_page(request.page_size, &request.page_token)?;
            let (batches, next) = self.0.replaced(messages::asked(request.commitment)?, from, limit).await?;
            Ok(v1::ListReplacedReply {
                batches: batches.iter().map(messages::replaced_batch).collect(),
                next_page_token: next.map(|id| id.to_key()).unwrap_or_default(),
            })
        })
        .await
    }
}

async fn measured<T>(method: &'static str, answer: impl Future<Output = Result<T, Status>>) -> Answer<T> {
    let started = Instant::now();
    let answer = answer.await;
    let outcome = match answer.as_ref().map_err(Status::code) {
        Ok(_) => "ok",
        Err(tonic::Code::NotFound) => "not_found",
        Err(tonic::Code::InvalidArgument | tonic::Code::FailedPrecondition) => "invalid",
        Err(_) => "failed",
    };
    metrics::request("grpc", method, outcome, started.elapsed());
    answer.map(Response::new)
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        match &error {
            ApiError::NotFound { .. } => Self::not_found(error.to_string()),
            ApiError::Mismatch { .. } => Self::failed_precondition(error.to_string()),
            ApiError::Internal(_) => Self::internal(error.to_string()),
        }
    }
}
