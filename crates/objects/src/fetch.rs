//! Reading one compressed object: bounded in what is read, and in what it inflates to.

use crate::open::redacted;
use bytes::Bytes;
use futures::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::io::Read;
use std::time::Duration;
use tokio::sync::mpsc;

/// Largest window that a blob's compression may use (2^27 bytes): what the decompressor allocates at most.
const WINDOW_LOG_MAX: u32 = 27;
/// Chunks of a stored object that wait to be inflated.
const CHUNKS: usize = 4;

/// Why an object could not be had from one place.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is not there, or not yet.
    #[error("{0} is not in the object store")]
    Missing(Path),
    /// It cannot be read now.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The object.
        path: Path,
        /// The object store's own words.
        reason: String,
    },
    /// It did not arrive in time.
    #[error("reading {path} took longer than {} s", patience.as_secs())]
    Slow {
        /// The object.
        path: Path,
        /// The time that it had.
        patience: Duration,
    },
    /// It is larger than anything that compresses to it could need.
    #[error("the stored blob has {found} bytes, data of {data_length} bytes never compresses to over {most}")]
    Oversized {
        /// Bytes in the store.
        found: u64,
        /// As the header says.
        data_length: u64,
        /// What is accepted.
        most: u64,
    },
    /// It inflates past its length.
    #[error("the blob inflates past the {data_length} bytes that the header says: reading stopped there")]
    Bomb {
        /// As the header says.
        data_length: u64,
    },
    /// It is not zstd.
    #[error("the stored blob does not decompress: {0}")]
    Compression(std::io::Error),
}

impl FetchError {
    /// Whether something is there that is not what it is called, rather than nothing.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        matches!(self, Self::Oversized { .. } | Self::Bomb { .. } | Self::Compression(_))
    }
}

/// Bytes that a stored blob may have: zstd never needs more for `data_length` bytes, frame headers included.
#[must_use]
pub fn compressed_limit(data_length: u64) -> u64 {
    data_length.saturating_add(data_length / 128).saturating_add(4_096)
}

/// Fetches and inflates the object at `path`, which has to give up to `data_length` bytes. Whether they are the right ones
/// is for the caller to check.
///
/// It is inflated while it arrives: of the stored bytes only a few chunks are in memory at a time.
///
/// # Errors
/// [`FetchError`] when it is not there, or not of that size.
pub async fn fetch(
    store: &dyn ObjectStore,
    path: &Path,
    data_length: u64,
    patience: Duration,
) -> Result<Vec<u8>, FetchError> {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let inflating =
        tokio::task::spawn_blocking(move || inflate(Arriving { receiver, chunk: Bytes::new() }, data_length));
    let reading = tokio::time::timeout(patience, read_bounded(store, path, data_length, sender));
    let read = reading.await.map_err(|_| FetchError::Slow { path: path.clone(), patience }).flatten();
    // Whatever ended the reading has closed the channel, so this ends too.
    let inflated = inflating.await.map_err(|error| FetchError::Unreadable {
        path: path.clone(),
        reason: format!("inflating stopped: {error}"),
    })?;
    // A part of an object inflates to nothing that is worth a word: why it is a part comes first.
    read?;
    inflated
}

/// Sends the object's bytes on, as long as somebody wants them and they are no more than `data_length` bytes can need.
async fn read_bounded(
    store: &dyn ObjectStore,
    path: &Path,
    data_length: u64,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), FetchError> {
    let most = compressed_limit(data_length);
    let oversized = |found| FetchError::Oversized { found, data_length, most };
    let failed = |error: object_store::Error| match error {
        object_store::Error::NotFound { .. } => FetchError::Missing(path.clone()),
        other => FetchError::Unreadable { path: path.clone(), reason: redacted(&other.to_string()) },
    };
    let found = store.get(path).await.map_err(failed)?;
    if found.meta.size > most {
        return Err(oversized(found.meta.size));
    }
    // The size that a store states is not relied on: what arrives is counted.
    let mut total = 0_u64;
    let mut stream = found.into_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(failed)?;
        total = total.saturating_add(chunk.len() as u64);
        if total > most {
            return Err(oversized(total));
        }
        if sender.send(chunk).await.is_err() {
            // It was inflated as far as it may be, or cannot be: that is what the other end says.
            return Ok(());
        }
    }
    Ok(())
}

/// The bytes of an object, as they arrive.
struct Arriving {
    receiver: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(chunk) = self.receiver.blocking_recv() else { return Ok(0) };
            self.chunk = chunk;
        }
        let length = buffer.len().min(self.chunk.len());
        buffer[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}

/// Inflates up to `data_length` bytes; one more is a bomb.
///
/// # Errors
/// [`FetchError::Bomb`] and [`FetchError::Compression`].
pub fn inflate(compressed: impl Read, data_length: u64) -> Result<Vec<u8>, FetchError> {
    let mut decoder = zstd::stream::read::Decoder::new(compressed).map_err(FetchError::Compression)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(FetchError::Compression)?;
    let mut data = Vec::new();
    decoder.take(data_length.saturating_add(1)).read_to_end(&mut data).map_err(FetchError::Compression)?;
    if data.len() as u64 > data_length {
        return Err(FetchError::Bomb { data_length });
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compresses_worst_still_fits_the_limit() {
        // Incompressible: the output of BLAKE3's extendable hash would do as well; a linear generator is enough.
        let mut state = 1_u64;
        for length in [0, 1, 127, 128, 1 << 17, (1 << 17) + 1, 3 << 20] {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 56) as u8
                })
                .collect();
            for level in [1, 3, 19] {
                let stored = zstd::bulk::compress(&noise, level).unwrap();
                assert!(stored.len() as u64 <= compressed_limit(length), "{length} bytes at level {level}");
                assert_eq!(inflate(stored.as_slice(), length).unwrap(), noise);
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_length_that_the_header_says() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
        assert!(bomb.len() < 8_192, "64 MiB in {} bytes", bomb.len());
        let error = inflate(bomb.as_slice(), 1_000).unwrap_err();
        assert!(matches!(error, FetchError::Bomb { data_length: 1_000 }));
        assert_eq!(inflate(bomb.as_slice(), 64 << 20).unwrap().len(), 64 << 20);
    }

    #[test]
    fn cut_and_foreign_bytes_do_not_inflate() {
        let stored = zstd::bulk::compress(b"some data that is long enough to be cut in two", 3).unwrap();
        for length in 1..stored.len() {
            assert!(matches!(inflate(&stored[..length], 1 << 20), Err(FetchError::Compression(_))), "cut at {length}");
        }
        assert!(matches!(inflate(&b"not zstd at all"[..], 1 << 20), Err(FetchError::Compression(_))));
        assert!(matches!(inflate(&b""[..], 1 << 20), Err(FetchError::Compression(_))));
    }
}
