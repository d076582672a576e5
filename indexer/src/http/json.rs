//! Values in JSON. Numbers that may pass 2^53 are decimal strings, digests lower-case hex, Solana keys base58.

pub(super) mod nodes;
pub(super) mod replaced;

use crate::api;
use crate::blobs::blob_path;
use crate::store::{ContentHit, StoredBatch};
use crate::{Commitment, ConfirmedStatus, ContentDigest, Place, Status};
use cairn_chain::Address;
use cairn_types::{
    BatchHeader, Bundle, Capture, Digest, QueueCursor, Receipt, RightsSignal, SignalKind, VERDICT_NAMES, Verdicts,
};
use data_encoding::BASE32;
use serde_json::{Map, Value, json};

pub(super) fn status(status: &Status) -> Value {
    json!({
        "chain": { "genesis_hash": Address(status.genesis_hash).to_string(), "slot": status.slot.to_string() },
        "program": status.program.to_string(),
        "rollup": status.rollup.to_string(),
        "rollup_id": hex(&status.rollup_id),
        "batches_on_chain": status.batches_on_chain.to_string(),
        "batches_settled": status.batches_settled.to_string(),
        "batches_indexed": status.batches_indexed.to_string(),
        "current": status.is_current(),
        "header_digest": status.header_digest.as_ref().map(hex),
        "bundles": status.bundles.to_string(),
        "receipts": status.receipts.to_string(),
        "leaf_mismatches": status.leaf_mismatches.to_string(),
        "nodes": status.nodes.to_string(),
        "queue_position": status.queue_position.to_string(),
        "state_root": hex(&status.state_root),
        "confirmed": confirmed(&status.confirmed),
        "batches_replaced": status.batches_replaced.to_string(),
        "problem": status.problem.as_ref().map(|problem| json!({
            "kind": problem.kind.name(),
            "batch": problem.batch.map(|number| number.to_string()),
            "header_digest": problem.header_digest.as_ref().map(hex),
            "reason": problem.reason,
            "attempts": problem.attempts.to_string(),
            "since": problem.since_ms,
        })),
    })
}

fn confirmed(status: &ConfirmedStatus) -> Value {
    json!({
        "slot": status.slot.to_string(),
        "batches_on_chain": status.batches_on_chain.to_string(),
        "batches_indexed": status.batches_indexed.to_string(),
        "header_digest": status.header_digest.as_ref().map(hex),
        "bundles": status.bundles.to_string(),
        "receipts": status.receipts.to_string(),
        "leaf_mismatches": status.leaf_mismatches.to_string(),
        "nodes": status.nodes.to_string(),
        "queue_position": status.queue_position.to_string(),
        "state_root": hex(&status.state_root),
    })
}

pub(super) fn batch(batch: &StoredBatch) -> Value {
    json!({
        "commitment": batch.commitment.name(),
        "settled": batch.settled,
        "replaced": null,
        "number": batch.header.number.to_string(),
        "header_digest": hex(&batch.header_digest),
        "header": header(&batch.header),
        "header_bytes": hex::encode(batch.header.to_bytes()),
        "submitted_slot": batch.slot.to_string(),
        "blob_path": blob_path(&batch.header.data_digest).to_string(),
        "leaf_mismatches": batch.leaf_mismatches,
        "bundles": batch.statements.iter().enumerate().map(|(at, statement)| bundle(at, statement)).collect::<Vec<_>>(),
    })
}

fn header(header: &BatchHeader) -> Value {
    let verdicts: Map<_, _> = VERDICT_NAMES
        .iter()
        .zip(&header.verdicts)
        .map(|(name, counts)| {
            let known = counts.allowed.saturating_add(counts.refused).saturating_add(counts.conditional);
            let value = json!({
                "allowed": counts.allowed,
                "refused": counts.refused,
                "conditional": counts.conditional,
                "unknown": header.receipts.saturating_sub(known),
            });
            ((*name).to_owned(), value)
        })
        .collect();
    json!({
        "rollup_id": hex(&header.rollup_id),
        "number": header.number.to_string(),
        "previous": hex(&header.previous),
        "batch_root": hex(&header.batch_root),
        "old_state_root": hex(&header.old_state_root),
        "new_state_root": hex(&header.new_state_root),
        "queue_from": queue(&header.queue_from),
        "queue_to": queue(&header.queue_to),
        "bundles": header.bundles,
        "receipts": header.receipts,
        "bytes": header.bytes.to_string(),
        "time_min": header.time_min,
        "time_max": header.time_max,
        "verdicts": verdicts,
        "tiers": header.tiers,
        "data_digest": hex(&header.data_digest),
        "data_length": header.data_length,
    })
}

fn queue(cursor: &QueueCursor) -> Value {
    json!({ "position": cursor.position.to_string(), "digest": hex(&cursor.digest) })
}

fn bundle(index: usize, bundle: &Bundle) -> Value {
    json!({
        "bundle": index,
        "bundle_digest": hex(&bundle.digest()),
        "node_index": bundle.node_index,
        "sequence": bundle.sequence.to_string(),
        "receipts_root": hex(&bundle.receipts_root),
        "receipts": bundle.count,
        "time_min": bundle.time_min,
        "time_max": bundle.time_max,
        "bytes": bundle.bytes.to_string(),
    })
}

pub(super) fn receipt(commitment: Commitment, digest: &Digest, found: &api::Receipt) -> Value {
    let entry = &found.entry;
    let positions: Vec<_> = entry
        .places
        .iter()
        .map(|(place, valid)| {
            let mut position = position(*place);
            position.insert("commitment".into(), json!(entry.commitment(*place).name()));
            position.insert("leaf_mismatch".into(), json!(!valid));
            position
        })
        .collect();
    json!({
        "commitment": commitment.name(),
        "receipt_digest": hex(digest),
        // Bytes that are no receipt are kept as they are; every place of theirs is a mismatch.
        "receipt": Receipt::decode(&entry.bytes).ok().as_ref().map(fields),
        "receipt_bytes": hex::encode(&entry.bytes),
        "positions": positions,
        "replaced": found.replaced.iter().map(replaced::place).collect::<Vec<_>>(),
        "next_page": entry.next.map(token),
    })
}

pub(super) fn content(
    commitment: Commitment,
    digest: &ContentDigest,
    hits: &[ContentHit],
    next: Option<Place>,
) -> Value {
    let hits: Vec<_> = hits
        .iter()
        .map(|hit| {
            let mut entry = position(hit.place);
            entry.insert("commitment".into(), json!(hit.commitment.name()));
            entry.insert("receipt_digest".into(), json!(hex(&hit.receipt_digest)));
            entry
        })
        .collect();
    json!({
        "commitment": commitment.name(),
        "content": digest.to_string(),
        "positions": hits,
        "next_page": next.map(token),
    })
}

fn position(place: Place) -> Map<String, Value> {
    Map::from_iter([
        ("batch".to_owned(), json!(place.batch.to_string())),
        ("bundle".to_owned(), json!(place.bundle)),
        ("receipt".to_owned(), json!(place.receipt)),
    ])
}

fn token(place: Place) -> String {
    hex::encode(place.to_key())
}

fn hex(digest: &Digest) -> String {
    digest.to_hex()
}

fn fields(receipt: &Receipt) -> Value {
    json!({
        "rollup_id": hex(&receipt.rollup_id),
        "node_index": receipt.node_index,
        "url": receipt.url,
        "final_url": receipt.final_url,
        "url_host_registered_domain": receipt.domain,
        "suffix_list": receipt.suffix_list,
        "fetch_time": receipt.fetch_time,
        "fetch_end": receipt.fetch_end,
        "status": receipt.status,
        "method": receipt.method.name(),
        "media_type": receipt.media_type,
        "charset": receipt.charset,
        "language": receipt.language,
        "content_length": receipt.content_length,
        "truncated": receipt.truncated,
        "capture": capture(receipt.capture),
        "payload_blake3": hex::encode(receipt.payload_blake3),
        "payload_sha256": hex::encode(receipt.payload_sha256),
        "payload_sha1": hex::encode(receipt.payload_sha1),
        "content_digest": BASE32.encode(&receipt.payload_sha1),
        "headers_digest": receipt.headers_digest.map(hex::encode),
        "job": receipt.job,
        "rights": {
            "signals": receipt.rights.signals.iter().map(signal).collect::<Vec<_>>(),
            "verdicts": verdicts(receipt.rights.verdicts),
        },
        "evidence": { "tier": receipt.evidence.tier, "digest": receipt.evidence.digest.map(hex::encode) },
        "locator": receipt.locator.as_ref().map(|locator| json!({
            "file": locator.file,
            "offset": locator.offset.to_string(),
            "length": locator.length.to_string(),
        })),
        "lineage": receipt.lineage.as_ref().map(|lineage| json!({
            "parent": hex(&lineage.parent),
            "transform": lineage.transform,
        })),
        "groups": receipt.groups.iter().map(hex::encode).collect::<Vec<_>>(),
    })
}

fn verdicts(verdicts: Verdicts) -> Map<String, Value> {
    VERDICT_NAMES
        .iter()
        .zip(verdicts.to_array())
        .map(|(name, verdict)| ((*name).to_owned(), json!(verdict.name())))
        .collect()
}

const fn capture(capture: Capture) -> &'static str {
    match capture {
        Capture::Response => "response",
        Capture::RevisitIdentical => "revisit_identical",
        Capture::RevisitNotModified => "revisit_not_modified",
    }
}

fn signal(signal: &RightsSignal) -> Value {
    let kind = match signal.kind {
        SignalKind::RobotsTxt => "robots_txt",
        SignalKind::XRobotsTag => "x_robots_tag",
        SignalKind::ContentUsage => "content_usage",
        SignalKind::ContentSignal => "content_signal",
        SignalKind::Tdm => "tdm",
        SignalKind::Rsl => "rsl",
    };
    json!({ "kind": kind, "digest": hex::encode(signal.digest) })
}
