"""What the reference engine finds on specs and variants of the library at their own bounds, for the native engine to find too.

    python -m tests.native.recorded [MODULE.CLASS ...]

explores them again, all or those named, and writes `recorded.json` after each. Some take the reference engine many minutes, which
is why the tests read the file; they compare the specs that it has.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import quorate_specs
from quorate.explore.engine import Covered
from quorate.explore.limits import Watch
from quorate.explore.reference import explore as reference
from quorate.language.spec import Spec
from quorate.language.system import System

from tests.native.agreement import reductions

FILE = Path(__file__).with_name("recorded.json")


def library() -> Iterator[type[Spec]]:
    """Every spec and variant."""
    for module in pkgutil.walk_packages(quorate_specs.__path__, "quorate_specs."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(found, Spec) and found is not Spec and found.__module__ == module.name:
                yield found


def name_of(spec: type[Spec]) -> str:
    """The module and the class."""
    return f"{spec.__module__.split('.')[-1]}.{spec.__name__}"


def numbers(covered: Covered) -> dict[str, object]:
    """What is recorded of an exploration. Of a violation: its kind, the property, and the length of the counterexample."""
    finding = covered.finding
    shown = (
        None if finding is None else [finding.kind, finding.method.name if finding.method else None, len(finding.steps)]
    )
    return {
        "states": covered.states,
        "transitions": covered.transitions,
        "depth": covered.depth,
        "cuts": dict(covered.cuts),
        "actions": dict(covered.actions),
        "finding": shown,
    }


def record(spec: type[Spec]) -> dict[str, object]:
    """Both explorations of a spec, without and with symmetry, and its bounds."""
    system = System(spec)
    with system:
        found = {
            "symmetry" if sorts else "plain": numbers(reference(system, sorts, Watch(), 1))
            for sorts in reductions(system)
        }
    return {"bounds": system.bounds, **found}


def main() -> None:
    """Explore, in the order of the arguments, and write the file after each."""
    specs_by_name = {name_of(spec): spec for spec in library()}
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for name in sys.argv[1:] or sorted(specs_by_name):
        kept[name] = record(specs_by_name[name])
        print(name, flush=True)
        FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
