//! Whether chain and index have one history, and what to do when they have not.
//!
//! Confirmed batches may be rolled back with the fork that they are on; batches that are not settled can be abandoned, and
//! others submitted in their place. What was indexed of them leaves the history when the chain shows those others, and is
//! kept beside it; a chain that merely has less than before may only be a server that lags.
//!
//! Only what is final replaces what is final, and nothing replaces what is settled.

use super::take::counted;
use super::{Follower, Here, Obstacle, READ_AHEAD, now_ms};
use crate::store::{Reach, Reason, Replaced, Store, StoreError};
use crate::{Commitment, metrics};
use cairn_chain::Snapshot;
use cairn_types::{Cursor, Digest};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where the chain's tip lies, seen from the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tip {
    /// At the index's end or past it.
    Reached,
    /// On the indexed history, before its end.
    Behind,
    /// On another history.
    Beside,
}

/// What comparing chain and index came to.
pub(super) enum History {
    /// They have one history, as far as the first says.
    Same(Reach),
    /// The index was taken back to what they share.
    Changed,
}

/// What became of batches that the chain seems to have others for.
enum TakenBack {
    /// They are taken back.
    Done,
    /// It is the chain's next header that does not follow, and that is what it is refused for.
    Nothing,
    /// The histories part below what may be replaced on this word.
    Below,
}

/// Compares `tip` with the indexed history, of which `at` is the digest of the header before the tip and `previous` what
/// the next batch on chain, if there is one, follows.
fn place(cursor: &Cursor, tip: &Cursor, at: Option<Digest>, previous: Option<Digest>) -> Tip {
    if tip.batches > cursor.batches {
        let continues = previous.is_none_or(|previous| previous == cursor.header_digest);
        return if continues { Tip::Reached } else { Tip::Beside };
    }
    match (at == Some(tip.header_digest), tip.batches == cursor.batches) {
        (true, true) => Tip::Reached,
        (true, false) => Tip::Behind,
        (false, _) => Tip::Beside,
    }
}

impl Follower {
    /// Compares both looks with the index, takes back what they have others for, and keeps how far they reach.
    pub(super) async fn reconcile(
        &self,
        here: &Here,
        finalized: &Snapshot,
        confirmed: &Snapshot,
        token: &CancellationToken,
    ) -> Result<History, Obstacle> {
        let Here { cursor, mut reach } = *here;
        let tip = &finalized.rollup.tip;
        match self.place_of(&cursor, finalized).await? {
            Tip::Beside => match self.take_back(here, Commitment::Finalized, finalized, token).await? {
                TakenBack::Done => return Ok(History::Changed),
                TakenBack::Nothing => {}
                TakenBack::Below => {
                    return Err(Obstacle::Diverged(format!(
                        "the first {} batches are settled, and the chain shows others among them: check that it is the \
                         right chain, or start once with --rebuild",
                        reach.settled
                    )));
                }
            },
            _ if tip.batches < reach.finalized => {
                return Err(Obstacle::Diverged(format!(
                    "{} batches are indexed as final and the chain has {} of them: a server that lags, or the rest was \
                     abandoned; they are taken back when the chain has others in their place",
                    reach.finalized, tip.batches
                )));
            }
            _ => {
                reach.finalized = reach.finalized.max(tip.batches.min(cursor.batches));
                reach.confirmed = reach.confirmed.max(reach.finalized);
                let settled = self.vouched(&finalized.rollup.settled).await?;
                if settled <= reach.finalized {
                    reach.settled = reach.settled.max(settled);
                }
            }
        }
        self.keep(&here.reach, &reach).await?;
        let before = reach;
        let here = Here { cursor, reach };
        match self.place_of(&cursor, confirmed).await? {
            Tip::Reached => {
                reach.confirmed = cursor.batches;
                reach.generation = confirmed.rollup.generation;
            }
            Tip::Behind => reach.confirmed = confirmed.rollup.tip.batches.max(reach.finalized),
            Tip::Beside => match self.take_back(&here, Commitment::Confirmed, confirmed, token).await? {
                TakenBack::Done => return Ok(History::Changed),
                TakenBack::Nothing => {}
                // Others are to replace what is final here. Until they are final too, what is final is all there is.
                TakenBack::Below => reach.confirmed = reach.finalized,
            },
        }
        self.keep(&before, &reach).await?;
        Ok(History::Same(reach))
    }

    async fn place_of(&self, cursor: &Cursor, snapshot: &Snapshot) -> Result<Tip, Obstacle> {
        let tip = &snapshot.rollup.tip;
        let at = match tip.batches.min(cursor.batches).checked_sub(1) {
            None => Some(Digest::ZERO),
            Some(last) => self.digest(last).await?,
        };
        let next = snapshot.batches.first().and_then(Option::as_ref).filter(|_| cursor.batches < tip.batches);
        // A header that is not what its digest says is no sign of another history: it is refused like any other.
        let previous = next.filter(|next| next.header.statement() == next.digest).map(|next| next.header.previous);
        Ok(place(cursor, tip, at, previous))
    }

    /// Finds the last batch that chain and index share, and takes back those after it.
    async fn take_back(
        &self,
        here: &Here,
        commitment: Commitment,
        snapshot: &Snapshot,
        token: &CancellationToken,
    ) -> Result<TakenBack, Obstacle> {
        let (cursor, tip) = (&here.cursor, &snapshot.rollup.tip);
        let floor = match commitment {
            Commitment::Finalized => here.reach.settled,
            Commitment::Confirmed => here.reach.finalized,
        };
        // What the settled cursor leads to is shared, and its batch accounts may be closed by now. Without that, of the batches
        // below the floor only the last has to be looked at.
        let vouched = self.vouched(&snapshot.rollup.settled).await?;
        let (lowest, bottom) = match vouched >= floor {
            true => (vouched, Some(vouched)),
            false => (floor.saturating_sub(1), None),
        };
        let mut end = cursor.batches.min(tip.batches);
        let mut others = BTreeMap::new();
        let shared = loop {
            let start = end.saturating_sub(READ_AHEAD).max(lowest);
            if start >= end {
                break bottom;
            }
            let read = self.client.snapshot_at(start..end, commitment.on_chain());
            let read = token.run_until_cancelled(read).await.ok_or(Obstacle::Stopping)??;
            let mut shared = None;
            let batches = read.batches.into_iter().rev().flatten();
            for batch in batches.filter(|batch| batch.header.statement() == batch.digest) {
                let number = batch.header.number;
                if self.digest(number).await? == Some(batch.digest) {
                    shared = Some(number.saturating_add(1));
                    break;
                }
                others.insert(number, batch.digest);
            }
            match shared {
                Some(_) => break shared,
                None if start == lowest => break bottom,
                None => end = start,
            }
        };
        let Some(shared) = shared.filter(|shared| *shared >= floor) else { return Ok(TakenBack::Below) };
        if shared == cursor.batches && tip.batches > cursor.batches {
            return Ok(TakenBack::Nothing);
        }
        // Only another batch in the very place of the first that goes is a reason to let it go.
        let Some(digest) = others.get(&shared).copied() else {
            return Err(Obstacle::Diverged(format!(
                "the chain's tip is batch {} with digest {}, which is not on the indexed history of {} batches, and it \
                 shows no other batch in their place: check that it is the right chain, or start once with --rebuild",
                tip.batches, tip.header_digest, cursor.batches
            )));
        };
        let dropped = cursor.batches.saturating_sub(shared);
        tracing::warn!(dropped, batch = shared, header_digest = %digest, %commitment, "the chain has other batches");
        let abandoned = snapshot.rollup.generation > here.reach.generation;
        let replace = Replace { shared, others, abandoned, finalized: here.reach.finalized };
        let (store, rollup_id) = (self.store.clone(), self.rollup_id);
        let left =
            tokio::task::spawn_blocking(move || replace.apply(&store).and_then(|()| counted(&store, &rollup_id)));
        self.counted(&left.await??);
        Ok(TakenBack::Done)
    }

    /// Batches of the index that a settled cursor leads to: all before it, or none.
    async fn vouched(&self, settled: &Cursor) -> Result<u64, Obstacle> {
        let Some(last) = settled.batches.checked_sub(1) else { return Ok(0) };
        Ok(if self.digest(last).await? == Some(settled.header_digest) { settled.batches } else { 0 })
    }

    /// Keeps how far the chain reaches, where that changed.
    async fn keep(&self, before: &Reach, reach: &Reach) -> Result<(), Obstacle> {
        if before == reach {
            return Ok(());
        }
        let (store, rollup_id, reach) = (self.store.clone(), self.rollup_id, *reach);
        let kept =
            tokio::task::spawn_blocking(move || store.reached(&reach).and_then(|()| counted(&store, &rollup_id)));
        self.counted(&kept.await??);
        Ok(())
    }

    async fn digest(&self, number: u64) -> Result<Option<Digest>, Obstacle> {
        let store = self.store.clone();
        let batch = tokio::task::spawn_blocking(move || store.whole()?.batch(number)).await??;
        Ok(batch.map(|batch| batch.header_digest))
    }
}

/// What goes, and why.
struct Replace {
    shared: u64,
    others: BTreeMap<u64, Digest>,
    abandoned: bool,
    finalized: u64,
}

impl Replace {
    fn apply(self, store: &Arc<Store>) -> Result<(), StoreError> {
        let at_ms = now_ms();
        while let Some(number) = store.whole()?.batches().checked_sub(1).filter(|number| *number >= self.shared) {
            let was_final = number < self.finalized;
            // What was final goes only when it was abandoned.
            let reason = if was_final || self.abandoned { Reason::Abandoned } else { Reason::Fork };
            store.take_back(Replaced { reason, at_ms, by: self.others.get(&number).copied(), was_final })?;
            metrics::replaced(reason);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_is_on_the_indexed_history_or_beside_it() {
        let genesis = Cursor::genesis(&Digest::from_byte_digest([1; 32]));
        let cursor = |batches, header_digest| Cursor { batches, header_digest, ..genesis };
        let (a, b, c) = ([1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]);
        let [a, b, c] = [a, b, c].map(Digest::constant);
        let indexed = cursor(2, b);
        let place = |tip, at, previous| place(&indexed, &tip, at, previous);
        assert_eq!(place(cursor(2, b), Some(b), None), Tip::Reached);
        assert_eq!(place(cursor(5, c), Some(b), Some(b)), Tip::Reached);
        assert_eq!(place(cursor(5, c), Some(b), None), Tip::Reached, "nothing is known of what comes next");
        assert_eq!(place(cursor(5, c), Some(b), Some(a)), Tip::Beside);
        assert_eq!(place(cursor(2, c), Some(b), None), Tip::Beside);
        assert_eq!(place(cursor(1, a), Some(a), None), Tip::Behind);
        assert_eq!(place(cursor(1, c), Some(a), None), Tip::Beside);
        assert_eq!(place(cursor(0, Digest::ZERO), Some(Digest::ZERO), None), Tip::Behind);
    }
}
