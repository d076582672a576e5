//! A chain whose confirmed and final states are what a test says, one after the other, and that can fail, lag and wake.

use super::{Bench, NODE, digest, receipt, record, signed};
use crate::support::Ledger;
use cairn_chain::{
    Account, AccountWatch, Accounts, Address, Blockhash, Chain, ChainError, Commitment, RollupClient, Signature,
    SignedTransaction, Tip, TransactionStatus,
};
use cairn_interface::{BATCH, BatchStatus, ROLLUP, layout};
use cairn_schnorr::SigningKey;
use cairn_types::{Batch, BatchHeader, Cursor, Digest};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

const SETTLED: usize = layout::DISCRIMINATOR + 7 * 32;
const TIP: usize = SETTLED + layout::CURSOR;
const GENERATION: usize = TIP + layout::CURSOR + 8;
const LOCATION: usize = ROLLUP.size - 200;
const LOCATION_LENGTH: usize = ROLLUP.size - layout::ROLLUP_TAIL + 3;
/// In a `Batch`, after rollup and payer.
const NUMBER: usize = layout::DISCRIMINATOR + 2 * 32;

/// What the chain shows at one commitment.
#[derive(Clone, Default)]
pub struct World {
    pub headers: Vec<BatchHeader>,
    pub settled: usize,
    /// Accounts of this many batches are closed.
    pub closed: usize,
    pub generation: u64,
    pub location: String,
    pub slot: u64,
}

struct State {
    finalized: World,
    confirmed: World,
    failing: bool,
    reads: u64,
}

pub struct Staged {
    genesis: [u8; 32],
    rollup: (Address, Account),
    batch: Account,
    client: RollupClient,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

impl Staged {
    /// The chain of `bench` with its batch 0, final.
    pub async fn new(bench: &Bench) -> Arc<Self> {
        let address = bench.client.address();
        let read =
            bench.chain.accounts(&[address, bench.client.batch_address(0)], Commitment::Finalized).await.unwrap();
        let mut accounts = read.accounts.into_iter().map(Option::unwrap);
        let (rollup, batch) = (accounts.next().unwrap(), accounts.next().unwrap());
        let header = bench.client.batch(0).await.unwrap().unwrap().header;
        let world = World { headers: vec![header], slot: 1_000, ..World::default() };
        Arc::new(Self {
            genesis: bench.chain.genesis_hash().await.unwrap(),
            rollup: (address, rollup),
            batch,
            client: bench.client.clone(),
            state: Mutex::new(State { finalized: world.clone(), confirmed: world, failing: false, reads: 0 }),
            changes: watch::Sender::new(0),
        })
    }

    /// From now on the chain shows this. Slots move on.
    pub fn show(&self, finalized: &[BatchHeader], confirmed: &[BatchHeader]) {
        self.change(|finalized_world, confirmed_world| {
            finalized_world.headers = finalized.to_vec();
            confirmed_world.headers = confirmed.to_vec();
        });
    }

    /// Changes both states; slots move on unless the change sets them.
    pub fn change(&self, change: impl FnOnce(&mut World, &mut World)) {
        let mut state = self.state.lock().unwrap();
        let State { finalized, confirmed, .. } = &mut *state;
        finalized.slot = finalized.slot.saturating_add(2);
        confirmed.slot = confirmed.slot.saturating_add(2);
        change(finalized, confirmed);
    }

    pub fn fail(&self, failing: bool) {
        self.state.lock().unwrap().failing = failing;
    }

    /// Says that something changed, as a subscription does.
    pub fn wake(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// How often accounts were read.
    pub fn reads(&self) -> u64 {
        self.state.lock().unwrap().reads
    }

    fn rollup_account(&self, world: &World) -> Account {
        let mut account = self.rollup.1.clone();
        let cursor = |batches: usize| match batches.checked_sub(1) {
            Some(last) => world.headers[last].cursor(),
            None => Cursor::genesis(&self.rollup_id()),
        };
        write_cursor(&mut account.data[SETTLED..], &cursor(world.settled));
        write_cursor(&mut account.data[TIP..], &cursor(world.headers.len()));
        account.data[GENERATION..GENERATION + 8].copy_from_slice(&world.generation.to_le_bytes());
        account.data[LOCATION_LENGTH] = world.location.len() as u8;
        account.data[LOCATION..].fill(0);
        account.data[LOCATION..LOCATION + world.location.len()].copy_from_slice(world.location.as_bytes());
        account
    }

    fn rollup_id(&self) -> Digest {
        cairn_interface::Rollup::parse(&self.rollup.1.data).unwrap().rollup_id
    }

    fn batch_account(&self, header: &BatchHeader, world: &World) -> Account {
        let mut account = self.batch.clone();
        for (at, word) in [header.number, world.generation, 500 + header.number].into_iter().enumerate() {
            account.data[NUMBER + 8 * at..][..8].copy_from_slice(&word.to_le_bytes());
        }
        // Time and attestations stay; then come status and two counts.
        let status = NUMBER + 5 * 8;
        let settled = header.number < world.settled as u64;
        let code = if settled { BatchStatus::Settled } else { BatchStatus::Submitted }.code();
        account.data[status..status + 4].copy_from_slice(&code.to_le_bytes());
        let digest = status + 2 * 4 + 8;
        account.data[digest..digest + 32].copy_from_slice(&header.statement().to_bytes());
        account.data[digest + 32..].copy_from_slice(&header.to_bytes());
        assert_eq!(account.data.len(), BATCH.size);
        account
    }
}

fn write_cursor(data: &mut [u8], cursor: &Cursor) {
    let Cursor { batches, header_digest, state_root, queue } = cursor;
    let bytes = [
        &batches.to_le_bytes()[..],
        &header_digest.to_bytes(),
        &state_root.to_bytes(),
        &queue.position.to_le_bytes(),
        &queue.digest.to_bytes(),
    ];
    let bytes = bytes.concat();
    data[..layout::CURSOR].copy_from_slice(&bytes);
}

#[async_trait::async_trait]
impl Chain for Staged {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        Ok(self.genesis)
    }
    async fn tip(&self, _: Commitment) -> Result<Tip, ChainError> {
        unreachable!("an indexer does not ask for the tip")
    }
    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        let mut state = self.state.lock().unwrap();
        state.reads += 1;
        if state.failing {
            return Err(ChainError::Transient { what: "the server is down".into(), source: None });
        }
        let world = if commitment == Commitment::Finalized { &state.finalized } else { &state.confirmed };
        let batches: BTreeMap<_, _> = world
            .headers
            .iter()
            .skip(world.closed)
            .map(|header| (self.client.batch_address(header.number).0, header))
            .collect();
        let account = |address: &Address| {
            if *address == self.rollup.0 {
                return Some(self.rollup_account(world));
            }
            batches.get(&address.0).map(|header| self.batch_account(header, world))
        };
        Ok(Accounts { slot: world.slot, accounts: addresses.iter().map(account).collect() })
    }
    fn watch(&self, _: &[Address], _: Commitment) -> AccountWatch {
        AccountWatch::new(self.changes.subscribe(), None)
    }
    async fn latest_blockhash(&self, _: Commitment) -> Result<Blockhash, ChainError> {
        unreachable!("an indexer sends nothing")
    }
    async fn minimum_balance(&self, _: usize) -> Result<u64, ChainError> {
        unreachable!("an indexer sends nothing")
    }
    async fn send(&self, _: &SignedTransaction) -> Result<Signature, ChainError> {
        unreachable!("an indexer sends nothing")
    }
    async fn status(&self, _: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        unreachable!("an indexer sends nothing")
    }
}

/// One of the histories that a rollup may take.
#[derive(Clone)]
pub struct Branch {
    pub ledger: Ledger,
    pub headers: Vec<BatchHeader>,
    ledgers: Vec<Ledger>,
    key: SigningKey,
}

impl Branch {
    /// As `bench` has it, after its batch 0.
    pub async fn new(bench: &Bench) -> Self {
        let header = bench.client.batch(0).await.unwrap().unwrap().header;
        let ledgers = vec![Ledger::new(bench.rollup_id), bench.ledger.clone()];
        Self { ledger: bench.ledger.clone(), headers: vec![header], ledgers, key: bench.keys[NODE as usize].clone() }
    }

    /// One more batch, with one receipt of its own and one that every batch has; the digest of the first. Published at once.
    pub async fn grow(&mut self, bench: &Bench, seed: u64) -> Digest {
        let batch = self.seal(seed);
        bench.put(&batch.header, &batch.blob(&self.ledger.cursor)).await;
        self.push(&batch);
        own(bench.rollup_id, seed)
    }

    /// The next batch, not published and not part of it yet.
    pub fn seal(&self, seed: u64) -> Batch {
        let rollup_id = self.ledger.rollup_id;
        let sequence = self.ledger.account(NODE).unwrap().next_sequence;
        let records = [1, seed].map(|seed| record(&receipt(rollup_id, seed))).to_vec();
        self.ledger.seal(vec![signed(rollup_id, &self.key, NODE, sequence, records)], Vec::new())
    }

    pub fn push(&mut self, batch: &Batch) {
        self.ledger.commit(batch);
        self.headers.push(batch.header);
        self.ledgers.push(self.ledger.clone());
    }

    /// Its first batches.
    pub fn cut(&self, batches: usize) -> Self {
        let (headers, ledgers) = (self.headers[..batches].to_vec(), self.ledgers[..=batches].to_vec());
        Self { ledger: self.ledgers[batches].clone(), headers, ledgers, key: self.key.clone() }
    }
}

/// Digest of the receipt that only one batch has.
pub fn own(rollup_id: Digest, seed: u64) -> Digest {
    digest(&receipt(rollup_id, seed))
}
