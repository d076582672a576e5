//! A transaction on its way over a chain that forgets, stalls, refuses and drops blocks, as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cairn_chain::{
    Accounts, Address, Blockhash, Chain, ChainError, Commitment, DEV_PROGRAM_ID, DeliveryEvent, ErrorClass, FeePolicy,
    Keypair, RollupClient, RollupError, Signature, SignedTransaction, Submitted, Tip, TransactionFailure,
    TransactionStatus,
};
use cairn_interface::SUBMIT_BATCH_COMPUTE_UNITS;
use cairn_types::{Digest, EntryKind, QueueEntry};
use support::{Sealer, receipt_key, signing_key};

#[allow(dead_code)]
mod support;

/// The last height of every transaction here.
const LAST_VALID: u64 = 100;
/// Shorter than any pause of a delivery.
const IMPATIENT: Duration = Duration::from_millis(1);

/// What the chain answers when it is asked for a status.
#[derive(Clone, Copy)]
enum Says {
    Unknown,
    Has(Commitment, u64),
    Failed(u64),
    Nothing,
}

use Commitment::{Confirmed, Finalized, Processed};
use Says::{Failed, Has, Nothing, Unknown};

/// A chain that follows a script.
struct Scripted {
    /// One for each question; the last one stays.
    statuses: Mutex<VecDeque<Says>>,
    /// One for each question; the last one stays.
    heights: Mutex<VecDeque<u64>>,
    /// One for each transaction sent; then all are taken.
    refusals: Mutex<VecDeque<ChainError>>,
    fees: Result<Vec<u64>, ()>,
}

fn unreachable() -> ChainError {
    ChainError::transient("no answer", std::io::Error::other("on purpose"))
}

fn refused() -> ChainError {
    ChainError::Refused(TransactionFailure {
        name: "WrongNumber".to_owned(),
        code: Some(6009),
        instruction: Some(1),
        message: "on purpose".to_owned(),
        class: ErrorClass::Rejection,
    })
}

fn next<T: Copy>(queue: &Mutex<VecDeque<T>>) -> T {
    let mut queue = queue.lock().unwrap();
    if queue.len() > 1 { queue.pop_front().unwrap() } else { queue[0] }
}

#[async_trait]
impl Chain for Scripted {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        Ok([1; 32])
    }

    async fn tip(&self, _: Commitment) -> Result<Tip, ChainError> {
        let block_height = next(&self.heights);
        Ok(Tip { slot: block_height, block_height })
    }

    async fn accounts(&self, addresses: &[Address], _: Commitment) -> Result<Accounts, ChainError> {
        Ok(Accounts { slot: 1, accounts: vec![None; addresses.len()] })
    }

    async fn latest_blockhash(&self, _: Commitment) -> Result<Blockhash, ChainError> {
        Ok(Blockhash { hash: [2; 32], last_valid_block_height: LAST_VALID })
    }

    async fn minimum_balance(&self, _: usize) -> Result<u64, ChainError> {
        Ok(1)
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        self.refusals.lock().unwrap().pop_front().map_or(Ok(transaction.signature), Err)
    }

    async fn status(&self, _: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let status = |slot, commitment, outcome| {
            Some(TransactionStatus { slot, commitment, outcome, compute_units: None, fee: Some(5_000), logs: vec![] })
        };
        match next(&self.statuses) {
            Unknown => Ok(None),
            Has(commitment, slot) => Ok(status(slot, commitment, Ok(()))),
            Failed(slot) => {
                let ChainError::Refused(failure) = refused() else { unreachable!() };
                Ok(status(slot, Finalized, Err(failure)))
            }
            Nothing => Err(unreachable()),
        }
    }

    async fn recent_fees(&self, writable: &[Address]) -> Result<Vec<u64>, ChainError> {
        assert!(!writable.is_empty());
        self.fees.clone().map_err(|()| ChainError::Invalid("no such method".to_owned()))
    }
}

/// What became of a transaction, and what was heard of it.
async fn deliver(
    statuses: &[Says],
    heights: &[u64],
    refusals: Vec<ChainError>,
    patience: Duration,
) -> (Result<Submitted, RollupError>, Vec<String>) {
    let chain = Scripted {
        statuses: Mutex::new(statuses.to_vec().into()),
        heights: Mutex::new(heights.to_vec().into()),
        refusals: Mutex::new(refusals.into()),
        fees: Ok(vec![]),
    };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let client = client(chain).with_patience(patience).with_observer(Arc::new(move |_, event| {
        ear.lock().unwrap().push(match event {
            DeliveryEvent::Sent { sends } => format!("sent {sends}"),
            DeliveryEvent::Seen { commitment, slot, .. } => format!("{commitment:?} in {slot}"),
            DeliveryEvent::Dropped { slot } => format!("dropped {slot}"),
            DeliveryEvent::Trouble { error } => error.to_string(),
        });
    }));
    let delivered = client.deliver(&prepared(&client).await).await;
    let heard = heard.lock().unwrap().clone();
    (delivered, heard)
}

fn client(chain: Scripted) -> RollupClient {
    RollupClient::new(Arc::new(chain), DEV_PROGRAM_ID, Address([9; 32]))
}

async fn prepared(client: &RollupClient) -> SignedTransaction {
    let entry = QueueEntry::new(EntryKind::Register, 0, receipt_key(&signing_key())).unwrap();
    let batch = Sealer::new(Digest::from_byte_digest([3; 32])).seal(vec![], vec![entry]);
    client.prepare_batch(&Keypair::from_seed([4; 32]), &batch.header).await.unwrap()
}

const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_confirmed_transaction_is_not_final_and_one_that_is_dropped_is_sent_again() {
    let statuses = [
        Unknown,
        Has(Processed, 5),
        Has(Confirmed, 5),
        Unknown,
        Has(Confirmed, 9),
        Has(Confirmed, 9),
        Has(Finalized, 9),
    ];
    let (delivered, heard) = deliver(&statuses, &[10], vec![], PATIENT).await;
    let delivered = delivered.unwrap();
    assert_eq!((delivered.sends, delivered.slot, delivered.fee), (2, 9, Some(5_000)));
    assert!(delivered.confirmed_after.unwrap() <= delivered.finalized_after);
    assert_eq!(heard, ["sent 1", "Processed in 5", "Confirmed in 5", "dropped 5", "sent 2", "Confirmed in 9"]);
}

#[tokio::test]
async fn a_chain_that_does_not_answer_is_waited_out() {
    let statuses = [Nothing, Unknown, Nothing, Has(Finalized, 7)];
    let (delivered, heard) = deliver(&statuses, &[10], vec![unreachable()], PATIENT).await;
    let delivered = delivered.unwrap();
    assert_eq!((delivered.slot, delivered.confirmed_after), (7, None));
    assert_eq!(heard, ["no answer", "no answer", "sent 1", "no answer"]);
}

#[tokio::test]
async fn an_unknown_transaction_expires_with_its_height_and_one_that_shows_up_does_not() {
    let (delivered, heard) = deliver(&[Unknown], &[LAST_VALID, LAST_VALID + 1], vec![], PATIENT).await;
    assert!(matches!(delivered, Err(RollupError::Expired(_))), "{delivered:?}");
    assert_eq!(heard, ["sent 1"]);
    let (delivered, heard) = deliver(&[Unknown, Has(Finalized, 8)], &[LAST_VALID + 1], vec![], PATIENT).await;
    assert_eq!((delivered.unwrap().slot, heard.len()), (8, 0));
}

#[tokio::test]
async fn a_failure_is_final_and_a_refusal_counts_only_before_the_bytes_are_out() {
    let (delivered, _) = deliver(&[Unknown, Failed(6)], &[10], vec![], PATIENT).await;
    assert!(matches!(delivered, Err(RollupError::Failed { .. })), "{delivered:?}");
    let (delivered, heard) = deliver(&[Unknown], &[10], vec![refused()], PATIENT).await;
    assert!(delivered.unwrap_err().failure().is_some() && heard.is_empty());
    // The first answer was lost: a server that has seen them executed refuses the same bytes.
    let statuses = [Unknown, Unknown, Has(Confirmed, 3), Unknown, Has(Finalized, 4)];
    let (delivered, heard) = deliver(&statuses, &[10], vec![unreachable(), refused()], PATIENT).await;
    assert_eq!(delivered.unwrap().slot, 4);
    assert_eq!(heard[..2], ["no answer", "sent 1"]);
    assert!(heard.iter().any(|heard| heard.contains("WrongNumber")), "{heard:?}");
}

#[tokio::test]
async fn a_delivery_of_which_nothing_moves_gives_up_and_says_what_may_still_happen() {
    for (says, words) in [(Unknown, "does not know it"), (Has(Confirmed, 5), "is confirmed, not final")] {
        let (delivered, _) = deliver(&[Unknown, says], &[42], vec![], IMPATIENT).await;
        let error = delivered.unwrap_err();
        assert!(matches!(error, RollupError::Stalled { sends: 1, height: Some(42), .. }), "{error}");
        assert_eq!(error.class(), ErrorClass::Transient);
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("42, has passed 100"), "{text}");
    }
}

/// The price that a prepared transaction offers.
async fn price(fees: Result<Vec<u64>, ()>, policy: FeePolicy) -> Option<u64> {
    let chain = Scripted {
        statuses: Mutex::new([Unknown].into()),
        heights: Mutex::new([1].into()),
        refusals: Mutex::default(),
        fees,
    };
    let bytes = prepared(&client(chain).with_fees(policy)).await.bytes;
    // Three to a compute budget instruction: its program, no accounts, nine bytes of data of which the first is a 3.
    let place = bytes.windows(3).position(|window| window == [0, 9, 3])?;
    Some(u64::from_le_bytes(bytes[place + 3..place + 11].try_into().unwrap()))
}

#[tokio::test]
async fn a_transaction_offers_what_others_pay_within_the_cap() {
    let policy = FeePolicy::default();
    assert_eq!(price(Ok(vec![]), policy).await, None, "no market, no offer");
    assert_eq!(price(Err(()), policy).await, None, "a server that cannot say holds nothing up");
    assert_eq!(price(Ok(vec![1_000, 4_000, 2_000, 3_000]), policy).await, Some(3_000));
    assert_eq!(price(Ok(vec![3_000]), policy.after(2)).await, Some(12_000));
    let most = 100_000 * 1_000_000 / u64::from(SUBMIT_BATCH_COMPUTE_UNITS);
    assert_eq!(price(Ok(vec![u64::MAX]), policy).await, Some(most));
    assert_eq!(price(Ok(vec![u64::MAX]), FeePolicy { max_lamports: 0, ..policy }).await, None);
}
