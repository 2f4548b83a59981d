"""Compares what a switch did with what its case expects."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drive import host
from drive.case import PRINTED, Case

# The slices of instances start with the first one and stay, so whether they are new depends on
# what ran on the host before.
SLICE_OF_INSTANCES = re.compile(r"^system-.+\.slice$")


@dataclass(frozen=True)
class Outcome:
    exit: int
    output: str

    def printed(self, kind: str) -> list[str]:
        """The units on the line of a list; none if the line is not there."""
        for line in self.output.splitlines():
            for prefix in PRINTED[kind]:
                if prefix and line.startswith(prefix):
                    units = line.removeprefix(prefix).split(", ")
                    return [unit for unit in units if not SLICE_OF_INSTANCES.match(unit)]
        return []


def problems(case: Case, outcome: Outcome, resolver: Path) -> Iterator[str]:
    expect = case.expect
    if outcome.exit != expect.exit:
        yield f"exit code {outcome.exit}, expected {expect.exit}"
    for kind in PRINTED:
        # As printed: the order is part of what is expected.
        if expect.exact and outcome.printed(kind) != getattr(expect, kind):
            yield f"{kind}: {outcome.printed(kind)}, expected {getattr(expect, kind)}"
    for text in expect.says:
        if text not in outcome.output:
            yield f"did not say {text!r}"
    for text in expect.silent:
        if text in outcome.output:
            yield f"said {text!r}"
    yield from state_problems(case, resolver)


def state_problems(case: Case, resolver: Path) -> Iterator[str]:
    expect = case.expect
    units = list(expect.units)
    states = host.show_all(units, "ActiveState") if units else []
    for unit, found in zip(units, states, strict=True):
        if found != expect.units[unit]:
            yield f"{unit} is {found}, expected {expect.units[unit]}"
    current = os.path.realpath(host.CURRENT_SYSTEM)
    if current != case.systems[expect.current]:
        yield f"/run/current-system is {current}, expected the {expect.current} one"
    for kind in ("start", "restart", "reload"):
        found_units = host.record(kind)
        missing = [unit for unit in expect.record.get(kind, []) if unit not in found_units]
        if missing or (found_units and kind not in expect.record):
            yield f"{kind}-list holds {found_units}, expected {expect.record.get(kind, [])}"
    for command in expect.run:
        try:
            host.shell(command)
        except host.NotPrepared as problem:
            yield str(problem)
    if expect.boots and host.boots(case.systems, resolver) != expect.boots:
        yield f"boots {host.boots(case.systems, resolver)}, expected {expect.boots}"
