//! `cargo run --release -p cairn-prover --example bench -- [dev|production] [bundle receipts] [receipts]`: the figures of `cairn bench prove`.

use cairn_prover::bench::{self, Sample};
use cairn_prover::{Options, Profile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let profile = arguments.next().map_or(Ok(Profile::Dev), |name| name.parse())?;
    let bundle_receipts = arguments.next().map_or(Ok(256), |number| number.parse())?;
    let full = Sample::full(bundle_receipts);
    let receipts = arguments.next().map_or(Ok(full.receipts), |number| number.parse())?;
    println!("{}", bench::prove(Options::new(profile), Sample { receipts, ..full }, &())?);
    Ok(())
}
