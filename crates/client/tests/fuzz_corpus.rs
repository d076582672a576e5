//! Replays the corpus of the fuzz targets, and cuts and changes its files at every place.

mod account_bytes;
#[path = "../../../tests/fuzz/bodies.rs"]
mod bodies;
mod warc_files;

use bodies::{NODE, SECRET, TREE, cursor};
use cairn_client::warc::read_files;
use cairn_client::{NodeKey, ReceiptKeyFile};
use cairn_interface::{Node, Queue, Rollup};
use cairn_proto::v1::{self, SubmitBundleRequest};
use cairn_proto::{Acknowledgement, Submission};
use cairn_schnorr::SigningKey;
use cairn_types::state::{PartialState, touched};
use cairn_types::{
    AccountProof, Batch, BundleData, Digest, EntryKind, Leaf, QueueCursor, QueueEntry, ReceiptProof, ReceiptSignature,
    Record,
};
use proptest::prelude::*;
use prost::Message;
use std::io::Write as _;
use std::path::PathBuf;
use warc_files::{gzip, options, own, record, response};

type Body = fn(&[u8]);
/// Where the rollup of the seeds has its blobs.
const LOCATION: &str = "https://blobs.example.org/cairn";

const TARGETS: [(&str, Body); 13] = [
    ("warc", bodies::warc),
    ("receipt", bodies::receipt),
    ("bundle", bodies::bundle),
    ("blob", bodies::blob),
    ("proof", bodies::proof),
    ("account_proof", bodies::account_proof),
    ("final_proof", bodies::final_proof),
    ("signature", bodies::signature),
    ("account", bodies::account),
    ("blob_location", bodies::blob_location),
    ("state", bodies::state),
    ("acknowledgement", bodies::acknowledgement),
    ("key_file", bodies::key_file),
];

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target)
}

fn files(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(corpus(target))
        .unwrap_or_else(|error| panic!("corpus of {target}: {error}"))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "target {target} has a corpus");
    files
}

/// Small valid inputs for every target.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTDM-Reservation: 1\r\n\r\nhello";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let revisit = record(
        "WARC-Type: revisit\nWARC-Target-URI: http://example.org/a\nWARC-Date: 2026-01-01T00:00:09.5Z\nWARC-Refers-To: <urn:test:/a>\n\
         WARC-Profile: http://netpreserve.org/warc/1.1/revisit/server-not-modified",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
    );
    let request = record(
        "WARC-Type: request\nWARC-Target-URI: http://example.org/a\nWARC-Date: 2026-01-01T00:00:02Z\nWARC-Concurrent-To: <urn:test:/a>",
        b"GET /a HTTP/1.1\r\nUser-Agent: Bot/1.0\r\n\r\n",
    );
    let robots = "HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /b*c$\nContent-Usage: train-ai=n\n";
    let records =
        [response("/robots.txt", 1, robots), response("/a", 2, ok), request, response("/b", 3, chunked), revisit];
    let members: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    let crawl = read_files(&[own("site.warc.gz")], &options(), &()).unwrap();
    let rollup_id = options().rollup_id;
    let records_of: Vec<_> = crawl
        .receipts
        .iter()
        .map(|receipt| {
            let bytes = receipt.encode().unwrap();
            Record { leaf: Leaf::of(receipt, &bytes).unwrap(), receipt: bytes }
        })
        .collect();
    let (key, unsigned) = (NodeKey::from(secret()), ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]));
    let mut bundle = BundleData { node_index: NODE, sequence: 0, signature: unsigned, records: records_of };
    let digest = bundle.statement(&rollup_id).unwrap().digest();
    bundle.signature = key.sign(&digest);
    let (bundles, entries) = (vec![bundle.clone()], entries(&key).to_vec());
    let entries_of_queue = entries.clone();
    let mut state = TREE.open(touched(&bundles, &entries));
    let before = borsh::to_vec(&state).unwrap();
    let cursor = cursor(&rollup_id);
    let batch = Batch::seal(&cursor, rollup_id, bundles, entries, &mut state).unwrap();
    let signature = [&key.public().to_bytes()[..], bundle.signature.as_bytes(), &digest.to_bytes()].concat();
    let acknowledgement = Acknowledgement {
        log_index: 1,
        node_index: NODE,
        sequence: 0,
        bundle_digest: digest,
        settle_by_slot: 1_000,
        signature: [9; 64],
        duplicate: true,
    };
    vec![
        ("warc", "plain", records.concat()),
        ("warc", "members", members),
        ("warc", "one-member", gzip(&records.concat())),
        ("receipt", "page", bundle.records[0].receipt.clone()),
        ("bundle", "site", SubmitBundleRequest::from(Submission { rollup_id, bundle }).encode_to_vec()),
        ("blob", "site", batch.blob(&cursor)),
        ("proof", "page", ReceiptProof::new(&batch, 0, 3).unwrap().encode()),
        ("account_proof", "node", AccountProof::new(&batch.header, &state, NODE).unwrap().encode()),
        ("final_proof", "its-own-word", bodies::change(100, bodies::final_proof_word(100)).to_vec()),
        ("final_proof", "an-opening-and-a-query", [bodies::change(100, 5), bodies::change(800, 6)].concat()),
        ("signature", "bundle", signature),
        ("account", "queue", account_bytes::queue(queue_genesis(), &entries_of_queue, u64::from(NODE + 2))),
        ("account", "rollup", account_bytes::rollup(&cursor, &batch.header.cursor(), LOCATION)),
        ("account", "batch", account_bytes::batch(&batch.header)),
        ("account", "history", account_bytes::history(&[[1; 32], [2; 32], [3; 32]])),
        ("account", "node", account_bytes::node(NODE, &key.public())),
        ("blob_location", "https", [&[LOCATION.len() as u8], LOCATION.as_bytes()].concat()),
        ("state", "batch", before),
        ("acknowledgement", "duplicate", v1::Acknowledgement::from(acknowledgement).encode_to_vec()),
        ("key_file", "node", key_file(&key)),
    ]
}

/// Where the queue of the seeds starts.
fn queue_genesis() -> QueueCursor {
    QueueCursor { position: 0, digest: cairn_types::queue_genesis(&options().rollup_id) }
}

fn secret() -> SigningKey {
    SigningKey::from_bytes(&SECRET).unwrap()
}

/// A rotation, a registration and a deactivation.
fn entries(key: &NodeKey) -> [QueueEntry; 3] {
    let other = NodeKey::from(SigningKey::from_bytes(&SECRET.map(|byte| byte / 2)).unwrap()).public();
    [
        (EntryKind::Rotate, NODE, other),
        (EntryKind::Register, NODE + 1, key.public()),
        (EntryKind::Deactivate, NODE + 1, Default::default()),
    ]
    .map(|(kind, index, key)| QueueEntry::new(kind, index, key).unwrap())
}

fn key_file(key: &NodeKey) -> Vec<u8> {
    format!("cairn receipt key 1\npublic {}\nsecret {}\n", key.public(), *secret().to_hex()).into_bytes()
}

/// `CAIRN_WRITE_SEEDS=1` writes them instead, after a change that is meant to change them.
#[test]
fn committed_seeds_are_what_the_code_gives() {
    let write = std::env::var_os("CAIRN_WRITE_SEEDS").is_some();
    for (target, name, bytes) in seeds() {
        let path = corpus(target).join(name);
        if write {
            std::fs::create_dir_all(corpus(target)).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{target}/{name} is not current: run with CAIRN_WRITE_SEEDS=1");
    }
}

#[test]
fn seeds_are_accepted_by_what_they_are_seeds_of() {
    for (target, name, bytes) in seeds() {
        match target {
            "warc" => assert_eq!(warc_files::read(&bytes).receipts.len(), 4, "{name}"),
            "receipt" => drop(cairn_types::Receipt::decode(&bytes).unwrap()),
            "bundle" => drop(Submission::try_from(SubmitBundleRequest::decode(bytes.as_slice()).unwrap()).unwrap()),
            "blob" => {
                let blob = borsh::from_slice::<cairn_types::Blob>(&bytes).unwrap();
                let mut state = TREE.open(blob.touched());
                Batch::seal(&cursor(&blob.rollup_id), blob.rollup_id, blob.bundles, blob.entries, &mut state).unwrap();
            }
            "proof" => drop(ReceiptProof::decode(&bytes).unwrap().verify().unwrap()),
            "account_proof" => assert!(AccountProof::decode(&bytes).unwrap().verify().unwrap().account.is_some()),
            "final_proof" => bodies::final_proof(&bytes),
            "signature" => {
                let signature = ReceiptSignature::from_slice(&bytes[40..120]).unwrap();
                let message = Digest::from_slice(&bytes[120..]).unwrap();
                NodeKey::from(secret()).public().verify(&message, &signature).unwrap();
            }
            "account" => match name {
                "queue" => {
                    let queue = Queue::parse(&bytes).unwrap();
                    assert_eq!(queue.entries_from(&queue_genesis(), 3).unwrap().len(), 3);
                }
                "rollup" => {
                    let rollup = Rollup::parse(&bytes).unwrap();
                    assert_eq!((rollup.pending(), rollup.blob_location.as_str()), (1, LOCATION));
                }
                "batch" => assert!(cairn_interface::Batch::parse(&bytes).unwrap().status.is_settled()),
                "history" => assert_eq!(cairn_interface::History::parse(&bytes).unwrap().kept.len(), 3),
                "node" => assert_eq!(Node::parse(&bytes).unwrap().receipt_key, NodeKey::from(secret()).public()),
                other => panic!("which account is {other}?"),
            },
            "blob_location" => assert!(bodies::blob_location_of(&bytes).is_some()),
            "state" => {
                let state = borsh::from_slice::<PartialState>(&bytes).unwrap();
                state.verify(&cursor(&options().rollup_id).state_root).unwrap();
            }
            "acknowledgement" => {
                let message = v1::Acknowledgement::decode(bytes.as_slice()).unwrap();
                assert!(Acknowledgement::try_from(message).unwrap().duplicate);
            }
            "key_file" => {
                let mut file = tempfile::NamedTempFile::new().unwrap();
                file.write_all(&bytes).unwrap();
                assert_eq!(ReceiptKeyFile::read(file.path()).unwrap().public(), NodeKey::from(secret()).public());
            }
            other => panic!("what is a seed of {other}?"),
        }
    }
}

#[test]
fn every_file_of_the_corpus_is_handled() {
    for (target, body) in TARGETS {
        files(target).iter().for_each(|(_, bytes)| body(bytes));
    }
}

#[test]
fn every_cut_and_every_changed_byte_of_the_corpus_is_handled() {
    for (target, body) in TARGETS {
        for (_, bytes) in files(target) {
            // Long files are sampled evenly.
            let step = bytes.len().div_ceil(1500).max(1);
            for at in (0..bytes.len()).step_by(step) {
                body(&bytes[..at]);
                for change in [0x01, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= change;
                    body(&changed);
                }
            }
        }
    }
}

/// Bytes like those of the corpus: pieces of its files in any order, with noise between them.
fn mixture() -> impl Strategy<Value = Vec<u8>> {
    let texts = files("warc").into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    let piece = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let noise = prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::vec((piece, noise), 1..6).prop_map(move |parts| {
        let mut bytes = Vec::new();
        for ((file, from, to), noise) in parts {
            let text = file.get(&texts);
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            bytes.extend_from_slice(&text[from.min(to)..from.max(to)]);
            bytes.extend_from_slice(&noise);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn mixtures_of_warc_files_are_handled(bytes in mixture()) {
        bodies::warc(&bytes);
    }

    #[test]
    fn noise_is_handled(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        TARGETS.iter().for_each(|(_, body)| body(&bytes));
    }

    #[test]
    fn any_robots_txt_and_any_header_is_handled(robots in "(?s).{0,200}", value in "[ -~]{0,80}", path in "[ -~]{0,40}") {
        let record = |path: &str, second, message: &str| {
            let fields = format!("WARC-Type: response\nWARC-Target-URI: http://example.org/{path}\nWARC-Date: {}", warc_files::date(second));
            record(&fields, message.as_bytes())
        };
        let ask = warc_files::record(
            &format!("WARC-Type: request\nWARC-Target-URI: http://example.org/{path}\nWARC-Date: {}", warc_files::date(2)),
            format!("GET / HTTP/1.1\r\nUser-Agent: {value}\r\n\r\n").as_bytes(),
        );
        let headers = ["Content-Usage", "Content-Signal", "X-Robots-Tag", "TDM-Reservation", "Link", "Content-Type", "Content-Language"];
        let fields: String = headers.iter().map(|name| format!("{name}: {value}\r\n")).collect();
        let file = [
            record("robots.txt", 1, &format!("HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nAllow: {path}\nDisallow: {value}\n{robots}")),
            record(&path, 2, &format!("HTTP/1.1 200 OK\r\n{fields}\r\nbody")),
            ask,
        ];
        bodies::warc(&file.concat());
    }
}
