//! Which server is asked next, and what slots say about an answer: pure, over the health of every server.

use super::health::{At, Health, Why};
use super::http::Failure;
use crate::Commitment;
use std::time::Duration;

/// No chain has come this far: a slot a millisecond takes nine thousand years.
const ABSURD_SLOT: u64 = 1 << 48;
/// How long somebody may take to find out whether a doubtful server is back, while others do answer.
pub(super) const PROBE: Duration = Duration::from_secs(5);

const COMMITMENTS: [Commitment; 3] = [Commitment::Processed, Commitment::Confirmed, Commitment::Finalized];

/// A slot, and who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    slot: u64,
    server: usize,
}

/// What to do next for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask this server.
    Ask(usize),
    /// Nobody is ready: wait until then.
    Wait(At),
    /// Nobody is left to ask.
    Nobody,
}

/// All servers, in order of preference.
#[derive(Debug)]
pub(super) struct Board {
    health: Vec<Health>,
    places: Vec<String>,
    stall: Option<Duration>,
    /// The newest slot by commitment. It only grows: nothing older is taken any more.
    seen: [Option<Seen>; 3],
    /// Who answered last.
    pub last: Option<usize>,
}

impl Board {
    pub fn new(places: Vec<String>, stall: Option<Duration>) -> Self {
        Self { health: vec![Health::default(); places.len()], places, stall, seen: [None; 3], last: None }
    }

    pub fn health(&self, server: usize) -> &Health {
        &self.health[server]
    }

    /// The first server that is ready; one that is being probed already only when there is no other. `skipped` are not
    /// able to answer the question in hand.
    pub fn next(&mut self, now: At, skipped: &[usize]) -> Next {
        let open = || (0..self.health.len()).filter(|server| !skipped.contains(server));
        let ready = || open().filter(|server| self.health[*server].is_ready(now));
        if let Some(server) = ready().find(|server| !self.health[*server].is_probed(now)).or_else(|| ready().next()) {
            self.health[server].probe(now.saturating_add(PROBE));
            return Next::Ask(server);
        }
        // What an operator has to mend is not waited for.
        let rests = open().filter_map(|server| self.health[server].last_failure());
        match rests.filter(|rest| !rest.why.is_lasting()).map(|rest| rest.until).min() {
            Some(until) => Next::Wait(until),
            None => Next::Nobody,
        }
    }

    /// Every server that may be asked.
    pub fn ready(&self, now: At) -> Vec<usize> {
        (0..self.health.len()).filter(|server| self.health[*server].is_ready(now)).collect()
    }

    /// How long a question to this server may take: the less when it is doubtful and another one is there.
    pub fn patience(&self, server: usize, now: At, attempt: Duration) -> Duration {
        let other = (0..self.health.len()).any(|other| other != server && self.health[other].is_ready(now));
        if self.health[server].is_doubtful() && other { attempt.min(PROBE) } else { attempt }
    }

    pub fn answered(&mut self, server: usize, now: At) {
        self.health[server].answered(now);
    }

    pub fn failed(&mut self, server: usize, now: At, failure: Failure, jitter: f64) {
        let Failure { why, what, retry_after, .. } = failure;
        self.health[server].failed(now, why, what, retry_after, jitter);
    }

    /// The slot that an answer at `commitment` must have reached. What is finalized is confirmed, and that processed; what
    /// is only processed binds nobody, for it may be on a fork that is left again.
    pub fn floor(&self, commitment: Commitment) -> Option<u64> {
        self.seen_at(commitment).map(|seen| seen.slot)
    }

    fn seen_at(&self, commitment: Commitment) -> Option<Seen> {
        COMMITMENTS
            .iter()
            .filter(|at| **at >= commitment.max(Commitment::Confirmed))
            .filter_map(|at| self.seen[*at as usize])
            .max_by_key(|seen| seen.slot)
    }

    /// Something was seen at `slot`: from now on it is there.
    pub fn saw(&mut self, server: usize, commitment: Commitment, slot: u64) {
        let seen = &mut self.seen[commitment as usize];
        if slot < ABSURD_SLOT && seen.is_none_or(|seen| seen.slot < slot) {
            *seen = Some(Seen { slot, server });
        }
    }

    /// Whether an answer as of `slot` may be used: it is not older than what was seen, and the server's slot moves.
    pub fn judge(&mut self, server: usize, commitment: Commitment, slot: u64, now: At) -> Result<Duration, Failure> {
        if slot >= ABSURD_SLOT {
            return Err(Failure::new(Why::Odd, format!("it says that it is at slot {slot}")));
        }
        let age = self.health[server].at_slot(commitment, slot, now);
        if let Some(seen) = self.seen_at(commitment).filter(|seen| slot < seen.slot) {
            return Err(self.lagging(server, commitment, Some(slot), seen));
        }
        self.saw(server, commitment, slot);
        if self.stall.is_some_and(|stall| age >= stall) {
            let what = format!("its {} slot {slot} has not moved for {} s", commitment.name(), age.as_secs());
            return Err(Failure::new(Why::Stalled, what));
        }
        Ok(age)
    }

    /// A server's own word that it has not come as far as was asked for.
    pub fn behind(&mut self, server: usize, commitment: Commitment, failure: Failure, now: At) -> Failure {
        if let Some(slot) = failure.slot {
            self.health[server].at_slot(commitment, slot, now);
        }
        match self.seen_at(commitment) {
            Some(seen) => self.lagging(server, commitment, failure.slot, seen),
            None => failure,
        }
    }

    fn lagging(&self, server: usize, commitment: Commitment, slot: Option<u64>, seen: Seen) -> Failure {
        let at = slot.map_or_else(String::new, |slot| format!("it is at slot {slot}, "));
        let (name, floor) = (commitment.name(), seen.slot);
        let who = match seen.server == server {
            true => {
                "it has itself reported before: it was restarted from an older state, and is used when it caught up"
                    .into()
            }
            false => format!("{} has reported", self.places[seen.server]),
        };
        Failure { slot, ..Failure::new(Why::Lagging, format!("{at}behind the {name} slot {floor} that {who}")) }
    }

    /// Whether the trouble with every server is that its slot does not move.
    pub fn is_halted(&self) -> bool {
        self.health.iter().all(|health| health.last_failure().is_some_and(|rest| rest.why == Why::Stalled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Commitment::{Confirmed, Finalized, Processed};

    const SECOND: Duration = Duration::from_secs(1);

    fn board(servers: usize) -> Board {
        Board::new((0..servers).map(|server| format!("http://s{server}")).collect(), Some(30 * SECOND))
    }

    fn fail(board: &mut Board, server: usize, now: At, why: Why) {
        board.failed(server, now, Failure::new(why, why.name()), 0.5);
    }

    #[test]
    fn the_preferred_server_is_asked_until_it_fails_and_again_after_its_rest() {
        let mut board = board(3);
        assert_eq!(board.next(SECOND, &[]), Next::Ask(0));
        fail(&mut board, 0, SECOND, Why::Unreachable);
        assert_eq!(board.next(SECOND, &[]), Next::Ask(1));
        assert_eq!(board.next(SECOND, &[1]), Next::Ask(2), "the second cannot answer this");
        assert_eq!(board.next(2 * SECOND, &[]), Next::Ask(0));
        assert_eq!(board.next(2 * SECOND, &[]), Next::Ask(1), "one question shows whether it is back");
        assert_eq!(board.next(2 * SECOND, &[1, 2]), Next::Ask(0), "unless nobody else is there");
        board.answered(0, 2 * SECOND);
        assert_eq!(board.next(2 * SECOND, &[]), Next::Ask(0));
    }

    #[test]
    fn when_all_rest_the_earliest_is_waited_for_and_what_only_an_operator_mends_is_not() {
        let mut board = board(2);
        fail(&mut board, 0, SECOND, Why::Limited);
        fail(&mut board, 1, SECOND, Why::Unreachable);
        assert_eq!(board.next(SECOND, &[]), Next::Wait(Duration::from_millis(1_250)));
        assert_eq!(board.next(SECOND, &[1]), Next::Wait(2 * SECOND));
        assert_eq!(board.next(SECOND, &[0, 1]), Next::Nobody);
        fail(&mut board, 0, 2 * SECOND, Why::Denied);
        fail(&mut board, 1, 2 * SECOND, Why::OtherChain);
        assert_eq!(board.next(3 * SECOND, &[]), Next::Nobody);
        assert_eq!(board.next(400 * SECOND, &[]), Next::Ask(0));
    }

    #[test]
    fn a_doubtful_server_gets_less_time_while_another_one_is_there() {
        let mut board = board(2);
        assert_eq!(board.patience(0, SECOND, 15 * SECOND), 15 * SECOND);
        fail(&mut board, 0, SECOND, Why::Unreachable);
        assert_eq!(board.patience(0, 2 * SECOND, 15 * SECOND), PROBE);
        fail(&mut board, 1, 2 * SECOND, Why::Denied);
        assert_eq!(board.patience(0, 2 * SECOND, 15 * SECOND), 15 * SECOND);
    }

    #[test]
    fn an_answer_older_than_one_seen_is_not_used_whoever_gives_it() {
        let mut board = board(2);
        board.judge(0, Finalized, 100, SECOND).unwrap();
        board.judge(1, Finalized, 100, SECOND).unwrap();
        let failure = board.judge(1, Finalized, 99, SECOND).unwrap_err();
        assert_eq!(failure.why, Why::Lagging);
        assert!(failure.what.contains("slot 99") && failure.what.contains("100 that http://s0"), "{}", failure.what);
        let own = board.judge(0, Finalized, 5, SECOND).unwrap_err();
        assert!(own.what.contains("restarted from an older state"), "{}", own.what);
        board.judge(0, Finalized, 101, SECOND).unwrap();
        let told = Failure { slot: Some(98), ..Failure::new(Why::Lagging, "no") };
        assert!(board.behind(1, Finalized, told, SECOND).what.contains("slot 98, behind the finalized slot 101"));
    }

    #[test]
    fn what_is_finalized_is_confirmed_too_and_not_the_other_way_round() {
        let mut board = board(1);
        board.judge(0, Confirmed, 132, SECOND).unwrap();
        assert_eq!(
            (board.floor(Finalized), board.floor(Confirmed), board.floor(Processed)),
            (None, Some(132), Some(132))
        );
        board.judge(0, Finalized, 100, SECOND).unwrap();
        assert_eq!((board.floor(Finalized), board.floor(Confirmed)), (Some(100), Some(132)));
        board.saw(0, Finalized, 140);
        assert_eq!(
            (board.floor(Finalized), board.floor(Confirmed), board.floor(Processed)),
            (Some(140), Some(140), Some(140))
        );
        board.judge(0, Confirmed, 139, SECOND).unwrap_err();
        board.judge(0, Processed, 150, SECOND).unwrap();
        board.judge(0, Processed, 145, SECOND).unwrap();
        board.judge(0, Processed, 139, SECOND).unwrap_err();
    }

    #[test]
    fn a_slot_that_no_chain_can_have_is_odd_and_moves_nothing() {
        let mut board = board(1);
        assert_eq!(board.judge(0, Processed, u64::MAX, SECOND).unwrap_err().why, Why::Odd);
        board.saw(0, Finalized, u64::MAX);
        assert_eq!(board.floor(Processed), None);
    }

    #[test]
    fn a_server_whose_slot_stands_still_is_stalled_and_all_of_them_are_a_halt() {
        let mut board = board(2);
        for server in [0, 1] {
            board.judge(server, Finalized, 7, SECOND).unwrap();
        }
        board.judge(0, Finalized, 7, 30 * SECOND).unwrap();
        let failure = board.judge(0, Finalized, 7, 31 * SECOND).unwrap_err();
        assert_eq!(failure.why, Why::Stalled);
        assert!(failure.what.contains("finalized slot 7 has not moved for 30 s"), "{}", failure.what);
        board.failed(0, 31 * SECOND, failure, 0.5);
        assert!(!board.is_halted());
        fail(&mut board, 1, 31 * SECOND, Why::Stalled);
        assert!(board.is_halted());
        board.judge(0, Finalized, 8, 40 * SECOND).unwrap();
        board.answered(0, 40 * SECOND);
        assert!(!board.is_halted());
        let mut trusting = Board::new(vec!["http://s0".into()], None);
        trusting.judge(0, Finalized, 7, SECOND).unwrap();
        trusting.judge(0, Finalized, 7, 9_000 * SECOND).unwrap();
    }
}
