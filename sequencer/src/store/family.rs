//! The column families: all that the sequencer keeps.

/// A column family. Integers in keys are big-endian, so that iteration is in their order; values are borsh unless said
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// name -> schema version, rollup id, circuit digest: what this store belongs to.
    Meta,
    /// log index (u64) -> the bundle: node, sequence, signature, digest, time of arrival, encoded receipts.
    Bundles,
    /// node index (u32) ‖ sequence (u64) -> the bundle that has it: log index, digest, the key that it was signed with,
    /// and what was promised for it, with the signature under that.
    Sequences,
    /// node index (u32) ‖ sequence (u64) -> the first other bundle that claimed a taken sequence: evidence.
    Conflicts,
    /// queue position (u64, from 1) -> the entry, the queue's digest with it, its slot, and when it was seen final.
    Queue,
    /// node index (u32) -> its account as the log leaves it: with every acknowledged bundle, and the key of the last
    /// entry that a sealed batch consumes.
    Heads,
    /// receipt key (40 bytes) ‖ node index (u32) -> nothing: the node's head has this key, which is not zero.
    Keys,
    /// node index (u32) -> its account after the last sealed batch: a leaf of the account tree.
    Accounts,
    /// level (u8, 1 to 23) ‖ position (u32) -> digest of the account tree's node there, after the last sealed batch.
    Nodes,
    /// batch number (u64) -> the part of the account tree that the batch touches, as it was before: the prover's witness.
    /// Gone once the batch is submitted.
    Witnesses,
    /// batch number (u64) -> the accounts that the batch touches, as they were before it. Writing them back, last batch
    /// first, and hashing their paths again takes the tree back to before a batch that is abandoned.
    Undo,
    /// batch number (u64) -> the sealed batch: header words, range of log indices, time of sealing.
    Batches,
    /// log index of the last bundle of a batch (u64) -> the batch's number (u64, big-endian).
    Covers,
    /// batch number (u64) -> proof of the batch's header.
    Proofs,
    /// stage (u8) -> number of the next batch that the stage has to work on (u64, big-endian); 255 -> the finalized slot
    /// as of which the submitted ones were written down, 254 -> the same for the settled ones.
    Stages,
    /// kind (u8) ‖ number (u64) -> the signed transaction for this purpose, written before it is sent: kind 0 submits the
    /// header of the batch with the number.
    Outbox,
    /// batch number (u64) -> what the chain said about the submitted header.
    Submissions,
    /// batch number (u64) ‖ moment (u8) -> when it was (u64, big-endian), in milliseconds since the Unix epoch: 0 published,
    /// 1 proved, 2 signed for the chain, 3 confirmed, 4 finalized, 5 settled.
    Times,
    /// nothing -> the key pair of the account on chain that proofs are uploaded to, written before anything is sent there.
    ProofAccount,
    /// batch number (u64) -> what it took to have the chain verify its proof.
    Settlements,
}

impl Family {
    /// Every family; a store has exactly these.
    pub const ALL: [Self; 20] = [
        Self::Meta,
        Self::Bundles,
        Self::Sequences,
        Self::Conflicts,
        Self::Queue,
        Self::Heads,
        Self::Keys,
        Self::Accounts,
        Self::Nodes,
        Self::Witnesses,
        Self::Undo,
        Self::Batches,
        Self::Covers,
        Self::Proofs,
        Self::Stages,
        Self::Outbox,
        Self::Submissions,
        Self::Times,
        Self::ProofAccount,
        Self::Settlements,
    ];

    /// The name in the database, which never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Bundles => "bundles",
            Self::Sequences => "sequences",
            Self::Conflicts => "conflicts",
            Self::Queue => "queue",
            Self::Heads => "heads",
            Self::Keys => "keys",
            Self::Accounts => "accounts",
            Self::Nodes => "nodes",
            Self::Witnesses => "witnesses",
            Self::Undo => "undo",
            Self::Batches => "batches",
            Self::Covers => "covers",
            Self::Proofs => "proofs",
            Self::Stages => "stages",
            Self::Outbox => "outbox",
            Self::Submissions => "submissions",
            Self::Times => "times",
            Self::ProofAccount => "proof_account",
            Self::Settlements => "settlements",
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
