//! Bytes to events.

use super::{
    DecodeError, DecodeErrorKind, Event, MAGIC, MAX_NAME, MAX_TARGET,
    cursor::{Cursor, StringError},
    tree::{NameError, OpenDirectories, TargetError, TreeError, check_target},
};
use crate::excerpt;

/// Longest string that is read where a word of the format must stand, so that a message can show it.
const MAX_WORD: usize = 32;

/// What must come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Magic,
    NodeOpen,
    TypeWord,
    Type,
    FileWord,
    ExecutableValue,
    ContentsWord,
    Size,
    Contents {
        left: u64,
    },
    Padding,
    FileClose,
    TargetWord,
    Target,
    SymlinkClose,
    EntryOrClose,
    EntryOpen,
    NameWord,
    Name,
    NodeWord,
    EntryClose,
    End,
}

impl State {
    /// What may stand here, for messages.
    fn expected(self) -> &'static str {
        match self {
            Self::Magic => "'nix-archive-1'",
            Self::NodeOpen | Self::EntryOpen => "'('",
            Self::TypeWord => "'type'",
            Self::Type => "'directory', 'regular' or 'symlink'",
            Self::FileWord => "'executable' or 'contents'",
            Self::ExecutableValue => "''",
            Self::ContentsWord => "'contents'",
            Self::Size => "the size of a file",
            Self::Contents { .. } => "the contents of a file",
            Self::Padding => "the padding of a file",
            Self::TargetWord => "'target'",
            Self::Target => "the target of a symbolic link",
            Self::EntryOrClose => "'entry' or ')'",
            Self::NameWord => "'name'",
            Self::Name => "the name of an entry",
            Self::NodeWord => "'node'",
            Self::FileClose | Self::SymlinkClose | Self::EntryClose => "')'",
            Self::End => "nothing",
        }
    }
}

/// What one step has come to. It borrows nothing of the decoder, so that the decoder can lend the names.
#[derive(Clone, Copy)]
enum Step<'i> {
    NeedInput,
    Silent,
    Directory,
    EndDirectory,
    File,
    Contents(&'i [u8]),
    EndFile,
    Symlink,
}

/// Makes events of the bytes of one NAR, which come in pieces of any size.
///
/// It holds one name for each open directory and one string, whatever lengths the bytes claim; file contents
/// are lent from the input. It stops at the end of the NAR and leaves what comes behind it in the input.
///
/// ```
/// use store::nar::{Decoder, Event};
///
/// # fn receive(pieces: &[&[u8]]) -> Result<u64, store::nar::DecodeError> {
/// let mut decoder = Decoder::new();
/// let mut size = 0;
/// for piece in pieces {
///     let mut input = *piece;
///     while let Some(event) = decoder.next_event(&mut input)? {
///         if let Event::Contents(bytes) = event {
///             size += bytes.len() as u64;
///         }
///     }
/// }
/// decoder.finish()?;
/// # Ok(size)
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    cursor: Cursor,
    state: State,
    directories: OpenDirectories,
    /// Of the file at hand.
    executable: bool,
    /// Of the file at hand.
    size: u64,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder at the beginning of a NAR.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event off `input`; `None` if all input was taken or the NAR has ended.
    ///
    /// After an error it gives the same error for ever.
    pub fn next_event<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'a>>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        loop {
            match self.step(input) {
                Ok(Step::Silent) => {}
                Ok(step) => return Ok(self.event(step)),
                Err(error) => return Err(self.failed.insert(error).clone()),
            }
        }
    }

    /// Bytes of the NAR taken so far. Right after [`Event::File`] this is where the contents begin.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    /// Whether the NAR has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::End
    }

    /// Checks that the NAR has ended; to be called when no more bytes come.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.is_done() {
            return Ok(());
        }
        let kind = DecodeErrorKind::Truncated { expected: self.state.expected() };
        Err(DecodeError { offset: self.offset(), kind })
    }

    fn event<'a>(&'a self, step: Step<'a>) -> Option<Event<'a>> {
        let name = self.directories.current_name();
        match step {
            Step::NeedInput | Step::Silent => None,
            // It is open already, so the name at hand is that of its first entry to come.
            Step::Directory => Some(Event::Directory { name: self.directories.innermost_name() }),
            Step::EndDirectory => Some(Event::EndDirectory),
            Step::File => Some(Event::File { name, executable: self.executable, size: self.size }),
            Step::Contents(bytes) => Some(Event::Contents(bytes)),
            Step::EndFile => Some(Event::EndFile),
            Step::Symlink => Some(Event::Symlink { name, target: self.cursor.string() }),
        }
    }

    fn step<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        match self.state {
            State::Magic => self.word(input, MAGIC, State::NodeOpen),
            State::NodeOpen => self.word(input, "(", State::TypeWord),
            State::TypeWord => self.word(input, "type", State::Type),
            State::Type => self.node_type(input),
            State::FileWord => self.file_word(input),
            State::ExecutableValue => self.word(input, "", State::ContentsWord),
            State::ContentsWord => self.word(input, "contents", State::Size),
            State::Size => Ok(self.file_size(input)),
            State::Contents { left } => Ok(self.contents(input, left)),
            State::Padding => self.padding(input),
            State::FileClose => self.file_close(input),
            State::TargetWord => self.word(input, "target", State::Target),
            State::Target => self.target(input),
            State::SymlinkClose => self.word(input, ")", self.after_node()),
            State::EntryOrClose => self.entry_or_close(input),
            State::EntryOpen => self.word(input, "(", State::NameWord),
            State::NameWord => self.word(input, "name", State::Name),
            State::Name => self.name(input),
            State::NodeWord => self.word(input, "node", State::NodeOpen),
            State::EntryClose => self.word(input, ")", State::EntryOrClose),
            State::End => Ok(Step::NeedInput),
        }
    }

    /// What follows a node: the end of its entry, or of the NAR.
    fn after_node(&self) -> State {
        if self.directories.is_empty() { State::End } else { State::EntryClose }
    }

    fn node_type<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        if !self.take_string(input, MAX_WORD)? {
            return Ok(Step::NeedInput);
        }
        match self.cursor.string() {
            b"directory" => {
                self.directories.open().map_err(|error| self.at_string(error))?;
                Ok(self.go(State::EntryOrClose, Step::Directory))
            }
            b"regular" => {
                self.executable = false;
                Ok(self.go(State::FileWord, Step::Silent))
            }
            b"symlink" => Ok(self.go(State::TargetWord, Step::Silent)),
            _ => Err(self.unexpected_word()),
        }
    }

    fn file_word<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        if !self.take_string(input, MAX_WORD)? {
            return Ok(Step::NeedInput);
        }
        match self.cursor.string() {
            b"executable" => {
                self.executable = true;
                Ok(self.go(State::ExecutableValue, Step::Silent))
            }
            b"contents" => Ok(self.go(State::Size, Step::Silent)),
            _ => Err(self.unexpected_word()),
        }
    }

    fn file_size<'i>(&mut self, input: &mut &'i [u8]) -> Step<'i> {
        let Some(size) = self.cursor.take_number(input) else { return Step::NeedInput };
        self.size = size;
        self.go(State::Contents { left: size }, Step::File)
    }

    fn contents<'i>(&mut self, input: &mut &'i [u8], left: u64) -> Step<'i> {
        if left == 0 {
            return self.go(State::Padding, Step::Silent);
        }
        let bytes = self.cursor.take_bytes(input, left);
        if bytes.is_empty() {
            return Step::NeedInput;
        }
        self.go(State::Contents { left: left - bytes.len() as u64 }, Step::Contents(bytes))
    }

    fn padding<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        match self.cursor.take_padding(input, self.size) {
            Ok(true) => Ok(self.go(State::FileClose, Step::Silent)),
            Ok(false) => Ok(Step::NeedInput),
            Err(error) => Err(self.string_error(&error)),
        }
    }

    fn file_close<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        match self.word(input, ")", self.after_node())? {
            Step::Silent => Ok(Step::EndFile),
            step => Ok(step),
        }
    }

    fn target<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        if !self.take_string(input, MAX_TARGET)? {
            return Ok(Step::NeedInput);
        }
        check_target(self.cursor.string()).map_err(|error| self.at_string(error.into()))?;
        Ok(self.go(State::SymlinkClose, Step::Symlink))
    }

    fn entry_or_close<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        if !self.take_string(input, MAX_WORD)? {
            return Ok(Step::NeedInput);
        }
        match self.cursor.string() {
            b"entry" => Ok(self.go(State::EntryOpen, Step::Silent)),
            b")" => {
                self.directories.close();
                Ok(self.go(self.after_node(), Step::EndDirectory))
            }
            _ => Err(self.unexpected_word()),
        }
    }

    fn name<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, DecodeError> {
        if !self.take_string(input, MAX_NAME)? {
            return Ok(Step::NeedInput);
        }
        self.directories.advance(self.cursor.string()).map_err(|error| self.at_string(error.into()))?;
        Ok(self.go(State::NodeWord, Step::Silent))
    }

    /// Takes the one word that may stand here.
    fn word<'i>(
        &mut self,
        input: &mut &'i [u8],
        word: &'static str,
        next: State,
    ) -> Result<Step<'i>, DecodeError> {
        if !self.take_string(input, MAX_WORD)? {
            return Ok(Step::NeedInput);
        }
        if self.cursor.string() != word.as_bytes() {
            return Err(self.unexpected_word());
        }
        Ok(self.go(next, Step::Silent))
    }

    fn go<'i>(&mut self, next: State, step: Step<'i>) -> Step<'i> {
        self.state = next;
        step
    }

    fn take_string(&mut self, input: &mut &[u8], limit: usize) -> Result<bool, DecodeError> {
        self.cursor.take_string(input, limit).map_err(|error| self.string_error(&error))
    }

    fn string_error(&self, error: &StringError) -> DecodeError {
        match *error {
            StringError::Padding { offset, byte } => {
                DecodeError { offset, kind: DecodeErrorKind::Padding { byte } }
            }
            StringError::TooLong { length } => self.too_long(length),
        }
    }

    fn too_long(&self, length: u64) -> DecodeError {
        let kind = match self.state {
            State::Name => DecodeErrorKind::Tree(NameError::Length { length }.into()),
            State::Target => DecodeErrorKind::Tree(TargetError::Length { length }.into()),
            _ => DecodeErrorKind::LongWord { expected: self.state.expected(), length },
        };
        DecodeError { offset: self.cursor.string_offset(), kind }
    }

    fn unexpected_word(&self) -> DecodeError {
        let found = excerpt(self.cursor.string());
        let kind = DecodeErrorKind::Word { expected: self.state.expected(), found };
        DecodeError { offset: self.cursor.string_offset(), kind }
    }

    fn at_string(&self, error: TreeError) -> DecodeError {
        DecodeError { offset: self.cursor.string_offset(), kind: error.into() }
    }
}
