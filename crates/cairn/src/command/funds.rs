//! Lamports: how they are written, and whether somebody has enough of them.

use anyhow::{Context, Result, anyhow, bail};
use cairn_chain::{Address, Chain as _, Commitment, RpcChain};

/// What a signature costs, in lamports.
pub const SIGNATURE_FEE: u64 = 5_000;
/// Lamports in a SOL.
const SOL: u64 = 1_000_000_000;
/// What an airdrop is asked for beyond what is missing, in lamports: the fees of the commands after this one.
const AIRDROP_ROOM: u64 = 10_000_000;

/// Makes sure that `payer` has `lamports`, from the faucet when that is wanted.
///
/// # Errors
/// When it does not, with what is missing.
pub async fn require_balance(chain: &RpcChain, payer: &Address, lamports: u64, why: &str, airdrop: bool) -> Result<()> {
    let held = balance(chain, payer).await?;
    let Some(missing) = lamports.checked_sub(held).filter(|missing| *missing > 0) else { return Ok(()) };
    if !airdrop {
        bail!(
            "payer {payer} has {} SOL, and {} SOL are needed ({why}): send it {} SOL; --airdrop asks the chain's faucet, \
             which local and test networks have",
            sol(held),
            sol(lamports),
            sol(missing)
        );
    }
    let asked = missing.saturating_add(AIRDROP_ROOM);
    chain.airdrop(payer, asked).await.context("--airdrop: the faucet does not pay")?;
    for _ in 0..150 {
        if balance(chain, payer).await? >= lamports {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    bail!("--airdrop: the faucet's payment to {payer} has not become final within a minute: run the command again")
}

async fn balance(chain: &RpcChain, of: &Address) -> Result<u64> {
    Ok(chain.account(of, Commitment::Finalized).await?.map_or(0, |account| account.lamports))
}

/// Lamports as SOL, without trailing zeros.
pub fn sol(lamports: u64) -> String {
    let text = format!("{}.{:09}", lamports / SOL, lamports % SOL);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lamports of an amount in SOL, as [`sol`] writes it: exact, to the last lamport.
///
/// # Errors
/// When it is no such amount, or more than 64 bits of lamports.
pub fn parse_sol(text: &str) -> Result<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        bail!("an amount of SOL is written as 0.1, with at most nine digits after the point");
    }
    let part = format!("{part:0<9}").parse::<u64>()?;
    let lamports = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(SOL)?.checked_add(part));
    lamports.ok_or_else(|| anyhow!("there are not as many SOL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lamports_are_shown_as_sol_to_the_last_one_and_read_back() {
        for (lamports, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (100_000_000, "0.1"),
            (10_000_000_000, "10"),
            (1_500_000_001, "1.500000001"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(sol(lamports), text);
            assert_eq!(parse_sol(text).unwrap(), lamports);
        }
        assert_eq!(parse_sol("007.10").unwrap(), 7_100_000_000);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "0.0000000001",
            "1,5",
            "0x1",
            " 1",
            "18446744073.709551616",
            "99999999999999999999",
        ] {
            assert!(parse_sol(text).is_err(), "{text:?}");
        }
    }
}
