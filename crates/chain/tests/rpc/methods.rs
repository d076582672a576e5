//! The methods that read: values, and the JSON around them.

use crate::server::{SOL, Served};
use cairn_chain::{BLOCKHASH_SLOTS, Chain as _, Commitment, DEV_PROGRAM_ID};
use data_encoding::BASE64;
use serde_json::{Value, json};

fn bytes_of(account: &Value) -> Vec<u8> {
    assert_eq!(account["data"][1], "base64");
    BASE64.decode(account["data"][0].as_str().unwrap().as_bytes()).unwrap()
}

#[tokio::test]
async fn health_version_and_genesis_identify_the_chain() {
    let served = Served::new().await;
    assert_eq!(served.ask("getHealth", json!([])).await, "ok");
    let version = served.ask("getVersion", json!([])).await;
    let numbers: Vec<u32> =
        version["solana-core"].as_str().unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    assert_eq!(numbers.len(), 3, "Solana's tools parse it as a semantic version");
    let genesis = bs58::encode(served.chain.genesis_hash().await.unwrap()).into_string();
    assert_eq!(served.ask("getGenesisHash", json!([])).await, genesis);
    let (status, body) = served.raw(b"GET /health HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert_eq!((status, body.as_str()), (200, "ok"));
}

#[tokio::test]
async fn slot_and_height_move_with_the_time_at_every_commitment() {
    let served = Served::new().await;
    let slot = served.ask("getSlot", json!([])).await.as_u64().unwrap();
    let height = served.ask("getBlockHeight", json!([])).await.as_u64().unwrap();
    served.pass(10);
    for commitment in ["processed", "confirmed", "finalized"] {
        let config = json!([{ "commitment": commitment }]);
        let now = served.ask("getSlot", config.clone()).await.as_u64().unwrap();
        assert!((slot + 9..=slot + 10).contains(&now), "{now} after {slot}");
        let info = served.ask("getEpochInfo", config.clone()).await;
        assert_eq!(info["absoluteSlot"], now);
        assert_eq!(info["blockHeight"], served.ask("getBlockHeight", config).await);
        assert_eq!(info["blockHeight"].as_u64().unwrap() - height, now - slot);
        let epoch = info["epoch"].as_u64().unwrap() * info["slotsInEpoch"].as_u64().unwrap();
        assert_eq!(epoch + info["slotIndex"].as_u64().unwrap(), now);
    }
}

#[tokio::test]
async fn a_blockhash_is_valid_for_150_slots_and_says_until_when() {
    let served = Served::new().await;
    let latest = served.ask("getLatestBlockhash", json!([{ "commitment": "finalized" }])).await;
    let hash = latest["value"]["blockhash"].clone();
    let height = served.ask("getBlockHeight", json!([])).await.as_u64().unwrap();
    assert_eq!(latest["value"]["lastValidBlockHeight"], height + BLOCKHASH_SLOTS);
    assert!(latest["context"]["slot"].is_u64());
    served.pass(BLOCKHASH_SLOTS - 1);
    assert_eq!(served.ask("isBlockhashValid", json!([hash])).await["value"], true);
    served.pass(3);
    assert_eq!(served.ask("isBlockhashValid", json!([hash, { "commitment": "processed" }])).await["value"], false);
    let foreign = bs58::encode([9; 32]).into_string();
    assert_eq!(served.ask("isBlockhashValid", json!([foreign])).await["value"], false);
    for bad in [json!(["x"]), json!([1]), json!([]), json!(["1".repeat(50_000 - 200)])] {
        assert_eq!(served.refused("isBlockhashValid", bad).await["code"], -32_602);
    }
}

#[tokio::test]
async fn accounts_come_in_the_encoding_asked_for() {
    let served = Served::new().await;
    let key = served.funded(3 * SOL).await.address();
    let name = key.to_string();
    assert_eq!(served.ask("getBalance", json!([name])).await["value"], 3 * SOL);
    let account = served.ask("getAccountInfo", json!([name, { "encoding": "base64" }])).await["value"].clone();
    let system = "11111111111111111111111111111111";
    let expected = json!({
        "lamports": 3 * SOL, "owner": system, "executable": false, "rentEpoch": u64::MAX, "space": 0, "data": ["", "base64"],
    });
    assert_eq!(account, expected);

    let program = DEV_PROGRAM_ID.to_string();
    let whole = served.ask("getAccountInfo", json!([program, { "encoding": "base64" }])).await["value"].clone();
    assert_eq!(whole["executable"], true);
    let bytes = bytes_of(&whole);
    assert_eq!(whole["space"], bytes.len());
    let part = json!([program, { "encoding": "base64", "dataSlice": { "offset": 4, "length": 8 } }]);
    let part = served.ask("getAccountInfo", part).await["value"].clone();
    assert_eq!(bytes_of(&part), bytes[4..12]);
    assert_eq!(part["space"], bytes.len(), "the account's, not the slice's");
    let base58 = served.ask("getAccountInfo", json!([program, { "encoding": "base58" }])).await["value"].clone();
    assert_eq!(base58["data"], json!([bs58::encode(&bytes).into_string(), "base58"]));
    assert_eq!(served.ask("getAccountInfo", json!([program])).await["value"]["data"], base58["data"][0]);

    let nobody = bs58::encode([5; 32]).into_string();
    assert_eq!(served.ask("getAccountInfo", json!([nobody])).await["value"], Value::Null);
    assert_eq!(served.ask("getBalance", json!([nobody])).await["value"], 0);
    let several = served.ask("getMultipleAccounts", json!([[nobody, program], { "encoding": "base64" }])).await;
    assert_eq!(several["value"], json!([null, whole]));
    for bad in [json!([program, { "encoding": "base64+zstd" }]), json!([program, { "encoding": "json" }]), json!(["x"])]
    {
        assert_eq!(served.refused("getAccountInfo", bad).await["code"], -32_602);
    }
    let many = vec![program; 101];
    let error = served.refused("getMultipleAccounts", json!([many])).await;
    assert!(error["message"].as_str().unwrap().contains("at most 100"), "{error}");
}

#[tokio::test]
async fn long_data_is_never_written_in_base58() {
    let served = Served::new().await;
    let loader = "BPFLoaderUpgradeab1e11111111111111111111111";
    let long = json!([loader, { "encoding": "base64", "filters": [{ "memcmp": { "offset": 0, "bytes": "AwAAAA==", "encoding": "base64" } }] }]);
    let found = served.ask("getProgramAccounts", long).await;
    let address = found.as_array().unwrap().iter().find(|entry| entry["account"]["space"].as_u64().unwrap() > 1_000);
    let address = address.expect("the program's data account")["pubkey"].clone();
    let error = served.refused("getAccountInfo", json!([address, { "encoding": "base58" }])).await;
    assert!(error["message"].as_str().unwrap().contains("base64"), "{error}");
    let bare = served.ask("getAccountInfo", json!([address])).await["value"]["data"].clone();
    assert_eq!(bare, "error: data too large for bs58 encoding");
}

#[tokio::test]
async fn program_accounts_pass_all_filters_and_come_with_a_context_when_asked() {
    let served = Served::new().await;
    let keys = [served.funded(SOL).await.address(), served.funded(2 * SOL).await.address()];
    let system = "11111111111111111111111111111111";
    let all = served.ask("getProgramAccounts", json!([system, { "encoding": "base64" }])).await;
    let names: Vec<_> = all.as_array().unwrap().iter().map(|entry| entry["pubkey"].as_str().unwrap()).collect();
    for key in keys {
        assert!(names.contains(&key.to_string().as_str()));
    }
    assert!(names.is_sorted_by_key(|name| bs58::decode(name).into_vec().unwrap()), "the order is the addresses'");
    let none = json!([system, { "encoding": "base64", "filters": [{ "dataSize": 1 }], "withContext": true }]);
    let none = served.ask("getProgramAccounts", none).await;
    assert_eq!(none["value"], json!([]));
    assert!(none["context"]["slot"].is_u64());
    for filters in [
        json!([{ "memcmp": { "offset": 0, "bytes": "0OIl" } }]),
        json!([{ "memcmp": { "offset": 0, "bytes": "1".repeat(129) } }]),
        json!([{ "memcmp": { "offset": -1, "bytes": "1" } }]),
        json!([{ "tokenAccountState": "x" }]),
        json!([{ "dataSize": 0 }, { "dataSize": 0 }, { "dataSize": 0 }, { "dataSize": 0 }, { "dataSize": 0 }]),
    ] {
        let error = served.refused("getProgramAccounts", json!([system, { "filters": filters }])).await;
        assert_eq!(error["code"], -32_602, "{filters}");
    }
    let far = json!([system, { "filters": [{ "memcmp": { "offset": u64::MAX, "bytes": "2" } }] }]);
    assert_eq!(served.ask("getProgramAccounts", far).await, json!([]));
}

#[tokio::test]
async fn rent_and_fees_are_the_vms_own() {
    let served = Served::new().await;
    let rent = served.ask("getMinimumBalanceForRentExemption", json!([165])).await.as_u64().unwrap();
    assert_eq!(rent, served.chain.minimum_balance(165).await.unwrap());
    assert!(rent > 0);
    for bad in [json!([]), json!([-1]), json!([1.5]), json!([u64::MAX]), json!([(10 << 20) + 1])] {
        assert_eq!(served.refused("getMinimumBalanceForRentExemption", bad).await["code"], -32_602);
    }
    let fees = served.ask("getRecentPrioritizationFees", json!([[DEV_PROGRAM_ID.to_string()]])).await;
    assert_eq!(fees[0]["prioritizationFee"], 0);
    assert_eq!(served.refused("getRecentPrioritizationFees", json!([vec!["1"; 129]])).await["code"], -32_602);
}

#[tokio::test]
async fn a_caller_ahead_of_the_chain_is_told_so() {
    let served = Served::new().await;
    let slot = served.ask("getSlot", json!([])).await.as_u64().unwrap();
    let ahead = json!({ "minContextSlot": slot + 1_000 });
    let name = DEV_PROGRAM_ID.to_string();
    for (method, params) in [
        ("getSlot", json!([ahead])),
        ("getBalance", json!([name, ahead])),
        ("getAccountInfo", json!([name, ahead])),
        ("getMultipleAccounts", json!([[name], ahead])),
        ("getProgramAccounts", json!([name, ahead])),
        ("getLatestBlockhash", json!([ahead])),
    ] {
        let error = served.refused(method, params).await;
        assert_eq!(error["code"], -32_016, "{method}");
        assert!(error["data"]["contextSlot"].as_u64().unwrap() >= slot);
    }
    let tip = served.chain.tip(Commitment::Finalized).await.unwrap();
    served.ask("getSlot", json!([{ "minContextSlot": tip.slot }])).await;
}
