//! Messages from values and back, with the bounds of every field.

use crate::api::PAGE_SIZE;
use crate::blobs::blob_path;
use crate::status::{Problem, ProblemKind};
use crate::store::{
    Reason, Replaced, ReplacedBatch, ReplacedId, ReplacedPlace, StoredBatch, StoredBundle, StoredEntry,
};
use crate::{Commitment, ConfirmedStatus, Place, Status};
use cairn_proto::field::{self, FieldError};
use cairn_proto::v1;
use cairn_types::{Account, Bundle, Digest, EntryKind, KeyError, ReceiptKey};

pub(super) fn status(status: Status) -> v1::GetStatusReply {
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
        nodes: status.nodes,
        queue_position: status.queue_position,
        state_root: status.state_root.to_bytes().to_vec(),
        confirmed: Some(reach(&status.confirmed)),
        batches_replaced: status.batches_replaced,
    }
}

fn reach(status: &ConfirmedStatus) -> v1::Reach {
    v1::Reach {
        slot: status.slot,
        batches_on_chain: status.batches_on_chain,
        batches_indexed: status.batches_indexed,
        header_digest: status.header_digest.as_ref().map(bytes),
        bundles: status.bundles,
        receipts: status.receipts,
        leaf_mismatches: status.leaf_mismatches,
        nodes: status.nodes,
        queue_position: status.queue_position,
        state_root: bytes(&status.state_root),
    }
}

/// How sure the chain has to be of the answer.
pub(super) fn asked(commitment: i32) -> Result<Commitment, FieldError> {
    match v1::Commitment::try_from(commitment) {
        Ok(v1::Commitment::Unspecified | v1::Commitment::Finalized) => Ok(Commitment::Finalized),
        Ok(v1::Commitment::Confirmed) => Ok(Commitment::Confirmed),
        Err(_) => Err(FieldError::Malformed {
            field: "commitment".to_owned(),
            reason: format!("{commitment} is neither finalized (1) nor confirmed (2)"),
        }),
    }
}

pub(super) fn commitment(commitment: Commitment) -> i32 {
    match commitment {
        Commitment::Finalized => v1::Commitment::Finalized,
        Commitment::Confirmed => v1::Commitment::Confirmed,
    }
    .into()
}

pub(super) fn reason(reason: Reason) -> i32 {
    match reason {
        Reason::Fork => v1::replaced::Reason::Fork,
        Reason::Abandoned => v1::replaced::Reason::Abandoned,
    }
    .into()
}

pub(super) fn replaced(found: &Replaced) -> v1::Replaced {
    v1::Replaced {
        reason: reason(found.reason),
        at_ms: found.at_ms,
        by: found.by.as_ref().map(bytes),
        was_final: found.was_final,
    }
}

/// The header digest of a replaced batch that is asked for, if one is.
pub(super) fn which(replaced: &[u8]) -> Result<Option<Digest>, FieldError> {
    if replaced.is_empty() { Ok(None) } else { field::digest("replaced", replaced).map(Some) }
}

pub(super) fn replaced_page(size: u32, token: &[u8]) -> Result<(Option<ReplacedId>, usize), FieldError> {
    let limit = limit(size)?;
    if token.is_empty() {
        return Ok((None, limit));
    }
    let reason = "it is not the next_page_token of a reply".to_owned();
    let from = ReplacedId::from_key(token).ok_or(FieldError::Malformed { field: "page_token".to_owned(), reason })?;
    Ok((Some(from), limit))
}

pub(super) fn replaced_batch(found: &ReplacedBatch) -> v1::ReplacedBatch {
    v1::ReplacedBatch {
        number: found.batch.header.number,
        header_digest: bytes(&found.batch.header_digest),
        bundles: u64::from(found.batch.header.bundles),
        receipts: u64::from(found.batch.header.receipts),
        replaced: Some(replaced(&found.replaced)),
    }
}

pub(super) fn replaced_place(found: &ReplacedPlace) -> v1::ReplacedPlace {
    v1::ReplacedPlace {
        position: Some(position(found.place)),
        header_digest: bytes(&found.header_digest),
        leaf_mismatch: !found.valid,
        reason: reason(found.reason),
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

pub(super) fn position(place: Place) -> v1::Position {
    v1::Position { batch: place.batch, bundle: u32::from(place.bundle), receipt: u32::from(place.receipt) }
}

pub(super) fn place(position: v1::Position) -> Result<Place, FieldError> {
    let v1::Position { batch, bundle, receipt } = position;
    Place::checked(batch, u64::from(bundle), u64::from(receipt)).ok_or_else(|| FieldError::Malformed {
        field: "position".to_owned(),
        reason: "no batch has such a place".to_owned(),
    })
}

pub(super) fn page(size: u32, token: &[u8]) -> Result<(Option<Place>, usize), FieldError> {
    let limit = limit(size)?;
    if token.is_empty() {
        return Ok((None, limit));
    }
    let reason = "it is not the next_page_token of a reply".to_owned();
    let from = Place::from_key(token).ok_or(FieldError::Malformed { field: "page_token".to_owned(), reason })?;
    Ok((Some(from), limit))
}

pub(super) fn token(next: Option<Place>) -> Vec<u8> {
    next.map_or_else(Vec::new, |place| place.to_key().to_vec())
}

/// Entries on a page.
pub(super) fn limit(size: u32) -> Result<usize, FieldError> {
    if size == 0 { Ok(PAGE_SIZE) } else { field::size("page_size", "entries", size as usize, 1, PAGE_SIZE) }
}

/// A page that begins at a number.
pub(super) fn numbered(size: u32, from: Option<u64>) -> Result<(Option<u64>, usize), FieldError> {
    Ok((from.map(|from| field::counter("page", from)).transpose()?, limit(size)?))
}

/// Which account, after which batch, and how sure.
pub(super) fn state(request: v1::GetAccountRequest) -> Result<(u32, Option<u64>, Commitment), FieldError> {
    let index = field::node_index("node_index", request.node_index)?;
    let batch = request.batch.map(|batch| field::counter("batch", batch)).transpose()?;
    Ok((index, batch, asked(request.commitment)?))
}

pub(super) fn key(name: &str, bytes: &[u8]) -> Result<ReceiptKey, FieldError> {
    let field = name.to_owned();
    ReceiptKey::from_slice(bytes).map_err(|error| match error {
        KeyError::Length(actual) => FieldError::Length { field, actual, expected: ReceiptKey::BYTES },
        other => FieldError::Malformed { field, reason: other.to_string() },
    })
}

pub(super) fn batch(batch: &StoredBatch, gone: Option<&Replaced>) -> v1::Batch {
    v1::Batch {
        commitment: commitment(batch.commitment),
        replaced: gone.map(replaced),
        number: batch.header.number,
        header: batch.header.to_bytes().to_vec(),
        header_digest: bytes(&batch.header_digest),
        bundles: u64::from(batch.header.bundles),
        receipts: u64::from(batch.header.receipts),
        leaf_mismatches: batch.leaf_mismatches,
        blob_path: blob_path(&batch.header.data_digest).to_string(),
        submitted_slot: batch.slot,
        settled: batch.settled,
        bundle_digests: batch.statements.iter().map(|statement| bytes(&Bundle::digest(statement))).collect(),
    }
}

pub(super) fn account(node_index: u32, account: &Account, batch: u64, sure: Commitment) -> v1::AccountRecord {
    v1::AccountRecord {
        commitment: commitment(sure),
        node_index,
        receipt_key: account.key.to_bytes().to_vec(),
        next_sequence: account.next_sequence,
        receipts_total: account.receipts_total,
        bytes_total: account.bytes_total,
        batch,
    }
}

pub(super) fn entry(found: &StoredEntry) -> v1::QueueEntryRecord {
    let kind = match found.entry.kind {
        EntryKind::Register => v1::QueueEntryKind::Register,
        EntryKind::Rotate => v1::QueueEntryKind::Rotate,
        EntryKind::Deactivate => v1::QueueEntryKind::Deactivate,
    };
    v1::QueueEntryRecord {
        position: found.position,
        kind: kind.into(),
        node_index: found.entry.node_index,
        receipt_key: found.entry.key.to_bytes().to_vec(),
        batch: found.batch,
        commitment: commitment(found.commitment),
    }
}

pub(super) fn signed(found: &StoredBundle, gone: Option<&Replaced>) -> v1::SignedBundle {
    let records = found
        .receipts
        .iter()
        .map(|(digest, valid)| v1::BundleRecord { receipt_digest: bytes(digest), leaf_mismatch: !valid });
    v1::SignedBundle {
        commitment: commitment(found.commitment),
        replaced: gone.map(replaced),
        statement: found.statement.words().to_vec(),
        bundle_digest: bytes(&found.statement.digest()),
        signature: found.signature.as_bytes().to_vec(),
        receipt_key: found.key.to_bytes().to_vec(),
        siblings: found.siblings.iter().map(bytes).collect(),
        header_digest: bytes(&found.header_digest),
        records: records.collect(),
    }
}

fn bytes(digest: &Digest) -> Vec<u8> {
    digest.to_bytes().to_vec()
}
