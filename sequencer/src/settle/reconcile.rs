//! What to do next about the chain, decided on values alone: at start, and again after every step.

use cairn_types::{Cursor, Digest};

/// What this log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Sealed batches.
    pub sealed: u64,
    /// Batches that are published and proved.
    pub proved: u64,
    /// Batches that the chain was last seen to have.
    pub submitted: u64,
    /// Header digest that this log has for the last batch of the chain's tip; `None` when it has no such batch.
    pub at_tip: Option<Digest>,
    /// The transaction that was last prepared for the batch after the tip, while it may still execute.
    pub intent: Option<IntentView>,
}

/// A prepared transaction, of the very header that this log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntentView {
    /// Block height past which it can execute no more.
    pub last_valid_block_height: u64,
}

/// What the chain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnChain {
    /// What the next header must continue from.
    pub tip: Cursor,
    /// Batches whose proof the chain has verified.
    pub settled: u64,
    /// Headers that the chain takes beyond the settled ones.
    pub max_pending: u64,
    /// Whether the rollup is paused.
    pub paused: bool,
    /// The chain's block height.
    pub block_height: u64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing, until something changes.
    Wait(Wait),
    /// The chain has batches up to `end` that the log does not know of as submitted: write that down.
    Record {
        /// First batch to write down.
        from: u64,
        /// Batch after the last.
        end: u64,
    },
    /// The chain dropped batches from this number on: they are to be submitted again.
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
    /// No proved batch is left to submit.
    Proof,
    /// The chain has taken as many headers as it does before it settles some.
    Settlement,
    /// The rollup is paused.
    Pause,
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

/// Decides. `local.at_tip` and `local.intent` are those for `chain.tip`.
#[must_use]
pub fn reconcile(local: &Local, chain: &OnChain) -> Action {
    let tip = chain.tip.batches;
    if tip > local.sealed {
        return Action::Stop(Divergence::Behind { on_chain: tip, sealed: local.sealed });
    }
    if let (Some(number), Some(digest)) = (tip.checked_sub(1), local.at_tip)
        && digest != chain.tip.header_digest
    {
        return Action::Stop(Divergence::Differs { number, local: digest, on_chain: chain.tip.header_digest });
    }
    if tip > local.submitted {
        return Action::Record { from: local.submitted, end: tip };
    }
    if tip < local.submitted {
        return Action::Rewind { batches: tip };
    }
    if local.proved <= tip {
        return Action::Wait(Wait::Proof);
    }
    if chain.paused {
        return Action::Wait(Wait::Pause);
    }
    if tip.saturating_sub(chain.settled) >= chain.max_pending {
        return Action::Wait(Wait::Settlement);
    }
    match local.intent {
        Some(intent) if intent.last_valid_block_height >= chain.block_height => Action::Send { number: tip },
        _ => Action::Prepare { number: tip },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest::from_byte_digest([byte; 32])
    }

    fn chain(batches: u64) -> OnChain {
        let genesis = Cursor::genesis(&digest(1));
        let header_digest = if batches == 0 { Digest::ZERO } else { digest(batches as u8) };
        OnChain {
            tip: Cursor { batches, header_digest, ..genesis },
            settled: 0,
            max_pending: 32,
            paused: false,
            block_height: 100,
        }
    }

    fn local(sealed: u64, proved: u64, submitted: u64, tip: u64) -> Local {
        let at_tip = (tip > 0).then(|| digest(tip as u8));
        Local { sealed, proved, submitted, at_tip, intent: None }
    }

    fn intent(last_valid_block_height: u64) -> Option<IntentView> {
        Some(IntentView { last_valid_block_height })
    }

    #[test]
    fn every_situation_has_its_action() {
        let table = [
            ("an empty log waits", local(0, 0, 0, 0), chain(0), Action::Wait(Wait::Proof)),
            ("an unproved batch waits", local(3, 2, 2, 2), chain(2), Action::Wait(Wait::Proof)),
            ("a proved batch is prepared", local(3, 3, 2, 2), chain(2), Action::Prepare { number: 2 }),
            (
                "a prepared transaction is sent",
                Local { intent: intent(100), ..local(3, 3, 2, 2) },
                chain(2),
                Action::Send { number: 2 },
            ),
            (
                "an expired one is signed anew",
                Local { intent: intent(99), ..local(3, 3, 2, 2) },
                chain(2),
                Action::Prepare { number: 2 },
            ),
            ("a header that arrived is recorded", local(3, 3, 1, 3), chain(3), Action::Record { from: 1, end: 3 }),
            (
                "a header that arrived is recorded although its intent is still there",
                Local { intent: intent(100), ..local(3, 3, 2, 3) },
                chain(3),
                Action::Record { from: 2, end: 3 },
            ),
            ("headers that the chain dropped are rewound", local(4, 4, 4, 2), chain(2), Action::Rewind { batches: 2 }),
            (
                "a paused rollup is left alone",
                local(3, 3, 2, 2),
                OnChain { paused: true, ..chain(2) },
                Action::Wait(Wait::Pause),
            ),
            (
                "a full chain is left alone",
                local(3, 3, 2, 2),
                OnChain { max_pending: 2, ..chain(2) },
                Action::Wait(Wait::Settlement),
            ),
            (
                "an unknown batch on chain stops",
                local(1, 1, 1, 2),
                chain(2),
                Action::Stop(Divergence::Behind { on_chain: 2, sealed: 1 }),
            ),
            (
                "another batch on chain stops",
                Local { at_tip: Some(digest(9)), ..local(3, 3, 2, 2) },
                chain(2),
                Action::Stop(Divergence::Differs { number: 1, local: digest(9), on_chain: digest(2) }),
            ),
            (
                "another batch on chain stops even before it is recorded",
                Local { at_tip: Some(digest(9)), ..local(3, 3, 0, 2) },
                chain(2),
                Action::Stop(Divergence::Differs { number: 1, local: digest(9), on_chain: digest(2) }),
            ),
        ];
        for (what, local, chain, action) in table {
            assert_eq!(reconcile(&local, &chain), action, "{what}");
        }
    }

    #[test]
    fn following_the_actions_submits_every_proved_batch_once() {
        let (sealed, proved) = (5, 4);
        let (mut submitted, mut on_chain, mut prepared) = (0, 0, None);
        let mut sent = Vec::new();
        for _ in 0..100 {
            let now = Local { intent: prepared, ..local(sealed, proved, submitted, on_chain) };
            match reconcile(&now, &chain(on_chain)) {
                Action::Prepare { .. } => prepared = intent(200),
                Action::Send { number } => {
                    sent.push(number);
                    on_chain = number + 1;
                }
                Action::Record { end, .. } => (submitted, prepared) = (end, None),
                Action::Wait(Wait::Proof) => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, [0, 1, 2, 3]);
        assert_eq!(submitted, 4);
    }
}
