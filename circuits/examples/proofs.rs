//! Writes a final proof of each profile, or of the one that is named, for tests of verifiers: `crates/verifier/tests/fixtures/PROFILE.proof`,
//! and beside it the four words that it proves.
//!
//! The batch is the first of a rollup and consumes one queue entry, a registration of node 1; it has no bundles. What a
//! batch holds changes nothing about the shape of its proof.

use cairn_circuits::{CircuitSet, LEVELS, Profile, SegmentInputs, packed_proof};
use cairn_types::state::MemoryState;
use cairn_types::{Batch, Cursor, Digest, EntryKind, QueueEntry, ReceiptKey};
use std::error::Error;
use std::path::Path;

/// Any encoding will do: whatever the chain holds can be applied.
const KEY: [u64; 5] = [1, 2, 3, 4, 5];
const NODE: u32 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let named = std::env::args().nth(1).map(|name| name.parse()).transpose()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/verifier/tests/fixtures");
    std::fs::create_dir_all(&folder)?;
    for profile in named.map_or(Profile::ALL.to_vec(), |profile| vec![profile]) {
        let (statement, proof) = proof(profile)?;
        let words = statement.words().map(|word| word.to_string());
        std::fs::write(folder.join(format!("{profile}.proof")), &proof)?;
        std::fs::write(folder.join(format!("{profile}.statement")), words.join("\n") + "\n")?;
        println!("{profile}: {} bytes", proof.len());
    }
    Ok(())
}

/// The batch's statement and its proof.
fn proof(profile: Profile) -> Result<(Digest, Vec<u8>), Box<dyn Error>> {
    let circuits = CircuitSet::get(profile, &|_| ())?;
    let rollup_id = Digest::from_byte_digest([1; 32]);
    let entry = QueueEntry::new(EntryKind::Register, NODE, ReceiptKey::from_words(KEY)?)?;
    let before = MemoryState::default().open([NODE]);
    let cursor = Cursor { state_root: before.root(), ..Cursor::genesis(&rollup_id) };
    let batch = Batch::seal(&cursor, rollup_id, vec![], vec![entry], &mut before.clone())?;
    let header = &batch.header;
    let (state, queue) = (&mut before.clone(), &mut header.queue_from.clone());
    let inputs = SegmentInputs::apply(&rollup_id, &[], &batch.entries, state, queue)?;
    let mut proof = circuits.prove_segment(&inputs)?;
    for level in 1..=LEVELS {
        proof = circuits.prove_aggregation(level, &proof, None)?;
    }
    let batch = circuits.prove_batch(&proof, &header.words())?;
    let proof = packed_proof::pack(&circuits.prove_final(&batch)?);
    circuits.verify(&header.statement(), &proof)?;
    Ok((header.statement(), proof))
}
