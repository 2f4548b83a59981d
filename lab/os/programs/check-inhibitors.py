"""Refuses a switch that changes a switch inhibitor: check-inhibitors.py NEW ACTION.

Compared are the values of the keys that both systems have. What only comes
into force at the next boot, or not at all, is not checked.
"""

import json
import os
import sys


def load(system):
    path = os.path.join(system, "switch-inhibitors")
    if not os.path.isfile(path):
        return {}
    with open(path) as file:
        return json.load(file)


new_system, action = sys.argv[1], sys.argv[2]
if action in ("boot", "dry-activate"):
    print(f"Not checking switch inhibitors (action = {action})")
    sys.exit(0)

old, new = load("/run/current-system"), load(new_system)
changed = [key for key in old if key in new and old[key] != new[key]]
if not changed:
    print("Checking switch inhibitors... done")
    sys.exit(0)

print("Checking switch inhibitors...\n\nThere are changes to critical components of the system:\n")
for key in changed:
    print(f"{key} : {old[key]} -> {new[key]}")
print(
    "\nSwitching into this system is not recommended. Use the action `boot' and restart the host,"
    "\nor set NIXOS_NO_CHECK=1 to switch all the same."
)
sys.exit(1)
