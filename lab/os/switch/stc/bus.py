"""A connection to a D-Bus message bus."""

import os
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from stc.console import Failure
from stc.wire import Reader, Writer, types

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY_EXPECTED = 1

# Header fields (D-Bus specification, "Header Fields") and the types of their values.
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_TO, DESTINATION, SIGNATURE = 1, 2, 3, 4, 5, 6, 8
FIELD_TYPES = {PATH: "o", INTERFACE: "s", MEMBER: "s", DESTINATION: "s", SIGNATURE: "g"}

# systemd's own default for a method call.
CALL_TIMEOUT = 25.0


class BusError(Exception):
    """The answer to a call was an error; the text is the one the other side sent."""


@dataclass(frozen=True)
class Address:
    """An object's interface on the bus."""

    service: str
    path: str
    interface: str


@dataclass(frozen=True)
class Message:
    kind: int
    fields: dict[int, Any]
    body: tuple[Any, ...]


class Bus:
    def __init__(self, socket_path: str) -> None:
        self.serial = 0
        self.received = b""
        self.signals: deque[Message] = deque()
        self.early_replies: dict[int, Message] = {}
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.connect(socket_path)
            self._authenticate()
        except OSError as problem:
            raise Failure(f"cannot open the message bus {socket_path}: {problem.strerror}") from None
        self.driver = Address("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
        self.call(self.driver, "Hello")

    def _authenticate(self) -> None:
        identity = str(os.geteuid()).encode().hex()
        self.socket.sendall(f"\0AUTH EXTERNAL {identity}\r\n".encode())
        while not self.received.endswith(b"\r\n"):
            data = self.socket.recv(512)
            if not data:
                break
            self.received += data
        if not self.received.startswith(b"OK "):
            raise Failure(f"the message bus refused us: {self.received.decode(errors='replace').strip()}")
        self.received = b""
        self.socket.sendall(b"BEGIN\r\n")

    def match(self, interface: str, member: str) -> str:
        """Asks for a signal. The rule that is returned ends it again, see `unmatch`."""
        rule = f"type='signal',interface='{interface}',member='{member}'"
        self.call(self.driver, "AddMatch", "s", rule)
        return rule

    def unmatch(self, rule: str) -> None:
        self.call(self.driver, "RemoveMatch", "s", rule)

    def call(self, address: Address, member: str, signature: str = "", *arguments: Any) -> tuple[Any, ...]:
        return self._reply(self.send(address, member, signature, *arguments))

    def call_each(self, addresses: list[Address], member: str, signature: str, *arguments: Any) -> list[Any]:
        """The same call to many objects at once; None where the answer is an error."""
        serials = [self.send(address, member, signature, *arguments) for address in addresses]
        results: list[Any] = []
        for serial in serials:
            try:
                results.append(self._reply(serial))
            except BusError:
                results.append(None)
        return results

    def send(self, address: Address, member: str, signature: str = "", *arguments: Any, want_reply: bool = True) -> int:
        self.serial += 1
        body = Writer()
        for kind, value in zip(types(signature), arguments, strict=True):
            body.put(kind, value)
        fields = {
            PATH: address.path,
            INTERFACE: address.interface,
            MEMBER: member,
            DESTINATION: address.service,
            SIGNATURE: signature,
        }
        head = Writer()
        flags = 0 if want_reply else NO_REPLY_EXPECTED
        head.data += struct.pack("<cBBBII", b"l", CALL, flags, 1, len(body.data), self.serial)
        head.put("a(yv)", [(code, (FIELD_TYPES[code], value)) for code, value in fields.items() if value])
        head.align(8)
        try:
            self.socket.sendall(head.data + body.data)
        except OSError as problem:
            raise Failure(f"lost the message bus: {problem.strerror}") from None
        return self.serial

    def _reply(self, serial: int) -> tuple[Any, ...]:
        deadline = time.monotonic() + CALL_TIMEOUT
        while serial not in self.early_replies:
            message = self._receive(deadline - time.monotonic())
            if message is None:
                raise BusError("no reply within 25 seconds")
            if message.kind == SIGNAL:
                self.signals.append(message)
            elif message.kind in (RETURN, ERROR):
                self.early_replies[message.fields[REPLY_TO]] = message
        message = self.early_replies.pop(serial)
        if message.kind == ERROR:
            raise BusError(message.body[0] if message.body else message.fields[ERROR_NAME])
        return message.body

    def signal(self, timeout: float) -> Message | None:
        """The next signal, or None if none came in `timeout` seconds."""
        if self.signals:
            return self.signals.popleft()
        deadline = time.monotonic() + timeout
        while (message := self._receive(deadline - time.monotonic())) is not None:
            if message.kind == SIGNAL:
                return message
        return None

    def _receive(self, timeout: float) -> Message | None:
        """The next message, or None if it did not come in time."""
        if not self._fill(16, timeout):
            return None
        order = "<" if self.received[:1] == b"l" else ">"
        body_length, fields_length = struct.unpack_from(order + "I4xI", self.received, 4)
        head_length = 16 + fields_length + -fields_length % 8
        # The head is here, so the rest is on its way, whatever time is left.
        if not self._fill(head_length + body_length, CALL_TIMEOUT):
            raise Failure("lost the message bus: half a message came")
        head, rest = self.received[:head_length], self.received[head_length:]
        body, self.received = rest[:body_length], rest[body_length:]
        reader = Reader(head, order)
        reader.position = 12
        fields = dict(reader.get("a(yv)"))
        content = Reader(body, order)
        return Message(head[1], fields, tuple(content.get(kind) for kind in types(fields.get(SIGNATURE, ""))))

    def _fill(self, size: int, timeout: float) -> bool:
        """Reads until `size` bytes are here."""
        deadline = time.monotonic() + timeout
        while len(self.received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(1 << 18)
            except TimeoutError:
                return False
            except OSError as problem:
                raise Failure(f"lost the message bus: {problem.strerror}") from None
            if not data:
                raise Failure("lost the message bus: it closed the connection")
            self.received += data
        return True
