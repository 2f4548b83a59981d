"""The D-Bus wire format, as far as systemd and logind need it (D-Bus specification, "Marshaling")."""

import struct
from collections.abc import Iterator
from typing import Any

# Of each basic type of a fixed size: how to pack it. Its size is also its alignment.
FIXED = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I"}
ALIGNMENT = {"s": 4, "o": 4, "a": 4, "g": 1, "v": 1, "(": 8, "{": 8} | {
    code: struct.calcsize("=" + packed) for code, packed in FIXED.items()
}


def types(signature: str) -> Iterator[str]:
    """The complete types that a signature consists of."""
    while signature:
        end = type_end(signature)
        yield signature[:end]
        signature = signature[end:]


def type_end(signature: str) -> int:
    if signature[0] == "a":
        return 1 + type_end(signature[1:])
    if signature[0] not in "({":
        return 1
    depth = 0
    for position, code in enumerate(signature):
        depth += (code in "({") - (code in ")}")
        if depth == 0:
            return position + 1
    raise ValueError(f"signature {signature!r} does not end")


class Writer:
    """Little-endian bytes of arguments."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, size: int) -> None:
        self.data += bytes(-len(self.data) % size)

    def put(self, kind: str, value: Any) -> None:
        self.align(ALIGNMENT[kind[0]])
        if kind in FIXED:
            self.data += struct.pack("<" + FIXED[kind], value)
        elif kind in "so":
            encoded = value.encode(errors="surrogateescape")
            self.data += struct.pack("<I", len(encoded)) + encoded + b"\0"
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "v":
            inner, content = value
            self.put("g", inner)
            self.put(inner, content)
        elif kind[0] == "a":
            self.put_array(kind[1:], value)
        else:
            for member, content in zip(types(kind[1:-1]), value, strict=True):
                self.put(member, content)

    def put_array(self, kind: str, values: Any) -> None:
        self.data += b"\0\0\0\0"
        length_at = len(self.data) - 4
        self.align(ALIGNMENT[kind[0]])
        start = len(self.data)
        for value in values:
            self.put(kind, value)
        struct.pack_into("<I", self.data, length_at, len(self.data) - start)


class Reader:
    """Arguments out of bytes; `order` is `<` or `>`."""

    def __init__(self, data: bytes, order: str = "<") -> None:
        self.data = data
        self.order = order
        self.position = 0

    def align(self, size: int) -> None:
        self.position += -self.position % size

    def fixed(self, packed: str) -> Any:
        (value,) = struct.unpack_from(self.order + packed, self.data, self.position)
        self.position += struct.calcsize("=" + packed)
        return value

    def get(self, kind: str) -> Any:
        self.align(ALIGNMENT[kind[0]])
        if kind in FIXED:
            value = self.fixed(FIXED[kind])
            return bool(value) if kind == "b" else value
        if kind in "sog":
            return self.text(self.fixed("B" if kind == "g" else "I"))
        if kind == "v":
            return self.get(self.get("g"))
        if kind[0] == "a":
            return self.get_array(kind[1:])
        return tuple(self.get(member) for member in types(kind[1:-1]))

    def text(self, length: int) -> str:
        start = self.position
        self.position += length + 1
        return self.data[start : start + length].decode(errors="surrogateescape")

    def get_array(self, kind: str) -> list[Any]:
        length = self.fixed("I")
        self.align(ALIGNMENT[kind[0]])
        end = self.position + length
        values = []
        while self.position < end:
            values.append(self.get(kind))
        return values
