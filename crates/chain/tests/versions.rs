//! A chain with accounts of another version of the program.

use async_trait::async_trait;
use cairn_chain::{
    Accounts, Address, Blockhash, Chain, ChainError, Commitment, DEV_PROGRAM_ID, EmbeddedChain, ErrorClass, Keypair,
    NewRollup, Options, RollupClient, RollupError, Signature, SignedTransaction, Tip, TransactionStatus,
};
use cairn_interface::{AccountError, DEFAULT_MAX_PENDING, MAX_BLOB_LOCATION_BYTES, Profile, ROLLUP, Registry};
use std::sync::Arc;

const SOL: u64 = 1_000_000_000;

/// The embedded chain, whose `Rollup` account is as a version before blob locations wrote it.
struct Earlier(Arc<EmbeddedChain>);

#[async_trait]
impl Chain for Earlier {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        self.0.genesis_hash().await
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        self.0.tip(commitment).await
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        let mut read = self.0.accounts(addresses, commitment).await?;
        for account in read.accounts.iter_mut().flatten() {
            if account.data.len() == ROLLUP.size {
                account.data.truncate(ROLLUP.size - MAX_BLOB_LOCATION_BYTES);
            }
        }
        Ok(read)
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        self.0.latest_blockhash(commitment).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.0.minimum_balance(data_length).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        self.0.send(transaction).await
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        self.0.status(signature).await
    }
}

#[tokio::test]
async fn a_rollup_of_an_earlier_version_is_called_so_and_never_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Arc::new(EmbeddedChain::open(dir.path(), Options::of(Profile::Dev)).unwrap());
    let admin = Keypair::generate();
    chain.fund(admin.address(), 10 * SOL).await.unwrap();
    let client = RollupClient::of_admin(chain.clone(), DEV_PROGRAM_ID, &admin.address(), 0);
    let new = NewRollup {
        id: 0,
        sequencer: Keypair::generate().address(),
        acknowledgement_key: Keypair::generate().address(),
        profile: Profile::Dev,
        max_pending: DEFAULT_MAX_PENDING,
        registry: Registry::OPEN,
    };
    client.initialize(&admin, &new).await.unwrap();
    client.rollup().await.expect("one of this version");

    let client = RollupClient::new(Arc::new(Earlier(chain)), DEV_PROGRAM_ID, client.address());
    for error in [client.rollup().await.unwrap_err(), client.finalized_queue().await.unwrap_err()] {
        let RollupError::Account { source, .. } = &error else { panic!("{error}") };
        let actual = ROLLUP.size - MAX_BLOB_LOCATION_BYTES;
        assert_eq!(*source, AccountError::Version { account: "Rollup", expected: ROLLUP.size, actual });
        assert_eq!(error.class(), ErrorClass::Fatal);
        let message = error.to_string();
        assert!(message.contains("made by another version") && message.contains("start over"), "{message}");
    }
}
