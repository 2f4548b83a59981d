"""Writing on a boot file system: small, easily full, and read by a firmware after a power cut."""

import ctypes
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

STORE = Path("/nix/store")


@dataclass(frozen=True)
class Settings:
    """What a loader module passes as `--config`; every key has the default shown here."""

    boot: Path = Path("/boot")
    profiles: Path = Path("/nix/var/nix/profiles")
    limit: int = 0
    timeout: int = 5
    slow_seconds: float = 0.0
    no_match: str = "keep"
    grub_default: str = "0"
    must_be_mounted: bool = False
    distribution: str = "NixOS"

    @classmethod
    def from_json(cls, document: dict[str, object]) -> Self:
        names = {
            "bootDirectory": "boot",
            "profilesDirectory": "profiles",
            "configurationLimit": "limit",
            "timeout": "timeout",
            "slowSeconds": "slow_seconds",
            "noMatch": "no_match",
            "default": "grub_default",
            "checkMountPoint": "must_be_mounted",
            "distroName": "distribution",
        }
        unknown = document.keys() - names.keys()
        if unknown:
            raise ValueError(f"unknown loader settings: {', '.join(sorted(unknown))}")
        values = {names[key]: value for key, value in document.items() if value is not None}
        for key in ("boot", "profiles"):
            if key in values:
                values[key] = Path(str(values[key]))
        return cls(**values)  # type: ignore[arg-type]


def write_synced(temporary: Path, target: Path, text: str, mode: str = "w") -> None:
    """Writes beside the target and renames; a left-over of a killed run is in the way in mode `x`."""
    with temporary.open(mode) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(target)


def store_name(file: Path, suffix: str = "") -> str:
    """A flat name for a file of the store: the store path's own name, then the file's."""
    real = file.resolve()
    parts = real.relative_to(STORE).parts
    return (parts[0] if len(parts) == 1 else f"{parts[0]}-{real.name}") + suffix


def copy_if_missing(source: Path, target: Path) -> None:
    """A target that is there is right: its name says which file it is."""
    if target.exists():
        return
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".tmp.")
    with os.fdopen(handle, "wb") as file, source.open("rb") as content:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).rename(target)


def sync_file_system(directory: Path) -> None:
    """FAT does not survive a power cut well, so all of it goes to the disk at the end."""
    handle = os.open(directory, os.O_RDONLY)
    ctypes.CDLL(None).syncfs(handle)
    os.close(handle)
