//! The store here: a connection to its daemon, and closures of its paths.

use std::{
    collections::BTreeSet,
    env,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use daemon::{Client, ConnectError, DEFAULT_SOCKET, Stream};
use run::{Command, Output};
use store::{
    closure::Closure,
    store_path::{StoreDir, StorePath},
};
use thiserror::Error;

/// Where Nix's own programs look for another socket than the default one.
const SOCKET_VARIABLE: &str = "NIX_DAEMON_SOCKET_PATH";

/// Why there is no connection to the store here.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectLocalError {
    /// There is a socket, but it cannot be connected to.
    #[error("cannot connect to the Nix daemon's socket {}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody listens at the socket, and a daemon of our own cannot be started.
    #[error("no Nix daemon listens at {}, and `nix-daemon --stdio` cannot be started", path.display())]
    Start {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: run::Error,
    },
    /// The daemon does not greet as one.
    #[error("the Nix daemon here cannot be talked to")]
    Greeting(#[from] ConnectError),
}

/// Connects to the daemon of the store here: at its socket, or where nobody listens there to a
/// `nix-daemon --stdio` of our own, which ends with the connection.
///
/// # Errors
/// If neither can be had, or it does not speak as a daemon.
pub fn local_daemon() -> Result<Client, ConnectLocalError> {
    let path = env::var_os(SOCKET_VARIABLE).map_or_else(|| PathBuf::from(DEFAULT_SOCKET), PathBuf::from);
    let stream = match Stream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            start_daemon(&path)?
        }
        Err(source) => return Err(ConnectLocalError::Socket { path, source }),
    };
    Ok(Client::connect(stream, StoreDir::default())?)
}

fn start_daemon(path: &Path) -> Result<Stream, ConnectLocalError> {
    let failed = |source| ConnectLocalError::Start { path: path.to_owned(), source };
    let command = Command::new("nix-daemon").arg("--stdio").input_pipe().stdout(Output::Pipe);
    let name = command.to_string();
    let mut child = command.spawn().map_err(failed)?;
    let Some((output, input)) = child.take_streams() else {
        let source = ErrorKind::NotConnected.into();
        return Err(failed(run::Error::Lost { command: name, source }));
    };
    let child = Mutex::new(child);
    let hang_up = move || child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    Ok(Stream::new(output, input, hang_up))
}

/// Why a closure cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClosureError {
    /// The daemon refused, or the connection failed.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    /// A path is not in the store, or not any more.
    #[error("{path} is not in the store here")]
    NotValid {
        /// The path.
        path: StorePath,
    },
    /// What the daemon says of the paths contradicts itself.
    #[error("the store here is inconsistent")]
    Inconsistent(#[from] store::closure::ClosureError),
}

/// All that `root` refers to, directly or not, and itself. What the paths of one level refer to is asked for at once.
///
/// # Errors
/// If the connection fails or a path is missing.
pub fn closure(client: &mut Client, root: &StorePath) -> Result<Closure, ClosureError> {
    let mut infos = Vec::new();
    let mut seen = BTreeSet::from([root.clone()]);
    let mut open = seen.clone();
    while !open.is_empty() {
        let found = client.query_path_infos(&open)?;
        if let Some(path) = open.into_iter().find(|path| !found.contains_key(path)) {
            return Err(ClosureError::NotValid { path });
        }
        open = found.values().flat_map(|info| &info.references).cloned().collect();
        open.retain(|path| seen.insert(path.clone()));
        infos.extend(found.into_values());
    }
    Ok(Closure::new(infos)?)
}
