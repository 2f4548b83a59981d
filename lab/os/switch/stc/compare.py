"""Whether a unit that changed must be restarted, reloaded, or left alone."""

from collections.abc import Iterator
from enum import IntEnum

from stc.unitfile import Section, UnitFile

# Keys of [Unit] that say nothing about how the unit runs.
HARMLESS = frozenset(
    {
        "AllowIsolate",
        "CollectMode",
        "Description",
        "Documentation",
        "IgnoreOnIsolate",
        "OnFailure",
        "OnFailureJobMode",
        "OnSuccess",
        "RefuseManualStart",
        "RefuseManualStop",
        "SourcePath",
        "StopWhenUnneeded",
        "X-Reload-Triggers",
    }
)


class Effect(IntEnum):
    """What one difference asks for; of several the greatest counts."""

    NONE = 0
    RELOAD = 1
    RESTART = 2


def compare(current: UnitFile, new: UnitFile) -> Effect:
    return max(differences(current.sections, new.sections), default=Effect.NONE)


def differences(current: dict[str, Section], new: dict[str, Section]) -> Iterator[Effect]:
    for name, section in current.items():
        if name in new:
            yield from section_differences(name, section, new[name])
        else:
            yield removed_section(name, section)
    added = new.keys() - current.keys()
    if len(added) > 1:
        yield Effect.RESTART
    for name in added:
        yield added_section(name, new[name])


def section_differences(name: str, current: Section, new: Section) -> Iterator[Effect]:
    for key, values in current.items():
        if key not in new:
            yield removed_key(name, key)
        elif values != new[key]:
            yield changed_key(name, key)
    for key in new.keys() - current.keys():
        yield added_key(name, key)


def removed_section(name: str, section: Section) -> Effect:
    if name == "Unit":
        return Effect.NONE if section.keys() <= HARMLESS else Effect.RESTART
    if name == "Service" and section.keys() == {"ExecReload"}:
        return Effect.NONE
    return Effect.RESTART


def added_section(name: str, section: Section) -> Effect:
    if name == "Unit":
        return max((added_key(name, key) for key in section), default=Effect.NONE)
    if name == "Service" and section.keys() == {"ExecReload"}:
        return Effect.RELOAD
    return Effect.RESTART


def removed_key(section: str, key: str) -> Effect:
    # Without ExecReload the new unit cannot be reloaded, and the running process does not care.
    harmless = key in HARMLESS if section == "Unit" else (section, key) == ("Service", "ExecReload")
    return Effect.NONE if harmless else Effect.RESTART


def added_key(section: str, key: str) -> Effect:
    if (section, key) in {("Unit", "X-Reload-Triggers"), ("Service", "ExecReload")}:
        return Effect.RELOAD
    return Effect.NONE if section == "Unit" and key in HARMLESS else Effect.RESTART


def changed_key(section: str, key: str) -> Effect:
    # A mount is remounted with other options, but one that had none before is mounted anew.
    return Effect.RELOAD if (section, key) == ("Mount", "Options") else added_key(section, key)
