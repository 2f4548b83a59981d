"""EFI variables in the kernel's form: one file `NAME-VENDOR` for each, attributes in four bytes, then UTF-16."""

import os
from pathlib import Path

DIRECTORY = Path("/sys/firmware/efi/efivars")
# The vendor of the Boot Loader Interface's variables.
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
# There for boot services and for the running system; without the lowest bit it is gone when the firmware starts again.
VOLATILE = 6
KEPT = 7


class Variables:
    """The loader's variables in a directory that need not exist: a firmware without EFI has none."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self.directory = directory

    def file(self, name: str) -> Path:
        return self.directory / f"{name}-{LOADER}"

    def get(self, name: str) -> str:
        """Empty if there is none, or none that is text."""
        try:
            return self.file(name).read_bytes()[4:].decode("utf-16-le").split("\0")[0]
        except (OSError, UnicodeDecodeError):
            return ""

    def set(self, name: str, value: str, attributes: int = KEPT) -> None:
        """In one write, as the kernel wants it. An empty value removes the variable."""
        self.remove(name)
        if value:
            with self.file(name).open("xb", buffering=0) as file:
                file.write(attributes.to_bytes(4, "little") + (value + "\0").encode("utf-16-le"))
                os.fsync(file.fileno())

    def remove(self, name: str) -> None:
        self.file(name).unlink(missing_ok=True)

    def start(self) -> None:
        """What a firmware forgets when it starts."""
        for file in self.directory.glob(f"*-{LOADER}"):
            if not file.read_bytes()[:1] or not file.read_bytes()[0] & 1:
                file.unlink()
