"""Compares the units that run with the unit files of the new system."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from stc.compare import Effect, compare
from stc.modified import Modified, plan_modified
from stc.plan import Plan
from stc.systemd import ActiveUnit, Manager
from stc.unitfile import drop_ins, read_unit

# An instance of a template. An instance name with a dot in it is not recognised, as in the original.
INSTANCE = re.compile(r"^(.*)@[^.]*\.(.*)$")
SUFFIX = re.compile(r"\.[a-z]*$")

# May still count as active after the machine woke up.
SLEEP_TARGETS = frozenset({"suspend.target", "hibernate.target", "hybrid-sleep.target"})


@dataclass(frozen=True)
class UnitDirectories:
    """Where a scope's unit files are: of the running system, of the new one, and as systemd names them."""

    old: Path
    new: Path
    loaded: Path


@dataclass(frozen=True)
class Located:
    """A unit's files in both systems; `base` is the template if it is an instance without its own file."""

    name: str
    base: str
    old: Path
    old_base: Path
    new: Path
    new_base: Path
    instance_dropped: bool = False

    @property
    def stem(self) -> str:
        return SUFFIX.sub("", self.base)


def locate(unit: str, directories: UnitDirectories) -> Located:
    old, new = directories.old / unit, directories.new / unit
    match = INSTANCE.match(unit)
    if match is None or old.exists() or new.exists():
        return Located(unit, unit, old, old, new, new)
    base = f"{match[1]}@.{match[2]}"
    return Located(
        name=unit,
        base=base,
        old=old,
        old_base=directories.old / base,
        new=new,
        new_base=directories.new / base,
        instance_dropped=has_own_drop_ins(old) and not has_own_drop_ins(new),
    )


def has_own_drop_ins(unit: Path) -> bool:
    """Whether the configuration itself asks for this instance; masked drop-ins do not count."""
    return any(not is_gone(path) for path in drop_ins(unit))


def is_gone(file: Path) -> bool:
    """Whether a unit file is missing, dangling or masked."""
    return not file.exists() or os.path.realpath(file) == "/dev/null"


def plan_changes(plan: Plan, manager: Manager, active: dict[str, ActiveUnit], directories: UnitDirectories) -> None:
    """Fills the plan with what the unit files of the two systems say about every running unit."""
    running = [unit for unit in active.values() if unit.state in ("active", "activating")]
    fragments = manager.fragment_paths(running)
    for unit, fragment in sorted(zip(running, fragments, strict=True), key=lambda pair: pair[0].name):
        # Units of generators, of packages and of other programs have their file elsewhere.
        if not fragment.startswith(str(directories.loaded)):
            continue
        located = locate(unit.name, directories)
        if located.old_base.exists():
            plan_unit(plan, located, active, directories)


def plan_unit(plan: Plan, unit: Located, active: dict[str, ActiveUnit], directories: UnitDirectories) -> None:
    if unit.instance_dropped or is_gone(unit.new_base):
        if read_unit(unit.old, unit.old_base).flag("Unit", "X-StopOnRemoval", True):
            plan.stop.add(unit.name)
    elif unit.name.endswith(".target"):
        plan_target(plan, unit)
    else:
        new = read_unit(unit.new, unit.new_base)
        effect = compare(read_unit(unit.old, unit.old_base), new)
        if effect is Effect.RESTART:
            plan_modified(plan, Modified(unit.name, unit.stem, new, directories.new, active.keys()))
        elif effect is Effect.RELOAD and unit.name not in plan.restart:
            plan.to_reload(unit.name)


def plan_target(plan: Plan, unit: Located) -> None:
    """Every active target is started again: that starts what the new system adds to it."""
    new = read_unit(unit.new, unit.new_base)
    by_hand = new.flag("Unit", "RefuseManualStart", False) or new.flag("Unit", "X-OnlyManualStart", False)
    if unit.name not in SLEEP_TARGETS and not by_hand:
        plan.to_start(unit.name)
        if os.environ.get("STC_DISPLAY_ALL_UNITS") != "1":
            plan.unmentioned.add(unit.name)
    # Units ordered after this target would not wait for it while it stays active.
    if new.flag("Unit", "X-StopOnReconfiguration", False):
        plan.stop.add(unit.name)
