"""The pre-switch check behind `system.switch.inhibitors`: refuses a switch that needs a reboot.

Called as `check-inhibitors.py NEW-TOPLEVEL ACTION`. An inhibitor counts only if both systems name it.
A system without the file inhibits nothing; a file that is no JSON object fails the check.
"""

import json
import sys
from pathlib import Path

CURRENT_SYSTEM = Path("/run/current-system")

# These change nothing in the running system.
HARMLESS_ACTIONS = {"boot", "dry-activate"}


def inhibitors(system: Path) -> dict[str, str]:
    file = system / "switch-inhibitors"
    if not file.is_file():
        return {}
    content = json.loads(file.read_text())
    if not isinstance(content, dict):
        raise ValueError(f"{file} is not a JSON object")
    return content


def main() -> int:
    new_system, action = Path(sys.argv[1]), sys.argv[2]
    if action in HARMLESS_ACTIONS:
        return 0
    try:
        current, new = inhibitors(CURRENT_SYSTEM), inhibitors(new_system)
    except ValueError as problem:
        print(f"cannot compare switch inhibitors: {problem}", file=sys.stderr)
        return 1
    changed = [key for key in sorted(current.keys() & new.keys()) if current[key] != new[key]]
    if not changed:
        return 0
    print("Parts that need a reboot would change:", file=sys.stderr)
    for key in changed:
        print(f"{key} : {current[key]} -> {new[key]}", file=sys.stderr)
    print("Use `boot` and reboot, or set NIXOS_NO_CHECK=1 to switch all the same.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
