//! The board, case by case.

use super::*;
use cairn_circuits::MAX_SEGMENTS;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const RULES: Rules = Rules {
    lease: Duration::from_secs(10),
    patience: Duration::from_secs(100),
    silence: Duration::from_secs(60),
    most_wrong: 2,
    exclusion: Duration::from_secs(300),
    local: false,
};

/// A proof is the name of what it proves: a segment's place, or what it was made from.
pub(super) type Name = String;
pub(super) type Sheets = Board<(), Name>;

pub(super) fn made(assignment: &Assignment<(), Name>) -> Arc<Name> {
    let children: Vec<_> = assignment.children.iter().map(|child| child.as_str()).collect();
    Arc::new(format!("{}{}({})", assignment.task.height(), assignment.task.index, children.join(" ")))
}

/// What the top of a batch of `segments` must be made from.
pub(super) fn expected(segments: usize, height: usize, index: usize) -> Name {
    let children = Task::new(0, 0, height, index).children(segments);
    let children: Vec<_> = children.map(|child| expected(segments, child.height(), child.index)).collect();
    format!("{height}{index}({})", children.join(" "))
}

fn hello(board: &mut Sheets, id: u8, name: &str, slots: usize, now: Instant) -> Holder {
    board.hello([id; 16], name, slots, now).unwrap();
    Holder::Session([id; 16])
}

fn take(board: &mut Sheets, holder: Holder, now: Instant) -> Assignment<(), Name> {
    board.take(holder, now).unwrap().expect("a task")
}

fn board() -> (Sheets, Instant) {
    (Board::new(RULES), Instant::now())
}

#[test]
fn a_batch_of_any_size_is_finished_from_its_segments_up() {
    for segments in 1..=MAX_SEGMENTS {
        let (mut board, now) = board();
        let worker = hello(&mut board, 1, "one", 1, now);
        let batch = board.add(0, segments, (), now);
        while let Some(assignment) = board.take(worker, now).unwrap() {
            let proof = made(&assignment);
            assert!(board.complete(assignment.lease, proof, now).used);
        }
        assert_eq!(*board.finished(batch).unwrap(), expected(segments, TOP, 0));
        assert_eq!((board.done(batch)[0], board.done(batch)[2..].to_vec()), (segments, vec![1, 1]));
        assert_eq!(board.load(), (0, 0));
    }
}

#[test]
fn a_worker_gets_no_more_than_its_slots_and_two_never_the_same() {
    let (mut board, now) = board();
    let (one, other) = (hello(&mut board, 1, "one", 2, now), hello(&mut board, 2, "other", 8, now));
    board.add(0, 4, (), now);
    let mut tasks = vec![take(&mut board, one, now).task, take(&mut board, one, now).task];
    assert!(board.take(one, now).unwrap().is_none());
    tasks.extend([take(&mut board, other, now).task, take(&mut board, other, now).task]);
    assert!(board.take(other, now).unwrap().is_none(), "nothing is left");
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!(tasks.len(), 4);
}

#[test]
fn an_expired_lease_goes_to_another_and_the_first_good_proof_counts() {
    let (mut board, now) = board();
    let (one, other) = (hello(&mut board, 1, "one", 1, now), hello(&mut board, 2, "other", 1, now));
    let batch = board.add(0, 1, (), now);
    let first = take(&mut board, one, now);
    assert!(board.take(other, now).unwrap().is_none());
    assert!(board.expire(now + 9 * SECOND).is_empty());
    let later = now + 10 * SECOND;
    assert_eq!(board.expire(later), [(first.task, "one".to_owned())]);
    let second = take(&mut board, other, later);
    assert_eq!(second.task, first.task);
    // The first one is late and yet faster.
    assert!(board.wanted(&[1; 16], first.lease, later).unwrap().is_some());
    assert!(board.complete(first.lease, made(&first), later).used);
    assert_eq!(board.done(batch), [1, 0, 0, 0]);
    assert_eq!(board.heartbeat(&[2; 16], &[second.lease], later).unwrap(), [second.lease]);
    assert!(board.wanted(&[2; 16], second.lease, later).unwrap().is_none());
    assert!(!board.complete(second.lease, made(&second), later).used);
    assert_eq!(board.done(batch), [1, 0, 0, 0], "once");
}

#[test]
fn heartbeats_keep_a_lease_and_bring_back_one_that_nobody_took() {
    let (mut board, now) = board();
    let one = hello(&mut board, 1, "one", 1, now);
    board.add(0, 1, (), now);
    let lease = take(&mut board, one, now).lease;
    let mut time = now;
    for _ in 0..5 {
        time += 9 * SECOND;
        assert!(board.heartbeat(&[1; 16], &[lease], time).unwrap().is_empty());
        assert!(board.expire(time).is_empty());
    }
    time += 11 * SECOND;
    assert_eq!(board.expire(time).len(), 1);
    assert_eq!(board.load(), (1, 0));
    assert!(board.heartbeat(&[1; 16], &[lease], time).unwrap().is_empty());
    assert_eq!(board.load(), (0, 1));
    // But not beyond all patience.
    while time < now + 100 * SECOND {
        time += 5 * SECOND;
        board.heartbeat(&[1; 16], &[lease], time).unwrap();
    }
    assert_eq!(board.expire(time).len(), 1);
    assert!(board.heartbeat(&[1; 16], &[lease], time).unwrap().is_empty(), "it may still bring the proof");
    assert_eq!(board.load(), (1, 0));
}

#[test]
fn sessions_know_nothing_of_each_others_leases() {
    let (mut board, now) = board();
    let one = hello(&mut board, 1, "one", 1, now);
    hello(&mut board, 2, "other", 1, now);
    board.add(0, 1, (), now);
    let lease = take(&mut board, one, now).lease;
    assert!(board.wanted(&[2; 16], lease, now).unwrap().is_none());
    assert_eq!(board.heartbeat(&[2; 16], &[lease], now).unwrap(), [lease]);
    assert_eq!(board.load(), (0, 1), "and cannot end them");
    assert_eq!(board.wanted(&[3; 16], lease, now).unwrap_err(), NoSession);
}

#[test]
fn a_worker_that_says_goodbye_or_falls_silent_leaves_its_tasks_to_others() {
    let (mut board, now) = board();
    let (one, other) = (hello(&mut board, 1, "one", 2, now), hello(&mut board, 2, "other", 2, now));
    board.add(0, 2, (), now);
    take(&mut board, one, now);
    take(&mut board, one, now);
    board.goodbye(&[1; 16], now);
    assert_eq!(board.load(), (2, 0));
    assert_eq!(board.take(one, now).unwrap_err(), NoSession);
    take(&mut board, other, now);
    assert!(!board.is_stranded());
    board.expire(now + 60 * SECOND);
    assert_eq!((board.workers(), board.load()), (0, (2, 0)));
    assert!(board.is_stranded());
}

#[test]
fn a_wrong_proof_puts_a_worker_on_probation_and_the_next_one_excludes_it() {
    let (mut board, now) = board();
    let liar = hello(&mut board, 1, "liar", 4, now);
    let honest = hello(&mut board, 2, "honest", 4, now);
    board.add(0, 3, (), now);
    let first = take(&mut board, liar, now);
    let second = take(&mut board, liar, now);
    assert!(!board.wrong(first.lease, now));
    assert!(board.take(liar, now).unwrap().is_none(), "one at a time, which it has");
    board.release(second.lease, now);
    let third = take(&mut board, liar, now);
    assert!(![first.task, second.task].contains(&third.task), "what it failed at is for others");
    assert!(board.wrong(third.lease, now));
    assert_eq!(board.take(liar, now).unwrap_err(), NoSession);
    let refusal = board.hello([3; 16], "liar", 1, now + 10 * SECOND).unwrap_err();
    assert_eq!(refusal, HelloError::Excluded { wrong: 2, left: 290 * SECOND });
    let mut tasks: Vec<_> = (0..3).map(|_| take(&mut board, honest, now).task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!(tasks.len(), 3);
    board.hello([3; 16], "liar", 1, now + 300 * SECOND).unwrap();
}

#[test]
fn a_task_that_fails_with_everybody_is_tried_again_after_growing_pauses() {
    let (mut board, now) = board();
    let one = hello(&mut board, 1, "one", 1, now);
    board.add(0, 1, (), now);
    let mut time = now;
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let began = time;
        let assignment = loop {
            board.heartbeat(&[1; 16], &[], time).unwrap();
            if let Some(assignment) = board.take(one, time).unwrap() {
                break assignment;
            }
            time += Duration::from_millis(250);
        };
        pauses.push(time - began);
        board.release(assignment.lease, time);
    }
    assert_eq!(pauses[..2], [Duration::ZERO; 2]);
    assert!(pauses[2..].windows(2).all(|pair| pair[0] < pair[1] || pair[1] == MAX_PAUSE_IN_TESTS), "{pauses:?}");
    assert_eq!(pauses.last(), Some(&MAX_PAUSE_IN_TESTS));
}

const MAX_PAUSE_IN_TESTS: Duration = Duration::from_secs(60);

#[test]
fn older_batches_are_finished_first() {
    let (mut board, now) = board();
    let one = hello(&mut board, 1, "one", 64, now);
    board.add(8, 1, (), now);
    board.add(7, 2, (), now);
    let numbers: Vec<_> = (0..3).map(|_| take(&mut board, one, now).task.number).collect();
    assert_eq!(numbers, [7, 7, 8]);
}

#[test]
fn a_batch_that_is_removed_takes_its_tasks_and_leases_with_it() {
    let (mut board, now) = board();
    let one = hello(&mut board, 1, "one", 4, now);
    let gone = board.add(0, 2, (), now);
    let stays = board.add(1, 1, (), now);
    let assignment = take(&mut board, one, now);
    board.remove(gone);
    assert_eq!(board.heartbeat(&[1; 16], &[assignment.lease], now).unwrap(), [assignment.lease]);
    assert!(board.wanted(&[1; 16], assignment.lease, now).unwrap().is_none());
    assert!(!board.complete(assignment.lease, made(&assignment), now).used);
    assert_eq!(take(&mut board, one, now).task.batch, stays);
    assert!(board.take(one, now).unwrap().is_none());
}

#[test]
fn threads_of_this_process_share_the_board_and_their_leases_do_not_end() {
    let now = Instant::now();
    let mut board = Sheets::new(Rules { local: true, ..RULES });
    let one = hello(&mut board, 1, "one", 1, now);
    board.add(0, 2, (), now);
    let (here, there) = (take(&mut board, Holder::Local, now), take(&mut board, one, now));
    assert_ne!(here.task, there.task);
    let expired = board.expire(now + 1_000 * SECOND);
    assert_eq!(expired.len(), 1);
    assert!(board.complete(here.lease, made(&here), now).used);
    assert!(!board.wrong(here.lease, now), "it has ended");
    assert_eq!(take(&mut board, Holder::Local, now + 1_000 * SECOND).task, there.task);
}

#[test]
fn there_is_an_end_to_sessions() {
    let (mut board, now) = board();
    for index in 0..MAX_SESSIONS as u128 {
        board.hello(index.to_le_bytes(), "one", 1, now).unwrap();
    }
    assert_eq!(board.hello([0xff; 16], "one", 1, now), Err(HelloError::Full));
    board.expire(now + 60 * SECOND);
    board.hello([0xff; 16], "one", 1, now).unwrap();
}
