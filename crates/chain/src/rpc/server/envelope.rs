//! JSON-RPC 2.0: requests, batches of them, and their answers.

use super::error::RpcError;
use super::methods;
use super::params::Args;
use crate::EmbeddedChain;
use crate::rpc::wire::code;
use serde_json::{Value, json};

/// Requests in one batch.
const MAX_BATCH: usize = 100;
/// Bytes of one answer, or of the answers to a batch together.
pub const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Answers a request body; `None` when nothing in it wants an answer.
pub async fn answer(chain: &EmbeddedChain, body: &[u8]) -> Option<Vec<u8>> {
    let request = match serde_json::from_slice::<Value>(body) {
        Ok(request) => request,
        Err(error) => return Some(failed(Value::Null, &RpcError::new(code::PARSE, format!("Parse error: {error}")))),
    };
    let Value::Array(batch) = request else { return one(chain, request).await };
    if batch.is_empty() || batch.len() > MAX_BATCH {
        let message = format!("Invalid request: a batch has 1 to {MAX_BATCH} requests, this one {}", batch.len());
        return Some(failed(Value::Null, &RpcError::new(code::INVALID_REQUEST, message)));
    }
    let mut answers = vec![b'['];
    for request in batch {
        let answer = if answers.len() < MAX_ANSWER_BYTES {
            one(chain, request).await
        } else {
            let id = request.get("id").cloned().unwrap_or_default();
            Some(failed(id, &RpcError::invalid("the batch's answers are too large together: ask in parts")))
        };
        if let Some(answer) = answer {
            if answers.len() > 1 {
                answers.push(b',');
            }
            answers.extend_from_slice(&answer);
        }
    }
    answers.push(b']');
    (answers.len() > 2).then_some(answers)
}

/// Answers one request; a request without an id is a notification and gets no answer.
async fn one(chain: &EmbeddedChain, mut request: Value) -> Option<Vec<u8>> {
    let invalid = |message: &str| RpcError::new(code::INVALID_REQUEST, format!("Invalid request: {message}"));
    let Some(fields) = request.as_object_mut() else {
        return Some(failed(Value::Null, &invalid("it is not an object")));
    };
    let id = fields.remove("id");
    if !matches!(id, None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
        return Some(failed(Value::Null, &invalid("id must be a string, a number or null")));
    }
    let (method, params) = (fields.remove("method"), fields.remove("params"));
    let checked = match (fields.get("jsonrpc").and_then(Value::as_str), method, params) {
        (Some("2.0"), Some(Value::String(method)), None | Some(Value::Null)) => Ok((method, Args::new(Vec::new()))),
        (Some("2.0"), Some(Value::String(method)), Some(Value::Array(params))) => Ok((method, Args::new(params))),
        (Some("2.0"), Some(Value::String(_)), Some(_)) => Err(RpcError::invalid("`params` must be an array")),
        (Some("2.0"), _, _) => Err(invalid("method must be a string")),
        _ => Err(invalid("jsonrpc must be \"2.0\"")),
    };
    let outcome = match checked {
        Ok((method, args)) => methods::call(chain, &method, args).await,
        Err(error) => Err(error),
    };
    let id = id?;
    Some(match outcome {
        Ok(result) => {
            let bytes = json!({ "jsonrpc": "2.0", "result": result, "id": id }).to_string().into_bytes();
            if bytes.len() > MAX_ANSWER_BYTES {
                return Some(failed(id, &RpcError::invalid("the answer is too large: ask in parts, or use dataSlice")));
            }
            bytes
        }
        Err(error) => failed(id, &error),
    })
}

fn failed(id: Value, error: &RpcError) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "error": error.object(), "id": id }).to_string().into_bytes()
}
