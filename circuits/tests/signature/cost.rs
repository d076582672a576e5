//! What signatures cost: rows, time, and what verifying their segment's proof costs the circuit above.

use crate::forgery::Wires;
use crate::samples::{Slot, assign, constrain, draft, signed};
use cairn_circuits::gadgets::Enforcer;
use cairn_circuits::plonk::Builder;
use cairn_circuits::{Clauses, Draft, Layer, Profile};
use plonky2::iop::witness::PartialWitness;
use std::time::{Duration, Instant};

/// A circuit of `count` slots.
fn several(count: usize) -> Draft<Vec<Slot>> {
    let mut builder = Builder::new(Layer::Segment.config(Profile::Dev));
    let mut enforcer = Enforcer::new(Clauses::ALL);
    let target = (0..count).map(|_| constrain(&mut builder, &mut enforcer)).collect();
    Draft::new(builder, target)
}

#[test]
fn a_signature_takes_at_most_150_rows() {
    let alone = draft(Clauses::ALL).builder.num_gates();
    let rows = several(16).builder.num_gates().div_ceil(16);
    println!("rows_per_signature {rows} in a segment, {alone} alone");
    assert!(rows <= 125 && alone <= 150, "{rows}, {alone}");
}

#[test]
fn signatures_of_a_segment_are_proved_together() {
    const SIGNATURES: usize = 16;
    let compiled = several(SIGNATURES).build();
    let mut witness = PartialWitness::new();
    for (index, slot) in compiled.target.iter().enumerate() {
        let given = signed(index as u64 + 1, [index as u64; 4]);
        witness.target_values.extend(assign(slot, &given).target_values);
    }
    let start = Instant::now();
    let wires = Wires::generate(&compiled.circuit, witness);
    let generated = start.elapsed();
    wires.prove(&compiled.circuit).unwrap();
    let proved = start.elapsed() - generated;
    let each = |time: Duration| time.as_secs_f64() * 1000.0 / SIGNATURES as f64;
    println!("ms_per_signature {:.1}, of which witness {:.2}", each(generated + proved), each(generated));
}
