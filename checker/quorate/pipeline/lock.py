"""`quorate.lock`: what a project's checks find, kept beside its sources and reviewed with them.

For each specification, class and profile of bounds the verdict and the numbers, on a line each, so that a diff shows what a
change did; and for each file a short digest of its classes, methods and functions, so that a difference can be put down to
what was changed. `explained` says in words how two findings differ.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from quorate.errors import UsageError
from quorate.pipeline.sources import Piece

FILE = "quorate.lock"
FORMAT = "quorate-lock-1"
HEAD = "# What `quorate verify` finds. `quorate verify --update` writes this file; review its diffs.\n"

Name = tuple[str, str, str]
"""A specification, a class or function of it, and a profile of bounds."""


@dataclass(frozen=True)
class Finding:
    """What a check finds, as the lock has it. `counterexample` is the number of its steps, None if there is none."""

    verdict: str
    bounds: Mapping[str, int] = field(default_factory=dict)
    symmetry: Sequence[str] = ()
    states: int = 0
    transitions: int = 0
    depth: int = 0
    counterexample: int | None = None
    levels: Sequence[int] = ()
    actions: Mapping[str, int] = field(default_factory=dict)
    cuts: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(found: str, outcome: Mapping[str, Any]) -> Finding:
        """From what was found, in words, and the object of `--format json`."""
        steps = None if outcome["trace"] is None else len(outcome["trace"]["steps"])
        numbers = {
            one.name: outcome[one.name] for one in fields(Finding) if outcome.get(one.name)
        }  # As it is read again.
        return Finding(**numbers | {"verdict": found, "counterexample": steps})


@dataclass(frozen=True)
class Lock:
    """The findings, by name, and by file the digests of its pieces."""

    findings: Mapping[Name, Finding] = field(default_factory=dict)
    pieces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    quorate: str = ""

    def text(self) -> str:
        """The file."""
        lines = [HEAD, f"format = {_toml(FORMAT)}", f"quorate = {_toml(self.quorate)}"]
        for name, finding in sorted(self.findings.items()):
            lines += ["", f"[found.{'.'.join(map(_key, name))}]"]
            for one in fields(Finding):
                value = getattr(finding, one.name)
                if one.name == "verdict" or (value is not None and value != () and value != {} and value != []):
                    lines.append(f"{one.name} = {_toml(value)}")
        for file, pieces in sorted(self.pieces.items()):
            lines += ["", f"[pieces.{_key(file)}]", *(f"{_key(piece)} = {_toml(one)}" for piece, one in pieces.items())]
        return "\n".join(lines) + "\n"

    def updated(
        self, findings: Mapping[Name, Finding], gone: Sequence[Name], pieces: Mapping[str, Mapping[str, Piece]]
    ) -> Lock:
        """With these findings and pieces, and without those that are gone."""
        digests = {file: {name: piece.digest for name, piece in found.items()} for file, found in pieces.items()}
        kept = {name: finding for name, finding in self.findings.items() if name not in gone}
        return replace(self, findings=kept | dict(findings), pieces={**self.pieces, **digests})


def read(file: Path) -> Lock | None:
    """The lock of a project; None if it has none. Raises UsageError if it is not one."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}. `quorate verify --update` writes it anew once it is removed."
        ) from None
    if said.get("format") != FORMAT:
        raise UsageError(
            f"{file} has the format {said.get('format')!r}, not {FORMAT}: remove it, and write it anew with `--update`."
        )
    try:
        findings = {
            (spec, name, profile): _finding(finding)
            for spec, names in said.get("found", {}).items()
            for name, profiles in names.items()
            for profile, finding in profiles.items()
        }
        pieces = msgspec.convert(said.get("pieces", {}), dict[str, dict[str, str]])
        return Lock(findings, pieces, str(said.get("quorate", "")))
    except (AttributeError, TypeError, msgspec.ValidationError) as error:
        raise UsageError(f"{file} is not as `--update` writes it: {error}.") from None


def _finding(said: Mapping[str, Any]) -> Finding:
    """A finding as it is written, with values of the types that they have. Raises TypeError and ValidationError."""
    found = Finding(**said)
    msgspec.convert(vars(found), Finding)
    return found


def explained(old: Finding, new: Finding) -> list[str]:
    """How two findings differ, in sentences without a full stop; none if they are the same."""
    found = []
    if old.verdict != new.verdict:
        found.append(f"it was `{old.verdict}` and is `{new.verdict}`")
    if old.bounds != new.bounds:
        return [
            *found,
            f"the bounds were {_sizes(old.bounds)} and are {_sizes(new.bounds)}: the numbers are not compared",
        ]
    if list(old.symmetry) != list(new.symmetry):
        return [
            *found,
            f"it was explored with symmetry over {_listed(old.symmetry)} and now over {_listed(new.symmetry)}: "
            "the numbers are not compared",
        ]
    if old.counterexample != new.counterexample and None not in (old.counterexample, new.counterexample):
        found.append(f"the counterexample has {new.counterexample} steps instead of {old.counterexample}")
    found += _levels(old, new)
    if old.depth != new.depth:
        found.append(f"the depth is {new.depth} instead of {old.depth}")
    if old.transitions != new.transitions:
        found.append(_more("transition", old.transitions, new.transitions))
    for name in dict.fromkeys((*old.actions, *new.actions)):
        found += _fired(name, old.actions, new.actions)
    for name in dict.fromkeys((*old.cuts, *new.cuts)):
        if old.cuts.get(name, 0) != new.cuts.get(name, 0):
            found.append(f"{name} cuts {new.cuts.get(name, 0):,} transitions instead of {old.cuts.get(name, 0):,}")
    return found


def _levels(old: Finding, new: Finding) -> Iterator[str]:
    """By how many the states differ, and at which depths."""
    width = max(len(old.levels), len(new.levels))
    pairs = zip(_padded(old.levels, width), _padded(new.levels, width), strict=True)
    differing = [(depth, before, after) for depth, (before, after) in enumerate(pairs) if before != after]
    if len(differing) == 1:
        depth, before, after = differing[0]
        yield f"{_more('state', before, after)} at depth {depth}"
    elif differing:
        depth, before, after = differing[0]
        yield f"{_more('state', old.states, new.states)}, the first difference at depth {depth}: {before:,} became {after:,}"
    elif old.states != new.states:
        yield _more("state", old.states, new.states)


def _padded(levels: Sequence[int], width: int) -> list[int]:
    return [*levels, *[0] * (width - len(levels))]


def _more(what: str, before: int, after: int) -> str:
    by = abs(after - before)
    if by == 0:
        return f"as many {what}s in all"
    return (
        f"{by:,} {what}{'' if by == 1 else 's'} {'more' if after > before else 'fewer'} ({before:,} became {after:,})"
    )


def _fired(name: str, old: Mapping[str, int], new: Mapping[str, int]) -> Iterator[str]:
    if name not in old:
        yield f"action `{name}` is new and fires {_times(new[name])}"
    elif name not in new:
        yield f"action `{name}`, which fired {_times(old[name])}, is gone"
    elif new[name] == 0 < old[name]:
        yield f"action `{name}`, which fired {_times(old[name])}, never fires"
    elif new[name] != old[name]:
        often = f"{_times(abs(new[name] - old[name]))} {'more' if new[name] > old[name] else 'less'} often"
        yield f"action `{name}` fires {often} ({old[name]:,} became {new[name]:,})"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


@dataclass(frozen=True)
class Changed:
    """A part of a file that is not as the lock has it. `line` is where it begins, None if it is gone or the lock does not know the
    file, which `name` then says."""

    file: str
    name: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file} {self.name}" if self.line is None else f"{self.file}:{self.line} {self.name}"


def changed_pieces(lock: Lock, now: Mapping[str, Mapping[str, Piece]]) -> list[Changed]:
    """What of these files is not as the lock has it, the innermost only."""
    found = []
    for file, pieces in now.items():
        before = lock.pieces.get(file)
        if before is None:
            found.append(Changed(file, "(not in the lock)"))
            continue
        names = [name for name, piece in pieces.items() if piece.digest != before.get(name)]
        inner = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]
        found += [Changed(file, name, pieces[name].line) for name in inner]
        found += [Changed(file, f"{name} (gone)") for name in before if name not in pieces]
    return found


def _sizes(bounds: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in sorted(bounds.items())) or "none"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _key(name: str) -> str:
    return name if name and all(part.isalnum() or part in "_-" for part in name) and name.isascii() else _toml(name)


def _toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(name)} = {_toml(one)}" for name, one in sorted(value.items()))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
