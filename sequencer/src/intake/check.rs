//! Intake as a function: exactly what can be proved, and submitted, is let in.

use cairn_proto::v1::SubmitBundleRequest;
use cairn_proto::{FieldError, Submission};
use cairn_types::limits::MAX_CLOCK_SKEW_MS;
use cairn_types::{Bundle, BundleData, BundleError, Digest};

/// A bundle that keeps clauses 1, 2 and 8. Whether its node may submit it is for the log to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedBundle {
    /// What the node signs.
    pub statement: Bundle,
    /// Digest of the statement.
    pub digest: Digest,
    /// Node, sequence, signature and receipts.
    pub data: BundleData,
}

/// Why a bundle can never be accepted as it is. Every message begins with the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBundle {
    /// A field breaks a limit.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The bundle is for another rollup.
    #[error("rollup_id: {offered} is not this sequencer's rollup {served}; submit to the sequencer of that rollup")]
    Rollup {
        /// The rollup that the node means.
        offered: Digest,
        /// The rollup that is served.
        served: Digest,
    },
    /// A clause does not hold.
    #[error("{}: {source}", field_of(source))]
    Clause {
        /// The native twin's answer.
        #[from]
        source: BundleError,
    },
    /// The chain would refuse a batch with this bundle.
    #[error(
        "receipts: the last was fetched at {time_max} ms, after the sequencer's clock {now_ms} ms; set the node's clock"
    )]
    Future {
        /// Latest fetch time.
        time_max: u64,
        /// The sequencer's time.
        now_ms: u64,
    },
}

/// Checks a request at time `now_ms`: limits, then the native twin of clauses 1, 2 and 8, then that the chain will not
/// refuse its times.
///
/// # Errors
/// The first rule that the request breaks.
pub fn check(request: SubmitBundleRequest, rollup_id: &Digest, now_ms: u64) -> Result<CheckedBundle, InvalidBundle> {
    let Submission { rollup_id: offered, bundle: data } = Submission::try_from(request)?;
    if offered != *rollup_id {
        return Err(InvalidBundle::Rollup { offered, served: *rollup_id });
    }
    let statement = data.statement(rollup_id)?;
    if statement.time_max > now_ms.saturating_add(MAX_CLOCK_SKEW_MS) {
        return Err(InvalidBundle::Future { time_max: statement.time_max, now_ms });
    }
    Ok(CheckedBundle { digest: statement.digest(), statement, data })
}

fn field_of(error: &BundleError) -> String {
    match error {
        BundleError::Count(_) | BundleError::Bytes(_) => "receipts".to_owned(),
        BundleError::NodeIndex(_) => "node_index".to_owned(),
        BundleError::Sequence(_) => "sequence".to_owned(),
        BundleError::Leaf { index, .. } | BundleError::Order { index, .. } => format!("receipts[{index}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{NODE, NOW_MS, receipt, request, rollup};

    fn refusal(change: impl FnOnce(&mut SubmitBundleRequest)) -> InvalidBundle {
        let mut request = request(NODE, 0, 3);
        change(&mut request);
        check(request, &rollup(), NOW_MS).unwrap_err()
    }

    #[test]
    fn what_is_let_in_has_the_digest_of_its_statement() {
        let checked = check(request(NODE, 4, 3), &rollup(), NOW_MS).unwrap();
        assert_eq!(checked.digest, checked.data.statement(&rollup()).unwrap().digest());
        assert_eq!((checked.data.node_index, checked.data.sequence, checked.data.records.len()), (NODE, 4, 3));
    }

    #[test]
    fn bundle_for_another_rollup_is_refused_with_both_named() {
        let other = Digest::from_byte_digest([9; 32]);
        let error = check(request(NODE, 0, 1), &other, NOW_MS).unwrap_err().to_string();
        assert!(error.starts_with("rollup_id: "), "{error}");
        assert!(error.contains(&other.to_hex()) && error.contains(&rollup().to_hex()), "{error}");
    }

    #[test]
    fn receipts_out_of_order_are_refused_by_position() {
        let error = refusal(|request| request.receipts.swap(1, 2)).to_string();
        assert!(error.starts_with("receipts[2]: "), "{error}");
    }

    #[test]
    fn receipts_from_the_future_are_refused() {
        let future = receipt(NODE, NOW_MS + MAX_CLOCK_SKEW_MS + 1).encode().unwrap();
        let error = refusal(|request| request.receipts[2] = future).to_string();
        assert!(error.starts_with("receipts: "), "{error}");
        let edge = receipt(NODE, NOW_MS + MAX_CLOCK_SKEW_MS).encode().unwrap();
        let mut fits = request(NODE, 0, 3);
        fits.receipts[2] = edge;
        check(fits, &rollup(), NOW_MS).unwrap();
    }

    #[test]
    fn each_field_over_its_limit_is_named() {
        let cases = [
            ("rollup_id", refusal(|request| request.rollup_id.clear())),
            ("node_index", refusal(|request| request.node_index = u32::MAX)),
            ("sequence", refusal(|request| request.sequence = u64::MAX)),
            ("signature", refusal(|request| request.signature.truncate(79))),
            ("receipts", refusal(|request| request.receipts = vec![request.receipts[0].clone(); 257])),
            ("receipts", refusal(|request| request.receipts.clear())),
            ("receipts[0]", refusal(|request| request.receipts[0] = vec![1; (32 << 10) + 1])),
            ("receipts[1]", refusal(|request| request.receipts[1].truncate(40))),
        ];
        for (field, error) in cases {
            assert!(error.to_string().starts_with(&format!("{field}: ")), "{field}: {error}");
        }
    }
}
