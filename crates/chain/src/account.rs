//! Accounts as a chain reports them.

use crate::Address;

/// What a chain stores at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Balance in lamports (10^-9 SOL).
    pub lamports: u64,
    /// The program that may write the data.
    pub owner: Address,
    /// The account's bytes. They come from outside: decode them with the checked decoders of `cairn_interface`.
    pub data: Vec<u8>,
    /// Whether the account is a program.
    pub executable: bool,
}

/// Accounts read together: all of them as of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// The slot whose state this is.
    pub slot: u64,
    /// One entry per address asked for, in that order; `None` where there is no account.
    pub accounts: Vec<Option<Account>>,
}

/// Which of a program's accounts are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountFilter {
    /// Those with data of this many bytes.
    Size(u64),
    /// Those whose data has these bytes (at most 128) at this offset.
    Bytes {
        /// Where in the data.
        offset: usize,
        /// What is there.
        bytes: Vec<u8>,
    },
}

impl AccountFilter {
    /// Whether an account's data passes.
    #[must_use]
    pub fn accepts(&self, data: &[u8]) -> bool {
        match self {
            Self::Size(size) => usize::try_from(*size).is_ok_and(|size| size == data.len()),
            Self::Bytes { offset, bytes } => data.get(*offset..).is_some_and(|tail| tail.starts_with(bytes)),
        }
    }
}

/// A program's accounts, as of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramAccounts {
    /// The slot whose state this is.
    pub slot: u64,
    /// Addresses and accounts.
    pub accounts: Vec<(Address, Account)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_never_reads_past_the_data() {
        let data = [1, 2, 3, 4];
        assert!(AccountFilter::Size(4).accepts(&data));
        assert!(!AccountFilter::Size(u64::MAX).accepts(&data));
        let bytes = |offset, bytes: &[u8]| AccountFilter::Bytes { offset, bytes: bytes.to_vec() };
        assert!(bytes(2, &[3, 4]).accepts(&data));
        assert!(bytes(4, &[]).accepts(&data));
        for refused in [bytes(2, &[3, 4, 5]), bytes(2, &[4]), bytes(5, &[]), bytes(usize::MAX, &[1])] {
            assert!(!refused.accepts(&data), "{refused:?}");
        }
    }
}
