"""What each kind of loader boots after it was installed, on made-up generations."""

import json
import os
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

LOADER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(LOADER))

from bootloader import files
from bootloader.files import Settings
from bootloader.generations import BadGeneration
from bootloader.grub import read_environment, write_environment
from bootloader.systemd_boot import NotInstalled
from install import KINDS
from bootloader.efivars import Variables
from resolve import DoesNotBoot, entries, resolve


class Host:
    """A store, profiles and a boot file system in a temporary directory."""

    def __init__(self, root: Path) -> None:
        # The resolver wants an init in the real store, so only file contents are elsewhere.
        self.store = root / "store"
        self.profiles = root / "profiles"
        self.boot = root / "boot"
        for directory in (self.store, self.profiles / "system-profiles", self.boot):
            directory.mkdir(parents=True)

    def system(self, name: str, children: tuple[str, ...] = ()) -> Path:
        toplevel = self.store / name
        if not toplevel.exists():
            toplevel.mkdir()
            (toplevel / "kernel").write_text("kernel")
            (toplevel / "initrd").write_text("initrd of " + name)
            (toplevel / "boot.json").write_text(json.dumps(self.document(name, children)))
        return toplevel

    def document(self, name: str, children: tuple[str, ...] = ()) -> dict[str, object]:
        toplevel = self.store / name
        spec = {
            "init": f"/nix/store/{name}/init",
            "kernel": str(toplevel / "kernel"),
            "initrd": str(toplevel / "initrd"),
            "kernelParams": ["quiet"],
            "label": name,
            "toplevel": str(toplevel),
        }
        inner = {child: self.document(name) | {"child": child} for child in children}
        return {"org.nixos.bootspec.v1": spec, "org.nixos.specialisation.v1": inner}

    def generation(self, profile: str, number: int, name: str, children: tuple[str, ...] = ()) -> None:
        directory = self.profiles if profile == "system" else self.profiles / "system-profiles"
        link = f"{profile}-{number}-link"
        (directory / link).symlink_to(self.system(name, children))
        current = directory / profile
        current.unlink(missing_ok=True)
        current.symlink_to(link)

    def install(self, kind: str, name: str, first: bool = False, **settings: object) -> None:
        chosen = Settings(boot=self.boot, profiles=self.profiles, **settings)  # type: ignore[arg-type]
        with mock.patch.dict(os.environ, {"NIXOS_INSTALL_BOOTLOADER": "1" if first else "0"}):
            default = Path("/nix/store") / name if kind in ("systemd-boot", "highest") else self.system(name)
            KINDS[kind](chosen).install(default)

    def boots(self) -> str:
        return resolve(self.boot, Variables(self.boot / "no-efi")).init.removeprefix("/nix/store/").removesuffix("/init")

    def menu(self) -> list[str]:
        return [entry.id.removesuffix(".conf") for entry in entries(self.boot)]


@contextmanager
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory() as directory:
        made = Host(Path(directory))
        with mock.patch.object(files, "STORE", made.store):
            yield made


@dataclass(frozen=True)
class Case:
    """`install` are the systems installed one after the other; each is in the profile but for `stray`."""

    name: str
    kind: str
    install: list[str]
    boots: str
    menu: list[str] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)


STRAY = "stray"

CASES = [
    Case("the last of three", "systemd-boot", ["a", "b", "c"], "c", [f"nixos-generation-{n}" for n in (3, 2, 1)]),
    Case(
        "the limit counts from the highest number",
        "systemd-boot",
        ["a", "b", "c"],
        "c",
        ["nixos-generation-3", "nixos-generation-2"],
        {"limit": 2},
    ),
    Case("a system in no generation changes nothing", "systemd-boot", ["a", "b", STRAY], "b"),
    Case("or falls back to the newest", "systemd-boot", ["a", "b", STRAY], "b", [], {"no_match": "newest"}),
    Case("back to the first", "systemd-boot", ["a", "b", "a"], "a"),
    Case("back to the first, beyond the limit", "systemd-boot", ["a", "b", "a"], "b", [], {"limit": 1}),
    Case("the highest number wins", "highest", ["a", "b", "a"], "b"),
    Case("GRUB: what was asked for", "grub", ["a", "b", "a"], "a"),
    Case("GRUB: in a generation or not", "grub", ["a", "b", STRAY], STRAY),
    Case("extlinux: what was asked for", "extlinux", ["a", "b", STRAY], STRAY),
]


class Install(unittest.TestCase):
    def test_table(self) -> None:
        for case in CASES:
            with self.subTest(case.name), host() as made:
                known: list[str] = []
                for position, name in enumerate(case.install):
                    if name not in known and name != STRAY:
                        known.append(name)
                        made.generation("system", len(known), name)
                    made.install(case.kind, name, first=position == 0, **case.settings)
                self.assertEqual(made.boots(), case.boots)
                if case.menu:
                    self.assertEqual(made.menu(), case.menu)

    def test_bad_generation_breaks_all_and_removes_nothing(self) -> None:
        with host() as made:
            made.generation("system", 1, "a")
            made.install("systemd-boot", "a", first=True)
            made.generation("system", 2, "b")
            (made.store / "b/boot.json").write_text("{")
            made.generation("system", 3, "c")
            with self.assertRaises(BadGeneration):
                made.install("systemd-boot", "c", limit=2)
            self.assertEqual(made.menu(), ["nixos-generation-1"])

    def test_killed_run_is_in_the_way(self) -> None:
        with host() as made:
            made.generation("system", 1, "a")
            made.install("systemd-boot", "a", first=True)
            (made.boot / "loader/loader.tmp").touch()
            with self.assertRaises(FileExistsError):
                made.install("systemd-boot", "a")

    def test_power_cut_at_limit_one_leaves_nothing(self) -> None:
        with host() as made:
            made.generation("system", 1, "a")
            made.install("systemd-boot", "a", first=True, limit=1)
            made.generation("system", 2, "b")
            cut = mock.patch("bootloader.systemd_boot.time.sleep", side_effect=KeyboardInterrupt)
            with cut, self.assertRaises(KeyboardInterrupt):
                made.install("systemd-boot", "b", limit=1)
            with self.assertRaises(DoesNotBoot):
                made.boots()

    def test_another_loader_must_be_installed_once(self) -> None:
        with host() as made:
            made.generation("system", 1, "a")
            made.install("grub", "a")
            with self.assertRaises(NotInstalled):
                made.install("systemd-boot", "a")
            made.install("systemd-boot", "a", first=True)
            self.assertEqual(resolve(made.boot, Variables(made.boot / "no-efi")).entry.id, "nixos-generation-1.conf")

    def test_other_profile_has_entries_and_the_default_stays(self) -> None:
        with host() as made:
            made.generation("system", 1, "a")
            made.generation("lockstep", 1, "b")
            made.install("systemd-boot", "a", first=True)
            self.assertEqual(made.boots(), "a")
            self.assertIn("nixos-lockstep-generation-1", made.menu())

    def test_specialisations_have_entries(self) -> None:
        with host() as made:
            made.generation("system", 1, "a", ("plain",))
            made.install("systemd-boot", "a", first=True)
            self.assertIn("nixos-generation-1-specialisation-plain", made.menu())

    def test_grub_once(self) -> None:
        with host() as made:
            for number, name in ((1, "a"), (2, "b")):
                made.generation("system", number, name)
            made.install("grub", "a")
            environment = made.boot / "grub/grubenv"
            write_environment(environment, read_environment(environment) | {"next_entry": "1>0"})
            self.assertEqual(made.boots(), "b")


if __name__ == "__main__":
    unittest.main()
