"""Brings /etc in line with a system's etc tree: setup-etc.py TREE [ROOT].

/etc/static becomes a link to the tree; every file of the tree becomes a link
through /etc/static, or a copy with a mode and an owner. /etc/.clean remembers
the copies. Links and copies that the tree no longer has are removed.

The lab's hosts start with Debian's /etc. Until /etc/NIXOS exists, whatever
stands where the tree wants a file is removed; afterwards a directory with
files of its own is left alone with a warning, as on NixOS.
"""

import grp
import os
import pwd
import shutil
import sys

TREE = sys.argv[1]
ETC = sys.argv[2] if len(sys.argv) > 2 else "/etc"
STATIC = "/etc/static"
MARKS = (".mode", ".uid", ".gid")

failed = False


def warn(message):
    global failed
    failed = True
    print(f"warning: {message}", file=sys.stderr)


def atomic_symlink(source, target):
    temporary = f"{target}.tmp"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    os.symlink(source, temporary)
    os.rename(temporary, target)


def read(path):
    with open(path) as file:
        return file.read().strip()


def is_static(path):
    """Whether a path links into /etc/static, or holds nothing but such links."""
    if os.path.islink(path):
        return os.readlink(path).startswith(STATIC)
    if os.path.isdir(path):
        return all(is_static(os.path.join(path, name)) for name in os.listdir(path))
    return False


def tree_files():
    """Every leaf of the tree, relative to it. A link to a directory is a leaf."""
    for directory, folders, files in os.walk(TREE):
        links = [name for name in folders if os.path.islink(os.path.join(directory, name))]
        folders[:] = [name for name in folders if name not in links]
        for name in files + links:
            if not (name.endswith(MARKS) and os.path.lexists(os.path.join(directory, name.rsplit(".", 1)[0]))):
                yield os.path.relpath(os.path.join(directory, name), TREE)


def remove_obsolete_links():
    for directory, folders, files in os.walk(ETC):
        for name in files + [f for f in folders if os.path.islink(os.path.join(directory, f))]:
            path = os.path.join(directory, name)
            if not os.path.islink(path) or not os.readlink(path).startswith(STATIC + "/"):
                continue
            if not os.path.lexists(os.path.join(TREE, os.path.relpath(path, ETC))):
                print(f"removing obsolete symlink '{path}'...", file=sys.stderr)
                os.unlink(path)


def make_room(target, take_over):
    """Removes what a link cannot replace: a directory, or a file where a directory must be."""
    parent = os.path.dirname(target)
    if take_over and os.path.islink(parent):
        os.unlink(parent)
    os.makedirs(parent, exist_ok=True)
    if os.path.islink(target) or not os.path.isdir(target):
        return
    if take_over or is_static(target):
        shutil.rmtree(target)
    else:
        warn(f"{target} is a directory with files of its own, it is left alone.")


def owner_id(text, by_name):
    return int(text[1:]) if text.startswith("+") else by_name(text)[2]


def copy(name, target):
    source = os.path.join(TREE, name)
    temporary = f"{target}.tmp"
    shutil.copyfile(source, temporary)
    os.chown(temporary, owner_id(read(source + ".uid"), pwd.getpwnam), owner_id(read(source + ".gid"), grp.getgrnam))
    os.chmod(temporary, int(read(source + ".mode"), 8))
    os.rename(temporary, target)


def install(name, take_over):
    """Puts one file in place; returns whether /etc/.clean has to remember it."""
    source, target = os.path.join(TREE, name), os.path.join(ETC, name)
    make_room(target, take_over)
    mode = read(source + ".mode") if os.path.exists(source + ".mode") else "symlink"
    if mode == "symlink":
        atomic_symlink(f"{STATIC}/{name}", target)
    elif mode == "direct-symlink":
        atomic_symlink(os.readlink(source), target)
    else:
        copy(name, target)
    return mode != "symlink"


def main():
    take_over = not os.path.exists(f"{ETC}/NIXOS")
    atomic_symlink(TREE, f"{ETC}/static")
    remove_obsolete_links()

    clean = f"{ETC}/.clean"
    old_copies = read(clean).split("\n") if os.path.exists(clean) else []
    names, copies = set(), []
    for name in sorted(tree_files()):
        names.add(name)
        try:
            if install(name, take_over):
                copies.append(name)
        except (OSError, KeyError) as error:
            warn(f"cannot create {ETC}/{name}: {error}")

    for name in old_copies:
        if name and name not in names and os.path.lexists(f"{ETC}/{name}"):
            print(f"removing obsolete file '{ETC}/{name}'...", file=sys.stderr)
            os.unlink(f"{ETC}/{name}")
    with open(clean, "w") as file:
        file.writelines(f"{name}\n" for name in copies)
    open(f"{ETC}/NIXOS", "a").close()


main()
sys.exit(1 if failed else 0)
