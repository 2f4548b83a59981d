"""Unit files as systemd reads them: sections of keys, each with the list of its values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from stc.console import Failure

TRUE_WORDS = frozenset({"1", "yes", "true", "on"})

Section = dict[str, list[str]]


@dataclass
class UnitFile:
    """A unit with all its drop-ins merged. `[Install]` is left out: it changes nothing at run time."""

    sections: dict[str, Section] = field(default_factory=dict)

    def flag(self, section: str, key: str, default: bool) -> bool:
        """The last value of a boolean key; a key that was reset counts as not set."""
        values = self.sections.get(section, {}).get(key)
        return values[-1] in TRUE_WORDS if values else default

    def words(self, section: str, key: str) -> list[str]:
        return " ".join(self.sections.get(section, {}).get(key, [])).split()

    def merge(self, text: str) -> None:
        """Adds one file. A key set to nothing drops the values of all files before it."""
        for name, assignments in parse(text).items():
            section = self.sections.setdefault(name, {})
            for key, values in assignments.items():
                if "" in values:
                    last_reset = len(values) - values[::-1].index("")
                    section[key] = values[last_reset:]
                else:
                    section.setdefault(key, []).extend(values)


def parse(text: str) -> dict[str, Section]:
    """The assignments of one file, resets included."""
    sections: dict[str, Section] = {}
    current: Section | None = None
    for line in logical_lines(text):
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1]
            current = None if name == "Install" else sections.setdefault(name, {})
        elif current is not None and "=" in line:
            key, _, value = line.partition("=")
            current.setdefault(key.strip(), []).append(unquoted(value.strip()))
    return sections


def logical_lines(text: str) -> Iterable[str]:
    """Lines without comments; one that ends in a backslash goes on in the next."""
    pending = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        if pending or line:
            yield (pending + line).strip()
        pending = ""
    if pending:
        yield pending.strip()


def unquoted(value: str) -> str:
    """A value that is quoted as a whole loses its quotes."""
    if len(value) >= 2 and value[0] in "\"'" and value.find(value[0], 1) == len(value) - 1:
        return value[1:-1]
    return value


def drop_ins(unit: Path) -> list[Path]:
    """The `*.conf` files beside a unit file, in the order in which they apply."""
    directory = unit.with_name(unit.name + ".d")
    try:
        return sorted(path for path in directory.iterdir() if path.name.endswith(".conf"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_unit(unit: Path, base: Path) -> UnitFile:
    """Reads `base` with its drop-ins; of an instance of a template, the instance's drop-ins too."""
    result = UnitFile()
    files = [base, *drop_ins(base)]
    if unit != base:
        files += drop_ins(unit)
    for file in files:
        try:
            result.merge(file.read_text(errors="surrogateescape"))
        except OSError as problem:
            raise Failure(f"cannot read unit file {file}: {problem.strerror}") from None
    return result
