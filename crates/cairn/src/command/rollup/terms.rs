//! Terms of registration on the command line.

use crate::command::funds::{parse_sol, sol};
use anyhow::{Result, bail};
use cairn_chain::Address;
use cairn_interface::{DEFAULT_QUEUE_DEADLINE, MAX_QUEUE_DEADLINE, MIN_BOND, MIN_QUEUE_DEADLINE, Registry};
use clap::Args;

/// On what terms nodes are registered.
#[derive(Args)]
pub struct Terms {
    /// Whose signature registers a node without a bond
    #[arg(long, value_name = "ADDRESS")]
    registrar: Option<Address>,
    /// What registers a node without the registrar, in SOL, as in 0.1: paid back after its deactivation. 0 leaves
    /// registration to the registrar alone
    #[arg(long, value_name = "SOL", value_parser = parse_sol)]
    bond: Option<u64>,
    /// Slots (of 0.4 s) within which a batch has to consume a registration or a rotation, 1500 to 1512000: longer than the time in which
    /// the sequencer promises to settle
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u64).range(MIN_QUEUE_DEADLINE..=MAX_QUEUE_DEADLINE))]
    queue_deadline: Option<u64>,
}

impl Terms {
    /// The terms of a new rollup: the registrar, or a bond, or both must be said.
    pub fn new_registry(&self) -> Result<Registry> {
        if self.registrar.is_none() && self.bond.is_none() {
            bail!(
                "say who may register nodes: --registrar ADDRESS lets its owner decide, --bond 0.1 lets in anyone who pays it, and both may be given"
            );
        }
        let nobody = Registry { registrar: Address::default(), bond: 0, queue_deadline: DEFAULT_QUEUE_DEADLINE };
        self.over(&nobody, false)
    }

    /// Terms that differ from `present` in what is given.
    pub fn over(&self, present: &Registry, no_registrar: bool) -> Result<Registry> {
        let registrar = if no_registrar { Address::default() } else { self.registrar.unwrap_or(present.registrar) };
        let registry = Registry {
            registrar,
            bond: self.bond.unwrap_or(present.bond),
            queue_deadline: self.queue_deadline.unwrap_or(present.queue_deadline),
        };
        if self.registrar.is_some_and(|registrar| registrar.is_zero()) {
            bail!("--registrar is zero, which is nobody's address");
        }
        if (1..MIN_BOND).contains(&registry.bond) {
            bail!("--bond is less than {} SOL, the least there is besides 0", sol(MIN_BOND));
        }
        if registry.bond == 0 && registry.registrar.is_zero() {
            bail!("with --bond 0 and no registrar nobody could register: give --registrar ADDRESS or another --bond");
        }
        Ok(registry)
    }

    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.registrar.is_none() && self.bond.is_none() && self.queue_deadline.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        terms: Terms,
    }

    fn new(arguments: &str) -> Result<Registry> {
        Command::try_parse_from(std::iter::once("x").chain(arguments.split_whitespace()))?.terms.new_registry()
    }

    const KEY: &str = "J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7D";

    #[test]
    fn a_registrar_or_a_bond_or_both_make_terms() {
        let registrar: Address = KEY.parse().unwrap();
        assert_eq!(new(&format!("--registrar {KEY}")).unwrap(), Registry::closed(registrar));
        assert_eq!(new("--bond 0.1").unwrap(), Registry::OPEN);
        assert_eq!(new(&format!("--registrar {KEY} --bond 0.1")).unwrap(), Registry { registrar, ..Registry::OPEN });
        assert_eq!(
            new("--bond 0.001 --queue-deadline 1500").unwrap(),
            Registry { registrar: Address::default(), bond: MIN_BOND, queue_deadline: MIN_QUEUE_DEADLINE }
        );
    }

    #[test]
    fn terms_that_the_program_would_refuse_are_refused_by_name() {
        for (arguments, said) in [
            ("", "--registrar"),
            ("--queue-deadline 2000", "--bond 0.1"),
            ("--bond 0", "nobody could register"),
            ("--bond 0.0009", "--bond is less than 0.001"),
            ("--bond x", "--bond"),
            ("--registrar nobody", "--registrar"),
            ("--registrar 11111111111111111111111111111111", "--registrar is zero"),
            ("--bond 1 --queue-deadline 1499", "--queue-deadline"),
            ("--bond 1 --queue-deadline 1512001", "--queue-deadline"),
        ] {
            let error = format!("{:#}", new(arguments).unwrap_err());
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }

    #[test]
    fn what_is_not_given_stays_as_it_is() {
        let present = Registry { registrar: KEY.parse().unwrap(), ..Registry::OPEN };
        let terms = |arguments: &str| {
            Command::try_parse_from(std::iter::once("x").chain(arguments.split_whitespace())).unwrap().terms
        };
        assert_eq!(terms("").over(&present, false).unwrap(), present);
        assert_eq!(terms("--bond 0").over(&present, false).unwrap(), Registry { bond: 0, ..present });
        assert_eq!(terms("").over(&present, true).unwrap(), Registry::OPEN);
        assert!(terms("--bond 0").over(&present, true).is_err());
    }
}
