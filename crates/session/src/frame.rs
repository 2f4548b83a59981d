//! Frames: four bytes of length (big-endian), one of channel, the payload.

use std::io::{self, Read, Write};

use thiserror::Error;

/// Longest payload that is read: a report with its surroundings.
pub const MAX_PAYLOAD: usize = (1 << 20) + (64 << 10);
/// Most bytes of a stream that are put into one frame.
pub const MAX_DATA: usize = 64 << 10;

/// What a frame's payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A request or a reply.
    Control,
    /// Bytes of Nix's worker protocol.
    Store,
    /// What a program wrote to its standard output.
    Out,
    /// What a program wrote to its standard error.
    Err,
    /// Bytes of an activation's log.
    Log,
    /// Bytes of store paths on their way to the host, and its answers. Since version 3.
    Paths,
}

impl Channel {
    const ALL: [Self; 6] = [Self::Control, Self::Store, Self::Out, Self::Err, Self::Log, Self::Paths];

    fn number(self) -> u8 {
        match self {
            Self::Control => 0,
            Self::Store => 1,
            Self::Out => 2,
            Self::Err => 3,
            Self::Log => 4,
            Self::Paths => 5,
        }
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the payload is.
    pub channel: Channel,
    /// At most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

/// Why bytes are not a frame.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The stream failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The stream ended inside a frame.
    #[error("the connection ended in the middle of a message")]
    Truncated,
    /// The length is beyond what any frame has.
    #[error(
        "a message of {0} bytes was announced, allowed are {MAX_PAYLOAD}: the other end is not Lockstep's"
    )]
    TooLong(u32),
    /// The channel does not exist.
    #[error("a message on channel {0}, which does not exist: the other end is not Lockstep's")]
    Channel(u8),
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The channel.
    pub channel: Channel,
    /// Bytes of payload.
    pub length: usize,
}

impl Header {
    /// Bytes of a header.
    pub const LEN: usize = 5;

    /// Reads a header.
    ///
    /// # Errors
    /// If the length is out of bounds or the channel unknown.
    pub fn parse(bytes: [u8; Self::LEN]) -> Result<Self, FrameError> {
        let [a, b, c, d, number] = bytes;
        let announced = u32::from_be_bytes([a, b, c, d]);
        let length = usize::try_from(announced).ok().filter(|length| *length <= MAX_PAYLOAD);
        let channel = Channel::ALL.into_iter().find(|channel| channel.number() == number);
        Ok(Self {
            length: length.ok_or(FrameError::TooLong(announced))?,
            channel: channel.ok_or(FrameError::Channel(number))?,
        })
    }

    fn bytes(channel: Channel, length: usize) -> Result<[u8; Self::LEN], FrameError> {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if length > u32::try_from(MAX_PAYLOAD).unwrap_or(u32::MAX) {
            return Err(FrameError::TooLong(length));
        }
        let [a, b, c, d] = length.to_be_bytes();
        Ok([a, b, c, d, channel.number()])
    }
}

/// Reads one frame; none at a clean end of the stream. Memory grows with what was received, never with what was
/// announced.
///
/// # Errors
/// If the stream fails or ends inside a frame, or if it is not a frame.
pub fn read_frame(stream: &mut impl Read) -> Result<Option<Frame>, FrameError> {
    let mut header = [0; Header::LEN];
    match read_some(stream, &mut header)? {
        0 => return Ok(None),
        Header::LEN => {}
        _ => return Err(FrameError::Truncated),
    }
    let Header { channel, length } = Header::parse(header)?;
    let mut payload = Vec::new();
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    stream.by_ref().take(limit).read_to_end(&mut payload)?;
    if payload.len() < length {
        return Err(FrameError::Truncated);
    }
    Ok(Some(Frame { channel, payload }))
}

/// Writes one frame in one piece; it does not flush.
///
/// # Errors
/// If the payload is longer than [`MAX_PAYLOAD`], or the stream fails.
pub fn write_frame(stream: &mut impl Write, channel: Channel, payload: &[u8]) -> Result<(), FrameError> {
    let mut frame = Vec::with_capacity(Header::LEN + payload.len().min(MAX_PAYLOAD));
    frame.extend_from_slice(&Header::bytes(channel, payload.len())?);
    frame.extend_from_slice(payload);
    Ok(stream.write_all(&frame)?)
}

/// Reads until the buffer is full or the stream ends.
fn read_some(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(mut bytes: &[u8]) -> Result<Vec<Frame>, FrameError> {
        let mut frames = Vec::new();
        while let Some(frame) = read_frame(&mut bytes)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[test]
    fn a_length_or_channel_out_of_bounds_is_refused_before_anything_is_read() {
        assert!(matches!(read_all(&[0xff, 0xff, 0xff, 0xff, 0]), Err(FrameError::TooLong(u32::MAX))));
        assert!(matches!(read_all(&[0, 0, 0, 0, 9]), Err(FrameError::Channel(9))));
        assert!(matches!(read_all(&[0, 0, 0]), Err(FrameError::Truncated)));
        assert!(matches!(read_all(&[0, 0, 0, 2, 0, 1]), Err(FrameError::Truncated)));
        let long = vec![0; MAX_PAYLOAD + 1];
        assert!(matches!(write_frame(&mut Vec::new(), Channel::Out, &long), Err(FrameError::TooLong(_))));
    }

    proptest! {
        #[test]
        fn frames_are_read_as_they_were_written(
            frames in prop::collection::vec((0_usize..6, prop::collection::vec(any::<u8>(), 0..2000)), 0..8)
        ) {
            let frames: Vec<Frame> = frames
                .into_iter()
                .map(|(channel, payload)| Frame { channel: Channel::ALL[channel], payload })
                .collect();
            let mut bytes = Vec::new();
            for frame in &frames {
                write_frame(&mut bytes, frame.channel, &frame.payload).expect("short");
            }
            prop_assert_eq!(read_all(&bytes).expect("frames"), frames);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(frames) = read_all(&bytes) {
                let length: usize = frames.iter().map(|frame| frame.payload.len() + Header::LEN).sum();
                prop_assert_eq!(length, bytes.len());
            }
        }
    }
}
