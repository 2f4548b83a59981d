"""Every tree in cases.json boots what it says. Run: python3 -m unittest discover -s lab/os/loader/tests"""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

LOADER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(LOADER))

from bootloader.efivars import VOLATILE, Variables
from bootloader.grub import read_environment, write_environment
from resolve import DoesNotBoot, answers, boot_once, resolve


def make_tree(boot: Path, variables: Variables, case: dict[str, Any]) -> None:
    variables.directory.mkdir()
    for name, text in case.get("variables", {}).items():
        variables.set(name, text)
    for name, text in case.get("files", {}).items():
        (boot / name).parent.mkdir(parents=True, exist_ok=True)
        (boot / name).write_text(text)
    for name in case.get("kernels", []):
        (boot / name).parent.mkdir(parents=True, exist_ok=True)
        (boot / name).write_text("kernel")
    if "grubenv" in case:
        write_environment(boot / "grub/grubenv", case["grubenv"])


def state(boot: Path, name: str) -> Any:
    if name == "grubenv":
        return read_environment(boot / "grub/grubenv")
    return (boot / name).read_text() if (boot / name).exists() else None


class Resolve(unittest.TestCase):
    def check(self, case: dict[str, Any], directory: Path) -> None:
        boot, variables = directory / "boot", Variables(directory / "efivars")
        boot.mkdir()
        make_tree(boot, variables, case)
        if case.get("error"):
            with self.assertRaises(DoesNotBoot):
                resolve(boot, variables)
            with self.assertRaises(DoesNotBoot):
                boot_once(boot, variables)
        else:
            found = dict(answers(resolve(boot, variables)))
            self.assertEqual(found, dict(answers(boot_once(boot, variables))))
            for key in ("entry", "init", "options", "oneShot"):
                if key in case:
                    self.assertEqual(found[key], case[key])
        for name, content in case.get("after", {}).items():
            self.assertEqual(state(boot, name), content, name)
        for name, content in case.get("variablesAfter", {}).items():
            self.assertEqual(variables.get(name), content or "", name)

    def test_a_loader_that_says_nothing_is_not_believed_to_have_started(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            variables = Variables(Path(directory))
            variables.set("LoaderInfo", "systemd-boot 257", VOLATILE)
            variables.set("LoaderEntryDefault", "a.conf")
            variables.start()
            self.assertEqual((variables.get("LoaderInfo"), variables.get("LoaderEntryDefault")), ("", "a.conf"))

    def test_table(self) -> None:
        for case in json.loads((LOADER / "cases.json").read_text())["cases"]:
            with self.subTest(case["name"]), tempfile.TemporaryDirectory() as directory:
                self.check(case, Path(directory))


if __name__ == "__main__":
    unittest.main()
