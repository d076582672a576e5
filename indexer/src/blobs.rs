//! Where batches' data comes from: an operator's mirrors, or what the rollup says on chain.

pub use cairn_objects::blob_path;
use cairn_objects::{Location, Mirrors, Trust};
use object_store::ObjectStore;
use std::fmt;
use std::sync::Arc;

/// The name of a data directory's own store in messages.
const OWN: &str = "the data directory";

/// Where batches' data comes from.
#[derive(Clone)]
pub enum Blobs {
    /// These mirrors, whatever the chain says: `--blobs`.
    Mirrors(Arc<Mirrors>),
    /// What `Rollup.blob_location` says, now and whenever it changes.
    OnChain {
        /// A store of this machine that is asked first: that of the sequencer whose data directory it is.
        own: Option<Arc<dyn ObjectStore>>,
    },
}

impl Blobs {
    /// The mirrors at these base URLs or folders, the first preferred; what the chain says when there are none.
    ///
    /// # Errors
    /// For the first that cannot be opened.
    pub fn open(locations: &[Location], own: Option<Arc<dyn ObjectStore>>) -> Result<Self, cairn_objects::OpenError> {
        if locations.is_empty() {
            return Ok(Self::OnChain { own });
        }
        Ok(Self::Mirrors(Arc::new(Mirrors::open(locations)?)))
    }

    /// One store, whatever the chain says.
    #[must_use]
    pub fn only(store: Arc<dyn ObjectStore>) -> Self {
        Self::Mirrors(Arc::new(Mirrors::new([(OWN.to_owned(), store)])))
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirrors(mirrors) => f.debug_tuple("Mirrors").field(mirrors).finish(),
            Self::OnChain { own } => f.debug_struct("OnChain").field("own", &own.is_some()).finish(),
        }
    }
}

/// Mirrors as they follow from the last look at the chain.
pub(crate) struct Source {
    blobs: Blobs,
    /// What the chain said last, and what came of it.
    said: Option<String>,
    mirrors: Result<Arc<Mirrors>, String>,
}

impl Source {
    pub fn new(blobs: Blobs) -> Self {
        let mirrors = match &blobs {
            Blobs::Mirrors(mirrors) => Ok(mirrors.clone()),
            Blobs::OnChain { .. } => Err("the rollup has not been read yet".to_owned()),
        };
        Self { blobs, said: None, mirrors }
    }

    /// Takes over what the chain says.
    pub fn hear(&mut self, location: &str) {
        let Blobs::OnChain { own } = &self.blobs else { return };
        if self.said.as_deref() == Some(location) {
            return;
        }
        let found = follow(location);
        match (&found, location.is_empty()) {
            (Ok(_), _) => tracing::info!(location, "data is fetched from where the rollup says"),
            (Err(_), true) => tracing::debug!("the rollup does not say where its data is"),
            (Err(reason), false) => tracing::warn!(%reason, "the rollup's blob_location is not followed"),
        }
        let own = own.iter().map(|store| (OWN.to_owned(), store.clone()));
        self.mirrors = match found {
            Ok(store) => Ok(Arc::new(Mirrors::new(own.chain([store])))),
            Err(_) if own.len() > 0 => Ok(Arc::new(Mirrors::new(own))),
            Err(reason) => Err(reason),
        };
        self.said = Some(location.to_owned());
    }

    /// The mirrors, or why there are none.
    pub fn mirrors(&self) -> Result<Arc<Mirrors>, String> {
        self.mirrors.clone()
    }
}

/// The store that a rollup's `blob_location` names.
fn follow(location: &str) -> Result<(String, Arc<dyn ObjectStore>), String> {
    if location.is_empty() {
        return Err("the rollup does not say where its data is: give --blobs URL".to_owned());
    }
    let refused = |reason: String| format!("the rollup's blob_location is not followed: {reason}; give --blobs URL");
    let found = Location::parse(location, Trust::Chain).map_err(|error| refused(error.to_string()))?;
    let store = found.open().map_err(|error| refused(error.to_string()))?;
    Ok((found.to_string(), store))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    fn names(source: &Source) -> Vec<String> {
        source.mirrors().unwrap().names().map(str::to_owned).collect()
    }

    #[test]
    fn what_the_chain_says_is_followed_where_it_may_be_and_whenever_it_changes() {
        let mut source = Source::new(Blobs::OnChain { own: None });
        assert!(source.mirrors().is_err());
        source.hear("");
        assert!(source.mirrors().unwrap_err().contains("--blobs URL"));
        source.hear("https://blobs.example.org/rollup");
        assert_eq!(names(&source), ["https://blobs.example.org/rollup"]);
        source.hear("s3://bucket/path");
        assert_eq!(names(&source), ["s3://bucket/path"]);
        for refused in
            ["file:///etc", "http://blobs.example.org/", "https://127.0.0.1/", "https://localhost/", "nonsense"]
        {
            source.hear(refused);
            let reason = source.mirrors().unwrap_err();
            assert!(reason.contains("blob_location is not followed") && reason.contains("--blobs"), "{reason}");
        }
        source.hear("https://a.example/?key=sesame");
        assert!(!source.mirrors().unwrap_err().contains("sesame"));
    }

    #[test]
    fn a_data_directory_is_asked_first_and_an_operators_mirrors_override_the_chain() {
        let own: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut source = Source::new(Blobs::OnChain { own: Some(own.clone()) });
        source.hear("");
        assert_eq!(names(&source), [OWN]);
        source.hear("https://blobs.example.org/");
        assert_eq!(names(&source), [OWN, "https://blobs.example.org/"]);
        source.hear("http://blobs.example.org/");
        assert_eq!(names(&source), [OWN]);
        let mut source = Source::new(Blobs::only(own));
        source.hear("https://blobs.example.org/");
        assert_eq!(names(&source), [OWN]);
    }
}
