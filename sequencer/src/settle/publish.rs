//! Sealed → published: the batch's data goes to the object store, before its header goes anywhere.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::ObjectStore;
use tracing::info;

use super::error::StageError;
use super::stage_task::{Shared, Work};
use crate::blocking::blocking;
use crate::seal::rebuild::rebuild;
use crate::status::{BatchEvent, BatchSummary};
use crate::{Stage, metrics};

/// Publishes batches.
pub struct Publisher {
    /// Store, rollup, board.
    pub shared: Shared,
    /// Where to.
    pub objects: Arc<dyn ObjectStore>,
}

#[async_trait]
impl Work for Publisher {
    async fn finish(&mut self, number: u64) -> Result<(), StageError> {
        let Shared { store, rollup_id, board } = self.shared.clone();
        let log = Arc::clone(&store);
        let (sealed, compressed) = blocking(move || {
            let rebuilt = rebuild(&log, &rollup_id, number)?;
            // The rebuilt header is the sealed one, so these bytes have the digest that the header states.
            let data = rebuilt.batch.blob(&rebuilt.cursor);
            let compressed =
                cairn_objects::compress(&data).map_err(|source| StageError::Compress { number, source })?;
            Ok::<_, StageError>((rebuilt.sealed, compressed))
        })
        .await?;
        let path = cairn_objects::blob_path(&sealed.header.data_digest);
        let blob_bytes = compressed.len();
        cairn_objects::put(&*self.objects, path.clone(), compressed).await?;
        blocking(move || store.published(number)).await?;
        let (batch, data_bytes) = (BatchSummary::of(&sealed.header, sealed.header_digest), sealed.header.data_length);
        info!(batch = number, %path, data_bytes, blob_bytes, "batch published");
        metrics::published(data_bytes, blob_bytes);
        let blob_bytes = blob_bytes as u64;
        board.event(BatchEvent::Published { batch, path: path.to_string(), data_bytes, blob_bytes });
        board.passed(Stage::Published, number + 1, Some(batch));
        Ok(())
    }
}
