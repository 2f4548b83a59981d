"""A case as `cases.json` has it: the table's fields, defaults filled in, systems built."""

import os
from dataclasses import dataclass, field, fields
from typing import Any, Self

# The lists that switch-to-configuration prints, and the words before each: live and dry.
PRINTED = {
    "stop": ("stopping the following units: ", "would stop the following units: "),
    "skip": ("NOT restarting the following changed units: ", "would NOT stop the following changed units: "),
    "reload": ("reloading the following units: ", "would reload the following units: "),
    "restart": ("restarting the following units: ", "would restart the following units: "),
    "start": ("starting the following units: ", "would start the following units: "),
    "new": ("the following new units were started: ", ""),
    "failed": ("warning: the following units failed: ", ""),
}


class BadCase(Exception):
    """The table itself is wrong."""


def from_table[T](kind: type[T], where: str, table: dict[str, Any]) -> T:
    known = {member.name for member in fields(kind)}  # type: ignore[arg-type]
    unknown = table.keys() - known
    if unknown:
        raise BadCase(f"{where}: unknown keys {', '.join(sorted(unknown))}")
    return kind(**table)


@dataclass(frozen=True)
class Expect:
    exit: int = 0
    exact: bool = True
    stop: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    reload: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    current: str = "new"
    record: dict[str, list[str]] = field(default_factory=dict)
    run: list[str] = field(default_factory=list)
    boots: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    systems: dict[str, str]
    action: str = "test"
    why: str = ""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    record: dict[str, list[str]] = field(default_factory=dict)
    prepare: list[str] = field(default_factory=list)
    cleanup: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    empty_env: bool = False
    specialisation: str = ""
    stderr: str = "read"
    lock: bool = False
    loader: dict[str, Any] = field(default_factory=dict)
    generations: list[str] = field(default_factory=list)
    expect: Expect = field(default_factory=Expect)

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        where = str(table.get("name"))
        expect = from_table(Expect, f"{where}: expect", table.get("expect", {}))
        systems = dict(table["systems"])
        if name := table.get("specialisation"):
            systems["specialisation"] = os.path.realpath(f"{systems['new']}/specialisation/{name}")
        return from_table(cls, where, table | {"expect": expect, "systems": systems})

    @property
    def program(self) -> str:
        """The switch-to-configuration that the case is about."""
        return self.systems.get("specialisation", self.systems["new"]) + "/bin/switch-to-configuration"
