#!/usr/bin/env python3
"""Goes through cases.nix: run.py [NAME...]. Exit code 1 if a case failed. Needs `nix`."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

CASES = pathlib.Path(__file__).with_name("cases.nix")


def nix(expression):
    return subprocess.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "--expr", f"let cases = import {CASES}; in {expression}"],
        capture_output=True,
        text=True,
    )


def problem_with(name, case):
    """What is wrong with a case, or None."""
    result = nix(f'cases."{name}".value')
    if "error" in case:
        if result.returncode == 0:
            return f"expected an error, got {result.stdout.strip()}"
        missing = [piece for piece in case["error"] if piece not in result.stderr]
        return f"the error lacks {missing}:\n{result.stderr}" if missing else None
    if result.returncode != 0:
        return f"failed:\n{result.stderr}"
    value = json.loads(result.stdout)
    if value != case["expect"]:
        return f"expected {json.dumps(case['expect'])}, got {json.dumps(value)}"
    missing = [piece for piece in case.get("trace", []) if piece not in result.stderr]
    return f"the output lacks {missing}:\n{result.stderr}" if missing else None


def main():
    listing = nix("builtins.mapAttrs (_: case: removeAttrs case [ \"value\" ]) cases")
    if listing.returncode != 0:
        sys.exit(f"cases.nix does not evaluate:\n{listing.stderr}")
    cases = {n: c for n, c in json.loads(listing.stdout).items() if n in sys.argv[1:] or len(sys.argv) == 1}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = dict(zip(cases, pool.map(lambda item: problem_with(*item), cases.items()), strict=True))
    failed = {name: problem for name, problem in problems.items() if problem}
    for name, problem in failed.items():
        print(f"FAILED {name}: {problem}")
    print(f"{len(cases) - len(failed)} of {len(cases)} cases passed")
    sys.exit(1 if failed else 0)


main()
