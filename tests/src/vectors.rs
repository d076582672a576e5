//! Test vectors of `docs/protocol.md`, for those who write a second implementation.

use cairn_schnorr::SigningKey;
use cairn_types::state::{MemoryState, touched};
use cairn_types::{
    Account, Acknowledgement, Batch, BatchHeader, Bundle, BundleData, Capture, Cursor, Digest, EMPTY_STATE_ROOT,
    EntryKind, Evidence, Kind, Leaf, Lineage, Locator, Method, QueueEntry, Receipt, ReceiptKey, ReceiptProof,
    ReceiptSignature, Record, Rights, RightsSignal, SignalKind, VERDICT_NAMES, Verdict, Verdicts, domain_tag, hash,
    queue_genesis, tree,
};
use serde_json::{Value, json};

/// File names in `docs/vectors/` and what they hold. Words are decimal strings, for they exceed what JSON numbers carry.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("poseidon.json", poseidon()),
        ("hashing.json", hashing()),
        ("trees.json", trees()),
        ("receipts.json", receipts()),
        ("signatures.json", signatures()),
        ("state.json", state()),
        ("batch.json", batch()),
    ]
}

/// The text of a file: two spaces of indent and a final newline.
///
/// # Panics
/// Never: a JSON value has a text.
#[must_use]
pub fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

fn words(words: &[u64]) -> Value {
    words.iter().map(u64::to_string).collect()
}

fn poseidon() -> Value {
    let p = cairn_goldilocks::MODULUS;
    let states: [[u64; 12]; 4] = [
        [0; 12],
        std::array::from_fn(|lane| lane as u64),
        [p - 1; 12],
        std::array::from_fn(|lane| p - 1 - (lane as u64).pow(9)),
    ];
    let cases = states.map(|input| {
        let mut output = input;
        cairn_goldilocks::poseidon(&mut output);
        json!({ "input": words(&input), "output": words(&output) })
    });
    json!({ "about": "Poseidon over Goldilocks, width 12, x^7, 8 full and 22 partial rounds, plonky2's constants", "cases": cases })
}

fn hashing() -> Value {
    let kinds = [Kind::Leaf, Kind::Node, Kind::Bundle, Kind::Account, Kind::Header, Kind::Queue, Kind::Challenge];
    let cases: Vec<_> = kinds
        .iter()
        .map(|kind| {
            let input: Vec<u64> = (0..kind.input_words() as u64).map(|n| n * n + 1).collect();
            json!({
                "kind": format!("{kind:?}").to_lowercase(),
                "tag": format!("{:#018x}", kind.tag()),
                "input": words(&input),
                "digest": hash(*kind, &input).to_hex(),
            })
        })
        .collect();
    let rollup_id = Digest::from_byte_digest([0xff; 32]);
    json!({
        "about": "H_kind, the tagged sponge; digests are four little-endian words in hexadecimal",
        "cases": cases,
        "queue_genesis": { "rollup_id": rollup_id.to_hex(), "digest": queue_genesis(&rollup_id).to_hex() },
    })
}

fn trees() -> Value {
    let leaves: Vec<_> = (1..=5).map(|n| Digest::constant([n, n + 1, n + 2, n + 3])).collect();
    let paths: Vec<Value> = (0..leaves.len())
        .map(|index| json!({ "index": index, "siblings": hexes(&tree::path(8, &leaves, index)) }))
        .collect();
    json!({
        "about": "Merkle trees of fixed depth; empty[k] is the root of an empty tree of depth k",
        "empty": hexes(&tree::EMPTY),
        "empty_state_root": EMPTY_STATE_ROOT.to_hex(),
        "depth": 8,
        "leaves": hexes(&leaves),
        "root": tree::root(8, &leaves).to_hex(),
        "paths": paths,
    })
}

fn hexes(digests: &[Digest]) -> Value {
    digests.iter().map(Digest::to_hex).collect()
}

fn sample(n: u64) -> Receipt {
    let full = n % 2 == 1;
    Receipt {
        rollup_id: Digest::from_byte_digest([0x5a; 32]),
        node_index: 3,
        url: format!("https://www.example.org/page/{n}"),
        final_url: full.then(|| format!("https://www.example.org/page/{n}/")),
        domain: "example.org".into(),
        suffix_list: "2026-11-01".into(),
        fetch_time: 1_793_664_000_000 + 1000 * n,
        fetch_end: full.then_some(1_793_664_000_250 + 1000 * n),
        status: 200,
        method: Method::Get,
        media_type: Some("text/html".into()),
        charset: full.then(|| "utf-8".into()),
        language: full.then(|| "en".into()),
        content_length: 4096 + n,
        truncated: n == 2,
        capture: Capture::Response,
        payload_blake3: *blake3::hash(&n.to_le_bytes()).as_bytes(),
        payload_sha256: [n as u8; 32],
        payload_sha1: [n as u8; 20],
        headers_digest: full.then_some([0x11; 32]),
        job: full.then(|| "weekly".into()),
        rights: Rights {
            signals: if full { vec![RightsSignal { kind: SignalKind::RobotsTxt, digest: [0x22; 32] }] } else { vec![] },
            verdicts: Verdicts::from_array([
                Verdict::ALL[n as usize % 4],
                Verdict::ALL[(n as usize + 1) % 4],
                Verdict::ALL[(n as usize + 2) % 4],
                Verdict::Unknown,
                Verdict::ALL[(n as usize + 3) % 4],
            ]),
        },
        evidence: Evidence::default(),
        locator: full.then(|| Locator { file: "crawl.warc.gz".into(), offset: 1000 * n, length: 900 }),
        lineage: (n == 3)
            .then(|| Lineage { parent: Digest::from_byte_digest([0x33; 32]), transform: "boilerplate-removal".into() }),
        groups: if full { vec![[0x44; 32]] } else { vec![] },
    }
}

fn record(receipt: &Receipt) -> Record {
    let bytes = receipt.encode().expect("a valid sample");
    Record { leaf: Leaf::of(receipt, &bytes).expect("a valid sample"), receipt: bytes }
}

fn receipts() -> Value {
    let cases: Vec<_> = (0..4)
        .map(|n| {
            let receipt = sample(n);
            let record = record(&receipt);
            json!({
                "url": receipt.url,
                "domain": receipt.domain,
                "domain_tag": words(&domain_tag(&receipt.domain)),
                "bytes": hex::encode(&record.receipt),
                "receipt_digest": Receipt::digest_of(&record.receipt).to_hex(),
                "leaf": words(&record.leaf.words()),
                "leaf_digest": record.leaf.digest().to_hex(),
            })
        })
        .collect();
    json!({ "about": "Receipts in canonical bytes, their digests and leaves", "verdicts": VERDICT_NAMES, "cases": cases })
}

/// Secrets that everybody knows.
fn secret(number: u8) -> SigningKey {
    let mut bytes = [number; 40];
    bytes[39] = 0;
    SigningKey::from_bytes(&bytes).expect("below the order, and not zero")
}

fn key(secret: &SigningKey) -> ReceiptKey {
    ReceiptKey::from_words(secret.public_key().words()).expect("an encoding is canonical")
}

fn signatures() -> Value {
    let cases: Vec<_> = (1..=4)
        .map(|number| {
            let (secret, message) = (secret(number), Digest::constant([u64::from(number), 2, 3, 1 << 63]));
            let signature = secret.sign(&message.words()).to_bytes();
            json!({
                "secret": hex::encode(secret.to_bytes().as_slice()),
                "key": key(&secret).to_string(),
                "message": message.to_hex(),
                "signature": hex::encode(signature),
            })
        })
        .collect();
    let acknowledgement = Acknowledgement {
        rollup_id: Digest::from_byte_digest([0x5a; 32]),
        log_index: 7,
        node_index: 3,
        sequence: 1,
        bundle_digest: Digest::constant([1, 2, 3, 4]),
        settle_by_slot: 1_000,
    };
    json!({
        "about": "Schnorr over ecGFp5: secrets and keys of 40 bytes, signatures of 80, nonces deterministic",
        "cases": cases,
        "acknowledgement_message": hex::encode(acknowledgement.message()),
    })
}

fn registrations() -> Vec<QueueEntry> {
    let entry = |kind, index, key| QueueEntry::new(kind, index, key).expect("in range");
    vec![
        entry(EntryKind::Register, 0, key(&secret(1))),
        entry(EntryKind::Register, 1, key(&secret(2))),
        entry(EntryKind::Register, 2, key(&secret(3))),
        entry(EntryKind::Register, 3, key(&secret(4))),
        entry(EntryKind::Rotate, 1, key(&secret(5))),
        entry(EntryKind::Deactivate, 2, ReceiptKey::ZERO),
    ]
}

fn state() -> Value {
    let mut queue = Cursor::genesis(&sample(0).rollup_id).queue;
    let mut state = MemoryState::default().open(0..4);
    let entries: Vec<_> = registrations()
        .iter()
        .map(|entry| {
            queue = queue.push(entry);
            state.apply_entry(entry).expect("registered");
            json!({
                "position": queue.position.to_string(),
                "kind": entry.kind.name(),
                "node_index": entry.node_index,
                "key": entry.key.to_string(),
                "digest": queue.digest.to_hex(),
                "state_root": state.root().to_hex(),
            })
        })
        .collect();
    let account = |(index, account): (u32, Account)| {
        let path = state.path(index).expect("opened");
        json!({ "index": index, "words": words(&account.words()), "digest": account.digest().to_hex(), "siblings": hexes(&path) })
    };
    json!({
        "about": "Queue entries of a rollup in order, the account tree after each, and the accounts at the end",
        "rollup_id": sample(0).rollup_id.to_hex(),
        "entries": entries,
        "accounts": state.accounts().map(account).collect::<Vec<_>>(),
    })
}

fn batch() -> Value {
    let rollup_id = sample(0).rollup_id;
    let bundle = |sequence, samples: std::ops::Range<u64>| {
        let records = samples.map(|n| record(&sample(n))).collect();
        let signature = ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]);
        let mut bundle = BundleData { node_index: 3, sequence, signature, records };
        let digest = bundle.statement(&rollup_id).expect("valid samples").digest();
        bundle.signature = ReceiptSignature::from_bytes(secret(4).sign(&digest.words()).to_bytes());
        bundle
    };
    let mut accounts = MemoryState::default();
    let mut cursor = Cursor::genesis(&rollup_id);
    let mut seal = |bundles: Vec<BundleData>, entries: Vec<QueueEntry>| {
        let mut state = accounts.open(touched(&bundles, &entries));
        let batch = Batch::seal(&cursor, rollup_id, bundles, entries, &mut state).expect("valid samples");
        accounts.commit(&state);
        let before = std::mem::replace(&mut cursor, batch.header.cursor());
        (batch, before)
    };
    let (first, _) = seal(vec![], registrations()[..4].to_vec());
    let (batch, cursor) = seal(vec![bundle(0, 0..3), bundle(1, 3..4)], registrations()[4..].to_vec());
    let statement = |bundle: &Bundle| json!({ "words": words(&bundle.words()), "digest": bundle.digest().to_hex() });
    let header: &BatchHeader = &batch.header;
    json!({
        "about": "The queue entries of state.json and the receipts of receipts.json: batch 0 registers four nodes, batch 1 holds two bundles of node 3 and the other two entries",
        "batch_0_header": words(&first.header.words()),
        "batch_0_statement": first.header.statement().to_hex(),
        "bundles": batch.statements.iter().map(statement).collect::<Vec<_>>(),
        "signatures": batch.bundles.iter().map(|bundle| bundle.signature.to_hex()).collect::<Vec<_>>(),
        "header": words(&header.words()),
        "statement": header.statement().to_hex(),
        "blob": hex::encode(batch.blob(&cursor)),
        "proof_file_of_bundle_0_receipt_1": ReceiptProof::new(&batch, 0, 1).map(|proof| hex::encode(proof.encode())),
    })
}
