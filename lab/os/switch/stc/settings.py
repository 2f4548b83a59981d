"""What a system's wrapper tells the program about that system, through the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self

from stc.console import Failure


class Action(Enum):
    SWITCH = "switch"
    BOOT = "boot"
    TEST = "test"
    DRY_ACTIVATE = "dry-activate"
    CHECK = "check"


def required(environment: Mapping[str, str], name: str) -> str:
    try:
        return environment[name]
    except KeyError:
        raise Failure(f"the environment lacks ${name}; run bin/switch-to-configuration of a system") from None


@dataclass(frozen=True)
class Settings:
    """The system to switch to. `out` holds the activation scripts, `toplevel` everything else."""

    out: Path
    toplevel: Path
    distro_id: str
    pre_switch_check: str
    install_bootloader: str
    systemd: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        return cls(
            out=Path(required(environment, "OUT")),
            toplevel=Path(required(environment, "TOPLEVEL")),
            distro_id=required(environment, "DISTRO_ID"),
            pre_switch_check=required(environment, "PRE_SWITCH_CHECK"),
            install_bootloader=required(environment, "INSTALL_BOOTLOADER"),
            systemd=Path(required(environment, "SYSTEMD")),
        )
