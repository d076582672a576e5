//! A rollup with two nodes, a payer, somebody who writes receipts, and an escrow for what node 0 fetched.

use crate::client::{
    self, Claim, ESCROW_PROGRAM, RECEIPT_HEAD, SETTLEMENT_PROGRAM, Terms, escrow_address, spent_address,
};
use crate::error::EscrowError;
use cairn_interface::{Address, Instruction, Profile};
use cairn_tests::settlement::{Failure, FilledBatch, Leaves, Machine, PROFILE, address, pubkey, receipt_key};
use cairn_types::{Digest, InclusionPath, Leaf, Receipt};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;
use std::path::PathBuf;

/// Name another file than the committed one: for `dev`, then `production`.
const PROGRAM_FILE_VARIABLES: [&str; 2] = ["CAIRN_ESCROW_SO", "CAIRN_PRODUCTION_ESCROW_SO"];

/// What is paid.
pub const AMOUNT: u64 = 5_000_000;
/// How long an escrow lasts, in slots.
pub const TERM: u64 = 1_000;
/// Compute units that a transaction asks for.
const UNITS: u32 = 1_400_000;

pub fn program_file(profile: Profile) -> PathBuf {
    let [dev, production] = PROGRAM_FILE_VARIABLES;
    let (variable, name) = match profile {
        Profile::Dev => (dev, "escrow-dev.so"),
        Profile::Production => (production, "escrow.so"),
    };
    let committed = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../programs")).join(name);
    std::env::var_os(variable).map_or_else(committed, PathBuf::from)
}

pub struct Scene {
    pub machine: Machine,
    pub payer: Keypair,
    /// Who brings receipts on chain: anybody.
    pub writer: Keypair,
    /// The authorities of nodes 0 and 1.
    pub nodes: Vec<Keypair>,
}

/// SHA-256 of some content.
pub fn content(number: u8) -> [u8; 32] {
    [number; 32]
}

pub fn refused(error: EscrowError) -> Result<u64, Failure> {
    Err(Failure::Instruction(InstructionError::Custom(error as u32)))
}

pub fn leaf(receipt: &Receipt) -> Leaf {
    Leaf::of(receipt, &receipt.encode().expect("a valid receipt")).expect("it has a leaf")
}

impl Scene {
    pub fn new() -> Self {
        Self::with_program(PROFILE)
    }

    /// A scene of the profile `dev` all the same, with the escrow program of this one.
    pub fn with_program(profile: Profile) -> Self {
        let mut machine = Machine::new();
        machine.svm.add_program_from_file(pubkey(ESCROW_PROGRAM), program_file(profile)).expect("the program loads");
        let nodes = (0..2).map(|number| {
            let authority = machine.funded();
            machine.register(&authority, &receipt_key(number)).expect("registered");
            authority
        });
        let nodes = nodes.collect();
        let (payer, writer) = (machine.funded(), machine.funded());
        Self { machine, payer, writer, nodes }
    }

    /// What node 0 says of having fetched this content, for the `fetch`th time.
    pub fn receipt(&self, content_number: u8, fetch: u64) -> Receipt {
        let rollup_id = self.machine.rollup().rollup_id;
        let url = "https://www.example.org/articles/2026/11/a-page-with-a-name";
        Receipt {
            content_length: 1_234,
            suffix_list: "2.1.247".into(),
            media_type: Some("text/html".into()),
            charset: Some("utf-8".into()),
            payload_blake3: [9; 32],
            payload_sha256: content(content_number),
            headers_digest: Some([5; 32]),
            job: Some("job-1".into()),
            ..Receipt::new(rollup_id, 0, url, "example.org", 1_700_000_000_000 + fetch)
        }
    }

    /// Terms for node 0 and this content.
    pub fn terms(&self, id: u64, content_number: u8) -> Terms {
        let refundable_from = self.slot() + TERM;
        Terms { id, amount: AMOUNT, refundable_from, node_index: 0, content_sha256: content(content_number) }
    }

    pub fn slot(&self) -> u64 {
        self.machine.svm.get_sysvar::<solana_sdk::clock::Clock>().slot
    }

    pub fn deposit(&mut self, terms: &Terms) -> Result<u64, Failure> {
        let payer = self.payer.insecure_clone();
        self.send(&[client::deposit(&address(&payer), &self.machine.rollup, terms)], &[&payer])
    }

    pub fn withdraw(&mut self, payer: &Keypair, escrow: &Address) -> Result<u64, Failure> {
        self.send(&[client::withdraw(&address(payer), escrow)], &[payer])
    }

    /// Submits a batch with one bundle of a node's, of these leaves.
    pub fn submit(&mut self, node_index: u32, leaves: Vec<Leaf>) -> FilledBatch {
        let batch = FilledBatch::next(&self.machine, vec![Leaves { node_index, leaves }]);
        self.machine.submit(&batch.header).expect("accepted");
        batch
    }

    /// A settled batch of one bundle of node 0 with these receipts.
    pub fn settle(&mut self, receipts: &[Receipt]) -> FilledBatch {
        let batch = self.submit(0, receipts.iter().map(leaf).collect());
        self.machine.settle(batch.header.number).expect("settled");
        batch
    }

    /// An account with these bytes for a receipt, written in as many transactions as it takes.
    pub fn write(&mut self, bytes: &[u8]) -> Address {
        let (key, writer) = (Keypair::new(), self.writer.insecure_clone());
        let (account, authority) = (address(&key), address(&writer));
        let rent = self.machine.svm.minimum_balance_for_rent_exemption(RECEIPT_HEAD + bytes.len());
        let create = client::create_receipt(&authority, &account, bytes.len(), rent);
        let mut chunks = bytes.chunks(700).zip((0..).step_by(700));
        let (first, offset) = chunks.next().expect("not empty");
        let write = client::write_receipt(&authority, &account, true, offset, first);
        self.send(&[create, write], &[&writer, &key]).expect("written");
        for (bytes, offset) in chunks {
            let write = client::write_receipt(&authority, &account, false, offset, bytes);
            self.send(&[write], &[&writer]).expect("written");
        }
        account
    }

    pub fn written(&mut self, receipt: &Receipt) -> Address {
        self.write(&receipt.encode().expect("a valid receipt"))
    }

    /// The accounts of an honest claim to the payer's escrow `id`, with a receipt that is written and in batch `number`.
    pub fn accounts(&mut self, id: u64, receipt: &Receipt, number: u64) -> Claim {
        let digest = Receipt::digest_of(&receipt.encode().expect("a valid receipt"));
        let receipt = self.written(receipt);
        self.accounts_with(id, receipt, &digest, number)
    }

    /// As [`Self::accounts`], for the account of any bytes.
    pub fn accounts_with(&self, id: u64, receipt: Address, digest: &Digest, number: u64) -> Claim {
        let payer = address(&self.payer);
        Claim {
            payee: address(&self.nodes[0]),
            escrow: escrow_address(&payer, id),
            receipt,
            node: self.machine.node_address(&self.nodes[0]),
            batch: self.machine.batch_address(number),
            spent: spent_address(&payer, digest),
            settlement: SETTLEMENT_PROGRAM,
        }
    }

    pub fn claim(&mut self, accounts: &Claim, number: u64, path: &InclusionPath) -> Result<u64, Failure> {
        let keys = [&self.nodes[0], &self.nodes[1], &self.writer, &self.payer];
        let payee = keys.into_iter().find(|key| address(key) == accounts.payee).expect("a key of the scene");
        let payee = payee.insecure_clone();
        self.send(&[client::claim(accounts, number, path)], &[&payee])
    }

    /// Claims the escrow `id` with a receipt that is at this place of a batch.
    pub fn claim_at(&mut self, id: u64, receipt: &Receipt, batch: &FilledBatch, leaf: usize) -> Result<u64, Failure> {
        let accounts = self.accounts(id, receipt, batch.header.number);
        self.claim(&accounts, batch.header.number, &batch.path(0, leaf))
    }

    /// Sends instructions with as many compute units as there are; gives those that it took.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<u64, Failure> {
        let instructions = [&client::budget(UNITS)[..], instructions].concat();
        self.machine.send_all(&instructions, signers)
    }
}
