//! Prints what the program's instructions cost, in compute units: `cargo run --release -p cairn-tests --bin compute-units`.
//!
//! Nodes are registered, rotated, deactivated and refunded, each with a batch of its own between; costs vary with the bumps of
//! addresses and, by a few units, with the words hashed.

use cairn_interface::{
    Address, DEFAULT_MAX_PENDING, MAX_BLOB_LOCATION_BYTES, PROGRAM_ID, Registry, pause, set_blob_location,
    set_registry, set_sequencer, unpause,
};
use cairn_tests::settlement::{Failure, Machine, program_file, receipt_key};

fn main() -> Result<(), Failure> {
    let path = program_file();
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

    let mut units = [const { Vec::new() }; 5];
    for number in 0..u64::from(DEFAULT_MAX_PENDING) {
        let authority = solana_sdk::signature::Keypair::new();
        units[0].push(machine.register(&authority, &receipt_key(number))?);
        units[1].push(machine.rotate(&authority, &receipt_key(number + 1))?);
        units[2].push(machine.deactivate(&authority)?);
        units[3].push(machine.consume(machine.queue().end.position)?);
        units[4].push(machine.refund(&authority)?);
    }
    let names = ["register_node", "rotate_key", "deactivate_node", "submit_batch", "refund_bond"];
    for (name, mut units) in names.into_iter().zip(units) {
        units.sort_unstable();
        let mean = units.iter().sum::<u64>() / units.len() as u64;
        let (least, most) = (units[0], units[units.len() - 1]);
        println!("{name:<20}{mean} (mean of {}, from {least} to {most})", units.len());
    }
    Ok(())
}
