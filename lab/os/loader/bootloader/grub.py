"""GRUB's menu as NixOS writes it: the asked-for system first, all generations in a submenu."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bootloader.files import Settings, copy_if_missing, store_name, write_synced
from bootloader.generations import BootSpec, Generation, boot_spec, listed, synthesized

ENVIRONMENT_SIZE = 1024
ENVIRONMENT_HEAD = "# GRUB Environment Block\n"

# A one-shot entry is forgotten by the loader itself before it boots it.
HEADER = """\
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${{next_entry}}" ]; then
  set default="${{next_entry}}"
  set next_entry=
  save_env next_entry
  set timeout=1
else
  set default={default}
  set timeout={timeout}
fi
"""


class Grub:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.kernels = settings.boot / "kernels"
        self.menu = settings.boot / "grub/grub.cfg"
        self.state = settings.boot / "grub/state"
        self.copied: set[str] = set()

    def install(self, default: Path) -> None:
        """The asked-for system is the first entry, whether it is a generation or not."""
        self.kernels.mkdir(parents=True, exist_ok=True)
        self.menu.parent.mkdir(parents=True, exist_ok=True)
        saved = self.settings.grub_default == "saved"
        number = '"${saved_entry}"' if saved else self.settings.grub_default
        lines = [HEADER.format(default=number, timeout=self.settings.timeout)]
        distribution = self.settings.distribution
        lines += self.entry(f"{distribution} - Default", spec_of(default))
        for name, child in sorted(spec_of(default).specialisations.items()):
            lines += self.entry(f"{distribution} - {name}", child)
        time.sleep(self.settings.slow_seconds)
        lines += self.submenus()
        write_synced(self.menu.with_suffix(".cfg.tmp"), self.menu, "\n".join(lines) + "\n")
        for path in self.kernels.iterdir():
            if path.name not in self.copied:
                path.unlink()
        self.install_program()

    def submenus(self) -> Iterator[str]:
        generations = listed(self.settings.profiles, self.settings.limit)
        profiles = dict.fromkeys(generation.profile for generation in generations)
        for profile in profiles:
            title = f"Profile '{profile}'" if profile else "All configurations"
            yield f'submenu "{self.settings.distribution} - {title}" --class submenu {{'
            for generation in reversed(generations):
                if generation.profile == profile:
                    yield from self.generation(generation)
            yield "}"

    def generation(self, generation: Generation) -> Iterator[str]:
        spec = boot_spec(generation)
        name = f"{self.settings.distribution} - Configuration {generation.number}"
        yield from self.entry(f"{name} ({spec.label})", spec)
        for child_name, child in sorted(spec.specialisations.items()):
            yield from self.entry(f"{name} - {child_name} ({child.label})", child)

    def entry(self, title: str, spec: BootSpec) -> Iterator[str]:
        names = [store_name(file) for file in (spec.kernel, spec.initrd)]
        for file, name in zip((spec.kernel, spec.initrd), names, strict=True):
            copy_if_missing(file, self.kernels / name)
            self.copied.add(name)
        yield f'menuentry "{title}" --class nixos --unrestricted {{'
        yield f"  linux /kernels/{names[0]} init={spec.init} {' '.join(spec.kernel_params)}"
        yield f"  initrd /kernels/{names[1]}"
        yield "}"

    def install_program(self) -> None:
        """The boot record is written at the first time, and when asked for."""
        if os.environ.get("NIXOS_INSTALL_BOOTLOADER") == "1" or not self.state.exists():
            (self.settings.boot / "lab-firmware").write_text("grub\n")
            environment = self.settings.boot / "grub/grubenv"
            if not environment.exists():
                write_environment(environment, {})
            self.state.write_text("grub 2.12\n")


def spec_of(system: Path) -> BootSpec:
    """Of a system that need not be in any profile."""
    generation = Generation(None, 0, system)
    return boot_spec(generation) if (system / "boot.json").exists() else synthesized(system)


def read_environment(file: Path) -> dict[str, str]:
    """GRUB's environment block: a header line, `name=value` lines, then `#` up to 1024 bytes."""
    text = file.read_text()
    if not text.startswith(ENVIRONMENT_HEAD) or len(text) != ENVIRONMENT_SIZE:
        raise ValueError(f"{file} is not a GRUB environment block")
    lines = text[len(ENVIRONMENT_HEAD) :].rstrip("#").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def write_environment(file: Path, values: dict[str, str]) -> None:
    """In place, as GRUB itself does: the block never moves on the disk."""
    text = ENVIRONMENT_HEAD + "".join(f"{name}={value}\n" for name, value in values.items())
    if len(text) > ENVIRONMENT_SIZE:
        raise ValueError(f"{file}: environment block is full")
    with file.open("r+" if file.exists() else "w") as handle:
        handle.write(text.ljust(ENVIRONMENT_SIZE, "#"))
        handle.flush()
        os.fsync(handle.fileno())
