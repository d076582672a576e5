//! Answers about nodes in JSON. Numbers that may pass 2^53 are decimal strings, digests and keys lower-case hex.

use super::{bundle as statement, hex, queue};
use crate::Commitment;
use crate::api::Node;
use crate::store::{KeyUse, Page, Replaced, SignedBundle, StoredBundle, StoredEntry};
use cairn_types::{Account, BatchHeader, QueueEntry, ReceiptKey};
use serde_json::{Map, Value, json};

pub(in crate::http) fn nodes(commitment: Commitment, page: &Page<(u32, Account), u32>) -> Value {
    let nodes: Vec<_> = page.items.iter().map(|(index, found)| account(*index, found)).collect();
    json!({ "commitment": commitment.name(), "nodes": nodes, "next_page": page.next.map(|index| index.to_string()) })
}

pub(in crate::http) fn node(node: &Node) -> Value {
    let mut value = account(node.index, &node.account);
    value.insert("commitment".into(), json!(node.commitment.name()));
    value.insert("batch".into(), json!(node.header.number.to_string()));
    value.insert("header_digest".into(), json!(hex(&node.header_digest)));
    value.insert("state_root".into(), json!(hex(&node.header.new_state_root)));
    Value::Object(value)
}

fn account(index: u32, account: &Account) -> Map<String, Value> {
    let state = if account.key.is_zero() { "deactivated" } else { "active" };
    Map::from_iter([
        ("node_index".to_owned(), json!(index)),
        ("receipt_key".to_owned(), json!(account.key.to_string())),
        ("state".to_owned(), json!(state)),
        ("next_sequence".to_owned(), json!(account.next_sequence.to_string())),
        ("receipts_total".to_owned(), json!(account.receipts_total.to_string())),
        ("bytes_total".to_owned(), json!(account.bytes_total.to_string())),
    ])
}

pub(in crate::http) fn signed(commitment: Commitment, index: u32, page: &Page<SignedBundle>) -> Value {
    let bundles: Vec<_> = page
        .items
        .iter()
        .map(|signed| {
            json!({
                "sequence": signed.sequence.to_string(),
                "batch": signed.batch.to_string(),
                "bundle": signed.bundle,
                "commitment": signed.commitment.name(),
            })
        })
        .collect();
    let commitment = commitment.name();
    json!({ "commitment": commitment, "node_index": index, "bundles": bundles, "next_page": next(page) })
}

pub(in crate::http) fn key(commitment: Commitment, key: &ReceiptKey, page: &Page<KeyUse>) -> Value {
    let uses: Vec<_> = page
        .items
        .iter()
        .map(|used| {
            let mut value = entry(&used.given);
            value.insert("batch".into(), json!(used.given.batch.to_string()));
            value.insert("current".into(), json!(used.current));
            value.insert("commitment".into(), json!(used.given.commitment.name()));
            value
        })
        .collect();
    let commitment = commitment.name();
    json!({ "commitment": commitment, "receipt_key": key.to_string(), "uses": uses, "next_page": next(page) })
}

pub(in crate::http) fn entries(commitment: Commitment, header: &BatchHeader, page: &Page<StoredEntry>) -> Value {
    let entries: Vec<_> = page.items.iter().map(entry).collect();
    json!({
        "commitment": commitment.name(),
        "batch": header.number.to_string(),
        "queue_from": queue(&header.queue_from),
        "queue_to": queue(&header.queue_to),
        "entries": entries,
        "next_page": next(page),
    })
}

fn entry(found: &StoredEntry) -> Map<String, Value> {
    queued(found.position, &found.entry)
}

pub(super) fn queued(position: u64, entry: &QueueEntry) -> Map<String, Value> {
    Map::from_iter([
        ("position".to_owned(), json!(position.to_string())),
        ("kind".to_owned(), json!(entry.kind.name())),
        ("node_index".to_owned(), json!(entry.node_index)),
        ("receipt_key".to_owned(), json!(entry.key.to_string())),
    ])
}

pub(in crate::http) fn bundle(number: u64, index: u16, found: &StoredBundle, replaced: Option<&Replaced>) -> Value {
    let mut value = statement(usize::from(index), &found.statement);
    let words: Vec<_> = found.statement.words().iter().map(u64::to_string).collect();
    let receipts: Vec<_> = found
        .receipts
        .iter()
        .map(|(digest, valid)| json!({ "receipt_digest": hex(digest), "leaf_mismatch": !valid }))
        .collect();
    let more = [
        ("commitment", json!(found.commitment.name())),
        ("replaced", json!(replaced.map(super::replaced::replaced))),
        ("batch", json!(number.to_string())),
        ("header_digest", json!(hex(&found.header_digest))),
        ("batch_root", json!(hex(&found.batch_root))),
        ("siblings", found.siblings.iter().map(hex).collect()),
        ("receipt_key", json!(found.key.to_string())),
        ("signature", json!(found.signature.to_hex())),
        ("statement_words", json!(words)),
        ("records", json!(receipts)),
    ];
    if let Some(object) = value.as_object_mut() {
        object.extend(more.map(|(name, part)| (name.to_owned(), part)));
    }
    value
}

fn next<T>(page: &Page<T>) -> Option<String> {
    page.next.map(|number| number.to_string())
}
