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
