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
    6002 InvalidMaxPending "max_pending must be between 1 and 1,048,576"
    6003 NotAdmin "the signer is not the rollup's admin"
    6004 NotSequencer "the signer is not the rollup's sequencer"
    6005 Paused "the rollup is paused"
    6006 WrongQueue "the queue account belongs to another rollup"
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_limit_in_the_sentence_is_the_limit() {
        let sentence = alloc::string::ToString::to_string(&SettlementError::InvalidMaxPending).replace(',', "");
        assert!(sentence.ends_with(&alloc::string::ToString::to_string(&crate::MAX_PENDING_CEILING)), "{sentence}");
    }
}
