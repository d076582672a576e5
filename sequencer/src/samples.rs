//! Receipts, requests and a rollup for tests. Unit tests have it as a module, integration tests include this file.

use std::path::Path;
use std::sync::Arc;

use cairn_chain::{Chain, EmbeddedChain, Keypair, NewRollup, Options, RollupClient};
use cairn_proto::Acknowledgement;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_prover::{BatchProof, Profile, Progress, ProveError, Prover, VerifyError};
use cairn_types::{Batch, BatchHeader, Blob, Cursor, Digest, Receipt};
use object_store::{ObjectStore, ObjectStoreExt};

/// A node.
pub const NODE: u32 = 7;
/// When the sample receipts were fetched, about.
pub const NOW_MS: u64 = 1_700_000_000_000;
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

/// A bundle for [`rollup`].
pub fn request(node_index: u32, sequence: u64, receipts: u64) -> SubmitBundleRequest {
    request_for(&rollup(), node_index, sequence, receipts)
}

/// A bundle of `receipts` receipts; another sequence has other receipts.
pub fn request_for(rollup_id: &Digest, node_index: u32, sequence: u64, receipts: u64) -> SubmitBundleRequest {
    let first = NOW_MS + sequence * 1_000;
    SubmitBundleRequest {
        rollup_id: rollup_id.to_bytes().to_vec(),
        node_index,
        sequence,
        receipts: (0..receipts)
            .map(|slot| receipt_for(rollup_id, node_index, first + slot).encode().unwrap())
            .collect(),
    }
}

/// Stands where the proof engine stands, and takes no time: its "proof" is the statement. What the engine's proofs are
/// worth is tested where they are made; these tests are about the log.
pub struct QuickProver;

impl Prover for QuickProver {
    fn profile(&self) -> Profile {
        Profile::Dev
    }

    fn prove(&self, batch: &Batch, progress: &dyn Progress) -> Result<BatchProof, ProveError> {
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
    /// The sequencer's key.
    pub key: Keypair,
    /// Published data.
    pub objects: Arc<dyn ObjectStore>,
}

/// The sequencer's key in tests: its secret is this byte, repeated.
const KEY_SEED: [u8; 32] = [5; 32];

impl World {
    /// Opens the world in `dir`, or makes one there.
    pub async fn open(dir: &Path) -> Self {
        let chain = EmbeddedChain::open(dir.join("chain"), Options::default()).unwrap();
        Self::on(Arc::new(chain.clone()), &chain, dir).await
    }

    /// The world in `dir`, seen through `chain`, which leads to `embedded`.
    pub async fn on(chain: Arc<dyn Chain>, embedded: &EmbeddedChain, dir: &Path) -> Self {
        let key = Keypair::from_seed(KEY_SEED);
        let rollup = RollupClient::of_admin(chain, cairn_interface::PROGRAM_ID, &key.address(), 0);
        if rollup.rollup().await.is_err() {
            embedded.fund(key.address(), FUNDS).await.unwrap();
            let new = NewRollup {
                id: 0,
                sequencer: key.address(),
                acknowledgement_key: key.address(),
                profile: cairn_interface::Profile::Dev,
                max_pending: 1 << 20,
            };
            rollup.initialize(&key, &new).await.unwrap();
        }
        let rollup_id = rollup.rollup().await.unwrap().rollup_id;
        let objects = crate::objects::local_folder(&dir.join("data")).unwrap();
        Self { rollup, rollup_id, key, objects: Arc::new(objects) }
    }

    /// What a sequencer of this world works with.
    pub fn parts(&self, prover: Arc<dyn Prover>) -> crate::Parts {
        crate::Parts {
            rollup: self.rollup.clone(),
            key: self.key.clone(),
            prover,
            circuit_digest: [3; 32],
            objects: Arc::clone(&self.objects),
        }
    }

    /// Every batch on the chain, recomputed from what was published, in order.
    pub async fn batches(&self) -> Vec<Batch> {
        let tip = self.rollup.rollup().await.unwrap().tip.batches;
        let (mut cursor, mut batches) = (Cursor::genesis(&self.rollup_id), Vec::new());
        for number in 0..tip {
            let header = self.rollup.batch(number).await.unwrap().unwrap().header;
            header.continues(&cursor).unwrap();
            batches.push(self.open_batch(&header, &cursor).await);
            cursor = header.cursor();
        }
        batches
    }

    async fn open_batch(&self, header: &BatchHeader, cursor: &Cursor) -> Batch {
        let get = async |path| self.objects.get(&path).await.unwrap().bytes().await.unwrap();
        let stored = get(crate::objects::blob_path(&header.data_digest)).await;
        let data = zstd::bulk::decompress(&stored, header.data_length as usize).unwrap();
        let proof = get(crate::objects::proof_path(&header.statement())).await;
        let proof: BatchProof = borsh::from_slice(&proof).unwrap();
        assert_eq!(proof.statement, header.statement());
        Blob::open(&data, header, cursor).unwrap()
    }

    /// Asserts that the chain has each acknowledged bundle at its index, and no bundle twice. Returns how many it has.
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
            let at = usize::try_from(ack.log_index).unwrap();
            let entry = (ack.node_index, ack.sequence, ack.bundle_digest);
            assert_eq!(log.get(at), Some(&entry), "acknowledged bundle {at}");
        }
        log.len()
    }
}
