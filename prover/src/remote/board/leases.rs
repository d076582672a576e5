//! Leases: taken, extended, ended.

use super::members::Session;
use super::{Assignment, Board, Completed, Holder, Lease, NoSession, SessionId, State, Task};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// First pause after a failure of a task; it doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(60);

impl<W, P> Board<W, P> {
    /// Ends leases and sessions whose time is over. Gives the leases' tasks, and who held them.
    pub fn expire(&mut self, now: Instant) -> Vec<(Task, String)> {
        let over = |lease: &Lease| {
            lease.live && lease.deadline.is_some_and(|deadline| deadline.min(lease.since + self.rules.patience) <= now)
        };
        let ended: Vec<u64> = self.leases.iter().filter(|(_, lease)| over(lease)).map(|(id, _)| *id).collect();
        let mut expired = Vec::new();
        for id in ended {
            let Some(lease) = self.leases.get_mut(&id) else { continue };
            lease.live = false;
            let (task, holder) = (lease.task, lease.holder);
            if let Holder::Session(session) = holder {
                expired.push((task, self.name(&session).unwrap_or_default().to_owned()));
            }
            self.ready_again(task, id, now);
        }
        let silent = |session: &Session| now.saturating_duration_since(session.heard) >= self.rules.silence;
        let silent: Vec<_> =
            self.members.sessions.iter().filter(|(_, session)| silent(session)).map(|(id, _)| *id).collect();
        silent.iter().for_each(|id| self.goodbye(id, now));
        self.members.forgive(now);
        expired
    }

    /// Takes the next task that this holder may have.
    ///
    /// # Errors
    /// When its session has ended.
    pub fn take(&mut self, holder: Holder, now: Instant) -> Result<Option<Assignment<W, P>>, NoSession> {
        if let Holder::Session(id) = holder {
            let session = self.members.sessions.get_mut(&id).ok_or(NoSession)?;
            session.heard = now;
            let held = session.leases.iter().filter(|id| self.leases.get(id).is_some_and(|lease| lease.live)).count();
            let (name, slots) = (session.name.clone(), session.slots);
            if held >= if self.members.on_probation(&name) { 1 } else { slots } {
                return Ok(None);
            }
        }
        let Some(task) = self.ready.iter().find(|task| self.may_take(task, holder, now)).copied() else {
            return Ok(None);
        };
        self.ready.remove(&task);
        let lease = self.unique();
        let deadline = (holder != Holder::Local).then(|| now + self.rules.lease);
        self.leases.insert(lease, Lease { task, holder, since: now, deadline, live: true });
        if let Holder::Session(id) = holder
            && let Some(session) = self.members.sessions.get_mut(&id)
        {
            session.leases.insert(lease);
        }
        let Some(sheet) = self.sheets.get_mut(&task.batch) else { return Ok(None) };
        let children = task.children(sheet.segments).filter_map(|child| match &sheet.entries.get(&child)?.state {
            State::Done(proof) => proof.clone(),
            _ => None,
        });
        let children = children.collect();
        if let Some(entry) = sheet.entries.get_mut(&task) {
            entry.state = State::Leased(lease);
        }
        Ok(Some(Assignment { lease, task, work: Arc::clone(&sheet.work), children }))
    }

    /// Whether a ready task may go to this holder: its pause is over, and it has not failed there while somebody else is
    /// there to try.
    fn may_take(&self, task: &Task, holder: Holder, now: Instant) -> bool {
        let Some(entry) = self.sheets.get(&task.batch).and_then(|sheet| sheet.entries.get(task)) else { return false };
        if !matches!(entry.state, State::Ready(from) if from <= now) {
            return false;
        }
        match holder {
            Holder::Local => true,
            Holder::Session(id) => {
                let failed = self.name(&id).is_ok_and(|name| entry.failed_by.contains(name));
                !failed || !(self.rules.local || self.members.others_than(&entry.failed_by))
            }
        }
    }

    /// Extends leases. Gives those that are not wanted any more.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn heartbeat(&mut self, id: &SessionId, leases: &[u64], now: Instant) -> Result<Vec<u64>, NoSession> {
        let session = self.members.sessions.get_mut(id).ok_or(NoSession)?;
        session.heard = now;
        let held = session.leases.clone();
        let mut unwanted = leases.to_vec();
        unwanted.retain(|lease| !held.contains(lease) || !self.extend(*lease, now));
        for lease in unwanted.iter().filter(|lease| held.contains(lease)) {
            self.drop_lease(*lease);
        }
        Ok(unwanted)
    }

    /// Extends a lease, also one that has expired if nobody has taken its task since. Gives whether it is wanted.
    fn extend(&mut self, id: u64, now: Instant) -> bool {
        let Some(lease) = self.leases.get_mut(&id) else { return false };
        let Some(entry) = self.sheets.get_mut(&lease.task.batch).and_then(|sheet| sheet.entries.get_mut(&lease.task))
        else {
            return false;
        };
        if matches!(entry.state, State::Done(_)) {
            return false;
        }
        let in_time = now < lease.since + self.rules.patience;
        if in_time && (lease.live || self.ready.remove(&lease.task)) {
            entry.state = State::Leased(id);
            lease.live = true;
            lease.deadline = Some(now + self.rules.lease);
        }
        true
    }

    /// What a lease is on, if its task is still to be done; `None` if the lease has ended or somebody was faster.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn wanted(&mut self, id: &SessionId, lease: u64, now: Instant) -> Result<Option<(Task, Arc<W>)>, NoSession> {
        let session = self.members.sessions.get_mut(id).ok_or(NoSession)?;
        session.heard = now;
        if !session.leases.contains(&lease) {
            return Ok(None);
        }
        let Some(task) = self.leases.get(&lease).map(|lease| lease.task) else { return Ok(None) };
        let sheet = self.sheets.get(&task.batch);
        let sheet =
            sheet.filter(|sheet| sheet.entries.get(&task).is_some_and(|entry| !matches!(entry.state, State::Done(_))));
        Ok(sheet.map(|sheet| (task, Arc::clone(&sheet.work))))
    }

    /// Brings in a proof that was checked. The lease ends.
    pub fn complete(&mut self, lease: u64, proof: Arc<P>, now: Instant) -> Completed {
        let Some(Lease { task, since, .. }) = self.drop_lease(lease) else {
            return Completed { used: false, took: Duration::ZERO };
        };
        let took = now.saturating_duration_since(since);
        Completed { used: self.settle(task, proof, now), took }
    }

    /// A worker brought a wrong proof: the lease ends, and the worker with it when that happens too often. Gives whether
    /// it did.
    pub fn wrong(&mut self, lease: u64, now: Instant) -> bool {
        let Some(name) = self.failed(lease, now) else { return false };
        let excluded = self.members.wrong(&name, now);
        if excluded {
            let sessions = self.members.sessions.iter().filter(|(_, session)| session.name == name);
            let sessions: Vec<_> = sessions.map(|(id, _)| *id).collect();
            sessions.iter().for_each(|id| self.goodbye(id, now));
        }
        excluded
    }

    /// A worker could not make a proof: the lease ends, and others are asked first.
    pub fn release(&mut self, lease: u64, now: Instant) {
        self.failed(lease, now);
    }

    /// Ends a lease that failed. Gives the worker's name.
    fn failed(&mut self, id: u64, now: Instant) -> Option<String> {
        let Lease { task, holder, .. } = self.leases.get(&id)?;
        let (task, holder) = (*task, *holder);
        let Holder::Session(session) = holder else { return None };
        let name = self.name(&session).ok()?.to_owned();
        let entry = self.sheets.get_mut(&task.batch).and_then(|sheet| sheet.entries.get_mut(&task));
        let mut pause = Duration::ZERO;
        if let Some(entry) = entry {
            entry.failed_by.insert(name.clone());
            entry.failures = entry.failures.saturating_add(1);
            // The first failure is likely the worker's fault; what fails again and again must not keep everybody busy.
            let doublings = entry.failures.saturating_sub(2).min(16);
            pause = if entry.failures < 2 { Duration::ZERO } else { MAX_PAUSE.min(PAUSE * (1 << doublings)) };
        }
        self.give_back(id, now + pause);
        Some(name)
    }

    pub(super) fn give_back(&mut self, id: u64, from: Instant) {
        if let Some(lease) = self.drop_lease(id) {
            self.ready_again(lease.task, id, from);
        }
    }

    /// Makes a task ready if this lease is the one on it.
    fn ready_again(&mut self, task: Task, lease: u64, from: Instant) {
        let entry = self.sheets.get_mut(&task.batch).and_then(|sheet| sheet.entries.get_mut(&task));
        if let Some(entry) = entry.filter(|entry| matches!(entry.state, State::Leased(held) if held == lease)) {
            entry.state = State::Ready(from);
            self.ready.insert(task);
        }
    }

    pub(super) fn drop_lease(&mut self, id: u64) -> Option<Lease> {
        let lease = self.leases.remove(&id)?;
        if let Holder::Session(session) = lease.holder
            && let Some(session) = self.members.sessions.get_mut(&session)
        {
            session.leases.remove(&id);
        }
        Some(lease)
    }
}
