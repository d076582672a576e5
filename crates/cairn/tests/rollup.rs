//! `cairn rollup`, as an admin types it, against a served chain.

mod common;

use cairn_chain::{Address, Chain as _, Commitment, DEV_PROGRAM_ID, Keypair, NewNode, RollupClient};
use cairn_interface::{
    ABANDON_AFTER_SLOTS, DEFAULT_MAX_PENDING, DEFAULT_QUEUE_DEADLINE, PAUSE_SECONDS, rollup_address, rollup_id,
};
use cairn_types::state::{MemoryState, touched};
use cairn_types::{Batch, Digest, Profile, ReceiptKey};
use common::{SOL, Served};
use serde_json::Value;
use std::sync::Arc;

struct Bench {
    served: Served,
    admin: Address,
    sequencer: Address,
    acknowledgement: Address,
    registrar: Address,
}

impl Bench {
    /// Key files for four roles, of which nobody has lamports.
    async fn new() -> Self {
        let served = Served::new().await;
        let [admin, sequencer, acknowledgement, registrar] = ["admin", "sequencer", "acknowledgement", "registrar"]
            .map(|name| {
                let key = Keypair::generate();
                key.save(&served.path(&format!("{name}.json"))).unwrap();
                key.address()
            });
        Self { served, admin, sequencer, acknowledgement, registrar }
    }

    fn address(&self) -> Address {
        rollup_address(&DEV_PROGRAM_ID, &self.admin, 0)
    }

    fn client(&self) -> RollupClient {
        RollupClient::new(Arc::new(self.served.chain.clone()), DEV_PROGRAM_ID, self.address())
    }

    /// `create` with what it must be told, and more.
    fn create(&self, more: &str) -> String {
        format!(
            "rollup create --rpc {} --admin admin.json --sequencer {} --acknowledgement-key {} --profile dev --registrar {} {more}",
            self.served.url(),
            self.sequencer,
            self.acknowledgement,
            self.registrar
        )
    }

    /// A command of the admin about the rollup.
    fn of(&self, command: &str) -> String {
        format!("rollup {command} --rpc {} --rollup {} --admin admin.json", self.served.url(), self.address())
    }

    fn show(&self) -> String {
        format!("rollup show --rpc {} --rollup {}", self.served.url(), self.address())
    }

    async fn fund(&self, key: Address) {
        self.served.chain.fund(key, 100 * SOL).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_creates_a_rollup_and_finds_it_there_the_second_time() {
    let bench = Bench::new().await;
    let error = bench.served.refused(&bench.create("")).await;
    assert!(error.contains("has 0 SOL") && error.contains("rent 0.19") && error.contains("--airdrop"), "{error}");
    // Lamports that somebody sent to the address are no rollup.
    bench.served.chain.fund(bench.address(), 1_000_000).await.unwrap();

    let location = "https://blobs.example.com/cairn";
    let made = bench.served.json(&bench.create(&format!("--airdrop --bond 0.1 --blob-location {location}"))).await;
    assert_eq!((&made["outcome"], &made["rollup"]), (&"created".into(), &bench.address().to_string().into()));
    assert_eq!(made["transactions"].as_array().unwrap().len(), 2, "{made}");
    assert!(made["transactions"][0]["transaction"].is_string() && made["transactions"][0]["slot"].is_string());

    let shown = bench.served.json(&bench.show()).await;
    let genesis = bench.served.chain.genesis_hash().await.unwrap();
    let identity = rollup_id(&genesis, &DEV_PROGRAM_ID, &bench.address(), Profile::Dev);
    for (name, value) in [
        ("rollup_id", identity.to_hex()),
        ("admin", bench.admin.to_string()),
        ("sequencer", bench.sequencer.to_string()),
        ("acknowledgement_key", bench.acknowledgement.to_string()),
        ("registrar", bench.registrar.to_string()),
        ("bond_lamports", "100000000".to_owned()),
        ("queue_deadline_slots", DEFAULT_QUEUE_DEADLINE.to_string()),
        ("max_pending", DEFAULT_MAX_PENDING.to_string()),
        ("blob_location", location.to_owned()),
        ("profile", "dev".to_owned()),
        ("commitment", "finalized".to_owned()),
        ("pending", "0".to_owned()),
        ("queue_length", "0".to_owned()),
        ("generation", "0".to_owned()),
    ] {
        assert_eq!(shown[name], value, "{name} of {shown}");
    }
    assert_eq!((&shown["paused"], &shown["paused_until"]), (&false.into(), &Value::Null));
    assert_eq!((&shown["tip"], &shown["tip"]["batches"]), (&shown["confirmed_tip"], &"0".into()));
    let text = bench.served.run(&bench.show()).await.out;
    for said in
        ["(finalized, slot ", &identity.to_hex(), location, "0.1 SOL", "no batches", "not final", "0 of at most 32"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }

    // The same again, as whole and as what it had come to when the second transaction was not sent yet.
    let again = bench.served.json(&bench.create(&format!("--bond 0.1 --blob-location {location}"))).await;
    assert_eq!((&again["outcome"], &again["transactions"]), (&"already created".into(), &Value::Array(vec![])));
    assert_eq!(bench.served.json(&bench.create("--bond 0.1")).await["outcome"], "already created");
    let admin = Keypair::load(&bench.served.path("admin.json")).unwrap();
    bench.client().set_blob_location(&admin, "").await.unwrap();
    let resumed = bench.served.json(&bench.create(&format!("--bond 0.1 --blob-location {location}"))).await;
    assert_eq!(resumed["transactions"].as_array().unwrap().len(), 1, "{resumed}");
    assert_eq!(resumed["blob_location"], location);

    for (more, said) in [
        ("--bond 0.2", "--bond 0.2, and it has \"0.1\""),
        ("--bond 0.1 --max-pending 33", "--max-pending 33, and it has \"32\""),
        ("--bond 0.1 --queue-deadline 1500", "--queue-deadline 1500"),
        ("--bond 0.1 --blob-location s3://elsewhere", "--blob-location s3://elsewhere"),
        ("", "--bond 0, and it has \"0.1\""),
    ] {
        let error = bench.served.refused(&bench.create(more)).await;
        assert!(error.contains(said) && error.contains("another --id"), "{more}: {error}");
    }
    assert_eq!(bench.client().rollup().await.unwrap().blob_location, location, "nothing was changed");
    let other = bench.served.json(&bench.create("--bond 0.2 --id 1 --airdrop")).await;
    assert_eq!((&other["outcome"], &other["id"]), (&"created".into(), &"1".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_what_can_be_changed_and_nothing_twice() {
    let bench = Bench::new().await;
    bench.fund(bench.admin).await;
    bench.served.json(&bench.create("")).await;
    let created = bench.client().rollup().await.unwrap();
    let successor = Keypair::generate().address();

    for (command, outcome) in [
        ("set-blob-location s3://cairn-blobs/main".to_owned(), "blob location set"),
        ("set-blob-location gs://b".to_owned(), "blob location set"),
        ("set-blob-location --clear".to_owned(), "blob location cleared"),
        (format!("set-sequencer --sequencer {successor}"), "keys replaced"),
        ("set-registry --bond 0.5 --queue-deadline 1500".to_owned(), "terms replaced"),
        ("set-registry --no-registrar".to_owned(), "terms replaced"),
        ("pause".to_owned(), "paused"),
        ("set-blob-location gs://in-a-pause".to_owned(), "blob location set"),
        ("unpause".to_owned(), "unpaused"),
    ] {
        let done = bench.served.json(&bench.of(&command)).await;
        assert_eq!((&done["outcome"], done["transactions"].as_array().unwrap().len()), (&outcome.into(), 1), "{done}");
        assert_eq!(done["transactions"][0]["fee_lamports"], "5000");
        let again = bench.served.json(&bench.of(&command)).await;
        assert_eq!(again["transactions"], Value::Array(vec![]), "{command}: {again}");
        if command == "pause" {
            assert_eq!(again["paused"], true);
            let times = [&again["paused_until"], &again["cluster_time"]]
                .map(|time| time.as_str().unwrap().parse::<i64>().unwrap());
            assert!((1..=PAUSE_SECONDS).contains(&(times[0] - times[1])), "{again}");
            assert!(bench.served.run(&bench.show()).await.out.contains("until 2"), "a date of this millennium");
        }
    }
    let rollup = bench.client().rollup().await.unwrap();
    assert_eq!((rollup.sequencer, rollup.acknowledgement_key), (successor, bench.acknowledgement));
    assert_eq!((rollup.registry.bond, rollup.registry.queue_deadline), (SOL / 2, 1_500));
    assert!(rollup.registry.registrar.is_zero());
    assert_eq!((rollup.blob_location.as_str(), rollup.paused_until), ("gs://in-a-pause", 0));
    assert_eq!(
        (rollup.rollup_id, rollup.max_pending, rollup.tip),
        (created.rollup_id, created.max_pending, created.tip)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_abandons_what_is_pending_and_a_stranger_not_yet() {
    let bench = Bench::new().await;
    let stranger = Keypair::generate();
    stranger.save(&bench.served.path("stranger.json")).unwrap();
    for key in [bench.admin, bench.sequencer, stranger.address()] {
        bench.fund(key).await;
    }
    bench.served.json(&bench.create("")).await;
    let by = |signer: &str| {
        let place = format!("--rpc {} --rollup {}", bench.served.url(), bench.address());
        format!("rollup abandon {place} --signer {signer}.json")
    };
    let idle = bench.served.json(&by("stranger")).await;
    assert_eq!((&idle["outcome"], &idle["transactions"]), (&"nothing is pending".into(), &Value::Array(vec![])));

    let sequencer = Keypair::load(&bench.served.path("sequencer.json")).unwrap();
    let (created, mut state) = (bench.client().rollup().await.unwrap(), MemoryState::default());
    let mut cursor = created.tip;
    for number in 1..=2 {
        // A batch is not empty: each consumes a registration.
        let (authority, registrar) =
            (Keypair::generate(), Keypair::load(&bench.served.path("registrar.json")).unwrap());
        bench.fund(authority.address()).await;
        // Whether a key is a point is judged where it signs.
        let receipt_key = ReceiptKey::from_words([number, 2, 3, 4, 5]).unwrap();
        let new = NewNode { authority: &authority, payer: None, registrar: Some(&registrar), receipt_key };
        bench.client().register_node(&new).await.unwrap();
        let queue = bench.client().queue().await.unwrap();
        let entries = queue.entries_from(&cursor.queue, queue.end.position).unwrap();
        let entries: Vec<_> = entries.iter().map(|entry| entry.entry).collect();
        let mut next = state.open(touched(&[], &entries));
        let batch = Batch::seal(&cursor, created.rollup_id, vec![], entries, &mut next).unwrap();
        state.commit(&next);
        bench.client().submit_batch(&sequencer, &batch.header).await.unwrap();
        cursor = batch.header.cursor();
    }
    let pending = bench.client().rollup().await.unwrap();
    assert_eq!(pending.pending(), 2);
    let slots = bench.client().batch(0).await.unwrap().unwrap().slot + ABANDON_AFTER_SLOTS;
    for (signer, said) in [
        ("stranger --yes", format!("from slot {slots} on")),
        (
            "sequencer",
            "batches from number 0 on that would be abandoned: 2; run the command again with --yes".to_owned(),
        ),
        ("nobody", "cairn keygen --solana --out nobody.json".to_owned()),
    ] {
        let (name, flag) = signer.split_once(' ').unwrap_or((signer, ""));
        let error = bench.served.refused(&format!("{} {flag}", by(name))).await;
        assert!(error.contains(&said), "{signer}: {error}");
    }
    assert_eq!(bench.client().rollup().await.unwrap(), pending, "nothing was sent");

    let done = bench.served.json(&format!("{} --yes", by("sequencer"))).await;
    assert_eq!((&done["outcome"], &done["generation"]), (&"batches abandoned: 2".into(), &"1".into()));
    assert_eq!((&done["pending"], &done["tip"]["batches"]), (&"0".into(), &"0".into()));
    assert_eq!(bench.client().rollup().await.unwrap().tip, created.tip);
    let again = bench.served.json(&format!("{} --yes", by("sequencer"))).await;
    assert_eq!((&again["outcome"], &again["transactions"]), (&"nothing is pending".into(), &Value::Array(vec![])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gets_the_rent_of_forgotten_proof_accounts_back() {
    let bench = Bench::new().await;
    for key in [bench.admin, bench.sequencer] {
        bench.fund(key).await;
    }
    bench.served.json(&bench.create("")).await;
    let (client, chain) = (bench.client(), &bench.served.chain);
    let sequencer = Keypair::load(&bench.served.path("sequencer.json")).unwrap();
    let lamports = || async { chain.account(&bench.sequencer, Commitment::Finalized).await.unwrap().unwrap().lamports };
    let before = lamports().await;
    let mut accounts = Vec::new();
    for statement in 1..=2 {
        let account = Keypair::generate();
        let statement = Digest::constant([statement, 0, 0, 0]);
        let (_, draft) = client.open_proof(Profile::Dev, account.address(), bench.sequencer, &statement).await.unwrap();
        let signed = client.sign_all(&sequencer, &[&account], &[draft]).await.unwrap().remove(0);
        client.deliver(&signed.transaction).await.unwrap();
        accounts.push(account.address());
    }
    accounts.sort_unstable();

    let by = |key: &str| {
        format!("rollup close-proofs --rpc {} --rollup {} --authority {key}.json", bench.served.url(), bench.address())
    };
    let none = bench.served.json(&by("admin")).await;
    assert_eq!((&none["outcome"], &none["accounts"]), (&"no proof accounts".into(), &Value::Array(vec![])));
    let listed = bench.served.json(&by("sequencer")).await;
    let of = |report: &Value, name: &str| {
        report["accounts"].as_array().unwrap().iter().map(|account| account[name].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&listed, "account"), accounts.iter().map(|account| account.to_string()).collect::<Vec<_>>());
    assert_eq!(of(&listed, "transaction"), [Value::Null, Value::Null]);
    assert_eq!(client.proofs_of(&bench.sequencer).await.unwrap().len(), 2, "nothing was sent");
    let error = bench.served.refused(&format!("{} --yes --account {}", by("admin"), accounts[0])).await;
    assert!(error.contains("is no proof account that"), "{error}");

    let one = bench.served.json(&format!("{} --yes --account {}", by("sequencer"), accounts[1])).await;
    assert_eq!(
        (&one["outcome"], of(&one, "account")),
        (&"proof accounts closed: 1".into(), vec![accounts[1].to_string().into()])
    );
    let rest = bench.served.json(&format!("{} --yes", by("sequencer"))).await;
    assert_eq!(of(&rest, "account"), [accounts[0].to_string()]);
    assert!(rest["accounts"][0]["transaction"].is_string());
    assert_eq!(client.proofs_of(&bench.sequencer).await.unwrap(), []);
    let spent = before - lamports().await;
    assert_eq!(spent, 2 * 10_000 + 2 * 5_000, "fees alone: the rent is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_by_its_flag_and_nothing_is_sent() {
    let bench = Bench::new().await;
    bench.fund(bench.admin).await;
    let url = bench.served.url();
    let error = bench.served.refused(&bench.show()).await;
    assert!(error.contains("there is no rollup at") && error.contains("--rollup"), "{error}");
    let nowhere = Keypair::generate().address();
    let error = bench.served.refused(&bench.create(&format!("--program {nowhere}"))).await;
    assert!(error.contains("--program: there is no program"), "{error}");
    bench.served.json(&bench.create("")).await;
    let before = bench.client().rollup().await.unwrap();

    let by_sequencer = format!("--rpc {url} --rollup {} --admin sequencer.json", bench.address());
    let (sequencer, registrar) = (bench.sequencer, bench.registrar);
    for (arguments, said) in [
        (bench.of("set-blob-location"), "--clear"),
        (bench.of("set-blob-location --clear gs://b"), "--clear"),
        (bench.of("set-blob-location http://blobs.example.com"), "http"),
        (bench.of("set-blob-location https://localhost/blobs"), "public"),
        (bench.of(&format!("set-blob-location https://blobs.example.com/{}", "x".repeat(180))), "at most 200 bytes"),
        (bench.of("set-blob-location https://blobs.example.com/é"), "percent-encoded"),
        (bench.of("set-sequencer"), "--sequencer"),
        (bench.of(&format!("set-sequencer --acknowledgement-key {sequencer}")), "is the sequencer's key too"),
        (bench.of("set-sequencer --sequencer 11111111111111111111111111111111"), "--sequencer is zero"),
        (bench.of("set-registry"), "say what to change"),
        (bench.of("set-registry --bond 0.0001"), "--bond is less than 0.001"),
        (bench.of("set-registry --no-registrar"), "nobody could register"),
        (bench.of(&format!("set-registry --no-registrar --registrar {registrar}")), "--no-registrar"),
        (bench.of("set-registry --queue-deadline 10"), "--queue-deadline"),
        (format!("rollup pause {by_sequencer}"), "the rollup's admin is"),
        (format!("rollup unpause {by_sequencer}"), "the rollup's admin is"),
        (format!("rollup set-blob-location gs://b {by_sequencer}"), "the rollup's admin is"),
        (format!("rollup pause --rpc {url} --rollup {} --admin none.json", bench.address()), "cairn keygen --solana"),
        (format!("rollup pause --rpc {url} --rollup {} --admin none.json", bench.address()), "none.json"),
        (format!("rollup pause --rpc {url} --admin admin.json"), "--rollup"),
        (bench.create("--max-pending 0"), "--max-pending"),
        (bench.create("--max-pending 1025"), "--max-pending"),
        (bench.create("--bond x"), "--bond"),
        (bench.create("--blob-location ftp://x"), "--blob-location"),
        (
            format!(
                "rollup create --rpc {url} --admin admin.json --sequencer {sequencer} --acknowledgement-key {registrar}"
            ),
            "say who may register nodes",
        ),
        (
            format!(
                "rollup create --rpc {url} --admin admin.json --sequencer {sequencer} --acknowledgement-key {sequencer} --bond 1"
            ),
            "is the sequencer's key too",
        ),
        (format!("rollup show --rpc {url} --rollup {} --program {nowhere}", bench.address()), "belongs to"),
        (format!("{} --profile production", bench.show()), "is of the other profile: give --profile dev"),
        (format!("{} --profile production", bench.of("pause")), "is of the other profile: give --profile dev"),
        (
            format!("rollup show --rpc http://127.0.0.1:9 --rpc-budget 2s --rollup {}", bench.address()),
            "no chain answers",
        ),
    ] {
        let error = bench.served.refused(&arguments).await;
        assert!(error.contains(said), "{arguments}: {error}");
    }
    assert_eq!(bench.client().rollup().await.unwrap(), before);
    for (command, options) in [
        (
            "create",
            &["--admin", "--sequencer", "--acknowledgement-key", "--bond", "--max-pending", "--blob-location"][..],
        ),
        ("show", &["--rollup", "--json", "--rpc"]),
        ("set-sequencer", &["--sequencer", "--acknowledgement-key"]),
        ("set-registry", &["--registrar", "--no-registrar", "--bond", "--queue-deadline"]),
        ("set-blob-location", &["<URL>", "--clear"]),
        ("pause", &["--admin", "--airdrop"]),
        ("unpause", &["--admin"]),
        ("abandon", &["--signer", "--yes", "--airdrop"]),
        ("close-proofs", &["--authority", "--account", "--yes", "--airdrop"]),
    ] {
        let help = bench.served.run(&format!("rollup {command} --help")).await;
        assert_eq!(help.code, 0);
        for option in options {
            assert!(help.out.contains(option), "rollup {command} --help does not tell of {option}");
        }
    }
}
