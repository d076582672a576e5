//! Where the embedded chain reads the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Default)]
pub enum TimeSource {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that somebody else moves: runs that must not depend on how fast the machine is.
    Manual(Arc<AtomicI64>),
}

impl TimeSource {
    /// A clock that stands at `unix_ms` until it is moved.
    #[must_use]
    pub fn manual(unix_ms: i64) -> (Self, Arc<AtomicI64>) {
        let hand = Arc::new(AtomicI64::new(unix_ms));
        (Self::Manual(hand.clone()), hand)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Self::Manual(hand) => hand.load(Ordering::SeqCst),
        }
    }
}
