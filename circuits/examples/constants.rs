//! Prints what the verifier knows of the last layer's circuits; with `--write`, puts it into `crates/verifier/src/generated/`.

use cairn_circuits::{CircuitSet, Profile, verifier_constants};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for profile in Profile::ALL {
        let source = verifier_constants::source(CircuitSet::get(profile, &|_| ())?);
        if std::env::args().any(|argument| argument == "--write") {
            let file = verifier_constants::file(profile);
            std::fs::create_dir_all(file.parent().expect("a file in a folder"))?;
            std::fs::write(file, source)?;
        } else {
            print!("{source}");
        }
    }
    Ok(())
}
