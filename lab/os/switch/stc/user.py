"""A run as a logged-in user, started by the run as root: the user's own units."""

import os
import sys
from pathlib import Path

from stc.bus import Bus, BusError
from stc.carry_out import UNITS_FAILED, Steps
from stc.changes import UnitDirectories, plan_changes
from stc.console import die, say
from stc.plan import Plan, Record, listed
from stc.settings import Action, required
from stc.systemd import Manager

USER_UNITS = Path("/etc/systemd/user")

# Runs the activation scripts of a user; there is no limit to how long it takes.
ACTIVATION = "nixos-activation.service"


def run(parent: str) -> int:
    if parent != os.path.realpath(sys.argv[0]):
        die("This is not meant to be called by anything but switch-to-configuration.", 1)
    toplevel = Path(required(os.environ, "TOPLEVEL"))
    old_toplevel = Path(required(os.environ, "OLD_TOPLEVEL"))
    dry = Action(required(os.environ, "NIXOS_ACTION")) is Action.DRY_ACTIVATE
    runtime = Path(required(os.environ, "XDG_RUNTIME_DIR"))
    lists = runtime / "nixos"
    lists.mkdir(parents=True, exist_ok=True)
    lists.chmod(0o700)
    plan = Plan(Record(lists, keep=not dry))
    manager = Manager(Bus(str(runtime / "bus")))
    new_units = toplevel / "etc/systemd/user"
    # /etc is the new system's by now, so the old units are looked up in the old system itself.
    directories = UnitDirectories(old_toplevel / "etc/systemd/user", new_units, USER_UNITS)
    plan_changes(plan, manager, manager.active_units(), directories)
    plan.skip.discard(ACTIVATION)
    return pretend(plan) if dry else perform(plan, manager, new_units)


def pretend(plan: Plan) -> int:
    steps = [("stop", plan.stop), ("NOT restart", plan.skip), ("reload", plan.reload)]
    steps += [("restart", plan.restart), ("start", plan.start - plan.unmentioned)]
    for verb, units in steps:
        if units:
            say(f"would {verb} the following user units: {listed(units)}")
    return 0


def perform(plan: Plan, manager: Manager, new_units: Path) -> int:
    steps = Steps(manager, plan, noun="user unit")
    steps.stop()
    steps.announce("NOT restarting", plan.skip)
    for member in ("Reexecute", "ResetFailed", "Reload"):
        try:
            manager.call(member)
        except BusError:
            continue  # A manager that executes itself again does not answer.
    steps.reload()
    steps.restart()
    steps.start()
    if (new_units / ACTIVATION).exists():
        activate(steps, manager)
    failed = steps.report_jobs()
    if failed:
        say(f"warning: the following user units failed: {listed(set(failed))}")
        say(f"See `systemctl --user status {' '.join(sorted(failed))}` for details.")
    return steps.exit_code


def activate(steps: Steps, manager: Manager) -> None:
    say(f"restarting the following user units: {ACTIVATION}")
    try:
        manager.call("RestartUnit", "ss", ACTIVATION, "replace")
    except BusError as problem:
        say(f"Failed to restart {ACTIVATION}: {problem}")
        steps.exit_code = UNITS_FAILED
        return
    manager.wait_for_removal_of_job(ACTIVATION)
