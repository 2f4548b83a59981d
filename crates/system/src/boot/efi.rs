//! The EFI variables in which systemd-boot keeps its choices (Boot Loader Interface of systemd).

use thiserror::Error;

use super::Loader;
use crate::tree::{ReadError, Tree, if_present};

/// The vendor of the boot loader's variables, the end of their file names in `/sys/firmware/efi/efivars`.
pub const LOADER_VENDOR: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// The variable that names the entry of the next boot only; systemd-boot removes it before it starts anything.
pub const ONE_SHOT: &str = "LoaderEntryOneShot";
/// The attributes of a variable that the loader reads at the next boot: kept without power (1), there for boot services
/// (2) and for the running system (4).
const KEPT: [u8; 4] = 7_u32.to_le_bytes();

/// Longest variable in bytes.
const MAX_VARIABLE: usize = 64 << 10;

/// The variables that decide what is booted. An empty text counts as no variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EfiVariables {
    /// `LoaderEntryOneShot`: pattern for the next boot only.
    pub one_shot: Option<String>,
    /// `LoaderEntryDefault`: pattern that goes before the one in `loader.conf`.
    pub default: Option<String>,
    /// `LoaderEntryLastBooted`: what `@saved` means.
    pub last_booted: Option<String>,
    /// `LoaderInfo`: the name and version of the loader that started this boot.
    pub loader_info: Option<String>,
}

/// Why bytes are not a variable's text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EfiError {
    /// Fewer bytes than the attributes have.
    #[error("an EFI variable has at least 4 bytes, found {0}")]
    Short(usize),
    /// An odd number of bytes, or half a character.
    #[error("an EFI variable that is not UTF-16")]
    Utf16,
}

/// The name of a variable's file in `efivarfs`.
#[must_use]
pub fn variable_file(variable: &str) -> String {
    format!("{variable}-{LOADER_VENDOR}")
}

/// What that file holds for a text that is kept without power: attributes, then UTF-16 in little endian with a zero at
/// its end.
#[must_use]
pub fn variable_bytes(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    KEPT.into_iter().chain(units.flat_map(u16::to_le_bytes)).collect()
}

/// The text in that file.
///
/// # Errors
/// If the bytes have another form.
pub fn variable_text(bytes: &[u8]) -> Result<String, EfiError> {
    let value = bytes.get(4..).ok_or(EfiError::Short(bytes.len()))?;
    if value.len() % 2 != 0 {
        return Err(EfiError::Utf16);
    }
    let units = value.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units.take_while(|unit| *unit != 0)).collect::<Result<String, _>>();
    text.map_err(|_| EfiError::Utf16)
}

impl EfiVariables {
    /// Reads the variables from the folder that holds them, the root of `folder`. Where there is none (a BIOS), there
    /// are no variables. A variable that is no text counts as not there: the loader cannot read it either.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn read(folder: &dyn Tree) -> Result<Self, ReadError> {
        let variable = |name: &str| -> Result<Option<String>, ReadError> {
            let path = format!("/{}", variable_file(name));
            let bytes = if_present(&path, folder.read_file(&path, MAX_VARIABLE))?;
            Ok(bytes.and_then(|bytes| variable_text(&bytes).ok()).filter(|text| !text.is_empty()))
        };
        Ok(Self {
            one_shot: variable(ONE_SHOT)?,
            default: variable("LoaderEntryDefault")?,
            last_booted: variable("LoaderEntryLastBooted")?,
            loader_info: variable("LoaderInfo")?,
        })
    }

    /// The loader that started this boot, if it has said so.
    pub(super) fn started_by(&self) -> Option<Loader> {
        let info = self.loader_info.as_deref()?;
        [
            (Loader::SystemdBoot, "systemd-boot"),
            (Loader::Grub, "GRUB"),
            (Loader::Limine, "Limine"),
            (Loader::Refind, "rEFInd"),
        ]
        .into_iter()
        .find_map(|(loader, name)| info.starts_with(name).then_some(loader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the zero at the end, as some programs write it.
    fn firmware(text: &str) -> Vec<u8> {
        [7, 0, 0, 0].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    }

    #[test]
    fn a_variable_is_written_as_the_kernel_wants_it() {
        assert_eq!(variable_bytes("a.ü"), b"\x07\0\0\0a\0.\0\xfc\0\0\0");
    }

    #[test]
    fn a_variable_gives_its_text() {
        for text in ["nixos-generation-1.conf", "", "grüße-😀.conf"] {
            assert_eq!(variable_text(&firmware(text)), Ok(text.to_owned()));
            assert_eq!(variable_text(&variable_bytes(text)), Ok(text.to_owned()));
            assert_eq!(variable_text(&firmware(&format!("{text}\0rest"))), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        assert_eq!(variable_text(b"abc"), Err(EfiError::Short(3)));
        assert_eq!(variable_text(b"\x07\0\0\0a"), Err(EfiError::Utf16));
        assert_eq!(variable_text(b"\x07\0\0\0\x00\xd8\x41\x00"), Err(EfiError::Utf16));
        assert_eq!(
            variable_file("LoaderEntryDefault"),
            "LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
        );
    }
}
