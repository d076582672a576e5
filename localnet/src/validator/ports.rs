//! Ports of a validator: a block of consecutive ones, kept in its folder so that every start uses the same.

use rand::Rng as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

/// Name of the file in the validator's folder.
const FILE: &str = "port";
/// The most that is read of it.
const MAX_FILE_BYTES: u64 = 16;
/// Ports in a block.
const BLOCK: u16 = 40;
/// Where free blocks are looked for: above services, below the ports that systems give to outgoing connections.
const FREE: std::ops::Range<u16> = 10_000..32_000;
/// Blocks that are tried.
const ATTEMPTS: usize = 200;

/// The ports of one validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ports {
    /// The first of the block: JSON-RPC.
    base: u16,
}

/// Which ports to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// The block that begins here.
    Fixed(u16),
    /// The block of the last start, or any free one.
    Kept,
}

/// Why there are no ports.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The file.
    #[error("cannot use {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} holds no port number: delete it, and the validator takes other ports")]
    Format {
        /// Which.
        path: PathBuf,
    },
    /// The block ends beyond the last port.
    #[error("ports {0} and up do not leave room for the validator's {BLOCK}: give a smaller --port-offset")]
    Range(u16),
    /// Somebody else listens.
    #[error("port {port} is taken: stop what listens there, or give another --port-offset")]
    Taken {
        /// Which.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Every try failed.
    #[error("no {BLOCK} consecutive ports are free")]
    NoneFree,
}

impl Ports {
    /// The ports that `choice` means for the validator in `folder`, all of them free now; kept there for the next start.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn choose(folder: &Path, choice: PortChoice) -> Result<Self, PortError> {
        let path = folder.join(FILE);
        let ports = match (choice, read(&path)?) {
            (PortChoice::Fixed(base), _) | (PortChoice::Kept, Some(base)) => {
                let ports = Self::at(base)?;
                ports.check()?;
                ports
            }
            (PortChoice::Kept, None) => free()?,
        };
        fs::write(&path, format!("{}\n", ports.base)).map_err(|source| PortError::Io { path, source })?;
        Ok(ports)
    }

    fn at(base: u16) -> Result<Self, PortError> {
        match base.checked_add(BLOCK) {
            Some(_) if base > 0 => Ok(Self { base }),
            _ => Err(PortError::Range(base)),
        }
    }

    /// JSON-RPC.
    #[must_use]
    pub fn rpc(self) -> u16 {
        self.base
    }

    /// Subscriptions: the validator puts them one above JSON-RPC.
    #[must_use]
    pub fn websocket(self) -> u16 {
        self.base + 1
    }

    /// The faucet.
    #[must_use]
    pub fn faucet(self) -> u16 {
        self.base + 2
    }

    /// Gossip.
    #[must_use]
    pub fn gossip(self) -> u16 {
        self.base + 3
    }

    /// What the validator takes further ports from: the first, and the one after the last.
    #[must_use]
    pub fn dynamic(self) -> (u16, u16) {
        (self.base + 10, self.base + BLOCK)
    }

    /// Whether every port can be bound.
    fn check(self) -> Result<(), PortError> {
        for port in self.base..self.base + BLOCK {
            let taken = |source| PortError::Taken { port, source };
            // The validator serves JSON-RPC at every address of the machine, whatever it is told.
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).map_err(taken)?;
            UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken)?;
        }
        Ok(())
    }
}

fn free() -> Result<Ports, PortError> {
    for _ in 0..ATTEMPTS {
        let ports = Ports::at(rand::thread_rng().gen_range(FREE))?;
        if ports.check().is_ok() {
            return Ok(ports);
        }
    }
    Err(PortError::NoneFree)
}

fn read(path: &Path) -> Result<Option<u16>, PortError> {
    let io = |source| PortError::Io { path: path.to_owned(), source };
    let format = || PortError::Format { path: path.to_owned() };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
        Ok(found) if found.len() > MAX_FILE_BYTES => return Err(format()),
        Ok(_) => {}
    }
    fs::read_to_string(path).map_err(io)?.trim().parse().map(Some).map_err(|_| format())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_kept_for_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let first = Ports::choose(folder.path(), PortChoice::Kept).unwrap();
        assert!(FREE.contains(&first.rpc()));
        assert_eq!(Ports::choose(folder.path(), PortChoice::Kept).unwrap(), first);
        assert_eq!((first.websocket(), first.faucet()), (first.rpc() + 1, first.rpc() + 2));
        assert!(first.gossip() < first.dynamic().0 && first.dynamic().1 - first.dynamic().0 >= 30);
    }

    #[test]
    fn a_taken_port_is_named_and_another_block_is_kept_instead() {
        let folder = tempfile::tempdir().unwrap();
        let first = Ports::choose(folder.path(), PortChoice::Kept).unwrap();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first.gossip())).unwrap();
        let error = Ports::choose(folder.path(), PortChoice::Kept).unwrap_err();
        assert!(error.to_string().contains(&first.gossip().to_string()), "{error}");
        let other = free().unwrap();
        assert_eq!(Ports::choose(folder.path(), PortChoice::Fixed(other.rpc())).unwrap(), other);
        assert_eq!(Ports::choose(folder.path(), PortChoice::Kept).unwrap(), other);
        drop(taken);
    }

    #[test]
    fn a_block_beyond_the_last_port_and_a_foreign_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for base in [0, 65_500] {
            assert!(matches!(Ports::choose(folder.path(), PortChoice::Fixed(base)), Err(PortError::Range(_))));
        }
        for text in ["", "seven", "70000", "11111111111111111111111"] {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert!(matches!(Ports::choose(folder.path(), PortChoice::Kept), Err(PortError::Format { .. })), "{text}");
        }
    }
}
