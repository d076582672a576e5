//! What it costs to verify the committed proofs and a receipt's place, in compute units, and the record that this may not
//! grow beyond.
//!
//! A proof's nonce is found by luck, and carries in its arithmetic depend on its words, so that every proof costs a little
//! differently; these are of two proofs that stay the same.

use crate::settlement::{FilledBatch, Fixture, Leaves, Machine, PROGRAM_ID, address, program_file, pubkey};
use cairn_interface::{self as interface, Address, Instruction, OpenProof, Profile, ProofStep, proof_account};
use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_BUNDLE_RECEIPTS};
use cairn_verifier::{Dev, NONCE, Parameters, Production, all_queries};
use solana_sdk::signature::Keypair;
use std::path::PathBuf;

/// One phase and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The phase.
    pub name: String,
    /// Compute units.
    pub units: u64,
}

/// Percent by which a phase may cost more than is recorded.
pub const MOST_GROWTH_PERCENT: u64 = 2;

/// Where the costs are recorded, one `name = units` in a line.
#[must_use]
pub fn record() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/compute-units.toml"))
}

/// The costs in a record.
///
/// # Panics
/// When a line is not one of a record.
#[must_use]
pub fn read(record: &str) -> Vec<Cost> {
    let lines = record.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, units) = line.split_once(" = ").expect("a name and its units");
            Cost { name: name.to_owned(), units: units.parse().expect("compute units") }
        })
        .collect()
}

/// A record of these costs.
#[must_use]
pub fn write(costs: &[Cost]) -> String {
    let lines: String = costs.iter().map(|cost| format!("{} = {}\n", cost.name, cost.units)).collect();
    format!("# Written by `cargo run --release -p cairn-tests --bin compute-units -- --record`.\n{lines}")
}

/// All costs that are recorded, in the record's order.
#[must_use]
pub fn measure() -> Vec<Cost> {
    Profile::ALL.into_iter().flat_map(verification).chain([inclusion()]).collect()
}

/// Looks for a receipt in a settled batch, at a place with both indices the largest: 17 levels.
///
/// # Panics
/// When it is not found.
#[must_use]
pub fn inclusion() -> Cost {
    let mut machine = Machine::new();
    let bundles = std::iter::repeat_n(1, MAX_BATCH_BUNDLES - 1).chain([MAX_BUNDLE_RECEIPTS]);
    let batch = FilledBatch::next(&machine, Leaves::of_counts(bundles));
    machine.settle_filled(&batch);
    let (bundle, leaf) = (MAX_BATCH_BUNDLES - 1, MAX_BUNDLE_RECEIPTS - 1);
    let call = interface::verify_inclusion(&PROGRAM_ID, &batch.inclusion(bundle, leaf), &batch.path(bundle, leaf));
    let anyone = machine.funded();
    let units = machine.send_with_units(&call, &anyone).expect("it is there") - OF_THE_REQUEST;
    Cost { name: "verify_inclusion".to_owned(), units }
}

/// Uploads and verifies a profile's committed proof, with nothing else in a transaction but the request for units.
///
/// # Panics
/// When the program refuses something.
#[must_use]
pub fn verification(profile: Profile) -> Vec<Cost> {
    let queries = match profile {
        Profile::Dev => Dev::QUERIES,
        Profile::Production => Production::QUERIES,
    };
    let every = match profile {
        Profile::Dev => all_queries::<Dev>(),
        Profile::Production => all_queries::<Production>(),
    };
    let mut proof = Upload::new(profile);
    let mut costs = Vec::new();
    let mut note = |name: &str, units: u64| costs.push(Cost { name: format!("{profile}_{name}"), units });
    note("open_proof", proof.open());
    note("write_proof", proof.write());
    let transcript = proof.step(ProofStep::Transcript);
    note("transcript", transcript);
    let constraints = proof.step(ProofStep::Constraints);
    note("constraints", constraints);
    // One by itself, and the others together, as they are on chain.
    note("first_query", proof.step(ProofStep::Queries(1)));
    proof.reset();
    proof.write_nonce();
    proof.step(ProofStep::Transcript);
    proof.step(ProofStep::Constraints);
    let of_queries = proof.step(ProofStep::Queries(every));
    note(&format!("all_{queries}_queries"), of_queries);
    note("verification", transcript + constraints + of_queries);
    note("reset_proof", proof.reset());
    note("close_proof", proof.close());
    costs
}

/// A proof account in a machine that has the profile's program.
struct Upload {
    machine: Machine,
    profile: Profile,
    program: Address,
    key: Keypair,
    fixture: Fixture,
}

impl Upload {
    /// Bytes that one transaction writes here.
    const CHUNK: usize = 900;

    fn new(profile: Profile) -> Self {
        let (mut machine, program) = (Machine::without_rollup(), interface::program_id(profile));
        machine.svm.add_program_from_file(pubkey(program), program_file(profile)).expect("the program loads");
        Self { machine, profile, program, key: Keypair::new(), fixture: Fixture::of(profile) }
    }

    fn send(&mut self, instruction: &Instruction) -> u64 {
        let prover = self.machine.prover.insecure_clone();
        self.machine.send_with_units(instruction, &prover).expect("the program does it") - OF_THE_REQUEST
    }

    fn open(&mut self) -> u64 {
        let (prover, size) = (self.machine.prover.insecure_clone(), proof_account(self.profile).size);
        let accounts = OpenProof { proof: address(&self.key), authority: address(&prover), payer: address(&prover) };
        let lamports = self.machine.svm.minimum_balance_for_rent_exemption(size);
        let created =
            interface::create_proof(&self.program, self.profile, &accounts, &self.fixture.statement, lamports);
        let key = self.key.insecure_clone();
        self.machine.send_all(&created, &[&prover, &key]).expect("it is opened")
    }

    /// The most that a chunk takes.
    fn write(&mut self) -> u64 {
        let (proof, authority) = (address(&self.key), address(&self.machine.prover));
        let bytes = self.fixture.proof.clone();
        let writes = (0..).zip(bytes.chunks(Self::CHUNK)).map(|(chunk, bytes)| {
            let at = chunk * Self::CHUNK as u32;
            self.send(&interface::write_proof(&self.program, &proof, &authority, at, bytes))
        });
        writes.max().unwrap_or(0)
    }

    /// What a reset takes away.
    fn write_nonce(&mut self) {
        let (proof, authority) = (address(&self.key), address(&self.machine.prover));
        let nonce = self.fixture.proof[8 * NONCE..8 * NONCE + 8].to_vec();
        self.send(&interface::write_proof(&self.program, &proof, &authority, 8 * NONCE as u32, &nonce));
    }

    fn step(&mut self, step: ProofStep) -> u64 {
        self.send(&interface::verify_step(&self.program, &address(&self.key), step))
    }

    fn reset(&mut self) -> u64 {
        let authority = address(&self.machine.prover);
        self.send(&interface::reset_proof(&self.program, &address(&self.key), &authority, &self.fixture.statement))
    }

    fn close(&mut self) -> u64 {
        let authority = address(&self.machine.prover);
        self.send(&interface::close_proof(&self.program, &address(&self.key), &authority, &authority))
    }
}

/// What the request for units costs, which is none of the program's.
const OF_THE_REQUEST: u64 = 150;
