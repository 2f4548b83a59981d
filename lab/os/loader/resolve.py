"""Which system a host boots from its boot file system: the reference for the lab's firmware.

`python3 resolve.py BOOT` prints the answer as JSON; with `--boot` it also does what the firmware
does on the way (takes back a one-shot entry, notes what it selected). README.md has the rules.
"""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import cmp_to_key
from pathlib import Path, PurePosixPath

from bootloader.efivars import DIRECTORY, VOLATILE, Variables
from bootloader.grub import read_environment, write_environment


class DoesNotBoot(Exception):
    """The firmware finds nothing it can start; the host stays down."""


@dataclass(frozen=True)
class Entry:
    """`id` is the loader's own name for it; of GRUB the position, of extlinux the label."""

    id: str
    title: str
    linux: str
    initrd: str
    options: list[str]
    sort_key: str = ""
    machine_id: str = ""
    version: str = ""


@dataclass(frozen=True)
class Choice:
    entry: Entry
    one_shot: bool = False

    @property
    def init(self) -> str:
        for option in self.entry.options:
            if option.startswith("init="):
                return option.removeprefix("init=")
        raise DoesNotBoot(f"entry {self.entry.id} names no init")


def resolve(boot: Path, variables: Variables) -> Choice:
    """The entry that is booted next; nothing is written."""
    choice = choose(boot, variables)
    verify(boot, choice)
    return choice


def choose(boot: Path, variables: Variables) -> Choice:
    match read(boot / "lab-firmware").strip():
        case "systemd-boot":
            return systemd_boot(boot, variables)
        case "grub":
            return grub(boot)
        case "extlinux":
            return extlinux(boot)
        case _:
            raise DoesNotBoot("no boot loader is installed")


def verify(boot: Path, choice: Choice) -> None:
    """An entry that cannot be started ends the boot: no loader tries the next one."""
    for file in (choice.entry.linux, choice.entry.initrd):
        if not file or not inside(boot, file).is_file():
            raise DoesNotBoot(f"entry {choice.entry.id} needs {file or 'a kernel and an initrd'}, which is missing")
    if not choice.init.startswith("/nix/store/"):
        raise DoesNotBoot(f"entry {choice.entry.id} has init={choice.init}, which is no store path")


def read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def inside(boot: Path, file: str) -> Path:
    return boot / PurePosixPath(file.lstrip("/"))


# systemd-boot


def entries(boot: Path) -> list[Entry]:
    """In the order of the menu. An entry whose kernel is missing is not shown."""
    files = sorted((boot / "loader/entries").glob("*.conf"))
    found = [parse_entry(file.name, read(file)) for file in files]
    return sorted((e for e in found if e.linux and inside(boot, e.linux).is_file()), key=cmp_to_key(menu_order))


def parse_entry(name: str, text: str) -> Entry:
    keys: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key and not key.startswith("#"):
            keys[key] = value.strip()
    return Entry(
        id=name,
        title=keys.get("title", ""),
        linux=keys.get("linux", ""),
        initrd=keys.get("initrd", ""),
        options=keys.get("options", "").split(),
        sort_key=keys.get("sort-key", ""),
        machine_id=keys.get("machine-id", ""),
        version=keys.get("version", ""),
    )


def menu_order(left: Entry, right: Entry) -> int:
    """Boot Loader Specification, "Sorting": newest first. Entries with a sort key come before others."""
    if bool(left.sort_key) != bool(right.sort_key):
        return -1 if left.sort_key else 1
    if left.sort_key:
        first = (left.sort_key, left.machine_id)
        second = (right.sort_key, right.machine_id)
        order = (first > second) - (first < second) or -compare_versions(left.version, right.version)
        if order:
            return order
    return -compare_versions(left.id, right.id)


def compare_versions(left: str, right: str) -> int:
    """Numbers by value, text byte by byte, and a prefix is older: enough for the names used here."""
    first, second = (re.findall(r"[0-9]+|[^0-9]+", text) for text in (left, right))
    for one, other in zip(first, second, strict=False):
        if one.isdigit() and other.isdigit():
            if int(one) != int(other):
                return 1 if int(one) > int(other) else -1
        elif one != other:
            return 1 if one > other else -1
    return (len(first) > len(second)) - (len(first) < len(second))


def matching(menu: list[Entry], pattern: str) -> Entry | None:
    """The first entry that a name or glob fits; letters of both cases, `.conf` may be left out."""
    wanted = pattern.strip().lower()
    for entry in menu:
        name = entry.id.lower()
        if wanted and (fnmatchcase(name, wanted) or fnmatchcase(name.removesuffix(".conf"), wanted)):
            return entry
    return None


def systemd_boot(boot: Path, variables: Variables) -> Choice:
    menu = entries(boot)
    if not menu:
        raise DoesNotBoot("systemd-boot has no entries")
    if one_shot := matching(menu, variables.get("LoaderEntryOneShot")):
        return Choice(one_shot, one_shot=True)
    configured = loader_setting(boot, "default")
    for pattern in (variables.get("LoaderEntryDefault"), configured):
        if entry := matching(menu, pattern):
            return Choice(entry)
    return Choice(menu[0])


def loader_setting(boot: Path, name: str) -> str:
    for line in read(boot / "loader/loader.conf").splitlines():
        key, _, value = line.strip().partition(" ")
        if key == name:
            return value.strip()
    return ""


# GRUB


@dataclass
class Menu:
    """What stands in grub.cfg: entries by position (`0`, `1>2`) and title path."""

    default: str = "0"
    entries: dict[str, Entry] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


QUOTED = re.compile(r'^(menuentry|submenu) "([^"]*)"')


def parse_grub(text: str) -> Menu:
    menu = Menu()
    submenu: tuple[str, str] | None = None
    outer, inner = 0, 0
    entry: Entry | None = None
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("set default=") and "next_entry" not in line:
            menu.default = line.removeprefix("set default=").strip('"')
        elif match := QUOTED.match(line):
            kind, title = match.groups()
            if kind == "submenu":
                submenu, inner = (str(outer), title), 0
                outer += 1
            else:
                position = f"{submenu[0]}>{inner}" if submenu else str(outer)
                path = f"{submenu[1]}>{title}" if submenu else title
                inner, outer = (inner + 1, outer) if submenu else (inner, outer + 1)
                entry = Entry(position, title, "", "", [])
                menu.titles.setdefault(path, position)
        elif entry and line.startswith("linux "):
            _, kernel, *options = line.split()
            entry = Entry(entry.id, entry.title, kernel, "", options)
        elif entry and line.startswith("initrd "):
            entry = Entry(entry.id, entry.title, entry.linux, line.split()[1], entry.options)
        elif line == "}":
            if entry:
                menu.entries[entry.id] = entry
                entry = None
            else:
                submenu = None
    return menu


def grub(boot: Path) -> Choice:
    menu = parse_grub(read(boot / "grub/grub.cfg"))
    try:
        environment = read_environment(boot / "grub/grubenv")
    except (OSError, ValueError):
        environment = {}
    one_shot = environment.get("next_entry", "")
    default = environment.get("saved_entry", "") if menu.default == "${saved_entry}" else menu.default
    wanted = one_shot or default
    entry = menu.entries.get(menu.titles.get(wanted, wanted)) or menu.entries.get("0")
    if entry is None:
        raise DoesNotBoot("grub.cfg has no entry to boot")
    return Choice(entry, one_shot=bool(one_shot))


# extlinux


def extlinux(boot: Path) -> Choice:
    default, labels, current = "", list[dict[str, str]](), dict[str, str]()
    for line in read(boot / "extlinux/extlinux.conf").splitlines():
        key, _, value = line.strip().partition(" ")
        if key == "DEFAULT":
            default = value.strip()
        elif key == "LABEL":
            current = {"LABEL": value.strip()}
            labels.append(current)
        elif key in ("LINUX", "INITRD", "APPEND"):
            current[key] = value.strip().removeprefix("..")
    chosen = next((label for label in labels if label["LABEL"] == default), None)
    if chosen is None:
        raise DoesNotBoot(f"extlinux.conf has no label {default!r}")
    linux, initrd, options = (chosen.get(key, "") for key in ("LINUX", "INITRD", "APPEND"))
    return Choice(Entry(default, default, linux, initrd, options.split()))


def boot_once(boot: Path, variables: Variables) -> Choice:
    """Resolves and does what the firmware does on the way, before it starts anything."""
    variables.start()
    choice = choose(boot, variables)
    match read(boot / "lab-firmware").strip():
        case "systemd-boot":
            # Taken back even if it names nothing that exists.
            variables.remove("LoaderEntryOneShot")
            variables.set("LoaderInfo", "systemd-boot 257", VOLATILE)
            variables.set("LoaderEntrySelected", choice.entry.id, VOLATILE)
        case "grub" if choice.one_shot:
            take_back_grub(boot)
    verify(boot, choice)
    return choice


def take_back_grub(boot: Path) -> None:
    """GRUB cannot write where /boot is on btrfs, LVM or RAID: then the one-shot stays for ever."""
    if not (boot / "grub/lab-grubenv-readonly").exists():
        values = read_environment(boot / "grub/grubenv")
        values.pop("next_entry", None)
        write_environment(boot / "grub/grubenv", values)


def answers(choice: Choice) -> Iterator[tuple[str, object]]:
    yield "entry", choice.entry.id
    yield "init", choice.init
    yield "options", [option for option in choice.entry.options if not option.startswith("init=")]
    yield "oneShot", choice.one_shot


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--boot", action="store_true")
    parser.add_argument("--variables", type=Path, default=DIRECTORY)
    parser.add_argument("directory", type=Path, nargs="?", default=Path("/boot"))
    given = parser.parse_args()
    decide = boot_once if given.boot else resolve
    try:
        choice = decide(given.directory, Variables(given.variables))
    except DoesNotBoot as problem:
        print(json.dumps({"error": str(problem)}))
        return 1
    print(json.dumps(dict(answers(choice)) | {"menu": asdict(choice.entry)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
