//! Meeting a sequencer: which rollup it serves, which node this is, and what comes next.

use super::retry::{Backoff, Failure};
use super::{Node, Progress, SubmitError};
use crate::spool::Identity;
use cairn_interface::{Address, rollup_id};
use cairn_proto::v1::GetNodeRequest;
use cairn_proto::{FieldError, NodeQuery, NodeState, NodeStatus, SequencerInfo};
use cairn_types::Digest;
use std::future::Future;
use std::time::Duration;
use tonic::{Code, Response, Status};

/// What the node was told by other means than the sequencer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pins {
    /// The rollup. Without it, the first one that the spool meets.
    pub rollup_id: Option<Digest>,
    /// The node, as `cairn register` printed it. Without it, the one whose key this is: anybody can register a key that he has
    /// only seen, and before its owner does.
    pub node_index: Option<u32>,
    /// The ed25519 key under acknowledgements. Without it, the first one that the spool meets.
    pub acknowledgement_key: Option<[u8; 32]>,
}

/// What a sequencer said, checked.
#[derive(Debug, Clone, Copy)]
pub struct Contact {
    /// About itself.
    pub info: SequencerInfo,
    /// About this node.
    pub node: NodeStatus,
    /// Whom the spool is bound to with that.
    pub identity: Identity,
}

impl Node {
    /// Asks the sequencer about itself and this node, and compares that with what is pinned and what is in the spool,
    /// which a first contact binds. Waits while the node's registration or rotation is in no batch.
    ///
    /// # Errors
    /// When the sequencer cannot be reached, serves another rollup, does not know the key, or is at odds with the spool.
    pub async fn greet(&mut self, progress: &dyn Progress) -> Result<&Contact, SubmitError> {
        let mut backoff = Backoff::new(&self.config);
        loop {
            match self.meet().await {
                Ok(contact) => return Ok(self.contact.insert(contact)),
                Err(failure) => backoff.wait(failure, progress, &self.stop).await?,
            }
            if self.stop.is_cancelled() {
                let message = "stopped before the sequencer answered".to_owned();
                return Err(SubmitError::Unreachable { attempts: 1, message });
            }
        }
    }

    /// As [`Self::greet`], once.
    async fn meet(&self) -> Result<Contact, Failure> {
        let info = self.observer.info().await?;
        let rollup_id = self.check_rollup(&info)?;
        let node = self.find(info.slot).await?;
        let node_index = node.node_index;
        match node.state {
            NodeState::Active => {}
            NodeState::Registering => return Err(pending("the node's registration is on chain and in no batch yet")),
            NodeState::Rotating(_) => return Err(pending("the rotation of the node's key is in no batch yet")),
            NodeState::Deactivating | NodeState::Deactivated => {
                return Err(SubmitError::Deactivated { node_index }.into());
            }
        }
        let identity = Identity {
            rollup_id,
            genesis_hash: info.genesis_hash,
            program_id: info.program_id,
            rollup_address: info.rollup_address,
            profile: info.profile.code(),
            acknowledgement_key: info.acknowledgement_key,
            node_index,
            key: self.key.public(),
        };
        let (key, is_pinned) = (self.key.clone(), self.pins.acknowledgement_key.is_some());
        self.observer.on_disk(move |spool| spool.bind(&identity, &key, is_pinned)).await?;
        self.check_sequence(node.account.next_sequence).await?;
        Ok(Contact { info, node, identity })
    }

    async fn node(&self, query: NodeQuery) -> Result<Option<NodeStatus>, Failure> {
        let mut client = self.observer.client.clone();
        let reply = match answer(self.config.timeout, client.get_node(GetNodeRequest::from(query))).await {
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            reply => reply.map_err(Failure::of)?,
        };
        let status = NodeStatus::try_from(reply).map_err(SubmitError::Answer)?;
        let is_asked = match query {
            NodeQuery::Index(index) => status.node_index == index,
            NodeQuery::Key(key) => status.account.key == key || status.state == NodeState::Rotating(key),
        };
        if is_asked {
            return Ok(Some(status));
        }
        let reason = "the answer is about another node than was asked for".to_owned();
        Err(SubmitError::Answer(FieldError::Malformed { field: "receipt_key".to_owned(), reason }).into())
    }

    /// The node that this key signs for.
    async fn find(&self, slot: u64) -> Result<NodeStatus, Failure> {
        let key = self.key.public();
        if let Some(index) = self.pins.node_index {
            let status = self.node(NodeQuery::Index(index)).await?.ok_or(SubmitError::NotRegistered { key })?;
            return match status.state {
                NodeState::Rotating(next) if next == key => Ok(status),
                NodeState::Deactivating | NodeState::Deactivated => Ok(status),
                _ if status.account.key == key => Ok(status),
                _ => Err(SubmitError::Rotated { node_index: index, registered: status.account.key, ours: key }.into()),
            };
        }
        if let Some(status) = self.node(NodeQuery::Key(key)).await? {
            return Ok(status);
        }
        // The key may be on its way in, or on its way out.
        if let Some(identity) = self.spool().identity()?
            && let Some(status) = self.node(NodeQuery::Index(identity.node_index)).await?
        {
            return match status.state {
                NodeState::Rotating(next) if next == key => Ok(status),
                NodeState::Deactivating | NodeState::Deactivated => Ok(status),
                _ => Err(SubmitError::Rotated {
                    node_index: status.node_index,
                    registered: status.account.key,
                    ours: key,
                }
                .into()),
            };
        }
        tracing::debug!(slot, %key, "the sequencer knows no node with this key");
        Err(SubmitError::NotRegistered { key }.into())
    }

    /// The rollup, computed from its parts, unless it is another than the one that is wanted.
    fn check_rollup(&self, info: &SequencerInfo) -> Result<Digest, SubmitError> {
        let (program, rollup) = (Address(info.program_id), Address(info.rollup_address));
        let computed = rollup_id(&info.genesis_hash, &program, &rollup, info.profile);
        if computed != info.rollup_id {
            return Err(SubmitError::FalseRollup { claimed: info.rollup_id, computed });
        }
        if let Some(ours) = self.pins.rollup_id.filter(|ours| *ours != computed) {
            return Err(SubmitError::Rollup { what: "--rollup-id says", theirs: computed, ours });
        }
        if let Some(identity) = self.spool().identity()?
            && identity.rollup_id != computed
        {
            return Err(SubmitError::Rollup { what: "the spool is for", theirs: computed, ours: identity.rollup_id });
        }
        if let Some(ours) = self.pins.acknowledgement_key.filter(|ours| *ours != info.acknowledgement_key) {
            let text = |key: [u8; 32]| bs58::encode(key).into_string();
            return Err(SubmitError::AcknowledgementKey { theirs: text(info.acknowledgement_key), ours: text(ours) });
        }
        Ok(computed)
    }

    /// Compares the sequence that the sequencer expects with the spool.
    async fn check_sequence(&self, theirs: u64) -> Result<(), Failure> {
        let Some(next) = self.spool().next_sequence()? else { return Ok(()) };
        let first = self.spool().first_pending()?.1.unwrap_or(next);
        if theirs > next {
            return Err(SubmitError::Ahead { expected: theirs, ours: next }.into());
        }
        if theirs >= first {
            return Ok(());
        }
        if !self.config.resubmit {
            return Err(SubmitError::Behind { expected: theirs, ours: first }.into());
        }
        let count = self.observer.on_disk(move |spool| spool.reopen(theirs)).await?;
        tracing::warn!(from = theirs, count, "the sequencer has lost bundles that it acknowledged: sending them again");
        Ok(())
    }
}

/// A state that a batch will end.
fn pending(reason: &str) -> Failure {
    Failure::Passing(Box::new(Status::unavailable(reason)), Some(Duration::from_secs(1)))
}

/// A failure that nobody tries to get past.
pub(super) fn given_up(failure: Failure) -> SubmitError {
    match failure {
        Failure::Final(error) => error,
        Failure::Passing(status, _) => {
            SubmitError::Unreachable { attempts: 1, message: super::retry::describe(&status) }
        }
        Failure::Gap(expected) => {
            SubmitError::Unreachable { attempts: 1, message: format!("it expects bundle {expected}") }
        }
    }
}

/// The answer to a call, if it comes in time.
pub(crate) async fn answer<T>(
    timeout: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Status> {
    match tokio::time::timeout(timeout, call).await {
        Ok(reply) => Ok(reply?.into_inner()),
        Err(_) => Err(Status::deadline_exceeded("no answer in time")),
    }
}
