//! Prints what the program's instructions cost, in compute units: `cargo run --release -p cairn-tests --bin compute-units`.
//! With `--record`, the costs of verifying the committed proofs, and a receipt's place, become those that a test compares with.
//!
//! Nodes are registered, rotated, deactivated and refunded, each with a batch of its own between that settles; costs vary with the bumps of
//! addresses and, by a few units, with the words hashed.

use cairn_interface::{
    Address, BATCH_RETENTION_SLOTS, DEFAULT_MAX_PENDING, MAX_BLOB_LOCATION_BYTES, Registry, pause, set_blob_location,
    set_registry, set_sequencer, unpause,
};
use cairn_tests::settlement::{Failure, Machine, PROFILE, PROGRAM_ID, program_file, receipt_key};
use cairn_tests::units;
use cairn_types::history::{self, NativeSha256};

fn main() -> Result<(), Failure> {
    let path = program_file(PROFILE);
    println!("program             {}", path.file_name().unwrap_or_default().display());
    println!("bytes               {}", std::fs::metadata(&path).map_or(0, |file| file.len()));

    let mut machine = Machine::without_rollup();
    let arguments = machine.arguments();
    println!("create_rollup       {}", machine.create(&arguments)?);

    let (rollup, admin) = (machine.rollup, arguments.admin);
    let keys = [arguments.sequencer, Address([7; 32])];
    let longest = "x".repeat(MAX_BLOB_LOCATION_BYTES);
    for (name, instruction) in [
        ("set_sequencer", set_sequencer(&PROGRAM_ID, &rollup, &admin, &keys[0], &keys[1])),
        ("set_registry", set_registry(&PROGRAM_ID, &rollup, &admin, &Registry::OPEN)),
        ("set_blob_location", set_blob_location(&PROGRAM_ID, &rollup, &admin, &longest)),
        ("pause", pause(&PROGRAM_ID, &rollup, &admin)),
        ("unpause", unpause(&PROGRAM_ID, &rollup, &admin)),
    ] {
        println!("{name:<20}{}", machine.send_as_admin(&instruction)?);
    }

    let mut units = [const { Vec::new() }; 6];
    for number in 0..u64::from(DEFAULT_MAX_PENDING) {
        let authority = solana_sdk::signature::Keypair::new();
        units[0].push(machine.register(&authority, &receipt_key(number))?);
        units[1].push(machine.rotate(&authority, &receipt_key(number + 1))?);
        units[2].push(machine.deactivate(&authority)?);
        units[3].push(machine.take(machine.queue().end.position)?);
        units[4].push(machine.settle(number)?);
        units[5].push(machine.refund(&authority)?);
    }
    let names = ["register_node", "rotate_key", "deactivate_node", "submit_batch", "settle_batch", "refund_bond"];
    for (name, mut units) in names.into_iter().zip(units) {
        units.sort_unstable();
        let mean = units.iter().sum::<u64>() / units.len() as u64;
        let (least, most) = (units[0], units[units.len() - 1]);
        println!("{name:<20}{mean} (mean of {}, from {least} to {most})", units.len());
    }
    let leaves = (0..u64::from(DEFAULT_MAX_PENDING)).map(|number| machine.leaf(number)).collect::<Vec<_>>();
    let (batch, sequencer) = (machine.batch(0), machine.sequencer.insecure_clone());
    machine.submit(&machine.next_header())?;
    println!("abandon_batches     {}", machine.abandon()?);
    machine.advance(BATCH_RETENTION_SLOTS, 0);
    println!("close_batch         {}", machine.close_batch(0, &sequencer)?);
    let path = history::path::<NativeSha256>(&leaves, 0).expect("batch 0 is settled");
    let restoration = machine.restoration(&batch.header, batch.slot, batch.time, &path);
    let prover = machine.prover.insecure_clone();
    println!("restore_batch       {}", machine.send(&restoration, &prover)?);

    let costs = units::measure();
    for cost in &costs {
        println!("{:<32}{}", cost.name, cost.units);
    }
    if std::env::args().any(|argument| argument == "--record") {
        std::fs::write(units::record(), units::write(&costs)).expect("the record can be written");
    }
    Ok(())
}
