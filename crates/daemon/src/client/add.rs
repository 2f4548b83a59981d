//! Adding paths.

use std::{collections::BTreeSet, error, fmt, io::Write};

use store::{
    hash::Algorithm,
    path_info::PathInfo,
    store_path::{StoreDir, StorePath, StorePathName},
};

use super::{
    Client,
    upload::{SizedNar, Unsent, UploadError},
};
use crate::{framed::FrameWriter, operation::Operation, wire::Encoder};

/// What the daemon shall make of paths that are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddPolicy {
    /// Whether a path that is valid already is written again. Only trusted clients may ask for it.
    pub repair: bool,
    /// Whether a path needs the signature of a key that the daemon trusts, unless it is addressed by its
    /// content. It does for a client that is not trusted, whatever is asked for.
    pub check_signatures: bool,
}

/// How content is hashed to get its name, and in which form it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentMethod {
    /// The contents of a regular file that may have references, hashed with SHA-256.
    Text,
    /// The contents of a regular file that is not executable and has no references.
    Flat(Algorithm),
    /// A NAR; with [`Algorithm::Sha256`], what Nix itself makes of a source tree.
    Nar(Algorithm),
}

impl fmt::Display for ContentMethod {
    /// The form of the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text:sha256"),
            Self::Flat(algorithm) => write!(f, "fixed:{algorithm}"),
            Self::Nar(algorithm) => write!(f, "fixed:r:{algorithm}"),
        }
    }
}

impl Client {
    /// Adds many paths in one stream.
    ///
    /// `infos` must come in an order in which each path comes after all it refers to, such as a
    /// [`Closure`](store::closure::Closure)'s. For each in turn `give` writes the NAR to the sink it is
    /// given. If it fails, the connection is ended before the daemon has all of that path; those before it
    /// may have been added. The daemon checks each NAR against the hash of its information. No path is sent
    /// as one that the daemon's store has built itself.
    pub fn add_paths<'i, E: error::Error>(
        &mut self,
        infos: impl IntoIterator<Item = &'i PathInfo, IntoIter: ExactSizeIterator>,
        policy: AddPolicy,
        mut give: impl FnMut(&PathInfo, &mut dyn Write) -> Result<(), E>,
    ) -> Result<(), UploadError<E>> {
        let infos = infos.into_iter();
        let store_dir = self.store_dir.clone();
        self.upload(
            Operation::AddMultipleToStore,
            |request| write_policy(request, policy),
            |frames| {
                send(frames, &store_dir, |stream| stream.number(infos.len() as u64))?;
                for info in infos {
                    send(frames, &store_dir, |stream| write_info(stream, info))?;
                    give_nar(info, frames, |sink| give(info, sink))?;
                }
                Ok(())
            },
            |_| Ok(()),
        )
    }

    /// Adds `count` paths in one stream, each of which `next` tells when it is its turn: it puts the whole NAR into
    /// the buffer it is given, which is empty, and returns what is known of the path.
    ///
    /// What `next` has not returned the daemon knows nothing of. If it fails the connection is ended; the paths
    /// before may have been added.
    pub fn add_each<E: error::Error>(
        &mut self,
        count: usize,
        policy: AddPolicy,
        mut next: impl FnMut(&mut Vec<u8>) -> Result<PathInfo, E>,
    ) -> Result<(), UploadError<E>> {
        let store_dir = self.store_dir.clone();
        self.upload(
            Operation::AddMultipleToStore,
            |request| write_policy(request, policy),
            |frames| {
                send(frames, &store_dir, |stream| stream.number(count as u64))?;
                let mut nar = Vec::new();
                for number in 1..=count {
                    nar.clear();
                    let told =
                        |source| UploadError::Source { path: format!("path {number} of {count}"), source };
                    let info = next(&mut nar).map_err(told)?;
                    send(frames, &store_dir, |stream| write_info(stream, &info))?;
                    give_nar(&info, frames, |sink| {
                        // What cannot be sent is reported by the frames themselves.
                        let _refused = sink.write_all(&nar);
                        Ok(())
                    })?;
                }
                Ok(())
            },
            |_| Ok(()),
        )
    }

    /// Adds one path, whose NAR `give` writes to the sink it is given.
    ///
    /// The end of the NAR is held back until `give` returns: if it fails, because the data turned out to be
    /// wrong for example, the connection is ended and the path is not added.
    pub fn add_nar<E: error::Error>(
        &mut self,
        info: &PathInfo,
        policy: AddPolicy,
        give: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), UploadError<E>> {
        self.upload(
            Operation::AddToStoreNar,
            |request| {
                write_info(request, info);
                write_policy(request, policy);
            },
            |frames| Ok(give_nar(info, frames, give)?),
            |_| Ok(()),
        )
    }

    /// Adds content under the name that follows from it, which needs no trust, and says what it became.
    ///
    /// `give` writes the content in the form that `method` says. The content is not searched for
    /// `references`.
    ///
    /// ```no_run
    /// # use std::{collections::BTreeSet, path::Path};
    /// # use daemon::{Client, ContentMethod, UploadError, files::{DumpError, dump}};
    /// # use store::{hash::Algorithm, path_info::PathInfo, store_path::StorePathName};
    /// /// Adds a file or a whole tree, as `nix-store --add` does.
    /// fn add(
    ///     client: &mut Client,
    ///     name: &StorePathName,
    ///     tree: &Path,
    /// ) -> Result<PathInfo, UploadError<DumpError>> {
    ///     let (method, references) = (ContentMethod::Nar(Algorithm::Sha256), BTreeSet::new());
    ///     client.add_content(name, method, &references, |sink| dump(tree, sink))
    /// }
    /// ```
    pub fn add_content<E: error::Error>(
        &mut self,
        name: &StorePathName,
        method: ContentMethod,
        references: &BTreeSet<StorePath>,
        give: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<PathInfo, UploadError<E>> {
        self.upload(
            Operation::AddToStore,
            |request| {
                request.text(name);
                request.text(&method);
                request.paths(references);
                let repair = false;
                request.flag(repair);
            },
            |frames| {
                Ok(give(frames).map_err(|source| UploadError::Source { path: name.to_string(), source })?)
            },
            |answer| {
                let path = answer.path("the path of the content")?;
                answer.path_info(path)
            },
        )
    }
}

/// What another store may be told of a path: that one has not built it and must not trust it for that.
fn write_info(stream: &mut Encoder<'_>, info: &PathInfo) {
    stream.path(&info.path);
    stream.path_info(&PathInfo { ultimate: false, ..info.clone() });
}

fn write_policy(request: &mut Encoder<'_>, policy: AddPolicy) {
    request.flag(policy.repair);
    request.flag(!policy.check_signatures);
}

/// Sends what is not of a NAR.
fn send<E: error::Error>(
    frames: &mut FrameWriter<'_>,
    store_dir: &StoreDir,
    write: impl FnOnce(&mut Encoder<'_>),
) -> Result<(), Unsent<E>> {
    let mut stream = Encoder::new(store_dir);
    write(&mut stream);
    frames.write_all(&stream.into_bytes()).map_err(Unsent::Connection)
}

fn give_nar<E: error::Error>(
    info: &PathInfo,
    frames: &mut FrameWriter<'_>,
    give: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), UploadError<E>> {
    let mut nar = SizedNar::new(frames, info.nar_size);
    let given = give(&mut nar);
    nar.finish(&info.path, info.nar_size, given)
}
