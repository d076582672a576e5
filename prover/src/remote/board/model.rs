//! The board under everything at once, at random.

use super::tests::{Name, RULES, SECOND, Sheets, expected, made};
use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Everything at random: workers come, go, lie, fail and fall asleep, batches come and are cancelled, time passes. Whatever
/// happens, every batch that stays is finished with the right proof in the end, and nothing is counted twice.
#[test]
fn no_task_is_lost_and_none_counts_twice_whatever_happens() {
    for seed in 0..300 {
        Model::new(seed).run();
    }
}

struct Model {
    board: Sheets,
    rng: StdRng,
    now: Instant,
    /// Batches by their place, with their segments and how often each task was used.
    batches: BTreeMap<u64, (usize, BTreeMap<Task, usize>)>,
    sessions: Vec<SessionId>,
    held: Vec<(Option<SessionId>, Assignment<(), Name>)>,
    number: u64,
}

impl Model {
    fn new(seed: u64) -> Self {
        let rules = Rules { local: seed.is_multiple_of(2), ..RULES };
        let (rng, now) = (StdRng::seed_from_u64(seed), Instant::now());
        let (board, batches) = (Board::new(rules), BTreeMap::new());
        Self { board, rng, now, batches, sessions: Vec::new(), held: Vec::new(), number: 0 }
    }

    fn run(mut self) {
        for _ in 0..400 {
            self.step();
            self.check();
        }
        // Everybody else leaves, and one honest worker finishes what is there.
        self.now += 1_000 * SECOND;
        self.board.expire(self.now);
        for (session, assignment) in std::mem::take(&mut self.held) {
            if session.is_none() {
                self.complete(None, assignment);
            }
        }
        let last = [0xee; 16];
        self.board.hello(last, "last", 1, self.now).unwrap();
        for _ in 0..2_000 {
            match self.board.take(Holder::Session(last), self.now).unwrap() {
                Some(assignment) => self.complete(Some(last), assignment),
                None => self.now += SECOND,
            }
        }
        for (batch, (segments, used)) in &self.batches {
            let proof = self.board.finished(*batch).expect("a batch was not finished");
            assert_eq!(*proof, expected(*segments, TOP, 0));
            let tasks: usize = (0..=TOP).map(|height| width(*segments, height)).sum();
            assert_eq!((used.len(), used.values().max()), (tasks, Some(&1)));
        }
    }

    fn step(&mut self) {
        let pick = |rng: &mut StdRng, count: usize| (count > 0).then(|| rng.gen_range(0..count));
        match self.rng.gen_range(0..100) {
            0..=3 if self.batches.len() < 4 => {
                let segments = self.rng.gen_range(1..=5);
                // Numbers need not come in order, nor be different.
                self.number += self.rng.gen_range(0..2);
                let batch = self.board.add(self.number, segments, (), self.now);
                self.batches.insert(batch, (segments, BTreeMap::new()));
            }
            4 => {
                if let Some(index) = pick(&mut self.rng, self.batches.len()) {
                    let batch = *self.batches.keys().nth(index).unwrap();
                    self.board.remove(batch);
                    self.batches.remove(&batch);
                }
            }
            5..=9 => {
                let id: SessionId = self.rng.r#gen();
                let name = ["a", "b", "c"][self.rng.gen_range(0..3)];
                let slots = self.rng.gen_range(1..4);
                if self.board.hello(id, name, slots, self.now).is_ok() {
                    self.sessions.push(id);
                }
            }
            10..=11 => {
                if let Some(index) = pick(&mut self.rng, self.sessions.len()) {
                    let id = self.sessions.swap_remove(index);
                    self.board.goodbye(&id, self.now);
                }
            }
            12..=50 => {
                let session = pick(&mut self.rng, self.sessions.len()).map(|index| self.sessions[index]);
                let session = session.filter(|_| !self.board.rules.local || self.rng.gen_bool(0.7));
                let holder = session.map_or(Holder::Local, Holder::Session);
                if holder == Holder::Local && !self.board.rules.local {
                    return;
                }
                if let Ok(Some(assignment)) = self.board.take(holder, self.now) {
                    self.held.push((session, assignment));
                }
            }
            51..=80 => {
                let Some(index) = pick(&mut self.rng, self.held.len()) else { return };
                let (session, assignment) = self.held.swap_remove(index);
                match (session, self.rng.gen_range(0..10)) {
                    (Some(id), 0) => {
                        if let Ok(Some(_)) = self.board.wanted(&id, assignment.lease, self.now) {
                            self.board.wrong(assignment.lease, self.now);
                        }
                    }
                    (Some(id), 1) => {
                        if let Ok(Some(_)) = self.board.wanted(&id, assignment.lease, self.now) {
                            self.board.release(assignment.lease, self.now);
                        }
                    }
                    // Forgotten: killed.
                    (Some(_), 2) => {}
                    (session, _) => self.complete(session, assignment),
                }
            }
            81..=90 => {
                if let Some(index) = pick(&mut self.rng, self.sessions.len()) {
                    let id = self.sessions[index];
                    let mine = self.held.iter().filter(|(session, _)| *session == Some(id));
                    let leases: Vec<_> = mine.map(|(_, assignment)| assignment.lease).collect();
                    let unwanted = self.board.heartbeat(&id, &leases, self.now);
                    self.held.retain(|(_, held)| !unwanted.as_ref().is_ok_and(|ids| ids.contains(&held.lease)));
                }
            }
            _ => {
                self.now += self.rng.gen_range(0..8) * SECOND;
                self.board.expire(self.now);
                self.sessions.retain(|id| self.board.name(id).is_ok());
            }
        }
    }

    fn complete(&mut self, session: Option<SessionId>, assignment: Assignment<(), Name>) {
        if let Some(id) = session
            && !matches!(self.board.wanted(&id, assignment.lease, self.now), Ok(Some(_)))
        {
            return;
        }
        let proof = made(&assignment);
        let task = assignment.task;
        if self.board.complete(assignment.lease, proof, self.now).used {
            let (_, used) = self.batches.get_mut(&task.batch).expect("a proof was used for a batch that is gone");
            *used.entry(task).or_default() += 1;
        }
    }

    fn check(&self) {
        let mut live = BTreeSet::new();
        for (id, lease) in self.board.leases.iter().filter(|(_, lease)| lease.live) {
            assert!(self.batches.contains_key(&lease.task.batch), "a lease on a batch that is gone");
            let entry = &self.board.sheets[&lease.task.batch].entries[&lease.task];
            match entry.state {
                State::Leased(held) => assert!(held == *id && live.insert(lease.task), "two live leases on one task"),
                State::Done(_) => {}
                _ => panic!("a live lease on a task that is ready or waits"),
            }
        }
        for (batch, sheet) in &self.board.sheets {
            let used = &self.batches[batch].1;
            for (task, entry) in &sheet.entries {
                assert_eq!(matches!(entry.state, State::Ready(_)), self.board.ready.contains(task));
                assert_eq!(usize::from(matches!(entry.state, State::Done(_))), used.get(task).copied().unwrap_or(0));
                let children = task.children(sheet.segments);
                let complete =
                    children.map(|child| &sheet.entries[&child].state).all(|state| matches!(state, State::Done(_)));
                assert_eq!(matches!(entry.state, State::Waiting), !complete, "{task:?}");
                if let State::Leased(lease) = entry.state {
                    assert!(
                        self.board.leases[&lease].live,
                        "a task is held by a lease that has ended: it would be lost"
                    );
                }
            }
        }
    }
}
