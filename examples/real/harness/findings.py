"""What a server did beside what a specification says, printed."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quorate import Spec
from quorate.consistency import Unknown, Violated

from examples.real.harness.processes import Missing
from examples.real.harness.recording import Recorder

SKIPPED = 77  # The exit code by which Automake's tests say that they were skipped.


@dataclass(frozen=True)
class Finding:
    """One run of a server in some `setting`: what was `observed`, whether that breaks the `promise`, a property of a
    specification, and the `spec`, the main class or the variant that the setting is. `record` is what the clients saw."""

    name: str
    setting: str
    observed: str
    broken: bool
    spec: type[Spec]
    promise: str
    record: Recorder | None = None

    @classmethod
    def judged(
        cls,
        name: str,
        setting: str,
        record: Recorder,
        level: str,
        spec: type[Spec],
        promise: str,
        model: str = "register",
    ) -> Finding:
        """A record judged against a consistency level, which is what the promise is about."""
        verdict = record.judge(level, model)
        assert not isinstance(verdict, Unknown)
        observed = f"{level} {verdict.verdict}, {verdict.operations} operations"
        return cls(name, setting, observed, isinstance(verdict, Violated), spec, promise, record)

    @property
    def expected(self) -> bool:
        """Whether the specification says that the promise is broken."""
        return self.promise in self.spec.expect.names

    @property
    def agrees(self) -> bool:
        return self.broken == self.expected

    def keep(self, folder: Path | None) -> None:
        """Write the record into a folder, if both are there."""
        if folder is not None and self.record is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.record.save(folder / f"{self.name}.jsonl.gz")

    def __str__(self) -> str:
        variant = f"{self.spec.__module__.rpartition('.')[2]}.{self.spec.__name__}"
        says = f"{variant} {'violates' if self.expected else 'keeps'} {self.promise}"
        verdict = "and so it was seen" if self.agrees else "but it was " + ("broken" if self.broken else "kept")
        lines = textwrap.wrap(self.observed, 100, initial_indent="    ", subsequent_indent="    ")
        return "\n".join([self.setting, *lines, f"    {says}, {verdict}"])


def sought(attempt: Callable[[int], Finding], tries: int) -> Finding:
    """A finding that takes luck, where the specification says that something can happen: the first of so many attempts in which it
    does. What must not happen is not tried again."""
    finding = attempt(0)
    for number in range(1, tries):
        if finding.agrees or finding.broken:
            break
        finding = attempt(number)
    return finding


def main(title: str, *parts: Callable[[], Iterator[Finding]]) -> None:
    """Print what the parts find as it is found; `--out DIR` keeps the records. The exit code is 0 if the server does what the
    specifications say, 1 if not, and 77 if it is not installed."""
    parser = argparse.ArgumentParser(description=f"{title}, beside the specifications")
    parser.add_argument("--out", type=Path, help="keep the records of the clients in this folder")
    parser.add_argument("--only", choices=[part.__name__ for part in parts], help="one part")
    options = parser.parse_args()
    print(title)
    found: list[Finding] = []
    skipped: dict[str, None] = {}
    for part in parts:
        if options.only in (None, part.__name__):
            try:
                for finding in part():
                    print(finding, flush=True)
                    finding.keep(options.out)
                    found.append(finding)
            except Missing as missing:
                skipped[f"skipped: {missing}"] = None
    print(*skipped, sep="\n", end="\n" if skipped else "")
    sys.exit(SKIPPED if not found else 0 if all(finding.agrees for finding in found) else 1)
