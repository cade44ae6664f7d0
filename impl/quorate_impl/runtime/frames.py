"""What goes over a connection: frames of four bytes of length, big endian, and so many bytes of msgpack.

The first frame says who is there (`Hello`); those that follow are messages of the protocol, and anything else ends the
connection. Nothing is ever unpickled or evaluated: bytes become the structs of the protocol's types, or are refused.
A frame has a size that is looked at before its bytes are read, and a time within which they must arrive.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import msgspec

from quorate_impl.core import Message

LENGTH = struct.Struct(">I")
HELLO_BYTES = 1024
"""A stranger cannot make a node keep more than this."""
FRAME_BYTES = 16 * 2**20
REQUEST_BYTES = 2**20
"""A request is smaller than a frame between nodes, where it travels with others."""
FRAME_SECONDS = 20.0
"""How long a frame may take once it has begun."""


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first frame: who is there, speaking which protocol, in which cluster; and where it listens, if it is a node."""

    cluster: str
    protocol: str
    source: str
    address: str | None


class Sever(Message, frozen=True):
    """For demonstrations: drop the connections to these nodes, and refuse them for so long. Only if the node allows it."""

    names: tuple[str, ...]
    seconds: float


class Rejected(Exception):
    """What came is no frame of this protocol; the connection has to end."""


encode = msgspec.msgpack.Encoder().encode


def frame(payload: bytes) -> bytes:
    """The bytes of a frame."""
    return LENGTH.pack(len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader, bytes_max: int, seconds: float = FRAME_SECONDS) -> bytes:
    """The payload of the next frame, for which it waits for ever, but not in the middle of one.

    Raises `Rejected` if it is too large or too slow, `asyncio.IncompleteReadError` or `OSError` at the end.
    """
    first = await reader.readexactly(1)
    try:
        async with asyncio.timeout(seconds):
            (length,) = LENGTH.unpack(first + await reader.readexactly(LENGTH.size - 1))
            if length > bytes_max:
                raise Rejected(f"a frame of {length} bytes; {bytes_max} are allowed")
            return await reader.readexactly(length)
    except TimeoutError:
        raise Rejected(f"a frame that is not complete after {seconds} seconds") from None


def decode(decoder: msgspec.msgpack.Decoder[Any], payload: bytes) -> Any:
    """The struct that the payload is. Raises `Rejected`."""
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"no message of this protocol: {error}") from None
