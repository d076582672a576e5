//! Random orders of everything that moves a rollup, against a model of it: what the program accepts is what the model says,
//! and from every state the rollup can go on.

use cairn_interface::{
    self as interface, ABANDON_AFTER_SLOTS, BATCH_RETENTION_SLOTS, BatchStatus, DEFAULT_QUEUE_DEADLINE, Initialize,
    OVERDUE_GRACE, SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, receipt_key};
use cairn_types::history::{Hash, NativeSha256, SettledBatch, path, root_of};
use cairn_types::{BatchHeader, Cursor};
use solana_sdk::signature::Keypair;
use std::collections::BTreeMap;

const MAX_PENDING: u32 = 4;
const STEPS: usize = 160;

/// xorshift64: the same orders on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A batch's account, as the model has it.
#[derive(Clone)]
struct Account {
    header: BatchHeader,
    generation: u64,
    slot: u64,
    time: i64,
    status: BatchStatus,
    settled_slot: u64,
    overdue: u32,
}

/// The rollup, as the model has it.
struct Model {
    settled: Cursor,
    tip: Cursor,
    generation: u64,
    overdue: u32,
    settled_overdue: u32,
    settled_slot: u64,
    accounts: BTreeMap<u64, Account>,
    /// Slots of the queue's entries, the first at 1.
    entries: Vec<u64>,
    /// Of all batches that ever settled.
    history: Vec<(BatchHeader, u64, i64)>,
    leaves: Vec<Hash>,
}

impl Model {
    fn new(genesis: Cursor) -> Self {
        Self {
            settled: genesis,
            tip: genesis,
            generation: 0,
            overdue: 0,
            settled_overdue: 0,
            settled_slot: 0,
            accounts: BTreeMap::new(),
            entries: vec![],
            history: vec![],
            leaves: vec![],
        }
    }

    /// The overdue count after a batch that ends at this queue position; none when it is refused.
    fn overdue_after(&self, header: &BatchHeader, slot: u64) -> Option<u32> {
        let before = self.accounts.get(&header.number).filter(|account| account.header == *header);
        if before.is_some_and(|account| account.overdue == 0) {
            return Some(0);
        }
        match self.entries.get(header.queue_to.position as usize) {
            Some(added) if slot - added > DEFAULT_QUEUE_DEADLINE => {
                (self.overdue < OVERDUE_GRACE).then_some(self.overdue + 1)
            }
            _ => Some(0),
        }
    }
}

struct Scene {
    machine: Machine,
    model: Model,
    random: Random,
    nodes: u64,
    /// How often each action was accepted, and how often refused.
    counts: BTreeMap<&'static str, (u64, u64)>,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut machine = Machine::without_rollup();
        machine.create(&Initialize { max_pending: MAX_PENDING, ..machine.arguments() }).expect("created");
        let model = Model::new(machine.rollup().tip);
        Self { machine, model, random: Random(seed), nodes: 0, counts: BTreeMap::new() }
    }

    fn now(&self) -> (u64, i64) {
        let clock = self.machine.svm.get_sysvar::<solana_sdk::clock::Clock>();
        (clock.slot, clock.unix_timestamp)
    }

    /// Compares what the program said with what the model says.
    fn expect(&mut self, action: &'static str, result: Result<u64, Failure>, error: Option<SettlementError>) -> bool {
        let expected = error.map_or(Ok(()), |error| Err(Failure::Refused(error)));
        assert_eq!(result.map(|_| ()), expected, "{action}");
        let (accepted, refused) = self.counts.entry(action).or_default();
        *if error.is_none() { accepted } else { refused } += 1;
        error.is_none()
    }

    fn act(&mut self) {
        match self.random.below(100) {
            0..30 => self.submit(),
            30..55 => self.settle(),
            55..62 => self.abandon_as_sequencer(),
            62..68 => self.abandon_as_stranger(),
            68..76 => self.close(),
            76..84 => self.restore(),
            84..92 => self.register(),
            _ => self.wait(),
        }
    }

    /// A new header, or that of the abandoned batch whose place it is.
    fn submit(&mut self) {
        let number = self.model.tip.batches;
        let abandoned = self.model.accounts.get(&number).map(|account| account.header);
        let again = abandoned.filter(|header| header.continues(&self.model.tip).is_ok() && self.random.below(2) == 0);
        let header = again.unwrap_or_else(|| {
            let consumed = self.model.tip.queue.position;
            let length = self.model.entries.len() as u64;
            let position = consumed + self.random.below(length - consumed + 1);
            let queue_to = if position == consumed {
                self.model.tip.queue
            } else {
                self.machine.queue().cursor_at(position).expect("it is in the ring")
            };
            BatchHeader { queue_to, bytes: self.random.below(1 << 20), ..self.machine.next_header() }
        });
        let (slot, time) = self.now();
        let overdue = self.model.overdue_after(&header, slot);
        let pending = number - self.model.settled.batches;
        let error = if pending >= MAX_PENDING.into() {
            Some(SettlementError::TooManyPending)
        } else if overdue.is_none() {
            Some(SettlementError::QueueOverdue)
        } else {
            None
        };
        let result = self.machine.submit(&header);
        if self.expect("submit", result, error) {
            let (generation, overdue) = (self.model.generation, overdue.unwrap_or_default());
            let status = BatchStatus::Submitted;
            let account = Account { header, generation, slot, time, status, settled_slot: 0, overdue };
            self.model.accounts.insert(number, account);
            self.model.tip = header.cursor();
            self.model.overdue = overdue;
        }
    }

    /// Mostly the next batch, with its own proof; sometimes any other that has an account.
    fn settle(&mut self) {
        let next = self.model.settled.batches;
        let numbers = self.model.accounts.keys().copied().collect::<Vec<_>>();
        let Some(any) = numbers.get(self.random.below(numbers.len().max(1) as u64) as usize) else { return };
        let number = if self.random.below(4) == 0 || !self.model.accounts.contains_key(&next) { *any } else { next };
        let account = self.model.accounts[&number].clone();
        let error = if number != next {
            Some(SettlementError::NotNextBatch)
        } else if account.generation != self.model.generation {
            Some(SettlementError::AbandonedBatch)
        } else {
            None
        };
        let result = self.machine.settle(number);
        if self.expect("settle", result, error) {
            let (slot, _) = self.now();
            let digest = account.header.statement();
            let batch = SettledBatch::of(&account.header, digest, account.slot, account.time);
            self.model.leaves.push(batch.leaf::<NativeSha256>());
            self.model.history.push((account.header, account.slot, account.time));
            self.model.settled = account.header.cursor();
            self.model.settled_overdue = account.overdue;
            self.model.settled_slot = slot;
            let account = self.model.accounts.get_mut(&number).expect("it is there");
            (account.status, account.settled_slot) = (BatchStatus::Settled, slot);
        }
    }

    fn abandoned(&mut self) {
        self.model.tip = self.model.settled;
        self.model.generation += 1;
        self.model.overdue = self.model.settled_overdue;
    }

    fn abandon_as_sequencer(&mut self) {
        let nothing = self.model.tip.batches == self.model.settled.batches;
        let result = self.machine.abandon();
        if self.expect("abandon", result, nothing.then_some(SettlementError::NothingToAbandon)) {
            self.abandoned();
        }
    }

    fn abandon_as_stranger(&mut self) {
        let prover = self.machine.prover.insecure_clone();
        let next = self.model.settled.batches;
        let error = if self.model.tip.batches == next {
            Some(SettlementError::NothingToAbandon)
        } else {
            let since = self.model.accounts[&next].slot.max(self.model.settled_slot);
            (self.now().0 < since + ABANDON_AFTER_SLOTS).then_some(SettlementError::TooEarlyToAbandon)
        };
        let instruction = self.machine.abandonment(&prover);
        let result = self.machine.send(&instruction, &prover);
        if self.expect("abandon as a stranger", result, error) {
            self.abandoned();
        }
    }

    fn close(&mut self) {
        let numbers = self.model.accounts.keys().copied().collect::<Vec<_>>();
        let Some(number) = numbers.get(self.random.below(numbers.len().max(1) as u64) as usize).copied() else {
            return;
        };
        let account = &self.model.accounts[&number];
        let error = match account.status {
            BatchStatus::Submitted if account.generation == self.model.generation => {
                Some(SettlementError::BatchPending)
            }
            BatchStatus::Settled if self.now().0 < account.settled_slot + BATCH_RETENTION_SLOTS => {
                Some(SettlementError::BatchRetained)
            }
            _ => None,
        };
        let payer = match account.status {
            BatchStatus::Restored => self.machine.prover.insecure_clone(),
            _ => self.machine.sequencer.insecure_clone(),
        };
        let result = self.machine.close_batch(number, &payer);
        if self.expect("close", result, error) {
            self.model.accounts.remove(&number);
        }
    }

    fn restore(&mut self) {
        if self.model.history.is_empty() {
            return;
        }
        let number = self.random.below(self.model.history.len() as u64);
        let (header, slot, time) = self.model.history[number as usize];
        let path = path::<NativeSha256>(&self.model.leaves, number as usize).expect("it settled");
        let present = self.model.accounts.contains_key(&number).then_some(SettlementError::BatchPresent);
        let instruction = self.machine.restoration(&header, slot, time, &path);
        let prover = self.machine.prover.insecure_clone();
        let result = self.machine.send(&instruction, &prover);
        if self.expect("restore", result, present) {
            let status = BatchStatus::Restored;
            let account = Account { header, generation: 0, slot, time, status, settled_slot: 0, overdue: 0 };
            self.model.accounts.insert(number, account);
        }
    }

    fn register(&mut self) {
        if self.model.entries.len() as u64 - self.model.settled.queue.position >= 20 {
            return;
        }
        let slot = self.now().0;
        let result = self.machine.register(&Keypair::new(), &receipt_key(self.nodes));
        self.expect("register", result, None);
        self.nodes += 1;
        self.model.entries.push(slot);
    }

    fn wait(&mut self) {
        let slots = [1, 1_000, DEFAULT_QUEUE_DEADLINE, BATCH_RETENTION_SLOTS][self.random.below(4) as usize];
        self.machine.advance(slots, 1);
    }

    /// The chain is what the model says.
    fn compare(&self) {
        let (rollup, model) = (self.machine.rollup(), &self.model);
        assert_eq!((rollup.settled, rollup.tip, rollup.generation), (model.settled, model.tip, model.generation));
        assert_eq!((rollup.overdue_batches, rollup.settled_overdue_batches), (model.overdue, model.settled_overdue));
        assert_eq!(rollup.settled_slot, model.settled_slot);
        let history = self.machine.history();
        assert_eq!((history.size, history.root), (model.leaves.len() as u64, root_of::<NativeSha256>(&model.leaves)));
        let highest = model.accounts.keys().next_back().copied().unwrap_or_default();
        for number in 0..=highest.max(model.tip.batches) + 1 {
            let Some(expected) = model.accounts.get(&number) else {
                assert!(!self.machine.has_batch(number), "batch {number}");
                continue;
            };
            let batch = self.machine.batch(number);
            assert_eq!((batch.header, batch.generation), (expected.header, expected.generation), "batch {number}");
            assert_eq!((batch.status, batch.settled_slot), (expected.status, expected.settled_slot), "batch {number}");
            assert_eq!(
                (batch.slot, batch.time, batch.overdue_batches),
                (expected.slot, expected.time, expected.overdue)
            );
        }
    }

    /// Whatever has happened, the sequencer and a prover settle another batch, without anyone's leave.
    fn go_on(&mut self) {
        let before = self.model.settled.batches;
        if self.model.tip.batches == before {
            let end = self.machine.queue().end;
            let queue_to = if end.position == self.model.tip.queue.position { self.model.tip.queue } else { end };
            let header = BatchHeader { queue_to, ..self.machine.next_header() };
            self.machine.submit(&header).expect("a batch that consumes everything is always taken");
        }
        self.machine.settle(before).expect("the next batch is always settled by its proof");
        let batch = self.machine.batch(before);
        let leaf = SettledBatch::of(&batch.header, batch.digest, batch.slot, batch.time).leaf::<NativeSha256>();
        let (generation, slot, time) = (batch.generation, batch.slot, batch.time);
        let (header, status, overdue) = (batch.header, batch.status, batch.overdue_batches);
        self.model.leaves.push(leaf);
        self.model.history.push((header, slot, time));
        self.model.settled = header.cursor();
        if self.model.tip.batches == before {
            self.model.tip = header.cursor();
            self.model.overdue = overdue;
        }
        self.model.settled_overdue = overdue;
        self.model.settled_slot = batch.settled_slot;
        let settled_slot = batch.settled_slot;
        self.model.accounts.insert(before, Account { header, generation, slot, time, status, settled_slot, overdue });
    }
}

#[test]
fn in_every_order_the_program_does_what_the_model_does_and_can_go_on() {
    let mut counts = BTreeMap::<_, (u64, u64)>::new();
    for seed in 1..=12 {
        let mut scene = Scene::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        for step in 0..STEPS {
            scene.act();
            scene.compare();
            if step % 40 == 39 {
                scene.go_on();
                scene.compare();
            }
        }
        for (action, (accepted, refused)) in scene.counts {
            let sum = counts.entry(action).or_default();
            *sum = (sum.0 + accepted, sum.1 + refused);
        }
    }
    println!("accepted and refused: {counts:?}");
    let each_way = ["submit", "settle", "abandon", "abandon as a stranger", "close", "restore"];
    for action in each_way {
        let (accepted, refused) = counts[action];
        assert!(accepted > 0 && refused > 0, "{action} was accepted {accepted} times and refused {refused} times");
    }
}

#[test]
fn a_sequencer_whose_batches_are_all_abandoned_by_strangers_goes_on() {
    let mut machine = Machine::new();
    let stranger = machine.funded();
    for _ in 0..5 {
        for _ in 0..3 {
            let header = machine.next_header();
            machine.submit(&header).expect("accepted");
        }
        machine.advance(ABANDON_AFTER_SLOTS, 1);
        let instruction = interface::abandon_batches(&PROGRAM_ID, &machine.rollup, &address(&stranger), 0);
        machine.send(&instruction, &stranger).expect("abandoned");
    }
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    machine.settle(0).expect("settled");
}
