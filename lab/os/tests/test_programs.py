"""Tests of the programs that activation runs, on made-up roots. Needs root, for owners: python3 -m unittest."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = pathlib.Path(__file__).parent.parent / "programs"


def run(program, *args, **options):
    command = [sys.executable, "-I", str(PROGRAMS / program), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Temporary(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)


class SetupEtc(Temporary):
    """setup-etc.py: what /etc holds after a run, as { name: link target or text }."""

    def activate(self, files, expect_ok=True):
        """Builds a tree of `files`, { name: text, or (text, mode) for a copy }, and activates it."""
        source = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        entries = []
        for number, (name, content) in enumerate(files.items()):
            text, mode = content if isinstance(content, tuple) else (content, "symlink")
            write(source / f"{number}", text)
            entries.append({"target": name, "source": str(source / f"{number}"), "mode": mode, "user": "+0", "group": "+0"})
        environment = {**os.environ, "out": str(source / "out")}
        built = run("build-etc.py", input=json.dumps(entries), env=environment)
        self.assertEqual(built.returncode, 0, built.stderr)
        result = run("setup-etc.py", source / "out/etc", self.etc)
        self.assertEqual(result.returncode == 0, expect_ok, result.stderr)
        return result

    def setUp(self):
        super().setUp()
        self.etc = self.root / "etc"
        self.etc.mkdir()

    def test_files_are_links_through_static(self):
        self.activate({"a": "1", "d/b": "2"})
        self.assertEqual(os.readlink(self.etc / "a"), "/etc/static/a")
        self.assertEqual(os.readlink(self.etc / "d/b"), "/etc/static/d/b")
        self.assertTrue((self.etc / "NIXOS").exists())

    def test_what_is_gone_is_removed(self):
        self.activate({"a": "1", "copy": ("2", "0440")})
        write(self.etc / "mine", "3")
        self.activate({"b": "1"})
        self.assertEqual(sorted(p.name for p in self.etc.iterdir()), [".clean", "NIXOS", "b", "mine", "static"])

    def test_copies_have_their_mode_and_are_remembered(self):
        self.activate({"copy": ("text", "0440")})
        self.assertFalse((self.etc / "copy").is_symlink())
        self.assertEqual((self.etc / "copy").stat().st_mode & 0o777, 0o440)
        self.assertEqual((self.etc / ".clean").read_text(), "copy\n")

    def test_a_copy_that_was_changed_is_restored(self):
        self.activate({"copy": ("text", "0644")})
        write(self.etc / "copy", "changed")
        self.activate({"copy": ("text", "0644")})
        self.assertEqual((self.etc / "copy").read_text(), "text")

    def test_direct_links_name_the_source(self):
        self.activate({"direct": ("x", "direct-symlink")})
        self.assertNotIn("static", os.readlink(self.etc / "direct"))

    def test_the_first_run_takes_debians_directories(self):
        write(self.etc / "systemd/system/ssh.service")
        write(self.etc / "other/kept")
        self.activate({"systemd/system": "a directory, in the tree a link"})
        self.assertTrue((self.etc / "systemd/system").is_symlink())
        self.assertTrue((self.etc / "other/kept").exists())

    def test_later_runs_leave_directories_with_own_files(self):
        self.activate({"a": "1"})
        write(self.etc / "dir/mine", "precious")
        result = self.activate({"dir": "2"}, expect_ok=False)
        self.assertIn("directory with files of its own", result.stderr)
        self.assertEqual((self.etc / "dir/mine").read_text(), "precious")

    def test_a_directory_of_links_gives_way_to_a_link(self):
        self.activate({"dir/a": "1", "dir/b": "2"})
        self.activate({"dir": "3"})
        self.assertEqual(os.readlink(self.etc / "dir"), "/etc/static/dir")


class UsersAndGroups(Temporary):
    """update-users-groups.py."""

    def setUp(self):
        super().setUp()
        write(self.root / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:d:/:/bin/false\n")
        write(self.root / "etc/group", "root:x:0:\ndaemon:x:1:\n")
        write(self.root / "etc/shadow", "root:*:1::::::\ndaemon:*:1::::::\n")

    def activate(self, *names, mutable=True, dry=False, members=(), **attributes):
        users = [
            {
                "name": name,
                "uid": None,
                "group": "users",
                "description": "",
                "home": f"/home/{name}",
                "homeMode": "700",
                "createHome": True,
                "isSystemUser": False,
                "shell": "/bin/sh",
                "hashedPassword": None,
                "initialHashedPassword": None,
                "initialPassword": None,
                **attributes,
            }
            for name in names
        ]
        groups = [{"name": "users", "gid": 100, "members": []}, {"name": "wheel", "gid": None, "members": list(members)}]
        spec = self.root / "spec.json"
        write(spec, json.dumps({"mutableUsers": mutable, "users": users, "groups": groups}))
        environment = {**os.environ, "NIXOS_ACTION": "dry-activate" if dry else "test"}
        result = run("update-users-groups.py", spec, self.root, env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)

    def table(self, name):
        rows = [line.split(":") for line in (self.root / "etc" / name).read_text().splitlines()]
        return {row[0]: row[1:] for row in rows}

    def test_an_account_is_made(self):
        self.activate("ann")
        self.assertEqual(self.table("passwd")["ann"], ["x", "1000", "100", "", "/home/ann", "/bin/sh"])
        self.assertEqual((self.root / "home/ann").stat().st_uid, 1000)
        self.assertEqual((self.root / "etc/shadow").stat().st_mode & 0o777, 0o640)

    def test_a_number_that_was_given_out_comes_back(self):
        self.activate("ann", "bob")
        self.activate("bob")
        self.assertNotIn("ann", self.table("passwd"))
        self.activate("bob", "cid", "ann")
        passwd = self.table("passwd")
        self.assertEqual([passwd[name][1] for name in ("ann", "bob", "cid")], ["1000", "1001", "1002"])

    def test_system_accounts_count_down(self):
        self.activate("one", "two", isSystemUser=True, createHome=False)
        self.assertEqual(sorted(self.table("passwd")[name][1] for name in ("one", "two")), ["998", "999"])

    def test_the_images_accounts_stay(self):
        self.activate("ann", mutable=False)
        self.assertIn("daemon", self.table("passwd"))
        self.assertIn("daemon", self.table("group"))

    def test_accounts_made_by_hand(self):
        for mutable, stays in ((True, True), (False, False)):
            self.activate("ann")
            with open(self.root / "etc/passwd", "a") as file:
                file.write("hand:x:1500:100::/:/bin/sh\n")
            self.activate("ann", mutable=mutable)
            self.assertEqual("hand" in self.table("passwd"), stays)

    def test_passwords(self):
        cases = [
            # what is declared, mutable, what stands there, what must stand there then
            ({"hashedPassword": "H"}, True, "old", "H"),
            ({"hashedPassword": "H"}, False, "old", "H"),
            ({"initialHashedPassword": "I"}, True, None, "I"),
            ({"initialHashedPassword": "I"}, True, "old", "old"),
            ({"initialHashedPassword": "I"}, False, "old", "I"),
            ({}, True, None, "!"),
            ({}, False, "old", "!"),
        ]
        for declared, mutable, before, expected in cases:
            with self.subTest(declared=declared, mutable=mutable, before=before):
                self.setUp()
                if before:
                    with open(self.root / "etc/shadow", "a") as file:
                        file.write(f"ann:{before}:1::::::\n")
                self.activate("ann", mutable=mutable, **declared)
                self.assertEqual(self.table("shadow")["ann"][0], expected)

    def test_groups_have_their_members(self):
        self.activate("ann", members=["ann"])
        self.assertEqual(self.table("group")["wheel"], ["x", "999", "ann"])

    def test_a_dry_run_changes_nothing(self):
        before = (self.root / "etc/passwd").read_text()
        self.activate("ann", dry=True)
        self.assertEqual((self.root / "etc/passwd").read_text(), before)
        self.assertFalse((self.root / "home").exists())


if __name__ == "__main__":
    unittest.main()
