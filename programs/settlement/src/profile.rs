//! The profile whose proofs this program verifies. A program verifies those of one, under an id of its own: no account and no
//! argument chooses the weaker.

use cairn_interface::Profile;

/// The profile's parameters.
#[cfg(not(feature = "dev"))]
pub type Parameters = cairn_verifier::Production;
/// The profile of this program's rollups.
#[cfg(not(feature = "dev"))]
pub const PROFILE: Profile = Profile::Production;

/// The profile's parameters.
#[cfg(feature = "dev")]
pub type Parameters = cairn_verifier::Dev;
/// The profile of this program's rollups.
#[cfg(feature = "dev")]
pub const PROFILE: Profile = Profile::Dev;
