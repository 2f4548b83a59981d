//! Senders that say what is not so.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use anyhow::{Context, Result, ensure};
use daemon::files::NarFile;
use session::{Reply, Request};
use store::{closure::Closure, hash::Sha256, path_info::PathInfo, store_path::StorePath};
use transfer::{Bases, Source, SourceError};

use super::{
    LIMIT, There, Wish,
    line::{Line, name},
    shelf::{Shelf, items, noise},
};

/// A sender that has these bytes for NARs.
#[derive(Clone)]
struct Liar(BTreeMap<StorePath, Vec<u8>>);

impl Source for Liar {
    fn write_nar(&mut self, info: &PathInfo, skip: u64, sink: &mut dyn Write) -> Result<(), SourceError> {
        let nar = self.0.get(&info.path).map_or(&[][..], Vec::as_slice);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(nar.len());
        sink.write_all(&nar[skip..]).map_err(SourceError::Sink)
    }

    fn nar_file(&self, _: &PathInfo) -> Option<NarFile> {
        None
    }
}

/// What is changed about a path and its NAR, and what is said of it then.
struct Lie {
    what: &'static str,
    tell: fn(&mut PathInfo, &mut Vec<u8>),
    said: &'static [&'static str],
}

/// Hash and size are those of these bytes.
fn sign(info: &mut PathInfo, nar: &[u8]) {
    (info.nar_hash, info.nar_size) = (Sha256::of(nar), nar.len() as u64);
}

const LIES: [Lie; 8] = [
    Lie {
        what: "another hash",
        tell: |info, _| info.nar_hash = Sha256::of(b"another"),
        said: &["is not what was announced", "receiving-1"],
    },
    Lie {
        what: "other bytes of the same size",
        tell: |_, nar| *nar.last_mut().expect("not empty") ^= 1,
        said: &["is not what was announced", "receiving-1"],
    },
    Lie { what: "more than there is", tell: |info, _| info.nar_size += 8, said: &["size of", "receiving-1"] },
    Lie { what: "less than there is", tell: |info, _| info.nar_size -= 8, said: &["size of", "receiving-1"] },
    Lie {
        what: "a NAR that is cut off",
        tell: |info, nar| {
            nar.truncate(nar.len() - 16);
            sign(info, nar);
        },
        said: &["refuses"],
    },
    Lie {
        what: "a NAR with something behind it",
        tell: |info, nar| {
            nar.extend([0; 16]);
            sign(info, nar);
        },
        said: &["refuses"],
    },
    Lie {
        what: "no NAR at all",
        tell: |info, nar| {
            *nar = noise(1, nar.len());
            sign(info, nar);
        },
        said: &["refuses"],
    },
    Lie {
        what: "another content address",
        tell: |info, _| {
            let address = "fixed:r:sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s";
            info.content_address = address.parse().ok();
        },
        said: &["refuses"],
    },
];

pub(super) fn a_sender_that_lies_registers_nothing(there: &There<'_>) -> Result<()> {
    // Held as a whole there, or not.
    for size in [1_000, 5_000_000] {
        let line = there.line()?;
        let mut items = items(3, 1_000);
        items[1].size = size;
        let shelf = Shelf::of(&items)?;
        let truth = nars(&shelf)?;
        for Lie { what, tell, said } in LIES {
            let (mut infos, mut nars) = (shelf.infos.clone(), truth.clone());
            let nar = nars.0.get_mut(&infos[1].path).context("it is there")?;
            tell(&mut infos[1], nar);
            let wish = &mut Wish {
                closure: Closure::new(infos)?,
                bases: Bases::none(),
                source: Box::new(nars),
                substitute: None,
                limit: LIMIT,
                second: None,
            };
            let error = wish.fail(&line).with_context(|| format!("{what}, {size}"))?;
            let text = format!("{:#}", anyhow::Error::from(error));
            ensure!(said.iter().all(|part| text.contains(part)), "{what}, {size}: {text}");
            there.has_none(&shelf.infos[1..]).with_context(|| format!("{what}, {size}"))?;
        }
        Wish::all(&shelf)?.send(&line)?;
        there.check(&shelf)?;
        drop(line);
        there.wait_left()?;
        there.0.sh("nix-store --delete /nix/store/*-receiving-* >/dev/null")?;
    }
    Ok(())
}

fn nars(shelf: &Shelf) -> Result<Liar> {
    let mut nars = BTreeMap::new();
    for info in &shelf.infos {
        let mut nar = Vec::new();
        shelf.source().write_nar(info, 0, &mut nar)?;
        nars.insert(info.path.clone(), nar);
    }
    Ok(Liar(nars))
}

pub(super) fn bytes_that_mean_nothing_end_only_their_transfer(there: &There<'_>) -> Result<()> {
    let line = there.line()?;
    let shelf = Shelf::of(&items(3, 10_000))?;
    let zeros = vec![0; 200_000];
    let endless = [&[2, 0xff, 0xff, 0xff, 0xff][..], &noise(2, 100_000)].concat();
    let packed_noise = [&[1, 0, 1, 0, 0][..], &noise(3, 65_536)].concat();
    for bytes in [noise(1, 300_000), zeros, endless, packed_noise, vec![3, 0, 0, 0, 0]] {
        // In blocks, and as they are.
        for begin in [|line: &Line| Ok(line.streams()?.0), |line: &Line| line.raw_streams(&name())] {
            let mut streams = begin(&line)?;
            streams.to.write_all(&bytes)?;
            streams.to.flush()?;
            ensure!(streams.from.read(&mut [0])? == 1, "it says something of it");
            let status = line.ask(&Request::Status)?;
            ensure!(matches!(status, Reply::Status(_)), "{status:?}");
        }
    }
    let given = Wish::all(&shelf)?.send(&line)?;
    assert_eq!(given.len(), 1);
    there.check(&shelf)?;
    there.check_peak("bytes that mean nothing")
}
