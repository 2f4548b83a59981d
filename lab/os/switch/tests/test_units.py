"""Unit files, their comparison, and names of mount units, without a host.

Run: python3 -m unittest discover -s lab/os/switch/tests
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stc.compare import Effect, compare
from stc.mounts import FileSystem, parse_fstab, unit_stem
from stc.unitfile import UnitFile


def unit(*texts: str) -> UnitFile:
    """A unit file and its drop-ins."""
    result = UnitFile()
    for text in texts:
        result.merge(text)
    return result


# What two versions of a unit ask for: old, new, effect.
COMPARED = [
    ("[Unit]\n", "", Effect.NONE),
    ("[Unit]\nX-Reload-Triggers=a\n", "", Effect.NONE),
    ("", "[Unit]\nX-Reload-Triggers=a\n", Effect.RELOAD),
    ("[Unit]\nX-Reload-Triggers=a\n", "[Unit]\nX-Reload-Triggers=b\n", Effect.RELOAD),
    ("[Unit]\nX-Reload-Triggers=a\n", "[Unit]\nWants=b\nX-Reload-Triggers=b\n", Effect.RESTART),
    ("[Unit]\nDescription=a\n", "[Unit]\nDescription=b\n", Effect.NONE),
    ("[Unit]\nDescription=a\n", "[Unit]\nDocumentation=b\n", Effect.NONE),
    ("[Unit]\nAfter=a\n", "", Effect.RESTART),
    ("[Any]\n", "", Effect.RESTART),
    ("", "[Any]\n", Effect.RESTART),
    ("", "[Unit]\nDescription=a\n[Service]\nExecReload=b\n", Effect.RESTART),
    ("", "[Service]\nExecReload=a\n", Effect.RELOAD),
    ("[Service]\nExecReload=a\n", "", Effect.NONE),
    ("[Service]\nExecReload=a\n", "[Service]\nExecReload=b\n", Effect.RELOAD),
    ("[Service]\nExecStart=a\n", "[Service]\nExecStart=a\nExecReload=b\n", Effect.RELOAD),
    ("[Service]\nExecStart=a\nExecReload=b\n", "[Service]\nExecStart=a\n", Effect.NONE),
    ("[Service]\nExecStart=a\nExecReload=b\n", "[Service]\nExecStart=b\n", Effect.RESTART),
    ("[Mount]\nOptions=a\n", "[Mount]\nOptions=b\n", Effect.RELOAD),
    ("[Mount]\nType=a\n", "[Mount]\nType=a\nOptions=b\n", Effect.RESTART),
    ("[Mount]\nType=a\nOptions=a\n", "[Mount]\nType=b\nOptions=b\n", Effect.RESTART),
    ("[Service]\nA=1\n[Install]\nWantedBy=a\n", "[Service]\nA=1\n[Install]\nWantedBy=b\n", Effect.NONE),
    ("[Timer]\nA=1\nA=2\n", "[Timer]\nA=2\nA=1\n", Effect.RESTART),
]

# Files of one unit, and the values of [S] A in the end.
PARSED = [
    (["[S]\nA=1\nA=2\n"], ["1", "2"]),
    (["[S]\nA=1\nA=\nA=2\n"], ["2"]),
    (["[S]\nA=1\n", "[S]\nA=2\n"], ["1", "2"]),
    (["[S]\nA=1\n", "[S]\nA=\n"], []),
    (["[S]\nA=1\n", "[S]\nA=2\nA=\nA=3\n"], ["3"]),
    (["[S]\n A = 1 \n"], ["1"]),
    (['[S]\nA="1 2"\n'], ["1 2"]),
    (['[S]\nA="1" "2"\n'], ['"1" "2"']),
    (["[S]\nA=1=2\n"], ["1=2"]),
    (["# A=0\n[S]\n;A=0\nA=1 # 2\n"], ["1 # 2"]),
    (["[S]\nA=1 \\\n# not this\n  2\nB=3\n"], ["1  2"]),
    (["[S]\nA=dev-disk-by\\x2dlabel.device\n"], ["dev-disk-by\\x2dlabel.device"]),
    (["[T]\nA=1\n[S]\nA=2\n"], ["2"]),
]

MOUNT_UNITS = [
    ("/", "-"),
    ("/nix", "nix"),
    ("/nix/store/", "nix-store"),
    ("//a//b", "a-b"),
    ("/a-b", "a\\x2db"),
    ("/.hidden/.x", "\\x2ehidden-.x"),
    ("/a b", "a\\x20b"),
    ("/ä", "\\xc3\\xa4"),
]


class Units(unittest.TestCase):
    def test_compare(self) -> None:
        for old, new, effect in COMPARED:
            with self.subTest(old=old, new=new):
                self.assertEqual(compare(unit(old), unit(new)), effect)

    def test_parse(self) -> None:
        for files, values in PARSED:
            with self.subTest(files=files):
                self.assertEqual(unit(*files).sections["S"]["A"], values)

    def test_flags(self) -> None:
        read = unit("[S]\nYes=on\nNo=maybe\nLast=true\nLast=false\nReset=true\nReset=\n")
        flags = {"Yes": True, "No": False, "Last": False, "Reset": True, "Missing": True}
        self.assertEqual({name: read.flag("S", name, True) for name in flags}, flags)

    def test_mount_units(self) -> None:
        for path, name in MOUNT_UNITS:
            self.assertEqual(unit_stem(path), name)

    def test_fstab(self) -> None:
        read = parse_fstab("# c\n\nshort line\n/dev/a / ext4\n/dev/b /b xfs ro 0 2\n/dev/c /c xfs x=#\n/s none swap\n")
        expected = {"/": FileSystem("/dev/a", "ext4", ""), "/b": FileSystem("/dev/b", "xfs", "ro")}
        self.assertEqual((read.file_systems, read.swaps), (expected, frozenset({"/s"})))


if __name__ == "__main__":
    unittest.main()
