//! How one server does: a function of what happened to it and of the time, without any input or output.

use crate::Commitment;
use std::time::Duration;

/// Time since the pool was made.
pub(super) type At = Duration;

/// The first rest of a server that did not answer; it doubles from there.
const FIRST_REST: Duration = Duration::from_millis(250);
/// The longest of those.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// The first rest of a server that wants fewer requests and does not say when.
const LIMITED_REST: Duration = Duration::from_secs(1);
/// A server that is behind by a slot has it in one.
const LAGGING_REST: Duration = Duration::from_millis(400);
const LONGEST_LAGGING_REST: Duration = Duration::from_secs(5);
/// A server that stands still may be the first to move again.
const STALLED_REST: Duration = Duration::from_secs(1);
const LONGEST_STALLED_REST: Duration = Duration::from_secs(10);
/// A server that needs an operator; also the most that a server may ask for.
pub(super) const LONG_REST: Duration = Duration::from_secs(300);

/// What keeps a server from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// No answer: no connection, a broken one, too late, or a server error.
    Unreachable,
    /// It wants fewer requests.
    Limited,
    /// It says itself that it is not well.
    Unhealthy,
    /// Its answer is none.
    Odd,
    /// It has not reached a slot that was seen.
    Lagging,
    /// Its slot does not move.
    Stalled,
    /// It does not serve us: a wrong key, a wrong path.
    Denied,
    /// It serves another chain.
    OtherChain,
}

impl Why {
    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Limited => "limited",
            Self::Unhealthy => "unhealthy",
            Self::Odd => "odd",
            Self::Lagging => "lagging",
            Self::Stalled => "stalled",
            Self::Denied => "denied",
            Self::OtherChain => "other_chain",
        }
    }

    /// Whether only an operator can mend it.
    pub fn is_lasting(self) -> bool {
        matches!(self, Self::Denied | Self::OtherChain)
    }

    /// How long a server rests after failing so for the `failures`th time in a row. `jitter` is in [0, 1).
    fn rest(self, failures: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
        let (first, longest) = match self {
            Self::Unreachable | Self::Unhealthy | Self::Odd => (FIRST_REST, LONGEST_REST),
            Self::Limited => (LIMITED_REST, LONGEST_REST),
            Self::Lagging => (LAGGING_REST, LONGEST_LAGGING_REST),
            Self::Stalled => (STALLED_REST, LONGEST_STALLED_REST),
            Self::Denied | Self::OtherChain => (LONG_REST, LONG_REST),
        };
        let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
        // Between three and five quarters, so that many clients do not come back as one.
        let rest = doubled.mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0);
        rest.max(retry_after.unwrap_or_default()).min(LONG_REST.max(rest))
    }
}

/// Why a server rests, and until when.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    pub why: Why,
    pub what: String,
    pub until: At,
}

/// When a slot was first seen.
#[derive(Debug, Clone, Copy)]
struct Slot {
    slot: u64,
    at: At,
}

/// One server, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    /// Its last failure, unless it has answered since.
    rest: Option<Rest>,
    /// Failures in a row.
    failures: u32,
    /// Until when somebody is finding out whether it is back.
    probed_until: Option<At>,
    /// Whether it has ever given an answer that was used.
    answered: bool,
    /// Its newest slot by commitment.
    slots: [Option<Slot>; 3],
}

impl Health {
    /// Whether it may be asked.
    pub fn is_ready(&self, now: At) -> bool {
        self.rest.as_ref().is_none_or(|rest| rest.until <= now)
    }

    /// Its last failure, unless it has answered since.
    pub fn last_failure(&self) -> Option<&Rest> {
        self.rest.as_ref()
    }

    /// Whether it failed and has not answered since.
    pub fn is_doubtful(&self) -> bool {
        self.rest.is_some()
    }

    /// Whether it has ever given an answer that was used.
    pub fn has_answered(&self) -> bool {
        self.answered
    }

    /// Whether somebody is finding out if it is back: one question is enough for that.
    pub fn is_probed(&self, now: At) -> bool {
        self.is_doubtful() && self.probed_until.is_some_and(|until| now < until)
    }

    /// Somebody asks it, and will know by `until`.
    pub fn probe(&mut self, until: At) {
        if self.is_doubtful() {
            self.probed_until = Some(until);
        }
    }

    /// It answered, and the answer is used.
    pub fn answered(&mut self, now: At) {
        self.answered = true;
        // What was asked before it failed says nothing about the time after.
        if self.is_ready(now) {
            *self = Self { rest: None, failures: 0, probed_until: None, ..*self };
        }
    }

    /// It failed. `jitter` is in [0, 1).
    pub fn failed(&mut self, now: At, why: Why, what: String, retry_after: Option<Duration>, jitter: f64) {
        // Questions that were under way together fail together, and count once.
        if self.is_ready(now) {
            self.failures = self.failures.saturating_add(1);
        }
        let until = now.saturating_add(why.rest(self.failures, retry_after, jitter));
        self.probed_until = None;
        match &mut self.rest {
            Some(rest) if rest.until > until => {}
            rest => *rest = Some(Rest { why, what, until }),
        }
    }

    /// It said that it is at `slot`. For how long it has been saying so.
    pub fn at_slot(&mut self, commitment: Commitment, slot: u64, now: At) -> Duration {
        match &mut self.slots[commitment as usize] {
            // Backwards is movement as well: a server that was restarted, and catches up.
            Some(seen) if seen.slot == slot => now.saturating_sub(seen.at),
            seen => {
                *seen = Some(Slot { slot, at: now });
                Duration::ZERO
            }
        }
    }

    /// Its newest slot at any commitment, and how long ago that was first seen.
    pub fn newest_slot(&self, now: At) -> Option<(u64, Duration)> {
        let newest = self.slots.iter().flatten().max_by_key(|seen| seen.slot)?;
        Some((newest.slot, now.saturating_sub(newest.at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(health: &mut Health, now: At, why: Why) -> Duration {
        health.failed(now, why, why.name().to_owned(), None, 0.5);
        health.last_failure().unwrap().until - now
    }

    #[test]
    fn a_rest_doubles_with_every_failure_to_a_limit_and_one_answer_ends_it() {
        let (mut health, mut now) = (Health::default(), SECOND);
        let mut rests = Vec::new();
        for _ in 0..10 {
            let rest = fail(&mut health, now, Why::Unreachable);
            assert!(!health.is_ready(now + rest - Duration::from_millis(1)));
            now += rest;
            assert!(health.is_ready(now));
            rests.push(rest.as_millis());
        }
        assert_eq!(rests, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        health.answered(now);
        assert!(!health.is_doubtful());
        assert_eq!(fail(&mut health, now, Why::Odd).as_millis(), 250);
    }

    #[test]
    fn jitter_moves_a_rest_by_a_quarter_at_most() {
        for (jitter, expected) in [(0.0, 187), (0.5, 250), (0.999, 312), (7.0, 312)] {
            assert_eq!(Why::Unreachable.rest(1, None, jitter).as_millis(), expected);
        }
    }

    #[test]
    fn what_fails_together_counts_once() {
        let mut health = Health::default();
        for _ in 0..20 {
            fail(&mut health, SECOND, Why::Unreachable);
        }
        assert_eq!(fail(&mut health, 2 * SECOND, Why::Unreachable).as_millis(), 500);
    }

    #[test]
    fn a_server_is_left_alone_as_long_as_it_asks_within_reason() {
        let mut health = Health::default();
        health.failed(SECOND, Why::Limited, String::new(), Some(7 * SECOND), 0.5);
        assert!(!health.is_ready(7 * SECOND) && health.is_ready(8 * SECOND));
        // The answer to a question from before does not cut that short.
        let mut limited = Health::default();
        limited.failed(SECOND, Why::Limited, String::new(), Some(7 * SECOND), 0.5);
        limited.answered(2 * SECOND);
        assert!(!limited.is_ready(7 * SECOND));
        let mut greedy = Health::default();
        greedy.failed(SECOND, Why::Limited, String::new(), Some(Duration::from_secs(u64::MAX)), 0.5);
        assert!(greedy.is_ready(SECOND + LONG_REST));
    }

    #[test]
    fn a_shorter_rest_never_cuts_a_longer_one() {
        let mut health = Health::default();
        fail(&mut health, SECOND, Why::Denied);
        fail(&mut health, SECOND, Why::Lagging);
        assert_eq!(health.last_failure().unwrap().why, Why::Denied);
        assert!(!health.is_ready(100 * SECOND));
    }

    #[test]
    fn only_one_finds_out_whether_a_server_is_back() {
        let mut health = Health::default();
        health.probe(9 * SECOND);
        assert!(!health.is_probed(SECOND), "there is no doubt about it");
        fail(&mut health, SECOND, Why::Unreachable);
        assert!(!health.is_probed(2 * SECOND));
        health.probe(9 * SECOND);
        assert!(health.is_probed(2 * SECOND));
        assert!(!health.is_probed(9 * SECOND), "whoever did was cancelled");
        health.answered(3 * SECOND);
        assert!(!health.is_probed(3 * SECOND));
    }

    #[test]
    fn a_slot_ages_until_it_moves_in_either_direction() {
        let mut health = Health::default();
        assert_eq!(health.at_slot(Commitment::Finalized, 7, SECOND), Duration::ZERO);
        assert_eq!(health.at_slot(Commitment::Finalized, 7, 31 * SECOND), 30 * SECOND);
        assert_eq!(health.newest_slot(32 * SECOND), Some((7, 31 * SECOND)));
        assert_eq!(health.at_slot(Commitment::Processed, 40, 32 * SECOND), Duration::ZERO);
        assert_eq!(health.at_slot(Commitment::Finalized, 8, 33 * SECOND), Duration::ZERO);
        assert_eq!(health.at_slot(Commitment::Finalized, 3, 34 * SECOND), Duration::ZERO);
        assert_eq!(health.newest_slot(34 * SECOND), Some((40, 2 * SECOND)));
    }
}
