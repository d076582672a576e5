//! Where things lie under a base URL.

use cairn_types::Digest;
use object_store::path::Path;

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
