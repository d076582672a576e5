//! Built circuits and no-op proofs on disk. Loading is several times as fast as building (figures in `README.md`), for
//! 0.6 GB (`dev`) or 1.1 GB (`production`) of disk.
//!
//! A file is named after the layer and the fingerprint that it must have. It begins with the BLAKE3 of what follows,
//! which finds corruption; whether the circuit is the right one is decided by its recomputed fingerprint alone. A file that fails
//! either is ignored, and replaced by what is built instead.

use crate::fingerprint::Fingerprint;
use crate::plonk::{Circuit, Config, Data, Proof};
use crate::serializers::{Gates, Generators};
use crate::{Layer, Profile};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Names the folder of the cache; empty switches it off.
pub const VARIABLE: &str = "CAIRN_CACHE";

/// Where built circuits are kept, if anywhere.
#[derive(Debug, Clone)]
pub struct Cache(Option<PathBuf>);

impl Cache {
    /// `$CAIRN_CACHE`, else `$XDG_CACHE_HOME/cairn`, else `$HOME/.cache/cairn`, each with `circuits` below it.
    #[must_use]
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let base = if std::env::var_os(VARIABLE).is_some() {
            variable(VARIABLE)
        } else {
            let user = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
            user.map(|folder| folder.join("cairn"))
        };
        Self(base.map(|folder| folder.join("circuits")))
    }

    /// A cache in `folder`.
    #[must_use]
    pub const fn at(folder: PathBuf) -> Self {
        Self(Some(folder))
    }

    /// No cache.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The file of something that belongs to a layer's circuit.
    #[must_use]
    pub fn file(&self, profile: Profile, layer: Layer, kind: Kind, fingerprint: &Fingerprint) -> Option<PathBuf> {
        let short = &fingerprint.to_string()[..16];
        self.0.as_ref().map(|folder| folder.join(format!("{}{short}.bin", prefix(profile, layer, kind))))
    }

    /// A circuit with this fingerprint, if there is an intact file of one.
    #[must_use]
    pub fn circuit<K: Config>(&self, profile: Profile, layer: Layer, fingerprint: &Fingerprint) -> Option<Data<K>> {
        let body = read(&self.file(profile, layer, Kind::Circuit, fingerprint)?)?;
        let circuit = Data::<K>::from_bytes(&body, &Gates, &Generators).ok()?;
        (Fingerprint::of_circuit(&circuit) == *fingerprint).then_some(circuit)
    }

    /// Keeps a circuit, and drops files of the same layer with other fingerprints. A cache that cannot be written costs
    /// time at the next start and nothing else, so callers may ignore the error.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keep_circuit<K: Config>(
        &self,
        profile: Profile,
        layer: Layer,
        fingerprint: &Fingerprint,
        circuit: &Data<K>,
    ) -> io::Result<()> {
        let body = || {
            circuit
                .to_bytes(&Gates, &Generators)
                .map_err(|_| io::Error::other("a gate that is not in the list of gates"))
        };
        self.keep(profile, layer, Kind::Circuit, fingerprint, body)
    }

    /// The no-op proof of a circuit, if there is an intact file of one. The caller verifies it.
    #[must_use]
    pub fn no_op(&self, profile: Profile, layer: Layer, fingerprint: &Fingerprint, circuit: &Circuit) -> Option<Proof> {
        let body = read(&self.file(profile, layer, Kind::NoOp, fingerprint)?)?;
        Proof::from_bytes(body, &circuit.common).ok()
    }

    /// Keeps a no-op proof.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keep_no_op(
        &self,
        profile: Profile,
        layer: Layer,
        fingerprint: &Fingerprint,
        proof: &Proof,
    ) -> io::Result<()> {
        self.keep(profile, layer, Kind::NoOp, fingerprint, || Ok(proof.to_bytes()))
    }

    fn keep(
        &self,
        profile: Profile,
        layer: Layer,
        kind: Kind,
        fingerprint: &Fingerprint,
        body: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<()> {
        let (Some(folder), Some(path)) = (&self.0, self.file(profile, layer, kind, fingerprint)) else {
            return Ok(());
        };
        let body = body()?;
        fs::create_dir_all(folder)?;
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = File::create(&temporary)?;
        file.write_all(&checksum(&body))?;
        file.write_all(&body)?;
        drop(file);
        fs::rename(&temporary, &path)?;
        remove_others(folder, &prefix(profile, layer, kind), &path)
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A circuit.
    Circuit,
    /// The proof of nothing.
    NoOp,
}

fn prefix(profile: Profile, layer: Layer, kind: Kind) -> String {
    let kind = match kind {
        Kind::Circuit => "circuit",
        Kind::NoOp => "no-op",
    };
    format!("{profile}-{layer}-{kind}-")
}

/// The contents of an intact file. plonky2 indexes what it reads without checks, so it may only see bytes that were
/// written here.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = fs::read(path).ok()?;
    let stated = bytes.first_chunk::<32>().copied()?;
    bytes.drain(..32);
    (stated == checksum(&bytes)).then_some(bytes)
}

fn checksum(body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("cairn v1 circuit file");
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

fn remove_others(folder: &Path, prefix: &str, keep: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(prefix) && name.ends_with(".bin") && path != keep {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
