//! Generates the gRPC code from `proto/`. The compiler of `.proto` files is a crate, so nothing has to be installed.

use std::{env, fs, path::PathBuf};

use protox::prost::Message as _;

const FILES: [&str; 3] = ["cairn/v1/sequencer.proto", "cairn/v1/indexer.proto", "cairn/v1/prover.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");

    let descriptors = protox::Compiler::new(["proto"])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?
        .file_descriptor_set();

    // Server reflection answers from these bytes.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("cairn_descriptor.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
