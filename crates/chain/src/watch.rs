//! Being woken when accounts may have changed.

use std::future::pending;
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

/// Wakes its owner when one of the accounts it was made for may have changed: see [`crate::Chain::watch`].
#[derive(Debug)]
pub struct AccountWatch {
    changes: Option<watch::Receiver<u64>>,
    /// Ends whatever feeds it.
    _feed: Option<DropGuard>,
}

impl AccountWatch {
    /// One that never wakes: its owner only polls.
    #[must_use]
    pub const fn never() -> Self {
        Self { changes: None, _feed: None }
    }

    /// One that wakes with every new value of `changes`; `feed` is cancelled when it is dropped.
    #[must_use]
    pub const fn new(changes: watch::Receiver<u64>, feed: Option<DropGuard>) -> Self {
        Self { changes: Some(changes), _feed: feed }
    }

    /// Waits until something may have changed since the last call. Never ends when nothing feeds it (any more): wait
    /// for it with a time limit.
    pub async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes
            && changes.changed().await.is_ok()
        {
            return;
        }
        self.changes = None;
        pending::<()>().await;
    }
}
