//! Fetching a batch's data by its digest: bounded in what is read, and in what it inflates to.

use crate::verify::Refusal;
use bytes::Bytes;
use cairn_types::{BatchHeader, Digest};
use futures::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Largest window that a blob's compression may use (2^27 bytes): what the decompressor allocates at most.
const WINDOW_LOG_MAX: u32 = 27;

/// Why a blob could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not there, not yet, or not now: worth another try.
    #[error("{0}")]
    Missing(String),
    /// There, and not what the header says. The object may be replaced, so this too is tried again, and named.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Path of a batch's data: `blobs/<data digest>.zst`, zstd over the canonical bytes.
#[must_use]
pub fn blob_path(data_digest: &Digest) -> Path {
    Path::from(cairn_types::blob_path(data_digest))
}

/// Bytes that a stored blob may have: zstd never needs more for `data_length` bytes, frame headers included.
#[must_use]
pub fn compressed_limit(data_length: u64) -> u64 {
    data_length.saturating_add(data_length / 128).saturating_add(4_096)
}

/// Fetches and inflates the data that `header` names. Its digest is not checked here.
///
/// It is inflated while it arrives: of the stored bytes only a few chunks are in memory at a time.
///
/// # Errors
/// [`FetchError`] when it is not there, or not of the size that the header says.
pub async fn fetch(
    store: &Arc<dyn ObjectStore>,
    header: &BatchHeader,
    patience: Duration,
) -> Result<Vec<u8>, FetchError> {
    let path = blob_path(&header.data_digest);
    let data_length = header.data_length;
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let inflating =
        tokio::task::spawn_blocking(move || inflate(Arriving { receiver, chunk: Bytes::new() }, data_length));
    let reading = tokio::time::timeout(patience, read_bounded(store, &path, data_length, sender));
    let read = reading
        .await
        .map_err(|_| FetchError::Missing(format!("reading {path} took longer than {} s", patience.as_secs())))
        .flatten();
    // Whatever ended the reading has closed the channel, so this ends too.
    let inflated =
        inflating.await.map_err(|error| FetchError::Missing(format!("inflating {path} stopped: {error}")))?;
    // A part of an object inflates to nothing that is worth a word: why it is a part comes first.
    read?;
    inflated.map_err(FetchError::Refused)
}

/// Chunks of a stored object that wait to be inflated.
const CHUNKS: usize = 4;

/// Sends the object's bytes on, as long as somebody wants them and they are no more than `data_length` bytes can need.
async fn read_bounded(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    data_length: u64,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), FetchError> {
    let most = compressed_limit(data_length);
    let oversized = |found| FetchError::Refused(Refusal::Oversized { found, data_length, most });
    let missing = |error: object_store::Error| match error {
        object_store::Error::NotFound { .. } => FetchError::Missing(format!("{path} is not in the object store")),
        other => FetchError::Missing(format!("{path} cannot be read: {other}")),
    };
    let found = store.get(path).await.map_err(missing)?;
    if found.meta.size > most {
        return Err(oversized(found.meta.size));
    }
    // The size that a store states is not relied on: what arrives is counted.
    let mut total = 0_u64;
    let mut stream = found.into_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(missing)?;
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
/// [`Refusal::Bomb`] and [`Refusal::Compression`].
pub fn inflate(compressed: impl Read, data_length: u64) -> Result<Vec<u8>, Refusal> {
    let mut decoder = zstd::stream::read::Decoder::new(compressed).map_err(Refusal::Compression)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(Refusal::Compression)?;
    let mut data = Vec::new();
    decoder.take(data_length.saturating_add(1)).read_to_end(&mut data).map_err(Refusal::Compression)?;
    if data.len() as u64 > data_length {
        return Err(Refusal::Bomb { data_length });
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
        assert!(matches!(error, Refusal::Bomb { data_length: 1_000 }));
        assert_eq!(inflate(bomb.as_slice(), 64 << 20).unwrap().len(), 64 << 20);
    }

    #[test]
    fn cut_and_foreign_bytes_do_not_inflate() {
        let stored = zstd::bulk::compress(b"some data that is long enough to be cut in two", 3).unwrap();
        for length in 1..stored.len() {
            assert!(matches!(inflate(&stored[..length], 1 << 20), Err(Refusal::Compression(_))), "cut at {length}");
        }
        assert!(matches!(inflate(&b"not zstd at all"[..], 1 << 20), Err(Refusal::Compression(_))));
        assert!(matches!(inflate(&b""[..], 1 << 20), Err(Refusal::Compression(_))));
    }
}
