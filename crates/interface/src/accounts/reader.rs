//! Reads fields one after the other.

use super::{AccountError, AccountKind};
use crate::Address;
use cairn_types::{Cursor, Digest, QueueCursor};

/// What is left of an account's bytes. The length was checked at the start, so that a field that is not there can only
/// be a fault of the reading code; it is reported like a bad field all the same.
pub(super) struct Reader<'a> {
    kind: AccountKind,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn open(kind: AccountKind, data: &'a [u8]) -> Result<Self, AccountError> {
        let account = kind.name;
        if data.len() != kind.size {
            let (expected, actual) = (kind.size, data.len());
            return Err(match data.starts_with(&kind.discriminator) {
                true => AccountError::Version { account, expected, actual },
                false => AccountError::Length { account, expected, actual },
            });
        }
        match data.split_first_chunk() {
            Some((discriminator, rest)) if *discriminator == kind.discriminator => Ok(Self { kind, rest }),
            _ => Err(AccountError::Discriminator { account }),
        }
    }

    pub(super) fn invalid(&self, field: &'static str, reason: &'static str) -> AccountError {
        AccountError::Field { account: self.kind.name, field, reason }
    }

    pub(super) fn bytes<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], AccountError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(self.invalid(field, "the account ends before it"))?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn word(&mut self, field: &'static str) -> Result<u64, AccountError> {
        self.bytes(field).map(u64::from_le_bytes)
    }

    pub(super) fn half(&mut self, field: &'static str) -> Result<u32, AccountError> {
        self.bytes(field).map(u32::from_le_bytes)
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, AccountError> {
        self.bytes(field).map(|[byte]| byte)
    }

    pub(super) fn address(&mut self, field: &'static str) -> Result<Address, AccountError> {
        self.bytes(field).map(Address)
    }

    pub(super) fn digest(&mut self, field: &'static str) -> Result<Digest, AccountError> {
        let bytes = self.bytes(field)?;
        Digest::from_bytes(bytes).map_err(|_| self.invalid(field, "a word is not canonical"))
    }

    pub(super) fn cursor(&mut self, field: &'static str) -> Result<Cursor, AccountError> {
        Ok(Cursor {
            batches: self.word(field)?,
            header_digest: self.digest(field)?,
            state_root: self.digest(field)?,
            queue: QueueCursor { position: self.word(field)?, digest: self.digest(field)? },
        })
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn zeros(&mut self, field: &'static str, count: usize) -> Result<(), AccountError> {
        for _ in 0..count {
            if self.byte(field)? != 0 {
                return Err(self.invalid(field, "bytes kept for later versions are not zero"));
            }
        }
        Ok(())
    }
}
