//! What a refused or failed transaction means: whether the same thing may be taken later.

use cairn_chain::{ErrorClass, TransactionFailure};
use cairn_interface::SettlementError;

use super::verify::air::Purpose;

/// Transactions for one batch after which a refusal that only a lagging server explains is believed.
const ATTEMPTS: u32 = 3;
/// The system program's error of an account that would pay more than it has.
const NEGATIVE_LAMPORTS: u32 = 1;

/// What to make of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same header may be taken later; why, or what to do meanwhile.
    Later(&'static str),
    /// It will not be: an operator has to look.
    Stop,
}

/// Judges the refusal, or the final failure, of the transaction that came after `attempt` others for its batch. What is
/// refused was to be taken by what this process knows of the chain: its tip is the batch before, finally the rollup's
/// sequencer is this one, and queue entries are consumed only when they are final.
#[must_use]
pub fn judge(failure: &TransactionFailure, attempt: u32) -> Verdict {
    use SettlementError as E;
    let lagging = |hint| if attempt < ATTEMPTS { Verdict::Later(hint) } else { Verdict::Stop };
    match failure.settlement() {
        Some(E::WrongNumber | E::WrongPrevious | E::WrongOldRoot | E::WrongQueueStart | E::BatchExists) => {
            return Verdict::Later("the server has not seen the batch before it, or has this one already");
        }
        Some(E::NotSequencer) => return Verdict::Later("the sequencer's key is being replaced"),
        Some(E::UnknownQueueEnd | E::WrongQueueEnd) => {
            return lagging("the server has not seen the queue entries that it consumes");
        }
        _ => {}
    }
    match failure.name.as_str() {
        "AccountNotFound" | "InsufficientFundsForFee" | "InsufficientFundsForRent" => Verdict::Later(FUND),
        _ if failure.settlement().is_none() && failure.code == Some(NEGATIVE_LAMPORTS) => Verdict::Later(FUND),
        _ if failure.class == ErrorClass::Transient => Verdict::Later("that passes"),
        _ => Verdict::Stop,
    }
}

/// What to make of a failure on the way to have a proof verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlingVerdict {
    /// The same may be taken later; why, or what to do meanwhile.
    Later(&'static str),
    /// The proof will not be: an operator has to look.
    Rejected,
    /// Something else will not be.
    Stop,
}

/// Refusals of the same thing, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub count: u32,
    /// How many slots the state has come further since the first, that is read to decide what to send.
    pub slots: u64,
}

impl Refusals {
    /// Whether nothing but the thing itself explains them.
    const fn convince(self) -> bool {
        self.count >= REFUSALS && self.slots >= REFUSED_SLOTS
    }
}

/// Judges the refusal, or the failure, of a transaction for `purpose`, the last of `refusals`. What is refused was to be taken
/// by what the accounts at confirmed say. A server that is behind them, or somebody else who was quicker, explains a few
/// refusals; a cluster that executes and does not confirm explains any number, until it confirms again: whoever refuses goes
/// by what is executed.
#[must_use]
pub fn judge_settling(purpose: Purpose, failure: &TransactionFailure, refusals: Refusals) -> SettlingVerdict {
    use SettlementError as E;
    match judge(failure, 0) {
        Verdict::Later(hint) if hint == FUND || failure.class == ErrorClass::Transient => {
            return SettlingVerdict::Later(hint);
        }
        _ if !refusals.convince() => {
            return SettlingVerdict::Later("the server has not seen what is confirmed, or somebody else was quicker");
        }
        _ => {}
    }
    let settling = matches!(
        failure.settlement(),
        Some(
            E::WrongHistory
                | E::WrongBatch
                | E::AbandonedBatch
                | E::NotNextBatch
                | E::UnlinkedBatch
                | E::UnlinkedRoot
                | E::WrongStatement
                | E::WrongCircuit
                | E::HistoryFull
        )
    );
    if purpose == Purpose::Verify && !settling { SettlingVerdict::Rejected } else { SettlingVerdict::Stop }
}

/// Refusals in a row that a lagging server, or somebody quicker, explains: with the pauses between them, ten seconds.
const REFUSALS: u32 = 6;
/// Slots by which what is confirmed has come further before refusals are believed. What is executed is a few slots ahead of it
/// on a cluster that is well.
const REFUSED_SLOTS: u64 = 24;

const FUND: &str = "send lamports to the sequencer's key";

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(name: &str, code: Option<u32>, class: ErrorClass) -> TransactionFailure {
        TransactionFailure { name: name.to_owned(), code, instruction: Some(1), message: String::new(), class }
    }

    #[test]
    fn every_error_of_the_program_is_judged() {
        use SettlementError as E;
        let later = [
            E::WrongNumber,
            E::WrongPrevious,
            E::WrongOldRoot,
            E::WrongQueueStart,
            E::BatchExists,
            E::NotSequencer,
            E::UnknownQueueEnd,
            E::WrongQueueEnd,
        ];
        for known in E::ALL {
            let refused = failure(known.name(), Some(known.code()), ErrorClass::Rejection);
            let passes = matches!(judge(&refused, 0), Verdict::Later(_));
            assert_eq!(passes, later.contains(known), "{}", known.name());
            let transient = TransactionFailure { class: ErrorClass::Transient, ..refused };
            assert!(matches!(judge(&transient, 0), Verdict::Later(_)), "{}", known.name());
        }
    }

    #[test]
    fn a_server_that_never_catches_up_is_believed_in_the_end() {
        let refused = |error: SettlementError| failure(error.name(), Some(error.code()), ErrorClass::Rejection);
        assert_eq!(judge(&refused(SettlementError::UnknownQueueEnd), ATTEMPTS), Verdict::Stop);
        // That the batch comes after another one is known from the chain itself.
        assert!(matches!(judge(&refused(SettlementError::WrongNumber), u32::MAX), Verdict::Later(_)));
    }

    #[test]
    fn a_proof_is_rejected_when_the_program_has_refused_it_often_enough_and_not_for_want_of_lamports() {
        let failed = |name: &str, code| failure(name, code, ErrorClass::Rejection);
        let wrong = failed("UnverifiedProof", Some(SettlementError::UnverifiedProof.code()));
        let judged = |purpose, count, slots| judge_settling(purpose, &wrong, Refusals { count, slots });
        assert!(matches!(judged(Purpose::Verify, REFUSALS - 1, u64::MAX), SettlingVerdict::Later(_)));
        assert!(matches!(judged(Purpose::Verify, u32::MAX, REFUSED_SLOTS - 1), SettlingVerdict::Later(_)));
        let enough = Refusals { count: REFUSALS, slots: REFUSED_SLOTS };
        assert_eq!(judged(Purpose::Verify, REFUSALS, REFUSED_SLOTS), SettlingVerdict::Rejected);
        assert_eq!(judged(Purpose::Settle, REFUSALS, REFUSED_SLOTS), SettlingVerdict::Stop);
        let circuit = failed("WrongCircuit", Some(SettlementError::WrongCircuit.code()));
        assert_eq!(judge_settling(Purpose::Verify, &circuit, enough), SettlingVerdict::Stop);
        for (name, code) in [("InsufficientFundsForFee", None), ("Custom", Some(NEGATIVE_LAMPORTS))] {
            assert_eq!(judge_settling(Purpose::Open, &failed(name, code), enough), SettlingVerdict::Later(FUND));
        }
        let passes = TransactionFailure { class: ErrorClass::Transient, ..wrong.clone() };
        assert!(matches!(judge_settling(Purpose::Verify, &passes, enough), SettlingVerdict::Later(_)));
    }

    #[test]
    fn an_empty_purse_is_waited_for_and_a_bad_signature_is_not() {
        let rejected = |name, code| judge(&failure(name, code, ErrorClass::Rejection), 9);
        for name in ["AccountNotFound", "InsufficientFundsForFee", "InsufficientFundsForRent"] {
            assert_eq!(rejected(name, None), Verdict::Later(FUND));
        }
        assert_eq!(rejected("Custom", Some(1)), Verdict::Later(FUND));
        assert_eq!(rejected("Custom", Some(2)), Verdict::Stop);
        assert_eq!(rejected("SignatureFailure", None), Verdict::Stop);
    }
}
