"""The generations of the system profiles, and what each wants to be booted with."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LINK = re.compile(r"^(?P<profile>.+)-(?P<number>[0-9]+)-link$")


class BadGeneration(Exception):
    """A generation whose boot information cannot be used; it breaks the whole installation."""


@dataclass(frozen=True)
class Generation:
    """`profile` is None for the system's own profile, else a name under `system-profiles`."""

    profile: str | None
    number: int
    link: Path


@dataclass(frozen=True)
class BootSpec:
    init: Path
    kernel: Path
    initrd: Path
    kernel_params: list[str]
    label: str
    toplevel: Path
    sort_key: str
    specialisations: dict[str, "BootSpec"] = field(default_factory=dict)


def of_profile(directory: Path, name: str, limit: int) -> list[Generation]:
    """The last `limit` generations by number; 0 means all."""
    found = []
    for path in directory.glob(f"{name}-*-link"):
        match = LINK.match(path.name)
        if match and match["profile"] == name:
            found.append(Generation(None if name == "system" else name, int(match["number"]), path))
    found.sort(key=lambda generation: generation.number)
    return found[-limit:]


def listed(profiles: Path, limit: int) -> list[Generation]:
    """Of the system profile, then of each profile under `system-profiles`, in no particular order."""
    generations = of_profile(profiles, "system", limit)
    others = profiles / "system-profiles"
    if others.is_dir():
        for path in others.iterdir():
            if not path.name.endswith("-link"):
                generations += of_profile(others, path.name, limit)
    return generations


def boot_spec(generation: Generation) -> BootSpec:
    """From `boot.json`, or put together from the files beside it in systems older than that."""
    document = generation.link / "boot.json"
    if not document.exists():
        return synthesized(generation.link)
    try:
        return from_document(json.loads(document.read_text()))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadGeneration(f"{document} is no boot specification: {problem!r}") from None


def from_document(document: dict[str, Any]) -> BootSpec:
    """Format: NixOS RFC 125, version 1."""
    main = document["org.nixos.bootspec.v1"]
    extension = document.get("org.nixos.systemd-boot", {})
    children = document["org.nixos.specialisation.v1"]
    return BootSpec(
        init=Path(main["init"]),
        kernel=Path(main["kernel"]),
        initrd=Path(main["initrd"]),
        kernel_params=list(main["kernelParams"]),
        label=main["label"],
        toplevel=Path(main["toplevel"]),
        sort_key=extension.get("sortKey", "nixos"),
        specialisations={name: from_document(child) for name, child in children.items()},
    )


def synthesized(system: Path) -> BootSpec:
    toplevel = system.resolve()
    try:
        version = (toplevel / "nixos-version").read_text().strip()
        parameters = (toplevel / "kernel-params").read_text().split()
        kernel, initrd = (toplevel / name for name in ("kernel", "initrd"))
        return BootSpec(
            init=toplevel / "init",
            kernel=kernel.resolve(strict=True),
            initrd=initrd.resolve(strict=True),
            kernel_params=parameters,
            label=f"NixOS {version}",
            toplevel=toplevel,
            sort_key="nixos",
        )
    except OSError as problem:
        raise BadGeneration(f"{system} cannot be booted: {problem}") from None
