//! Where data comes from: mirrors of which some are wrong, and what the rollup says on chain.

use crate::support::staged::{Branch, Staged};
use crate::support::{Bench, until};
use cairn_indexer::{Blobs, Indexer, ProblemKind};
use cairn_objects::{Location, Mirrors, Trust, blob_path, local_folder, put};
use cairn_types::Batch;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::sync::Arc;

fn mirrors(stores: &[(&str, Arc<InMemory>)]) -> Blobs {
    let stores = stores.iter().map(|(name, store)| ((*name).to_owned(), store.clone() as Arc<dyn ObjectStore>));
    Blobs::Mirrors(Arc::new(Mirrors::new(stores)))
}

/// A chain with one batch past the first, whose data is not published.
async fn one(bench: &Bench) -> (Arc<Staged>, Branch, Batch) {
    let chain = Staged::new(bench).await;
    let mut branch = Branch::new(bench).await;
    let batch = branch.seal(10);
    branch.push(&batch);
    chain.show(&branch.headers, &branch.headers);
    (chain, branch, batch)
}

fn data(bench: &Bench, batch: &Batch) -> Vec<u8> {
    batch.blob(&bench.ledger.cursor)
}

async fn store(at: &InMemory, batch: &Batch, bytes: Vec<u8>) {
    put(at, blob_path(&batch.header.data_digest), bytes.into()).await.unwrap();
}

fn compress(data: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(data, 3).unwrap()
}

#[tokio::test]
async fn a_corrupt_mirror_does_not_block_while_another_is_honest() {
    let bench = Bench::new().await;
    let (chain, _, batch) = one(&bench).await;
    let mut wrong = data(&bench, &batch);
    wrong[100] ^= 1;
    let corrupt = Arc::new(InMemory::new());
    store(&corrupt, &batch, compress(&wrong)).await;
    store(&bench.objects, &batch, compress(&data(&bench, &batch))).await;
    let blobs = mirrors(&[("corrupt", corrupt), ("honest", bench.objects.clone())]);
    let indexer = bench.start_with(bench.config(), chain, blobs).await;
    let status = until(&indexer, |status| status.batches_indexed == 2).await;
    assert_eq!(status.problem, None);
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn when_no_mirror_has_the_data_each_is_named_with_its_reason() {
    let bench = Bench::new().await;
    let (chain, _, batch) = one(&bench).await;
    let (corrupt, large, bomb) = (Arc::new(InMemory::new()), Arc::new(InMemory::new()), Arc::new(InMemory::new()));
    let mut wrong = data(&bench, &batch);
    wrong[100] ^= 1;
    store(&corrupt, &batch, compress(&wrong)).await;
    store(&large, &batch, vec![0; 1 << 20]).await;
    store(&bomb, &batch, compress(&vec![0; 1 << 20])).await;
    let all = [("corrupt", corrupt), ("large", large), ("bomb", bomb), ("first", bench.objects.clone())];
    let indexer = bench.start_with(bench.config(), chain.clone(), mirrors(&all)).await;
    let status = until(&indexer, |status| status.batches_indexed == 1 && status.problem.is_some()).await;
    let problem = status.problem.unwrap();
    // One of them may get it yet.
    assert_eq!((problem.kind, problem.batch), (ProblemKind::Missing, Some(1)));
    for part in
        ["corrupt: blob digest is", "large: the stored blob has 1048576", "bomb: the blob inflates", "first: blobs/"]
    {
        assert!(problem.reason.contains(part), "{}", problem.reason);
    }
    indexer.stop().await.unwrap();
    let first_data = object_store::ObjectStoreExt::get(&*bench.objects, &blob_path(&chain_zero(&bench).await)).await;
    let zero = first_data.unwrap().bytes().await.unwrap();
    for (_, mirror) in &all[..3] {
        put(&**mirror, blob_path(&chain_zero(&bench).await), zero.clone()).await.unwrap();
    }
    let indexer = bench.start_with(bench.config(), chain, mirrors(&all[..3])).await;
    let status = until(&indexer, |status| status.problem.is_some()).await;
    assert_eq!(status.problem.unwrap().kind, ProblemKind::Refused, "all of them have other bytes");
    // A mirror that gets the right bytes ends it.
    store(&all[1].1, &batch, compress(&data(&bench, &batch))).await;
    until(&indexer, |status| status.batches_indexed == 2 && status.problem.is_none()).await;
    indexer.stop().await.unwrap();
}

async fn chain_zero(bench: &Bench) -> cairn_types::Digest {
    bench.client.batch(0).await.unwrap().unwrap().header.data_digest
}

async fn reason(indexer: &Indexer, part: &str) -> String {
    let met = until(indexer, |status| status.problem.as_ref().is_some_and(|problem| problem.reason.contains(part)));
    met.await.problem.unwrap().reason
}

#[tokio::test]
async fn what_the_rollup_says_is_followed_as_it_changes_and_never_into_this_machine() {
    let bench = Bench::new().await;
    let (chain, _, batch) = one(&bench).await;
    store(&bench.objects, &batch, compress(&data(&bench, &batch))).await;
    // A folder of this machine that really has the data.
    let folder = bench.dir.path().join("published");
    let local = local_folder(&folder).unwrap();
    for (digest, bytes) in [(batch.header.data_digest, compress(&data(&bench, &batch)))] {
        put(&local, blob_path(&digest), bytes.into()).await.unwrap();
    }
    let zero = object_store::ObjectStoreExt::get(&*bench.objects, &blob_path(&chain_zero(&bench).await)).await.unwrap();
    put(&local, blob_path(&chain_zero(&bench).await), zero.bytes().await.unwrap()).await.unwrap();
    let file = format!("file://{}", folder.display());

    let indexer = bench.start_with(bench.config(), chain.clone(), Blobs::OnChain { own: None }).await;
    let said = reason(&indexer, "does not say where its data is").await;
    assert!(said.contains("--blobs URL"), "{said}");
    let say = |text: &str| {
        chain.change(|finalized, confirmed| (finalized.location, confirmed.location) = (text.into(), text.into()))
    };
    for (text, part) in [
        (file.as_str(), "its scheme file is followed from --blobs only"),
        ("http://blobs.example.org/", "its scheme http is followed from --blobs only"),
        ("https://127.0.0.1/x", "not on the public network"),
        ("https://localhost/x", "not on the public network"),
        ("https://169.254.169.254/", "not on the public network"),
        ("nowhere", "it is not a URL"),
    ] {
        say(text);
        let said = reason(&indexer, part).await;
        assert!(said.contains("blob_location is not followed"), "{said}");
    }
    // A public name is followed: what comes of it names the place. Nobody answers under this one.
    say("https://blobs.invalid.example.invalid/rollup");
    let said = reason(&indexer, "https://blobs.invalid.example.invalid/rollup: ").await;
    assert!(said.contains("cannot be read"), "{said}");
    indexer.stop().await.unwrap();

    // The operator's own word goes before it.
    let locations = [Location::parse(&file, Trust::Operator).unwrap()];
    let blobs = Blobs::open(&locations, None).unwrap();
    let indexer = bench.start_with(bench.config(), chain.clone(), blobs).await;
    until(&indexer, |status| status.batches_indexed == 2).await;
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_directory_of_its_own_is_enough_while_the_rollup_says_nothing() {
    let bench = Bench::new().await;
    let (chain, _, batch) = one(&bench).await;
    store(&bench.objects, &batch, compress(&data(&bench, &batch))).await;
    let own: Arc<dyn ObjectStore> = bench.objects.clone();
    let indexer = bench.start_with(bench.config(), chain, Blobs::open(&[], Some(own)).unwrap()).await;
    until(&indexer, |status| status.batches_indexed == 2).await;
    indexer.stop().await.unwrap();
}
