//! The descriptors that reflection serves are those of the services.

use prost::Message;

#[test]
fn descriptors_hold_every_service_with_its_methods() {
    let set = prost_types::FileDescriptorSet::decode(cairn_proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut methods = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                methods.push(format!("{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods.sort();
    assert_eq!(
        methods,
        [
            "cairn.v1.Indexer/FindContent",
            "cairn.v1.Indexer/FindKey",
            "cairn.v1.Indexer/GetAccount",
            "cairn.v1.Indexer/GetAccountProof",
            "cairn.v1.Indexer/GetBatch",
            "cairn.v1.Indexer/GetProof",
            "cairn.v1.Indexer/GetReceipt",
            "cairn.v1.Indexer/GetSignedBundle",
            "cairn.v1.Indexer/GetStatus",
            "cairn.v1.Indexer/ListAccounts",
            "cairn.v1.Indexer/ListEntries",
            "cairn.v1.Indexer/ListReplaced",
            "cairn.v1.Indexer/ListSignedBundles",
            "cairn.v1.Prover/Complete",
            "cairn.v1.Prover/Goodbye",
            "cairn.v1.Prover/Heartbeat",
            "cairn.v1.Prover/Hello",
            "cairn.v1.Prover/Lease",
            "cairn.v1.Prover/Release",
            "cairn.v1.Sequencer/GetBundle",
            "cairn.v1.Sequencer/GetInfo",
            "cairn.v1.Sequencer/GetNode",
            "cairn.v1.Sequencer/Status",
            "cairn.v1.Sequencer/SubmitBundle",
            "cairn.v1.Sequencer/SubmitBundles",
        ]
    );
}
