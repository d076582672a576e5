//! JSON-RPC: the embedded chain's server, what hostile clients get, the client and its servers, and a rollup's whole life.

mod failover;
mod fake;
mod hostile;
mod lifecycle;
mod methods;
mod sending;
mod server;
mod slots;
mod subscribing;
#[path = "../support/mod.rs"]
mod support;
mod transactions;
mod untrusted;
mod validator;
