//! Proved and submitted → settled: the chain verifies the batch's proof.
//!
//! | module | what |
//! |---|---|
//! | [`decide`] | what to do next, on values alone |
//! | [`look`] | reading chain and store |
//! | [`chunks`] | which parts of a proof the account does not have |
//! | [`plan`] | which steps go into the next transaction |
//! | [`air`] | transactions on their way, and what they cost |
//! | [`settler`] | the task |
//!
//! The proof is a hundred transactions long. It goes into an account of a key that this sequencer made, is verified there
//! by a few steps, and settles its batch. One account serves one batch after the other, and is closed when none has needed
//! it for a while.
//!
//! Submitting writes each transaction to an outbox before it is sent, because a header that is signed twice could be taken
//! twice for two things. Nothing here has an outbox: whatever is sent can be sent again, signed anew or not, by this
//! process or the next. A chunk that is written twice is the same chunk; a step that is done is not done again; an
//! account that is there is not made again; a batch that is settled is not settled again. A transaction of an earlier
//! process that arrives late can spoil at most the account's content, and that is compared with the proof before anything
//! is built on it: what differs is written again, and what was frozen with something else in it is reset. So after a crash
//! the account says how far the work has come, and the store keeps one thing only that cannot be read there: the key of
//! the account, which is on disk before anything is sent to its address. A crash costs fees and time, and no rent.
//!
//! Anyone may do a step in anyone's account. Whoever did the first while the proof is half written would freeze it: so the
//! word that a proof is ground for is written last, in the transaction of the first step. Without it no step succeeds.

pub mod air;
pub mod chunks;
pub mod decide;
pub mod look;
#[cfg(test)]
mod model_tests;
pub mod plan;
pub mod settler;
