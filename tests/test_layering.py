"""Imports point one way: `language <- model <- {explore, prove} <- {conform, report} <- command line`.

`errors`, `trace`, `outcome` and `cc` are below all of them; `specs` know the facade only; `impl` knows nothing of the rest, so that
it can be lifted out and deployed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = {"errors", "trace", "outcome", "cc"}
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "trace": {"errors"},
    "outcome": {"errors", "trace"},
    "cc": {"errors"},
    "language": BASE - {"cc"},
    "model": BASE - {"cc"} | {"language"},
    "explore": BASE | {"language", "model"},
    "prove": BASE | {"language", "model", "explore"},
    "consistency": BASE,
    "conform": BASE | {"language", "model", "explore", "consistency"},
    "report": BASE | {"language", "model", "consistency"},
    "loading": BASE | {"language", "model"},
    "": BASE | {"language"},
}
EDGE = {"cli", "commands", "pytest_plugin"}
"""The edges may import everything; nothing imports them."""


def layer(module: str) -> str:
    """The layer of a module `quorate.<layer>...`; "" is the facade itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{package} uses a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", sources("checker/quorate"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_checkers_layers_import_downwards_only(path: Path) -> None:
    parts = path.relative_to(ROOT / "checker" / "quorate").with_suffix("").parts
    own = "" if parts == ("__init__",) else parts[0]
    if own in EDGE:
        return
    for name in imports(path):
        if name.split(".")[0] in ("quorate_specs", "quorate_impl", "tests", "bench"):
            pytest.fail(f"{own} imports {name}")
        if name.split(".")[0] == "quorate":
            assert layer(name) in LAYERS[own] | {own}, f"{own} imports {name}"


@pytest.mark.parametrize("path", sources("specs/quorate_specs"), ids=lambda path: str(path.relative_to(ROOT)))
def test_specs_import_the_facade_only(path: Path) -> None:
    for name in imports(path):
        top, *rest = name.split(".")
        assert top not in ("quorate_impl", "tests"), name
        if top == "quorate":
            assert len(rest) == 1 and rest[0] not in LAYERS, f"{path.name} imports {name} instead of the facade"


def test_implementations_import_neither_specs_nor_checker() -> None:
    for path in sources("impl/quorate_impl"):
        for name in imports(path):
            assert name.split(".")[0] not in ("quorate", "quorate_specs", "tests"), f"{path} imports {name}"


def test_the_core_layers_do_not_print_or_read_the_clock() -> None:
    for folder in ("language", "model"):
        for path in sources(f"checker/quorate/{folder}"):
            for name in imports(path):
                assert name.split(".")[0] not in ("time", "logging", "subprocess", "pathlib", "click", "rich"), (
                    f"{path} imports {name}"
                )
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Name) and node.id in ("print", "open")), f"{path} uses {node.id}"  # type: ignore[attr-defined]
