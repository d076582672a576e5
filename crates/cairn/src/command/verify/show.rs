//! What a proof file shows, as text and as JSON.

use super::chain::{Anchor, OnChain};
use super::{Judged, Outcome, Shown};
use cairn_chain::agreement::{Cluster, FinalBatch};
use cairn_interface::Address;
use cairn_types::{VERDICT_NAMES, VerifiedAccount, VerifiedReceipt};
use serde_json::{Value, json};

/// A file as text: one line, then what it shows when that is wanted.
pub fn print(file: &Judged, at_length: bool, chain: Option<&OnChain>) {
    let detail = file.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    println!("{}: {}{detail}", file.path.display(), file.outcome.word());
    if file.outcome == Outcome::Invalid || !at_length {
        return;
    }
    match &file.shown {
        Some(Shown::Receipt(verified)) => print_receipt(verified),
        Some(Shown::Account(verified)) => print_account(verified),
        None => {}
    }
    if let (Some(chain), Some(Anchor { batch: Some(batch), .. })) = (chain, &file.anchor) {
        print_batch(batch, chain);
    }
}

/// A file's batch, on chain.
fn print_batch(batch: &FinalBatch, chain: &OnChain) {
    println!("  on chain  {}, submitted in slot {} at {}", chain.chain(), batch.slot, seconds(batch.time));
    println!("  rollup    {}, program {}", chain.pins.rollup, chain.pins.program);
    for (server, slot) in chain.servers().zip(&batch.seen) {
        println!("  server    {server}, finalized slot {slot}");
    }
    let proof = if batch.settled {
        "verified by the chain"
    } else {
        "not verified by the chain yet: `cairn check-proof` checks the published one"
    };
    println!("  proof     {proof}");
}

/// Whom the files were checked with, below all of them.
pub fn print_summary(chain: &OnChain) {
    let Some(last) = chain.last() else { return };
    let (batches, settled) = chain.counts();
    println!("\nrollup    {}, program {}, {} profile", chain.pins.rollup, chain.pins.program, last.profile);
    println!("on chain  {}: {batches} batches final, the proofs of {settled} verified by the chain", chain.chain());
    for view in &last.servers {
        println!("server    {}, finalized slot {}, {} batches there", view.server, view.slot, view.tip);
    }
}

/// A file as JSON.
pub fn object(file: &Judged, chain: Option<&OnChain>) -> Value {
    let mut object = json!({
        "file": file.path.display().to_string(),
        "outcome": file.outcome.word(),
        "anchored": file.outcome == Outcome::Valid,
    });
    if let Some(detail) = &file.detail {
        object["detail"] = detail.as_str().into();
    }
    let fields = match &file.shown {
        Some(Shown::Receipt(verified)) => receipt_fields(verified),
        Some(Shown::Account(verified)) => account_fields(verified),
        None => Value::Null,
    };
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
    }
    if let (Some(chain), Some(anchor)) = (chain, &file.anchor) {
        object["chain"] = chain_fields(anchor, chain);
    }
    object
}

fn chain_fields(anchor: &Anchor, chain: &OnChain) -> Value {
    let pins = &chain.pins;
    let mut fields = json!({
        "finding": anchor.finding,
        "final": anchor.batch.is_some(),
        "genesis_hash": Address(pins.genesis_hash).to_string(),
        "cluster": Cluster::of(&pins.genesis_hash).map(Cluster::name),
        "program": pins.program.to_string(),
        "rollup": pins.rollup.to_string(),
        "profile": chain.last().map(|last| last.profile.name()),
        "servers": chain.servers().map(|server| json!({ "server": server })).collect::<Vec<_>>(),
    });
    if let Some(batch) = &anchor.batch {
        fields["settled"] = batch.settled.into();
        fields["slot"] = batch.slot.to_string().into();
        fields["time"] = seconds(batch.time).into();
        for (place, slot) in batch.seen.iter().enumerate() {
            fields["servers"][place]["finalized_slot"] = slot.to_string().into();
        }
    }
    fields
}

fn print_receipt(verified: &VerifiedReceipt) {
    let receipt = &verified.receipt;
    let verdicts = VERDICT_NAMES.iter().zip(receipt.rights.verdicts.to_array());
    let rights: Vec<_> = verdicts.map(|(name, verdict)| format!("{name} {}", verdict.name())).collect();
    println!("  url       {}", receipt.url);
    println!("  fetched   {} by node {}, status {}", time(receipt.fetch_time), receipt.node_index, receipt.status);
    println!("  payload   {} bytes, sha256 {}", receipt.content_length, hex::encode(receipt.payload_sha256));
    println!("  rights    {} (as the node read them)", rights.join(", "));
    println!("  receipt   {}", verified.receipt_digest);
    println!("  batch     {}, header {}", verified.header.number, verified.header_digest);
}

fn print_account(verified: &VerifiedAccount) {
    println!("  node      {}", verified.node_index);
    match &verified.account {
        None => println!("  account   none was registered"),
        Some(account) if account.key.is_zero() => println!("  key       none: the node is deactivated"),
        Some(account) => println!("  key       {}", account.key),
    }
    if let Some(account) = &verified.account {
        println!(
            "  signed    {} receipts of {} bytes in {} bundles",
            account.receipts_total, account.bytes_total, account.next_sequence
        );
    }
    println!("  after     batch {}, header {}", verified.header.number, verified.header_digest);
}

fn receipt_fields(verified: &VerifiedReceipt) -> Value {
    let receipt = &verified.receipt;
    let verdicts = VERDICT_NAMES.iter().zip(receipt.rights.verdicts.to_array());
    json!({
        "receipt_digest": verified.receipt_digest.to_hex(),
        "header_digest": verified.header_digest.to_hex(),
        "batch": verified.header.number.to_string(),
        "rollup_id": receipt.rollup_id.to_hex(),
        "node_index": receipt.node_index,
        "url": receipt.url,
        "fetch_time": time(receipt.fetch_time),
        "status": receipt.status,
        "content_length": receipt.content_length.to_string(),
        "payload_blake3": hex::encode(receipt.payload_blake3),
        "payload_sha256": hex::encode(receipt.payload_sha256),
        "payload_sha1": hex::encode(receipt.payload_sha1),
        "claimed_verdicts": verdicts
            .map(|(name, verdict)| ((*name).to_string(), Value::from(verdict.name())))
            .collect::<serde_json::Map<_, _>>(),
    })
}

fn account_fields(verified: &VerifiedAccount) -> Value {
    let account = verified.account.map(|account| {
        json!({
            "receipt_key": account.key.to_string(),
            "bundles": account.next_sequence.to_string(),
            "receipts": account.receipts_total.to_string(),
            "bytes": account.bytes_total.to_string(),
        })
    });
    json!({
        "node_index": verified.node_index,
        "account": account,
        "header_digest": verified.header_digest.to_hex(),
        "batch": verified.header.number.to_string(),
        "rollup_id": verified.header.rollup_id.to_hex(),
    })
}

/// RFC 3339 in UTC.
fn time(milliseconds: u64) -> String {
    i64::try_from(milliseconds)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map_or_else(|| format!("{milliseconds} ms"), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// The cluster's clock, RFC 3339 in UTC.
fn seconds(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| format!("{seconds} s"), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}
