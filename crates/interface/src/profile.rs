//! Security profiles of the proofs that a rollup accepts.

/// How strong a rollup's proofs are. Fixed when the rollup is created, and part of its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Profile {
    /// plonky2's standard recursion: quick, for development and tests.
    Dev = 1,
    /// Every layer at 100 bits conjectured and 80 bits proven.
    Production = 2,
}

/// No profile has this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile code {0} is unknown: 1 is dev, 2 is production")]
pub struct UnknownProfile(pub u8);

impl Profile {
    /// The code that accounts and instructions carry.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name that commands take and reports print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Production => "production",
        }
    }
}

impl TryFrom<u8> for Profile {
    type Error = UnknownProfile;

    fn try_from(code: u8) -> Result<Self, UnknownProfile> {
        match code {
            1 => Ok(Self::Dev),
            2 => Ok(Self::Production),
            other => Err(UnknownProfile(other)),
        }
    }
}
