"""Runs cases of the switch table on this host and prints a JSON verdict per case.

    python3 run-case.py CASES.json [--only GLOB] [--list] [--show]

A verdict is `{"name", "ok", "problems", "seconds"}`, with the switch's output where it is not ok.
The exit code is 1 if a case was not ok. The host is left in the last case's new system.
"""

import argparse
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from drive import host
from drive.case import Case
from drive.verdict import Outcome, problems

LOCK = host.RUN_DIRECTORY / "switch-to-configuration.lock"


@contextmanager
def lock_held(wanted: bool) -> Iterator[None]:
    """Holds the lock as another run of switch-to-configuration would."""
    with LOCK.open("a") as file:
        if wanted:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def switch(case: Case) -> Outcome:
    """Runs the case's action with all output in one place, or with nobody who reads it."""
    command = [case.program, *([case.action] if case.action else [])]
    environment = ({} if case.empty_env else host.ENVIRONMENT) | case.env
    with lock_held(case.lock):
        if case.stderr == "gone":
            return switch_unread(command, environment)
        done = subprocess.run(
            command,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=host.TIMEOUT,
        )
    return Outcome(done.returncode, done.stdout)


def switch_unread(command: list[str], environment: dict[str, str]) -> Outcome:
    """Standard error is a pipe whose reader has gone; standard output is still read."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=writer, check=False, timeout=host.TIMEOUT
    )
    os.close(writer)
    return Outcome(done.returncode, done.stdout)


def run(case: Case, base: Path, resolver: Path, show: bool) -> dict[str, object]:
    verdict: dict[str, object] = {"name": case.name, "ok": False}
    try:
        host.prepare(case, base)
        begin = time.monotonic()
        outcome = switch(case)
        verdict["seconds"] = round(time.monotonic() - begin, 2)
        found = list(problems(case, outcome, resolver))
        if found or show:
            verdict["output"] = outcome.output
    except (host.NotPrepared, subprocess.TimeoutExpired, OSError) as problem:
        found = [f"{type(problem).__name__}: {problem}"]
    finally:
        for line in case.cleanup:
            host.shell(line, check=False)
    return verdict | {"ok": not found, "problems": found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--only", default="*", help="glob on names")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--show", action="store_true", help="print every switch's output")
    given = parser.parse_args()
    document = json.loads(given.cases.read_text())
    cases = [Case.from_json(table) for table in document["cases"]]
    chosen = [case for case in cases if fnmatchcase(case.name, given.only)]
    # Lines of the table may use the loader's tools.
    os.environ["LOADER"] = str(Path(document["resolver"]).parent)
    if not given.list:
        # A host that has just booted starts some units at its first switch, whatever that is.
        host.become(document["base"])
    ok = True
    for case in chosen:
        if given.list:
            print(case.name)
            continue
        verdict = run(case, Path(document["base"]), Path(document["resolver"]), given.show)
        ok = ok and bool(verdict["ok"])
        print(json.dumps(verdict), flush=True)
    return 0 if ok and chosen else 1


if __name__ == "__main__":
    sys.exit(main())
