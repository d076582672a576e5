//! What is said about a rollup.

use super::cluster_time;
use crate::command::funds::sol;
use anyhow::Result;
use cairn_chain::{Commitment, FinalizedQueue, RollupClient, RpcChain, Snapshot, Submitted};
use cairn_types::Cursor;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

/// A rollup, as the chain has it, and what was just done to it.
pub struct Report {
    outcome: String,
    client: RollupClient,
    genesis: [u8; 32],
    read: FinalizedQueue,
    confirmed: Snapshot,
    time: i64,
    sent: Vec<Submitted>,
}

impl Report {
    /// Reads the rollup.
    ///
    /// # Errors
    /// When it is not there, or not what the program would write.
    pub async fn read(chain: &RpcChain, client: &RollupClient, outcome: &str, sent: &[Submitted]) -> Result<Self> {
        let read = client.finalized_queue().await?;
        let confirmed = client.snapshot_at(0..0, Commitment::Confirmed).await?;
        let (time, sent) = (cluster_time(chain).await?, sent.to_vec());
        let genesis = read.rollup.genesis_hash;
        Ok(Self { outcome: outcome.to_owned(), client: client.clone(), genesis, read, confirmed, time, sent })
    }

    /// Prints it.
    pub fn print(&self, json: bool) {
        if json {
            println!("{}", self.object());
        } else {
            self.text().iter().for_each(|line| println!("{line}"));
        }
    }

    fn object(&self) -> Value {
        let (rollup, queue) = (&self.read.rollup, &self.read.queue);
        let registry = &rollup.registry;
        let sent = |sent: &Submitted| {
            json!({
                "transaction": sent.signature.to_string(),
                "slot": sent.slot.to_string(),
                "fee_lamports": sent.fee.map(|fee| fee.to_string()),
                "commitment": "finalized",
            })
        };
        json!({
            "outcome": self.outcome,
            "transactions": self.sent.iter().map(sent).collect::<Vec<_>>(),
            "commitment": "finalized",
            "slot": self.read.slot.to_string(),
            "rollup": self.client.address().to_string(),
            "rollup_id": rollup.rollup_id.to_hex(),
            "program": self.client.program().to_string(),
            "genesis_hash": bs58::encode(self.genesis).into_string(),
            "profile": rollup.profile.name(),
            "circuit_id": hex::encode(rollup.circuit_id),
            "admin": rollup.admin.to_string(),
            "id": rollup.id.to_string(),
            "sequencer": rollup.sequencer.to_string(),
            "acknowledgement_key": rollup.acknowledgement_key.to_string(),
            "registrar": (!registry.registrar.is_zero()).then(|| registry.registrar.to_string()),
            "bond_lamports": registry.bond.to_string(),
            "queue_deadline_slots": registry.queue_deadline.to_string(),
            "blob_location": (!rollup.blob_location.is_empty()).then_some(&rollup.blob_location),
            "paused": rollup.is_paused(self.time),
            "paused_until": (rollup.paused_until != 0).then(|| rollup.paused_until.to_string()),
            "cluster_time": self.time.to_string(),
            "generation": rollup.generation.to_string(),
            "settled": cursor(&rollup.settled),
            "tip": cursor(&rollup.tip),
            "confirmed_tip": cursor(&self.confirmed.rollup.tip),
            "confirmed_slot": self.confirmed.slot.to_string(),
            "settled_slot": (rollup.settled_slot != 0).then(|| rollup.settled_slot.to_string()),
            "pending": rollup.pending().to_string(),
            "max_pending": rollup.max_pending.to_string(),
            "overdue_batches": rollup.overdue_batches,
            "queue_length": queue.end.position.to_string(),
            "queue_consumed": rollup.consumed_position().to_string(),
            "queue_digest": queue.end.digest.to_hex(),
            "nodes": queue.nodes,
        })
    }

    fn text(&self) -> Vec<String> {
        let (rollup, queue) = (&self.read.rollup, &self.read.queue);
        let registry = &rollup.registry;
        let mut lines =
            vec![format!("{}: {} (finalized, slot {})", self.outcome, self.client.address(), self.read.slot)];
        let mut add = |name: &str, value: String| lines.push(format!("  {name:<20} {value}"));
        for sent in &self.sent {
            let fee = sent.fee.map(|fee| format!(", fee {} SOL", sol(fee))).unwrap_or_default();
            add("transaction", format!("{} final in slot {}{fee}", sent.signature, sent.slot));
        }
        add("rollup id", rollup.rollup_id.to_hex());
        add("program", self.client.program().to_string());
        add("genesis hash", bs58::encode(self.genesis).into_string());
        add("profile", rollup.profile.name().to_owned());
        add("circuit", hex::encode(rollup.circuit_id));
        add("admin", format!("{}, its rollup {}", rollup.admin, rollup.id));
        add("sequencer", rollup.sequencer.to_string());
        add("acknowledgement key", rollup.acknowledgement_key.to_string());
        match registry.registrar.is_zero() {
            true => add("registrar", "none".to_owned()),
            false => add("registrar", registry.registrar.to_string()),
        }
        match registry.bond {
            0 => add("bond", "none is taken: the registrar registers".to_owned()),
            bond => add("bond", format!("{} SOL without the registrar", sol(bond))),
        }
        match rollup.blob_location.as_str() {
            "" => add("blob location", "not said".to_owned()),
            location => add("blob location", location.to_owned()),
        }
        match (rollup.is_paused(self.time), rollup.paused_until) {
            (true, until) => add("paused", format!("until {}", time(until))),
            (false, 0) => add("paused", "no".to_owned()),
            (false, until) => add("paused", format!("no; a pause ended {}", time(until))),
        }
        add("generation", rollup.generation.to_string());
        add("tip", tip(&rollup.tip));
        let confirmed = &self.confirmed;
        add("confirmed tip", format!("{}; not final, slot {}", tip(&confirmed.rollup.tip), confirmed.slot));
        add("settled", tip(&rollup.settled));
        add("pending", format!("{} of at most {}", rollup.pending(), rollup.max_pending));
        let waiting = queue.end.position.saturating_sub(rollup.consumed_position());
        add("queue", format!("{} entries, {waiting} to be consumed; {} nodes", queue.end.position, queue.nodes));
        let overdue = rollup.overdue_batches;
        add(
            "queue deadline",
            format!("{} slots; {overdue} batches in a row left an overdue entry", registry.queue_deadline),
        );
        lines
    }
}

fn cursor(cursor: &Cursor) -> Value {
    json!({
        "batches": cursor.batches.to_string(),
        "header_digest": cursor.header_digest.to_hex(),
        "state_root": cursor.state_root.to_hex(),
        "queue_position": cursor.queue.position.to_string(),
    })
}

fn tip(cursor: &Cursor) -> String {
    match cursor.batches {
        0 => "no batches".to_owned(),
        batches => format!("{batches} batches, header {}", cursor.header_digest.to_hex()),
    }
}

fn time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| format!("{seconds} s after 1970"), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}
