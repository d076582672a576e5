//! Prints what the program's instructions cost, in compute units: `cargo run --release -p cairn-tests --bin compute-units`.
//!
//! `submit_batch` is measured on a chain of batches; its cost varies with the bump of each batch's address and, by a
//! few units, with the words hashed.

use cairn_interface::{PROGRAM_ID, initialize};
use cairn_tests::settlement::{Failure, Machine, program_file};

fn main() -> Result<(), Failure> {
    let path = program_file();
    println!("program             {}", path.file_name().unwrap_or_default().display());
    println!("bytes               {}", std::fs::metadata(&path).map_or(0, |file| file.len()));

    let mut machine = Machine::without_rollup();
    let arguments = machine.arguments();
    let created = machine.send_as_admin(&initialize(&PROGRAM_ID, &arguments))?;
    println!("initialize          {created}");

    let key = arguments.sequencer;
    let replaced = cairn_interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &arguments.admin, &key, &key);
    println!("set_sequencer       {}", machine.send_as_admin(&replaced)?);

    let mut units = Vec::new();
    for _ in 0..cairn_interface::DEFAULT_MAX_PENDING {
        let header = machine.next_header();
        units.push(machine.submit(&header)?);
    }
    units.sort_unstable();
    let mean = units.iter().sum::<u64>() / units.len() as u64;
    let (least, most) = (units[0], units[units.len() - 1]);
    println!("submit_batch        {mean} (mean of {}, from {least} to {most})", units.len());
    Ok(())
}
