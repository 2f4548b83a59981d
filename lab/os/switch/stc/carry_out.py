"""Carries out a plan: stops before the activation; reloads, restarts and starts after it."""

from pathlib import Path

from stc.bus import BusError
from stc.console import Failure, say
from stc.plan import Plan, Units, listed
from stc.systemd import BAD_RESULTS, Manager
from stc.unitfile import read_unit

UNITS_FAILED = 4


class Steps:
    """The steps of one scope; `noun` is how its messages call a unit, `exit_code` the outcome so far."""

    def __init__(self, manager: Manager, plan: Plan, noun: str = "unit") -> None:
        self.manager = manager
        self.plan = plan
        self.noun = noun
        self.exit_code = 0

    def announce(self, verb: str, units: Units) -> None:
        if units:
            say(f"{verb} the following {self.noun}s: {listed(units)}")

    def stop(self) -> None:
        """A unit that cannot be stopped is no error: it may have gone by itself."""
        self.announce("stopping", self.plan.stop - self.plan.unmentioned)
        for unit in sorted(self.plan.stop):
            try:
                self.manager.submit("stop", unit)
            except BusError:
                continue
        self.manager.wait_for_jobs()

    def submit(self, verb: str, unit: str) -> None:
        try:
            self.manager.submit(verb, unit)
        except BusError as problem:
            name = unit if self.noun == "unit" else f"{self.noun} {unit}"
            say(f"Failed to {verb} {name}: {problem}")
            self.exit_code = UNITS_FAILED

    def submit_all(self, verb: str, units: Units) -> None:
        for unit in sorted(units):
            self.submit(verb, unit)
        self.manager.wait_for_jobs()

    def reload(self) -> None:
        if self.plan.reload:
            self.announce("reloading", self.plan.reload)
            self.submit_all("reload", self.plan.reload)
            self.plan.record.done("reload")

    def restart(self) -> None:
        if self.plan.restart:
            self.announce("restarting", self.plan.restart)
            self.submit_all("restart", self.plan.restart)
            self.plan.record.done("restart")

    def start(self) -> None:
        """The original's order is by chance. A socket fails if its service runs, so sockets go first."""
        self.announce("starting", self.plan.start - self.plan.unmentioned)
        for unit in sorted(self.plan.start, key=lambda name: (not name.endswith(".socket"), name)):
            self.submit("start", unit)
        self.manager.wait_for_jobs()
        self.plan.record.done("start")

    def report_jobs(self) -> list[str]:
        """Says which jobs did not succeed; the units they were for."""
        failed = [job for job in self.manager.finished if job.result in BAD_RESULTS]
        for job in failed:
            name = job.unit if self.noun == "unit" else f"{self.noun} {job.unit}"
            say(f"Failed to {job.verb} {name}")
        if failed:
            self.exit_code = UNITS_FAILED
        return [job.unit for job in failed]

    def start_instead_of_reload(self, new_units: Path) -> None:
        """A unit that stopped meanwhile, with one it requires, cannot be reloaded: it is started."""
        for unit in sorted(self.plan.reload):
            if not self.manager.is_active(unit):
                if may_be_started(new_units / unit):
                    self.plan.to_start(unit)
                self.plan.not_to_reload(unit)


def may_be_started(file: Path) -> bool:
    """Units without a file in the new system, such as mounts out of fstab, are not started."""
    try:
        new = read_unit(file, file)
    except Failure:
        return False
    return not new.flag("Unit", "RefuseManualStart", False) or new.flag("Unit", "X-OnlyManualStart", False)
