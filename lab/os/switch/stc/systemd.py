"""systemd's manager, of the system or of a user, over its message bus."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stc.bus import MEMBER, Address, Bus, BusError, Message
from stc.console import Failure

SERVICE = "org.freedesktop.systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
PROPERTIES = "org.freedesktop.DBus.Properties"

# How long systemd itself gives a reload or a re-execution.
RELOAD_TIMEOUT = 180.0

# A job with one of these results has not done what it was for.
BAD_RESULTS = frozenset({"timeout", "failed", "dependency"})


@dataclass(frozen=True)
class ActiveUnit:
    name: str
    state: str
    substate: str
    path: str


@dataclass(frozen=True)
class FinishedJob:
    verb: str
    unit: str
    result: str


class Manager:
    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.address = Address(SERVICE, "/org/freedesktop/systemd1", MANAGER)
        self.waiting: dict[str, str] = {}
        self.finished: list[FinishedJob] = []
        self.removed_units: set[str] = set()
        self.reloading = False
        self.call("Subscribe")
        self.rules = [bus.match(MANAGER, "Reloading"), bus.match(MANAGER, "JobRemoved")]

    def call(self, member: str, signature: str = "", *arguments: Any) -> tuple[Any, ...]:
        return self.bus.call(self.address, member, signature, *arguments)

    def active_units(self) -> dict[str, ActiveUnit]:
        """Every loaded unit that is not inactive, without aliases that follow another unit."""
        (units,) = self.call("ListUnitsByPatterns", "asas", [], [])
        return {
            name: ActiveUnit(name, state, substate, path)
            for name, _, _, state, substate, following, path, *_ in units
            if not following and state != "inactive"
        }

    def fragment_paths(self, units: Iterable[ActiveUnit]) -> list[str]:
        """The file of each unit; empty if it has none or has gone meanwhile."""
        addresses = [Address(SERVICE, unit.path, PROPERTIES) for unit in units]
        answers = self.bus.call_each(addresses, "Get", "ss", UNIT, "FragmentPath")
        return [answer[0] if answer else "" for answer in answers]

    def property(self, unit: str, interface: str, name: str) -> Any:
        """A property of a unit that must be loaded."""
        try:
            (path,) = self.call("GetUnit", "s", unit)
            (value,) = self.bus.call(Address(SERVICE, path, PROPERTIES), "Get", "ss", interface, name)
        except BusError as problem:
            raise Failure(f"cannot ask for {name} of {unit}: {problem}") from None
        return value

    def is_active(self, unit: str) -> bool:
        return self.property(unit, UNIT, "ActiveState") in ("active", "activating")

    def submit(self, verb: str, unit: str) -> None:
        """Starts a job (`stop`, `start`, `restart`, `reload`); `wait_for_jobs` waits for its end."""
        (job,) = self.call(f"{verb.capitalize()}Unit", "ss", unit, "replace")
        self.waiting[job] = verb

    def wait_for_jobs(self) -> None:
        """There is no limit: a job takes as long as its unit may."""
        while self.waiting:
            self.handle(self.bus.signal(60))

    def wait_for_removal_of_job(self, unit: str) -> None:
        while unit not in self.removed_units:
            self.handle(self.bus.signal(60))

    def handle(self, signal: Message | None) -> None:
        if signal is None:
            return
        if signal.fields.get(MEMBER) == "JobRemoved":
            _, job, unit, result = signal.body
            self.removed_units.add(unit)
            if job in self.waiting:
                self.finished.append(FinishedJob(self.waiting.pop(job), unit, result))
        elif signal.fields.get(MEMBER) == "Reloading":
            (self.reloading,) = signal.body

    def reload_and_wait(self, member: str) -> None:
        """`Reload` or `Reexecute`: neither is answered, but the end is signalled."""
        self.reloading = True
        self.bus.send(self.address, member, want_reply=False)
        deadline = time.monotonic() + RELOAD_TIMEOUT
        while self.reloading:
            if time.monotonic() > deadline:
                raise Failure(f"systemd did not finish {member} within {RELOAD_TIMEOUT:.0f} seconds")
            self.handle(self.bus.signal(0.5))

    def stop_listening(self) -> None:
        for rule in self.rules:
            self.bus.unmatch(rule)

    def settle(self, interval: float = 0.25, limit: float = 90.0) -> None:
        """Waits until nothing came over the bus for one interval."""
        deadline = time.monotonic() + limit
        while self.bus.signal(interval) is not None and time.monotonic() < deadline:
            pass
