"""extlinux.conf as U-Boot reads it: a fixed default label, and no entry for one boot only."""

import time
from collections.abc import Iterator
from pathlib import Path

from bootloader.files import Settings, copy_if_missing, store_name, write_synced
from bootloader.generations import BootSpec, boot_spec, of_profile
from bootloader.grub import spec_of


class Extlinux:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = settings.boot / "nixos"
        self.menu = settings.boot / "extlinux/extlinux.conf"
        self.copied: set[str] = set()

    def install(self, default: Path) -> None:
        """The asked-for system is the default, whether it is a generation or not."""
        self.files.mkdir(parents=True, exist_ok=True)
        self.menu.parent.mkdir(parents=True, exist_ok=True)
        lines = ["DEFAULT nixos-default", f"TIMEOUT {self.settings.timeout * 10}"]
        lines += self.entry("default", spec_of(default))
        time.sleep(self.settings.slow_seconds)
        generations = of_profile(self.settings.profiles, "system", self.settings.limit)
        for generation in reversed(generations):
            lines += self.entry(str(generation.number), boot_spec(generation))
        write_synced(self.menu.with_suffix(".conf.tmp"), self.menu, "\n".join(lines) + "\n")
        for path in self.files.iterdir():
            if path.name not in self.copied:
                path.unlink()
        (self.settings.boot / "lab-firmware").write_text("extlinux\n")

    def entry(self, tag: str, spec: BootSpec) -> Iterator[str]:
        names = [store_name(file) for file in (spec.kernel, spec.initrd)]
        for file, name in zip((spec.kernel, spec.initrd), names, strict=True):
            copy_if_missing(file, self.files / name)
            self.copied.add(name)
        yield ""
        yield f"LABEL nixos-{tag}"
        yield f"  MENU LABEL {self.settings.distribution} - {tag}"
        yield f"  LINUX ../nixos/{names[0]}"
        yield f"  INITRD ../nixos/{names[1]}"
        yield f"  APPEND init={spec.init} {' '.join(spec.kernel_params)}"
