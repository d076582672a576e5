//! What a method answers when it cannot do what was asked.

use crate::rpc::wire::{code, error_json};
use crate::{ChainError, TransactionFailure};
use serde_json::{Value, json};

/// The error object of JSON-RPC.
#[derive(Debug)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
    pub data: Option<Value>,
}

impl RpcError {
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub fn invalid(message: impl std::fmt::Display) -> Self {
        Self::new(code::INVALID_PARAMS, format!("Invalid params: {message}"))
    }

    /// A transaction that was refused before it was executed, in the shape of a failed preflight.
    pub fn preflight(message: &str, error: Value, logs: Vec<String>, units: u64) -> Self {
        let data = json!({
            "err": error, "logs": logs, "accounts": null, "unitsConsumed": units, "returnData": null,
            "innerInstructions": null, "replacementBlockhash": null,
        });
        let message = format!("Transaction simulation failed: {message}");
        Self { code: code::PREFLIGHT_FAILURE, message, data: Some(data) }
    }

    pub fn refused(failure: &TransactionFailure) -> Self {
        if failure.is("SignatureFailure") {
            return Self::new(code::SIGNATURE_FAILURE, "Transaction signature verification failure");
        }
        Self::preflight(&failure.message, error_json(failure), Vec::new(), 0)
    }

    pub fn object(&self) -> Value {
        let mut object = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            object["data"] = data.clone();
        }
        object
    }
}

impl From<ChainError> for RpcError {
    fn from(error: ChainError) -> Self {
        match &error {
            ChainError::Refused(failure) => Self::refused(failure),
            ChainError::Invalid(message) => Self::invalid(message),
            ChainError::Transient { .. } => Self::new(code::NODE_UNHEALTHY, error.to_string()),
            ChainError::Fatal { .. } => Self::new(code::INTERNAL, error.to_string()),
        }
    }
}
