"""What became of the units after a switch."""

import subprocess
from pathlib import Path

from stc.carry_out import UNITS_FAILED
from stc.console import say
from stc.plan import listed
from stc.systemd import ActiveUnit, Manager

SERVICE_INTERFACE = "org.freedesktop.systemd1.Service"


def has_failed(manager: Manager, unit: ActiveUnit) -> bool:
    """A service about to be started again counts as failed if its last run did."""
    if unit.state == "failed":
        return True
    if unit.substate == "auto-restart" and unit.name.endswith(".service"):
        return bool(manager.property(unit.name, SERVICE_INTERFACE, "ExecMainStatus") != 0)
    return False


def report(manager: Manager, before: dict[str, ActiveUnit], systemd: Path) -> int:
    """Says which units are new and which have failed; the exit code for that."""
    manager.settle()
    now = manager.active_units()
    failed = {name for name, unit in now.items() if has_failed(manager, unit)}
    new = {name for name in now.keys() - before.keys() - failed if not name.endswith(".scope")}
    if new:
        say(f"the following new units were started: {listed(new)}")
    if not failed:
        return 0
    say(f"warning: the following units failed: {listed(failed)}")
    status = [str(systemd / "bin/systemctl"), "status", "--no-pager", "--full"]
    try:
        subprocess.run([*status, *sorted(failed)], check=False)
    except OSError:
        pass  # Only for reading; the exit code says it all.
    return UNITS_FAILED
