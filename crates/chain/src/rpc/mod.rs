//! Solana's JSON-RPC, both ends: a server over the embedded chain, and a client for it and for clusters.
//!
//! The server speaks the subset of Solana's methods that Cairn and Solana's own tools need for accounts, transactions
//! and blockhashes, in the same JSON shapes, so that the client has one code path for both.

mod client;
mod server;
mod wire;

pub use client::{InvalidRpcOptions, InvalidUrl, RpcChain, RpcOptions, ServerState, ServerStatus, Websocket};
pub use server::EmbeddedRpcServer;

/// Where an embedded chain is served unless told otherwise: on this machine alone.
pub const RPC_ADDRESS: &str = "127.0.0.1:7440";
/// The same as a URL.
pub const RPC_URL: &str = "http://127.0.0.1:7440";
