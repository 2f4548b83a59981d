//! The messages a daemon sends between a request and its answer: log events, then an error or "the answer
//! follows". Nix calls this its stderr.

use crate::{
    error::{DaemonError, Failure, ReadError},
    limits,
    log::{Activity, ActivityKind, Field, LogEvent, LogSink, News, Verbosity},
    wire::WireReader,
};

/// The answer follows.
pub(crate) const LAST: u64 = 0x616c_7473;
/// The operation failed; also found where a NAR should begin.
pub(crate) const ERROR: u64 = 0x6378_7470;
pub(crate) const NEXT: u64 = 0x6f6c_6d67;
pub(crate) const START_ACTIVITY: u64 = 0x5354_5254;
pub(crate) const STOP_ACTIVITY: u64 = 0x5354_4f50;
pub(crate) const RESULT: u64 = 0x5253_4c54;

/// Hands all log events to `log` until the answer follows or the daemon gives an error.
pub(crate) fn drain(reader: &mut WireReader, log: &mut LogSink) -> Result<(), Failure> {
    loop {
        reader.begin_answer();
        let event = match reader.number("a message")? {
            LAST => break,
            ERROR => return Err(Failure::Daemon(read_error(reader)?)),
            NEXT => LogEvent::Message(reader.message("a log message")?),
            START_ACTIVITY => LogEvent::Start(read_activity(reader)?),
            STOP_ACTIVITY => LogEvent::Stop { activity: read_id(reader)? },
            RESULT => read_news(reader)?,
            other => Err(reader.unexpected("a message", format_args!("one of type {other:#x}")))?,
        };
        log.emit(event);
    }
    reader.begin_answer();
    Ok(())
}

/// Reads an error (`operator << (Sink, Error)` in Nix), the word before it taken.
pub(crate) fn read_error(reader: &mut WireReader) -> Result<DaemonError, ReadError> {
    let kind = reader.text("'Error'", limits::WORD)?;
    if kind != "Error" {
        return Err(reader.unexpected("'Error'", format_args!("{kind:?}")));
    }
    let _verbosity = reader.number("an error's verbosity")?;
    let _name = reader.string("an error's name", limits::WORD)?;
    let message = reader.message("an error message")?;
    read_no_position(reader)?;
    let mut traces = Vec::new();
    for _ in 0..reader.bounded("the number of traces", limits::TRACES)? {
        read_no_position(reader)?;
        if traces.len() < limits::KEPT_TRACES {
            traces.push(reader.message("a trace")?);
        } else {
            reader.skip_message("a trace")?;
        }
    }
    Ok(DaemonError { message, traces })
}

/// Positions in source files do not travel.
fn read_no_position(reader: &mut WireReader) -> Result<(), ReadError> {
    reader.bounded("no position", 0).map(drop)
}

fn read_id(reader: &mut WireReader) -> Result<u64, ReadError> {
    reader.number("an activity's number")
}

fn read_activity(reader: &mut WireReader) -> Result<Activity, ReadError> {
    let id = read_id(reader)?;
    let verbosity = Verbosity::new(reader.number("an activity's verbosity")?);
    let kind = ActivityKind::new(reader.number("an activity's kind")?);
    let text = reader.message("an activity's text")?;
    let fields = read_fields(reader)?;
    let parent = read_id(reader)?;
    Ok(Activity { id, parent, verbosity, kind, text, fields })
}

fn read_news(reader: &mut WireReader) -> Result<LogEvent, ReadError> {
    let activity = read_id(reader)?;
    let kind = reader.number("a kind of news")?;
    Ok(LogEvent::Progress { activity, news: News::new(kind, read_fields(reader)?) })
}

fn read_fields(reader: &mut WireReader) -> Result<Vec<Field>, ReadError> {
    reader.list("a list of fields", limits::FIELDS, |reader| match reader.number("the type of a field")? {
        0 => reader.number("a number").map(Field::Number),
        1 => reader.message("a text").map(Field::Text),
        other => Err(reader.unexpected("the type of a field, 0 or 1", other)),
    })
}

#[cfg(test)]
mod tests;
