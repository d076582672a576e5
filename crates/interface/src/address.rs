//! Account addresses: 32 bytes, written in base58.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// The address of an account or a program. Text is the base58 of the 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 32]);

/// The text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address is the base58 form of 32 bytes")]
pub struct AddressError;

impl Address {
    /// For constants: panics, at compile time, on what is no address.
    #[must_use]
    pub const fn constant(text: &str) -> Self {
        Self(bs58::decode(text.as_bytes()).into_array_const_unwrap())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether all bytes are zero, which is the system program's address and no one's key.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 32]
    }
}

impl From<[u8; 32]> for Address {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<Address> for [u8; 32] {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl AsRef<[u8]> for Address {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = bs58::encode(&self.0).into_string();
        f.write_str(&text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut bytes = [0; 32];
        // The decoder stops at the end of the buffer: a long text is refused, not read.
        match bs58::decode(text).onto(&mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(AddressError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_round_trips_and_keeps_leading_zeros() {
        for bytes in [[0; 32], [0xff; 32], core::array::from_fn(|i| i as u8)] {
            let address = Address(bytes);
            assert_eq!(address.to_string().parse(), Ok(address));
        }
        assert_eq!(Address::default().to_string(), "11111111111111111111111111111111");
    }

    #[test]
    fn other_lengths_and_other_letters_are_refused() {
        let long = "1".repeat(33);
        for text in ["", "1", "0OIl", &long, "J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7DD"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text:?}");
        }
    }
}
