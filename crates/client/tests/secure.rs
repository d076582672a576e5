//! A sequencer behind TLS.

mod fake;

use cairn_client::connect::Address;
use cairn_client::spool::Spool;
use cairn_client::submit::{Node, Pins, SubmitError};
use fake::{Fake, config, node_key, receipts};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonic::transport::Identity;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn server_identity(authority: &Issuer, name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    Identity::from_pem(certificate.pem(), key.serialize_pem())
}

fn written(folder: &Path, name: &str, authority: &Issuer) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, authority.pem()).unwrap();
    path
}

async fn submit(url: &str, tls_ca: Option<PathBuf>, folder: &Path) -> Result<(), SubmitError> {
    let spool = Arc::new(Spool::open(&folder.join("spool"))?);
    let address = Address { url: url.to_owned(), tls_ca };
    let mut node = Node::connect(&address, node_key(1), spool, Pins::default(), config(), &()).await?;
    node.submit(&receipts(0..9), false, &()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_certificate_that_the_given_authority_signed_for_this_name_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    let (ours_path, other_path) =
        (written(folder.path(), "ours.pem", &ours), written(folder.path(), "other.pem", &other));
    let fake = Fake::new(node_key(1).public());
    let local = "127.0.0.1:0".parse().unwrap();
    let served = fake.serve_at(local, Some(server_identity(&ours, "localhost"))).await;
    let url = format!("https://localhost:{}", served.address.port());

    let by_system = submit(&url, None, folder.path()).await.unwrap_err();
    assert!(matches!(by_system, SubmitError::Unreachable { .. }), "{by_system}");
    let by_other = submit(&url, Some(other_path), folder.path()).await.unwrap_err();
    assert!(
        matches!(&by_other, SubmitError::Unreachable { message, .. } if message.contains("certificate")),
        "{by_other}"
    );
    let by_address = format!("https://127.0.0.1:{}", served.address.port());
    let other_name = submit(&by_address, Some(ours_path.clone()), folder.path()).await.unwrap_err();
    assert!(matches!(other_name, SubmitError::Unreachable { .. }), "{other_name}");
    let plain = submit(&url.replace("https", "http"), None, folder.path()).await.unwrap_err();
    assert!(matches!(plain, SubmitError::Unreachable { .. } | SubmitError::Refused(_)), "{plain}");
    assert!(fake.recorded().is_empty());

    submit(&url, Some(ours_path), folder.path()).await.unwrap();
    assert_eq!(fake.recorded(), fake::encoded(&receipts(0..9)));
}
