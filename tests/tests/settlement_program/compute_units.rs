//! Verifying a proof, or a receipt's place, may not become dearer unnoticed.

use cairn_interface::Profile;
use cairn_tests::units::{self, MOST_GROWTH_PERCENT};

/// Compute units that a cluster gives a transaction, at most.
const MOST_UNITS_OF_A_TRANSACTION: u64 = 1_400_000;

#[test]
fn nothing_that_is_recorded_costs_more_than_is_recorded() {
    let record = std::fs::read_to_string(units::record()).expect("the record");
    let (recorded, measured) = (units::read(&record), units::measure());
    let mut recorded = recorded.into_iter();
    for cost in measured {
        let before = recorded.next().expect("as many phases are recorded: make the record anew");
        assert_eq!(cost.name, before.name, "the phases are others: make the record anew");
        let most = before.units + before.units * MOST_GROWTH_PERCENT / 100;
        assert!(
            cost.units <= most,
            "{} takes {} units, and {} are recorded: make it cheaper, or `cargo run --release -p cairn-tests --bin \
             compute-units -- --record`",
            cost.name,
            cost.units,
            before.units
        );
    }
    assert_eq!(recorded.next(), None, "as many phases as are recorded");
}

/// What the settlement driver relies on, and what the program promises.
#[test]
fn a_proof_of_production_is_verified_with_at_most_a_million_and_a_half_units_in_two_transactions() {
    let costs = units::verification(Profile::Production);
    let of = |name: &str| {
        costs.iter().find(|cost| cost.name.ends_with(name)).map(|cost| cost.units).expect("a phase of this name")
    };
    let (first, second) = (of("transcript") + of("constraints"), of("queries"));
    assert!(first + second <= 1_500_000, "{first} and {second}");
    assert!(first.max(second) <= MOST_UNITS_OF_A_TRANSACTION);
}
