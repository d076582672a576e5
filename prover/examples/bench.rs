//! `cargo run --release -p cairn-prover --example bench -- [dev|production] [receipts]`: the figures of `cairn bench prove`.

use cairn_prover::{Options, Profile, bench};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let profile = arguments.next().map_or(Ok(Profile::Dev), |name| name.parse())?;
    let receipts = arguments.next().map_or(Ok(bench::DEFAULT_RECEIPTS), |number| number.parse())?;
    println!("{}", bench::prove(Options::new(profile), receipts, &())?);
    Ok(())
}
