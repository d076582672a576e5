//! Whose a proof account is, and what is left of it.

use super::{PROGRESS_AT, PROOF_AT, STATEMENT_AT, all_instructions, refused, submit_fixture, verified, written};
use cairn_goldilocks::MODULUS;
use cairn_interface::{self as interface, Address, Instruction, OpenProof, SettlementError as E, proof_account};
use cairn_tests::settlement::{Failure, Fixture, Machine, PROFILE, PROGRAM_ID, address, pubkey};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;

#[test]
fn only_the_authority_writes_resets_and_closes() {
    let (mut machine, _, proof) = written();
    let stranger = machine.funded();
    let (prover, own) = (address(&machine.prover), address(&stranger));
    let before = machine.data(&proof.address);
    for place in [0, 2, 3] {
        let honest = all_instructions(&machine, &proof.address)[place].clone();
        let mut as_himself = honest.clone();
        as_himself.accounts[0].address = own;
        assert_eq!(machine.send(&as_himself, &stranger), refused(E::NotProofAuthority), "{place}");
        let mut without_signature = honest;
        without_signature.accounts[0].is_signer = false;
        let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
        assert_eq!(machine.send(&without_signature, &stranger), missing, "{place}");
    }
    let to_himself = interface::close_proof(&PROGRAM_ID, &proof.address, &own, &own);
    assert_eq!(machine.send(&to_himself, &stranger), refused(E::NotProofAuthority));
    let elsewhere = interface::close_proof(&PROGRAM_ID, &proof.address, &prover, &own);
    let key = machine.prover.insecure_clone();
    assert_eq!(machine.send(&elsewhere, &key), refused(E::WrongProofRecipient));
    assert_eq!(machine.data(&proof.address), before);
}

#[test]
fn authority_and_payer_may_be_different_and_the_payer_gets_the_rent() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let (authority, payer, key) = (machine.funded(), machine.funded(), Keypair::new());
    let accounts = OpenProof { proof: address(&key), authority: address(&authority), payer: address(&payer) };
    let lamports = machine.svm.minimum_balance_for_rent_exemption(proof_account(PROFILE).size);
    let creation = interface::create_proof(&PROGRAM_ID, PROFILE, &accounts, &fixture.statement, lamports);
    let mut unsigned = creation.clone();
    unsigned[1].accounts[2].address = address(&machine.admin);
    unsigned[1].accounts[2].is_signer = false;
    let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
    assert_eq!(machine.send_all(&unsigned, &[&payer, &key, &authority]), missing, "nobody is made a payer");
    machine.send_all(&creation, &[&payer, &key, &authority]).expect("opened");
    let before = machine.lamports(&accounts.payer);
    let close = interface::close_proof(&PROGRAM_ID, &accounts.proof, &accounts.authority, &accounts.payer);
    machine.send(&close, &authority).expect("closed");
    assert_eq!(machine.lamports(&accounts.payer), before + lamports);
    assert!(machine.svm.get_account(&pubkey(accounts.proof)).is_none_or(|account| account.lamports == 0));
}

#[test]
fn an_account_is_opened_by_whoever_has_its_key_and_once() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let thief = machine.funded();
    let (key, own) = (Keypair::new(), address(&thief));
    let prover = machine.prover.insecure_clone();
    let [create, open] = machine.opening(&key, &fixture.statement).try_into().expect("two instructions");
    machine.send_all(&[create], &[&prover, &key]).expect("created, and not opened in the same transaction");

    let accounts = OpenProof { proof: address(&key), authority: own, payer: own };
    let mut stolen = interface::open_proof(&PROGRAM_ID, &accounts, &fixture.statement);
    stolen.accounts[0].is_signer = false;
    let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
    assert_eq!(machine.send(&stolen, &thief), missing);
    machine.send_all(std::slice::from_ref(&open), &[&prover, &key]).expect("by its owner");

    stolen.accounts[0].is_signer = true;
    let in_use = refused(E::ProofAccountInUse);
    assert_eq!(machine.send_all(&[stolen], &[&thief, &key]), in_use, "the key alone takes nothing away");
    assert_eq!(machine.send_all(&[open], &[&prover, &key]), in_use);
}

#[test]
fn an_account_that_is_not_new_is_not_opened() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let prover = machine.prover.insecure_clone();
    let size = proof_account(PROFILE).size;
    let cases = [
        (PROGRAM_ID, size - 8, None, E::WrongProofLength),
        (PROGRAM_ID, size + 8, None, E::WrongProofLength),
        (PROGRAM_ID, interface::ROLLUP.size, None, E::WrongProofLength),
        (PROGRAM_ID, proof_account(interface::Profile::Production).size, None, E::WrongProofLength),
        (Address([0x66; 32]), size, None, E::ForeignProofAccount),
        (PROGRAM_ID, size, Some(0), E::ProofAccountInUse),
        (PROGRAM_ID, size, Some(STATEMENT_AT), E::ProofAccountInUse),
        (PROGRAM_ID, size, Some(PROGRESS_AT), E::ProofAccountInUse),
        (PROGRAM_ID, size, Some(PROOF_AT - 1), E::ProofAccountInUse),
    ];
    for (owner, size, nonzero, error) in cases {
        let key = Keypair::new();
        let mut data = vec![0; size];
        if let Some(at) = nonzero {
            data[at] = 1;
        }
        machine.plant(&address(&key), owner, data);
        let open = machine.opening(&key, &fixture.statement).remove(1);
        assert_eq!(machine.send_all(&[open], &[&prover, &key]), refused(error), "{owner} {size} {nonzero:?}");
    }
}

#[test]
fn only_a_canonical_statement_is_taken() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let proof = machine.open(&fixture.statement).expect("opened").address;
    let prover = machine.prover.insecure_clone();
    for word in 0..4 {
        for value in [MODULUS, u64::MAX] {
            let with = |mut instruction: Instruction| {
                instruction.data[8 + 8 * word..16 + 8 * word].copy_from_slice(&value.to_le_bytes());
                instruction
            };
            let error = refused(E::NonCanonicalStatement);
            let key = Keypair::new();
            let [create, open] = machine.opening(&key, &fixture.statement).try_into().expect("two instructions");
            assert_eq!(machine.send_all(&[create, with(open)], &[&prover, &key]), error);
            let reset = interface::reset_proof(&PROGRAM_ID, &proof, &address(&prover), &fixture.statement);
            assert_eq!(machine.send(&with(reset), &prover), error);
        }
    }
}

#[test]
fn bytes_that_another_program_wrote_prove_nothing() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let (forged, data) = (Address([0x55; 32]), machine.data(&proof.address));
    machine.plant(&forged, Address([0x66; 32]), data);
    let prover = machine.prover.insecure_clone();
    for instruction in all_instructions(&machine, &forged) {
        assert_eq!(machine.send(&instruction, &prover), refused(E::ForeignProofAccount));
    }
}

#[test]
fn accounts_of_another_kind_or_length_are_no_proofs() {
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    for other in [machine.rollup, machine.queue_address(), machine.history_address(), machine.batch_address(0)] {
        for (place, instruction) in all_instructions(&machine, &other).into_iter().enumerate() {
            let result = machine.send(&instruction, &prover);
            // Anchor refuses to have one account in two places of which one is written.
            let is_twice = place == 4 && other != machine.queue_address();
            // Closing goes by the head alone.
            let wrong = refused(if place == 3 { E::NotAProof } else { E::WrongProofLength });
            assert!(if is_twice { result.is_err() } else { result == wrong }, "{place}: {result:?}");
        }
    }
    let (unopened, empty) = (Address([0x55; 32]), vec![0; proof_account(PROFILE).size]);
    machine.plant(&unopened, PROGRAM_ID, empty);
    for instruction in all_instructions(&machine, &unopened) {
        assert_eq!(machine.send(&instruction, &prover), refused(E::NotAProof));
    }
}

/// As a program of another circuit would have opened it.
#[test]
fn an_account_of_another_length_gives_its_rent_back_and_does_nothing_else() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    let size = proof_account(PROFILE).size;
    for (number, size) in [(1, size - 8), (2, size + 8), (3, PROGRESS_AT)] {
        let mut data = machine.data(&proof.address);
        data.resize(size, 0);
        let former = Address([number; 32]);
        machine.plant(&former, PROGRAM_ID, data);
        for (place, instruction) in all_instructions(&machine, &former).into_iter().enumerate() {
            if place != 3 {
                assert_eq!(machine.send(&instruction, &prover), refused(E::WrongProofLength), "{place}");
            }
        }
        let stranger = machine.funded();
        let stolen = interface::close_proof(&PROGRAM_ID, &former, &address(&stranger), &address(&stranger));
        assert_eq!(machine.send(&stolen, &stranger), refused(E::NotProofAuthority));
        let (rent, before) = (machine.lamports(&former), machine.lamports(&address(&prover)));
        machine.close_proof(&former).expect("closed");
        assert_eq!(machine.lamports(&address(&prover)), before + rent - 5_000);
    }
    let mut headless = machine.data(&proof.address);
    headless.truncate(PROGRESS_AT - 1);
    machine.plant(&Address([9; 32]), PROGRAM_ID, headless);
    assert_eq!(machine.close_proof(&Address([9; 32])), refused(E::WrongProofLength));
}

#[test]
fn nothing_is_left_after_closing() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    machine.close_proof(&proof.address).expect("closed");
    assert!(machine.svm.get_account(&pubkey(proof.address)).is_none_or(|account| account.lamports == 0));
    let prover = machine.prover.insecure_clone();
    for instruction in all_instructions(&machine, &proof.address) {
        assert_eq!(machine.send(&instruction, &prover), refused(E::ForeignProofAccount));
    }
}

#[test]
fn an_account_that_is_kept_alive_while_it_is_closed_is_empty() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    let lamports = machine.lamports(&proof.address);
    let close = interface::close_proof(&PROGRAM_ID, &proof.address, &address(&prover), &address(&prover));
    let revive = transfer(&address(&prover), &proof.address, lamports);
    let settle = interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, &proof.address);
    let foreign = refused(E::ForeignProofAccount);
    assert_eq!(machine.send_all(&[close.clone(), revive.clone(), settle], &[&prover]), foreign);
    machine.send_all(&[close, revive], &[&prover]).expect("closed, and lamports sent to nobody");
    let account = machine.svm.get_account(&pubkey(proof.address)).expect("with lamports");
    assert_eq!((account.owner, account.data), (pubkey(Address([0; 32])), vec![]));
}

#[test]
fn an_account_that_is_closed_and_made_anew_in_one_transaction_is_new() {
    let (mut machine, fixture, proof) = verified();
    submit_fixture(&mut machine, &fixture);
    let prover = machine.prover.insecure_clone();
    let close = interface::close_proof(&PROGRAM_ID, &proof.address, &address(&prover), &address(&prover));
    let mut instructions = vec![close];
    instructions.extend(machine.opening(&proof.key, &fixture.statement));
    machine.send_all(&instructions, &[&prover, &proof.key]).expect("closed and opened");
    let data = machine.data(&proof.address);
    assert!(data[PROGRESS_AT..].iter().all(|byte| *byte == 0));
    assert_eq!(machine.settle_with(0, &proof.address), refused(E::UnverifiedProof));
    machine.write_all(&proof.address, &fixture.proof).expect("written");
    machine.verify(&proof.address).expect("verified");
    machine.settle_with(0, &proof.address).expect("settled");
}

/// The system program's Transfer.
fn transfer(from: &Address, to: &Address, lamports: u64) -> Instruction {
    let mut data = 2_u32.to_le_bytes().to_vec();
    data.extend_from_slice(&lamports.to_le_bytes());
    let account =
        |address: &Address, is_signer| interface::AccountMeta { address: *address, is_signer, is_writable: true };
    Instruction {
        program_id: interface::SYSTEM_PROGRAM_ID,
        accounts: vec![account(from, true), account(to, false)],
        data,
    }
}
