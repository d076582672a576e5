//! Published data: where it may lie, opening such a place, putting objects there, and fetching them from mirrors.
//!
//! | module | what |
//! |---|---|
//! | [`paths`] | where a batch's data and its proof lie under a base URL |
//! | [`location`] | base URLs, and which of them are followed on whose word |
//! | [`open`] | from a base URL to an object store, with bounded waits and retries |
//! | [`publish`] | compressing and putting |
//! | [`fetch`] | reading one object: bounded in what is read, and in what it inflates to |
//! | [`mirrors`] | the same object from several places, until one has the right bytes |
//!
//! Nothing here is trusted: every object is named by a digest of what it has to contain, and whoever fetches checks it.

pub mod fetch;
pub mod location;
pub mod mirrors;
mod net;
pub mod open;
pub mod paths;
pub mod publish;

pub use fetch::{FetchError, compressed_limit};
pub use location::{Location, LocationError, Trust};
pub use mirrors::{Failure, Mirrors, MirrorsError};
pub use open::{OpenError, install_tls, local_folder, open};
pub use paths::{blob_path, proof_path};
pub use publish::{PublishError, compress, put};
