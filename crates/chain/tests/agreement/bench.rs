//! A rollup with some batches, and servers that show it as they like.

use crate::support::{FETCH_TIME, Sealer, receipt_key, signing_key};
use async_trait::async_trait;
use cairn_chain::agreement::{Agreement, AgreementError, Dispute, FinalBatch, Finding, Patience, Pins, Server, agree};
use cairn_chain::{
    Account, Accounts, Address, Blockhash, Chain, ChainError, Commitment, DEV_PROGRAM_ID, EmbeddedChain, Keypair,
    NewNode, NewRollup, Options, RollupClient, Signature, SignedTransaction, Tip, TransactionStatus,
};
use cairn_interface::{Batch, BatchStatus, DEFAULT_MAX_PENDING, Profile, Registry, layout};
use cairn_types::{BatchHeader, EMPTY_STATE_ROOT, HEADER_WORDS};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SOL: u64 = 1_000_000_000;
/// Batches of the rollup: the first consumes the node's registration.
pub const BATCHES: u64 = 4;

/// A rollup with some batches.
pub struct Bench {
    _dir: tempfile::TempDir,
    pub chain: Arc<EmbeddedChain>,
    pub client: RollupClient,
    pub pins: Pins,
    /// The rollup's accounts as they were after each batch.
    pub history: Vec<Old>,
}

/// Accounts as of a slot.
#[derive(Clone)]
pub struct Old {
    slot: u64,
    pub accounts: BTreeMap<Address, Account>,
}

pub type Alter = Box<dyn Fn(u64, &[Address], &mut Accounts) + Send + Sync>;

/// A server that shows the chain as it likes. `alter` is told how often it was asked before.
pub struct Witness {
    pub inner: Arc<EmbeddedChain>,
    pub genesis: Option<[u8; 32]>,
    pub silent: bool,
    pub reads: AtomicU64,
    pub alter: Alter,
}

#[async_trait]
impl Chain for Witness {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        match self.genesis {
            Some(genesis) => Ok(genesis),
            None => self.inner.genesis_hash().await,
        }
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        self.inner.tip(commitment).await
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        assert_eq!(commitment, Commitment::Finalized, "nothing else counts");
        if self.silent {
            return Err(ChainError::Transient { what: "nobody is there".to_owned(), source: None });
        }
        let mut read = self.inner.accounts(addresses, commitment).await?;
        (self.alter)(self.reads.fetch_add(1, Ordering::Relaxed), addresses, &mut read);
        Ok(read)
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        self.inner.latest_blockhash(commitment).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.inner.minimum_balance(data_length).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        self.inner.send(transaction).await
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        self.inner.status(signature).await
    }
}

impl Bench {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chain = Arc::new(EmbeddedChain::open(dir.path(), Options::of(Profile::Dev)).unwrap());
        let [admin, sequencer, acknowledgement] = std::array::from_fn(|_| Keypair::generate());
        for key in [&admin, &sequencer] {
            chain.fund(key.address(), 100 * SOL).await.unwrap();
        }
        let client = RollupClient::of_admin(chain.clone(), DEV_PROGRAM_ID, &admin.address(), 3);
        let new = NewRollup {
            id: 3,
            sequencer: sequencer.address(),
            acknowledgement_key: acknowledgement.address(),
            profile: Profile::Dev,
            max_pending: DEFAULT_MAX_PENDING,
            registry: Registry::OPEN,
        };
        client.initialize(&admin, &new).await.unwrap();
        let genesis_hash = chain.genesis_hash().await.unwrap();
        let pins = Pins { genesis_hash, program: DEV_PROGRAM_ID, rollup: client.address() };
        let mut bench = Self { _dir: dir, chain, client, pins, history: Vec::new() };
        bench.remember().await;

        let mut sealer = Sealer::new(bench.client.rollup().await.unwrap().rollup_id);
        let key = signing_key();
        let receipt_key = receipt_key(&key);
        bench
            .client
            .register_node(&NewNode { authority: &admin, payer: None, registrar: None, receipt_key })
            .await
            .unwrap();
        for number in 0..BATCHES {
            let batch = match number.checked_sub(1) {
                None => sealer.seal(vec![], sealer.waiting(&bench.client.finalized_queue().await.unwrap())),
                Some(sequence) => sealer.seal(vec![sealer.bundle(&key, 0, sequence, FETCH_TIME)], vec![]),
            };
            bench.client.submit_batch(&sequencer, &batch.header).await.unwrap();
            sealer.accepted(&batch);
            bench.remember().await;
        }
        bench
    }

    async fn remember(&mut self) {
        let addresses: Vec<_> = std::iter::once(self.client.address())
            .chain((0..BATCHES).map(|number| self.client.batch_address(number)))
            .collect();
        let read = self.chain.accounts(&addresses, Commitment::Finalized).await.unwrap();
        let accounts = addresses.into_iter().zip(read.accounts).filter_map(|(at, account)| Some((at, account?)));
        self.history.push(Old { slot: read.slot, accounts: accounts.collect() });
    }

    pub fn witness(&self) -> Witness {
        Witness {
            inner: self.chain.clone(),
            genesis: None,
            silent: false,
            reads: AtomicU64::default(),
            alter: Box::new(|_, _, _| {}),
        }
    }

    pub fn altering(&self, alter: impl Fn(u64, &[Address], &mut Accounts) + Send + Sync + 'static) -> Witness {
        Witness { alter: Box::new(alter), ..self.witness() }
    }

    /// A server that changes one account whenever it shows it.
    pub fn changing(&self, address: Address, change: impl Fn(&mut Account) + Send + Sync + 'static) -> Witness {
        self.altering(move |_, addresses, read| {
            for (at, account) in addresses.iter().zip(&mut read.accounts) {
                if let (true, Some(account)) = (*at == address, account) {
                    change(account);
                }
            }
        })
    }

    /// A server that shows all batches as settled.
    pub fn settled(&self) -> Witness {
        let rollup = self.rollup();
        self.altering(move |_, addresses, read| {
            for (at, account) in addresses.iter().zip(&mut read.accounts) {
                match account {
                    Some(account) if *at == rollup => settle(account),
                    Some(account) => set_status(account, BatchStatus::Settled),
                    None => {}
                }
            }
        })
    }

    /// A server that shows all batches as settled, closed, and restored by somebody else.
    pub fn restored(&self) -> Witness {
        let settled = self.settled();
        let rollup = self.rollup();
        self.altering(move |asked, addresses, read| {
            (settled.alter)(asked, addresses, read);
            for (at, account) in addresses.iter().zip(&mut read.accounts) {
                if let (true, Some(account)) = (*at != rollup, account) {
                    set_status(account, BatchStatus::Restored);
                    account.data[layout::DISCRIMINATOR + 32..][..32].fill(9);
                }
            }
        })
    }

    /// A server that stands where the chain was after `batches` batches, for its first `reads` answers.
    pub fn lagging(&self, batches: usize, reads: u64) -> Witness {
        let old = self.history[batches].clone();
        self.altering(move |asked, addresses, read| {
            if asked < reads {
                read.slot = old.slot;
                read.accounts = addresses.iter().map(|at| old.accounts.get(at).cloned()).collect();
            }
        })
    }

    /// A server that does not know the rollup, for its first `reads` answers.
    pub fn unaware(&self, reads: u64) -> Witness {
        self.altering(move |asked, _, read| {
            if asked < reads {
                read.accounts.fill(None);
            }
        })
    }

    pub async fn ask(&self, second: Witness, numbers: &[u64]) -> Result<Agreement, AgreementError> {
        self.ask_both(self.witness(), second, numbers).await
    }

    /// As [`Self::ask`], of a server that needs its time.
    pub async fn ask_patiently(&self, second: Witness, numbers: &[u64]) -> Result<Agreement, AgreementError> {
        self.ask_for(Duration::from_secs(60), self.witness(), second, numbers).await
    }

    pub async fn ask_both(
        &self,
        first: Witness,
        second: Witness,
        numbers: &[u64],
    ) -> Result<Agreement, AgreementError> {
        self.ask_for(Duration::from_millis(300), first, second, numbers).await
    }

    async fn ask_for(
        &self,
        wait: Duration,
        first: Witness,
        second: Witness,
        numbers: &[u64],
    ) -> Result<Agreement, AgreementError> {
        let chains: [(&str, Arc<dyn Chain>); 2] = [("https://a", Arc::new(first)), ("https://b", Arc::new(second))];
        let servers = chains.map(|(name, chain)| Server { name: name.to_owned(), chain });
        let patience = Patience { wait, poll: Duration::from_millis(10) };
        agree(&servers, &self.pins, &numbers.iter().copied().collect(), patience).await
    }

    pub fn rollup(&self) -> Address {
        self.client.address()
    }
}

/// The batch, which the servers must agree on.
pub fn agreed(agreement: &Agreement, number: u64) -> &FinalBatch {
    match &agreement.batches[&number] {
        Finding::Final(batch) => batch,
        other => panic!("batch {number}: {other:?}"),
    }
}

pub fn disputed(agreement: &Agreement, number: u64) -> &Dispute {
    match &agreement.batches[&number] {
        Finding::Disputed(dispute) => dispute,
        other => panic!("batch {number}: {other:?}"),
    }
}

/// Rewrites a batch's header, and its digest with it, as a liar with a hash function does.
pub fn rewrite(account: &mut Account, change: impl Fn(&mut BatchHeader)) {
    let mut header = Batch::parse(&account.data).unwrap().header;
    change(&mut header);
    let words = account.data.len() - HEADER_WORDS * 8;
    account.data[words..].copy_from_slice(&header.to_bytes());
    account.data[words - 32..words].copy_from_slice(&header.statement().to_bytes());
    Batch::parse(&account.data).unwrap();
}

pub fn find(data: &[u8], bytes: &[u8]) -> usize {
    data.windows(bytes.len()).position(|window| window == bytes).expect("the bytes are there")
}

/// Where a `Rollup` account has its settled cursor, as long as nothing is settled; its tip follows.
pub fn settled_cursor(account: &Account) -> usize {
    find(&account.data, &EMPTY_STATE_ROOT.to_bytes()) - 8 - 32
}

/// Makes a batch say how far it has got.
pub fn set_status(account: &mut Account, status: BatchStatus) {
    let at = layout::DISCRIMINATOR + 2 * 32 + 5 * 8;
    account.data[at..at + 4].copy_from_slice(&status.code().to_le_bytes());
    assert_eq!(Batch::parse(&account.data).unwrap().status, status);
}

/// Makes a rollup settle all it has. Its batches still have to say so.
pub fn settle(account: &mut Account) {
    let settled = settled_cursor(account);
    let tip = settled + layout::CURSOR;
    account.data.copy_within(tip..tip + layout::CURSOR, settled);
}

/// Makes a rollup abandon all it has.
pub fn abandon(account: &mut Account) {
    let settled = settled_cursor(account);
    let tip = settled + layout::CURSOR;
    account.data.copy_within(settled..tip, tip);
    let generation = tip + layout::CURSOR + 8;
    account.data[generation] += 1;
}
