//! TLS: with the right certificates, and not without.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cairn_proto::v1;
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_sequencer::{Config, Sequencer, StartError, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::bench::Bench;

/// An authority and what it signed, as PEM.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `name` and its key.
    fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn files(folder: &Path, authority: &Authority, clients: Option<&Authority>) -> TlsFiles {
    let (certificate, key) = authority.certify("localhost");
    TlsFiles {
        certificate: write(folder, "certificate.pem", &certificate),
        key: write(folder, "key.pem", &key),
        client_ca: clients.map(|clients| write(folder, "clients.pem", &clients.pem())),
    }
}

async fn connect(address: std::net::SocketAddr, tls: Option<ClientTlsConfig>) -> Option<Channel> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://localhost:{}", address.port())).unwrap();
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(tls).unwrap();
    }
    endpoint.connect().await.ok()
}

async fn answers(channel: Option<Channel>) -> bool {
    let Some(channel) = channel else { return false };
    SequencerClient::new(channel).get_info(v1::GetInfoRequest {}).await.is_ok()
}

fn trusting(authority: &Authority) -> ClientTlsConfig {
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem())).domain_name("localhost")
}

#[tokio::test]
async fn a_bundle_is_acknowledged_over_tls_and_nothing_in_clear_text() {
    let bench = Bench::new().await;
    let authority = Authority::new();
    let tls = files(bench.folder(), &authority, None);
    let bench = Bench { config: Config { tls: Some(tls), ..bench.config.clone() }, ..bench };
    let running = bench.start().await;
    let address = running.sequencer.address();

    let channel = connect(address, Some(trusting(&authority))).await.unwrap();
    let mut client = SequencerClient::new(channel);
    let reply = client.submit_bundle(bench.request(5, 0, 1)).await.unwrap().into_inner();
    assert_eq!(reply.log_index, 0);
    assert!(!answers(connect(address, Some(trusting(&Authority::new()))).await).await, "another authority");
    assert!(!answers(connect(address, None).await).await, "clear text");
    drop(client);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn only_clients_of_the_authority_are_served_where_one_is_given() {
    let bench = Bench::new().await;
    let (authority, clients) = (Authority::new(), Authority::new());
    let tls = files(bench.folder(), &authority, Some(&clients));
    let bench = Bench { config: Config { tls: Some(tls), ..bench.config.clone() }, ..bench };
    let running = bench.start().await;
    let address = running.sequencer.address();
    let with = |of: &Authority| {
        let (certificate, key) = of.certify("node");
        trusting(&authority).identity(Identity::from_pem(certificate, key))
    };
    assert!(answers(connect(address, Some(with(&clients))).await).await);
    assert!(!answers(connect(address, Some(with(&authority))).await).await, "of another authority");
    assert!(!answers(connect(address, Some(trusting(&authority))).await).await, "without a certificate");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_bad_identity_is_refused_before_anything_listens() {
    let bench = Bench::new().await;
    let authority = Authority::new();
    let good = files(bench.folder(), &authority, None);
    let refusal = async |tls: TlsFiles| {
        let config = Config { tls: Some(tls), ..bench.config.clone() };
        let parts = bench.world.parts(bench.prover.clone());
        let error = Sequencer::start(config, parts, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, StartError::Tls(_)), "{error}");
        error.to_string()
    };
    let missing = TlsFiles { key: bench.folder().join("missing.pem"), ..good.clone() };
    assert!(refusal(missing).await.contains("missing.pem"));
    let garbled = TlsFiles { certificate: write(bench.folder(), "garbled.pem", "no"), ..good.clone() };
    assert!(refusal(garbled).await.contains("garbled.pem"));
    let (_, other) = authority.certify("localhost");
    let mixed = TlsFiles { key: write(bench.folder(), "other.pem", &other), ..good.clone() };
    assert!(refusal(mixed).await.contains("other.pem"));
    std::fs::set_permissions(&good.key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(refusal(good).await.contains("chmod 600"));
}
