"""Builds $out/etc from a list of { target, source, mode, user, group } on standard input.

A file that is to be copied has its mode, owner and group beside it, in
`NAME.mode`, `NAME.uid` and `NAME.gid`, where setup-etc.py looks for them.
"""

import json
import os
import sys

root = os.path.join(os.environ["out"], "etc")
os.makedirs(root)
for entry in json.load(sys.stdin):
    path = os.path.join(root, entry["target"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(entry["source"], path)
    if entry["mode"] == "symlink":
        continue
    owner = {"mode": entry["mode"]}
    if entry["mode"] != "direct-symlink":
        owner |= {"uid": entry["user"], "gid": entry["group"]}
    for suffix, text in owner.items():
        with open(f"{path}.{suffix}", "w") as file:
            file.write(text + "\n")
