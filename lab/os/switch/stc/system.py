"""A run as root: the whole host is brought to the new system."""

import os
import subprocess
import sys
from pathlib import Path

from stc import gates
from stc.bus import Address, Bus, BusError
from stc.carry_out import UNITS_FAILED, Steps
from stc.changes import UnitDirectories, plan_changes
from stc.console import die, say
from stc.mounts import end_swaps, plan_mounts, read_fstab
from stc.outcome import report
from stc.plan import Plan, Record, listed
from stc.requests import Requests, plan_requests
from stc.settings import Action, Settings
from stc.systemd import PROPERTIES, Manager

SYSTEM_BUS = "/run/dbus/system_bus_socket"
SYSTEM_UNITS = Path("/etc/systemd/system")

# Starts again what is ordered before sysinit.target: that target itself cannot be restarted, since
# all services depend on it.
REACTIVATION = "sysinit-reactivation.target"

ACTIVATION_FAILED = 2


def run(settings: Settings, action: Action) -> int:
    # The activation moves this link, but users' units are compared after it.
    old_toplevel = gates.CURRENT_SYSTEM.resolve()
    os.environ["NIXOS_ACTION"] = action.value
    gates.check_host(settings.distro_id)
    lock = gates.take_lock()
    gates.pre_switch_checks(settings, action)
    if action is Action.CHECK:
        return 0
    if action in (Action.SWITCH, Action.BOOT):
        gates.install_boot_loader(settings)
    gates.sync_store()
    if action is Action.BOOT:
        return 0
    gates.check_init_interface(settings.toplevel)
    exit_code = Switch(settings, old_toplevel, dry=action is Action.DRY_ACTIVATE).run()
    lock.close()
    return exit_code


class Switch:
    """One activation, real or dry."""

    def __init__(self, settings: Settings, old_toplevel: Path, dry: bool) -> None:
        self.settings = settings
        self.old_toplevel = old_toplevel
        self.dry = dry
        self.plan = Plan(Record(gates.RUN_DIRECTORY, keep=not dry))
        self.bus = Bus(SYSTEM_BUS)
        self.manager = Manager(self.bus)
        self.before = self.manager.active_units()
        self.new_units = settings.toplevel / "etc/systemd/system"
        self.requests = Requests.of(gates.RUN_DIRECTORY, dry)

    def run(self) -> int:
        directories = UnitDirectories(SYSTEM_UNITS, self.new_units, SYSTEM_UNITS)
        plan_changes(self.plan, self.manager, self.before, directories)
        current_fstab = read_fstab(Path("/etc/fstab"))
        new_fstab = read_fstab(self.settings.toplevel / "etc/fstab")
        plan_mounts(self.plan, current_fstab, new_fstab)
        end_swaps(current_fstab, new_fstab, self.dry)
        replace_systemd = self.systemd_changes()
        return self.pretend(replace_systemd) if self.dry else self.perform(replace_systemd)

    def systemd_changes(self) -> bool:
        """Whether PID 1 must execute itself again: another program or another configuration."""
        try:
            new = (self.settings.systemd / "lib/systemd/systemd").resolve(strict=True)
        except OSError as problem:
            die(f"the new system has no systemd at {self.settings.systemd}", problem.errno or 1)
        current_configuration = resolved(Path("/etc/systemd/system.conf"))
        new_configuration = resolved(self.settings.toplevel / "etc/systemd/system.conf")
        return resolved(Path("/proc/1/exe")) != new or current_configuration != new_configuration

    def pretend(self, replace_systemd: bool) -> int:
        plan = self.plan
        would("stop", plan.stop - plan.unmentioned)
        if plan.skip:
            say(f"would NOT stop the following changed units: {listed(plan.skip)}")
        say("would activate the configuration...")
        self.run_script("dry-activate")
        plan_requests(plan, self.requests, self.before, self.new_units)
        if replace_systemd:
            say("would restart systemd")
        would("reload", plan.reload)
        would("restart", plan.restart)
        would("start", plan.start - plan.unmentioned)
        return 0

    def perform(self, replace_systemd: bool) -> int:
        steps = Steps(self.manager, self.plan)
        if self.plan.stop:
            steps.stop()
        if self.plan.skip:
            say(f"NOT restarting the following changed units: {listed(self.plan.skip)}")
        say("activating the configuration...")
        if self.run_script("activate") not in (0, None):
            say("Failed to run activate script")
            steps.exit_code = ACTIVATION_FAILED
        plan_requests(self.plan, self.requests, self.before, self.new_units)
        self.reload_systemd(replace_systemd)
        self.switch_users(steps)
        say(f"restarting {REACTIVATION}")
        steps.submit("restart", REACTIVATION)
        self.manager.wait_for_jobs()
        steps.start_instead_of_reload(self.new_units)
        steps.reload()
        steps.restart()
        steps.start()
        steps.report_jobs()
        self.manager.stop_listening()
        return report(self.manager, self.before, self.settings.systemd) or steps.exit_code

    def run_script(self, name: str) -> int | None:
        """Runs a script of the system; None if it has none (`system.activatable = false`)."""
        try:
            return subprocess.run([self.settings.out / name, self.settings.out], check=False).returncode
        except OSError:
            return None

    def reload_systemd(self, replace: bool) -> None:
        if replace:
            say("restarting systemd...")
            self.manager.reload_and_wait("Reexecute")
        self.manager.call("ResetFailed")
        self.manager.reload_and_wait("Reload")

    def switch_users(self, steps: Steps) -> None:
        """Every logged-in user's own units, by a process of that user."""
        logind = Address("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
        try:
            (users,) = self.bus.call(logind, "ListUsers")
        except BusError as problem:
            die(f"Unable to list users with logind: {problem}", 1)
        for uid, name, path in users:
            user = Address("org.freedesktop.login1", path, PROPERTIES)
            (gid,) = self.bus.call(user, "Get", "ss", "org.freedesktop.login1.User", "GID")
            (runtime,) = self.bus.call(user, "Get", "ss", "org.freedesktop.login1.User", "RuntimePath")
            say(f"reloading user units for {name}...")
            if not self.switch_user(uid, gid, runtime):
                say(f"warning: user activation for {name} failed")
                steps.exit_code = UNITS_FAILED

    def switch_user(self, uid: int, gid: int, runtime_directory: str) -> bool:
        program = os.path.realpath(sys.argv[0])
        environment = {
            "XDG_RUNTIME_DIR": runtime_directory,
            "__NIXOS_SWITCH_TO_CONFIGURATION_PARENT_EXE": program,
            "TOPLEVEL": str(self.settings.toplevel),
            "OLD_TOPLEVEL": str(self.old_toplevel),
            "NIXOS_ACTION": os.environ["NIXOS_ACTION"],
        }
        command = [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv)], program]
        done = subprocess.run(command, env=environment, user=uid, group=gid, extra_groups=[], check=False)
        return done.returncode == 0


def resolved(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except OSError:
        return Path("/unknown")


def would(verb: str, units: set[str]) -> None:
    if units:
        say(f"would {verb} the following units: {listed(units)}")
