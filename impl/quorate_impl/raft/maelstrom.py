"""The store as a node of Maelstrom, Jepsen's teaching workbench: JSON lines on stdin and stdout, workload `lin-kv`.

    maelstrom test -w lin-kv --bin ./node --node-count 3 --concurrency 2n --time-limit 30 --nemesis partition

where `./node` is a script with `exec quorate run raft --maelstrom --data DIR`. Maelstrom's clients ask any node and have
no sessions. So each node has a `Client` of its own, which asks the leader on their behalf; what it sends to another node
goes there as a message of type `request`, and the answer comes back as `response`.

The protocol: https://github.com/jepsen-io/maelstrom/blob/main/doc/protocol.md, errors: .../doc/workloads.md.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from quorate_impl.core import Draw, Drawn, Event, Message, Received, Reply, Requested, Send, Tick
from quorate_impl.protocol import Protocol
from quorate_impl.raft import Client, protocol
from quorate_impl.raft.client import Unknown
from quorate_impl.raft.messages import Cas, Done, Get, Mismatch, Put, Value
from quorate_impl.runtime.driver import Driver
from quorate_impl.runtime.journal import Journal

GIVE_UP_TICKS = 400
"""Maelstrom's clients give up after five seconds."""
NOT_SUPPORTED, MALFORMED, UNAVAILABLE, NO_KEY, OTHER_VALUE, IN_DOUBT = 10, 12, 11, 20, 22, 13

Body = dict[str, Any]


class MaelstromNode(Driver):
    """One node, from the moment when Maelstrom has told its name."""

    def __init__(self, name: str, names: list[str], data: Path, journal: Journal, out: IO[str]) -> None:
        self._name = name
        self._protocol: Protocol = protocol(dict.fromkeys(names, ""))
        super().__init__(name, self._protocol, data / name, journal)
        self._out = out
        self._client = Client(f"{name} for others", dict.fromkeys(names, ""), give_up_ticks=GIVE_UP_TICKS)
        self._asked: dict[str, tuple[str, Body]] = {}
        self._handles = 0

    def write(self, target: str, body: Body) -> None:
        """One line for Maelstrom."""
        self._out.write(json.dumps({"src": self._name, "dest": target, "body": body}) + "\n")
        self._out.flush()

    # Between nodes

    def send(self, target: str, message: Message) -> None:
        self.write(target, {"type": "message", "message": _plain(message)})

    def reply(self, client: str, response: Message) -> None:
        if client == self._name:
            self._step_client(Received(self._name, response))
        else:
            self.write(client, {"type": "response", "response": _plain(response)})

    def receive(self, line: str) -> None:
        """What Maelstrom delivers."""
        envelope = json.loads(line)
        source, body = envelope["src"], envelope["body"]
        match body["type"]:
            case "message":
                self.happen(Received(source, _struct(body["message"], self._protocol.message)))
            case "request":
                self.happen(Requested(source, _struct(body["request"], self._protocol.request)))
            case "response":
                self._step_client(Received(source, _struct(body["response"], self._protocol.response)))
            case _:
                self._ask(source, body)

    # Maelstrom's clients

    def _ask(self, source: str, body: Body) -> None:
        try:
            request = REQUESTS[body["type"]](body)
        except KeyError as missing:
            known = body["type"] in REQUESTS
            text = f"{missing} is missing" if known else f"{body['type']} is not supported"
            self._answer(source, body, _error(MALFORMED if known else NOT_SUPPORTED, text))
            return
        self._put_to_client(source, body, request)

    def _put_to_client(self, source: str, body: Body, request: Message) -> None:
        self._handles += 1
        self._asked[str(self._handles)] = source, body
        self._step_client(Requested(str(self._handles), request))

    def _step_client(self, event: Event) -> None:
        for effect in self._client.step(event):
            match effect:
                case Send(target, request) if target == self._name:
                    self.happen(Requested(self._name, request))
                case Send(target, request):
                    self.write(target, {"type": "request", "request": _plain(request)})
                case Reply(handle, result):
                    self._conclude(*self._asked.pop(handle), result)
                case Draw(purpose, low, _):
                    self._step_client(Drawn(purpose, low))

    def _conclude(self, source: str, body: Body, result: Message) -> None:
        """A `cas` that may make the key is asked a second time, for the key that is not there."""
        if result == Mismatch(None) and body.get("create_if_not_exists"):
            body = {**body, "create_if_not_exists": False}
            self._put_to_client(source, body, Cas(_text(body["key"]), None, _text(body["to"])))
        else:
            self._answer(source, body, _said(body["type"], result))

    def _answer(self, target: str, body: Body, said: Body) -> None:
        self.write(target, {**said, "in_reply_to": body["msg_id"]})

    def happen(self, event: Event) -> None:
        super().happen(event)
        if isinstance(event, Tick):
            self._step_client(event)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


REQUESTS: Mapping[str, Callable[[Body], Message]] = {
    "read": lambda body: Get(_text(body["key"])),
    "write": lambda body: Put(_text(body["key"]), _text(body["value"])),
    "cas": lambda body: Cas(_text(body["key"]), _text(body["from"]), _text(body["to"])),
}
"""The requests of the workload lin-kv. Keys and values are any JSON, kept as its text."""


def _said(kind: str, result: Message) -> Body:
    match result:
        case Value(None):
            return _error(NO_KEY, "there is no such key")
        case Value(value) if value is not None:
            return {"type": "read_ok", "value": json.loads(value)}
        case Mismatch(None):
            return _error(NO_KEY, "there is no such key")
        case Mismatch(value):
            return _error(OTHER_VALUE, f"the value is {value}")
        case Done():
            return {"type": f"{kind}_ok"}
        case Unknown(reason):
            return _error(UNAVAILABLE if kind == "read" else IN_DOUBT, reason)
    raise AssertionError(f"no answer to a client of Maelstrom: {result}")


def _error(code: int, text: str) -> Body:
    return {"type": "error", "code": code, "text": text}


def _plain(message: Message) -> Any:
    return msgspec.to_builtins(message)


def _struct(plain: Any, kind: Any) -> Message:
    made: Message = msgspec.convert(plain, kind)
    return made


async def serve(data: Path) -> None:
    """Speak with Maelstrom until it closes stdin."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    line = await reader.readline()
    if not line:
        return
    first = json.loads(line)
    body = first["body"]
    node = MaelstromNode(body["node_id"], body["node_ids"], data, Journal(body["node_id"], sys.stderr), sys.stdout)
    running = asyncio.create_task(node.drive())
    node.write(first["src"], {"type": "init_ok", "in_reply_to": body["msg_id"]})
    while (line := await reader.readline()) and not running.done():
        node.receive(line.decode())
    node.stop()
    await running
