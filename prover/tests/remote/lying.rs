//! A worker that sends wrong proofs.

use crate::rig::{Serving, Working, batch, circuits, proof, prover, settings, until};
use cairn_circuits::Layer;
use cairn_proto::v1::prover_client::ProverClient;
use cairn_proto::v1::{CompleteRequest, HelloRequest, LeaseRequest, ProverJob};
use cairn_prover::Prover;
use cairn_prover::remote::Connection;
use cairn_prover::remote::wire::{MAX_PROOF_MESSAGE_BYTES, OwnedJob};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// A worker that says what it is told to.
pub struct Raw {
    client: ProverClient<Channel>,
    session: Vec<u8>,
}

pub fn hello_request(name: &str) -> HelloRequest {
    let circuit_digest = cairn_prover::circuit_digest(cairn_prover::Profile::Dev).to_vec();
    HelloRequest { profile: "dev".into(), circuit_digest, worker: name.into(), slots: 2 }
}

impl Raw {
    pub async fn connect(url: &str) -> Self {
        let client = ProverClient::connect(url.to_owned()).await.unwrap().max_decoding_message_size(4 << 20);
        Self { client, session: Vec::new() }
    }

    pub async fn hello(&mut self, request: HelloRequest) -> Result<(), Status> {
        self.session = self.client.hello(request).await?.into_inner().session;
        Ok(())
    }

    pub async fn lease(&mut self) -> Result<Option<ProverJob>, Status> {
        let request = LeaseRequest { session: self.session.clone() };
        Ok(self.client.lease(request).await?.into_inner().job)
    }

    pub async fn complete(&mut self, lease: u64, proof: Vec<u8>) -> Result<bool, Status> {
        let request = CompleteRequest { session: self.session.clone(), lease, proof };
        Ok(self.client.complete(request).await?.into_inner().used)
    }
}

pub async fn a_lying_worker_is_found_out_and_the_batch_is_proved() {
    let settings = cairn_prover::remote::Settings { lease: std::time::Duration::from_secs(120), ..settings() };
    let serving = Serving::start(settings, None).await;
    let mut liar = Raw::connect(&serving.url()).await;
    liar.hello(hello_request("liar")).await.unwrap();
    let proving = serving.prove(batch(2), ());
    let (first, second) = (liar.lease().await.unwrap().unwrap(), liar.lease().await.unwrap().unwrap());
    assert_eq!((first.index, second.index), (0, 1));
    let true_proof = tokio::task::spawn_blocking(move || {
        let job = OwnedJob::decode(circuits(), Layer::Segment, &first.payload).unwrap();
        job.prove(circuits()).unwrap().to_bytes()
    });
    let true_proof = true_proof.await.unwrap();

    let refusal = |answer: Result<bool, Status>| {
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        status.message().to_owned()
    };
    // One bit is another: still an encoding of a proof that says the right thing, which is what verification is for.
    let mut changed = true_proof.clone();
    changed[0] ^= 1;
    assert!(refusal(liar.complete(first.lease, changed).await).contains("does not verify"));
    let other = refusal(liar.complete(second.lease, true_proof.clone()).await);
    assert!(other.contains("another statement"), "{other}");
    // Both leases have ended; it is given one more.
    assert!(!liar.complete(first.lease, true_proof).await.unwrap());
    let third = liar.lease().await.unwrap().unwrap();
    let too_large = liar.complete(third.lease, vec![0; MAX_PROOF_MESSAGE_BYTES + 1]).await.unwrap_err();
    assert_eq!(too_large.code(), Code::OutOfRange, "{too_large}");
    let garbage = refusal(liar.complete(third.lease, vec![7; 1_000]).await);
    assert!(garbage.contains("encoding"), "{garbage}");
    // That was the third.
    assert_eq!(liar.lease().await.unwrap_err().code(), Code::NotFound);
    let excluded = liar.hello(hello_request("liar")).await.unwrap_err();
    assert_eq!(excluded.code(), Code::PermissionDenied, "{excluded}");
    assert!(excluded.message().contains("3 wrong proofs"), "{excluded}");

    let honest = Working::start_alone("honest", Connection::plain(&serving.url()));
    until("the honest worker is there", || serving.coordinator.workers() == 1).await;
    prover().verify(&proof(proving).await.unwrap()).unwrap();
    until("two segments, four aggregations, the batch, the last", || honest.used() == 8).await;
    honest.stop().await.unwrap();
    serving.stop().await;
}
