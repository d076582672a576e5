//! The same objects in several places.
//!
//! A place that lacks an object, does not answer, or has other bytes under its name is passed over: one honest mirror is
//! enough, and what the others have does not matter.

use crate::fetch::{FetchError, fetch};
use crate::{Location, OpenError};
use object_store::ObjectStore;
use object_store::path::Path;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

struct Mirror {
    name: String,
    store: Arc<dyn ObjectStore>,
}

/// Places that have, or should have, the same objects.
pub struct Mirrors {
    mirrors: Vec<Mirror>,
    /// The one that had the right bytes last: asked first.
    preferred: AtomicUsize,
}

/// What is wrong with one mirror.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The object cannot be had from there.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What it has is not what the name says.
    #[error("{0}")]
    Wrong(String),
}

impl Failure {
    /// Whether the mirror has something that is not what it is called, rather than nothing.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_wrong(),
            Self::Wrong(_) => true,
        }
    }
}

/// No mirror has the right bytes. The message lists each mirror with its reason.
#[derive(Debug)]
pub struct MirrorsError {
    /// Each mirror by name, and what is wrong with it.
    pub failures: Vec<(String, Failure)>,
}

impl MirrorsError {
    /// Whether every mirror has something under the name that is not the right thing: waiting is not likely to help.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        !self.failures.is_empty() && self.failures.iter().all(|(_, failure)| failure.is_wrong())
    }
}

impl fmt::Display for MirrorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.failures.is_empty() {
            return f.write_str("there is no place to fetch from");
        }
        for (at, (name, failure)) in self.failures.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {failure}")?;
        }
        Ok(())
    }
}

impl std::error::Error for MirrorsError {}

impl Mirrors {
    /// These stores, the first preferred, each with a name for messages that holds no key.
    #[must_use]
    pub fn new(stores: impl IntoIterator<Item = (String, Arc<dyn ObjectStore>)>) -> Self {
        let mirrors = stores.into_iter().map(|(name, store)| Mirror { name, store });
        Self { mirrors: mirrors.collect(), preferred: AtomicUsize::new(0) }
    }

    /// These places, the first preferred.
    ///
    /// # Errors
    /// [`OpenError`] for the first that cannot be opened.
    pub fn open(locations: &[Location]) -> Result<Self, OpenError> {
        let stores = locations.iter().map(|location| Ok((location.to_string(), location.open()?)));
        Ok(Self::new(stores.collect::<Result<Vec<_>, OpenError>>()?))
    }

    /// Names of the places.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.mirrors.iter().map(|mirror| mirror.name.as_str())
    }

    /// Fetches and inflates the object at `path` from the first place that has the right bytes.
    ///
    /// `check` says whether they are, and makes of them what is wanted; it runs on a thread that may block. Each place has
    /// `patience`.
    ///
    /// # Errors
    /// [`MirrorsError`] with what is wrong with each of them.
    pub async fn fetch<T, C>(
        &self,
        path: &Path,
        data_length: u64,
        patience: Duration,
        check: C,
    ) -> Result<T, MirrorsError>
    where
        T: Send + 'static,
        C: Fn(Vec<u8>) -> Result<T, String> + Send + Sync + 'static,
    {
        let check = Arc::new(check);
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for offset in 0..self.mirrors.len() {
            let at = (first + offset) % self.mirrors.len();
            let mirror = &self.mirrors[at];
            let failure = match fetch(&*mirror.store, path, data_length, patience).await {
                Err(error) => Failure::Fetch(error),
                Ok(data) => {
                    let check = Arc::clone(&check);
                    let checked = tokio::task::spawn_blocking(move || check(data)).await;
                    match checked.unwrap_or_else(|error| Err(format!("checking it stopped: {error}"))) {
                        Ok(found) => {
                            self.preferred.store(at, Ordering::Relaxed);
                            return Ok(found);
                        }
                        Err(reason) => Failure::Wrong(reason),
                    }
                }
            };
            if self.mirrors.len() > 1 {
                tracing::warn!(mirror = mirror.name, %path, reason = %failure, "mirror passed over");
            }
            failures.push((at, failure));
        }
        // In the order in which they were given, whichever was asked first.
        failures.sort_by_key(|(at, _)| *at);
        let named = failures.into_iter().map(|(at, failure)| (self.mirrors[at].name.clone(), failure));
        Err(MirrorsError { failures: named.collect() })
    }
}

impl fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn check(data: Vec<u8>) -> Result<Vec<u8>, String> {
        if data == b"right" { Ok(data) } else { Err("the digest differs".to_owned()) }
    }

    fn path() -> Path {
        Path::from("blobs/x.zst")
    }

    async fn place(bytes: Option<&[u8]>) -> Arc<dyn ObjectStore> {
        let store = InMemory::new();
        if let Some(bytes) = bytes {
            store.put(&path(), bytes.to_vec().into()).await.unwrap();
        }
        Arc::new(store)
    }

    fn stored(data: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(data, 3).unwrap()
    }

    #[tokio::test]
    async fn one_honest_mirror_is_enough_and_is_asked_first_from_then_on() {
        let bomb = stored(&vec![0; 1 << 20]);
        let stores = [
            ("corrupt".to_owned(), place(Some(&stored(b"wrong"))).await),
            ("empty".to_owned(), place(None).await),
            ("bomb".to_owned(), place(Some(&bomb)).await),
            ("large".to_owned(), place(Some(&[0; 8_192])).await),
            ("honest".to_owned(), place(Some(&stored(b"right"))).await),
        ];
        let mirrors = Mirrors::new(stores);
        assert_eq!(mirrors.fetch(&path(), 5, PATIENCE, check).await.unwrap(), b"right");
        assert_eq!(mirrors.preferred.load(Ordering::Relaxed), 4);
        assert_eq!(mirrors.fetch(&path(), 5, PATIENCE, check).await.unwrap(), b"right");
    }

    #[tokio::test]
    async fn when_all_fail_each_is_named_with_its_reason() {
        let stores = [
            ("https://a.example/".to_owned(), place(Some(&stored(b"wrong"))).await),
            ("s3://b".to_owned(), place(None).await),
            ("gs://c".to_owned(), place(Some(b"no zstd")).await),
        ];
        let mirrors = Mirrors::new(stores);
        let error = mirrors.fetch(&path(), 5, PATIENCE, check).await.unwrap_err();
        assert!(!error.is_wrong(), "one of them may get it yet");
        let text = error.to_string();
        assert!(
            text.starts_with("https://a.example/: the digest differs; s3://b: blobs/x.zst is not in the"),
            "{text}"
        );
        assert!(text.contains("; gs://c: the stored blob does not decompress"), "{text}");
        let mirrors = Mirrors::new([("a".to_owned(), place(Some(&stored(b"wrong"))).await)]);
        assert!(mirrors.fetch(&path(), 5, PATIENCE, check).await.unwrap_err().is_wrong());
        let none = Mirrors::new([]).fetch(&path(), 5, PATIENCE, check).await.unwrap_err();
        assert!(!none.is_wrong() && none.to_string().contains("no place to fetch from"), "{none}");
    }
}
