"""What the program says, and the ways in which it ends early."""

import errno
import os
from typing import NoReturn

# A Rust program whose standard error cannot be written panics, and a panic exits with this code.
PANIC = 101


class Failure(Exception):
    """Ends the program with exit code 1; what was done so far stays done."""


def say(text: str) -> None:
    """Writes one line to standard error, or ends the program on the spot if nobody reads it."""
    data = text.encode() + b"\n"
    while data:
        try:
            data = data[os.write(2, data) :]
        except OSError as problem:
            if problem.errno == errno.EBADF:
                return
            os._exit(PANIC)


def die(text: str, code: int) -> NoReturn:
    """Says why and exits with an operating system error number, as Perl's `die` did."""
    say(text)
    raise SystemExit(code or 1)
