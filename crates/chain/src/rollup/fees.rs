//! What a transaction offers to be taken sooner.

use super::RollupClient;
use crate::Address;
use cairn_interface::Instruction;

/// Millionths of a lamport in a lamport: prices per compute unit are in these.
const MICRO: u128 = 1_000_000;
/// The first offer, in millionths of a lamport per compute unit, where nobody offers anything and a transaction expired
/// nonetheless.
const FIRST_OFFER: u64 = 1_000;

/// How much a transaction may offer beside the fee per signature.
///
/// The price is a percentile of what transactions that wrote to the same accounts paid lately. It doubles with every
/// transaction for the same purpose that expired before, and never exceeds the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeePolicy {
    /// Percentile of the recent fees, at most 100.
    pub percentile: u8,
    /// Lamports that one transaction may offer at most; 0 never offers anything.
    pub max_lamports: u64,
    /// Transactions for the same purpose that expired before this one.
    pub expired: u32,
}

impl Default for FeePolicy {
    fn default() -> Self {
        Self { percentile: Self::PERCENTILE, max_lamports: Self::MAX_LAMPORTS, expired: 0 }
    }
}

impl FeePolicy {
    /// The usual percentile.
    pub const PERCENTILE: u8 = 75;
    /// The usual cap: a ten-thousandth of a SOL.
    pub const MAX_LAMPORTS: u64 = 100_000;

    /// The same policy for a transaction that stands in for `expired` earlier ones.
    #[must_use]
    pub const fn after(self, expired: u32) -> Self {
        Self { expired, ..self }
    }

    /// The price to offer, in millionths of a lamport per compute unit, for a transaction that may use `units` of them;
    /// `recent` is what others paid, in the same unit and no order. Zero: offer nothing.
    ///
    /// The cluster charges `ceil(price × units / 10^6)` lamports, whatever of the units is used: this is at most
    /// [`Self::max_lamports`].
    #[must_use]
    pub fn price(&self, recent: &[u64], units: u32) -> u64 {
        let cap = u128::from(self.max_lamports) * MICRO / u128::from(units.max(1));
        let cap = u64::try_from(cap).unwrap_or(u64::MAX);
        let market = percentile(recent, self.percentile);
        if self.expired == 0 {
            return market.min(cap);
        }
        let factor = 1_u64.checked_shl(self.expired).unwrap_or(u64::MAX);
        market.max(FIRST_OFFER).saturating_mul(factor).min(cap)
    }
}

/// The smallest entry that at least `percent` of all entries do not exceed; zero when there are none.
fn percentile(entries: &[u64], percent: u8) -> u64 {
    let mut sorted = entries.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * usize::from(percent.min(100))).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

impl RollupClient {
    /// The same client, which pays by `fees`.
    #[must_use]
    pub fn with_fees(mut self, fees: FeePolicy) -> Self {
        self.delivery.fees = fees;
        self
    }

    /// How it pays.
    #[must_use]
    pub fn fees(&self) -> FeePolicy {
        self.delivery.fees
    }

    /// The price to offer for these instructions. A chain that cannot say what others pay holds nothing up: then there is
    /// no market to go by.
    pub(super) async fn price(&self, instructions: &[Instruction], units: u32) -> u64 {
        let recent = match self.chain().recent_fees(&writable(instructions)).await {
            Ok(recent) => recent,
            Err(error) => {
                tracing::debug!(%error, "the chain does not say what others pay");
                Vec::new()
            }
        };
        self.fees().price(&recent, units)
    }
}

/// The accounts that these instructions write, each once and in order: those whose market is asked for.
pub(super) fn writable(instructions: &[Instruction]) -> Vec<Address> {
    let accounts = instructions.iter().flat_map(|instruction| &instruction.accounts);
    let mut writable: Vec<_> = accounts.filter(|meta| meta.is_writable).map(|meta| meta.address).collect();
    writable.sort_unstable();
    writable.dedup();
    writable
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: FeePolicy = FeePolicy { percentile: 75, max_lamports: 100_000, expired: 0 };

    #[test]
    fn the_price_is_the_percentile_of_what_others_pay() {
        let recent = [40, 10, 30, 20];
        let at = |percentile| FeePolicy { percentile, ..POLICY }.price(&recent, 200_000);
        assert_eq!([0, 1, 25, 26, 50, 75, 76, 100, 255].map(at), [10, 10, 10, 20, 20, 30, 40, 40, 40]);
        assert_eq!(POLICY.price(&[7], 200_000), 7);
    }

    #[test]
    fn nothing_is_offered_where_nobody_pays_until_a_transaction_has_expired() {
        for recent in [&[][..], &[0, 0, 0], &[0, 0, 0, 9]] {
            assert_eq!(POLICY.price(recent, 200_000), 0);
        }
        assert_eq!([1, 2, 3].map(|expired| POLICY.after(expired).price(&[], 200_000)), [2_000, 4_000, 8_000]);
    }

    #[test]
    fn every_expired_transaction_doubles_the_price() {
        let recent = [5_000; 10];
        assert_eq!(
            [0, 1, 2, 3].map(|expired| POLICY.after(expired).price(&recent, 200_000)),
            [5_000, 10_000, 20_000, 40_000]
        );
    }

    #[test]
    fn no_price_exceeds_the_cap_or_overflows() {
        for max_lamports in [0, 1, 99_999, 100_000, u64::MAX] {
            for units in [0, 1, 3, 200_000, 1_400_000, u32::MAX] {
                for expired in [0, 1, 63, 64, u32::MAX] {
                    for paid in [0, 1, 1_000_000, u64::MAX] {
                        let policy = FeePolicy { max_lamports, expired, ..POLICY };
                        let price = policy.price(&[paid], units);
                        let lamports = (u128::from(price) * u128::from(units)).div_ceil(MICRO);
                        assert!(lamports <= u128::from(max_lamports), "{policy:?}, {units} units, {paid}: {price}");
                    }
                }
            }
        }
        assert_eq!(POLICY.price(&[u64::MAX], 200_000), 500_000, "100,000 lamports for 200,000 units");
    }
}
