//! One server held against itself and the pins: whatever the program guarantees about accounts of one slot, and bytes
//! alone can show.

use super::Pins;
use crate::Snapshot;
use cairn_interface::{Batch, Rollup, rollup_address};
use cairn_types::{Cursor, Digest};

/// The rollup by itself. That it belongs to the program, and its identity, were checked when it was parsed.
pub(super) fn rollup(pins: &Pins, rollup: &Rollup) -> Result<(), String> {
    if rollup.genesis_hash != pins.genesis_hash {
        return Err("its rollup has another genesis hash than its chain".to_owned());
    }
    if rollup_address(&pins.program, &rollup.admin, rollup.id) != pins.rollup {
        return Err(format!("its rollup's admin and id do not lead to {}", pins.rollup));
    }
    let (settled, tip) = (&rollup.settled, &rollup.tip);
    if settled.batches > tip.batches {
        return Err(format!("{} batches are settled and only {} submitted", settled.batches, tip.batches));
    }
    let genesis = Cursor::genesis(&rollup.rollup_id);
    for (name, cursor) in [("tip", tip), ("settled cursor", settled)] {
        if cursor.batches == 0 && *cursor != genesis {
            return Err(format!("without a batch, its rollup's {name} is not where rollups begin"));
        }
    }
    if settled.batches == tip.batches && settled != tip {
        return Err("everything is settled, and settled cursor and tip differ".to_owned());
    }
    Ok(())
}

/// The batches `numbers` (ascending) by themselves, by the rollup's cursors, and by their neighbours.
pub(super) fn batches(read: &Snapshot, numbers: &[u64]) -> Result<(), String> {
    let rollup = &read.rollup;
    let mut before: Option<(&Batch, Digest)> = None;
    for (&number, batch) in numbers.iter().zip(&read.batches) {
        let Some(batch) = batch else {
            if (rollup.settled.batches..rollup.tip.batches).contains(&number) {
                return Err(format!(
                    "batch {number} has no account, although the rollup has {} batches and {} are settled",
                    rollup.tip.batches, rollup.settled.batches
                ));
            }
            before = None;
            continue;
        };
        let digest = batch.header.statement();
        let cursor = Cursor { header_digest: digest, ..batch.header.cursor() };
        one(read, batch, &digest)?;
        if number >= rollup.tip.batches {
            // What an abandoned batch left: it says nothing about the rollup, and nothing about it is compared.
            before = None;
            continue;
        }
        for (name, end) in [("tip", &rollup.tip), ("settled cursor", &rollup.settled)] {
            if end.batches == cursor.batches && *end != cursor {
                return Err(format!("batch {number} does not lead to the rollup's {name}"));
            }
        }
        let previous = match before {
            Some((previous, digest)) if previous.header.number.checked_add(1) == Some(number) => {
                Some(Cursor { header_digest: digest, ..previous.header.cursor() })
            }
            _ if number == 0 => Some(Cursor::genesis(&rollup.rollup_id)),
            _ => None,
        };
        if let Some(previous) = previous {
            let what = |part| format!("batch {number} has another {part} than the batch before it leaves");
            batch.header.continues(&previous).map_err(what)?;
        }
        before = Some((batch, digest));
    }
    Ok(())
}

/// A batch and its rollup, as of one slot.
fn one(read: &Snapshot, batch: &Batch, digest: &Digest) -> Result<(), String> {
    let (rollup, number) = (&read.rollup, batch.header.number);
    if batch.digest != *digest {
        return Err(format!("batch {number} has digest {}, which is not that of its header, {digest}", batch.digest));
    }
    if batch.header.rollup_id != rollup.rollup_id {
        return Err(format!("batch {number} is of rollup {}, not {}", batch.header.rollup_id, rollup.rollup_id));
    }
    if batch.slot > read.slot {
        return Err(format!("batch {number} was submitted in slot {}, after slot {}", batch.slot, read.slot));
    }
    if batch.status.is_settled() != (number < rollup.settled.batches) {
        let says = if batch.status.is_settled() { "is settled" } else { "is not settled" };
        return Err(format!(
            "batch {number} says that it {says}, beside a rollup with {} settled batches",
            rollup.settled.batches
        ));
    }
    let fits = if number < rollup.settled.batches {
        batch.generation <= rollup.generation
    } else if number < rollup.tip.batches {
        batch.generation == rollup.generation
    } else {
        batch.generation < rollup.generation
    };
    if !fits {
        return Err(format!(
            "batch {number} of generation {} cannot be beside a rollup of generation {} with {} batches",
            batch.generation, rollup.generation, rollup.tip.batches
        ));
    }
    Ok(())
}
