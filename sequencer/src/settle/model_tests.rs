//! [`reconcile`] against a simulated cluster: forks, lost and repeated sends, expiry, servers that lag, abandoned batches,
//! and a sequencer that dies around any of its writes and sends.

use std::collections::{BTreeMap, BTreeSet};

use cairn_types::{Cursor, Digest};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::reconcile::{Action, IN_FLIGHT, Local, OnChain, Outgoing, View, Wait, reconcile};

/// Ticks after which the same bytes are sent again.
const REBROADCAST: u64 = 3;
/// Ticks with faults, and at most as many without them to come to an end.
const TICKS: u64 = 400;
/// Batches in the end.
const BATCHES: u64 = 40;

fn digest(number: u64) -> Digest {
    Digest::from_byte_digest([u8::try_from(number + 1).unwrap(); 32])
}

#[derive(Clone, Copy)]
struct Transaction {
    id: u64,
    number: u64,
    last_valid: u64,
}

/// A block; its height, and its slot, is its place.
#[derive(Clone, Default)]
struct Block {
    executed: Vec<(u64, bool)>,
    tip: u64,
}

/// The truth.
struct Cluster {
    random: StdRng,
    /// Of six chances to be executed, a transaction misses so many.
    delay: u32,
    /// Blocks for which a blockhash is good.
    valid: u64,
    /// Blocks from confirmed to final, at most.
    finality: usize,
    faults: bool,
    abandons: bool,
    blocks: Vec<Block>,
    finalized: usize,
    confirmed: usize,
    network: Vec<Transaction>,
    /// Everything that was ever signed and written down.
    signed: Vec<Transaction>,
    /// Batches whose execution became final, in order, over all abandonments.
    history: Vec<u64>,
    abandoned: u64,
}

impl Cluster {
    fn chance(&mut self, percent: u32) -> bool {
        self.faults && self.random.gen_range(0..100) < percent
    }

    /// A place at most `most` behind `place`, where servers lag.
    fn lagging(&mut self, place: usize, most: usize) -> usize {
        if self.faults { place.saturating_sub(self.random.gen_range(0..=most)) } else { place }
    }

    fn executed(&self, id: u64, until: usize) -> Option<bool> {
        let mut executed = self.blocks[..=until].iter().flat_map(|block| &block.executed);
        executed.find(|(of, _)| *of == id).map(|(_, ok)| *ok)
    }

    /// Whether it can never execute again, on no fork.
    fn is_dead(&self, transaction: &Transaction) -> bool {
        self.finalized as u64 > transaction.last_valid || self.executed(transaction.id, self.finalized).is_some()
    }

    fn tick(&mut self) {
        if self.chance(4) {
            let length = self.random.gen_range(self.finalized..self.blocks.len());
            self.blocks.truncate(length + 1);
            self.confirmed = self.confirmed.min(length);
        }
        let (mut tip, height) = (self.blocks.last().unwrap().tip, self.blocks.len() as u64);
        if self.abandons && self.chance(1) {
            let last = tip.min(3);
            let back = self.random.gen_range(0..=last);
            (tip, self.abandoned) = (tip - back, self.abandoned + back);
        }
        let mut block = Block { executed: Vec::new(), tip };
        self.network.shuffle(&mut self.random);
        for transaction in self.network.clone() {
            let waits = self.random.gen_range(0..6) < self.delay;
            if waits
                || height > transaction.last_valid
                || self.executed(transaction.id, self.blocks.len() - 1).is_some()
            {
                continue;
            }
            if block.executed.iter().any(|(id, _)| *id == transaction.id) {
                continue;
            }
            let ok = block.tip == transaction.number;
            block.tip += u64::from(ok);
            block.executed.push((transaction.id, ok));
        }
        self.blocks.push(block);
        let head = self.blocks.len() - 1;
        self.confirmed = self.confirmed.max(head.saturating_sub(self.random.gen_range(1..4)));
        let was = self.finalized;
        self.finalized = self.finalized.max(self.confirmed.saturating_sub(self.random.gen_range(4..self.finality)));
        let final_now = &self.blocks[was + 1..=self.finalized];
        let ids = final_now.iter().flat_map(|block| &block.executed).filter(|(_, ok)| *ok).map(|(id, _)| *id);
        let numbers = ids.map(|id| self.signed.iter().find(|signed| signed.id == id).unwrap().number);
        self.history.extend(numbers);
        if self.chance(20) {
            self.network.pop();
        }
        // What an earlier process, or somebody who listened, has sent before comes again.
        if self.chance(30)
            && let Some(ghost) = self.signed.choose(&mut self.random)
        {
            self.network.push(*ghost);
        }
        let expired = height;
        self.network.retain(|transaction| transaction.last_valid >= expired);
    }

    fn view(&self, place: usize) -> View {
        let tip = self.blocks[place].tip;
        let header_digest = tip.checked_sub(1).map_or(Digest::ZERO, digest);
        let tip = Cursor { batches: tip, header_digest, ..Cursor::genesis(&Digest::ZERO) };
        View { slot: place as u64, tip, settled: 0, max_pending: 1_000, paused: false }
    }
}

/// What the sequencer keeps.
#[derive(Default)]
struct Disk {
    submitted: u64,
    submitted_slot: u64,
    outbox: BTreeMap<u64, Transaction>,
}

/// What it forgets when it dies.
#[derive(Default)]
struct Memory {
    sent: BTreeMap<u64, (u64, u64)>,
    seen: u64,
}

#[derive(Debug, PartialEq)]
struct Died;

struct Simulation {
    cluster: Cluster,
    disk: Disk,
    memory: Memory,
    proved: u64,
    /// Ticks to prove a batch.
    pace: u64,
    now: u64,
    waits: BTreeSet<&'static str>,
    most_in_air: u64,
}

impl Simulation {
    fn new(seed: u64, abandons: bool) -> Self {
        let cluster = Cluster {
            random: StdRng::seed_from_u64(seed),
            delay: [0, 2, 5][seed as usize % 3],
            valid: [30, 50][seed as usize / 2 % 2],
            finality: [12, 40][seed as usize % 2],
            faults: true,
            abandons,
            blocks: vec![Block::default()],
            finalized: 0,
            confirmed: 0,
            network: Vec::new(),
            signed: Vec::new(),
            history: Vec::new(),
            abandoned: 0,
        };
        let (disk, memory) = (Disk::default(), Memory::default());
        Self { cluster, disk, memory, proved: 0, pace: 1 + seed % 5, now: 0, waits: BTreeSet::new(), most_in_air: 0 }
    }

    /// A moment at which the process may die.
    fn live(&mut self) -> Result<(), Died> {
        if self.cluster.chance(3) { Err(Died) } else { Ok(()) }
    }

    fn look(&mut self) -> (Local, OnChain) {
        let (finalized, confirmed) = (self.cluster.finalized, self.cluster.confirmed);
        let height = self.cluster.lagging(finalized, 3) as u64;
        let (at, and) = (self.cluster.lagging(finalized, 8), self.cluster.lagging(confirmed, 12));
        let statuses = self.cluster.lagging(self.cluster.blocks.len() - 1, 6);
        let chain = OnChain {
            finalized: self.cluster.view(at),
            confirmed: self.cluster.view(and),
            height_slot: height,
            block_height: height,
        };
        let known = |batches: u64| batches.checked_sub(1).map(digest);
        let outbox = self.disk.outbox.values().map(|transaction| {
            let status = self.cluster.executed(transaction.id, statuses);
            let sent = self.memory.sent.get(&transaction.number).filter(|(id, _)| *id == transaction.id);
            Outgoing {
                number: transaction.number,
                current: true,
                last_valid_block_height: transaction.last_valid,
                failed: self.cluster.executed(transaction.id, at) == Some(false),
                due: status.is_none() && sent.is_none_or(|(_, at)| self.now >= at + REBROADCAST),
            }
        });
        let local = Local {
            sealed: BATCHES,
            proved: self.proved,
            submitted: self.disk.submitted,
            submitted_slot: self.disk.submitted_slot.max(self.memory.seen),
            at_finalized: known(chain.finalized.tip.batches),
            at_confirmed: known(chain.confirmed.tip.batches),
            outbox: outbox.collect(),
        };
        (local, chain)
    }

    /// One step of the sequencer; whether it waits.
    fn step(&mut self) -> Result<bool, Died> {
        let (local, chain) = self.look();
        let action = reconcile(&local, &chain);
        if action != Action::Wait(Wait::Lag) {
            self.memory.seen = self.memory.seen.max(chain.finalized.slot);
        }
        self.live()?;
        match action {
            Action::Wait(wait) => {
                self.waits.insert(match wait {
                    Wait::Proof => "proof",
                    Wait::Finality => "finality",
                    Wait::Confirmation => "confirmation",
                    Wait::Lag => "lag",
                    Wait::Abandonment => "abandonment",
                    wait => panic!("{wait:?}"),
                });
                return Ok(true);
            }
            Action::Stop(divergence) => panic!("{divergence}"),
            Action::Rewind { batches } => {
                assert!(self.cluster.abandoned > 0, "nothing final was abandoned");
                self.disk.submitted = batches;
                self.disk.submitted_slot = chain.finalized.slot;
            }
            Action::Record { from, end } => {
                assert_eq!(from, self.disk.submitted);
                for number in from..end {
                    self.live()?;
                    self.disk.submitted = number + 1;
                    self.disk.submitted_slot = chain.finalized.slot;
                    self.disk.outbox.remove(&number);
                }
                let truth = self.cluster.blocks[..=self.cluster.finalized].iter().any(|block| block.tip >= end);
                assert!(truth, "{end} batches were recorded that were never final");
            }
            Action::Prepare { number } => {
                for old in self.cluster.signed.iter().filter(|old| old.number == number) {
                    let done = self.cluster.executed(old.id, self.cluster.finalized) == Some(true);
                    assert!(!done || self.cluster.abandons, "batch {number} was signed anew after it had become final");
                    assert!(self.cluster.is_dead(old), "batch {number} was signed anew while it could still execute");
                }
                assert!(number < self.disk.submitted + IN_FLIGHT && number < self.proved);
                let recent = self.cluster.finalized;
                let last_valid = self.cluster.lagging(recent, 10) as u64 + self.cluster.valid;
                let transaction = Transaction { id: self.cluster.signed.len() as u64, number, last_valid };
                self.cluster.signed.push(transaction);
                self.disk.outbox.insert(number, transaction);
                self.live()?;
            }
            Action::Send { number } => {
                let transaction = self.disk.outbox[&number];
                if !self.cluster.chance(25) {
                    self.cluster.network.push(transaction);
                }
                self.live()?;
                self.memory.sent.insert(number, (transaction.id, self.now));
                self.most_in_air = self.most_in_air.max(self.disk.outbox.len() as u64);
            }
        }
        Ok(false)
    }

    fn tick(&mut self) {
        self.now += 1;
        self.proved = (self.proved + u64::from(self.now.is_multiple_of(self.pace))).min(BATCHES);
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
        let final_tip = self.cluster.blocks[self.cluster.finalized].tip;
        (final_tip, self.disk.submitted, self.disk.outbox.len()) == (BATCHES, BATCHES, 0)
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
        let tips = [self.cluster.finalized, self.cluster.confirmed].map(|place| self.cluster.blocks[place].tip);
        panic!("wedged at {tips:?}, {} recorded, {} in the outbox", self.disk.submitted, self.disk.outbox.len());
    }
}

#[test]
fn every_proved_batch_becomes_final_once_whatever_the_cluster_does() {
    let (mut waits, mut most, mut resigned) = (BTreeSet::new(), 0, 0);
    for seed in 0..400 {
        let mut simulation = Simulation::new(seed, false);
        simulation.run();
        assert_eq!(simulation.cluster.history, (0..BATCHES).collect::<Vec<_>>(), "seed {seed}");
        waits.append(&mut simulation.waits);
        most = most.max(simulation.most_in_air);
        resigned += simulation.cluster.signed.len() as u64 - BATCHES;
    }
    assert_eq!(waits, ["proof", "finality", "confirmation", "lag"].into());
    assert!(most == IN_FLIGHT && resigned > 100, "{most} in the air at most, {resigned} signed anew");
}

#[test]
fn batches_that_the_chain_abandons_are_submitted_again() {
    let (mut abandoned, mut waits) = (0, BTreeSet::new());
    for seed in 1_000..1_200 {
        let mut simulation = Simulation::new(seed, true);
        simulation.run();
        let history: BTreeSet<_> = simulation.cluster.history.iter().copied().collect();
        assert_eq!(history, (0..BATCHES).collect(), "seed {seed}");
        abandoned += simulation.cluster.history.len() as u64 - BATCHES;
        waits.append(&mut simulation.waits);
    }
    assert!(abandoned > 0 && waits.contains("abandonment"), "{abandoned} abandoned, {waits:?}");
}
