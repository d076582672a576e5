//! One rollup on a chain: its accounts, checked, and its instructions, delivered.

mod deliver;
mod error;
mod fees;
mod many;
mod proof;
mod read;
mod registry;
mod settle;
mod verified;

pub use deliver::{DELIVERY_PATIENCE, DeliveryEvent, DeliveryObserver, Submitted};
pub use error::RollupError;
pub use fees::FeePolicy;
pub use many::{Draft, LAMPORTS_PER_SIGNATURE, Priced};
pub use proof::{PROOF_CHUNK_BYTES, ProofAccount, ProofPlace, ProofSnapshot};
pub use read::{FinalizedQueue, MAX_SNAPSHOT_BATCHES, Snapshot};
pub use registry::NewNode;
pub use settle::HeldProof;
pub use verified::{POW_WITNESS, STEP_UNITS, StepUnits, Verified, all_queries, circuit_id};

use crate::{Address, Chain, Keypair, SignedTransaction};
use cairn_interface::{
    CREATE_ROLLUP_COMPUTE_UNITS, Initialize, Instruction, Profile, Registry, SUBMIT_BATCH_COMPUTE_UNITS,
    is_blob_location,
};
use cairn_types::{BatchHeader, Digest};
use std::sync::Arc;

/// Units for an instruction of the admin, which hashes nothing.
const ADMIN_COMPUTE_UNITS: u32 = 50_000;

/// What a new rollup is created with. Its admin signs and pays; the genesis hash is the chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRollup {
    /// Which of the admin's rollups.
    pub id: u64,
    /// Who may submit batches.
    pub sequencer: Address,
    /// Whose ed25519 signature stands under acknowledgements: another key than the sequencer's.
    pub acknowledgement_key: Address,
    /// Profile of the proofs.
    pub profile: Profile,
    /// Batches that may wait to be settled.
    pub max_pending: u32,
    /// On what terms nodes are registered.
    pub registry: Registry,
}

/// A rollup on a chain.
#[derive(Clone)]
pub struct RollupClient {
    chain: Arc<dyn Chain>,
    program: Address,
    rollup: Address,
    delivery: deliver::Delivery,
}

impl RollupClient {
    /// The rollup at `rollup`, an account of `program`.
    #[must_use]
    pub fn new(chain: Arc<dyn Chain>, program: Address, rollup: Address) -> Self {
        Self { chain, program, rollup, delivery: deliver::Delivery::default() }
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

    /// Address of the `Node` account that `authority` has, or would have.
    #[must_use]
    pub fn node_address(&self, authority: &Address) -> Address {
        cairn_interface::node_address(&self.program, &self.rollup, authority)
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

    /// Creates the rollup with its queue, and waits until that is final. The rollup's admin signs and pays.
    ///
    /// # Errors
    /// [`RollupError`], [`RollupError::Failed`] when it exists.
    pub async fn initialize(&self, admin: &Keypair, new: &NewRollup) -> Result<Submitted, RollupError> {
        if cairn_interface::rollup_address(&self.program, &admin.address(), new.id) != self.rollup {
            return Err(RollupError::Inconsistent { address: self.rollup, field: "admin or id" });
        }
        let arguments = Initialize {
            admin: admin.address(),
            id: new.id,
            sequencer: new.sequencer,
            acknowledgement_key: new.acknowledgement_key,
            genesis_hash: self.chain.genesis_hash().await?,
            profile: new.profile,
            max_pending: new.max_pending,
            registry: new.registry,
        };
        let instructions = cairn_interface::create_rollup(&self.program, &arguments);
        self.deliver(&self.prepare(admin, &[], &instructions, CREATE_ROLLUP_COMPUTE_UNITS).await?).await
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
        let (program, rollup, by) = (&self.program, &self.rollup, &admin.address());
        self.by_admin(admin, cairn_interface::set_sequencer(program, rollup, by, sequencer, acknowledgement_key)).await
    }

    /// Replaces the terms of registration, and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn set_registry(&self, admin: &Keypair, registry: &Registry) -> Result<Submitted, RollupError> {
        let (program, rollup, by) = (&self.program, &self.rollup, &admin.address());
        self.by_admin(admin, cairn_interface::set_registry(program, rollup, by, registry)).await
    }

    /// Replaces where the rollup's blobs are, and waits until that is final; empty text clears it. A text that the
    /// program would refuse is not sent.
    ///
    /// # Errors
    /// [`RollupError`], [`RollupError::BlobLocation`] for the text.
    pub async fn set_blob_location(&self, admin: &Keypair, location: &str) -> Result<Submitted, RollupError> {
        if !is_blob_location(location) {
            return Err(RollupError::BlobLocation { bytes: location.len() });
        }
        let (program, rollup, by) = (&self.program, &self.rollup, &admin.address());
        self.by_admin(admin, cairn_interface::set_blob_location(program, rollup, by, location)).await
    }

    /// Stops batches and registrations for [`cairn_interface::PAUSE_SECONDS`], and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn pause(&self, admin: &Keypair) -> Result<Submitted, RollupError> {
        self.by_admin(admin, cairn_interface::pause(&self.program, &self.rollup, &admin.address())).await
    }

    /// Ends a pause, and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn unpause(&self, admin: &Keypair) -> Result<Submitted, RollupError> {
        self.by_admin(admin, cairn_interface::unpause(&self.program, &self.rollup, &admin.address())).await
    }

    async fn by_admin(&self, admin: &Keypair, instruction: Instruction) -> Result<Submitted, RollupError> {
        self.deliver(&self.prepare(admin, &[], &[instruction], ADMIN_COMPUTE_UNITS).await?).await
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
        self.prepare(sequencer, &[], &[instruction], SUBMIT_BATCH_COMPUTE_UNITS).await
    }

    /// Submits `header` and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn submit_batch(&self, sequencer: &Keypair, header: &BatchHeader) -> Result<Submitted, RollupError> {
        self.deliver(&self.prepare_batch(sequencer, header).await?).await
    }
}
