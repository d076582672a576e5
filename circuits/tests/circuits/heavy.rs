//! Proving takes all cores and much memory: at most two tests do it at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

static FREE: Mutex<usize> = Mutex::new(2);
static FREED: Condvar = Condvar::new();

/// A seat among the proving tests, given back on drop.
pub struct Seat(());

/// Waits for a seat.
pub fn seat() -> Seat {
    let mut free: MutexGuard<'_, usize> = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    while *free == 0 {
        free = FREED.wait(free).unwrap_or_else(PoisonError::into_inner);
    }
    *free -= 1;
    Seat(())
}

impl Drop for Seat {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        FREED.notify_one();
    }
}
