//! Answers about replaced batches in JSON.

use super::{hex, position};
use crate::Commitment;
use crate::store::{Replaced, ReplacedBatch, ReplacedId, ReplacedPlace};
use serde_json::{Value, json};

pub(in crate::http) fn list(commitment: Commitment, batches: &[ReplacedBatch], next: Option<ReplacedId>) -> Value {
    let batches: Vec<_> = batches
        .iter()
        .map(|found| {
            json!({
                "number": found.batch.header.number.to_string(),
                "header_digest": hex(&found.batch.header_digest),
                "bundles": found.batch.header.bundles,
                "receipts": found.batch.header.receipts,
                "replaced": replaced(&found.replaced),
            })
        })
        .collect();
    let next = next.map(|id| ::hex::encode(id.to_key()));
    json!({ "batches": batches, "commitment": commitment.name(), "next_page": next })
}

/// A replaced batch as those that stand, with its queue entries: where it stood, others are listed.
pub(in crate::http) fn batch(found: &ReplacedBatch) -> Value {
    let mut value = super::batch(&found.batch);
    let first = found.batch.header.queue_from.position.saturating_add(1);
    let entries: Vec<_> = (first..).zip(&found.entries).map(|(at, entry)| super::nodes::queued(at, entry)).collect();
    value["replaced"] = replaced(&found.replaced);
    value["entries"] = json!(entries);
    value
}

pub(in crate::http) fn replaced(replaced: &Replaced) -> Value {
    json!({
        "reason": replaced.reason.name(),
        "at": replaced.at_ms,
        "by": replaced.by.as_ref().map(hex),
        "was_final": replaced.was_final,
    })
}

pub(super) fn place(found: &ReplacedPlace) -> Value {
    let mut value = position(found.place);
    value.insert("header_digest".into(), json!(hex(&found.header_digest)));
    value.insert("leaf_mismatch".into(), json!(!found.valid));
    value.insert("reason".into(), json!(found.reason.name()));
    Value::Object(value)
}
