//! What to do next about the chain, decided on values alone: at start, and again after every step.
//!
//! Headers reach the chain one after another, each in a transaction of its own that is written down before it is sent.
//! Several may be confirmed and not final; a fork may drop the last of them. Three rules keep that safe:
//!
//! * what is final decides what is recorded, what is abandoned, and whether log and chain contradict each other;
//! * the confirmed tip decides which header is sent now, and nothing else;
//! * another transaction is signed for a batch only when the one before it can execute no more: it is final that it failed,
//!   or the finalized block height has passed its last one and the finalized state read after that does not have the batch.

use cairn_types::{Cursor, Digest};

/// Headers that may be on their way beyond the finalized ones.
pub const IN_FLIGHT: u64 = 8;

/// What this log knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Sealed batches.
    pub sealed: u64,
    /// Batches that are published and proved.
    pub proved: u64,
    /// Batches that the chain was last recorded to have, finally.
    pub submitted: u64,
    /// A finalized slot in which it had them: what an older one says is no news.
    pub submitted_slot: u64,
    /// Header digest that this log has for the last batch of the finalized tip; `None` when it has no such batch.
    pub at_finalized: Option<Digest>,
    /// The same for the confirmed tip.
    pub at_confirmed: Option<Digest>,
    /// Transactions in the outbox, one a batch, by batch.
    pub outbox: Vec<Outgoing>,
}

/// A transaction in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// The batch.
    pub number: u64,
    /// Whether it has the very header that this log has.
    pub current: bool,
    /// Block height past which it can execute no more.
    pub last_valid_block_height: u64,
    /// Whether it has executed and failed, finally.
    pub failed: bool,
    /// Whether it is time to send its bytes, for the first time or again.
    pub due: bool,
}

/// The rollup as of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The slot.
    pub slot: u64,
    /// What the next header must continue from.
    pub tip: Cursor,
    /// Batches whose proof the chain has verified.
    pub settled: u64,
    /// Headers that the chain takes beyond the settled ones.
    pub max_pending: u64,
    /// Whether the rollup is paused.
    pub paused: bool,
}

/// What the chain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnChain {
    /// What is final; read after the height.
    pub finalized: View,
    /// What is confirmed.
    pub confirmed: View,
    /// A finalized slot, and the block height with it.
    pub height_slot: u64,
    /// The finalized block height.
    pub block_height: u64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing, until something changes.
    Wait(Wait),
    /// The chain finally has batches up to `end` that the log does not know of as submitted: write that down.
    Record {
        /// First batch to write down.
        from: u64,
        /// Batch after the last.
        end: u64,
    },
    /// The chain finally dropped batches from this number on: they are to be submitted again.
    Rewind {
        /// Batches that the chain still has.
        batches: u64,
    },
    /// Sign a transaction for this batch, and write it down before it is sent.
    Prepare {
        /// The batch.
        number: u64,
    },
    /// Send the bytes that were written down for this batch, for the first time or again.
    Send {
        /// The batch.
        number: u64,
    },
    /// Stop: log and chain cannot both be right.
    Stop(Divergence),
}

/// Why there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// No proved batch is left to submit, and none is on its way.
    Proof,
    /// Every proved batch is confirmed, or as many of them as may be on their way: the last ones have to become final.
    Finality,
    /// A transaction was sent, and its batch has to be confirmed.
    Confirmation,
    /// A transaction for a header that this log does not have any more can still execute.
    Expiry,
    /// The chain has taken as many headers as it does before it settles some.
    Settlement,
    /// The rollup is paused.
    Pause,
    /// The chain's answer is older than what it said before.
    Lag,
    /// The confirmed tip is behind the finalized one: the chain is about to drop batches.
    Abandonment,
    /// The confirmed tip is not this log's: it is dropped, or becomes final and is a divergence.
    Fork,
}

impl Wait {
    /// What an operator should hear of it, if anything.
    #[must_use]
    pub const fn surprise(self) -> Option<&'static str> {
        match self {
            Self::Proof | Self::Finality | Self::Confirmation => None,
            Self::Expiry => Some("a transaction for a header that this log no longer has can still execute"),
            Self::Settlement => Some("the chain takes no header until some are settled"),
            Self::Pause => Some("the rollup is paused"),
            Self::Lag => Some("the chain's answer is older than one before"),
            Self::Abandonment => Some("the confirmed tip is behind the finalized one: batches are being abandoned"),
            Self::Fork => Some("the confirmed tip is none of this log's batches: it is dropped, or becomes final"),
        }
    }
}

/// How log and chain contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// The chain has batches that this log never sealed.
    #[error(
        "the chain has {on_chain} batches, this log sealed only {sealed}; the store is old or not this rollup's, restore the newest one"
    )]
    Behind {
        /// Batches on chain.
        on_chain: u64,
        /// Batches sealed here.
        sealed: u64,
    },
    /// Log and chain have different batches under one number.
    #[error(
        "batch {number} is {local} in this log and {on_chain} on the chain; two sequencers have sealed for this rollup, stop the other one and restore its store"
    )]
    Differs {
        /// The batch.
        number: u64,
        /// Header digest here.
        local: Digest,
        /// Header digest on chain.
        on_chain: Digest,
    },
}

/// Decides. `local.at_finalized` and `local.at_confirmed` are those for the tips of `chain`.
#[must_use]
pub fn reconcile(local: &Local, chain: &OnChain) -> Action {
    let finalized = chain.finalized.tip;
    let tip = finalized.batches;
    if chain.finalized.slot < local.submitted_slot {
        return Action::Wait(Wait::Lag);
    }
    if tip > local.sealed {
        return Action::Stop(Divergence::Behind { on_chain: tip, sealed: local.sealed });
    }
    if let Some((number, local, on_chain)) = differs(&finalized, local.at_finalized) {
        return Action::Stop(Divergence::Differs { number, local, on_chain });
    }
    if tip > local.submitted {
        return Action::Record { from: local.submitted, end: tip };
    }
    if tip < local.submitted {
        return Action::Rewind { batches: tip };
    }
    match confirmed(local, chain) {
        Ok(confirmed) => next(local, chain, confirmed),
        Err(wait) => Action::Wait(wait),
    }
}

/// What to go by for the next header: confirmed, and at least as far as what is final.
///
/// # Errors
/// When it is none of this log's.
pub fn confirmed<'a>(local: &Local, chain: &'a OnChain) -> Result<&'a View, Wait> {
    if chain.confirmed.slot < chain.finalized.slot {
        // Another server's answer, or an older one.
        return Ok(&chain.finalized);
    }
    if chain.confirmed.tip.batches < chain.finalized.tip.batches {
        return Err(Wait::Abandonment);
    }
    let foreign =
        chain.confirmed.tip.batches > local.sealed || differs(&chain.confirmed.tip, local.at_confirmed).is_some();
    if foreign { Err(Wait::Fork) } else { Ok(&chain.confirmed) }
}

/// What to do about the batch after the confirmed ones.
fn next(local: &Local, chain: &OnChain, confirmed: &View) -> Action {
    let (number, finalized) = (confirmed.tip.batches, chain.finalized.tip.batches);
    if local.proved <= number {
        return Action::Wait(if number > finalized { Wait::Finality } else { Wait::Proof });
    }
    if number.saturating_sub(finalized) >= IN_FLIGHT {
        return Action::Wait(Wait::Finality);
    }
    let live = local.outbox.iter().find(|outgoing| outgoing.number == number && !is_spent(outgoing, chain));
    if confirmed.paused {
        return Action::Wait(Wait::Pause);
    }
    if number.saturating_sub(confirmed.settled) >= confirmed.max_pending {
        return Action::Wait(Wait::Settlement);
    }
    match live {
        None => Action::Prepare { number },
        Some(outgoing) if !outgoing.current => Action::Wait(Wait::Expiry),
        Some(outgoing) if outgoing.due => Action::Send { number },
        Some(_) => Action::Wait(Wait::Confirmation),
    }
}

/// Whether a transaction for a batch that is not final can execute no more. The state that does not have the batch must
/// be no older than the height.
fn is_spent(outgoing: &Outgoing, chain: &OnChain) -> bool {
    let expired = chain.block_height > outgoing.last_valid_block_height && chain.finalized.slot >= chain.height_slot;
    outgoing.failed || expired
}

/// The last batch of `tip`, and its digests here and there, if they differ.
fn differs(tip: &Cursor, here: Option<Digest>) -> Option<(u64, Digest, Digest)> {
    let (number, here) = (tip.batches.checked_sub(1)?, here?);
    (here != tip.header_digest).then_some((number, here, tip.header_digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest::from_byte_digest([byte; 32])
    }

    fn view(slot: u64, batches: u64) -> View {
        let header_digest = if batches == 0 { Digest::ZERO } else { digest(batches as u8) };
        let tip = Cursor { batches, header_digest, ..Cursor::genesis(&digest(1)) };
        View { slot, tip, settled: 0, max_pending: 32, paused: false }
    }

    /// `finalized` batches final in slot 1,000 at height 100, `confirmed` of them confirmed in slot 1,030.
    fn chain(finalized: u64, confirmed: u64) -> OnChain {
        let (finalized, confirmed) = (view(1_000, finalized), view(1_030, confirmed));
        OnChain { finalized, confirmed, height_slot: 1_000, block_height: 100 }
    }

    /// A log that has the chain's batches.
    fn local(sealed: u64, proved: u64, submitted: u64, chain: &OnChain) -> Local {
        let known = |tip: &Cursor| (tip.batches > 0).then_some(tip.header_digest);
        Local {
            sealed,
            proved,
            submitted,
            submitted_slot: 990,
            at_finalized: known(&chain.finalized.tip),
            at_confirmed: known(&chain.confirmed.tip),
            outbox: Vec::new(),
        }
    }

    fn outgoing(number: u64) -> Outgoing {
        Outgoing { number, current: true, last_valid_block_height: 100, failed: false, due: true }
    }

    #[test]
    fn every_situation_of_a_tip_has_its_action() {
        let (empty, even, ahead) = (chain(0, 0), chain(2, 2), chain(2, 4));
        let paused = OnChain { confirmed: View { paused: true, ..even.confirmed }, ..even };
        let full = OnChain { confirmed: View { max_pending: 2, ..even.confirmed }, ..even };
        let settled = OnChain { confirmed: View { max_pending: 2, settled: 1, ..even.confirmed }, ..even };
        let lagging = OnChain { confirmed: View { slot: 999, ..view(0, 1) }, ..even };
        let rolling = OnChain { confirmed: view(1_030, 1), ..even };
        let old = Local { submitted_slot: 1_001, ..local(4, 4, 4, &even) };
        let table = [
            ("an empty log waits", local(0, 0, 0, &empty), empty, Action::Wait(Wait::Proof)),
            ("an unproved batch waits", local(3, 2, 2, &even), even, Action::Wait(Wait::Proof)),
            ("a proved batch is prepared", local(3, 3, 2, &even), even, Action::Prepare { number: 2 }),
            (
                "the next after the confirmed ones is prepared",
                local(9, 9, 2, &ahead),
                ahead,
                Action::Prepare { number: 4 },
            ),
            ("confirmed is not final", local(4, 4, 2, &ahead), ahead, Action::Wait(Wait::Finality)),
            ("what is final is recorded", local(4, 4, 1, &ahead), ahead, Action::Record { from: 1, end: 2 }),
            ("what is abandoned is rewound", local(4, 4, 4, &even), even, Action::Rewind { batches: 2 }),
            ("an old answer is no abandonment", old, even, Action::Wait(Wait::Lag)),
            ("a paused rollup is left alone", local(3, 3, 2, &paused), paused, Action::Wait(Wait::Pause)),
            ("a full chain is left alone", local(3, 3, 2, &full), full, Action::Wait(Wait::Settlement)),
            ("a settled batch makes room", local(3, 3, 2, &settled), settled, Action::Prepare { number: 2 }),
            (
                "a lagging server is not asked what is confirmed",
                local(3, 3, 2, &even),
                lagging,
                Action::Prepare { number: 2 },
            ),
            ("batches about to be abandoned wait", local(3, 3, 2, &even), rolling, Action::Wait(Wait::Abandonment)),
        ];
        for (what, local, chain, action) in table {
            assert_eq!(reconcile(&local, &chain), action, "{what}");
        }
    }

    #[test]
    fn every_situation_of_the_outbox_has_its_action() {
        let chain = chain(2, 3);
        let with = |outgoing: Outgoing| {
            let earlier = Outgoing { due: true, last_valid_block_height: 0, number: 2, ..outgoing };
            Local { outbox: vec![earlier, outgoing], ..local(9, 9, 2, &chain) }
        };
        let ours = outgoing(3);
        let later = OnChain { block_height: 101, ..chain };
        let unread = OnChain { height_slot: 1_001, ..later };
        let table = [
            ("it is sent", ours, chain, Action::Send { number: 3 }),
            ("it was just sent", Outgoing { due: false, ..ours }, chain, Action::Wait(Wait::Confirmation)),
            ("it has expired", ours, later, Action::Prepare { number: 3 }),
            ("the state is older than the height", ours, unread, Action::Send { number: 3 }),
            ("it has failed", Outgoing { failed: true, ..ours }, chain, Action::Prepare { number: 3 }),
            ("it is of another header", Outgoing { current: false, ..ours }, chain, Action::Wait(Wait::Expiry)),
            (
                "the other header's has expired",
                Outgoing { current: false, ..ours },
                later,
                Action::Prepare { number: 3 },
            ),
        ];
        for (what, outgoing, chain, action) in table {
            assert_eq!(reconcile(&with(outgoing), &chain), action, "{what}");
        }
    }

    #[test]
    fn a_dropped_batch_is_sent_again_from_the_outbox_and_those_after_it_wait() {
        let outbox: Vec<_> = (2..5).map(outgoing).collect();
        for confirmed in 2..5 {
            let chain = chain(2, confirmed);
            let local = Local { outbox: outbox.clone(), ..local(9, 9, 2, &chain) };
            assert_eq!(reconcile(&local, &chain), Action::Send { number: confirmed });
        }
    }

    #[test]
    fn no_more_headers_than_the_window_are_on_their_way() {
        for ahead in 0..=IN_FLIGHT {
            let chain = chain(2, 2 + ahead);
            let action = reconcile(&local(90, 90, 2, &chain), &chain);
            let expected =
                if ahead < IN_FLIGHT { Action::Prepare { number: 2 + ahead } } else { Action::Wait(Wait::Finality) };
            assert_eq!(action, expected);
        }
    }

    #[test]
    fn only_what_is_final_is_a_divergence() {
        let even = chain(2, 2);
        let behind = Action::Stop(Divergence::Behind { on_chain: 2, sealed: 1 });
        assert_eq!(reconcile(&local(1, 1, 1, &even), &even), behind);
        let differs = Action::Stop(Divergence::Differs { number: 1, local: digest(9), on_chain: digest(2) });
        for submitted in [0, 2] {
            let foreign = Local { at_finalized: Some(digest(9)), ..local(3, 3, submitted, &even) };
            assert_eq!(reconcile(&foreign, &even), differs);
        }
        let ahead = chain(2, 3);
        let foreign = Local { at_confirmed: Some(digest(9)), ..local(9, 9, 2, &ahead) };
        assert_eq!(reconcile(&foreign, &ahead), Action::Wait(Wait::Fork));
        assert_eq!(reconcile(&local(2, 2, 2, &ahead), &ahead), Action::Wait(Wait::Fork), "a batch nobody sealed");
        let unrecorded = Local { submitted: 1, ..foreign };
        assert_eq!(reconcile(&unrecorded, &ahead), Action::Record { from: 1, end: 2 }, "what is final is recorded");
    }
}
