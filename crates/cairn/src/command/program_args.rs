//! Which settlement program a rollup is an account of.

use cairn_chain::{Address, RollupError};
use cairn_interface::{Profile, program_id};
use clap::Args;

/// The program, by the profile whose proofs it verifies.
#[derive(Args, Clone, Copy)]
pub struct ProgramArgs {
    /// Security profile of the rollup's proofs: production or dev. Each has a settlement program of its own
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    pub profile: Profile,
    /// The settlement program, where it is deployed under another id than the profile's
    #[arg(long, env = "CAIRN_PROGRAM", value_name = "ADDRESS")]
    program: Option<Address>,
}

impl ProgramArgs {
    /// Its address.
    pub fn address(&self) -> Address {
        self.program.unwrap_or_else(|| program_id(self.profile))
    }
}

/// Why the rollup cannot be read, with the option to change.
pub fn unreadable(rollup: Address, error: RollupError) -> anyhow::Error {
    let owner = match &error {
        RollupError::Foreign { owner, .. } => Some(*owner),
        _ => None,
    };
    let profile = Profile::ALL.into_iter().find(|profile| owner == Some(program_id(*profile)));
    let option = match profile {
        Some(profile) => format!("--rollup {rollup} is of the other profile: give --profile {profile}"),
        None => format!("--rollup {rollup}"),
    };
    anyhow::Error::from(error).context(option)
}
