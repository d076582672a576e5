//! One rollup on a chain: its accounts, checked, and its instructions, delivered.

use crate::{
    Account, Address, BuildError, Chain, ChainError, Commitment, ErrorClass, Keypair, Signature, SignedTransaction,
    TransactionBuilder, TransactionFailure,
};
use cairn_interface::{AccountError, Batch, Initialize, Instruction, Profile, Queue, Rollup};
use cairn_types::{BatchHeader, Digest};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Units that each instruction asks for. Recomputing a header's statement is about 165,000 of them; the rest is room.
const COMPUTE_UNITS: u32 = 400_000;
/// Batches that [`RollupClient::snapshot`] reads at once, at most.
const MAX_BATCHES: u64 = 64;
/// How long to wait between two looks at a transaction's status.
const POLL: Duration = Duration::from_millis(400);

/// What a new rollup is created with. Its admin signs and pays; the genesis hash is the chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRollup {
    /// Which of the admin's rollups.
    pub id: u64,
    /// Who may submit batches.
    pub sequencer: Address,
    /// Whose ed25519 signature stands under acknowledgements.
    pub acknowledgement_key: Address,
    /// Profile of the proofs.
    pub profile: Profile,
    /// Batches that may wait to be settled.
    pub max_pending: u32,
}

/// A transaction that took effect, finally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Its signature.
    pub signature: Signature,
    /// The slot it executed in.
    pub slot: u64,
    /// Units it consumed, where the chain says so.
    pub compute_units: Option<u64>,
    /// Fee in lamports, where the chain says so.
    pub fee: Option<u64>,
    /// The program's log, where the chain keeps it.
    pub logs: Vec<String>,
}

/// A rollup and some of its batches, as of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The slot.
    pub slot: u64,
    /// The rollup.
    pub rollup: Rollup,
    /// The batches asked for, in order; `None` where the chain has no account.
    pub batches: Vec<Option<Batch>>,
}

/// Why a rollup could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The chain did not answer, or refused the transaction.
    #[error("{0}")]
    Chain(#[from] ChainError),
    /// No transaction could be built.
    #[error("{0}")]
    Build(#[from] BuildError),
    /// The transaction was executed and failed; it changed nothing.
    #[error("transaction {signature} failed: {failure}")]
    Failed {
        /// The transaction.
        signature: Signature,
        /// Why.
        #[source]
        failure: Box<TransactionFailure>,
    },
    /// The transaction was not executed in time and never will be.
    #[error("transaction {0} was not executed before its blockhash expired: sign it again with a new one")]
    Expired(Signature),
    /// The rollup does not exist.
    #[error("there is no rollup at {0}: check its address and the chain, or initialize it")]
    Missing(Address),
    /// The account is not the program's.
    #[error("account {address} belongs to {owner}, not to the settlement program {program}")]
    Foreign {
        /// The account.
        address: Address,
        /// Who owns it.
        owner: Address,
        /// Who should.
        program: Address,
    },
    /// The account's bytes are not what the program writes.
    #[error("account {address}: {source}")]
    Account {
        /// The account.
        address: Address,
        /// What is wrong.
        #[source]
        source: AccountError,
    },
    /// The account says something that its address, or this chain, contradicts.
    #[error("account {address}: its {field} is not that of this rollup on this chain")]
    Inconsistent {
        /// The account.
        address: Address,
        /// What differs.
        field: &'static str,
    },
}

impl RollupError {
    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Chain(error) => error.class(),
            Self::Failed { failure, .. } => failure.class,
            Self::Expired(_) => ErrorClass::Transient,
            Self::Build(_) => ErrorClass::Rejection,
            Self::Missing(_) | Self::Foreign { .. } | Self::Account { .. } | Self::Inconsistent { .. } => {
                ErrorClass::Fatal
            }
        }
    }

    /// The refusal by the program or the cluster, if it was one.
    #[must_use]
    pub fn failure(&self) -> Option<&TransactionFailure> {
        match self {
            Self::Chain(ChainError::Refused(failure)) => Some(failure),
            Self::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Whether the same instruction has to be signed again with a newer blockhash.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired(_)) || self.failure().is_some_and(TransactionFailure::is_expired)
    }
}

/// A rollup on a chain.
#[derive(Clone)]
pub struct RollupClient {
    chain: Arc<dyn Chain>,
    program: Address,
    rollup: Address,
}

impl RollupClient {
    /// The rollup at `rollup`, an account of `program`.
    #[must_use]
    pub fn new(chain: Arc<dyn Chain>, program: Address, rollup: Address) -> Self {
        Self { chain, program, rollup }
    }

    /// The rollup that `admin` numbered `id`.
    #[must_use]
    pub fn of_admin(chain: Arc<dyn Chain>, program: Address, admin: &Address, id: u64) -> Self {
        let rollup = cairn_interface::rollup_address(&program, admin, id);
        Self::new(chain, program, rollup)
    }

    /// The chain it is on.
    #[must_use]
    pub fn chain(&self) -> &Arc<dyn Chain> {
        &self.chain
    }

    /// The settlement program.
    #[must_use]
    pub fn program(&self) -> Address {
        self.program
    }

    /// Address of the `Rollup` account.
    #[must_use]
    pub fn address(&self) -> Address {
        self.rollup
    }

    /// Address of the `Queue` account.
    #[must_use]
    pub fn queue_address(&self) -> Address {
        cairn_interface::queue_address(&self.program, &self.rollup)
    }

    /// Address of the `Batch` account of `number`.
    #[must_use]
    pub fn batch_address(&self, number: u64) -> Address {
        cairn_interface::batch_address(&self.program, &self.rollup, number)
    }

    /// The rollup's identity, computed from the chain's genesis hash: a node signs for no other.
    ///
    /// # Errors
    /// [`RollupError::Chain`].
    pub async fn rollup_id(&self, profile: Profile) -> Result<Digest, RollupError> {
        let genesis = self.chain.genesis_hash().await?;
        Ok(cairn_interface::rollup_id(&genesis, &self.program, &self.rollup, profile))
    }

    /// The `Rollup` account, finalized, with its identity recomputed.
    ///
    /// # Errors
    /// [`RollupError`] when it is missing or not what this chain's program would write.
    pub async fn rollup(&self) -> Result<Rollup, RollupError> {
        Ok(self.snapshot(0..0).await?.rollup)
    }

    /// The `Queue` account, finalized.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn queue(&self) -> Result<Queue, RollupError> {
        let address = self.queue_address();
        let account = self.chain.account(&address, Commitment::Finalized).await?;
        let account = account.ok_or(RollupError::Missing(self.rollup))?;
        let queue =
            Queue::parse(self.own(address, &account)?).map_err(|source| RollupError::Account { address, source })?;
        if queue.rollup != self.rollup {
            return Err(RollupError::Inconsistent { address, field: "rollup" });
        }
        Ok(queue)
    }

    /// The `Batch` account of `number`, finalized; `None` when the chain has none.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn batch(&self, number: u64) -> Result<Option<Batch>, RollupError> {
        let address = self.batch_address(number);
        let account = self.chain.account(&address, Commitment::Finalized).await?;
        self.parse_batch(number, account.as_ref())
    }

    /// The rollup and up to 64 of its batches from the start of `numbers`, finalized and as of one slot.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn snapshot(&self, numbers: Range<u64>) -> Result<Snapshot, RollupError> {
        let numbers = numbers.start..numbers.end.min(numbers.start.saturating_add(MAX_BATCHES));
        let batches = numbers.clone().map(|number| self.batch_address(number));
        let addresses: Vec<_> = std::iter::once(self.rollup).chain(batches).collect();
        let genesis = self.chain.genesis_hash().await?;
        let read = self.chain.accounts(&addresses, Commitment::Finalized).await?;
        let mut accounts = read.accounts.into_iter();
        let account = accounts.next().flatten().ok_or(RollupError::Missing(self.rollup))?;
        let rollup = self.parse_rollup(&genesis, &account)?;
        let batches = numbers
            .zip(accounts.chain(std::iter::repeat(None)))
            .map(|(number, account)| self.parse_batch(number, account.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Snapshot { slot: read.slot, rollup, batches })
    }

    /// Creates the rollup, and waits until that is final. The rollup's admin signs and pays.
    ///
    /// # Errors
    /// [`RollupError`], [`RollupError::Failed`] when it exists.
    pub async fn initialize(&self, admin: &Keypair, new: &NewRollup) -> Result<Submitted, RollupError> {
        let arguments = Initialize {
            admin: admin.address(),
            id: new.id,
            sequencer: new.sequencer,
            acknowledgement_key: new.acknowledgement_key,
            genesis_hash: self.chain.genesis_hash().await?,
            profile: new.profile,
            max_pending: new.max_pending,
        };
        let instruction = cairn_interface::initialize(&self.program, &arguments);
        if !instruction.accounts.iter().any(|meta| meta.address == self.rollup) {
            return Err(RollupError::Inconsistent { address: self.rollup, field: "admin or id" });
        }
        self.deliver(&self.prepare(admin, &instruction).await?).await
    }

    /// Replaces the sequencer and the acknowledgement key, and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn set_sequencer(
        &self,
        admin: &Keypair,
        sequencer: &Address,
        acknowledgement_key: &Address,
    ) -> Result<Submitted, RollupError> {
        let instruction = cairn_interface::set_sequencer(
            &self.program,
            &self.rollup,
            &admin.address(),
            sequencer,
            acknowledgement_key,
        );
        self.deliver(&self.prepare(admin, &instruction).await?).await
    }

    /// Signs the transaction that submits `header`, without sending it: store it, then [`Self::deliver`] it.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn prepare_batch(
        &self,
        sequencer: &Keypair,
        header: &BatchHeader,
    ) -> Result<SignedTransaction, RollupError> {
        let instruction = cairn_interface::submit_batch(&self.program, &self.rollup, &sequencer.address(), header);
        self.prepare(sequencer, &instruction).await
    }

    /// Submits `header` and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn submit_batch(&self, sequencer: &Keypair, header: &BatchHeader) -> Result<Submitted, RollupError> {
        self.deliver(&self.prepare_batch(sequencer, header).await?).await
    }

    async fn prepare(&self, signer: &Keypair, instruction: &Instruction) -> Result<SignedTransaction, RollupError> {
        let blockhash = self.chain.latest_blockhash(Commitment::Finalized).await?;
        let builder = TransactionBuilder::new().compute_unit_limit(COMPUTE_UNITS).instruction(instruction);
        Ok(builder.sign(signer, &[], &blockhash)?)
    }

    /// Sends these bytes, again while the chain does not know them, and waits until the outcome is final or the
    /// blockhash has expired. The same bytes may be delivered any number of times: they execute at most once.
    ///
    /// # Errors
    /// [`RollupError::Failed`] and [`RollupError::Expired`] are final for these bytes; transient errors are not.
    pub async fn deliver(&self, transaction: &SignedTransaction) -> Result<Submitted, RollupError> {
        let signature = transaction.signature;
        loop {
            // Height first: a transaction that is unknown after its last height was passed never executed.
            let height = self.chain.tip(Commitment::Finalized).await?.block_height;
            match self.chain.status(&signature).await? {
                Some(status) if status.commitment == Commitment::Finalized => {
                    return match status.outcome {
                        Err(failure) => Err(RollupError::Failed { signature, failure: Box::new(failure) }),
                        Ok(()) => Ok(Submitted {
                            signature,
                            slot: status.slot,
                            compute_units: status.compute_units,
                            fee: status.fee,
                            logs: status.logs,
                        }),
                    };
                }
                Some(_) => tokio::time::sleep(POLL).await,
                None if height > transaction.last_valid_block_height => return Err(RollupError::Expired(signature)),
                None => {
                    self.chain.send(transaction).await?;
                    if self.chain.status(&signature).await?.is_none() {
                        tokio::time::sleep(POLL).await;
                    }
                }
            }
        }
    }

    fn own<'a>(&self, address: Address, account: &'a Account) -> Result<&'a [u8], RollupError> {
        if account.owner != self.program {
            return Err(RollupError::Foreign { address, owner: account.owner, program: self.program });
        }
        Ok(&account.data)
    }

    fn parse_rollup(&self, genesis: &[u8; 32], account: &Account) -> Result<Rollup, RollupError> {
        let address = self.rollup;
        let rollup =
            Rollup::parse(self.own(address, account)?).map_err(|source| RollupError::Account { address, source })?;
        if rollup.genesis_hash != *genesis {
            return Err(RollupError::Inconsistent { address, field: "genesis_hash" });
        }
        if rollup.rollup_id != cairn_interface::rollup_id(genesis, &self.program, &address, rollup.profile) {
            return Err(RollupError::Inconsistent { address, field: "rollup_id" });
        }
        Ok(rollup)
    }

    fn parse_batch(&self, number: u64, account: Option<&Account>) -> Result<Option<Batch>, RollupError> {
        let address = self.batch_address(number);
        // Anybody can send lamports to an address before the program makes its account there.
        let Some(account) = account.filter(|account| !(account.owner.is_zero() && account.data.is_empty())) else {
            return Ok(None);
        };
        let batch =
            Batch::parse(self.own(address, account)?).map_err(|source| RollupError::Account { address, source })?;
        if batch.rollup != self.rollup {
            return Err(RollupError::Inconsistent { address, field: "rollup" });
        }
        if batch.header.number != number {
            return Err(RollupError::Inconsistent { address, field: "number" });
        }
        Ok(Some(batch))
    }
}
