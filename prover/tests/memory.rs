//! What a proof takes, in a process in which nothing else happens.

mod samples;

use cairn_circuits::Layer;
use cairn_prover::{LocalProver, Options, Profile, Prover, memory};
use samples::{Rollup, bundle};

#[test]
fn one_proof_at_a_time_stays_within_the_memory_that_is_planned_for_it() {
    // So little memory that proofs are made one by one.
    let prover = LocalProver::start(Options { memory: Some(1), ..Options::new(Profile::Dev) }, &()).unwrap();
    let (batch, state) = Rollup::default().seal(vec![bundle(0, 1)], vec![]);
    // Sets the peak back to what is held now; where that is not allowed there is nothing to measure.
    if std::fs::write("/proc/self/clear_refs", "5").is_err() {
        eprintln!("the peak cannot be set back on this system: nothing is compared");
        return;
    }
    let before = memory::held().unwrap();
    prover.prove(&batch, &state, &()).unwrap();
    // The kernel's two counters are not read at one instant, hence saturating.
    let taken = memory::peak().unwrap().saturating_sub(before);
    let planned = memory::peak_of(prover.circuits(), Layer::Segment);
    eprintln!("a batch of one segment takes {} MiB, planned are {} MiB", taken >> 20, planned >> 20);
    assert!(taken <= planned);
}
