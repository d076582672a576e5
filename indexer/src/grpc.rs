//! The gRPC interface: the same answers as the JSON one.

use crate::api::{Api, ApiError, PAGE_SIZE};
use crate::blobs::blob_path;
use crate::status::{Problem, ProblemKind};
use crate::{ContentDigest, Place, metrics};
use cairn_proto::field::{self, FieldError};
use cairn_proto::v1;
use cairn_proto::v1::find_content_request::Digest as Requested;
use cairn_proto::v1::indexer_server::Indexer;
use cairn_types::Bundle;
use std::time::Instant;
use tonic::{Request, Response, Status};

pub(crate) struct Service(pub Api);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Indexer for Service {
    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Answer<v1::GetStatusReply> {
        measured("GetStatus", async { Ok(status_reply(&self.0)) }).await
    }

    async fn get_batch(&self, request: Request<v1::GetBatchRequest>) -> Answer<v1::Batch> {
        measured("GetBatch", async {
            let batch = self.0.batch(field::counter("number", request.into_inner().number)?).await?;
            Ok(v1::Batch {
                number: batch.header.number,
                header: batch.header.to_bytes().to_vec(),
                header_digest: batch.header_digest.to_bytes().to_vec(),
                bundles: u64::from(batch.header.bundles),
                receipts: u64::from(batch.header.receipts),
                leaf_mismatches: batch.leaf_mismatches,
                blob_path: blob_path(&batch.header.data_digest).to_string(),
                submitted_slot: batch.slot,
                bundle_digests: batch
                    .statements
                    .iter()
                    .map(Bundle::digest)
                    .map(|digest| digest.to_bytes().to_vec())
                    .collect(),
            })
        })
        .await
    }

    async fn get_receipt(&self, request: Request<v1::GetReceiptRequest>) -> Answer<v1::ReceiptRecord> {
        measured("GetReceipt", async {
            let request = request.into_inner();
            let digest = field::digest("receipt_digest", &request.receipt_digest)?;
            let (from, limit) = page(request.page_size, &request.page_token)?;
            let entry = self.0.receipt(digest, from, limit).await?;
            let places = entry
                .places
                .into_iter()
                .map(|(place, valid)| v1::ReceiptPlace { position: Some(position(place)), leaf_mismatch: !valid });
            Ok(v1::ReceiptRecord {
                receipt_digest: request.receipt_digest,
                receipt: entry.bytes,
                places: places.collect(),
                next_page_token: token(entry.next),
            })
        })
        .await
    }

    async fn get_proof(&self, request: Request<v1::GetProofRequest>) -> Answer<v1::ReceiptProof> {
        measured("GetProof", async {
            let request = request.into_inner();
            let digest = field::digest("receipt_digest", &request.receipt_digest)?;
            let place = request.position.map(place).transpose()?;
            let (place, proof) = self.0.proof(digest, place).await?;
            Ok(v1::ReceiptProof { position: Some(position(place)), file: proof.encode() })
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
            let (from, limit) = page(request.page_size, &request.page_token)?;
            let (hits, next) = self.0.content(digest, from, limit).await?;
            let places = hits.into_iter().map(|hit| v1::ContentPlace {
                receipt_digest: hit.receipt_digest.to_bytes().to_vec(),
                position: Some(position(hit.place)),
            });
            Ok(v1::FindContentReply { places: places.collect(), next_page_token: token(next) })
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

fn status_reply(api: &Api) -> v1::GetStatusReply {
    let status = api.status();
    v1::GetStatusReply {
        rollup_id: status.rollup_id.to_bytes().to_vec(),
        batches_on_chain: status.batches_on_chain,
        batches_indexed: status.batches_indexed,
        header_digest: status.header_digest.map(|digest| digest.to_bytes().to_vec()),
        bundles: status.bundles,
        receipts: status.receipts,
        leaf_mismatches: status.leaf_mismatches,
        problem: status.problem.map(problem),
        batches_settled: status.batches_settled,
        genesis_hash: status.genesis_hash.to_vec(),
        program: status.program.0.to_vec(),
        rollup: status.rollup.0.to_vec(),
        slot: status.slot,
    }
}

fn problem(problem: Problem) -> v1::Problem {
    let kind = match problem.kind {
        ProblemKind::Refused => v1::problem::Kind::Refused,
        ProblemKind::Missing => v1::problem::Kind::Missing,
        ProblemKind::Diverged => v1::problem::Kind::Diverged,
        ProblemKind::Chain => v1::problem::Kind::Chain,
        ProblemKind::Store => v1::problem::Kind::Store,
    };
    v1::Problem {
        kind: kind.into(),
        batch: problem.batch,
        header_digest: problem.header_digest.map(|digest| digest.to_bytes().to_vec()),
        reason: problem.reason,
        attempts: problem.attempts,
        since_ms: problem.since_ms,
    }
}

fn position(place: Place) -> v1::Position {
    v1::Position { batch: place.batch, bundle: u32::from(place.bundle), receipt: u32::from(place.receipt) }
}

fn place(position: v1::Position) -> Result<Place, FieldError> {
    let v1::Position { batch, bundle, receipt } = position;
    Place::checked(batch, u64::from(bundle), u64::from(receipt)).ok_or_else(|| FieldError::Malformed {
        field: "position".to_owned(),
        reason: "no batch has such a place".to_owned(),
    })
}

fn page(size: u32, token: &[u8]) -> Result<(Option<Place>, usize), FieldError> {
    let limit = if size == 0 { PAGE_SIZE } else { field::size("page_size", "entries", size as usize, 1, PAGE_SIZE)? };
    if token.is_empty() {
        return Ok((None, limit));
    }
    let reason = "it is not the next_page_token of a reply".to_owned();
    let from = Place::from_key(token).ok_or(FieldError::Malformed { field: "page_token".to_owned(), reason })?;
    Ok((Some(from), limit))
}

fn token(next: Option<Place>) -> Vec<u8> {
    next.map_or_else(Vec::new, |place| place.to_key().to_vec())
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
