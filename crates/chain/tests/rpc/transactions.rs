//! The methods about transactions.

use crate::server::{SOL, Served};
use cairn_chain::{
    Address, Chain, ChainError, Commitment, DEV_PROGRAM_ID, ErrorClass, Keypair, RpcChain, SignedTransaction,
    TransactionBuilder,
};
use data_encoding::BASE64;
use serde_json::{Value, json};

async fn transfer(chain: &dyn Chain, from: &Keypair, to: Address, lamports: u64) -> SignedTransaction {
    let blockhash = chain.latest_blockhash(Commitment::Finalized).await.unwrap();
    let builder = TransactionBuilder::new().transfer(&from.address(), &to, lamports);
    builder.sign(from, &[], &blockhash).unwrap()
}

fn base64(transaction: &SignedTransaction) -> Value {
    json!([BASE64.encode(&transaction.bytes), { "encoding": "base64" }])
}

#[tokio::test]
async fn a_transaction_is_sent_once_and_can_be_looked_up() {
    let served = Served::new().await;
    let payer = served.funded(2 * SOL).await;
    let to = Keypair::generate().address();
    let sent = transfer(&served.chain, &payer, to, SOL).await;
    let name = sent.signature.to_string();
    let statuses = json!([[name, bs58::encode([3; 64]).into_string()], { "searchTransactionHistory": true }]);
    assert_eq!(served.ask("getSignatureStatuses", statuses.clone()).await["value"], json!([null, null]));
    assert_eq!(served.ask("getTransaction", json!([name])).await, Value::Null);

    let base58 = json!([bs58::encode(&sent.bytes).into_string()]);
    assert_eq!(served.ask("sendTransaction", base58).await, name, "base58 is the default");
    assert_eq!(served.balance(to).await, SOL);
    let again = served.refused("sendTransaction", base64(&sent)).await;
    assert_eq!((&again["code"], &again["data"]["err"]), (&json!(-32_002), &json!("AlreadyProcessed")));
    let skip = json!([BASE64.encode(&sent.bytes), { "encoding": "base64", "skipPreflight": true }]);
    assert_eq!(served.ask("sendTransaction", skip).await, name);
    assert_eq!(served.balance(to).await, SOL, "paid once");

    let found = served.ask("getSignatureStatuses", statuses).await["value"].clone();
    assert_eq!(found[1], Value::Null);
    let status = &found[0];
    assert_eq!((&status["err"], &status["confirmations"]), (&Value::Null, &Value::Null));
    assert_eq!((&status["confirmationStatus"], &status["status"]), (&json!("finalized"), &json!({ "Ok": null })));
    let config = json!({ "encoding": "base64", "maxSupportedTransactionVersion": 0 });
    let found = served.ask("getTransaction", json!([name, config])).await;
    assert_eq!(found["transaction"], json!([BASE64.encode(&sent.bytes), "base64"]));
    assert_eq!((&found["slot"], &found["version"]), (&status["slot"], &json!(0)));
    let meta = &found["meta"];
    assert_eq!((&meta["err"], &meta["fee"]), (&Value::Null, &json!(5_000)));
    assert!(meta["computeUnitsConsumed"].as_u64().unwrap() > 0);
    assert_eq!(meta["preBalances"].as_array().unwrap()[0], 2 * SOL);
    assert_eq!(meta["postBalances"].as_array().unwrap()[0], SOL - 5_000);
    assert_eq!(meta["logMessages"].as_array().unwrap().len(), 2);
    let unversioned = served.refused("getTransaction", json!([name, { "encoding": "base64" }])).await;
    assert_eq!(unversioned["code"], -32_015);
    let parsed = json!([name, { "encoding": "jsonParsed", "maxSupportedTransactionVersion": 0 }]);
    assert_eq!(served.refused("getTransaction", parsed).await["code"], -32_602);
}

#[tokio::test]
async fn a_transaction_that_would_fail_is_refused_before_it_costs_anything() {
    let served = Served::new().await;
    let payer = served.funded(SOL).await;
    let sent = transfer(&served.chain, &payer, Keypair::generate().address(), 5 * SOL).await;
    let error = served.refused("sendTransaction", base64(&sent)).await;
    assert_eq!(error["code"], -32_002);
    assert_eq!(error["data"]["err"], json!({ "InstructionError": [0, { "Custom": 1 }] }));
    assert!(error["message"].as_str().unwrap().starts_with("Transaction simulation failed: "), "{error}");
    assert!(!error["data"]["logs"].as_array().unwrap().is_empty());
    assert_eq!(served.balance(payer.address()).await, SOL);

    let simulated = served.ask("simulateTransaction", base64(&sent)).await["value"].clone();
    assert_eq!(simulated["err"], error["data"]["err"]);
    let skip = json!([BASE64.encode(&sent.bytes), { "encoding": "base64", "skipPreflight": true }]);
    served.ask("sendTransaction", skip).await;
    assert_eq!(served.balance(payer.address()).await, SOL - 5_000, "executed, failed, paid its fee");
    let failed = served.ask("getSignatureStatuses", json!([[sent.signature.to_string()]])).await["value"][0].clone();
    assert_eq!(failed["err"], error["data"]["err"]);
    assert_eq!(failed["status"], json!({ "Err": error["data"]["err"] }));
}

#[tokio::test]
async fn forged_expired_and_foreign_transactions_are_told_apart() {
    let served = Served::new().await;
    let payer = served.funded(SOL).await;
    let good = transfer(&served.chain, &payer, payer.address(), 1).await;
    let mut forged = good.clone();
    forged.bytes[10] ^= 1;
    for skip in [false, true] {
        let config = json!({ "encoding": "base64", "skipPreflight": skip });
        let error = served.refused("sendTransaction", json!([BASE64.encode(&forged.bytes), config])).await;
        assert_eq!(error["code"], -32_003, "{error}");
    }
    let simulated = json!([BASE64.encode(&forged.bytes), { "encoding": "base64", "sigVerify": true }]);
    assert_eq!(served.ask("simulateTransaction", simulated).await["value"]["err"], "SignatureFailure");
    assert_eq!(served.ask("simulateTransaction", base64(&forged)).await["value"]["err"], Value::Null);
    served.expire();
    for skip in [false, true] {
        let config = json!({ "encoding": "base64", "skipPreflight": skip });
        let error = served.refused("sendTransaction", json!([BASE64.encode(&good.bytes), config])).await;
        assert_eq!(error["data"]["err"], "BlockhashNotFound", "{error}");
    }
    let renewed = json!([BASE64.encode(&good.bytes), { "encoding": "base64", "replaceRecentBlockhash": true }]);
    let renewed = served.ask("simulateTransaction", renewed).await["value"].clone();
    assert_eq!(renewed["err"], Value::Null);
    let latest = served.ask("getLatestBlockhash", json!([])).await["value"].clone();
    assert_eq!(renewed["replacementBlockhash"], latest);
}

#[tokio::test]
async fn what_is_no_transaction_is_refused_by_size_encoding_or_form() {
    let served = Served::new().await;
    let payer = served.funded(SOL).await;
    let good = transfer(&served.chain, &payer, payer.address(), 1).await;
    let encoded = |bytes: &[u8]| json!([BASE64.encode(bytes), { "encoding": "base64" }]);
    let mut trailing = good.bytes.clone();
    trailing.push(0);
    for params in [
        json!([]),
        json!([7]),
        json!(["!"]),
        json!([BASE64.encode(&good.bytes)]),
        json!([BASE64.encode(&good.bytes), { "encoding": "jsonParsed" }]),
        json!([BASE64.encode(&good.bytes), { "encoding": "base64" }, 1]),
        encoded(&[]),
        encoded(&[0xff; 100]),
        encoded(&good.bytes[..good.bytes.len() - 1]),
        encoded(&trailing),
        encoded(&[1; 1_233]),
        json!(["1".repeat(40_000)]),
    ] {
        let error = served.refused("sendTransaction", params.clone()).await;
        assert_eq!(error["code"], -32_602, "{params}");
    }
    served.ask("sendTransaction", base64(&good)).await;
}

#[tokio::test]
async fn the_fee_of_a_message_is_what_is_charged() {
    let served = Served::new().await;
    let payer = served.funded(SOL).await;
    let blockhash = served.chain.latest_blockhash(Commitment::Finalized).await.unwrap();
    let signed = TransactionBuilder::new()
        .compute_unit_limit(100_000)
        .compute_unit_price(1_000_000)
        .transfer(&payer.address(), &payer.address(), 1)
        .sign(&payer, &[], &blockhash)
        .unwrap();
    let message = BASE64.encode(&signed.bytes[65..]);
    let fee = served.ask("getFeeForMessage", json!([message])).await["value"].as_u64().unwrap();
    assert_eq!(fee, 5_000 + 100_000);
    served.ask("sendTransaction", base64(&signed)).await;
    assert_eq!(served.balance(payer.address()).await, SOL - fee);
    served.expire();
    assert_eq!(served.ask("getFeeForMessage", json!([message])).await["value"], Value::Null);
    assert_eq!(served.refused("getFeeForMessage", json!(["AAAA"])).await["code"], -32_602);
}

#[tokio::test]
async fn the_faucet_pays_up_to_its_limit() {
    let served = Served::new().await;
    let to = Keypair::generate().address();
    let signature = served.ask("requestAirdrop", json!([to.to_string(), 3 * SOL])).await;
    assert_eq!(served.balance(to).await, 3 * SOL);
    let status = served.ask("getSignatureStatuses", json!([[signature]])).await["value"][0].clone();
    assert_eq!(status["err"], Value::Null);
    for bad in
        [json!([to.to_string(), 1_001 * SOL]), json!([to.to_string(), -1]), json!([to.to_string()]), json!(["x", 1])]
    {
        assert_eq!(served.refused("requestAirdrop", bad).await["code"], -32_602);
    }
    let chain = RpcChain::connect(&served.server.url()).await.unwrap();
    chain.airdrop(&to, SOL).await.unwrap();
    assert_eq!(served.balance(to).await, 4 * SOL);
}

#[tokio::test]
async fn too_many_or_malformed_signatures_are_refused() {
    let served = Served::new().await;
    let name = bs58::encode([1; 64]).into_string();
    for bad in [json!([vec![name; 257]]), json!([["x"]]), json!(["x"]), json!([[]]), json!([])]
        .iter()
        .filter(|it| **it != json!([[]]))
    {
        assert_eq!(served.refused("getSignatureStatuses", bad.clone()).await["code"], -32_602);
    }
    assert_eq!(served.ask("getSignatureStatuses", json!([[]])).await["value"], json!([]));
}

#[tokio::test]
async fn both_implementations_of_the_trait_say_the_same() {
    let served = Served::new().await;
    let rpc = RpcChain::connect(&served.server.url()).await.unwrap();
    let chains: [&dyn Chain; 2] = [&served.chain, &rpc];
    let payer = served.funded(5 * SOL).await;
    let [direct, remote] = chains;
    assert_eq!(direct.genesis_hash().await.unwrap(), remote.genesis_hash().await.unwrap());
    let commitment = Commitment::Finalized;
    assert_eq!(direct.tip(commitment).await.unwrap(), remote.tip(commitment).await.unwrap());
    assert_eq!(direct.latest_blockhash(commitment).await.unwrap(), remote.latest_blockhash(commitment).await.unwrap());
    assert_eq!(direct.minimum_balance(500).await.unwrap(), remote.minimum_balance(500).await.unwrap());
    let addresses = [payer.address(), Address([9; 32]), DEV_PROGRAM_ID];
    let accounts = remote.accounts(&addresses, commitment).await.unwrap();
    assert_eq!(direct.accounts(&addresses, commitment).await.unwrap(), accounts);
    assert!(accounts.accounts[0].is_some() && accounts.accounts[1].is_none());
    let owned = remote.program_accounts(&Address([0; 32]), &[], commitment).await.unwrap();
    assert_eq!(direct.program_accounts(&Address([0; 32]), &[], commitment).await.unwrap(), owned);
    assert!(owned.accounts.iter().any(|(address, _)| *address == payer.address()));
    for chain in chains {
        let many = vec![DEV_PROGRAM_ID; 101];
        assert!(matches!(chain.accounts(&many, commitment).await, Err(ChainError::Invalid(_))));
    }

    let to = Keypair::generate().address();
    let sent = transfer(remote, &payer, to, SOL).await;
    assert_eq!(remote.status(&sent.signature).await.unwrap(), None);
    for _ in 0..3 {
        assert_eq!(remote.send(&sent).await.unwrap(), sent.signature, "the same bytes may be sent again");
    }
    assert_eq!(served.balance(to).await, SOL);
    let status = remote.status(&sent.signature).await.unwrap().unwrap();
    assert_eq!(direct.status(&sent.signature).await.unwrap().unwrap(), status);
    assert_eq!((status.outcome, status.fee, status.commitment), (Ok(()), Some(5_000), Commitment::Finalized));

    let doomed = transfer(remote, &payer, to, 50 * SOL).await;
    let Err(ChainError::Refused(failure)) = remote.send(&doomed).await else { panic!("it was taken") };
    assert_eq!((failure.code, failure.instruction, failure.class), (Some(1), Some(0), ErrorClass::Rejection));
    let mut forged = sent.clone();
    forged.bytes[7] ^= 1;
    let Err(ChainError::Refused(failure)) = remote.send(&forged).await else { panic!("it was taken") };
    assert_eq!((failure.name.as_str(), failure.class), ("SignatureFailure", ErrorClass::Rejection));

    let late = transfer(remote, &payer, to, 7).await;
    served.expire();
    let Err(ChainError::Refused(failure)) = remote.send(&late).await else { panic!("it was taken") };
    assert!(failure.is_expired());
    assert_eq!(direct.tip(commitment).await.unwrap(), remote.tip(commitment).await.unwrap());
}
