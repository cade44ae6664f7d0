"""The drawing of `docs/architecture.md`, from the imports as they are: `python docs/architecture/draw.py` writes it anew.

A room is a folder or a module right below `quorate`, or one of the other two packages; what is written in it is the first sentence of its
docstring. An arrow says "imports"; arrows that follow from others are left out.
"""

from __future__ import annotations

import ast
import textwrap
from html import escape
from pathlib import Path

import grimp
import networkx as nx
from graphviz import Digraph
from quorate.report import palette
from quorate.report.render import svg

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = {"quorate": "checker", "quorate_specs": "specs", "quorate_impl": "impl"}
WIDTH = 34
"""Characters in a line of a room's sentence."""


def room(module: str) -> str:
    """The room in which a module is: `explore` for `quorate.explore.native.search`, "quorate" for the facade itself."""
    top, *rest = module.split(".")
    return rest[0] if top == "quorate" and rest else top


def imports() -> nx.DiGraph:
    """The rooms, and who imports whom, without what follows."""
    graph = grimp.build_graph(*SOURCES, cache_dir=None)
    rooms = nx.DiGraph()
    for module in sorted(graph.modules):
        rooms.add_node(room(module))
        for target in sorted(graph.find_modules_directly_imported_by(module)):
            if room(target) != room(module):
                rooms.add_edge(room(module), room(target))
    return nx.transitive_reduction(rooms)


def sentence(name: str) -> str:
    """What the room's docstring says it is for: its first sentence."""
    package = ROOT / SOURCES.get(name, "checker/quorate")
    path = package / name
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def source() -> str:
    """The drawing as Graphviz source."""
    drawing = Digraph()
    drawing.attr("graph", rankdir="TB", nodesep="0.25", ranksep="0.35")
    drawing.attr("node", shape="box", style="rounded,filled", fillcolor=palette.ZEBRA, color=palette.FADED_LINE)
    drawing.attr("node", fontname="Helvetica", fontsize="11", fontcolor=palette.INK, margin="0.14,0.08")
    drawing.attr("edge", color=palette.SOFT, arrowsize="0.6")
    rooms = imports()
    for name in sorted(rooms):
        words = "<br/>".join(escape(line) for line in textwrap.wrap(sentence(name), WIDTH))
        drawing.node(
            name, f"<<b>{name}</b><br/>{words}>", fillcolor=palette.GOOD_GROUND if name in SOURCES else palette.ZEBRA
        )
    for importer, imported in sorted(rooms.edges):
        drawing.edge(importer, imported)
    return str(drawing.source)


def main() -> None:
    """Write source and picture beside this file."""
    text = source()
    (HERE / "house.dot").write_text(text, encoding="utf-8")
    (HERE / "house.svg").write_text(svg(text), encoding="utf-8")


if __name__ == "__main__":
    main()
