"""Makes trees of every kind below /root/trees, the same on every host."""

import os
import random


def file(path, contents=b"", mode=0o644):
    with open(path, "wb") as out:
        out.write(contents)
    os.chmod(path, mode)


os.makedirs(b"/root/trees")
os.chdir(b"/root/trees")

file(b"a-file", b"hello\n")
file(b"an-empty-file")
file(b"an-executable", b"#!/bin/sh\n", 0o755)
os.mkdir(b"an-empty-directory")
os.symlink(b"/nowhere/../x", b"a-link")

os.mkdir(b"kinds")
os.mkdir(b"kinds/empty")
os.mkdir(b"kinds/full")
file(b"kinds/full/file", b"x")
file(b"kinds/empty-file")
file(b"kinds/executable", b"x", 0o755)
file(b"kinds/empty-executable", b"", 0o755)
os.symlink(b"full/file", b"kinds/link")
os.symlink(b"full", b"kinds/link-to-directory")
os.symlink(b"/nowhere", b"kinds/dangling")
os.symlink(b"loop", b"kinds/loop")

os.mkdir(b"modes")
MODES = [0o400, 0o444, 0o500, 0o600, 0o611, 0o655, 0o711, 0o755, 0o777]
for mode in [*MODES, 0o4755, 0o4644, 0o2711, 0o1600]:
    file(b"modes/%o" % mode, b"%o" % mode, mode)

os.mkdir(b"names")
PLAIN = [b"a", b"a-b", b"a.b", b"a b", b"ab", b"A", b"B", b"_", b"~", b"*", b"-", b" ", b"\\"]
STRANGE = [b".hidden", b"..x", b"...", b"new\nline", b"\x01", b"\x7f", b"\x80", b"\xff"]
for name in [*PLAIN, *STRANGE, b"caf\xe9", b"caf\xc3\xa9", b"x" * 255, b"a~nix~case~hack~1"]:
    file(b"names/" + name, name)

os.mkdir(b"targets")
TARGETS = [b".", b"..", b"/", b"a b", b"\xff\n", b"x" * 4095, b"../../..", b"//"]
for index, target in enumerate(TARGETS):
    os.symlink(target, b"targets/%d" % index)

os.mkdir(b"sizes")
dice = random.Random(1)
EDGES = [4095, 4096, 4097, 65535, 65536, 65537, 262143, 262144, 262145, 3000001]
for size in [*range(18), *EDGES]:
    file(b"sizes/%d" % size, dice.randbytes(size))

os.mkdir(b"wide")
for index in range(3000):
    file(b"wide/%d" % index, b"%d" % index)

path = b"deep"
for _ in range(60):
    os.mkdir(path)
    path += b"/d"
file(path, b"bottom")
