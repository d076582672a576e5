//! What the program refuses, and why.

/// Defines the enum, its codes, and the way back from a code, from one table.
macro_rules! errors {
    ($($code:literal $name:ident $sentence:literal)*) => {
        /// A refusal by the program, as the custom error of a failed instruction. One per check.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        #[repr(u32)]
        pub enum SettlementError {
            $(
                #[doc = $sentence]
                #[error($sentence)]
                $name = $code,
            )*
        }

        impl SettlementError {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code in a transaction's error.
            #[must_use]
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The name, as in the program's source.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The error with this code, if it is one of the program's own.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

errors! {
    6000 InvalidKey "the sequencer's address and the acknowledgement key must not be zero"
    6001 UnknownProfile "the profile must be 1 (dev) or 2 (production)"
    6002 InvalidMaxPending "max_pending must be between 1 and 1,024"
    6003 NotAdmin "the signer is not the rollup's admin"
    6004 NotSequencer "the signer is not the rollup's sequencer"
    6005 Paused "the rollup is paused: it takes no batches and no registrations until the pause ends"
    6006 WrongQueue "the queue account is not this rollup's queue"
    6007 NonCanonicalHeader "a header word is not canonical or out of its bounds"
    6008 WrongRollupId "the header is for another rollup"
    6009 WrongNumber "the header's number is not that of the next batch"
    6010 WrongPrevious "the header's previous digest is not that of the tip"
    6011 WrongOldRoot "the header's old state root is not that of the tip"
    6012 WrongQueueStart "the header does not start at the tip's queue position and digest"
    6013 UnknownQueueEnd "the header's queue end is past the queue, or no longer in its ring"
    6014 WrongQueueEnd "the header's queue digest is not the queue's at that position"
    6015 FutureTime "the header's time_max is more than ten minutes past the cluster's clock"
    6016 TooManyPending "as many batches as the rollup allows wait to be settled"
    6017 WrongBatchAddress "the batch account is not at the address of this batch number"
    6018 ForeignBatchAccount "the account at the batch's address is not a batch of this rollup"
    6019 BatchExists "the batch account holds a batch of the current generation"
    6020 SameKeys "the sequencer's key and the acknowledgement key must not be the same"
    6021 InvalidBond "the bond must be at least 1,000,000 lamports, or zero where there is a registrar"
    6022 InvalidQueueDeadline "queue_deadline must be between 1,500 and 1,512,000 slots"
    6023 UnextendedQueue "the queue account does not have its full size yet: call extend_queue"
    6024 QueueFull "too many entries of the queue wait to be consumed: try again after the next batch"
    6025 QueueOverdue "the batch leaves an entry of the queue unconsumed that is older than queue_deadline slots, and so did the 64 batches before it"
    6026 NonCanonicalKey "a word of the receipt key is not below the field's modulus"
    6027 ZeroReceiptKey "the receipt key is zero, which stands for a deactivated node"
    6028 NotRegistrar "the account given as the registrar is not the rollup's registrar, or has not signed"
    6029 RegistrarRequired "this rollup takes no bonds: a registration needs the registrar's signature"
    6030 WrongNodeAddress "the node account is not at the address of this rollup and authority"
    6031 NodeExists "the authority has, or had, a node in this rollup"
    6032 RegistryFull "all 16,777,216 node indices are given away"
    6033 WrongNode "the node account belongs to another rollup"
    6034 NotAuthority "the signer is not the node's authority"
    6035 NodeInactive "the node is deactivated"
    6036 RotationPending "the node's last rotation is not consumed yet: only deactivation is possible until it is"
    6037 NoBond "the node has no bond, or no longer"
    6038 BondLocked "the bond stays until the node's deactivation is consumed"
    6039 WrongRecipient "the bond goes back to whoever paid it, and to nobody else"
    6040 AlreadyPaused "the rollup is paused already"
    6041 NotPaused "the rollup is not paused"
    6042 BadBlobLocation "the location of blobs must be at most 200 bytes of printable ASCII without spaces, and followed by zeros only"
    6043 WrongProfile "this program verifies proofs of the other profile, whose rollups another program has"
    6044 ForeignProofAccount "the proof account does not belong to this program"
    6045 WrongProofLength "the proof account has not the length of a proof account of this program's profile"
    6046 ProofAccountInUse "the proof account is not empty: open_proof takes a new one, all zero"
    6047 NotAProof "the account is not a proof account: it was not opened, or was closed"
    6048 NonCanonicalStatement "a word of the statement is not below the field's modulus"
    6049 NotProofAuthority "the signer is not the proof account's authority"
    6050 ProofFrozen "a step has been done: the proof takes no writes until it is reset"
    6051 OutOfProof "the bytes at that offset reach past the proof's end"
    6052 UnknownStep "the step must be 0 (transcript), 1 (constraints) or 2 (queries)"
    6053 OutdatedProof "the proof account was opened for another circuit than this program verifies: reset it"
    6054 WrongProofRecipient "the rent of a proof account goes back to its recorded payer, and to nobody else"
    6055 WrongHistory "the history account is not this rollup's"
    6056 WrongBatch "the batch account belongs to another rollup"
    6057 AbandonedBatch "the batch is of an older generation: it was abandoned"
    6058 NotNextBatch "the batch is not the one that follows the last settled one"
    6059 UnlinkedBatch "the batch's previous digest is not that of the last settled one"
    6060 UnlinkedRoot "the batch's old state root is not the settled one"
    6061 WrongStatement "the proof account is for another statement than the batch's digest"
    6062 WrongCircuit "the proof account is for another circuit than the rollup's"
    6063 UnverifiedProof "the proof is not verified: steps are missing"
    6064 NothingToAbandon "no batch is pending"
    6065 TooEarlyToAbandon "only the sequencer abandons before the next batch to settle has waited for 216,000 slots"
    6066 NotBatchPayer "the rent of a batch goes back to its recorded payer, who has to be given and to sign"
    6067 BatchPending "the batch waits to be settled: it cannot be closed"
    6068 BatchRetained "a settled batch stays for 216,000 slots"
    6069 BatchPresent "the batch's account is there: nothing is to be restored"
    6070 UnknownHistoryRoot "the history does not keep the root of that size, or not any more"
    6071 NotInHistory "the path does not lead from this batch to the history's root"
    6072 HistoryFull "the history has no room for another batch"
    6073 NonCanonicalProof "a word of the proof is not below the field's modulus"
    6074 NonzeroPadding "a word of the proof that has to be zero is not"
    6075 StepOutOfOrder "the step builds on one that has not been done: transcript, constraints, queries"
    6076 UnknownQuery "the profile has fewer queries than the step names"
    6077 WrongProofOfWork "the proof's grinding nonce is wrong, or not written yet, or what is before it is not the proof's"
    6078 ZeroDenominator "a denominator is zero"
    6079 UnsatisfiedConstraints "the proof's openings do not satisfy the circuit's constraints for this statement"
    6080 WrongRowPath "a row of the proof is not in the tree that the proof committed to"
    6081 WrongValuePath "folded values of the proof are not in the tree that the proof committed to"
    6082 WrongFold "folded values of the proof do not continue those before them"
    6083 WrongFinalPolynomial "the proof's final polynomial does not continue the folded values"
    6084 NonCanonicalInclusion "a word of leaf or path is not below the field's modulus"
    6085 WrongBatchNumber "the batch account is that of another number"
    6086 UnsettledBatch "the batch is not settled: nothing is in it yet"
    6087 OutsideBundle "the leaf's index is not below the bundle's count, the count is not 1 to 256, or the node_index is not below 16,777,216"
    6088 OutsideBatch "the bundle's index is not below the batch's number of bundles"
    6089 NotIncluded "the path does not lead from this leaf of this node to the batch's root"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ABANDON_AFTER_SLOTS, BATCH_RETENTION_SLOTS, MAX_BLOB_LOCATION_BYTES, MAX_PENDING_CEILING, MAX_QUEUE_DEADLINE,
        MIN_BOND, MIN_QUEUE_DEADLINE, OVERDUE_GRACE,
    };
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use cairn_types::limits::MAX_NODES;

    #[test]
    fn codes_are_consecutive_and_lead_back() {
        for (code, error) in (6000..).zip(SettlementError::ALL) {
            assert_eq!(error.code(), code);
            assert_eq!(SettlementError::from_code(code), Some(*error));
        }
        assert_eq!(SettlementError::from_code(5999), None);
        assert_eq!(SettlementError::from_code(6000 + SettlementError::ALL.len() as u32), None);
    }

    #[test]
    fn the_limits_in_the_sentences_are_the_limits() {
        for (error, limits) in [
            (SettlementError::InvalidMaxPending, &[1, u64::from(MAX_PENDING_CEILING)][..]),
            (SettlementError::InvalidBond, &[MIN_BOND]),
            (SettlementError::InvalidQueueDeadline, &[MIN_QUEUE_DEADLINE, MAX_QUEUE_DEADLINE]),
            (SettlementError::QueueOverdue, &[u64::from(OVERDUE_GRACE)]),
            (SettlementError::RegistryFull, &[u64::from(MAX_NODES)]),
            (SettlementError::BadBlobLocation, &[MAX_BLOB_LOCATION_BYTES as u64]),
            (SettlementError::TooEarlyToAbandon, &[ABANDON_AFTER_SLOTS]),
            (SettlementError::BatchRetained, &[BATCH_RETENTION_SLOTS]),
        ] {
            let sentence = error.to_string().replace(',', "");
            let numbers = sentence.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).collect::<Vec<_>>();
            assert_eq!(numbers, limits, "{sentence}");
        }
    }
}
