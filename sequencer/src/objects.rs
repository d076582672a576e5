//! Published data: where it lies in the object store, and putting it there.

use std::path::Path as FolderPath;

use bytes::Bytes;
use cairn_types::Digest;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// Compression of published data: transport only, no digest is taken over it.
const ZSTD_LEVEL: i32 = 9;

/// Why something could not be published.
#[derive(Debug, thiserror::Error)]
#[error("cannot publish {path}; check the object store and the rights to write there")]
pub struct PublishError {
    /// The object.
    pub path: Path,
    /// The object store's own words.
    #[source]
    pub source: object_store::Error,
}

/// Path of a batch's data: `blobs/<data digest>.zst`, zstd over the canonical bytes.
#[must_use]
pub fn blob_path(data_digest: &Digest) -> Path {
    Path::from(cairn_types::blob_path(data_digest))
}

/// Path of a batch's proof: `proofs/<header digest>.proof`.
#[must_use]
pub fn proof_path(statement: &Digest) -> Path {
    Path::from(format!("proofs/{statement}.proof"))
}

/// A folder of this machine as an object store: every object is on disk before its `put` returns.
///
/// # Errors
/// When the folder cannot be made or used.
pub fn local_folder(folder: &FolderPath) -> Result<LocalFileSystem, object_store::Error> {
    std::fs::create_dir_all(folder)
        .map_err(|source| object_store::Error::Generic { store: "LocalFileSystem", source: source.into() })?;
    Ok(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))
}

/// A batch's data as it is stored. Blocks.
///
/// # Errors
/// When memory fails.
pub fn compress(data: &[u8]) -> std::io::Result<Bytes> {
    Ok(zstd::bulk::compress(data, ZSTD_LEVEL)?.into())
}

/// Puts an object under a path that its content decides: doing it again, also after half of it was done, is the same.
///
/// # Errors
/// [`PublishError`].
pub async fn put(objects: &dyn ObjectStore, path: Path, bytes: Bytes) -> Result<(), PublishError> {
    match objects.put(&path, bytes.into()).await {
        Ok(_) => Ok(()),
        Err(source) => Err(PublishError { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn putting_an_object_twice_leaves_one_that_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let objects = local_folder(&folder.path().join("data")).unwrap();
        let path = blob_path(&Digest::from_byte_digest([1; 32]));
        let data = vec![7; 100_000];
        for _ in 0..2 {
            put(&objects, path.clone(), compress(&data).unwrap()).await.unwrap();
        }
        let stored = objects.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(zstd::bulk::decompress(&stored, data.len()).unwrap(), data);
        let text = path.to_string();
        assert!(text.starts_with("blobs/") && text.ends_with(".zst") && text.len() == 64 + 10, "{text}");
    }
}
