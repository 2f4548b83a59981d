"""Writes a host's boot loader files so that it boots the system given; see README.md beside it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Protocol

from bootloader.extlinux import Extlinux
from bootloader.files import Settings, sync_file_system
from bootloader.generations import BadGeneration
from bootloader.grub import Grub
from bootloader.systemd_boot import HighestNumber, NotInstalled, SystemdBoot


class Loader(Protocol):
    def __init__(self, settings: Settings) -> None: ...

    def install(self, default: Path) -> None: ...


KINDS: dict[str, type[Loader]] = {
    "systemd-boot": SystemdBoot,
    "highest": HighestNumber,
    "grub": Grub,
    "extlinux": Extlinux,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--config", default="{}", help="JSON object, or a file that holds one")
    parser.add_argument("toplevel", type=Path)
    return parser.parse_args()


def main() -> int:
    given = arguments()
    text = given.config if given.config.lstrip().startswith("{") else Path(given.config).read_text()
    settings = Settings.from_json(json.loads(text))
    if settings.must_be_mounted and not settings.boot.is_mount():
        print(f"{settings.boot} is not mounted; is it in fileSystems?", file=sys.stderr)
        return 1
    try:
        KINDS[given.kind](settings).install(given.toplevel)
    except (BadGeneration, NotInstalled, OSError, ValueError) as problem:
        print(f"boot loader: {problem}", file=sys.stderr)
        return 1
    finally:
        sync_file_system(settings.boot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
