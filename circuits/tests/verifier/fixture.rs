//! The committed proofs, and both verdicts on whatever is made of them.

use cairn_circuits::plonk::FinalProof;
use cairn_circuits::{CircuitSet, Profile, packed_proof};
use cairn_verifier::{Dev, NativeKeccak, Production, Rejection, verify};
use std::fs;
use std::path::Path;

/// A proof and what it proves.
#[derive(Clone)]
pub struct Fixture {
    pub profile: Profile,
    pub statement: [u64; 4],
    pub bytes: Vec<u8>,
}

impl Fixture {
    /// The committed one.
    pub fn committed(profile: Profile) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/verifier/tests/fixtures").join(profile.name());
        let text = fs::read_to_string(file.with_extension("statement")).unwrap();
        let words: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        let bytes = fs::read(file.with_extension("proof")).unwrap();
        Self { profile, statement: words.try_into().unwrap(), bytes }
    }

    /// The circuits of its profile.
    pub fn set(&self) -> &'static CircuitSet {
        CircuitSet::get(self.profile, &|_| ()).unwrap()
    }

    /// plonky2's form of it.
    pub fn proof(&self) -> FinalProof {
        packed_proof::unpack(&self.set().last().circuit.common, self.statement, &self.bytes).unwrap()
    }

    /// The chain's verdict, after comparing it with plonky2's.
    pub fn verdict(&self) -> Result<(), Rejection> {
        let ours = match self.profile {
            Profile::Dev => verify::<Dev, NativeKeccak>(&self.bytes, &self.statement),
            Profile::Production => verify::<Production, NativeKeccak>(&self.bytes, &self.statement),
        };
        let theirs = self.set().plonky2_verdict(self.statement, &self.bytes);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "ours: {ours:?}, plonky2's: {theirs:?}");
        ours
    }
}

#[test]
fn the_committed_proofs_are_valid_for_both() {
    for profile in Profile::ALL {
        let fixture = Fixture::committed(profile);
        assert_eq!(fixture.verdict(), Ok(()));
        assert_eq!(packed_proof::pack(&fixture.proof()), fixture.bytes);
    }
}
