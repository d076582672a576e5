//! Runs [`decide`] and [`plan`] against a cluster that loses, delays and repeats transactions, forks, answers late, has
//! strangers who do steps and settle, abandons batches, and kills the sequencer; in the end every batch is settled and the
//! rent is back.

use std::collections::{BTreeMap, BTreeSet};

use cairn_chain::{StepUnits, Verified};
use cairn_interface::ProofStep;
use cairn_types::{Cursor, Digest};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::air::Purpose;
use super::decide::{Action, Held, Local, OnChain, View, Wait, decide};
use super::plan;

/// Ticks after which the same bytes are sent again.
const REBROADCAST: u64 = 3;
/// Ticks with faults, and at most as many without them to come to an end.
const TICKS: u64 = 1_500;
/// Batches in the end.
const BATCHES: u64 = 12;
/// Chunks of a proof: the first has everything but the queries, and each other one has a query.
const CHUNKS: usize = 5;
/// The queries, one bit each.
const QUERIES: u32 = (1 << (CHUNKS - 1)) - 1;
/// Steps of a proof take three transactions.
const COSTS: StepUnits =
    StepUnits { transaction: 0, transcript: 400_000, constraints: 800_000, query: 350_000, settle: 100_000 };

fn digest(number: u64) -> Digest {
    Digest::from_byte_digest([u8::try_from(number + 1).unwrap(); 32])
}

/// What a chunk of the proof of a batch has in it; never what another's has.
fn chunk(number: u64, place: usize) -> u64 {
    (number + 1) * 100 + place as u64
}

/// The word that the proof of a batch is ground for.
fn last_word(number: u64) -> u64 {
    number + 1
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Account {
    statement: u64,
    chunks: [u64; CHUNKS],
    last_word: u64,
    verified: Verified,
}

impl Account {
    fn is_whole(&self) -> bool {
        (0..CHUNKS).all(|place| self.chunks[place] == chunk(self.statement, place))
    }

    /// Does a step as the program does.
    fn step(&mut self, step: ProofStep) -> bool {
        match step {
            ProofStep::Transcript if self.verified.transcript => true,
            ProofStep::Transcript => {
                let holds = self.last_word == last_word(self.statement) && self.chunks[0] == chunk(self.statement, 0);
                self.verified.transcript |= holds;
                holds
            }
            ProofStep::Constraints => {
                self.verified.constraints |= self.verified.transcript;
                self.verified.transcript
            }
            ProofStep::Queries(queries) => {
                let holds = |query: usize| self.chunks[query + 1] == chunk(self.statement, query + 1);
                let all = (0..CHUNKS - 1).filter(|query| queries & (1 << query) != 0).all(holds);
                let ok = all && self.verified.constraints;
                if ok {
                    self.verified.queries |= queries;
                    self.verified.complete = self.verified.queries == QUERIES;
                }
                ok
            }
        }
    }
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq)]
enum Deed {
    Open(u64),
    Reset(u64),
    Write(usize, u64),
    Verify { last: Option<u64>, steps: Vec<ProofStep>, settles: Option<u64> },
    Settle(u64),
    Close,
}

#[derive(Clone, Debug)]
struct Transaction {
    id: u64,
    deed: Deed,
    last_valid: u64,
}

/// The accounts.
#[derive(Clone, Default)]
struct State {
    settled: u64,
    tip: u64,
    account: Option<Account>,
}

impl State {
    /// Executes as the program does: wholly, or not at all.
    fn execute(&mut self, deed: &Deed) -> bool {
        let mut next = self.clone();
        let done = next.apply(deed).is_some();
        if done {
            *self = next;
        }
        done
    }

    fn apply(&mut self, deed: &Deed) -> Option<()> {
        match deed {
            Deed::Open(statement) => {
                self.account.is_none().then_some(())?;
                self.account = Some(Account { statement: *statement, ..Account::default() });
            }
            Deed::Reset(statement) => {
                let account = self.account.as_mut()?;
                (account.statement, account.verified, account.last_word) = (*statement, Verified::default(), 0);
            }
            Deed::Write(place, content) => {
                let account = self.account.as_mut().filter(|account| !account.verified.transcript)?;
                account.chunks[*place] = *content;
            }
            Deed::Verify { last, steps, settles } => {
                let account = self.account.as_mut()?;
                if let Some(word) = last {
                    (!account.verified.transcript).then_some(())?;
                    account.last_word = *word;
                }
                steps.iter().all(|step| account.step(*step)).then_some(())?;
                if let Some(number) = settles {
                    self.settle(*number)?;
                }
            }
            Deed::Settle(number) => self.settle(*number)?,
            Deed::Close => {
                self.account.take()?;
            }
        }
        Some(())
    }

    fn settle(&mut self, number: u64) -> Option<()> {
        let account = self.account.as_ref().filter(|account| account.verified.complete)?;
        (account.statement == number && self.settled == number && self.tip > number).then_some(())?;
        assert!(account.is_whole(), "a proof was verified of which other bytes are there");
        self.settled += 1;
        Some(())
    }
}

/// A block; its height, and its slot, is its place.
#[derive(Clone, Default)]
struct Block {
    executed: Vec<(u64, bool)>,
    state: State,
}

/// The truth.
struct Cluster {
    random: StdRng,
    /// Blocks for which a blockhash is good.
    valid: u64,
    /// Blocks from confirmed to final, at most.
    finality: usize,
    faults: bool,
    /// Whether anybody else does anything.
    strangers: bool,
    /// Whether somebody does the first step in every block, as soon as it can be done.
    eager: bool,
    blocks: Vec<Block>,
    finalized: usize,
    confirmed: usize,
    network: Vec<Transaction>,
    /// Everything that was ever signed.
    signed: Vec<Transaction>,
    /// Headers that are to be submitted.
    proved: u64,
    happened: BTreeSet<&'static str>,
}

impl Cluster {
    fn chance(&mut self, percent: u32) -> bool {
        self.faults && self.random.gen_range(0..100) < percent
    }

    /// A place at most `most` behind `place`, where servers lag.
    fn lagging(&mut self, place: usize, most: usize) -> usize {
        if self.faults { place.saturating_sub(self.random.gen_range(0..=most)) } else { place }
    }

    fn executed(&self, id: u64, until: usize) -> Option<(usize, bool)> {
        let blocks = self.blocks[..=until].iter().enumerate();
        let mut executed =
            blocks.flat_map(|(place, block)| block.executed.iter().map(move |(of, ok)| (place, *of, *ok)));
        executed.find(|(_, of, _)| *of == id).map(|(place, _, ok)| (place, ok))
    }

    /// What somebody else does to the state.
    fn strange(&mut self, state: &mut State) {
        if self.eager {
            let first = Deed::Verify { last: None, steps: vec![ProofStep::Transcript], settles: None };
            let is_begun = |state: &State| state.account.as_ref().is_some_and(|account| account.verified.transcript);
            if !is_begun(state) && state.execute(&first) {
                self.happened.insert("a stranger did a step");
            }
        }
        if self.strangers && self.chance(3) {
            let step = match self.random.gen_range(0..3) {
                0 => ProofStep::Transcript,
                1 => ProofStep::Constraints,
                _ => ProofStep::Queries(self.random.gen_range(1..=QUERIES)),
            };
            if state.execute(&Deed::Verify { last: None, steps: vec![step], settles: None }) {
                self.happened.insert("a stranger did a step");
            }
        }
        if self.strangers && self.chance(1) && state.tip > state.settled {
            state.settled += 1;
            self.happened.insert("a stranger settled");
        }
        if self.strangers && self.chance(1) && state.tip > state.settled {
            state.tip = state.settled;
            self.happened.insert("batches were abandoned");
        }
        // Submitting goes on by itself.
        if state.tip < self.proved && self.random.gen_range(0..4) == 0 {
            state.tip += 1;
        }
    }

    fn tick(&mut self) {
        if self.chance(4) {
            let length = self.random.gen_range(self.finalized..self.blocks.len());
            if length + 1 < self.blocks.len() {
                self.happened.insert("a fork won");
            }
            self.blocks.truncate(length + 1);
            self.confirmed = self.confirmed.min(length);
        }
        let mut state = self.blocks.last().unwrap().state.clone();
        let height = self.blocks.len() as u64;
        self.strange(&mut state);
        let mut executed: Vec<(u64, bool)> = Vec::new();
        self.network.shuffle(&mut self.random);
        for transaction in self.network.clone() {
            let waits = self.chance(30);
            let known = self.executed(transaction.id, self.blocks.len() - 1).is_some()
                || executed.iter().any(|(id, _)| *id == transaction.id);
            if !waits && !known && height <= transaction.last_valid {
                executed.push((transaction.id, state.execute(&transaction.deed)));
            }
        }
        self.blocks.push(Block { executed, state });
        let head = self.blocks.len() - 1;
        self.confirmed = self.confirmed.max(head.saturating_sub(self.random.gen_range(1..4)));
        self.finalized = self.finalized.max(self.confirmed.saturating_sub(self.random.gen_range(4..self.finality)));
        if self.chance(20) {
            self.network.pop();
        }
        // What an earlier process, or somebody who listened, has sent before comes again.
        if self.chance(30)
            && let Some(ghost) = self.signed.choose(&mut self.random)
        {
            self.network.push(ghost.clone());
        }
        self.network.retain(|transaction| transaction.last_valid >= height);
    }

    fn view(&self, place: usize) -> View {
        let State { settled, tip, .. } = self.blocks[place].state;
        let header_digest = settled.checked_sub(1).map_or(Digest::ZERO, digest);
        let settled = Cursor { batches: settled, header_digest, ..Cursor::genesis(&Digest::ZERO) };
        View { slot: place as u64, settled, tip }
    }
}

/// What the sequencer keeps.
#[derive(Default)]
struct Disk {
    settled: u64,
    settled_slot: u64,
    named: bool,
}

/// What it forgets when it dies.
#[derive(Default)]
struct Memory {
    sent: BTreeMap<Purpose, (Transaction, u64)>,
    seen: u64,
}

#[derive(Debug, PartialEq)]
struct Died;

struct Simulation {
    cluster: Cluster,
    disk: Disk,
    memory: Memory,
    /// Ticks to prove a batch.
    pace: u64,
    now: u64,
    actions: BTreeSet<&'static str>,
}

impl Simulation {
    fn new(seed: u64, strangers: bool) -> Self {
        let cluster = Cluster {
            random: StdRng::seed_from_u64(seed),
            valid: [30, 60][seed as usize / 2 % 2],
            finality: [12, 40][seed as usize % 2],
            faults: true,
            strangers,
            eager: false,
            blocks: vec![Block::default()],
            finalized: 0,
            confirmed: 0,
            network: Vec::new(),
            signed: Vec::new(),
            proved: 0,
            happened: BTreeSet::new(),
        };
        let (disk, memory) = (Disk::default(), Memory::default());
        Self { cluster, disk, memory, pace: 10 + seed % 50, now: 0, actions: BTreeSet::new() }
    }

    /// A moment at which the process may die.
    fn live(&mut self) -> Result<(), Died> {
        if self.cluster.chance(2) { Err(Died) } else { Ok(()) }
    }

    fn look(&mut self) -> (Local, OnChain, Option<Account>) {
        let (finalized, confirmed) = (self.cluster.finalized, self.cluster.confirmed);
        let (at, and) = (self.cluster.lagging(finalized, 8), self.cluster.lagging(confirmed, 3));
        let (finalized, confirmed) = (self.cluster.view(at), self.cluster.view(and));
        let account = self.cluster.blocks[and].state.account.clone();
        let next = confirmed.settled.batches;
        let held = match &account {
            None => Held::Nothing,
            Some(account) if next >= self.cluster.proved || account.statement != next => Held::Other,
            Some(account) if account.verified.complete => Held::Verified,
            Some(account) if account.verified.transcript => {
                Held::Begun { whole: account.is_whole() && account.last_word == last_word(next) }
            }
            Some(account) => Held::Written { whole: account.is_whole() },
        };
        let known = |batches: u64| batches.checked_sub(1).map(digest);
        let local = Local {
            proved: self.cluster.proved,
            submitted: BATCHES,
            settled: self.disk.settled,
            settled_slot: self.disk.settled_slot.max(self.memory.seen),
            at_finalized: known(finalized.settled.batches),
            at_confirmed: known(confirmed.settled.batches),
            settles: true,
            rested: self.cluster.proved == BATCHES,
            named: self.disk.named,
        };
        (local, OnChain { finalized, confirmed, held }, account)
    }

    /// One step of the sequencer; whether it waits.
    fn step(&mut self) -> Result<bool, Died> {
        let (local, chain, account) = self.look();
        let action = decide(&local, &chain);
        if action != Action::Wait(Wait::Lag) {
            self.memory.seen = self.memory.seen.max(chain.finalized.slot);
        }
        self.live()?;
        let deeds = match action {
            Action::Wait(_) => return Ok(true),
            Action::Stop(contradiction) => panic!("{contradiction}"),
            Action::Record { from, end } => {
                assert_eq!(from, self.disk.settled);
                let truth = self.cluster.blocks[self.cluster.finalized].state.settled;
                assert!(truth >= end, "{end} batches were recorded, and {truth} are finally settled");
                (self.disk.settled, self.disk.settled_slot) = (end, chain.finalized.slot);
                return Ok(false);
            }
            Action::Name => {
                self.disk.named = true;
                return Ok(false);
            }
            Action::Open { number } => vec![(Purpose::Open, Deed::Open(number))],
            Action::Reset { number } => vec![(Purpose::Reset, Deed::Reset(number))],
            Action::Upload { number } => {
                let held = account.unwrap();
                let missing = (0..CHUNKS).filter(|place| held.chunks[*place] != chunk(number, *place));
                missing.map(|place| (Purpose::Chunk(place as u32), Deed::Write(place, chunk(number, place)))).collect()
            }
            Action::Verify { number, settles } => {
                let planned = plan::next(account.unwrap().verified, QUERIES, &COSTS);
                let last = planned.begins.then_some(last_word(number));
                let settles = (settles && planned.settles).then_some(number);
                vec![(Purpose::Verify, Deed::Verify { last, steps: planned.steps, settles })]
            }
            Action::Settle { number } => vec![(Purpose::Settle, Deed::Settle(number))],
            Action::Close => vec![(Purpose::Close, Deed::Close)],
        };
        self.actions.insert(match action {
            Action::Open { .. } => "open",
            Action::Reset { .. } => "reset",
            Action::Upload { .. } => "upload",
            Action::Verify { settles: true, .. } => "verify and settle",
            Action::Verify { settles: false, .. } => "verify",
            Action::Settle { .. } => "settle",
            _ => "close",
        });
        assert!(self.disk.named, "something is sent to an address that is not on disk");
        self.fly(deeds, chain.confirmed.slot)
    }

    /// Sends what is due; whether nothing is.
    fn fly(&mut self, deeds: Vec<(Purpose, Deed)>, confirmed: u64) -> Result<bool, Died> {
        let mut waits = true;
        let mut before = std::mem::take(&mut self.memory.sent);
        for (purpose, deed) in deeds {
            let known = before.remove(&purpose).filter(|(transaction, _)| transaction.deed == deed);
            let (transaction, sent) = match known {
                Some((transaction, sent)) => {
                    let fate = self.cluster.executed(transaction.id, self.cluster.confirmed);
                    let expired = self.cluster.finalized as u64 > transaction.last_valid;
                    match fate {
                        Some((place, true)) if place as u64 > confirmed => (transaction, Some(sent)),
                        Some(_) => (self.sign(deed), None),
                        None if expired => (self.sign(deed), None),
                        None if self.now < sent + REBROADCAST => (transaction, Some(sent)),
                        None => (transaction, None),
                    }
                }
                None => (self.sign(deed), None),
            };
            if sent.is_none() {
                waits = false;
                if !self.cluster.chance(25) {
                    self.cluster.network.push(transaction.clone());
                }
                self.live()?;
            }
            self.memory.sent.insert(purpose, (transaction, sent.unwrap_or(self.now)));
        }
        Ok(waits)
    }

    fn sign(&mut self, deed: Deed) -> Transaction {
        let recent = self.cluster.finalized;
        let last_valid = self.cluster.lagging(recent, 10) as u64 + self.cluster.valid;
        let transaction = Transaction { id: self.cluster.signed.len() as u64, deed, last_valid };
        self.cluster.signed.push(transaction.clone());
        transaction
    }

    fn tick(&mut self) {
        self.now += 1;
        let proved = self.cluster.proved + u64::from(self.now.is_multiple_of(self.pace));
        self.cluster.proved = proved.min(BATCHES);
        self.cluster.tick();
        for _ in 0..6 {
            match self.step() {
                Ok(true) => break,
                Ok(false) => {}
                Err(Died) => self.memory = Memory::default(),
            }
        }
    }

    fn is_done(&self) -> bool {
        let last = &self.cluster.blocks[self.cluster.finalized].state;
        (last.settled, self.disk.settled, last.account.is_none()) == (BATCHES, BATCHES, true)
    }

    fn run(&mut self) {
        for _ in 0..TICKS {
            self.tick();
        }
        self.cluster.faults = false;
        for _ in 0..TICKS {
            if self.is_done() {
                return;
            }
            self.tick();
        }
        let State { settled, tip, .. } = self.cluster.blocks[self.cluster.finalized].state;
        let ((local, chain, account), recorded) = (self.look(), self.disk.settled);
        panic!("wedged: {settled} settled of {tip}, {recorded} recorded, {account:?}, {local:?}, {chain:?}");
    }
}

#[test]
fn every_proved_batch_is_settled_and_the_rent_is_back_whatever_the_cluster_does() {
    let (mut actions, mut happened) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..150 {
        let mut simulation = Simulation::new(seed, false);
        simulation.run();
        actions.append(&mut simulation.actions);
        happened.append(&mut simulation.cluster.happened);
    }
    let expected = ["open", "reset", "upload", "verify", "verify and settle", "settle", "close"];
    assert_eq!(actions, expected.into());
    assert_eq!(happened, ["a fork won"].into());
}

#[test]
fn strangers_who_step_settle_and_abandon_hold_nothing_up() {
    let mut happened = BTreeSet::new();
    for seed in 1_000..1_150 {
        let mut simulation = Simulation::new(seed, true);
        simulation.run();
        happened.append(&mut simulation.cluster.happened);
    }
    let expected = ["a fork won", "a stranger did a step", "a stranger settled", "batches were abandoned"];
    assert_eq!(happened, expected.into());
}

/// A proof is begun of which the part that the first step reads is right, and another is not: it has to be reset, and whoever does
/// the first step again before the rest is mended has frozen it anew.
#[test]
fn a_stranger_who_does_the_first_step_at_once_holds_nothing_up() {
    for seed in 2_000..2_050 {
        let mut simulation = Simulation::new(seed, seed % 2 == 0);
        simulation.cluster.eager = true;
        simulation.disk.named = true;
        let mut account = Account { last_word: last_word(0), ..Account::default() };
        account.chunks = std::array::from_fn(|place| chunk(0, place));
        account.chunks[CHUNKS - 1] += 1;
        assert!(account.step(ProofStep::Transcript));
        simulation.cluster.blocks[0].state.account = Some(account);
        simulation.run();
    }
}
