//! Putting objects where others find them.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

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
    use crate::{blob_path, local_folder};
    use cairn_types::Digest;

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
