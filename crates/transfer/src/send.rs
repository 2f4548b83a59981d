//! The stream of what is missing.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use daemon::{AddPolicy, Client, Hangup, NarError, UploadError};
use store::{closure::Closure, path_info::PathInfo, store_path::StorePath};

use crate::{
    ask::{ask, missing, need},
    error::{Error, Side},
    progress::Progress,
    watch::{Pulse, Watch},
};

/// Signatures are checked where the daemon does not trust us whatever we ask for; one that does is root's own.
const POLICY: AddPolicy = AddPolicy { repair: false, check_signatures: false };

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The paths that shall be valid on the target afterwards. All are valid here.
    pub closure: &'a Closure,
    /// Whether the target may first get from its caches what it can.
    pub substitute: bool,
    /// How long nothing may go on; see [`Pulse`].
    pub pulse: &'a Pulse,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Paths that went over.
    pub paths: usize,
    /// Bytes of their NARs.
    pub nar_bytes: u64,
    /// Paths that the target got from its caches.
    pub substituted: usize,
}

/// Makes the closure valid on the target: asks what it has, and sends the rest.
///
/// # Errors
/// If one side refuses, is lost, or nothing goes on; see [`Error::can_resume`].
pub fn send(
    request: &Request<'_>,
    local: &mut Client,
    remote: &mut Client,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Sent, Error> {
    progress(Progress::Asking { paths: request.closure.len() });
    let answer = ask(request.closure, request.substitute, remote, request.pulse)?;
    progress(Progress::Needs(need(request.closure, &answer.valid)));
    let sent = stream(request, &answer.valid, (local, remote), progress)?;
    Ok(Sent { substituted: answer.substituted.len(), ..sent })
}

/// Sends what is missing of the closure where `valid` is, in one stream, each path after all it refers to.
/// The clients are the local one and the target's.
///
/// # Errors
/// As [`send`].
pub fn stream(
    request: &Request<'_>,
    valid: &BTreeSet<StorePath>,
    (local, remote): (&mut Client, &mut Client),
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Sent, Error> {
    let missing = missing(request.closure, valid);
    if missing.is_empty() {
        return Ok(Sent::default());
    }
    let hangups = [local.hangup(), remote.hangup()];
    let watch = Watch::start(request.pulse, move || hangups.iter().for_each(Hangup::hang_up));
    let mut meter = Meter { watch: &watch, pulse: request.pulse, progress, paths: 0, bytes: 0 };
    let last = missing.len();
    let added = remote.add_paths(missing, POLICY, |info, sink| {
        meter.pass(info, local, sink)?;
        if meter.paths == last {
            (meter.progress)(Progress::Finishing);
        }
        Ok(())
    });
    let sent = Sent { paths: meter.paths, nar_bytes: meter.bytes, substituted: 0 };
    watch.end(added.map(|()| sent).map_err(error))
}

fn error(error: UploadError<NarError>) -> Error {
    match error {
        UploadError::Exchange(error) => Error::remote(error),
        UploadError::Source { path, source } => Error::Local { path, source },
        UploadError::NarSize { path, .. } => Error::LocalSize { path },
        source => Error::Unsent { source },
    }
}

/// Passes NARs on and counts them.
struct Meter<'a> {
    watch: &'a Watch,
    pulse: &'a Pulse,
    progress: &'a mut dyn FnMut(Progress<'_>),
    paths: usize,
    bytes: u64,
}

impl Meter<'_> {
    fn pass(&mut self, info: &PathInfo, local: &mut Client, sink: &mut dyn Write) -> Result<(), NarError> {
        self.watch.waits_for(Side::Local);
        let mut metered = Metered { meter: self, path: &info.path, sink };
        local.nar_from_path(&info.path, info.nar_size, &mut metered)?;
        self.paths += 1;
        self.pulse.beat();
        self.watch.waits_for(Side::Remote);
        Ok(())
    }
}

/// The way of one NAR.
struct Metered<'m, 'a, 's> {
    meter: &'m mut Meter<'a>,
    path: &'m StorePath,
    sink: &'s mut dyn Write,
}

impl Write for Metered<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { meter, path, sink } = self;
        meter.watch.waits_for(Side::Remote);
        let count = sink.write(bytes)?;
        meter.watch.waits_for(Side::Local);
        meter.pulse.beat();
        meter.bytes += count as u64;
        (meter.progress)(Progress::Sending { path, paths: meter.paths, bytes: meter.bytes });
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
