"""Everything that may end a run before a unit is touched, in the order in which it is asked."""

import ctypes
import errno
import fcntl
import os
import re
import subprocess
from pathlib import Path
from typing import IO

from stc.console import Failure, die, say
from stc.settings import Action, Settings

RUN_DIRECTORY = Path("/run/nixos")
CURRENT_SYSTEM = Path("/run/current-system")

INCOMPATIBLE_INIT = 100


def check_host(distro_id: str) -> None:
    """Only NixOS is switched: told by /etc/NIXOS, else by the ID in /etc/os-release."""
    try:
        release = Path("/etc/os-release").read_text()
    except OSError as problem:
        raise Failure(f"cannot read /etc/os-release: {problem.strerror}") from None
    if Path("/etc/NIXOS").is_file():
        return
    ids = [line.partition("=")[2] for line in release.splitlines() if line.startswith("ID=")]
    if not ids or not re.fullmatch(f'"?{distro_id}"?', ids[-1]):
        die("This is not a NixOS installation!", errno.ENOENT)


def take_lock() -> IO[str]:
    """The lock of the host, held as long as the file that is returned. Nobody waits for it."""
    RUN_DIRECTORY.mkdir(parents=True, exist_ok=True)
    RUN_DIRECTORY.chmod(0o755)
    try:
        lock = (RUN_DIRECTORY / "switch-to-configuration.lock").open("a")
    except OSError as problem:
        die("Could not open lock", problem.errno or 1)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        die("Could not acquire lock", problem.errno or 1)
    return lock


def run_command(command: str, *arguments: str) -> bool:
    """Runs a command line that has no quoting, with more arguments; false if it fails or is missing."""
    try:
        return subprocess.run([*command.split(), *arguments], check=False).returncode == 0
    except OSError:
        return False


def pre_switch_checks(settings: Settings, action: Action) -> None:
    if os.environ.get("NIXOS_NO_CHECK") == "1":
        return
    if not settings.pre_switch_check.split():
        raise Failure("$PRE_SWITCH_CHECK is empty")
    if not run_command(settings.pre_switch_check, str(settings.toplevel), action.value):
        die("Pre-switch checks failed", 1)


def install_boot_loader(settings: Settings) -> None:
    if not settings.install_bootloader.split():
        raise Failure("$INSTALL_BOOTLOADER is empty")
    if not run_command(settings.install_bootloader, str(settings.toplevel)):
        die("Failed to install bootloader", 1)


def sync_store() -> None:
    """The new system may hang the machine, so its files go to the disk first."""
    if os.environ.get("NIXOS_NO_SYNC") == "1":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        store = os.open("/nix/store", os.O_RDONLY | os.O_NOCTTY)
    except OSError as problem:
        raise Failure(f"cannot open /nix/store: {problem.strerror}") from None
    if libc.syncfs(store) != 0:
        raise Failure(f"cannot sync /nix/store: {os.strerror(ctypes.get_errno())}")
    os.close(store)


def check_init_interface(toplevel: Path) -> None:
    """Systems whose `init` works differently cannot follow each other without a reboot."""
    try:
        current = (CURRENT_SYSTEM / "init-interface-version").read_text()
    except OSError:
        current = ""
    try:
        new = (toplevel / "init-interface-version").read_text()
    except OSError as problem:
        raise Failure(f"cannot read {toplevel}/init-interface-version: {problem.strerror}") from None
    if current != new:
        say("Warning: the new system's `init` is incompatible with the one that runs.")
        say("It takes effect at the next boot; nothing was activated.")
        raise SystemExit(INCOMPATIBLE_INIT)
