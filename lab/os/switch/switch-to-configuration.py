"""switch-to-configuration of the lab's systems; see README.md beside it."""

import os
import sys

# The interpreter may have been told to leave the script's own folder out.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from stc.bus import BusError
from stc.console import Failure, say
from stc.settings import Action, Settings

USAGE = """\
Usage: switch-to-configuration [check|switch|boot|test|dry-activate]
check:        run the pre-switch checks only
switch:       activate this system and make it the boot default
boot:         make this system the boot default
test:         activate this system, leave the boot default alone
dry-activate: say what `test` would do"""


def main() -> int:
    parent = os.environ.get("__NIXOS_SWITCH_TO_CONFIGURATION_PARENT_EXE")
    if parent is not None:
        from stc import user

        return user.run(parent)
    try:
        action = Action(sys.argv[1])
    except (IndexError, ValueError):
        say(USAGE)
        return 1
    if os.geteuid() != 0:
        raise Failure("switch-to-configuration must be run as the root user")
    from stc import system

    return system.run(Settings.from_environment(), action)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, BusError) as problem:
        say(f"Error: {problem}")
        sys.exit(1)
