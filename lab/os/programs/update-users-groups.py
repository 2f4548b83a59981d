"""Brings /etc/passwd, /etc/group and /etc/shadow in line with a list of accounts: update-users-groups.py SPEC [ROOT].

Numbers that were given out once are remembered in /var/lib/nixos/{uid,gid}-map,
so that an account that comes back owns its files again. Accounts that were
declared before and are not now are removed; others are kept, if users are
mutable. The accounts that the image came with are always kept: its packages
need them.
"""

import json
import os
import subprocess
import sys

SPEC = sys.argv[1]
ROOT = sys.argv[2] if len(sys.argv) > 2 else "/"
STATE = os.path.join(ROOT, "var/lib/nixos")
DRY = os.environ.get("NIXOS_ACTION") == "dry-activate"
SYSTEM_IDS = range(999, 399, -1)
NORMAL_IDS = range(1000, 30000)


def etc(name):
    return os.path.join(ROOT, "etc", name)


def read_table(name):
    """The lines of a colon-separated file by their first field."""
    try:
        with open(etc(name)) as file:
            rows = [line.rstrip("\n").split(":") for line in file if line.strip()]
    except FileNotFoundError:
        rows = []
    return {row[0]: row for row in rows}


def write(path, text, mode, group=0):
    if DRY:
        return
    temporary = f"{path}.tmp"
    with open(temporary, "w") as file:
        os.fchmod(file.fileno(), mode)
        os.fchown(file.fileno(), 0, group)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)


def write_table(name, rows, mode=0o644, group=0):
    write(etc(name), "".join(":".join(row) + "\n" for row in rows), mode, group)


def read_state(name, default):
    try:
        with open(os.path.join(STATE, name)) as file:
            return json.load(file) if default == {} else file.read().split()
    except FileNotFoundError:
        return default


def write_state(name, value):
    text = json.dumps(value, sort_keys=True) if isinstance(value, dict) else "".join(f"{v}\n" for v in sorted(value))
    write(os.path.join(STATE, name), text, 0o644)


class Numbers:
    """Gives out user or group numbers: the declared, the present, the remembered, or the next free one."""

    def __init__(self, kind, present, declared):
        self.file = f"{kind}-map"
        self.map = read_state(self.file, {})
        self.present = present
        self.used = set(present.values()) | set(self.map.values()) | {d for d in declared if d is not None}

    def number(self, name, declared, candidates):
        if declared is not None:
            chosen = declared
        elif name in self.present:
            chosen = self.present[name]
        elif name in self.map and self.map[name] not in self.present.values():
            chosen = self.map[name]
        else:
            chosen = next(n for n in candidates if n not in self.used)
        self.used.add(chosen)
        self.map[name] = chosen
        return chosen


def kept(present, declared_before, spec, of_image):
    """Accounts that are not declared now but stay."""
    declared_now = {entry["name"] for entry in spec}
    return [
        row
        for name, row in present.items()
        if name not in declared_now
        and (name in of_image or (settings["mutableUsers"] and name not in declared_before))
    ]


def update_groups(of_image):
    present = read_table("group")
    numbers = Numbers("gid", {n: int(r[2]) for n, r in present.items()}, [g["gid"] for g in settings["groups"]])
    before = read_state("declarative-groups", [])
    rows = kept(present, before, settings["groups"], of_image)
    for group in settings["groups"]:
        members = list(group["members"])
        if group["name"] in present and (settings["mutableUsers"] or group["name"] in of_image):
            manual = [m for m in present[group["name"]][3].split(",") if m]
            members += [m for m in manual if m not in members and m not in read_state("declarative-users", [])]
        gid = numbers.number(group["name"], group["gid"], SYSTEM_IDS)
        rows.append([group["name"], "x", str(gid), ",".join(members)])
    rows.sort(key=lambda row: int(row[2]))
    write_table("group", rows)
    write_state(numbers.file, numbers.map)
    write_state("declarative-groups", [g["name"] for g in settings["groups"]])
    return {row[0]: row[2] for row in rows}


def password_of(user, old):
    """The hash for /etc/shadow; `old` is the present one, None for a new account."""
    if user["hashedPassword"] is not None:
        return user["hashedPassword"]
    if old is not None and settings["mutableUsers"]:
        return old
    if user["initialHashedPassword"] is not None:
        return user["initialHashedPassword"]
    if user["initialPassword"] is not None:
        salt = user["name"].ljust(8, "0")[:16]
        command = ["openssl", "passwd", "-6", "-salt", salt, "-stdin"]
        return subprocess.run(command, input=user["initialPassword"], text=True, capture_output=True, check=True).stdout.strip()
    return "!"


def update_users(gids, of_image):
    present, shadow = read_table("passwd"), read_table("shadow")
    numbers = Numbers("uid", {n: int(r[2]) for n, r in present.items()}, [u["uid"] for u in settings["users"]])
    before = read_state("declarative-users", [])
    rows = kept(present, before, settings["users"], of_image)
    secrets = [shadow.get(row[0], [row[0], "!", "1", "", "", "", "", "", ""]) for row in rows]
    for user in settings["users"]:
        name = user["name"]
        candidates = SYSTEM_IDS if user["isSystemUser"] else NORMAL_IDS
        uid = numbers.number(name, user["uid"], candidates)
        rows.append([name, "x", str(uid), gids[user["group"]], user["description"], user["home"], user["shell"]])
        old = shadow.get(name)
        secrets.append([name, password_of(user, old[1] if old else None), *(old[2:] if old else ["1", "", "", "", "", "", ""])])
        if user["createHome"] and not DRY and not os.path.exists(os.path.join(ROOT, user["home"].lstrip("/"))):
            home = os.path.join(ROOT, user["home"].lstrip("/"))
            os.makedirs(home)
            os.chown(home, uid, int(gids[user["group"]]))
            os.chmod(home, int(user["homeMode"], 8))
    for name in before:
        if name in present and name not in {u["name"] for u in settings["users"]}:
            print(f"removing user '{name}'", file=sys.stderr)
    rows.sort(key=lambda row: int(row[2]))
    write_table("passwd", rows)
    write_table("shadow", secrets, 0o640, int(gids.get("shadow", 0)))
    write_state(numbers.file, numbers.map)
    write_state("declarative-users", [u["name"] for u in settings["users"]])


with open(SPEC) as spec_file:
    settings = json.load(spec_file)
if not DRY:
    os.makedirs(STATE, exist_ok=True)
    # The first run finds the image's own accounts.
    if not os.path.exists(os.path.join(STATE, "image-users")):
        write_state("image-users", list(read_table("passwd")))
        write_state("image-groups", list(read_table("group")))
update_users(update_groups(read_state("image-groups", [])), read_state("image-users", []))
