//! Security profiles: the two sets of parameters in which a batch can be proved.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// How strong a rollup's proofs are. Fixed when the rollup is created, and part of its identity; every figure that
/// anyone reports names one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Profile {
    /// plonky2's standard recursion: quick, for development and tests.
    Dev = 1,
    /// Every layer at 100 bits conjectured and 80 bits proven at least.
    Production = 2,
}

/// No profile has this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile code {0} is unknown: 1 is dev, 2 is production")]
pub struct UnknownProfile(pub u8);

/// No profile has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile {0:?}: use \"dev\" or \"production\"")]
pub struct UnknownProfileName(pub String);

impl Profile {
    /// Both profiles.
    pub const ALL: [Self; 2] = [Self::Dev, Self::Production];

    /// The code that accounts, instructions and proof files carry.
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
        Self::ALL.into_iter().find(|profile| profile.code() == code).ok_or(UnknownProfile(code))
    }
}

impl FromStr for Profile {
    type Err = UnknownProfileName;

    fn from_str(name: &str) -> Result<Self, UnknownProfileName> {
        Self::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| UnknownProfileName(name.to_owned()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_their_profile_and_no_others_do() {
        for profile in Profile::ALL {
            assert_eq!(Profile::try_from(profile.code()), Ok(profile));
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        assert_eq!(Profile::try_from(0), Err(UnknownProfile(0)));
        assert_eq!(Profile::try_from(3), Err(UnknownProfile(3)));
        assert!("prod".parse::<Profile>().is_err());
    }
}
