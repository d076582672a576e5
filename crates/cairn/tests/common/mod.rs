//! A served embedded chain, and the command run against it in a folder of its own.

use cairn_chain::{EmbeddedChain, EmbeddedRpcServer, Options};
use cairn_interface::Profile;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub const SOL: u64 = 1_000_000_000;

/// The chain, its server, and the folder that arguments name files in.
pub struct Served {
    dir: tempfile::TempDir,
    pub chain: EmbeddedChain,
    server: EmbeddedRpcServer,
}

/// What a run of the command left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Served {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chain = EmbeddedChain::open(dir.path().join("chain"), Options::of(Profile::Dev)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = EmbeddedRpcServer::serve(chain.clone(), listener, CancellationToken::new()).unwrap();
        Self { dir, chain, server }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Runs a command whose arguments have no spaces in them.
    pub async fn run(&self, arguments: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        command.args(arguments.split_whitespace()).current_dir(self.dir.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CAIRN_")) {
            command.env_remove(name);
        }
        command.env("CAIRN_PROFILE", "dev");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The object of a run with `--json` that must succeed.
    pub async fn json(&self, arguments: &str) -> Value {
        let ran = self.run(&format!("{arguments} --json")).await;
        assert_eq!(ran.code, 0, "{arguments}: {ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    /// What a run that must fail says.
    pub async fn refused(&self, arguments: &str) -> String {
        let ran = self.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}: {ran:?}");
        ran.err
    }
}
