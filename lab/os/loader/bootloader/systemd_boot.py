"""systemd-boot as NixOS's own builder writes it (25.11), and the way lanzaboote picks its default."""

import datetime
import os
import re
import shutil
import time
from pathlib import Path

from bootloader.files import Settings, copy_if_missing, store_name, write_synced
from bootloader.generations import BootSpec, Generation, boot_spec, listed

ENTRY = re.compile(r"^nixos(?:-(?P<profile>.*))?-generation-(?P<number>[0-9]+)(?:-specialisation-.*)?\.conf$")

NEWEST = "nixos-*"

# Debian's, in the image of a virtual machine.
REAL_PROGRAM = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed")


class NotInstalled(Exception):
    """The loader program itself is missing from the boot file system."""


class SystemdBoot:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.entries = settings.boot / "loader/entries"
        self.kernels = settings.boot / "EFI/nixos"
        self.program = settings.boot / "EFI/systemd/systemd-bootx64.efi"
        self.configuration = settings.boot / "loader/loader.conf"

    def install_program(self) -> None:
        """The program is only put there when asked for: a change of loaders needs that once."""
        if os.environ.get("NIXOS_INSTALL_BOOTLOADER") == "1":
            self.configuration.unlink(missing_ok=True)
            self.program.parent.mkdir(parents=True, exist_ok=True)
            self.copy_program()
            (self.settings.boot / "lab-firmware").write_text("systemd-boot\n")
        elif not self.program.exists():
            raise NotInstalled("systemd-boot is not installed here; set NIXOS_INSTALL_BOOTLOADER=1 once")
        self.kernels.mkdir(parents=True, exist_ok=True)
        self.entries.mkdir(parents=True, exist_ok=True)

    def copy_program(self) -> None:
        """The image's own program, to both places that `bootctl install` writes; without one, a stand-in."""
        targets = [self.program, self.settings.boot / "EFI/BOOT/BOOTX64.EFI"]
        if not REAL_PROGRAM.exists():
            self.program.write_text("systemd-boot 257\n")
            return
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REAL_PROGRAM, target)

    def install(self, default: Path) -> None:
        """Removes before it writes: a power cut or a full file system in between leaves gaps."""
        self.install_program()
        generations = listed(self.settings.profiles, self.settings.limit)
        self.remove_others(generations)
        time.sleep(self.settings.slow_seconds)
        matched = False
        for generation in generations:
            spec = boot_spec(generation)
            self.write_entry(generation, None, spec)
            for name, child in spec.specialisations.items():
                self.write_entry(generation, name, child)
            if spec.init.parent == default:
                self.write_configuration(entry_name(generation, None))
                matched = True
        if not matched and self.settings.no_match == "newest":
            self.write_configuration(NEWEST)

    def remove_others(self, generations: list[Generation]) -> None:
        """Entries of generations that are not listed, and kernels that no listed one has."""
        known: set[str] = set()
        for spec in map(boot_spec, generations):
            known |= {store_name(spec.kernel, ".efi"), store_name(spec.initrd, ".efi")}
        kept = {(generation.profile, generation.number) for generation in generations}
        for path in self.entries.glob("nixos*-generation-[1-9]*.conf"):
            match = ENTRY.match(path.name)
            if match and (match["profile"], int(match["number"])) not in kept:
                path.unlink()
        for path in self.kernels.iterdir():
            if path.name not in known and not path.is_dir():
                path.unlink()

    def write_entry(self, generation: Generation, specialisation: str | None, spec: BootSpec) -> None:
        for file in (spec.kernel, spec.initrd):
            copy_if_missing(file, self.kernels / store_name(file, ".efi"))
        built = datetime.date.fromtimestamp(generation.link.stat().st_ctime)
        target = self.entries / entry_name(generation, specialisation)
        lines = [
            f"title {title(self.settings.distribution, generation, specialisation)}",
            f"sort-key {spec.sort_key}",
            f"version Generation {generation.number} {spec.label}, built on {built:%F}",
            f"linux /EFI/nixos/{store_name(spec.kernel, '.efi')}",
            f"initrd /EFI/nixos/{store_name(spec.initrd, '.efi')}",
            f"options init={spec.init} {' '.join(spec.kernel_params)}",
            *machine_id_line(),
        ]
        write_synced(target.with_suffix(".tmp"), target, "".join(line + "\n" for line in lines))

    def write_configuration(self, default: str) -> None:
        text = f"timeout {self.settings.timeout}\ndefault {default}\nconsole-mode keep\n"
        write_synced(self.configuration.with_suffix(".tmp"), self.configuration, text, mode="x")


class HighestNumber(SystemdBoot):
    """The default is a pattern, so the highest number wins, whichever system was asked for."""

    def install_program(self) -> None:
        os.environ["NIXOS_INSTALL_BOOTLOADER"] = "1"
        super().install_program()

    def install(self, default: Path) -> None:
        self.install_program()
        generations = listed(self.settings.profiles, self.settings.limit)
        time.sleep(self.settings.slow_seconds)
        for generation in generations:
            spec = boot_spec(generation)
            self.write_entry(generation, None, spec)
            for name, child in spec.specialisations.items():
                self.write_entry(generation, name, child)
        self.write_configuration(NEWEST)
        self.remove_others(generations)


def entry_name(generation: Generation, specialisation: str | None) -> str:
    parts = ["nixos", generation.profile, "generation", str(generation.number)]
    if specialisation:
        parts.append(f"specialisation-{specialisation}")
    return "-".join(part for part in parts if part) + ".conf"


def title(distribution: str, generation: Generation, specialisation: str | None) -> str:
    profile = f" [{generation.profile}]" if generation.profile else ""
    return distribution + profile + (f" ({specialisation})" if specialisation else "")


def machine_id_line() -> list[str]:
    try:
        return ["machine-id " + Path("/etc/machine-id").read_text().split("\n")[0].strip()]
    except FileNotFoundError:
        return []
