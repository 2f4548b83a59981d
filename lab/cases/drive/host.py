"""The host under test: brings it into the state a case starts from, and asks it what became of it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from drive.case import Case

RUN_DIRECTORY = Path("/run/nixos")
CURRENT_SYSTEM = Path("/run/current-system")
SCRATCH = Path("/run/lab-case")
BOOT = SCRATCH / "boot"
PROFILES = SCRATCH / "profiles"

# What counts as active for a switch, and what is on its way back to it.
RUNNING = ("active", "activating", "reloading")

# No case cuts the power, and on a busy machine a sync of the store takes longer than the switch.
ENVIRONMENT = dict(os.environ) | {"NIXOS_NO_SYNC": "1"}

# Longer than any unit of the table takes, shorter than systemd's own limits.
TIMEOUT = 60.0


class NotPrepared(Exception):
    """The host could not be brought into the state that the case starts from."""


def shell(command: str, check: bool = True) -> str:
    """Runs a line of the table."""
    done = subprocess.run(
        ["/bin/sh", "-ec", command],
        text=True,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode != 0:
        raise NotPrepared(f"`{command}` exited with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def show_all(units: list[str], name: str) -> list[str]:
    """A property of each unit."""
    command = ["systemctl", "show", "--value", "-p", name, "--", *units]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return [line for line in done.stdout.splitlines() if line]


def active_units(names: list[str]) -> list[str]:
    if not names:
        return []
    states = show_all(names, "ActiveState")
    return sorted(name for name, state in zip(names, states, strict=True) if state in RUNNING)


def record(kind: str) -> list[str]:
    """A list that a run left behind; empty if there is none."""
    file = RUN_DIRECTORY / f"{kind}-list"
    return sorted(set(file.read_text().split())) if file.exists() else []


def clear_records() -> None:
    for file in RUN_DIRECTORY.glob("*-list"):
        file.unlink()


def prepare(case: Case, base: Path) -> None:
    clear_records()
    stop_left_overs(case, base)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir()
    prepare_loader(case)
    if os.path.realpath(CURRENT_SYSTEM) != case.systems["old"]:
        become(case.systems["old"])
    else:
        start_what_is_wanted()
    for verb, units in (("start", case.running), ("stop", case.stopped)):
        for unit in units:
            shell(f"systemctl {verb} -- '{unit}'")
    for line in case.prepare:
        shell(line)
    for kind, units in case.record.items():
        (RUN_DIRECTORY / f"{kind}-list").write_text("".join(unit + "\n" for unit in units))
    found = active_units(case.units)
    if found != sorted(case.active):
        raise NotPrepared(f"active are {found}, the case says {sorted(case.active)}")


def stop_left_overs(case: Case, base: Path) -> None:
    """Units that a case before may have left running and that the host itself does not need."""
    units = [unit for unit in case.units if not (base / "etc/systemd/system" / unit).exists()]
    if units:
        subprocess.run(["systemctl", "stop", "--", *units], capture_output=True, check=False, timeout=TIMEOUT)


def become(system: str) -> None:
    """Switches to a case's old system. Failed units of the case before do not matter."""
    program = f"{system}/bin/switch-to-configuration"
    done = subprocess.run(
        [program, "test"],
        env=os.environ | {"NIXOS_NO_CHECK": "1"},
        text=True,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    if done.returncode not in (0, 4) or os.path.realpath(CURRENT_SYSTEM) != system:
        raise NotPrepared(f"{program} test exited with {done.returncode}: {done.stderr}")
    clear_records()
    shell("systemctl reset-failed")


def start_what_is_wanted() -> None:
    """In the old system already: what a case before stopped is started again."""
    targets = "multi-user.target sockets.target timers.target paths.target local-fs.target"
    shell(f"systemctl reset-failed; systemctl start {targets} || true; systemctl reset-failed")


def prepare_loader(case: Case) -> None:
    """A boot directory and profiles of the case's own; the first loader installed is the old system's."""
    if not case.loader:
        return
    PROFILES.mkdir()
    BOOT.mkdir()
    settings = {key: value for key, value in case.loader.items() if key != "kind"}
    settings |= {"bootDirectory": str(BOOT), "profilesDirectory": str(PROFILES)}
    (SCRATCH / "loader.json").write_text(json.dumps(settings))
    set_generations(case.systems, ["old"])
    environment = ENVIRONMENT | {"NIXOS_INSTALL_BOOTLOADER": "1", "NIXOS_NO_CHECK": "1"}
    program = f"{case.systems['old']}/bin/switch-to-configuration"
    done = subprocess.run(
        [program, "boot"], env=environment, text=True, capture_output=True, check=False, timeout=TIMEOUT
    )
    if done.returncode != 0:
        raise NotPrepared(f"first installation of the boot loader failed: {done.stderr}")
    set_generations(case.systems, case.generations)


def set_generations(systems: dict[str, str], names: list[str]) -> None:
    for number, name in enumerate(names, start=1):
        link = PROFILES / f"system-{number}-link"
        link.unlink(missing_ok=True)
        link.symlink_to(systems[name])


def boots(systems: dict[str, str], resolver: Path) -> str:
    """Which of the case's systems the loader boots next; `nothing`, or the init's path."""
    command = ["python3", "-B", str(resolver), str(BOOT)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    answer = json.loads(done.stdout)
    if "error" in answer:
        return "nothing"
    system = answer["init"].removesuffix("/init")
    return next((name for name, path in systems.items() if path == system), system)
