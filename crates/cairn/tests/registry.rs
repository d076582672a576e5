//! `cairn register`, `rotate-key` and `deactivate`, as an operator types them, against a served chain.

mod common;

use cairn_chain::{DEV_PROGRAM_ID, Keypair, NewRollup, RollupClient};
use cairn_interface::{DEFAULT_BOND, DEFAULT_MAX_PENDING, Profile, Registry};
use cairn_types::state::{MemoryState, touched};
use cairn_types::{Batch, Cursor};
use common::{Ran, SOL, Served};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

struct Bench {
    served: Served,
    client: RollupClient,
    sequencer: Keypair,
    registrar: Keypair,
    cursor: Cursor,
    state: MemoryState,
}

impl Bench {
    async fn new(registry: impl Fn(&Keypair) -> Registry) -> Self {
        let served = Served::new().await;
        let chain = served.chain.clone();
        let [admin, sequencer, acknowledgement, registrar] = std::array::from_fn(|_| Keypair::generate());
        for key in [&admin, &sequencer] {
            chain.fund(key.address(), 100 * SOL).await.unwrap();
        }
        registrar.save(&served.path("registrar.json")).unwrap();
        let client = RollupClient::of_admin(Arc::new(chain), DEV_PROGRAM_ID, &admin.address(), 0);
        let new = NewRollup {
            id: 0,
            sequencer: sequencer.address(),
            acknowledgement_key: acknowledgement.address(),
            profile: Profile::Dev,
            max_pending: DEFAULT_MAX_PENDING,
            registry: registry(&registrar),
        };
        client.initialize(&admin, &new).await.unwrap();
        let cursor = client.rollup().await.unwrap().tip;
        Self { served, client, sequencer, registrar, cursor, state: MemoryState::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.served.path(name)
    }

    /// A command about the rollup, its file arguments being names in the test's folder.
    fn of(&self, arguments: &str) -> String {
        let rollup = self.client.address();
        format!("{arguments} --rpc {} --rollup {rollup} --authority authority.json", self.served.url())
    }

    async fn cairn(&self, arguments: &str) -> Ran {
        self.run(&self.of(arguments)).await
    }

    async fn run(&self, arguments: &str) -> Ran {
        self.served.run(arguments).await
    }

    async fn json(&self, arguments: &str) -> Value {
        self.served.json(&self.of(arguments)).await
    }

    async fn refused(&self, arguments: &str) -> String {
        self.served.refused(&self.of(arguments)).await
    }

    async fn keygen(&self, name: &str) -> String {
        let ran = self.run(&format!("keygen --out {name}")).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.trim().to_owned()
    }

    /// A batch that consumes all that waits.
    async fn consume(&mut self) {
        let read = self.client.finalized_queue().await.unwrap();
        let entries = read.queue.entries_from(&self.cursor.queue, read.queue.end.position).unwrap();
        let entries: Vec<_> = entries.iter().map(|entry| entry.entry).collect();
        let mut state = self.state.open(touched(&[], &entries));
        let batch = Batch::seal(&self.cursor, read.rollup.rollup_id, vec![], entries, &mut state).unwrap();
        self.client.submit_batch(&self.sequencer, &batch.header).await.unwrap();
        self.state.commit(&state);
        self.cursor = batch.header.cursor();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_takes_a_node_from_registration_to_deactivation() {
    let mut bench = Bench::new(|_| Registry::OPEN).await;
    let [first, second, _] =
        [bench.keygen("first.key").await, bench.keygen("second.key").await, bench.keygen("third.key").await];

    let error = bench.refused("register --key first.key").await;
    assert!(error.contains("cairn keygen --solana --out authority.json"), "{error}");
    let error = bench.refused("register --key first.key --new-authority").await;
    assert!(error.contains("has 0 SOL") && error.contains("bond 0.1") && error.contains("--airdrop"), "{error}");
    let done = bench.json("register --key first.key --airdrop").await;
    assert_eq!((&done["outcome"], &done["node_index"]), (&"registered".into(), &0.into()));
    assert_eq!((&done["receipt_key"], &done["queue_position"]), (&first.as_str().into(), &"1".into()));
    assert_eq!((&done["consumed"], &done["bond_lamports"]), (&false.into(), &DEFAULT_BOND.to_string().into()));
    assert!(done["transaction"].is_string() && done["slot"].is_string());
    let again = bench.json("register --key first.key").await;
    assert_eq!((&again["outcome"], &again["transaction"]), (&"already registered".into(), &Value::Null));
    assert_eq!(again["node_index"], done["node_index"]);
    let error = bench.refused("register --key second.key").await;
    assert!(error.contains("cairn rotate-key") && error.contains(&first), "{error}");

    bench.consume().await;
    let text = bench.cairn("register --key first.key").await.out;
    assert!(
        text.starts_with("already registered: node 0 ") && text.contains("consumed by a batch that is not settled yet"),
        "{text}"
    );
    assert!(text.contains("cairn submit --key first.key"), "{text}");

    let rotating = bench.json("rotate-key --key second.key").await;
    assert_eq!((&rotating["outcome"], &rotating["receipt_key"]), (&"rotating".into(), &second.as_str().into()));
    assert_eq!((&rotating["queue_kind"], &rotating["consumed"]), (&"rotate".into(), &false.into()));
    assert_eq!(bench.json("rotate-key --key second.key").await["outcome"], "already rotated");
    let text = bench.cairn("rotate-key --key second.key").await.out;
    assert!(text.contains("next to be consumed") && text.contains("until entry 2 is consumed"), "{text}");
    let error = bench.refused("rotate-key --key third.key").await;
    assert!(error.contains("entry 2") && error.contains("is settled"), "{error}");

    let error = bench.refused("deactivate").await;
    assert!(error.contains("--yes") && error.contains(&second), "{error}");
    assert!(bench.client.finalized_queue().await.unwrap().queue.end.position == 2, "nothing was sent");
    let gone = bench.json("deactivate --yes").await;
    assert_eq!((&gone["outcome"], &gone["active"]), (&"deactivating".into(), &false.into()));
    let text = bench.cairn("deactivate").await.out;
    assert!(
        text.starts_with("already deactivated") && text.contains("once the batch that consumes entry 3 is settled"),
        "{text}"
    );
    for command in ["register --key second.key", "rotate-key --key third.key"] {
        let error = bench.refused(command).await;
        assert!(error.contains("another --authority"), "{command}: {error}");
    }
    bench.consume().await;
    // Submitted is not settled: the batch could be abandoned, and the entry with it.
    let waiting = bench.json("deactivate").await;
    assert_eq!((&waiting["outcome"], &waiting["consumed"]), (&"already deactivated".into(), &true.into()));
    assert_eq!((&waiting["settled"], &waiting["bond_lamports"]), (&false.into(), &DEFAULT_BOND.to_string().into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_lets_nodes_in_without_a_bond() {
    let bench = Bench::new(|registrar| Registry::closed(registrar.address())).await;
    bench.keygen("node.key").await;
    Keypair::generate().save(&bench.path("stranger.json")).unwrap();
    Keypair::generate().save(&bench.path("payer.json")).unwrap();
    let error = bench.refused("register --new-authority --airdrop").await;
    assert!(error.contains(&bench.registrar.address().to_string()) && error.contains("--registrar"), "{error}");
    let error = bench.refused("register --airdrop --registrar stranger.json").await;
    assert!(error.contains("the rollup's registrar is"), "{error}");
    let error = bench.refused("register --airdrop --registrar nowhere.json").await;
    assert!(error.contains("--registrar") && error.contains("nowhere.json"), "{error}");
    let done = bench.json("register --airdrop --registrar registrar.json --payer payer.json").await;
    let payer = Keypair::load(&bench.path("payer.json")).unwrap().address().to_string();
    assert_eq!((&done["bond_lamports"], &done["payer"]), (&"0".into(), &payer.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_options_is_said_by_their_names() {
    let bench = Bench::new(|_| Registry::OPEN).await;
    bench.keygen("node.key").await;
    Keypair::generate().save(&bench.path("authority.json")).unwrap();
    let rollup = bench.client.address().to_string();
    let url = bench.served.url();
    let elsewhere = Keypair::generate().address();
    for (arguments, said) in [
        (format!("register --rpc {url} --rollup nonsense --authority authority.json"), "--rollup"),
        (format!("register --rpc {url} --rollup {elsewhere} --authority authority.json"), "there is no rollup at"),
        (
            format!("register --rpc {url} --rollup {rollup} --authority authority.json --program {elsewhere}"),
            "belongs to",
        ),
        (
            format!("register --rpc http://127.0.0.1:9 --rollup {rollup} --authority authority.json"),
            "start `cairn sequencer`",
        ),
        (format!("register --rpc ftp://x --rollup {rollup} --authority authority.json"), "http or https"),
        (format!("register --rpc {url} --authority authority.json"), "--rollup"),
        (format!("register --rpc {url} --rollup {rollup} --authority node.key"), "not a JSON array of 64 bytes"),
        (
            format!("register --rpc {url} --rollup {rollup} --authority authority.json --key authority.json"),
            "is no receipt key file",
        ),
        (format!("register --rpc {url} --rollup {rollup} --authority authority.json --key none.key"), "cairn keygen"),
        (format!("rotate-key --rpc {url} --rollup {rollup} --authority authority.json"), "has no node in this rollup"),
        (
            format!("deactivate --yes --rpc {url} --rollup {rollup} --authority authority.json"),
            "has no node in this rollup",
        ),
    ] {
        let ran = bench.run(&arguments).await;
        assert!(ran.code == 2 && ran.err.contains(said), "{arguments}: {ran:?}");
    }
    for command in ["register", "rotate-key", "deactivate"] {
        let help = bench.run(&format!("{command} --help")).await;
        assert_eq!(help.code, 0);
        for option in ["--rpc", "--rollup", "--authority", "--json"] {
            assert!(help.out.contains(option), "{command} --help does not tell of {option}");
        }
    }
}
