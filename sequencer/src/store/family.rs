//! The column families: all that the sequencer keeps.

/// A column family. Integers in keys are big-endian, so that iteration is in their order; values are borsh unless said
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// name -> schema version, rollup id, circuit digest: what this store belongs to.
    Meta,
    /// log index (u64) -> the bundle: node, sequence, digest, time of arrival, encoded receipts.
    Bundles,
    /// node index (u32) ‖ sequence (u64) -> log index and digest of the bundle that has it.
    Sequences,
    /// node index (u32) ‖ sequence (u64) -> the first other bundle that claimed a taken sequence: evidence.
    Conflicts,
    /// batch number (u64) -> the sealed batch: header words, range of log indices, time of sealing.
    Batches,
    /// batch number (u64) -> proof of the batch's header.
    Proofs,
    /// stage (u8) -> number of the next batch that the stage has to work on (u64, big-endian).
    Stages,
    /// batch number (u64) -> the signed transaction that submits the header, written before it is sent.
    Intents,
    /// batch number (u64) -> what the chain said about the submitted header.
    Submissions,
}

impl Family {
    /// Every family; a store has exactly these.
    pub const ALL: [Self; 9] = [
        Self::Meta,
        Self::Bundles,
        Self::Sequences,
        Self::Conflicts,
        Self::Batches,
        Self::Proofs,
        Self::Stages,
        Self::Intents,
        Self::Submissions,
    ];

    /// The name in the database, which never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Bundles => "bundles",
            Self::Sequences => "sequences",
            Self::Conflicts => "conflicts",
            Self::Batches => "batches",
            Self::Proofs => "proofs",
            Self::Stages => "stages",
            Self::Intents => "intents",
            Self::Submissions => "submissions",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_has_its_own_name() {
        let names = Family::ALL.map(Family::name);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
