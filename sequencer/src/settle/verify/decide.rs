//! What to do next to have the chain verify a proof, decided on values alone: at start, and again after every step.
//!
//! What the account on chain holds says how far the work has come, and nothing else does: no transaction is written down
//! before it is sent (see [`super`]). Three rules keep that safe:
//!
//! * what is final decides what is recorded;
//! * the confirmed state decides what is done now, and a fork or a late transaction only makes it be done again;
//! * nothing is sent to an address whose key is not on disk.

use cairn_types::{Cursor, Digest};

use super::air::Purpose;

/// What this log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Batches that are published and proved.
    pub proved: u64,
    /// Batches that the chain was last recorded to have, finally.
    pub submitted: u64,
    /// Batches that were recorded as settled, finally.
    pub settled: u64,
    /// A finalized slot in which they were: what an older one says is no news.
    pub settled_slot: u64,
    /// Header digest that this log has for the last batch that is finally settled; `None` when it has no such batch.
    pub at_finalized: Option<Digest>,
    /// The same for the last batch that is settled at confirmed.
    pub at_confirmed: Option<Digest>,
    /// Whether proofs are to be verified at all; somebody else may do it.
    pub settles: bool,
    /// Whether the account has not been needed for so long that it is to be closed.
    pub rested: bool,
    /// Whether the key of the account is on disk.
    pub named: bool,
}

/// The rollup as of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The slot.
    pub slot: u64,
    /// The settled batches.
    pub settled: Cursor,
    /// Batches whose headers the chain has.
    pub tip: u64,
}

/// What the account that proofs are uploaded to holds, beside the proof of the first batch that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// There is no account.
    Nothing,
    /// There is one that this sequencer cannot use: a stranger has sent lamports to its address, or it is for another
    /// key or another version of the program.
    Unusable,
    /// It is for another statement, or there is no proof to compare it with.
    Other,
    /// It is for this statement, and is being written.
    Written {
        /// Whether it has everything but the word that the first step comes with.
        whole: bool,
    },
    /// Steps have been done: nothing can be written any more.
    Begun {
        /// Whether it has every byte of the proof.
        whole: bool,
    },
    /// The program has verified the proof.
    Verified,
}

/// What the chain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnChain {
    /// What is final.
    pub finalized: View,
    /// What is confirmed.
    pub confirmed: View,
    /// The account, as of the confirmed slot.
    pub held: Held,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing, until something changes.
    Wait(Wait),
    /// Batches up to `end` are settled, finally: write that down.
    Record {
        /// First batch to write down.
        from: u64,
        /// Batch after the last.
        end: u64,
    },
    /// Make a key for the account, and write it down.
    Name,
    /// Make the account, for the proof of this batch.
    Open {
        /// The batch.
        number: u64,
    },
    /// Empty the account for the proof of this batch: it was for another, or was frozen with other bytes in it.
    Reset {
        /// The batch.
        number: u64,
    },
    /// Write what the account does not have yet of this batch's proof.
    Upload {
        /// The batch.
        number: u64,
    },
    /// Have the next steps done, and the batch settled with the last of them if the chain has its header.
    Verify {
        /// The batch.
        number: u64,
        /// Whether the chain has its header.
        settles: bool,
    },
    /// Settle this batch, whose proof is verified.
    Settle {
        /// The batch.
        number: u64,
    },
    /// Close the account.
    Close,
    /// Stop: log and chain cannot both be right.
    Stop(Contradiction),
}

/// Why there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// There is no proof of a batch that is not settled.
    Proof,
    /// Everything that is proved is settled, and has to become final.
    Finality,
    /// The proof is verified, and the chain does not have the header yet.
    Header,
    /// The chain has settled batches that were not recorded as submitted: that comes first.
    Submission,
    /// The chain's answer is older than what it said before, or than another one.
    Lag,
    /// The last batch that is settled at confirmed is not this log's: it is dropped, or becomes final and is a contradiction.
    Fork,
}

impl Wait {
    /// What an operator should hear of it, if anything.
    #[must_use]
    pub const fn surprise(self) -> Option<&'static str> {
        match self {
            Self::Proof | Self::Finality | Self::Header | Self::Submission => None,
            Self::Lag => Some("the chain's answer is older than one before"),
            Self::Fork => Some(
                "the last batch that is settled at confirmed is none of this log's: it is dropped, or becomes final",
            ),
        }
    }
}

impl Action {
    /// Whether a transaction for this purpose is how it is done.
    #[must_use]
    pub const fn takes(&self, purpose: Purpose) -> bool {
        matches!(
            (self, purpose),
            (Self::Open { .. }, Purpose::Open)
                | (Self::Reset { .. }, Purpose::Reset)
                | (Self::Upload { .. }, Purpose::Chunk(_))
                | (Self::Verify { .. }, Purpose::Verify)
                | (Self::Settle { .. }, Purpose::Settle)
                | (Self::Close, Purpose::Close)
        )
    }
}

/// How log and chain contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Settled batches are not undone.
    #[error(
        "the chain has settled {on_chain} batches, and this log has recorded {recorded} as settled before; the RPC servers are of another cluster or were rolled back, point the sequencer at the right ones"
    )]
    Undone {
        /// Batches settled on chain.
        on_chain: u64,
        /// Batches that were.
        recorded: u64,
    },
    /// The chain has settled another batch than this log has.
    #[error(
        "the chain has settled {on_chain} as batch {number}, which is {local} in this log; two sequencers have sealed for this rollup, stop the other one and restore its store"
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

/// Decides. `local.at_finalized` and `local.at_confirmed` are those for the settled batches of `chain`.
#[must_use]
pub fn decide(local: &Local, chain: &OnChain) -> Action {
    let (finalized, confirmed) = (&chain.finalized, &chain.confirmed);
    let settled = finalized.settled.batches;
    if finalized.slot < local.settled_slot {
        return Action::Wait(Wait::Lag);
    }
    if settled < local.settled {
        return Action::Stop(Contradiction::Undone { on_chain: settled, recorded: local.settled });
    }
    if settled > local.submitted {
        return Action::Wait(Wait::Submission);
    }
    if let Some((number, local, on_chain)) = differs(&finalized.settled, local.at_finalized) {
        return Action::Stop(Contradiction::Differs { number, local, on_chain });
    }
    if settled > local.settled {
        return Action::Record { from: local.settled, end: settled };
    }
    if confirmed.slot < finalized.slot || confirmed.settled.batches < settled {
        return Action::Wait(Wait::Lag);
    }
    let is_ours = confirmed.settled.batches == 0 || local.at_confirmed.is_some();
    if !is_ours || differs(&confirmed.settled, local.at_confirmed).is_some() {
        return Action::Wait(Wait::Fork);
    }
    next(local, chain)
}

/// What to do about the first batch that is not settled at confirmed.
fn next(local: &Local, chain: &OnChain) -> Action {
    let number = chain.confirmed.settled.batches;
    let is_submitted = chain.confirmed.tip > number;
    if !local.settles || local.proved <= number {
        return without_proof(local, chain);
    }
    match chain.held {
        Held::Unusable => Action::Name,
        Held::Nothing if !local.named => Action::Name,
        Held::Nothing => Action::Open { number },
        Held::Other | Held::Begun { whole: false } => Action::Reset { number },
        Held::Written { whole: false } => Action::Upload { number },
        Held::Written { whole: true } | Held::Begun { whole: true } => Action::Verify { number, settles: is_submitted },
        Held::Verified if is_submitted => Action::Settle { number },
        Held::Verified => Action::Wait(Wait::Header),
    }
}

/// What to do about the account when there is nothing to verify.
fn without_proof(local: &Local, chain: &OnChain) -> Action {
    if chain.confirmed.settled.batches > chain.finalized.settled.batches {
        // A fork may still want it.
        return Action::Wait(Wait::Finality);
    }
    match chain.held {
        Held::Nothing | Held::Unusable => Action::Wait(Wait::Proof),
        _ if local.rested || !local.settles => Action::Close,
        _ => Action::Wait(Wait::Proof),
    }
}

/// The last batch of `settled`, and its digests here and there, if they differ.
fn differs(settled: &Cursor, here: Option<Digest>) -> Option<(u64, Digest, Digest)> {
    let (number, here) = (settled.batches.checked_sub(1)?, here?);
    (here != settled.header_digest).then_some((number, here, settled.header_digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u64) -> Digest {
        Digest::from_byte_digest([byte as u8; 32])
    }

    fn view(slot: u64, settled: u64, tip: u64) -> View {
        let header_digest = if settled == 0 { Digest::ZERO } else { digest(settled) };
        View { slot, settled: Cursor { batches: settled, header_digest, ..Cursor::genesis(&digest(1)) }, tip }
    }

    /// `finalized` batches settled in slot 1,000, `confirmed` in slot 1,030, of `tip`.
    fn chain(finalized: u64, confirmed: u64, tip: u64, held: Held) -> OnChain {
        OnChain { finalized: view(1_000, finalized, tip), confirmed: view(1_030, confirmed, tip), held }
    }

    /// A log that has the chain's batches, and has recorded what is final.
    fn local(proved: u64, chain: &OnChain) -> Local {
        let known = |settled: &Cursor| (settled.batches > 0).then_some(settled.header_digest);
        Local {
            proved,
            submitted: chain.finalized.tip,
            settled: chain.finalized.settled.batches,
            settled_slot: 990,
            at_finalized: known(&chain.finalized.settled),
            at_confirmed: known(&chain.confirmed.settled),
            settles: true,
            rested: false,
            named: true,
        }
    }

    const HELD: [Held; 8] = [
        Held::Nothing,
        Held::Unusable,
        Held::Other,
        Held::Written { whole: false },
        Held::Written { whole: true },
        Held::Begun { whole: false },
        Held::Begun { whole: true },
        Held::Verified,
    ];

    #[test]
    fn what_the_account_holds_says_what_is_done_to_it() {
        let number = 2;
        let submitted = [
            Action::Open { number },
            Action::Name,
            Action::Reset { number },
            Action::Upload { number },
            Action::Verify { number, settles: true },
            Action::Reset { number },
            Action::Verify { number, settles: true },
            Action::Settle { number },
        ];
        for (held, action) in HELD.into_iter().zip(submitted) {
            let chain = chain(2, 2, 3, held);
            assert_eq!(decide(&local(3, &chain), &chain), action, "{held:?}");
        }
    }

    #[test]
    fn a_proof_is_verified_before_the_chain_has_its_header_and_settled_after_it() {
        for held in HELD {
            let (early, later) = (chain(2, 2, 2, held), chain(2, 2, 3, held));
            let expected = match decide(&local(3, &later), &later) {
                Action::Settle { .. } => Action::Wait(Wait::Header),
                Action::Verify { number, .. } => Action::Verify { number, settles: false },
                action => action,
            };
            assert_eq!(decide(&local(3, &early), &early), expected, "{held:?}");
        }
    }

    #[test]
    fn nothing_is_sent_to_an_address_whose_key_is_not_on_disk() {
        let chain = chain(2, 2, 3, Held::Nothing);
        let unnamed = Local { named: false, ..local(3, &chain) };
        assert_eq!(decide(&unnamed, &chain), Action::Name);
    }

    #[test]
    fn the_account_is_closed_when_it_has_rested_and_what_it_did_is_final() {
        for held in HELD {
            let (even, ahead) = (chain(2, 2, 2, held), chain(1, 2, 2, held));
            let closed = match held {
                Held::Nothing | Held::Unusable => Action::Wait(Wait::Proof),
                _ => Action::Close,
            };
            let rested = |chain: &OnChain| Local { rested: true, ..local(2, chain) };
            assert_eq!(decide(&rested(&even), &even), closed, "{held:?}");
            assert_eq!(decide(&local(2, &even), &even), Action::Wait(Wait::Proof), "{held:?}");
            assert_eq!(decide(&rested(&ahead), &ahead), Action::Wait(Wait::Finality), "{held:?}");
            // Work that waits is no rest.
            let busy = Local { rested: true, ..local(3, &even) };
            assert_ne!(decide(&busy, &even), Action::Close, "{held:?}");
            let idle = Local { settles: false, ..local(3, &even) };
            assert_eq!(decide(&idle, &even), closed, "{held:?}");
        }
    }

    #[test]
    fn only_what_is_final_is_recorded_whoever_settled_it() {
        for (settles, held) in [true, false].into_iter().flat_map(|settles| HELD.map(|held| (settles, held))) {
            let chain = chain(3, 5, 6, held);
            let behind = Local { settled: 1, settles, ..local(6, &chain) };
            assert_eq!(decide(&behind, &chain), Action::Record { from: 1, end: 3 });
            let unsubmitted = Local { submitted: 2, ..behind };
            assert_eq!(decide(&unsubmitted, &chain), Action::Wait(Wait::Submission));
        }
    }

    #[test]
    fn the_next_batch_is_the_one_after_those_settled_at_confirmed() {
        let ahead = chain(3, 5, 6, Held::Other);
        assert_eq!(decide(&local(6, &ahead), &ahead), Action::Reset { number: 5 });
        assert_eq!(decide(&local(5, &ahead), &ahead), Action::Wait(Wait::Finality));
    }

    #[test]
    fn an_old_answer_is_no_news() {
        let even = chain(2, 2, 3, Held::Nothing);
        let old = Local { settled_slot: 1_001, settled: 3, ..local(3, &even) };
        assert_eq!(decide(&old, &even), Action::Wait(Wait::Lag));
        let lagging = OnChain { confirmed: view(999, 2, 3), ..even };
        assert_eq!(decide(&local(3, &even), &lagging), Action::Wait(Wait::Lag));
        let torn = OnChain { confirmed: view(1_030, 1, 3), ..even };
        assert_eq!(decide(&local(3, &even), &torn), Action::Wait(Wait::Lag));
    }

    #[test]
    fn only_what_is_final_is_a_contradiction() {
        let even = chain(2, 2, 3, Held::Nothing);
        let undone = Local { settled: 3, ..local(3, &even) };
        let stop = Action::Stop(Contradiction::Undone { on_chain: 2, recorded: 3 });
        assert_eq!(decide(&undone, &even), stop);
        for settled in [1, 2] {
            let foreign = Local { settled, at_finalized: Some(digest(9)), ..local(3, &even) };
            let stop = Contradiction::Differs { number: 1, local: digest(9), on_chain: digest(2) };
            assert_eq!(decide(&foreign, &even), Action::Stop(stop));
        }
        let ahead = chain(2, 3, 4, Held::Nothing);
        for at_confirmed in [Some(digest(9)), None] {
            let foreign = Local { at_confirmed, ..local(4, &ahead) };
            assert_eq!(decide(&foreign, &ahead), Action::Wait(Wait::Fork));
        }
    }
}
