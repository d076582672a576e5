//! Which clause of the statement a blob breaks: `docs/protocol.md` numbers them.

use cairn_types::state::StateError;
use cairn_types::{AccountError, BlobError, BundleError, SealError};

/// The clause that `error` is about; `None` for what lies outside of the statement, as bytes that are no blob.
pub(super) fn of(error: &BlobError) -> Option<u8> {
    match error {
        BlobError::Seal(error) => of_seal(error),
        BlobError::Mismatch { part } => of_part(part),
        BlobError::Length { .. } | BlobError::Digest { .. } | BlobError::Encoding(_) => None,
    }
}

fn of_seal(error: &SealError) -> Option<u8> {
    match error {
        SealError::Bundle { source, .. } => of_bundle(source),
        SealError::Unauthorised { source, .. } => Some(of_state(source)),
        SealError::Entry { .. } => Some(5),
        _ => None,
    }
}

fn of_bundle(error: &BundleError) -> Option<u8> {
    match error {
        BundleError::Leaf { .. } | BundleError::Order { .. } => Some(1),
        BundleError::Count(_) => Some(2),
        BundleError::NodeIndex(_) | BundleError::Sequence(_) => Some(4),
        BundleError::Bytes(_) => None,
    }
}

/// Signatures are clause 3: that there is an account to sign for, and that its key signed. Counting is clause 4.
fn of_state(error: &StateError) -> u8 {
    match error {
        StateError::Account { source: AccountError::Sequence { .. } | AccountError::Bytes, .. } => 4,
        _ => 3,
    }
}

fn of_part(part: &str) -> Option<u8> {
    match part {
        "batch_root" => Some(2),
        "queue_from" | "queue_to" => Some(5),
        "old state root" | "new state root" => Some(6),
        "bundles" | "receipts" | "bytes" | "time_min" | "time_max" | "verdict counts" | "tier counts" => Some(7),
        "rollup_id" => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_types::{BatchHeader, Digest, HEADER_WORDS};

    #[test]
    fn every_part_of_a_header_that_a_clause_is_about_has_one() {
        // Each word raised in turn: what differs by name, and which clause that is.
        let mut words = [0; HEADER_WORDS];
        (words[31], words[32]) = (2, 5);
        let header = BatchHeader::from_words(&words).unwrap();
        let changed = |at: usize| {
            let mut words = words;
            words[at] += 1;
            let changed = BatchHeader::from_words(&words).unwrap_or_else(|error| panic!("word {at}: {error}"));
            of_part(header.first_difference(&changed).unwrap())
        };
        let clauses = [(0, Some(8)), (4, None), (5, None), (9, Some(2)), (13, Some(6)), (17, Some(6)), (22, Some(5))];
        let sums = [(32, Some(7)), (33, Some(7)), (35, Some(7)), (36, Some(7)), (41, Some(7)), (43, None), (47, None)];
        for (at, clause) in clauses.into_iter().chain(sums) {
            let found = if at == 22 { both_queues(&header) } else { changed(at) };
            assert_eq!(found, clause, "word {at}");
        }
    }

    fn both_queues(header: &BatchHeader) -> Option<u8> {
        let mut changed = *header;
        changed.queue_to.position += 1;
        changed.queue_to.digest = Digest::constant([1, 2, 3, 4]);
        of_part(header.first_difference(&changed).unwrap())
    }
}
