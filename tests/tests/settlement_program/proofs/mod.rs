//! Proof accounts, with a real proof: what the program verifies, and what somebody would try who has none.

mod accounts;
mod statements;
mod steps;
mod writing;

use cairn_interface::ProofStep::Transcript;
use cairn_interface::{self as interface, Address, Instruction, SettlementError, layout};
use cairn_tests::settlement::{Failure, Fixture, Machine, OpenedProof, PROGRAM_ID, address};
use cairn_types::Digest;

/// Where the parts of a proof account are.
const STATEMENT_AT: usize = layout::DISCRIMINATOR + 2 * 32;
const CIRCUIT_AT: usize = STATEMENT_AT + 32;
const PROGRESS_AT: usize = layout::DISCRIMINATOR + layout::PROOF_HEAD;
const PROOF_AT: usize = PROGRESS_AT + interface::PROGRESS_BYTES;

fn refused<T>(error: SettlementError) -> Result<T, Failure> {
    Err(Failure::Refused(error))
}

/// A machine with the fixture written into an account, and no step done.
fn written() -> (Machine, Fixture, OpenedProof) {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened");
    machine.write_all(&proof.address, &fixture.proof).expect("written");
    (machine, fixture, proof)
}

/// The same, all steps done.
fn verified() -> (Machine, Fixture, OpenedProof) {
    let (mut machine, fixture, proof) = written();
    machine.verify(&proof.address).expect("verified");
    (machine, fixture, proof)
}

/// Submits a batch and makes it one of the fixture's statement, which is another rollup's.
fn submit_fixture(machine: &mut Machine, fixture: &Fixture) {
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let digest_at = interface::BATCH.size - 384 - 32;
    let bytes = fixture.statement.to_bytes();
    machine.tamper(&machine.batch_address(header.number), |data| {
        data[digest_at..digest_at + 32].copy_from_slice(&bytes);
    });
}

/// A proof account's instructions, each as its authority would send it.
fn all_instructions(machine: &Machine, proof: &Address) -> [Instruction; 5] {
    let prover = address(&machine.prover);
    [
        interface::write_proof(&PROGRAM_ID, proof, &prover, 0, &[1]),
        interface::verify_step(&PROGRAM_ID, proof, Transcript),
        interface::reset_proof(&PROGRAM_ID, proof, &prover, &Digest::ZERO),
        interface::close_proof(&PROGRAM_ID, proof, &prover, &prover),
        interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, proof),
    ]
}
