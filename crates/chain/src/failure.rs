//! Why a transaction was refused or failed, under the names that the program and the cluster give.

use crate::ErrorClass;
use cairn_interface::SettlementError;
use serde::{Deserialize, Serialize};
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;
use std::fmt;

/// A transaction that did not take effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionFailure {
    /// The error's name: the settlement program's (`FutureTime`), else the cluster's (`BlockhashNotFound`).
    pub name: String,
    /// The number that a program gave.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<u32>,
    /// Which instruction failed, from zero.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instruction: Option<u8>,
    /// What it means.
    pub message: String,
    /// What to do about it.
    pub class: ErrorClass,
}

impl std::error::Error for TransactionFailure {}

impl fmt::Display for TransactionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(code) = self.code {
            write!(f, " ({code})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl TransactionFailure {
    pub(crate) fn new(name: &str, message: impl Into<String>, class: ErrorClass) -> Self {
        Self { name: name.to_owned(), code: None, instruction: None, message: message.into(), class }
    }

    /// Whether this is the program's error (or the cluster's) of that name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The settlement program's own error, if this is one.
    #[must_use]
    pub fn settlement(&self) -> Option<SettlementError> {
        SettlementError::from_code(self.code?)
    }

    /// Whether the transaction's blockhash is too old, or unknown: sign anew with a newer one.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.is(BLOCKHASH_NOT_FOUND)
    }
}

pub(crate) const BLOCKHASH_NOT_FOUND: &str = "BlockhashNotFound";

impl From<&TransactionError> for TransactionFailure {
    fn from(error: &TransactionError) -> Self {
        let mut failure = Self {
            name: variant_name(&format!("{error:?}")),
            code: None,
            instruction: None,
            message: error.to_string(),
            class: class_of(error),
        };
        if let TransactionError::InstructionError(index, instruction) = error {
            failure.instruction = Some(*index);
            failure.name = variant_name(&format!("{instruction:?}"));
            failure.message = instruction.to_string();
            if let InstructionError::Custom(code) = instruction {
                failure.code = Some(*code);
                failure.name = "Custom".to_owned();
                failure.message = format!("the program answered with its error {code}");
                if let Some(known) = SettlementError::from_code(*code) {
                    failure.name = known.name().to_owned();
                    failure.message = known.to_string();
                    if matches!(
                        known,
                        SettlementError::FutureTime | SettlementError::TooManyPending | SettlementError::Paused
                    ) {
                        // The cluster's clock may lag, settling catches up, a pause ends: the same batch is accepted later.
                        failure.class = ErrorClass::Transient;
                    }
                }
            }
        }
        failure
    }
}

/// `Name(…)` and `Name { … }` are `Name`.
fn variant_name(debug: &str) -> String {
    debug.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn class_of(error: &TransactionError) -> ErrorClass {
    match error {
        TransactionError::AccountInUse
        | TransactionError::BlockhashNotFound
        | TransactionError::ClusterMaintenance
        | TransactionError::WouldExceedMaxBlockCostLimit
        | TransactionError::WouldExceedMaxAccountCostLimit
        | TransactionError::WouldExceedAccountDataBlockLimit
        | TransactionError::WouldExceedMaxVoteCostLimit
        | TransactionError::WouldExceedAccountDataTotalLimit
        | TransactionError::ResanitizationNeeded
        | TransactionError::CommitCancelled
        | TransactionError::ProgramCacheHitMaxLimit => ErrorClass::Transient,
        _ => ErrorClass::Rejection,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_blockhash_is_transient_and_a_bad_signature_is_not() {
        let expired = TransactionFailure::from(&TransactionError::BlockhashNotFound);
        assert!(expired.is_expired());
        assert_eq!(expired.class, ErrorClass::Transient);
        let forged = TransactionFailure::from(&TransactionError::SignatureFailure);
        assert_eq!((forged.name.as_str(), forged.class), ("SignatureFailure", ErrorClass::Rejection));
    }

    #[test]
    fn every_program_error_comes_out_under_its_own_name() {
        for known in SettlementError::ALL {
            let error = TransactionError::InstructionError(1, InstructionError::Custom(known.code()));
            let failure = TransactionFailure::from(&error);
            assert_eq!(failure.name, known.name());
            assert_eq!(failure.code, Some(known.code()));
            assert_eq!(failure.instruction, Some(1));
        }
    }

    #[test]
    fn a_number_nobody_knows_stays_a_number() {
        let error = TransactionError::InstructionError(0, InstructionError::Custom(4_000_000_000));
        let failure = TransactionFailure::from(&error);
        assert_eq!((failure.name.as_str(), failure.code), ("Custom", Some(4_000_000_000)));
    }
}
