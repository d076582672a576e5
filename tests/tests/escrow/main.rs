//! The committed escrow program with the settlement program in the Solana virtual machine: it pays for what is in a settled
//! batch, once, and for nothing else.
//!
//! `CAIRN_ESCROW_SO` names another file to test, `CAIRN_PRODUCTION_ESCROW_SO` another for `production`.

mod claims;
mod client;
mod deposits;
/// The program's own list of refusals.
#[path = "../../../programs/escrow/src/error.rs"]
mod error;
mod instructions;
mod receipts;
mod scene;
