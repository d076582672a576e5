//! A rollup's whole life through the client, the server and the embedded chain behind it.

use crate::server::{SOL, Served};
use crate::support::{FETCH_TIME, Sealer, receipt_key, signing_key};
use cairn_chain::{DEV_PROGRAM_ID, ErrorClass, Keypair, NewNode, NewRollup, RollupClient, RollupError, RpcChain};
use cairn_interface::{DEFAULT_BOND, DEFAULT_MAX_PENDING, Profile, Registry, SettlementError};
use cairn_types::EntryKind;
use std::sync::Arc;

struct Life {
    served: Served,
    client: RollupClient,
    admin: Keypair,
    sequencer: Keypair,
    registrar: Keypair,
}

impl Life {
    async fn new(registry: impl Fn(&Keypair) -> Registry) -> Self {
        let served = Served::new().await;
        let chain = Arc::new(RpcChain::connect(&served.server.url()).await.unwrap());
        let (admin, sequencer) = (served.funded(10 * SOL).await, served.funded(10 * SOL).await);
        let registrar = Keypair::generate();
        let client = RollupClient::of_admin(chain, DEV_PROGRAM_ID, &admin.address(), 1);
        let new = NewRollup {
            id: 1,
            sequencer: sequencer.address(),
            acknowledgement_key: Keypair::generate().address(),
            profile: Profile::Dev,
            max_pending: DEFAULT_MAX_PENDING,
            registry: registry(&registrar),
        };
        client.initialize(&admin, &new).await.unwrap();
        Self { served, client, admin, sequencer, registrar }
    }

    async fn sealer(&self) -> Sealer {
        let rollup = self.client.rollup().await.unwrap();
        assert_eq!(rollup.rollup_id, self.client.rollup_id(Profile::Dev).await.unwrap());
        Sealer::new(rollup.rollup_id)
    }
}

fn settlement(error: &RollupError) -> Option<SettlementError> {
    error.failure().and_then(cairn_chain::TransactionFailure::settlement)
}

#[tokio::test]
async fn a_node_registers_submits_rotates_submits_again_and_leaves() {
    let life = Life::new(|_| Registry::OPEN).await;
    let (client, sequencer) = (&life.client, &life.sequencer);
    let mut sealer = life.sealer().await;
    let [old, new] = [signing_key(), signing_key()];
    let authority = life.served.funded(SOL).await;
    assert_eq!(client.node(&authority.address()).await.unwrap(), None);

    let registration = NewNode { authority: &authority, payer: None, registrar: None, receipt_key: receipt_key(&old) };
    let registered = client.register_node(&registration).await.unwrap();
    let node = client.node(&authority.address()).await.unwrap().unwrap();
    assert_eq!((node.index, node.last_position, node.last_kind), (0, 1, EntryKind::Register));
    assert_eq!((node.bond, node.registered_slot), (DEFAULT_BOND, registered.slot));
    assert_eq!(client.node_by_index(0).await.unwrap().as_ref(), Some(&node));
    assert_eq!(client.node_by_index(1).await.unwrap(), None);
    assert_eq!(client.nodes_by_key(&receipt_key(&old)).await.unwrap(), [node]);
    assert_eq!(client.nodes_by_key(&receipt_key(&new)).await.unwrap(), []);

    // The batch that consumes the entry, then one with a bundle of the node.
    for step in 0..2 {
        let queue = client.finalized_queue().await.unwrap();
        let bundles = if step == 0 { vec![] } else { vec![sealer.bundle(&old, 0, 0, FETCH_TIME)] };
        let batch = sealer.seal(bundles, sealer.waiting(&queue));
        client.submit_batch(sequencer, &batch.header).await.unwrap();
        sealer.accepted(&batch);
    }
    assert_eq!(client.rollup().await.unwrap().tip, sealer.cursor);

    client.rotate_key(&authority, &receipt_key(&new)).await.unwrap();
    let error = client.rotate_key(&authority, &receipt_key(&old)).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::RotationPending));
    let queue = client.finalized_queue().await.unwrap();
    // Old key first, then the entry, in one batch: what was acknowledged before the rotation still counts.
    let batch = sealer.seal(vec![sealer.bundle(&old, 0, 1, FETCH_TIME)], sealer.waiting(&queue));
    client.submit_batch(sequencer, &batch.header).await.unwrap();
    sealer.accepted(&batch);
    let batch = sealer.seal(vec![sealer.bundle(&new, 0, 2, FETCH_TIME)], vec![]);
    client.submit_batch(sequencer, &batch.header).await.unwrap();
    sealer.accepted(&batch);

    client.deactivate_node(&authority).await.unwrap();
    let error = client.deactivate_node(&authority).await.unwrap_err();
    assert_eq!((settlement(&error), error.class()), (Some(SettlementError::NodeInactive), ErrorClass::Rejection));
    let own = authority.address();
    let refund = client.refund_bond(&life.admin, &own, &own);
    assert_eq!(settlement(&refund.await.unwrap_err()), Some(SettlementError::BondLocked));
    let queue = client.finalized_queue().await.unwrap();
    let batch = sealer.seal(vec![], sealer.waiting(&queue));
    client.submit_batch(sequencer, &batch.header).await.unwrap();
    sealer.accepted(&batch);
    // Submitted is not enough: the batch could still be abandoned, and the entry with it.
    let refund = client.refund_bond(&life.admin, &own, &own).await;
    assert_eq!(settlement(&refund.unwrap_err()), Some(SettlementError::BondLocked));

    let kinds: Vec<_> = client.queue().await.unwrap().ring.iter().map(|entry| entry.entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Register, EntryKind::Rotate, EntryKind::Deactivate]);
    assert_eq!(client.batch(4).await.unwrap().unwrap().header, batch.header);
    assert_eq!(client.queue().await.unwrap().end, sealer.cursor.queue);
}

#[tokio::test]
async fn a_closed_registry_takes_only_who_its_registrar_signs_for() {
    let life = Life::new(|registrar| Registry::closed(registrar.address())).await;
    let client = &life.client;
    let (authority, payer) = (Keypair::generate(), life.served.funded(SOL).await);
    let key = receipt_key(&signing_key());
    let alone = NewNode { authority: &authority, payer: Some(&payer), registrar: None, receipt_key: key };
    let error = client.register_node(&alone).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::RegistrarRequired));
    let stranger = Keypair::generate();
    let error = client.register_node(&NewNode { registrar: Some(&stranger), ..alone }).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::NotRegistrar));
    client.register_node(&NewNode { registrar: Some(&life.registrar), ..alone }).await.unwrap();
    let node = client.node(&authority.address()).await.unwrap().unwrap();
    assert_eq!((node.bond, node.payer, node.receipt_key), (0, payer.address(), key));
    let error = client.register_node(&NewNode { registrar: Some(&life.registrar), ..alone }).await.unwrap_err();
    assert_eq!(settlement(&error), Some(SettlementError::NodeExists));

    client.set_registry(&life.admin, &Registry::OPEN).await.unwrap();
    assert_eq!(client.rollup().await.unwrap().registry, Registry::OPEN);
    let open = life.served.funded(SOL).await;
    client.register_node(&NewNode { authority: &open, payer: None, registrar: None, receipt_key: key }).await.unwrap();
    let indices: Vec<_> = client.nodes_by_key(&key).await.unwrap().iter().map(|node| node.index).collect();
    assert_eq!(indices, [0, 1], "nothing stops two nodes from having the same key");
}

#[tokio::test]
async fn lamports_sent_ahead_to_a_node_address_do_not_make_a_node() {
    let life = Life::new(|_| Registry::OPEN).await;
    let authority = life.served.funded(SOL).await;
    life.served.chain.fund(life.client.node_address(&authority.address()), SOL).await.unwrap();
    assert_eq!(life.client.node(&authority.address()).await.unwrap(), None);
    let key = receipt_key(&signing_key());
    let new = NewNode { authority: &authority, payer: None, registrar: None, receipt_key: key };
    life.client.register_node(&new).await.unwrap();
    assert_eq!(life.client.node(&authority.address()).await.unwrap().unwrap().receipt_key, key);
}

#[tokio::test]
async fn a_rollup_of_another_program_or_chain_is_refused() {
    let life = Life::new(|_| Registry::OPEN).await;
    let elsewhere = Served::new().await;
    let chain = Arc::new(RpcChain::connect(&elsewhere.server.url()).await.unwrap());
    let lost = RollupClient::new(chain, DEV_PROGRAM_ID, life.client.address());
    assert!(matches!(lost.rollup().await, Err(RollupError::Missing(_))));
    assert!(matches!(lost.finalized_queue().await, Err(RollupError::Missing(_))));
    let foreign = RollupClient::new(life.client.chain().clone(), life.admin.address(), life.client.address());
    assert!(matches!(foreign.rollup().await, Err(RollupError::Foreign { .. })));
    assert!(matches!(foreign.finalized_queue().await, Err(RollupError::Foreign { .. })));
}
