"""What is to happen to one running unit that changed, or that the activation wants restarted."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from stc.plan import Plan
from stc.unitfile import UnitFile

# Their dependents pull them in; they are never restarted themselves.
BOOT_TARGETS = frozenset({"sysinit.target", "basic.target", "multi-user.target", "graphical.target"})

# Unmounting these would take the ground from under the system.
KEPT_MOUNTS = frozenset({"-.mount", "nix.mount"})


@dataclass(frozen=True)
class Modified:
    """The unit, its name without suffix (of an instance: the template's), its new file, and surroundings.

    `already_activated` is set for a unit named by the activation script. By then it is too late to
    stop anything in the old environment, so what would be stopped and started is restarted instead.
    """

    name: str
    stem: str
    new: UnitFile
    new_directory: Path
    active: AbstractSet[str]
    already_activated: bool = False


def applied_by_reload_of_systemd(unit: str) -> bool:
    """Slices and paths get their new properties when systemd reads its files again."""
    return unit in BOOT_TARGETS or unit.endswith((".path", ".slice"))


def has_a_say(unit: str) -> bool:
    """Whether the unit's own file decides. Sockets are left as they are, whatever changed."""
    return not applied_by_reload_of_systemd(unit) and not unit.endswith((".socket", ".mount"))


def plan_modified(plan: Plan, unit: Modified) -> None:
    if has_a_say(unit.name):
        plan_by_its_file(plan, unit)
    elif unit.name in KEPT_MOUNTS:
        plan.to_reload(unit.name)
    elif unit.name.endswith(".mount"):
        plan.to_restart(unit.name)


def plan_by_its_file(plan: Plan, unit: Modified) -> None:
    going_down = plan.restart if unit.already_activated else plan.restart | plan.stop
    if unit.new.flag("Service", "X-ReloadIfChanged", False) and unit.name not in going_down:
        plan.to_reload(unit.name)
    elif must_be_left_alone(unit.new):
        plan.skip.add(unit.name)
    else:
        plan_replacement(plan, unit)
        plan.not_to_reload(unit.name)


def must_be_left_alone(new: UnitFile) -> bool:
    return (
        not new.flag("Service", "X-RestartIfChanged", True)
        or new.flag("Unit", "RefuseManualStop", False)
        or new.flag("Unit", "X-OnlyManualStart", False)
    )


def plan_replacement(plan: Plan, unit: Modified) -> None:
    """Restart in one step, or stop in the old system and start in the new one."""
    if not unit.name.endswith(".service") or not unit.new.flag("Service", "X-StopIfChanged", True):
        plan.to_restart(unit.name)
        return
    started_by_socket = plan_sockets(plan, unit)
    if unit.new.flag("Service", "X-NotSocketActivated", False):
        started_by_socket = False
    if unit.already_activated:
        plan.restart.add(unit.name)
        if not started_by_socket:
            plan.record.add("restart", unit.name)
        return
    plan.stop.add(unit.name)
    if not started_by_socket:
        plan.to_start(unit.name)


def plan_sockets(plan: Plan, unit: Modified) -> bool:
    """Plans the service's sockets; true if one of them is going to start the service when needed."""
    sockets = unit.new.words("Service", "Sockets") or [unit.stem.removesuffix("@") + ".socket"]
    started_by_socket = False
    for socket in sockets:
        in_new_system = (unit.new_directory / socket).exists()
        if socket in unit.active:
            replace_socket(plan, unit, socket, in_new_system)
        started_by_socket |= in_new_system
    return started_by_socket


def replace_socket(plan: Plan, unit: Modified, socket: str, in_new_system: bool) -> None:
    if unit.already_activated:
        plan.restart.add(socket)
        if in_new_system:
            plan.record.add("restart", socket)
        return
    plan.stop.add(socket)
    if in_new_system:
        plan.to_start(socket)
