//! Prints the table of pinned circuits; with `--write`, puts it into `src/pinned_tables.rs`.

use cairn_circuits::fingerprint::Fingerprint;
use cairn_circuits::{Built, CircuitSet, Profile, pinned};
use std::fmt::Write;
use std::path::Path;

fn bytes(fingerprint: &Fingerprint) -> String {
    let bytes: Vec<String> = fingerprint.0.iter().map(|byte| format!("0x{byte:02x}")).collect();
    bytes.chunks(16).map(|line| format!("        {},\n", line.join(", "))).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut table = String::from("// Written by `cargo run --release -p cairn-circuits --example pin -- --write`.\n\n");
    for (name, fingerprint, _) in pinned::gates() {
        let constant = format!("{}_GATE", name.replace('-', "_").to_uppercase());
        writeln!(table, "/// The {name} gate's constraints.")?;
        writeln!(table, "#[rustfmt::skip]")?;
        writeln!(table, "pub const {constant}: Fingerprint = Fingerprint([\n{}]);", bytes(&fingerprint))?;
    }
    for profile in Profile::ALL {
        let set = CircuitSet::build_unchecked(profile);
        writeln!(table, "\n#[rustfmt::skip]")?;
        writeln!(table, "const {}: &[Pin] = &[", profile.name().to_uppercase())?;
        for Built { layer, common, used_rows: used, fingerprint } in set.layers() {
            let degree_bits = common.degree_bits();
            writeln!(table, "    // {layer}: {used} rows used of 2^{degree_bits}.")?;
            let fingerprint = bytes(&fingerprint);
            writeln!(
                table,
                "    Pin {{ degree_bits: {degree_bits}, fingerprint: Fingerprint([\n{fingerprint}    ]) }},"
            )?;
        }
        writeln!(table, "];")?;
    }
    if std::env::args().any(|argument| argument == "--write") {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pinned_tables.rs"), &table)?;
    } else {
        print!("{table}");
    }
    Ok(())
}
