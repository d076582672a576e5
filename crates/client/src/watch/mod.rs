//! Finds WARC files that a crawler has finished, and reads each of their records once.
//!
//! | crawler | while it writes | when it has finished |
//! |---|---|---|
//! | Heritrix | `NAME.warc.gz.open` | renames it to `NAME.warc.gz` (`.invalid` when it gave up on it) |
//! | Browsertrix | `rec-….warc.gz` in a folder of its own, at any depth | goes on to the next file |
//! | wget | `NAME.warc.gz`, or `NAME-00000.warc.gz` and so on | goes on to the next file, or ends |
//!
//! So a file counts as finished when its name ends in `.warc` or `.warc.gz`, and it was just renamed to that or nobody
//! has written to it for a while. Where that was too early nothing is lost: a record that the end of the file cuts off
//! is left alone, and what a file grows by is read when it has.

mod events;
mod find;
mod read;

pub use events::Events;
pub use find::{Candidate, Finder, LookError, is_warc_name};
pub use read::{Outcome, Unreadable, read};
