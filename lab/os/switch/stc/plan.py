"""What a switch is going to do to units, and the record of it that outlives a killed run."""

from dataclasses import dataclass, field
from pathlib import Path

Units = set[str]


class Record:
    """`start-list`, `restart-list` and `reload-list`: written as the plan is made, read by the next run.

    A run that is killed has stopped units it did not come to start again. The next run, whichever
    system it belongs to, finds their names here and does it.
    """

    def __init__(self, directory: Path, keep: bool) -> None:
        self.directory = directory
        self.keep = keep

    def _file(self, kind: str) -> Path:
        return self.directory / f"{kind}-list"

    def read(self, kind: str) -> Units:
        return set(read_lines(self._file(kind)))

    def add(self, kind: str, unit: str) -> None:
        if not self.keep:
            return
        try:
            with self._file(kind).open("a") as file:
                file.write(unit + "\n")
        except OSError:
            pass  # A full /run costs the record, not the switch.

    def remove(self, kind: str, unit: str) -> None:
        if not self.keep:
            return
        try:
            left = [line for line in self._file(kind).read_text().splitlines() if line != unit]
            self._file(kind).write_text("".join(line + "\n" for line in left))
        except OSError:
            pass

    def done(self, kind: str) -> None:
        self._file(kind).unlink(missing_ok=True)


def read_lines(file: Path) -> list[str]:
    """The lines of a list that may be missing, without empty ones."""
    try:
        return [line for line in file.read_text().splitlines() if line]
    except OSError:
        return []


@dataclass
class Plan:
    record: Record
    stop: Units = field(default_factory=set)
    skip: Units = field(default_factory=set)
    start: Units = field(default_factory=set)
    restart: Units = field(default_factory=set)
    reload: Units = field(default_factory=set)
    # Started with all others, but not worth a word: targets that always are.
    unmentioned: Units = field(default_factory=set)

    def __post_init__(self) -> None:
        self.start |= self.record.read("start")
        self.restart |= self.record.read("restart")
        self.reload |= self.record.read("reload")

    def to_start(self, unit: str) -> None:
        self.start.add(unit)
        self.record.add("start", unit)

    def to_restart(self, unit: str) -> None:
        self.restart.add(unit)
        self.record.add("restart", unit)

    def to_reload(self, unit: str) -> None:
        self.reload.add(unit)
        self.record.add("reload", unit)

    def not_to_reload(self, unit: str) -> None:
        if unit in self.reload:
            self.reload.remove(unit)
            self.record.remove("reload", unit)


def listed(units: Units) -> str:
    """Units as messages show them: by name, upper and lower case alike."""
    return ", ".join(sorted(units, key=lambda name: (name.lower(), name)))
