//! Runs many proofs on one thread pool, no more at once than memory allows.

use rayon::ThreadPool;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs `job` on each of `0..count`, at most `at_once` at a time, each inside `pool`, where plonky2's own parallel
/// loops run as well. Gives the results in order, or the first error; after an error no new job starts.
pub fn run<T: Send, E: Send>(
    pool: &ThreadPool,
    at_once: usize,
    count: usize,
    job: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Mutex<Vec<Option<Result<T, E>>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(count) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    let result = pool.install(|| job(index));
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    results.lock().expect("no job panics while it holds the lock")[index] = Some(result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no job panics while it holds the lock");
    // Jobs that never started come only after one that failed, whose error ends the collection first or later.
    let mut done = Vec::with_capacity(count);
    let mut error = None;
    for result in results.into_iter().flatten() {
        match result {
            Ok(value) => done.push(value),
            Err(first) => error = error.or(Some(first)),
        }
    }
    error.map_or(Ok(done), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap()
    }

    #[test]
    fn results_come_in_order_and_never_more_run_than_allowed() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = run(&pool(), 2, 20, |index| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, ()>(index * index)
        });
        assert_eq!(results.unwrap(), (0..20).map(|index| index * index).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[test]
    fn the_first_error_stops_what_has_not_begun() {
        let started = AtomicUsize::new(0);
        let result = run(&pool(), 1, 100, |index| {
            started.fetch_add(1, Ordering::SeqCst);
            if index == 3 { Err("third") } else { Ok(()) }
        });
        assert_eq!((result, started.load(Ordering::SeqCst)), (Err("third"), 4));
    }
}
