//! The embedded chain over JSON-RPC: each method's shape, what hostile clients get, and a rollup's whole life.

mod hostile;
mod lifecycle;
mod methods;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod transactions;
mod untrusted;
mod validator;
