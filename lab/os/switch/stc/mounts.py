"""What a changed /etc/fstab asks for. New file systems need nothing: local-fs.target mounts them."""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from stc.console import say
from stc.plan import Plan

KEPT_MOUNT_POINTS = frozenset({"/", "/nix"})


@dataclass(frozen=True)
class FileSystem:
    device: str
    kind: str
    options: str


@dataclass(frozen=True)
class Fstab:
    file_systems: dict[str, FileSystem]
    swaps: frozenset[str]


def read_fstab(file: Path) -> Fstab:
    try:
        return parse_fstab(file.read_text())
    except OSError:
        return Fstab({}, frozenset())


def parse_fstab(text: str) -> Fstab:
    """A `#` anywhere makes the whole line a comment, as in the original."""
    file_systems: dict[str, FileSystem] = {}
    swaps: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if "#" in line or len(words) < 3:
            continue
        device, mount_point, kind = words[:3]
        if kind == "swap":
            swaps.add(device)
        else:
            file_systems[mount_point] = FileSystem(device, kind, words[3] if len(words) > 3 else "")
    return Fstab(file_systems, frozenset(swaps))


def unit_stem(path: str) -> str:
    """The name systemd gives a path's mount unit (systemd.unit(5), string escaping), without suffix."""
    trimmed = "/".join(part for part in path.split("/") if part)
    if not trimmed:
        return "-"
    escaped = []
    for position, byte in enumerate(trimmed.encode()):
        character = chr(byte)
        plain = character.isascii() and (character.isalnum() or character in ":_")
        if character == "/":
            escaped.append("-")
        elif plain or (character == "." and position > 0):
            escaped.append(character)
        else:
            escaped.append(f"\\x{byte:02x}")
    return "".join(escaped)


def plan_mounts(plan: Plan, current: Fstab, new: Fstab) -> None:
    for mount_point, old in sorted(current.file_systems.items()):
        unit = unit_stem(mount_point)
        successor = new.file_systems.get(mount_point)
        if successor is None:
            # Stopping an automount stops its mount too.
            automount = "x-systemd.automount" in old.options
            plan.stop.add(f"{unit}.automount" if automount else f"{unit}.mount")
        elif (old.kind, old.device) != (successor.kind, successor.device):
            plan_other_device(plan, mount_point, old.options != successor.options)
        elif old.options != successor.options:
            plan.to_reload(f"{unit}.mount")


def plan_other_device(plan: Plan, mount_point: str, other_options: bool) -> None:
    unit = f"{unit_stem(mount_point)}.mount"
    if mount_point not in KEPT_MOUNT_POINTS:
        plan.to_restart(unit)
    elif other_options:
        plan.to_reload(unit)
    else:
        plan.skip.add(unit)


def end_swaps(current: Fstab, new: Fstab, dry: bool) -> None:
    """Swaps are ended by system call: a swap's unit has aliases that keep a stop from doing it."""
    libc = ctypes.CDLL(None, use_errno=True)
    for device in sorted(current.swaps - new.swaps):
        if dry:
            say(f"would stop swap device: {device}")
            continue
        say(f"stopping swap device: {device}")
        if libc.swapoff(device.encode()) != 0:
            say(f"Failed to stop swapping to {device}: {os.strerror(ctypes.get_errno())}")
