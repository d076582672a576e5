//! What each server says, with patience for one that is behind the others.

use super::{AgreementError, Patience, Pins, Server, check};
use crate::{Commitment, MAX_SNAPSHOT_BATCHES, RollupClient, RollupError};
use cairn_interface::{Batch, Rollup};
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::Instant;

/// What one server said.
#[derive(Default)]
pub(super) struct Told {
    /// Its last answer about the rollup; `None` when it knows of none.
    pub standing: Option<Standing>,
    /// Its last answer about each batch.
    pub batches: BTreeMap<u64, Answer>,
}

/// A rollup as of a slot.
pub(super) struct Standing {
    pub slot: u64,
    pub rollup: Arc<Rollup>,
}

/// A batch, and the rollup as of the same slot.
pub(super) struct Answer {
    pub slot: u64,
    pub rollup: Arc<Rollup>,
    pub batch: Option<Batch>,
}

impl Answer {
    /// Whether the rollup goes at least as far as this batch.
    pub fn reaches(&self, number: u64) -> bool {
        number < self.rollup.tip.batches
    }

    /// Whether the other server's rollup is ahead of this one in what matters to the batch.
    pub fn is_behind(&self, other: &Self, number: u64) -> bool {
        let (ours, theirs) = (self.rollup.generation, other.rollup.generation);
        ours < theirs || ours == theirs && other.reaches(number) && !self.reaches(number)
    }
}

/// Refuses servers of another chain before anything they say is looked at.
pub(super) async fn same_chain(servers: &[Server], pins: &Pins) -> Result<(), AgreementError> {
    let asked = servers.iter().map(|server| async move {
        let name = || server.name.clone();
        let found = server
            .chain
            .genesis_hash()
            .await
            .map_err(|source| AgreementError::Silent { server: name(), source: source.into() })?;
        let pinned = pins.genesis_hash;
        if found == pinned { Ok(()) } else { Err(AgreementError::WrongChain { server: name(), found, pinned }) }
    });
    try_join_all(asked).await.map(|_| ())
}

/// Asks everybody for everything, then those that are behind for what they lack, until nobody is or time is up.
pub(super) async fn all(
    servers: &[Server],
    pins: &Pins,
    numbers: &BTreeSet<u64>,
    patience: Patience,
) -> Result<Vec<Told>, AgreementError> {
    let until = Instant::now() + patience.wait;
    let mut told: Vec<_> = servers.iter().map(|_| Told::default()).collect();
    let mut wanted = vec![Some(numbers.clone()); servers.len()];
    loop {
        let questions = servers
            .iter()
            .zip(&mut told)
            .zip(&wanted)
            .filter_map(|((server, told), wanted)| wanted.as_ref().map(|numbers| ask(server, pins, numbers, told)));
        try_join_all(questions).await?;
        wanted = lacking(&told, numbers);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || wanted.iter().all(Option::is_none) {
            return Ok(told);
        }
        tokio::time::sleep(patience.poll.min(left)).await;
    }
}

/// For each server, what it is to be asked again because it is behind another.
fn lacking(told: &[Told], numbers: &BTreeSet<u64>) -> Vec<Option<BTreeSet<u64>>> {
    let known = told.iter().any(|told| told.standing.is_some());
    let each = told.iter().map(|one| {
        if one.standing.is_none() {
            return known.then(|| numbers.clone());
        }
        let behind = |number: &&u64| {
            one.batches.get(number).is_some_and(|answer| {
                told.iter().filter_map(|other| other.batches.get(number)).any(|other| answer.is_behind(other, **number))
            })
        };
        let numbers: BTreeSet<_> = numbers.iter().filter(behind).copied().collect();
        (!numbers.is_empty()).then_some(numbers)
    });
    each.collect()
}

async fn ask(server: &Server, pins: &Pins, numbers: &BTreeSet<u64>, told: &mut Told) -> Result<(), AgreementError> {
    let client = RollupClient::new(server.chain.clone(), pins.program, pins.rollup);
    let numbers: Vec<_> = numbers.iter().copied().collect();
    // Without any batch the rollup alone is read.
    let parts: Vec<&[u64]> =
        if numbers.is_empty() { vec![&[]] } else { numbers.chunks(MAX_SNAPSHOT_BATCHES).collect() };
    for part in parts {
        let name = || server.name.clone();
        let read = match client.snapshot_of(part, Commitment::Finalized).await {
            Ok(read) => read,
            Err(RollupError::Missing(_)) => {
                *told = Told::default();
                return Ok(());
            }
            Err(RollupError::Chain(source)) => {
                return Err(AgreementError::Silent { server: name(), source: source.into() });
            }
            Err(source) => return Err(AgreementError::Answer { server: name(), source: source.into() }),
        };
        check::rollup(pins, &read.rollup)
            .and_then(|()| check::batches(&read, part))
            .map_err(|what| AgreementError::Contradiction { server: name(), what })?;
        let (slot, rollup) = (read.slot, Arc::new(read.rollup));
        for (number, batch) in part.iter().zip(read.batches) {
            told.batches.insert(*number, Answer { slot, rollup: Arc::clone(&rollup), batch });
        }
        told.standing = Some(Standing { slot, rollup });
    }
    Ok(())
}
