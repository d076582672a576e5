//! When an acknowledged bundle will be in a settled batch: what is promised, decided on values alone.
//!
//! `wait = age until sealed + 2 · time to prove all that is in front and the bundle's own batch + time to submit and settle`, at
//! least the floor. A wait over the most that may be promised is refused: the client comes again when the backlog is shorter.

use std::time::Duration;

use cairn_chain::SLOT_MILLISECONDS;
use cairn_types::limits::SEGMENT_BUNDLES;

/// What a proof may take beyond its measured time: the machine has other work, and a batch may be proved twice.
const SAFETY: u32 = 2;
/// From a proof to a header that is final on chain.
const SUBMISSION: Duration = Duration::from_secs(120);
/// From there to a proof that the chain has verified, finally: its transactions go out a hundred at a time.
const SETTLEMENT: Duration = Duration::from_secs(180);
/// A refused client waits at least and at most this long.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// How much an older measurement counts beside the next one.
const MEMORY: f64 = 0.9;

/// Bounds of what is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromiseLimits {
    /// No promise is shorter.
    pub floor: Duration,
    /// No promise is longer.
    pub most: Duration,
}

/// Bundles in front of one that asks, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Acknowledged, in no batch.
    pub unsealed_bundles: u64,
    /// In batches without a proof.
    pub unproved_bundles: u64,
    /// Batches without a proof.
    pub unproved_batches: u64,
    /// Bundles that a batch is sealed at.
    pub bundles_per_batch: u64,
    /// Until a batch with the bundle is sealed, at most.
    pub seal_age: Duration,
}

/// Proofs to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Batch proofs.
    pub batches: u64,
    /// Segment proofs under them.
    pub segments: u64,
}

/// Time of a proof, as measured: so much per batch, and so much per segment in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    prior: Rates,
    weight: f64,
    segments: f64,
    seconds: f64,
    segments_squared: f64,
    segments_seconds: f64,
}

/// Seconds of a batch proof beside its segments, and of each segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Per batch.
    pub batch: f64,
    /// Per segment.
    pub segment: f64,
}

/// No deadline can be promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the backlog takes {} to prove, and no more than {} is promised", humantime::format_duration(*wait), humantime::format_duration(*most))]
pub struct Overloaded {
    /// What would have to be promised.
    pub wait: Duration,
    /// The most that is.
    pub most: Duration,
    /// When to come again.
    pub retry_after: Duration,
}

/// Slots from now within which a bundle's batch is settled.
///
/// # Errors
/// [`Overloaded`] when that is more than `limits` allow.
pub fn settle_within(backlog: &Backlog, pace: &Pace, limits: &PromiseLimits) -> Result<u64, Overloaded> {
    let proving = pace.takes(&backlog.work()).saturating_mul(SAFETY);
    let wait = backlog.seal_age.saturating_add(proving).saturating_add(SUBMISSION + SETTLEMENT).max(limits.floor);
    if wait > limits.most {
        let retry_after = (wait - limits.most).clamp(RETRY.0, RETRY.1);
        return Err(Overloaded { wait: whole_seconds(wait), most: limits.most, retry_after });
    }
    Ok(slots(wait))
}

/// Slots that `time` takes, rounded up.
#[must_use]
pub fn slots(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(u128::from(SLOT_MILLISECONDS))).unwrap_or(u64::MAX)
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

impl Backlog {
    /// The proofs that are to be made before, and for, the bundle that asks. A batch's last segment may hold one bundle.
    #[must_use]
    pub fn work(&self) -> Work {
        let per_segment = SEGMENT_BUNDLES as u64;
        let unsealed_batches = self.unsealed_bundles.div_ceil(self.bundles_per_batch.max(1));
        let batches = self.unproved_batches.saturating_add(unsealed_batches);
        let full = (self.unsealed_bundles / per_segment).saturating_add(self.unproved_bundles / per_segment);
        Work { batches, segments: full.saturating_add(batches) }
    }
}

impl Pace {
    /// What to expect before anything is measured.
    #[must_use]
    pub fn new(prior: Rates) -> Self {
        Self { prior, weight: 0.0, segments: 0.0, seconds: 0.0, segments_squared: 0.0, segments_seconds: 0.0 }
    }

    /// A batch of so many segments took so long.
    pub fn measured(&mut self, segments: u64, took: Duration) {
        let (x, y) = (segments.max(1) as f64, took.as_secs_f64());
        for (sum, term) in [
            (&mut self.weight, 1.0),
            (&mut self.segments, x),
            (&mut self.seconds, y),
            (&mut self.segments_squared, x * x),
            (&mut self.segments_seconds, x * y),
        ] {
            *sum = *sum * MEMORY + term;
        }
    }

    /// The line through the measurements, newer ones counting more. Where they do not make a line of two positive
    /// rates, the prior's proportions, scaled to their mean.
    #[must_use]
    pub fn rates(&self) -> Rates {
        if self.weight == 0.0 {
            return self.prior;
        }
        let (x, y) = (self.segments / self.weight, self.seconds / self.weight);
        let variance = self.segments_squared / self.weight - x * x;
        let segment = (self.segments_seconds / self.weight - x * y) / variance;
        let batch = y - segment * x;
        // A spread of less than half a segment says nothing about segments.
        if variance > 0.25 && segment > 0.0 && batch >= 0.0 {
            return Rates { batch, segment };
        }
        let Rates { batch, segment } = self.prior;
        let scale = y / (batch + segment * x);
        Rates { batch: batch * scale, segment: segment * scale }
    }

    /// Time that proofs take.
    #[must_use]
    pub fn takes(&self, work: &Work) -> Duration {
        let Rates { batch, segment } = self.rates();
        let seconds = batch * work.batches as f64 + segment * work.segments as f64;
        // Over the bound of a duration, infinite, or no number: no promise can be made either way.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: PromiseLimits =
        PromiseLimits { floor: Duration::from_secs(1_200), most: Duration::from_secs(4 * 3600) };

    fn pace() -> Pace {
        Pace::new(Rates { batch: 30.0, segment: 10.0 })
    }

    fn backlog(unsealed_bundles: u64, unproved_bundles: u64, unproved_batches: u64) -> Backlog {
        let seal_age = Duration::from_secs(600);
        Backlog { unsealed_bundles, unproved_bundles, unproved_batches, bundles_per_batch: 512, seal_age }
    }

    #[test]
    fn an_idle_sequencer_promises_the_floor() {
        assert_eq!(settle_within(&backlog(1, 0, 0), &pace(), &LIMITS), Ok(1_200_000 / 400));
    }

    #[test]
    fn the_promise_is_the_sum_of_its_parts() {
        // Two full segments and some in two sealed batches, as much in no batch: 3 batches, 2 + 2 + 3 segments.
        let some = 2 * SEGMENT_BUNDLES as u64 + 1;
        let backlog = backlog(some, some, 2);
        assert_eq!(backlog.work(), Work { batches: 3, segments: 7 });
        let seconds = 600 + 2 * (3 * 30 + 7 * 10) + 120 + 180;
        assert_eq!(settle_within(&backlog, &pace(), &LIMITS), Ok(seconds * 1_000 / 400));
    }

    #[test]
    fn what_cannot_be_promised_is_refused_with_the_time_until_it_can() {
        let overloaded = settle_within(&backlog(1, 512 * 200, 200), &pace(), &LIMITS).unwrap_err();
        assert!(overloaded.wait > LIMITS.most && overloaded.most == LIMITS.most);
        assert!(overloaded.retry_after >= RETRY.0 && overloaded.retry_after <= RETRY.1);
        let endless = settle_within(&backlog(u64::MAX, u64::MAX, u64::MAX), &pace(), &LIMITS).unwrap_err();
        assert_eq!(endless.retry_after, RETRY.1);
    }

    #[test]
    fn measurements_replace_what_was_expected() {
        let mut pace = pace();
        for segments in [1, 8, 32, 4, 16, 2] {
            pace.measured(segments, Duration::from_secs(100 + 3 * segments));
        }
        let Rates { batch, segment } = pace.rates();
        assert!((batch - 100.0).abs() < 1e-6 && (segment - 3.0).abs() < 1e-6, "{batch} {segment}");
    }

    #[test]
    fn batches_of_one_size_scale_the_prior_to_their_mean() {
        let mut pace = pace();
        for _ in 0..5 {
            pace.measured(2, Duration::from_secs(25));
        }
        assert_eq!(pace.takes(&Work { batches: 1, segments: 2 }).as_millis(), 25_000);
        let Rates { batch, segment } = pace.rates();
        assert!((batch / segment - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_prover_that_slows_down_is_noticed() {
        let mut pace = pace();
        for _ in 0..50 {
            pace.measured(1, Duration::from_secs(10));
        }
        for _ in 0..30 {
            pace.measured(1, Duration::from_secs(100));
        }
        assert!(pace.takes(&Work { batches: 1, segments: 1 }) > Duration::from_secs(95));
    }

    proptest! {
        #[test]
        fn a_longer_backlog_never_gets_an_earlier_promise(
            unsealed in 1_u64..10_000, unproved in 0_u64..10_000, batches in 0_u64..40, more in 0_u64..5_000,
            measured in prop::collection::vec((1_u64..33, 0_u64..1_000_000), 0..20),
        ) {
            let mut pace = pace();
            for (segments, ms) in measured {
                pace.measured(segments, Duration::from_millis(ms));
            }
            let short = settle_within(&backlog(unsealed, unproved, batches), &pace, &LIMITS);
            for longer in [
                backlog(unsealed + more, unproved, batches),
                backlog(unsealed, unproved + more, batches),
                backlog(unsealed, unproved, batches + more),
            ] {
                match (short, settle_within(&longer, &pace, &LIMITS)) {
                    (Ok(short), Ok(long)) => prop_assert!(short <= long),
                    (Err(_), Ok(long)) => prop_assert!(false, "refused, but {long} with more in front"),
                    (_, Err(overloaded)) => prop_assert!(overloaded.wait >= LIMITS.most),
                }
            }
            if let Ok(slots_promised) = short {
                prop_assert!(slots_promised >= slots(LIMITS.floor) && slots_promised <= slots(LIMITS.most));
            }
        }
    }
}
