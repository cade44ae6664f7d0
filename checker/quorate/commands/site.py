"""`quorate site`: the documents and the gallery of a checkout as static pages, with a page to step through for each counterexample."""

from __future__ import annotations

import json
import os
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import click

from quorate.commands._live import end_with_parent
from quorate.commands._options import Explicit
from quorate.errors import UsageError
from quorate.outcome import Exit

RUN, TRACE, PICTURE = "run.html", "trace.json", "diagram.svg"
PLAYGROUND = "play"
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
"""What the playground needs of the npm package."""
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quorate: playground</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="play.css">
</head>
<body>
<div id="page"><noscript>The playground needs JavaScript.</noscript></div>
<script src="play.js"></script>
</body>
</html>
"""
MENU = {
    "Quorate": "README.md",
    "Tutorial": "docs/tutorial.md",
    "Language": "docs/language.md",
    "Explorer": "docs/explorer.md",
    "Library": "specs/README.md",
    "What breaks": "counterexamples/README.md",
}
"""What every page leads to."""


@click.command("site", cls=Explicit)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where to.")
@click.option(
    "--from",
    "root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="The checkout of Quorate whose documents and counterexamples are taken, if not the working directory.",
)
@click.option(
    "--playground",
    "pyodide",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Add a page in which specifications are edited, checked and explored, all in the browser. DIR is the npm package `pyodide`: "
    "`npm install pyodide` makes it, in node_modules.",
)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes.")
def command(out: Path, root: Path, pyodide: Path | None, workers: int) -> Exit:
    """Write documents, the map of the library and the gallery as static pages to DIR; each counterexample can be stepped through.

    The pages refer to each other only, so that any web server, or `python -m http.server` on a stick, shows them.
    """
    site = Site(root.resolve(), out.resolve(), pyodide)
    if not site.documents:
        raise UsageError(
            f"{root} has no README.md and no docs: run it in a checkout of Quorate, or say where one is with --from."
        )
    if site.out in (site.root, *site.root.parents):
        raise UsageError(f"{out} holds the checkout itself. Choose a directory for the site.")
    site.write_documents()
    site.write_playground()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        for _ in pool.map(write_run, site.runs(), chunksize=4):
            pass
    click.echo(f"wrote {len(site.documents)} documents and {len(site.runs())} runs to {out}")
    return Exit.SUCCESS


class Site:
    """A checkout, and where its site is written; folders are the same in both."""

    def __init__(self, root: Path, out: Path, pyodide: Path | None = None) -> None:
        self.root, self.out, self.pyodide = root, out, pyodide
        found = [
            *root.glob("*.md"),
            *root.glob("docs/*.md"),
            *root.glob("docs/notebooks/*.md"),
            *root.glob("docs/exercises/*.md"),
            *root.glob("specs/*.md"),
            *root.glob("counterexamples/*.md"),
        ]
        found += [*root.glob("bench/*.md"), *root.glob("tests/*.md")]
        self.documents = sorted(found)

    def page(self, document: Path) -> Path:
        """The page of a document, below the site."""
        name = "index.html" if document.stem == "README" else f"{document.stem}.html"
        return document.relative_to(self.root).with_name(name)

    def runs(self) -> list[tuple[Path, Path]]:
        """Each stored counterexample, with the page that is made of it."""
        traces = sorted((self.root / "counterexamples").rglob(TRACE))
        return [(trace, self.out / trace.relative_to(self.root).with_name(RUN)) for trace in traces]

    def write_documents(self) -> None:
        """Write the pages of all documents, and what they show."""
        from quorate.report.site import document, style_sheet

        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "site.css").write_text(style_sheet(), encoding="utf-8")
        for source in self.documents:
            page = self.page(source)
            home = "../" * (len(page.parts) - 1)
            menu = {
                name: home + self.page(self.root / where).as_posix()
                for name, where in MENU.items()
                if self.root / where in self.documents
            }
            if self.pyodide is not None:
                menu["Playground"] = f"{home}{PLAYGROUND}/index.html"
            text = document(
                source.read_text(encoding="utf-8"),
                lambda reference, source=source: self.link(source, reference),  # type: ignore[misc]
                lambda reference, source=source: self.run(source, reference),  # type: ignore[misc]
                home,
                menu,
            )
            target = self.out / page
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def write_playground(self) -> None:
        """Write the playground, if Pyodide is at hand: its page, Python for the browser, and Quorate itself. Raises UsageError if a file of
        Pyodide is missing."""
        from importlib.resources import files

        from quorate.report.theme import theme

        if self.pyodide is None:
            return
        folder = self.out / PLAYGROUND
        (folder / "pyodide").mkdir(parents=True, exist_ok=True)
        for name in PYODIDE:
            if not (self.pyodide / name).is_file():
                raise UsageError(f"{self.pyodide} is not the npm package `pyodide`: it has no {name}.")
            shutil.copyfile(self.pyodide / name, folder / "pyodide" / name)
        built = files("quorate.explorer").joinpath("web")
        for name in ("play.js", "worker.js"):
            (folder / name).write_bytes(built.joinpath(name).read_bytes())
        (folder / "play.css").write_text(
            theme() + built.joinpath("play.css").read_text(encoding="utf-8"), encoding="utf-8"
        )
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        (folder / "lock.py").write_text(self.lock(), encoding="utf-8")
        (folder / "exercises.json").write_text(self.exercises(), encoding="utf-8")
        write_packages(folder / "quorate.zip")

    def lock(self) -> str:
        """The specification that the tutorial ends its first part with. Raises UsageError if there is none."""
        tutorial = self.root / "docs" / "tutorial.md"
        found = re.search(
            r"<!-- file: lock\.py -->\n```python\n(.*?)```", tutorial.read_text(encoding="utf-8"), re.DOTALL
        )
        if found is None:
            raise UsageError(f"{tutorial} has no file lock.py for the playground to begin with.")
        return found[1]

    def exercises(self) -> str:
        """The exercises, as the playground's page reads them. Raises UsageError if they are not there."""
        from quorate.explorer.exercises import exercises

        folder = self.root / "docs" / "exercises"
        try:
            return json.dumps([asdict(exercise) for exercise in exercises(folder)])
        except OSError as error:
            raise UsageError(f"{folder} has not all of the playground's exercises: {error}.") from None

    def link(self, source: Path, reference: str) -> str | None:
        """Where a reference of a document leads: another document's page, or a file, which is copied. None for a folder."""
        parts = urlsplit(reference)
        if parts.scheme or not parts.path:
            return reference
        target = (source.parent / unquote(parts.path)).resolve()
        if not target.is_file() or not target.is_relative_to(self.root):
            return None
        if target in self.documents:
            target = self.root / self.page(target)
        else:
            copy = self.out / target.relative_to(self.root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(target, copy)
        way = Path(os.path.relpath(target, source.parent)).as_posix()
        return f"{way}#{parts.fragment}" if parts.fragment else way

    def run(self, source: Path, reference: str) -> str | None:
        """The page to step through the run that a picture shows; None if it shows none."""
        picture = source.parent / unquote(reference)
        if picture.name != PICTURE or not picture.with_name(TRACE).is_file():
            return None
        return Path(os.path.relpath(picture.with_name(RUN), source.parent)).as_posix()


def write_packages(archive: Path) -> None:
    """Quorate, its protocols and networkx, which liveness needs, as a file that Pyodide unpacks; the same contents give the same file."""
    import networkx
    import quorate_specs

    import quorate

    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for package in (quorate, quorate_specs, networkx):
            folder = Path(str(package.__file__)).parent
            for file in sorted(folder.rglob("*")):
                if file.is_file() and not {"__pycache__", "tests"} & set(file.relative_to(folder).parts):
                    name = Path(folder.name, file.relative_to(folder)).as_posix()
                    packed.writestr(ZipInfo(name), file.read_bytes(), ZIP_DEFLATED)


def write_run(files: tuple[Path, Path]) -> None:
    """Write the page of a stored trace."""
    from quorate.report.run_page import run_page
    from quorate.trace import Trace

    source, target = files
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(run_page(Trace.load(source)), encoding="utf-8")
