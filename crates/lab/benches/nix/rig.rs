//! Copies of an image, each with a daemon. Only for a mount and a process namespace that nobody else is in.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use daemon::Stream;
use lab::wait;
use run::{Child, Command, Output};
use store::store_path::StorePath;

/// A file system in memory that this program and all copies see under this name.
const MEMORY: &str = "/dev/shm";

const START_LIMIT: Duration = Duration::from_secs(30);

/// No network, no sandbox inside a sandbox, and nobody else to run builders as.
const CONFIGURATION: &str = "sandbox = false\nsubstituters =\nbuild-users-group =\ntrusted-users = root\n";

/// A place for copies.
pub(crate) struct Rig(());

/// A copy of an image with a daemon that runs.
pub(crate) struct Nix {
    root: PathBuf,
    socket: String,
    _daemon: Child,
}

impl Rig {
    /// Covers [`MEMORY`] with one of our own, which goes with the namespace.
    pub(crate) fn new() -> Self {
        mount(&["-t", "tmpfs", "-o", "mode=1777", "tmpfs", MEMORY]);
        Self(())
    }

    /// Makes a writable copy of the image in the layers `lower` and starts its daemon.
    pub(crate) fn start(&self, lower: &str, name: &str) -> Nix {
        let directory = Path::new(MEMORY).join(format!("image-{name}"));
        let place = |name: &str| {
            let path = directory.join(name);
            fs::create_dir_all(&path).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (upper, work, root) = (place("upper"), place("work"), place("root"));
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        mount(&["-t", "overlay", "-o", &options, "overlay", &root]);
        mount(&["--rbind", "/dev", &format!("{root}/dev")]);
        mount(&["--rbind", "/proc", &format!("{root}/proc")]);
        let socket = format!("{MEMORY}/socket-{name}");
        let daemon = command(Path::new(&root), &["nix-daemon"]).env("NIX_DAEMON_SOCKET_PATH", &socket);
        let daemon = daemon.stdout(Output::Null).spawn().unwrap();
        let nix = Nix { root: root.into(), socket, _daemon: daemon };
        let listens = || Stream::connect(nix.socket.as_ref()).is_ok();
        wait::until_true("the daemon to listen", START_LIMIT, listens).unwrap();
        nix
    }
}

impl Nix {
    pub(crate) fn connect(&self) -> Stream {
        Stream::connect(self.socket.as_ref()).unwrap()
    }

    /// The daemon's socket, which has this name here and in all copies.
    pub(crate) fn socket(&self) -> &str {
        &self.socket
    }

    /// Where the files of a path in its store are.
    pub(crate) fn file(&self, path: &StorePath) -> PathBuf {
        self.root.join("nix/store").join(path.to_string())
    }

    /// Runs one of the image's programs; panics if it fails.
    pub(crate) fn run(&self, words: &[&str]) {
        command(&self.root, words).run().unwrap();
    }
}

fn command(root: &Path, words: &[&str]) -> Command {
    let command = Command::new("chroot").arg(root).args(words).env_clear();
    let command = command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
    command.env("NIX_CONFIG", CONFIGURATION)
}

fn mount(arguments: &[&str]) {
    Command::new("mount").args(arguments).run().unwrap();
}
