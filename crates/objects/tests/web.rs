//! Plain web servers as mirrors: one that serves files, and those that do anything else.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use cairn_objects::fetch::fetch;
use cairn_objects::{FetchError, Location, Mirrors, Trust, compress};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(60);

fn data() -> Vec<u8> {
    (0..200_000_u32).flat_map(|at| (at % 251).to_le_bytes()).collect()
}

fn path() -> Path {
    Path::from("blobs/x.zst")
}

/// Serves `routes`; the base URL.
async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    format!("http://{address}/base")
}

/// Answers every request with these bytes and closes.
async fn answer(bytes: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    });
    (format!("http://{address}/base"), asked)
}

fn open(url: &str) -> Arc<dyn ObjectStore> {
    Location::parse(url, Trust::Operator).unwrap().open().unwrap()
}

async fn read(url: &str, patience: Duration) -> Result<Vec<u8>, FetchError> {
    fetch(&*open(url), &path(), data().len() as u64, patience).await
}

fn static_files() -> Router {
    let stored = compress(&data()).unwrap();
    Router::new().route("/base/blobs/x.zst", get(async move || stored.clone()))
}

#[tokio::test]
async fn a_static_file_server_is_a_mirror() {
    let url = serve(static_files()).await;
    for url in [url.clone(), format!("{url}/")] {
        assert_eq!(read(&url, PATIENCE).await.unwrap(), data());
    }
    let error = fetch(&*open(&url), &Path::from("blobs/y.zst"), 10, PATIENCE).await.unwrap_err();
    assert!(matches!(error, FetchError::Missing(_)), "{error}");
    // A part of an object: a server that ignores ranges does not make the whole pass for it.
    assert!(open(&url).get_range(&path(), 3..7).await.is_err());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = serve(static_files()).await;
    let moved =
        async move || (StatusCode::FOUND, [(header::LOCATION, format!("{target}/blobs/x.zst"))]).into_response();
    let url = serve(Router::new().route("/base/blobs/x.zst", get(moved))).await;
    let error = read(&url, PATIENCE).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn a_body_without_end_is_cut() {
    let endless = async || {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![7; 65_536])));
        ([(header::CONTENT_LENGTH, "100000000000")], Body::from_stream(chunks)).into_response()
    };
    let url = serve(Router::new().route("/base/blobs/x.zst", get(endless))).await;
    let error = read(&url, PATIENCE).await.unwrap_err();
    assert!(matches!(error, FetchError::Oversized { .. }) && error.is_wrong(), "{error}");
    // Without a length it is not even begun: nobody says how much there is.
    let endless = async || {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![7; 65_536])));
        Body::from_stream(chunks).into_response()
    };
    let url = serve(Router::new().route("/base/blobs/x.zst", get(endless))).await;
    let error = read(&url, PATIENCE).await.unwrap_err();
    assert!(!matches!(error, FetchError::Slow { .. }), "{error}");
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_no_object() {
    let stored = compress(&data()).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", stored.len());
    let cut = [head.as_bytes(), &stored[..stored.len() / 2]].concat();
    let (url, asked) = answer(cut).await;
    let error = read(&url, PATIENCE).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreadable { .. }), "{error}");
    assert!((1..=8).contains(&asked.load(Ordering::Relaxed)), "tries are bounded");
    // What is stated may also be too little: the rest is never read.
    let short = [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", &stored[..]].concat();
    let error = read(&answer(short).await.0, PATIENCE).await.unwrap_err();
    assert!(matches!(error, FetchError::Compression(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_or_fails_is_passed_over_for_one_that_answers() {
    let hanging = serve(Router::new().route("/base/blobs/x.zst", get(std::future::pending::<()>))).await;
    let error = read(&hanging, Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(error, FetchError::Slow { .. }), "{error}");
    let failing =
        serve(Router::new().route("/base/blobs/x.zst", get(async || StatusCode::INTERNAL_SERVER_ERROR))).await;
    let honest = serve(static_files()).await;
    let nobody = "http://127.0.0.1:1/base".to_owned();
    let urls = [hanging, failing, nobody, honest];
    let locations: Vec<_> = urls.iter().map(|url| Location::parse(url, Trust::Operator).unwrap()).collect();
    let mirrors = Mirrors::open(&locations).unwrap();
    let check = |found: Vec<u8>| if found == data() { Ok(found.len()) } else { Err("other bytes".to_owned()) };
    let patience = Duration::from_secs(10);
    let length = data().len();
    assert_eq!(mirrors.fetch(&path(), length as u64, patience, check).await.unwrap(), length);
    let mirrors = Mirrors::open(&locations[..3]).unwrap();
    let error = mirrors.fetch(&path(), length as u64, Duration::from_secs(1), check).await.unwrap_err();
    assert_eq!(error.failures.len(), 3);
    assert!(urls[..3].iter().all(|url| error.to_string().contains(url.as_str())), "{error}");
}
