//! Receipts, requests and a rollup for tests. Unit tests have it as a module, integration tests include this file.

use std::path::Path;
use std::sync::Arc;

use cairn_chain::{Chain, EmbeddedChain, Keypair, NewNode, NewRollup, Options, RollupClient};
use cairn_interface::Registry;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_proto::{Acknowledgement, Submission};
use cairn_prover::{BatchProof, Profile, Progress, ProveError, Prover, VerifyError};
use cairn_schnorr::SigningKey;
use cairn_types::state::{MemoryState, PartialState};
use cairn_types::{Batch, BatchHeader, Blob, Cursor, Digest, Receipt, ReceiptKey};
use object_store::{ObjectStore, ObjectStoreExt};

/// A node.
pub const NODE: u32 = 7;
/// When the sample receipts were fetched, about.
pub const NOW_MS: u64 = 1_700_000_000_000;
/// The profile of its rollups.
const PROFILE: Profile = Profile::Dev;
/// Lamports for fees and rent.
const FUNDS: u64 = 100_000_000_000;

/// A rollup id for tests without a chain.
pub fn rollup() -> Digest {
    Digest::from_byte_digest([1; 32])
}

/// A receipt of [`rollup`].
pub fn receipt(node_index: u32, time: u64) -> Receipt {
    receipt_for(&rollup(), node_index, time)
}

/// A receipt.
pub fn receipt_for(rollup_id: &Digest, node_index: u32, time: u64) -> Receipt {
    Receipt {
        media_type: Some("text/html".to_owned()),
        content_length: 1_000 + time % 1_000,
        payload_blake3: [2; 32],
        payload_sha256: [3; 32],
        payload_sha1: [4; 20],
        ..Receipt::new(*rollup_id, node_index, &format!("https://example.org/{time}"), "example.org", time)
    }
}

/// The receipt key of a node: its secret is the node's index and one.
pub fn signing_key(node_index: u32) -> SigningKey {
    let mut secret = [0; 40];
    secret[..4].copy_from_slice(&(node_index + 1).to_le_bytes());
    SigningKey::from_bytes(&secret).unwrap()
}

/// The public half of [`signing_key`].
pub fn receipt_key(node_index: u32) -> ReceiptKey {
    ReceiptKey::from_words(signing_key(node_index).public_key().words()).unwrap()
}

/// The key under acknowledgements.
pub fn acknowledgement_key() -> Keypair {
    Keypair::from_seed([7; 32])
}

/// A bundle for [`rollup`].
pub fn request(node_index: u32, sequence: u64, receipts: u64) -> SubmitBundleRequest {
    request_for(&rollup(), node_index, sequence, receipts)
}

/// A bundle of `receipts` receipts, signed by its node; another sequence has other receipts.
pub fn request_for(rollup_id: &Digest, node_index: u32, sequence: u64, receipts: u64) -> SubmitBundleRequest {
    let first = NOW_MS + sequence * 1_000;
    let request = SubmitBundleRequest {
        rollup_id: rollup_id.to_bytes().to_vec(),
        node_index,
        sequence,
        receipts: (0..receipts)
            .map(|slot| receipt_for(rollup_id, node_index, first + slot).encode().unwrap())
            .collect(),
        signature: vec![0; 80],
    };
    signed(request, &signing_key(node_index))
}

/// The same request, signed with `key` if it has a statement to sign.
pub fn signed(mut request: SubmitBundleRequest, key: &SigningKey) -> SubmitBundleRequest {
    if let Ok(Submission { rollup_id, bundle }) = Submission::try_from(request.clone())
        && let Ok(statement) = bundle.statement(&rollup_id)
    {
        request.signature = key.sign(&statement.digest().words()).to_bytes().to_vec();
    }
    request
}

/// Stands where the proof engine stands, and takes no time: its "proof" is the statement. What the engine's proofs are
/// worth is tested where they are made; these tests are about the log.
pub struct QuickProver;

impl Prover for QuickProver {
    fn profile(&self) -> Profile {
        Profile::Dev
    }

    fn prove(&self, batch: &Batch, before: &PartialState, progress: &dyn Progress) -> Result<BatchProof, ProveError> {
        // What any prover needs: the tree that the batch continues from.
        before.verify(&batch.header.old_state_root).unwrap();
        progress.step(cairn_prover::Stage::Batch, 0, 1);
        let statement = batch.header.statement();
        progress.step(cairn_prover::Stage::Batch, 1, 1);
        Ok(BatchProof { profile: Profile::Dev, statement, bytes: statement.to_bytes().to_vec() })
    }

    fn verify(&self, proof: &BatchProof) -> Result<(), VerifyError> {
        assert_eq!(proof.bytes, proof.statement.to_bytes());
        Ok(())
    }
}

/// An embedded chain with a rollup on it, and a folder for published data.
pub struct World {
    /// The rollup.
    pub rollup: RollupClient,
    /// Its identity.
    pub rollup_id: Digest,
    /// The sequencer's key, and the admin's.
    pub key: Keypair,
    /// Published data.
    pub objects: Arc<dyn ObjectStore>,
}

/// The sequencer's key in tests: its secret is this byte, repeated.
const KEY_SEED: [u8; 32] = [5; 32];

/// Nodes that a world registers: indices below this.
pub const NODES: u32 = 8;

/// Who registers a node, rotates its key and deactivates it.
pub fn authority(node_index: u32) -> Keypair {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&node_index.to_le_bytes());
    Keypair::from_seed(seed)
}

impl World {
    /// Opens the world in `dir`, or makes one there, with [`NODES`] nodes.
    pub async fn open(dir: &Path) -> Self {
        let chain = EmbeddedChain::open(dir.join("chain"), Options::of(PROFILE)).unwrap();
        Self::on(Arc::new(chain.clone()), &chain, dir).await
    }

    /// The world in `dir`, seen through `chain`, which leads to `embedded`.
    pub async fn on(chain: Arc<dyn Chain>, embedded: &EmbeddedChain, dir: &Path) -> Self {
        let key = Keypair::from_seed(KEY_SEED);
        let rollup = RollupClient::of_admin(chain, cairn_interface::program_id(PROFILE), &key.address(), 0);
        if rollup.rollup().await.is_err() {
            embedded.fund(key.address(), FUNDS).await.unwrap();
            let new = NewRollup {
                id: 0,
                sequencer: key.address(),
                acknowledgement_key: acknowledgement_key().address(),
                profile: PROFILE,
                max_pending: cairn_interface::MAX_PENDING_CEILING,
                registry: Registry::OPEN,
            };
            rollup.initialize(&key, &new).await.unwrap();
        }
        let rollup_id = rollup.rollup().await.unwrap().rollup_id;
        let objects = cairn_objects::local_folder(&dir.join("data")).unwrap();
        let world = Self { rollup, rollup_id, key, objects: Arc::new(objects) };
        for node_index in world.rollup.queue().await.unwrap().nodes..NODES {
            embedded.fund(authority(node_index).address(), FUNDS / 1_000).await.unwrap();
            world.register(node_index).await;
        }
        world
    }

    /// Registers the node with the next index, which must be this one.
    pub async fn register(&self, node_index: u32) {
        let authority = authority(node_index);
        let new = NewNode {
            authority: &authority,
            payer: Some(&self.key),
            registrar: None,
            receipt_key: receipt_key(node_index),
        };
        self.rollup.register_node(&new).await.unwrap();
        assert_eq!(self.rollup.node(&authority.address()).await.unwrap().unwrap().index, node_index);
    }

    /// What a sequencer of this world works with.
    pub fn parts(&self, prover: Arc<dyn Prover>) -> crate::Parts {
        crate::Parts {
            rollup: self.rollup.clone(),
            key: self.key.clone(),
            acknowledgement_key: acknowledgement_key(),
            prover,
            circuit_digest: [3; 32],
            objects: Arc::clone(&self.objects),
        }
    }

    /// Every batch on the chain, recomputed from what was published, in order: signatures, accounts and queue included.
    pub async fn batches(&self) -> Vec<Batch> {
        let tip = self.rollup.rollup().await.unwrap().tip.batches;
        let (mut cursor, mut batches) = (Cursor::genesis(&self.rollup_id), Vec::new());
        let mut state = MemoryState::default();
        for number in 0..tip {
            let header = self.rollup.batch(number).await.unwrap().unwrap().header;
            header.continues(&cursor).unwrap();
            batches.push(self.open_batch(&header, &cursor, &mut state).await);
            cursor = header.cursor();
        }
        batches
    }

    async fn open_batch(&self, header: &BatchHeader, cursor: &Cursor, state: &mut MemoryState) -> Batch {
        let get = async |path| self.objects.get(&path).await.unwrap().bytes().await.unwrap();
        let stored = get(cairn_objects::blob_path(&header.data_digest)).await;
        let data = zstd::bulk::decompress(&stored, header.data_length as usize).unwrap();
        let proof = get(cairn_objects::proof_path(&header.statement())).await;
        assert_eq!(proof, header.statement().to_bytes().as_slice());
        let blob = Blob::decode(&data, header).unwrap();
        let mut touched = state.open(blob.touched());
        let batch = blob.into_batch(header, cursor, &mut touched).unwrap();
        state.commit(&touched);
        batch
    }

    /// Asserts that the chain has each acknowledged bundle at its index, and no bundle twice, and that each
    /// acknowledgement is signed. Returns how many bundles it has.
    pub async fn assert_holds(&self, acknowledged: &[Acknowledgement]) -> usize {
        let mut log = Vec::new();
        for batch in self.batches().await {
            for (bundle, statement) in batch.bundles.iter().zip(&batch.statements) {
                log.push((bundle.node_index, bundle.sequence, statement.digest()));
            }
        }
        let mut next = std::collections::BTreeMap::new();
        for (node_index, sequence, _) in &log {
            let expected = next.entry(*node_index).or_insert(0_u64);
            assert_eq!(sequence, expected, "sequences of node {node_index} follow each other in the log");
            *expected += 1;
        }
        for ack in acknowledged {
            ack.verify(&self.rollup_id, &acknowledgement_key().address().0).unwrap();
            let at = usize::try_from(ack.log_index).unwrap();
            let entry = (ack.node_index, ack.sequence, ack.bundle_digest);
            assert_eq!(log.get(at), Some(&entry), "acknowledged bundle {at}");
        }
        log.len()
    }
}
