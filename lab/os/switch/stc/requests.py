"""Units that an activation script wants restarted or reloaded, asked for in files under /run/nixos."""

from dataclasses import dataclass
from pathlib import Path

from stc.changes import INSTANCE, SUFFIX
from stc.console import say
from stc.modified import Modified, has_a_say, plan_modified
from stc.plan import Plan, read_lines
from stc.systemd import ActiveUnit
from stc.unitfile import UnitFile, read_unit


@dataclass(frozen=True)
class Requests:
    """The two files of one kind of activation, real or dry."""

    restart: Path
    reload: Path

    @classmethod
    def of(cls, directory: Path, dry: bool) -> "Requests":
        prefix = "dry-activation" if dry else "activation"
        return cls(directory / f"{prefix}-restart-list", directory / f"{prefix}-reload-list")


def plan_requests(plan: Plan, requests: Requests, active: dict[str, ActiveUnit], new_units: Path) -> None:
    """Adds the requests to the plan and removes the files: the plan's own record has them now."""
    if requests.restart.exists() or requests.reload.exists():
        say("WARN: an activation script asks for units to be restarted or reloaded; this is deprecated.")
    for unit in read_lines(requests.restart):
        if unit in active:
            plan_restart(plan, unit, active, new_units)
        else:
            plan.to_start(unit)
    requests.restart.unlink(missing_ok=True)
    for unit in read_lines(requests.reload):
        if unit in active and unit not in plan.restart and unit not in plan.stop:
            plan.to_reload(unit)
    requests.reload.unlink(missing_ok=True)


def plan_restart(plan: Plan, unit: str, active: dict[str, ActiveUnit], new_units: Path) -> None:
    file = base = new_units / unit
    match = INSTANCE.match(unit)
    if match is not None and not file.exists():
        base = new_units / f"{match[1]}@.{match[2]}"
    new = read_unit(file, base) if has_a_say(unit) else UnitFile()
    stem = SUFFIX.sub("", base.name)
    plan_modified(plan, Modified(unit, stem, new, new_units, active.keys(), already_activated=True))
