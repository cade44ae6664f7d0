"""What lets Quorate drive a program: a small adapter, in Python or over a child process.

The adapter has the program in its hands, network and clock included: a message goes where, and when, an action says so. It
speaks the words of the program's log (see `logs`): names of members, records as objects, maps by their keys.
"""

from __future__ import annotations

import json
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from quorate.errors import QuorateError, UsageError
from quorate.loading import load_module
from quorate.trace import Json

REPLY_MAX_S = 30.0
"""A program that does not answer for so long is ended."""


class Refused(Exception):
    """The program does not do this now, and nothing has changed."""


class AdapterError(QuorateError):
    """The program or its adapter failed, so that nothing can be said of it."""


class Adapter(ABC):
    """Drives one program. `members` names the members of sorts, as in a `Map`; those that are left out have the names of the
    specification. `views` are functions of the specification's state that `observe` tells besides variables."""

    members: ClassVar[Mapping[str, Iterable[Json] | Literal["open"]]] = {}
    views: ClassVar[Iterable[Callable[..., Any]]] = ()

    @abstractmethod
    def reset(self, arguments: dict[str, Json]) -> None:
        """Begin anew, in the initial state; `arguments` are those of `@init`."""

    @abstractmethod
    def perform(self, action: str, arguments: dict[str, Json]) -> None:
        """Make the program do what an action says. Raises `Refused` if it does not do it now."""

    @abstractmethod
    def observe(self) -> Mapping[str, Json]:
        """The values of the variables (and views) that can be seen: all, or some of them; of a map all keys, or some."""

    def omitted(self, action: str, arguments: dict[str, Json]) -> str | None:
        """Why the program need not be able to do this; None if it must. What is omitted is counted by its reason."""
        return None

    def close(self) -> None:
        """End the program."""
        return


class Process(Adapter):
    """A program in any language, as a child process: it reads a JSON object on each line of its standard input, and answers each
    with one on its standard output.

        {"do": "reset", "args": {}}                                        {"vars": {...}}
        {"do": "perform", "action": "win", "args": {"s": "n1"}}            {"vars": {...}} or {"refused": "why", "vars": {...}}

    `vars` are what `observe` tells. `command` is started in the folder of the adapter's file."""

    command: ClassVar[Sequence[str]]
    folder: ClassVar[Path | None] = None

    def __init__(self) -> None:
        try:
            self._child = subprocess.Popen(
                list(self.command),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise AdapterError(f"The program {self.command[0]} cannot be started: {error.strerror}.") from None
        self._seen: Mapping[str, Json] = {}

    def reset(self, arguments: dict[str, Json]) -> None:
        self._ask({"do": "reset", "args": arguments})

    def perform(self, action: str, arguments: dict[str, Json]) -> None:
        self._ask({"do": "perform", "action": action, "args": arguments})

    def observe(self) -> Mapping[str, Json]:
        return self._seen

    def _ask(self, line: dict[str, Json]) -> None:
        child = self._child
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(json.dumps(line) + "\n")
            child.stdin.flush()
            text = child.stdout.readline()
        except OSError:
            text = ""
        if not text:
            raise AdapterError(
                f"The program {self.command[0]} ended (exit code {child.poll()}) when it was asked for {line}."
            )
        try:
            reply = json.loads(text)
            self._seen = reply["vars"]
        except (ValueError, KeyError, TypeError):
            raise AdapterError(
                f'An answer is a JSON object with "vars" on one line, not {text.strip()[:100]!r}.'
            ) from None
        if reply.get("refused") is not None:
            raise Refused(str(reply["refused"]))

    def close(self) -> None:
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.close()
        try:
            self._child.wait(REPLY_MAX_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()


def load_adapter(path: Path) -> type[Adapter]:
    """The one adapter that a Python file defines. Raises UsageError if there is none or several."""
    module = load_module(path)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Adapter) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise UsageError(
            f"{path} defines {len(found) or 'no'} Adapter{'s' if len(found) > 1 else ''}: write one, as a subclass of "
            "`quorate.conform.Adapter` or `quorate.conform.Process`."
        )
    (adapter,) = found
    if issubclass(adapter, Process) and adapter.folder is None:
        adapter.folder = path.resolve().parent
    return adapter
