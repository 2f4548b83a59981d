//! What was learned of each host: one report on a line, in a file that grows and is cut from time to time.

use std::io::{Read, Seek, SeekFrom, Write};

use order::HostName;
use report::{Known, MAX_REPORT, Report};

use super::{State, StateError, files};

/// Bytes of a host's reports at which the older ones are dropped, and about how many are kept then.
const MAX_FILE: u64 = 4 << 20;
const KEPT: usize = 2 << 20;

impl State {
    /// Remembers something about a host.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn remember(&self, report: &Report) -> Result<(), StateError> {
        let mut line = report.to_json();
        // What could not be read again is not written.
        if line.len() > MAX_REPORT {
            return Ok(());
        }
        line.push(b'\n');
        let (_lock, directory) = self.lock_host(&report.host)?;
        let path = directory.join("reports.jsonl");
        let mut file = files::append(&path)?;
        let failed = |error| files::failed("write", &path)(error);
        // What a writer that died has left of a line is closed off.
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if length > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(failed)?;
            if last != *b"\n" {
                line.insert(0, b'\n');
            }
        }
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(failed)?;
        if length > MAX_FILE {
            let kept = self.reports(&report.host)?;
            let mut lines = Vec::new();
            for report in kept.iter().rev() {
                let mut line = report.to_json();
                if lines.len() + line.len() > KEPT {
                    break;
                }
                line.push(b'\n');
                lines.splice(0..0, line);
            }
            files::replace(&path, &lines)?;
        }
        Ok(())
    }

    /// All that is remembered of a host, oldest first. Lines that are torn or of a newer lockstep are passed over.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn reports(&self, host: &HostName) -> Result<Vec<Report>, StateError> {
        let path = self.directory.join("hosts").join(host.as_str()).join("reports.jsonl");
        let bytes = files::read_end(&path, 2 * MAX_FILE)?.unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines
            .filter_map(|line| Report::from_json(line).ok())
            .filter(|report| report.host == *host)
            .collect())
    }

    /// What is known of a host from all that is remembered of it.
    ///
    /// # Errors
    /// As [`State::reports`].
    pub fn known(&self, host: &HostName) -> Result<Known, StateError> {
        Ok(Known::fold(&self.reports(host)?))
    }
}
