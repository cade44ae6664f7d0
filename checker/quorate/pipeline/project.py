"""The project that a command runs in: its folder, and what `[tool.quorate]` of its `pyproject.toml` says.

    [tool.quorate]
    specs = ["specs/raft.py", "specs/lock.py:Lock"]

    [tool.quorate.bounds.ci]
    Server = 3

    [tool.quorate.bounds.nightly]
    Server = 5
    "specs/raft.py" = { Term = 4 }

Each table of `bounds` is a profile: sizes for every specification that has a bound of the name, and in a table under the
name of a specification, for that one alone.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorate.errors import UsageError, unknown
from quorate.files import parted

DEFAULT = "default"
"""The profile without changes: every bound as the specification declares it."""
KEYS = ("specs", "bounds")


@dataclass(frozen=True)
class Profile:
    """Sizes of bounds under a name: for every specification that has such a bound, and for single ones."""

    name: str = DEFAULT
    common: Mapping[str, int] = field(default_factory=dict)
    single: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def sizes(self, spec: str, known: Collection[str]) -> dict[str, int]:
        """The sizes for a specification, by the name that it has in the project, whose bounds are `known`."""
        return {name: size for name, size in self.common.items() if name in known} | dict(self.single.get(spec, {}))


@dataclass(frozen=True)
class Project:
    """A folder with, if it has one, its configuration. `specs` is what to check if nothing is named."""

    root: Path
    specs: tuple[str, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    def profile(self, name: str | None) -> Profile:
        """The profile of this name; None is that without changes. Raises UsageError if there is none."""
        if name is None or (name == DEFAULT and name not in self.profiles):
            return Profile()
        if name not in self.profiles:
            if "=" in name:
                raise UsageError(f"`--bounds` takes the name of a profile; one size is changed by `--bound {name}`.")
            raise unknown("profile of bounds ([tool.quorate.bounds] in pyproject.toml)", name, self.profiles)
        return self.profiles[name]

    def named(self, spec: str) -> str:
        """What the project calls a specification: a name of the library, or its file, seen from the root."""
        path = parted(spec)[0]
        return self.placed(Path(path)) if path.endswith(".py") or "/" in path else path

    def placed(self, file: Path) -> str:
        """A file seen from the root, if it is below; else its whole path."""
        whole = file.resolve()
        return (whole.relative_to(self.root) if whole.is_relative_to(self.root) else whole).as_posix()


def find_project(start: Path | None = None) -> Project:
    """The project of a folder: the nearest one upwards with a `pyproject.toml`, else the folder itself. Raises UsageError if
    `[tool.quorate]` is not as it should be."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _read(folder, file)
    return Project(here)


def _read(folder: Path, file: Path) -> Project:
    try:
        text = file.read_text(encoding="utf-8")
        said = tomllib.loads(text).get("tool", {}).get("quorate", {}) if "quorate" in text else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    for key in said:
        if key not in KEYS:
            raise unknown(f"setting in [tool.quorate] of {file}:", key, KEYS)
    specs, profiles = said.get("specs", []), said.get("bounds", {})
    if not isinstance(specs, list) or not all(isinstance(spec, str) for spec in specs):
        raise UsageError(f'{file}: `specs` of [tool.quorate] is a list of names, such as `specs = ["specs/raft.py"]`.')
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise UsageError(f"{file}: `bounds` of [tool.quorate] has a table for each profile: [tool.quorate.bounds.ci].")
    found = {name: _profile(file, name, sizes) for name, sizes in profiles.items()}
    return Project(folder, tuple(_from_here(folder, spec) for spec in specs), found)


def _from_here(folder: Path, spec: str) -> str:
    """A specification that the configuration names, as the command line would take it here."""
    path, chosen = parted(spec, folder)
    return os.path.relpath(folder / path) + f":{chosen}" * bool(chosen) if path.endswith(".py") or "/" in path else spec


def _profile(file: Path, name: str, said: Mapping[str, Any]) -> Profile:
    single = {key: value for key, value in said.items() if isinstance(value, dict)}
    common = {key: value for key, value in said.items() if key not in single}
    for sizes in (common, *single.values()):
        for bound, size in sizes.items():
            if type(size) is not int:
                raise UsageError(f"{file}: in [tool.quorate.bounds.{name}], {bound} is {size!r}, not a whole number.")
    return Profile(name, common, single)
