//! The program for the profile `production`: another file under another id, and otherwise the same.

use cairn_interface::{
    self as interface, Initialize, OpenProof, Profile, ProofStep, Rollup, SettlementError, proof_account,
};
use cairn_tests::settlement::{Failure, Fixture, Machine, address, program_file, pubkey};
use cairn_verifier::{Parameters, Production, Progress, all_queries};
use solana_sdk::signature::Keypair;

const PROGRAM_ID: interface::Address = interface::program_id(Profile::Production);

/// A machine that has the production program too.
fn machine() -> Machine {
    let mut machine = Machine::without_rollup();
    machine
        .svm
        .add_program_from_file(pubkey(PROGRAM_ID), program_file(Profile::Production))
        .expect("the program loads");
    machine
}

#[test]
fn it_makes_rollups_of_its_profile_and_circuit_only() {
    let mut machine = machine();
    let dev = machine.arguments();
    assert_eq!(dev.profile, Profile::Dev);
    let admin = machine.admin.insecure_clone();
    let result = machine.send_all(&interface::create_rollup(&PROGRAM_ID, &dev), &[&admin]);
    assert_eq!(result, Err(Failure::Refused(SettlementError::WrongProfile)));
    let arguments = Initialize { profile: Profile::Production, ..dev };
    machine.send_all(&interface::create_rollup(&PROGRAM_ID, &arguments), &[&admin]).expect("created");
    let rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 0);
    let rollup = Rollup::parse(&machine.data(&rollup)).expect("a rollup");
    assert_eq!((rollup.profile, rollup.circuit_id), (Profile::Production, Production::CIRCUIT_ID));
}

#[test]
fn neither_program_runs_under_the_others_id() {
    for (file, profile) in [(Profile::Dev, Profile::Production), (Profile::Production, Profile::Dev)] {
        let mut machine = Machine::without_rollup();
        let id = interface::program_id(profile);
        machine.svm.add_program_from_file(pubkey(id), program_file(file)).expect("the file loads anywhere");
        let instruction = interface::initialize(&id, &Initialize { profile, ..machine.arguments() });
        assert!(matches!(machine.send_as_admin(&instruction), Err(Failure::Instruction(_))));
    }
}

#[test]
fn it_verifies_a_proof_in_three_instructions() {
    let mut machine = machine();
    let Fixture { statement, proof: bytes } = Fixture::of(Profile::Production);

    let (key, prover) = (Keypair::new(), machine.prover.insecure_clone());
    let accounts = OpenProof { proof: address(&key), authority: address(&prover), payer: address(&prover) };
    let lamports = machine.svm.minimum_balance_for_rent_exemption(proof_account(Profile::Production).size);
    let creation = interface::create_proof(&PROGRAM_ID, Profile::Production, &accounts, &statement, lamports);
    machine.send_all(&creation, &[&prover, &key]).expect("opened");
    for (chunk, part) in (0..).zip(bytes.chunks(900)) {
        let write = interface::write_proof(&PROGRAM_ID, &accounts.proof, &accounts.authority, 900 * chunk, part);
        machine.send(&write, &prover).expect("written");
    }
    for step in [ProofStep::Transcript, ProofStep::Constraints, ProofStep::Queries(all_queries::<Production>())] {
        let instruction = interface::verify_step(&PROGRAM_ID, &accounts.proof, step);
        machine.send_with_units(&instruction, &prover).expect("done");
    }
    let data = machine.data(&accounts.proof);
    let proof = interface::Proof::parse(Profile::Production, &data).expect("a proof account");
    let progress: Progress = bytemuck::pod_read_unaligned(proof.progress);
    assert!(progress.is_verified::<Production>());
}

#[test]
fn the_committed_key_pairs_are_those_of_the_declared_ids() {
    for (profile, file) in [(Profile::Production, "localnet-keypair.json"), (Profile::Dev, "localnet-dev-keypair.json")]
    {
        let path = format!("{}/../programs/settlement/{file}", env!("CARGO_MANIFEST_DIR"));
        let bytes: Vec<u8> = serde_json::from_reader(std::fs::File::open(path).expect("the file")).expect("an array");
        let key = Keypair::try_from(&bytes[..]).expect("a key pair");
        assert_eq!(address(&key), interface::program_id(profile), "{file}");
    }
}
