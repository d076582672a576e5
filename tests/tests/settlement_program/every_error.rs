//! One way, at least, to get each refusal; and a check that none was forgotten.

use crate::verify_inclusion;
use cairn_interface::{
    self as interface, Address, BATCH, Initialize, ProofStep, QUEUE_EXTENSIONS, Registry, SettlementError,
    proof_account, proof_bytes,
};
use cairn_tests::settlement::{
    ALL_QUERIES, Failure, Fixture, Machine, PROFILE, PROGRAM_ID, address, pubkey, receipt_key,
};
use cairn_types::{BatchHeader, Digest, QueueCursor, ReceiptKey};
use cairn_verifier::{CAP, CAP_HEIGHT, DEGREE_BITS, Dev, NONCE, OPENED, Parameters};
use solana_sdk::signature::Keypair;

/// Provokes one refusal. Returns what the program said.
fn provoke(error: SettlementError) -> Result<u64, Failure> {
    use SettlementError as E;
    match error {
        E::InvalidKey => initialize(|arguments| arguments.sequencer = Address::default()),
        E::InvalidMaxPending => initialize(|arguments| arguments.max_pending = 0),
        E::UnknownProfile => {
            let mut machine = Machine::without_rollup();
            let mut instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
            let profile_at = 8 + 8 + 3 * 32;
            instruction.data[profile_at] = 3;
            machine.send_as_admin(&instruction)
        }
        E::NotAdmin => {
            let mut machine = Machine::new();
            let key = address(&machine.sequencer);
            let instruction = interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &key, &key, &key);
            machine.send_as_sequencer(&instruction)
        }
        E::NotSequencer => {
            let mut machine = Machine::new();
            let admin = address(&machine.admin);
            let instruction = interface::submit_batch(&PROGRAM_ID, &machine.rollup, &admin, &machine.next_header());
            machine.send_as_admin(&instruction)
        }
        E::Paused => {
            let mut machine = Machine::new();
            pause(&mut machine).expect("paused");
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::WrongQueue => {
            let mut machine = Machine::new();
            let other = Initialize { id: 1, ..machine.arguments() };
            machine.create(&other).expect("another rollup");
            let other = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
            let mut instruction = machine.submission(&machine.next_header());
            instruction.accounts[2].address = interface::queue_address(&PROGRAM_ID, &other);
            machine.send_as_sequencer(&instruction)
        }
        E::NonCanonicalHeader => submit(|header| header.data_length = u64::MAX),
        E::WrongRollupId => submit(|header| header.rollup_id = Digest::from_byte_digest([1; 32])),
        E::WrongNumber => submit(|header| header.number = 1),
        E::WrongPrevious => submit(|header| header.previous = Digest::constant([0, 0, 0, 1])),
        E::WrongOldRoot => submit(|header| header.old_state_root = Digest::ZERO),
        E::WrongQueueStart => submit(|header| {
            header.queue_from.digest = Digest::constant([7; 4]);
            header.queue_to = header.queue_from;
        }),
        E::UnknownQueueEnd => submit(|header| header.queue_to.position = 1),
        E::WrongQueueEnd => {
            let mut machine = Machine::new();
            machine.register_nodes(1);
            let queue_to = QueueCursor { position: 1, digest: Digest::constant([7; 4]) };
            let header = BatchHeader { queue_to, ..machine.next_header() };
            machine.submit(&header)
        }
        E::FutureTime => submit(|header| header.time_max = (1 << 48) - 1),
        E::TooManyPending => {
            let mut machine = Machine::without_rollup();
            let arguments = Initialize { max_pending: 1, ..machine.arguments() };
            machine.create(&arguments).expect("created");
            let header = machine.next_header();
            machine.submit(&header).expect("the one that may wait");
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::WrongBatchAddress => {
            let mut machine = Machine::new();
            let mut instruction = machine.submission(&machine.next_header());
            instruction.accounts[3].address = machine.batch_address(1);
            machine.send_as_sequencer(&instruction)
        }
        E::ForeignBatchAccount => {
            let mut machine = Machine::new();
            let target = machine.batch_address(0);
            machine.plant(&target, Address([7; 32]), vec![0; BATCH.size]);
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::BatchExists => {
            let mut machine = Machine::new();
            let genesis = machine.data(&machine.rollup);
            let header = machine.next_header();
            machine.submit(&header).expect("accepted");
            // The tip goes back, and the generation does not go up.
            let rollup = machine.rollup;
            machine.tamper(&rollup, |data| data.copy_from_slice(&genesis));
            machine.submit(&header)
        }
        E::SameKeys => initialize(|arguments| arguments.acknowledgement_key = arguments.sequencer),
        E::InvalidBond => initialize(|arguments| arguments.registry.bond = 0),
        E::InvalidQueueDeadline => initialize(|arguments| arguments.registry.queue_deadline = 0),
        other => provoke_in_registry(other),
    }
}

/// As [`provoke`], what a rollup's nodes may run into.
fn provoke_in_registry(error: SettlementError) -> Result<u64, Failure> {
    use SettlementError as E;
    let (mut machine, registrar) = Machine::with_registrar();
    let (authority, stranger) = (Keypair::new(), machine.funded());
    match error {
        E::UnextendedQueue => {
            let arguments = Initialize { id: 1, ..machine.arguments() };
            machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments)).expect("created");
            machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 1);
            for _ in 1..QUEUE_EXTENSIONS {
                let instruction = interface::extend_queue(&PROGRAM_ID, &machine.rollup, &arguments.admin);
                machine.send_as_admin(&instruction).expect("extended, and not far enough");
            }
            machine.register(&authority, &receipt_key(0))
        }
        E::QueueFull => {
            machine.register_nodes(128);
            machine.register(&authority, &receipt_key(0))
        }
        E::QueueOverdue => {
            machine.register_nodes(1);
            machine.advance(interface::DEFAULT_QUEUE_DEADLINE + 1, 0);
            machine.set_overdue_batches(interface::OVERDUE_GRACE);
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::NonCanonicalKey => {
            let mut instruction = machine.registration(&authority, &receipt_key(0));
            instruction.data[8..16].fill(0xff);
            let admin = machine.admin.insecure_clone();
            machine.send_all(&[instruction], &[&admin, &authority])
        }
        E::ZeroReceiptKey => machine.register(&authority, &ReceiptKey::ZERO),
        E::NotRegistrar => {
            let mut instruction = machine.registration(&authority, &receipt_key(0));
            instruction.accounts[2].address = address(&stranger);
            instruction.accounts[2].is_signer = true;
            let admin = machine.admin.insecure_clone();
            machine.send_all(&[instruction], &[&admin, &authority, &stranger])
        }
        E::RegistrarRequired => {
            let terms = Registry::closed(address(&registrar));
            let admin = address(&machine.admin);
            machine
                .send_as_admin(&interface::set_registry(&PROGRAM_ID, &machine.rollup, &admin, &terms))
                .expect("closed");
            machine.register(&authority, &receipt_key(0))
        }
        E::WrongNodeAddress => {
            let mut instruction = machine.registration(&authority, &receipt_key(0));
            instruction.accounts[5].address = machine.node_address(&stranger);
            let admin = machine.admin.insecure_clone();
            machine.send_all(&[instruction], &[&admin, &authority])
        }
        E::NodeExists => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            machine.register(&authority, &receipt_key(1))
        }
        E::RegistryFull => {
            let queue = machine.queue_address();
            machine.tamper(&queue, |data| data[80..88].copy_from_slice(&(1_u64 << 24).to_le_bytes()));
            machine.register(&authority, &receipt_key(0))
        }
        E::WrongNode => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            let other = Initialize { id: 1, ..machine.arguments() };
            machine.create(&other).expect("another rollup");
            let mut instruction = interface::deactivate_node(&PROGRAM_ID, &machine.rollup, &address(&authority));
            instruction.accounts[1].address = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
            let admin = machine.admin.insecure_clone();
            machine.send_all(&[instruction], &[&admin, &authority])
        }
        E::NotAuthority => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            let mut instruction = interface::deactivate_node(&PROGRAM_ID, &machine.rollup, &address(&stranger));
            instruction.accounts[3].address = machine.node_address(&authority);
            machine.send(&instruction, &stranger)
        }
        E::NodeInactive => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            machine.deactivate(&authority).expect("deactivated");
            machine.rotate(&authority, &receipt_key(1))
        }
        E::RotationPending => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            machine.rotate(&authority, &receipt_key(1)).expect("rotated");
            machine.rotate(&authority, &receipt_key(2))
        }
        E::NoBond => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            machine.deactivate(&authority).expect("deactivated");
            machine.consume(2).expect("consumed");
            machine.refund(&authority).expect("refunded");
            machine.refund(&authority)
        }
        E::BondLocked => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            machine.refund(&authority)
        }
        E::WrongRecipient => {
            machine.register(&authority, &receipt_key(0)).expect("registered");
            let (node, thief) = (address(&authority), address(&stranger));
            machine.send(&interface::refund_bond(&PROGRAM_ID, &machine.rollup, &node, &thief), &stranger)
        }
        E::AlreadyPaused => {
            pause(&mut machine).expect("paused");
            pause(&mut machine)
        }
        E::BadBlobLocation => {
            let admin = address(&machine.admin);
            let instruction = interface::set_blob_location(&PROGRAM_ID, &machine.rollup, &admin, "not one word");
            machine.send_as_admin(&instruction)
        }
        E::NotPaused => {
            let instruction = interface::unpause(&PROGRAM_ID, &machine.rollup, &address(&machine.admin));
            machine.send_as_admin(&instruction)
        }
        other => provoke_in_settlement(other),
    }
}

/// As [`provoke`], what proofs and those who settle with them may run into. The checks of the verification itself are provoked
/// in `proofs`, some of them by what no instruction could have left in an account.
fn provoke_in_settlement(error: SettlementError) -> Result<u64, Failure> {
    use SettlementError as E;
    let mut machine = Machine::new();
    let (prover, sequencer) = (machine.prover.insecure_clone(), machine.sequencer.insecure_clone());
    let header = machine.next_header();
    match error {
        E::WrongProfile => initialize(|arguments| arguments.profile = interface::Profile::Production),
        E::WrongHistory => {
            machine.submit(&header).expect("accepted");
            let other = Initialize { id: 1, ..machine.arguments() };
            machine.create(&other).expect("another rollup");
            let other = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
            let proof = machine.verified_proof(&header.statement());
            let mut instruction = interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, &proof);
            instruction.accounts[3].address = interface::history_address(&PROGRAM_ID, &other);
            machine.send(&instruction, &prover)
        }
        E::WrongBatch => {
            machine.submit(&header).expect("accepted");
            let mut instruction = machine.abandonment(&prover);
            instruction.accounts[2].address = machine.queue_address();
            machine.send(&instruction, &prover)
        }
        E::AbandonedBatch => {
            machine.submit(&header).expect("accepted");
            machine.abandon().expect("abandoned");
            machine.settle(0)
        }
        E::NotNextBatch => {
            machine.submit(&header).expect("accepted");
            machine.settle(0).expect("settled");
            machine.settle(0)
        }
        E::UnlinkedBatch | E::UnlinkedRoot => {
            machine.submit(&header).expect("accepted");
            let settled = interface::layout::DISCRIMINATOR + 7 * 32;
            let at = settled + if error == E::UnlinkedBatch { 8 } else { 40 };
            let rollup = machine.rollup;
            machine.tamper(&rollup, |data| data[at] ^= 1);
            machine.settle(0)
        }
        E::WrongStatement => {
            machine.submit(&header).expect("accepted");
            let proof = machine.verified_proof(&Digest::ZERO);
            machine.settle_with(0, &proof)
        }
        E::WrongCircuit => {
            machine.submit(&header).expect("accepted");
            let rollup = machine.rollup;
            machine.tamper(&rollup, |data| data[interface::layout::DISCRIMINATOR + 5 * 32] ^= 1);
            machine.settle(0)
        }
        E::UnverifiedProof => {
            machine.submit(&header).expect("accepted");
            let proof = machine.open(&header.statement()).expect("opened");
            machine.settle_with(0, &proof.address)
        }
        E::HistoryFull => {
            machine.submit(&header).expect("accepted");
            let history = machine.history_address();
            let full = cairn_types::history::MAX_SIZE.to_le_bytes();
            machine.tamper(&history, |data| data[40..48].copy_from_slice(&full));
            machine.settle(0)
        }
        E::NothingToAbandon => machine.abandon(),
        E::TooEarlyToAbandon => {
            machine.submit(&header).expect("accepted");
            machine.send(&machine.abandonment(&prover), &prover)
        }
        E::NotBatchPayer => {
            machine.submit(&header).expect("accepted");
            machine.close_batch(0, &prover)
        }
        E::BatchPending => {
            machine.submit(&header).expect("accepted");
            machine.close_batch(0, &sequencer)
        }
        E::BatchRetained => {
            machine.submit(&header).expect("accepted");
            machine.settle(0).expect("settled");
            machine.close_batch(0, &sequencer)
        }
        E::BatchPresent | E::UnknownHistoryRoot | E::NotInHistory => {
            machine.submit(&header).expect("accepted");
            if error != E::UnknownHistoryRoot {
                machine.settle(0).expect("settled");
            }
            let time = machine.batch(0).time + i64::from(error == E::NotInHistory);
            let instruction = machine.restoration(&header, machine.batch(0).slot, time, &[]);
            machine.send(&instruction, &prover)
        }
        other => provoke_with_a_proof(other),
    }
}

/// As [`provoke_in_settlement`], with the committed proof.
fn provoke_with_a_proof(error: SettlementError) -> Result<u64, Failure> {
    use SettlementError as E;
    let (mut machine, fixture) = (Machine::new(), Fixture::read());
    let (prover, stranger) = (machine.prover.insecure_clone(), machine.funded());
    let opened = machine.open(&fixture.statement).expect("opened");
    let proof = opened.address;
    let write = |machine: &mut Machine, word: usize, value: u64| {
        machine.write(&proof, 8 * word, &value.to_le_bytes()).expect("written");
    };
    machine.write_all(&proof, &fixture.proof).expect("written");
    // Where the first query is, and in it the paths of rows, and the folded values.
    let query = NONCE + 2;
    let paths = query + OPENED.next_multiple_of(2);
    let values = paths + 4 * 4 * (DEGREE_BITS + Dev::RATE_BITS - CAP_HEIGHT);
    let proof_at = proof_account(PROFILE).size - proof_bytes(PROFILE);
    match error {
        E::ForeignProofAccount => machine.step(&Address([7; 32]), ProofStep::Transcript),
        E::WrongProofLength => machine.step(&machine.queue_address(), ProofStep::Transcript),
        E::ProofAccountInUse => {
            let open = machine.opening(&opened.key, &fixture.statement).remove(1);
            machine.send_all(&[open], &[&prover, &opened.key])
        }
        E::NotAProof => {
            let unopened = Address([0x55; 32]);
            machine.plant(&unopened, PROGRAM_ID, vec![0; proof_account(PROFILE).size]);
            machine.step(&unopened, ProofStep::Transcript)
        }
        E::NonCanonicalStatement => {
            let mut instruction = interface::reset_proof(&PROGRAM_ID, &proof, &address(&prover), &Digest::ZERO);
            instruction.data[8..16].fill(0xff);
            machine.send(&instruction, &prover)
        }
        E::NotProofAuthority => {
            let own = address(&stranger);
            machine.send(&interface::close_proof(&PROGRAM_ID, &proof, &own, &own), &stranger)
        }
        E::WrongProofRecipient => {
            let instruction = interface::close_proof(&PROGRAM_ID, &proof, &address(&prover), &address(&stranger));
            machine.send(&instruction, &prover)
        }
        E::ProofFrozen => {
            machine.step(&proof, ProofStep::Transcript).expect("done");
            machine.write(&proof, 0, &[1])
        }
        E::OutOfProof => machine.write(&proof, fixture.proof.len(), &[1]),
        E::UnknownStep => {
            let mut instruction = interface::verify_step(&PROGRAM_ID, &proof, ProofStep::Transcript);
            instruction.data[8] = 3;
            machine.send(&instruction, &prover)
        }
        E::OutdatedProof => {
            machine.tamper(&proof, |data| data[interface::layout::DISCRIMINATOR + 3 * 32] ^= 1);
            machine.step(&proof, ProofStep::Transcript)
        }
        E::NonCanonicalProof => {
            write(&mut machine, NONCE, u64::MAX);
            machine.step(&proof, ProofStep::Transcript)
        }
        E::NonzeroPadding => {
            write(&mut machine, NONCE + 1, 1);
            machine.step(&proof, ProofStep::Transcript)
        }
        E::WrongProofOfWork => {
            write(&mut machine, NONCE, 0);
            machine.step(&proof, ProofStep::Transcript)
        }
        E::StepOutOfOrder => machine.step(&proof, ProofStep::Constraints),
        E::WrongRowPath => {
            write(&mut machine, paths, 1);
            all_steps(&mut machine, &proof)
        }
        E::WrongValuePath => {
            write(&mut machine, values + 32, 1);
            all_steps(&mut machine, &proof)
        }
        E::UnknownQuery => {
            machine.verify(&proof).expect("verified");
            machine.step(&proof, ProofStep::Queries(1 << 31))
        }
        E::UnsatisfiedConstraints | E::ZeroDenominator => {
            machine.step(&proof, ProofStep::Transcript).expect("done");
            // Another opening than the transcript has seen, or one as the point at which is opened.
            let zeta = proof_at - interface::PROGRESS_BYTES + 8 * 15;
            machine.tamper(&proof, |data| match error {
                E::ZeroDenominator => data[zeta..zeta + 16].copy_from_slice(&1_u128.to_le_bytes()),
                _ => data[proof_at + 8 * 3 * 4 * CAP] ^= 1,
            });
            machine.step(&proof, ProofStep::Constraints)
        }
        E::WrongFold | E::WrongFinalPolynomial => {
            machine.step(&proof, ProofStep::Transcript).expect("done");
            machine.step(&proof, ProofStep::Constraints).expect("done");
            // Other values than the rows give, or another polynomial than the transcript has seen.
            let word = if error == E::WrongFold { values } else { NONCE - 1 };
            machine.tamper(&proof, |data| {
                let word = proof_at + 8 * word..;
                // All values: which of them is compared is the transcript's to say.
                let length = if error == E::WrongFold { 32 } else { 1 };
                data[word].chunks_mut(8).take(length).for_each(|word| word[0] ^= 1);
            });
            machine.step(&proof, ALL_QUERIES)
        }
        other => verify_inclusion::provoke(other).unwrap_or_else(|| panic!("nothing provokes {}", other.name())),
    }
}

fn all_steps(machine: &mut Machine, proof: &Address) -> Result<u64, Failure> {
    machine.verify(proof).map(|()| 0)
}

fn pause(machine: &mut Machine) -> Result<u64, Failure> {
    let instruction = interface::pause(&PROGRAM_ID, &machine.rollup, &address(&machine.admin));
    machine.send_as_admin(&instruction)
}

fn initialize(change: impl FnOnce(&mut Initialize)) -> Result<u64, Failure> {
    let mut machine = Machine::without_rollup();
    let mut arguments = machine.arguments();
    change(&mut arguments);
    machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments))
}

fn submit(change: impl FnOnce(&mut BatchHeader)) -> Result<u64, Failure> {
    let mut machine = Machine::new();
    let mut header = machine.next_header();
    change(&mut header);
    // The batch account is named by the tip's number, so that nothing but the header is wrong.
    let mut instruction = machine.submission(&header);
    instruction.accounts[3].address = machine.batch_address(0);
    machine.send_as_sequencer(&instruction)
}

#[test]
fn every_refusal_happens_for_its_reason() {
    for error in SettlementError::ALL {
        assert_eq!(provoke(*error), Err(Failure::Refused(*error)), "{}", error.name());
    }
}

#[test]
fn a_zero_acknowledgement_key_is_no_key_either() {
    let result = initialize(|arguments| arguments.acknowledgement_key = Address::default());
    assert_eq!(result, Err(Failure::Refused(SettlementError::InvalidKey)));
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    let mut machine = Machine::new();
    let before = machine.data(&machine.rollup);
    let header = BatchHeader { number: 1, ..machine.next_header() };
    machine.submit(&header).expect_err("a gap");
    assert_eq!(machine.data(&machine.rollup), before);
    assert!(machine.svm.get_account(&pubkey(machine.batch_address(1))).is_none());
}
