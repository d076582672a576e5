//! Whether chain and index have one history, and what to do when they have not.
//!
//! Batches that are not settled can be abandoned, and others submitted in their place. What was indexed of them is taken
//! back when the chain shows those others; a chain that merely has less than before may only be a server that lags.

use super::{Follower, Obstacle, READ_AHEAD};
use crate::metrics;
use cairn_interface::Batch;
use cairn_types::{Cursor, Digest};
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
    /// Whether the chain may have another history than the index. `next` is its batch after the last indexed one.
    pub(super) async fn is_beside(
        &self,
        cursor: &Cursor,
        tip: &Cursor,
        next: Option<&Batch>,
    ) -> Result<bool, Obstacle> {
        let at = match tip.batches.min(cursor.batches).checked_sub(1) {
            None => Some(Digest::ZERO),
            Some(last) => self.digest(last).await?,
        };
        // A header that is not what its digest says is no sign of another history: it is refused like any other.
        let previous = next.filter(|next| next.header.statement() == next.digest).map(|next| next.header.previous);
        match place(cursor, tip, at, previous) {
            Tip::Reached => Ok(false),
            Tip::Behind => Err(Obstacle::Diverged(format!(
                "{} batches are indexed and the chain has {} of them: a server that lags, or the rest was abandoned; \
                 they are taken back when the chain has others in their place",
                cursor.batches, tip.batches
            ))),
            Tip::Beside => Ok(true),
        }
    }

    /// Finds the last batch that chain and index share, and takes back those after it. `false` when that is the last one
    /// here: then it is the chain's next header that does not follow, and that is what it is refused for.
    pub(super) async fn take_back(
        &self,
        cursor: &Cursor,
        tip: &Cursor,
        token: &CancellationToken,
    ) -> Result<bool, Obstacle> {
        let mut end = cursor.batches.min(tip.batches);
        let mut other = None;
        let shared = loop {
            let start = end.saturating_sub(READ_AHEAD);
            let snapshot = self.client.snapshot(start..end);
            let snapshot = token.run_until_cancelled(snapshot).await.ok_or(Obstacle::Stopping)??;
            let mut shared = None;
            let batches = snapshot.batches.into_iter().rev().flatten();
            for batch in batches.filter(|batch| batch.header.statement() == batch.digest) {
                let number = batch.header.number;
                if self.digest(number).await? == Some(batch.digest) {
                    shared = Some(number.saturating_add(1));
                    break;
                }
                other = Some((number, batch.digest));
            }
            match shared {
                Some(shared) => break shared,
                None if start == 0 => break 0,
                None => end = start,
            }
        };
        if shared == cursor.batches && tip.batches > cursor.batches {
            return Ok(false);
        }
        // Only another batch in the very place of the first that goes is a reason to let it go.
        let Some((number, digest)) = other.filter(|(number, _)| *number == shared) else {
            return Err(Obstacle::Diverged(format!(
                "the chain's tip is batch {} with digest {}, which is not on the indexed history of {} batches, and it \
                 shows no other batch in their place: check that it is the right chain, or start once with --rebuild",
                tip.batches, tip.header_digest, cursor.batches
            )));
        };
        let dropped = cursor.batches.saturating_sub(shared);
        tracing::warn!(dropped, batch = number, header_digest = %digest, "the chain has other batches: taking back");
        let (store, rollup_id) = (self.store.clone(), self.rollup_id);
        let totals = tokio::task::spawn_blocking(move || {
            while store.totals(&rollup_id)?.cursor.batches > shared && store.take_back(&rollup_id)? {}
            store.totals(&rollup_id)
        });
        let totals = totals.await??;
        metrics::taken_back(dropped);
        self.status.send_modify(|status| status.count(&totals));
        Ok(true)
    }

    async fn digest(&self, number: u64) -> Result<Option<Digest>, Obstacle> {
        let store = self.store.clone();
        let batch = tokio::task::spawn_blocking(move || store.batch(number)).await??;
        Ok(batch.map(|batch| batch.header_digest))
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
