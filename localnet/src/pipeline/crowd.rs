//! Many nodes: their keys, receipts and bundles.

use super::{PipelineError, Watch};
use cairn_proto::Submission;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_schnorr::SigningKey;
use cairn_types::{BundleData, Digest, Leaf, Receipt, ReceiptKey, ReceiptSignature, Record, Rights, Verdict, Verdicts};
use futures::{StreamExt, stream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Streams over which nodes submit.
const STREAMS: usize = 8;
/// Every run has the same keys.
const SEED: u64 = 0x6361_6972_6e00_0001;

/// One node.
pub struct CrowdNode {
    secret: SigningKey,
    /// Its key as the registry knows it.
    pub public: ReceiptKey,
}

/// All of them, at their indices.
pub struct Crowd {
    /// The nodes.
    pub nodes: Vec<CrowdNode>,
}

impl Crowd {
    /// Makes the keys of `count` nodes.
    pub fn new(count: usize) -> Self {
        let random = &mut StdRng::seed_from_u64(SEED);
        let node = |_| {
            let secret = SigningKey::generate(random);
            let public = ReceiptKey::from_words(secret.public_key().words()).expect("an encoding is canonical");
            CrowdNode { secret, public }
        };
        Self { nodes: (0..count).map(node).collect() }
    }

    /// Makes receipts, as evenly spread over the nodes as it goes, in unsigned bundles.
    pub fn receipts(
        &self,
        rollup_id: Digest,
        (receipts, bundle_receipts): (usize, usize),
    ) -> Result<Vec<BundleData>, PipelineError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let mut bundles = Vec::new();
        for index in 0..self.nodes.len() {
            let share = receipts * (index + 1) / self.nodes.len() - receipts * index / self.nodes.len();
            let made =
                (0..share).map(|n| record(rollup_id, index as u32, n as u64, now)).collect::<Result<Vec<_>, _>>()?;
            for (sequence, records) in made.chunks(bundle_receipts).enumerate() {
                bundles.push(BundleData {
                    node_index: index as u32,
                    sequence: sequence as u64,
                    signature: ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]),
                    records: records.to_vec(),
                });
            }
        }
        Ok(bundles)
    }

    /// Signs them.
    pub fn sign(&self, rollup_id: Digest, mut bundles: Vec<BundleData>) -> Result<Vec<BundleData>, PipelineError> {
        for bundle in &mut bundles {
            let digest = bundle.statement(&rollup_id)?.digest();
            let secret = &self.nodes[bundle.node_index as usize].secret;
            bundle.signature = ReceiptSignature::from_bytes(secret.sign(&digest.words()).to_bytes());
        }
        Ok(bundles)
    }
}

fn record(rollup_id: Digest, node_index: u32, n: u64, now: u64) -> Result<Record, PipelineError> {
    let url = format!("https://www.example.org/{node_index}/{n}");
    let verdicts = Verdicts { robots: Verdict::ALL[n as usize % 4], ..Verdicts::default() };
    let receipt = Receipt {
        content_length: 20_000 + n,
        media_type: Some("text/html".into()),
        payload_blake3: *blake3::hash(url.as_bytes()).as_bytes(),
        rights: Rights { signals: vec![], verdicts },
        ..Receipt::new(rollup_id, node_index, &url, "example.org", now - 1_000_000 + n)
    };
    let bytes = receipt.encode()?;
    Ok(Record { leaf: Leaf::of(&receipt, &bytes)?, receipt: bytes })
}

/// Digests of up to `count` receipts, spread over all bundles.
pub fn some_receipts(bundles: &[BundleData], count: usize) -> Vec<Digest> {
    let all: usize = bundles.iter().map(|bundle| bundle.records.len()).sum();
    let records = bundles.iter().flat_map(|bundle| &bundle.records);
    records.step_by((all / count.max(1)).max(1)).take(count).map(|record| Receipt::digest_of(&record.receipt)).collect()
}

/// Submits every bundle, a node's own in order, over a few streams.
pub async fn submit(
    url: &str,
    rollup_id: Digest,
    bundles: Vec<BundleData>,
    watch: &dyn Watch,
) -> Result<(), PipelineError> {
    let total = bundles.len();
    let mut streams: Vec<Vec<SubmitBundleRequest>> = (0..STREAMS).map(|_| Vec::new()).collect();
    for bundle in bundles {
        streams[bundle.node_index as usize % STREAMS].push(Submission { rollup_id, bundle }.into());
    }
    let client = SequencerClient::connect(url.to_owned()).await?;
    let done = &AtomicUsize::new(0);
    let mut running: stream::FuturesUnordered<_> = streams
        .into_iter()
        .map(|requests| {
            let mut client = client.clone();
            async move {
                let expected = requests.len();
                let mut answers = client.submit_bundles(stream::iter(requests)).await?.into_inner();
                let mut received = 0;
                while let Some(answer) = answers.next().await {
                    answer?;
                    received += 1;
                    watch.step("submit", done.fetch_add(1, Ordering::Relaxed) + 1, total);
                }
                match received == expected {
                    true => Ok(()),
                    false => Err(tonic::Status::aborted("the stream ended before every bundle was acknowledged")),
                }
            }
        })
        .collect();
    while let Some(outcome) = running.next().await {
        outcome?;
    }
    Ok(())
}
