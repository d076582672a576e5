//! Which steps of a verification go into the next transaction, decided on values alone.

use cairn_chain::{MAX_COMPUTE_UNITS, StepUnits, Verified};
use cairn_interface::ProofStep;

/// Steps for one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// The steps, in order.
    pub steps: Vec<ProofStep>,
    /// Whether the first of them is the proof's first, with which the last word is written.
    pub begins: bool,
    /// Whether nothing is left to verify after them, and settling fits behind them.
    pub settles: bool,
    /// Compute units for all of it.
    pub units: u32,
}

/// The next steps of a verification that has come as far as `verified`, of a proof with `queries`: as many as fit. Strangers
/// may have done any of them before.
#[must_use]
pub fn next(verified: Verified, queries: u32, costs: &StepUnits) -> Steps {
    let mut steps = Vec::with_capacity(3);
    let mut units = costs.transaction;
    let mut left = queries & !verified.queries;
    let mut fits = |cost: u32| {
        // What fits nowhere goes alone: then the chain says what it lacks.
        let fits = units == costs.transaction || units.saturating_add(cost) <= MAX_COMPUTE_UNITS;
        if fits {
            units = units.saturating_add(cost);
        }
        fits
    };
    let before = [
        (!verified.transcript).then_some((ProofStep::Transcript, costs.transcript)),
        (!verified.constraints).then_some((ProofStep::Constraints, costs.constraints)),
    ];
    let mut all = true;
    for (step, cost) in before.into_iter().flatten() {
        all = all && fits(cost);
        if all {
            steps.push(step);
        }
    }
    let mut taken = 0;
    while all && left != 0 && fits(costs.query) {
        let lowest = left & left.wrapping_neg();
        (taken, left) = (taken | lowest, left & !lowest);
    }
    if taken != 0 {
        steps.push(ProofStep::Queries(taken));
    }
    let settles = all && left == 0 && fits(costs.settle);
    Steps { steps, begins: !verified.transcript, settles, units: units.min(MAX_COMPUTE_UNITS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: StepUnits =
        StepUnits { transaction: 10_000, transcript: 50_000, constraints: 700_000, query: 50_000, settle: 40_000 };
    const QUERIES: u32 = (1 << 16) - 1;

    /// Does what is planned until nothing is left; the steps of each transaction.
    fn transactions(mut verified: Verified, costs: &StepUnits) -> Vec<Steps> {
        let mut transactions = Vec::new();
        loop {
            let planned = next(verified, QUERIES, costs);
            assert_eq!(planned.begins, !verified.transcript);
            for step in &planned.steps {
                match step {
                    ProofStep::Transcript => verified.transcript = true,
                    ProofStep::Constraints => {
                        assert!(verified.transcript, "in order");
                        verified.constraints = true;
                    }
                    ProofStep::Queries(mask) => {
                        assert!(verified.constraints && mask & verified.queries == 0, "in order, and none twice");
                        verified.queries |= mask;
                    }
                }
            }
            let ends = planned.settles;
            transactions.push(planned);
            if ends {
                assert!(verified.transcript && verified.constraints && verified.queries == QUERIES);
                return transactions;
            }
            assert!(transactions.len() < 20, "{transactions:?}");
        }
    }

    #[test]
    fn as_many_steps_as_fit_go_into_each_transaction() {
        use ProofStep as S;
        let planned = transactions(Verified::default(), &COSTS);
        let steps: Vec<_> = planned.iter().map(|planned| planned.steps.clone()).collect();
        let first = vec![S::Transcript, S::Constraints, S::Queries(0xfff)];
        assert_eq!(steps, [first, vec![S::Queries(0xf000)]]);
        assert_eq!(planned[0].units, 10_000 + 50_000 + 700_000 + 12 * 50_000);
        assert_eq!(planned[1].units, 10_000 + 4 * 50_000 + 40_000);
    }

    #[test]
    fn no_transaction_asks_for_more_than_there_is_whatever_was_done_before() {
        let dear = StepUnits { transcript: 900_000, constraints: 1_300_000, query: 400_000, ..COSTS };
        let too_dear = StepUnits { constraints: 2_000_000, ..COSTS };
        for costs in [COSTS, dear, too_dear] {
            for queries in [0, 1, 0b1010_0101, QUERIES] {
                for (transcript, constraints) in [(false, false), (true, false), (true, true)] {
                    let queries = if constraints { queries } else { 0 };
                    let verified = Verified { transcript, constraints, queries, complete: false };
                    for planned in transactions(verified, &costs) {
                        assert!(planned.units <= MAX_COMPUTE_UNITS, "{planned:?}");
                        assert!(!planned.steps.is_empty() || planned.settles, "{planned:?}");
                    }
                }
            }
        }
    }
}
