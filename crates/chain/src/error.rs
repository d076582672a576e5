//! Errors of a chain, in the three classes that decide what happens next.

use crate::TransactionFailure;

/// An error of another crate, kept as the source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the caller does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// The chain said no and will say no again: something in the request has to change.
    Rejection,
    /// It may work later: back off and try again.
    Transient,
    /// It will not work in this process: stop, and tell the operator.
    Fatal,
}

/// Why a chain did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The transaction was refused, or failed.
    #[error("the chain refused the transaction: {0}")]
    Refused(#[source] TransactionFailure),
    /// The request itself cannot be right.
    #[error("{0}")]
    Invalid(String),
    /// The chain cannot answer now.
    #[error("{what}")]
    Transient {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Option<BoxError>,
    },
    /// The chain cannot answer until an operator has done something.
    #[error("{what}")]
    Fatal {
        /// What was tried, and what to do.
        what: String,
        /// Why it failed.
        #[source]
        source: Option<BoxError>,
    },
}

impl ChainError {
    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused(failure) => failure.class,
            Self::Invalid(_) => ErrorClass::Rejection,
            Self::Transient { .. } => ErrorClass::Transient,
            Self::Fatal { .. } => ErrorClass::Fatal,
        }
    }

    /// A transient error with its cause.
    pub fn transient(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Transient { what: what.into(), source: Some(source.into()) }
    }

    /// A fatal error with its cause.
    pub fn fatal(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Fatal { what: what.into(), source: Some(source.into()) }
    }
}
