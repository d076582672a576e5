//! Writes `docs/vectors/`. Run it after a change that is meant to change them: `cargo run --release -p cairn-tests --bin vectors`.

fn main() -> std::io::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/vectors");
    std::fs::create_dir_all(folder)?;
    for (name, value) in cairn_tests::vectors::all() {
        std::fs::write(format!("{folder}/{name}"), cairn_tests::vectors::text(&value))?;
        println!("docs/vectors/{name}");
    }
    Ok(())
}
