//! Proof accounts in a [`Machine`]: made by the program's instructions, or planted.

use super::{Failure, Machine, PROFILE, PROGRAM_ID, address};
use cairn_interface::{self as interface, Address, OpenProof, Profile, Proof, ProofStep, layout, proof_account};
use cairn_types::Digest;
use cairn_verifier::{Dev, NONCE, Parameters, Progress, all_queries};
use solana_sdk::signature::Keypair;
use std::path::Path;

/// A proof of the profile of the program under test, made by the circuits, and what it is a proof of.
pub struct Fixture {
    /// The digest of the header that is proved.
    pub statement: Digest,
    /// The packed proof.
    pub proof: Vec<u8>,
}

impl Fixture {
    /// Reads the committed one of the program under test.
    #[must_use]
    pub fn read() -> Self {
        Self::of(PROFILE)
    }

    /// Reads the committed one of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/verifier/tests/fixtures");
        let text =
            std::fs::read_to_string(folder.join(format!("{profile}.statement"))).expect("the statement is there");
        let words = text.split_whitespace().map(|word| word.parse().expect("a number")).collect::<Vec<u64>>();
        let statement = Digest::from_words(words.try_into().expect("four words")).expect("canonical words");
        let proof = std::fs::read(folder.join(format!("{profile}.proof"))).expect("the proof is there");
        assert_eq!(proof.len(), interface::proof_bytes(profile));
        Self { statement, proof }
    }
}

/// A proof account that the program has opened, with the machine's prover as its authority and payer.
pub struct OpenedProof {
    /// Its key, which signs once.
    pub key: Keypair,
    /// Its address.
    pub address: Address,
}

/// Bytes that one `write_proof` takes in these tests: what fits beside a signature, four addresses and a blockhash.
const CHUNK: usize = 900;

/// The step of all queries.
pub const ALL_QUERIES: ProofStep = ProofStep::Queries(all_queries::<Dev>());

/// What the steps leave behind that are all done, as far as anything looks at it afterwards.
#[must_use]
pub fn verified_progress() -> Progress {
    /// The phase after the constraints, of the verifier's first revision.
    const CONSTRAINTS: u64 = 1 << 8 | 2;
    let mut bytes = vec![0; size_of::<Progress>()];
    bytes[..8].copy_from_slice(&CONSTRAINTS.to_le_bytes());
    bytes[8..16].copy_from_slice(&u64::from(all_queries::<Dev>()).to_le_bytes());
    let progress: Progress = bytemuck::pod_read_unaligned(&bytes);
    assert!(progress.is_verified::<Dev>());
    progress
}

impl Machine {
    /// What [`Self::open`] sends, for an account of this key.
    #[must_use]
    pub fn opening(&self, key: &Keypair, statement: &Digest) -> Vec<interface::Instruction> {
        let prover = address(&self.prover);
        let accounts = OpenProof { proof: address(key), authority: prover, payer: prover };
        let lamports = self.svm.minimum_balance_for_rent_exemption(proof_account(PROFILE).size);
        interface::create_proof(&PROGRAM_ID, PROFILE, &accounts, statement, lamports)
    }

    /// Creates and opens a proof account.
    ///
    /// # Errors
    /// How it failed.
    pub fn open(&mut self, statement: &Digest) -> Result<OpenedProof, Failure> {
        let (key, prover) = (Keypair::new(), self.prover.insecure_clone());
        self.send_all(&self.opening(&key, statement), &[&prover, &key])?;
        Ok(OpenedProof { address: address(&key), key })
    }

    /// Writes bytes of a proof.
    ///
    /// # Errors
    /// How it failed.
    pub fn write(&mut self, proof: &Address, offset: usize, bytes: &[u8]) -> Result<u64, Failure> {
        let prover = self.prover.insecure_clone();
        let offset = u32::try_from(offset).expect("a small offset");
        self.send(&interface::write_proof(&PROGRAM_ID, proof, &address(&prover), offset, bytes), &prover)
    }

    /// Writes a whole proof.
    ///
    /// # Errors
    /// How the first chunk failed that did.
    pub fn write_all(&mut self, proof: &Address, bytes: &[u8]) -> Result<(), Failure> {
        for (chunk, bytes) in bytes.chunks(CHUNK).enumerate() {
            self.write(proof, chunk * CHUNK, bytes)?;
        }
        Ok(())
    }

    /// Writes a proof's nonce, which a reset takes away.
    ///
    /// # Errors
    /// How it failed.
    pub fn write_nonce(&mut self, proof: &Address, fixture: &Fixture) -> Result<u64, Failure> {
        self.write(proof, 8 * NONCE, &fixture.proof[8 * NONCE..8 * NONCE + 8])
    }

    /// Does a step of a verification, paid for by nobody in particular.
    ///
    /// # Errors
    /// How it failed.
    pub fn step(&mut self, proof: &Address, step: ProofStep) -> Result<u64, Failure> {
        let anyone = self.sequencer.insecure_clone();
        self.send_with_units(&interface::verify_step(&PROGRAM_ID, proof, step), &anyone)
    }

    /// Does all steps.
    ///
    /// # Errors
    /// How the first step failed that did.
    pub fn verify(&mut self, proof: &Address) -> Result<(), Failure> {
        for step in [ProofStep::Transcript, ProofStep::Constraints, ALL_QUERIES] {
            self.step(proof, step)?;
        }
        Ok(())
    }

    /// Takes a proof account back to being written, for another statement.
    ///
    /// # Errors
    /// How it failed.
    pub fn reset(&mut self, proof: &Address, statement: &Digest) -> Result<u64, Failure> {
        let prover = self.prover.insecure_clone();
        self.send(&interface::reset_proof(&PROGRAM_ID, proof, &address(&prover), statement), &prover)
    }

    /// Closes a proof account.
    ///
    /// # Errors
    /// How it failed.
    pub fn close_proof(&mut self, proof: &Address) -> Result<u64, Failure> {
        let prover = self.prover.insecure_clone();
        let authority = address(&prover);
        self.send(&interface::close_proof(&PROGRAM_ID, proof, &authority, &authority), &prover)
    }

    /// A proof account's bytes and what has been computed in it.
    #[must_use]
    pub fn progress(&self, proof: &Address) -> Progress {
        let data = self.data(proof);
        bytemuck::pod_read_unaligned(Proof::parse(PROFILE, &data).expect("a proof account").progress)
    }

    /// An account as the program leaves it when it has verified a proof of this statement, without a proof.
    ///
    /// A real proof takes long to make and fits one header, so that what comes after verification is tested with these. They
    /// take nothing away from those tests: the program knows a verified proof by its account's owner and bytes alone, the
    /// owner's own instructions are all that writes those bytes, and that these do not write them without a proof is what the
    /// tests of verification are about, which plant nothing.
    pub fn verified_proof(&mut self, statement: &Digest) -> Address {
        let prover = address(&self.prover);
        let mut data = proof_account(PROFILE).discriminator.to_vec();
        data.extend_from_slice(&prover.0);
        data.extend_from_slice(&prover.0);
        data.extend_from_slice(&statement.to_bytes());
        data.extend_from_slice(&Dev::CIRCUIT_ID);
        assert_eq!(data.len(), layout::DISCRIMINATOR + layout::PROOF_HEAD);
        data.extend_from_slice(bytemuck::bytes_of(&verified_progress()));
        data.resize(proof_account(PROFILE).size, 0);
        let proof = address(&Keypair::new());
        self.plant(&proof, PROGRAM_ID, data);
        proof
    }
}
