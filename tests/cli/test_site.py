"""`quorate site`: every reference of every page leads to something on the site, and nothing is loaded from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner
from quorate.commands.site import Site, command, write_run
from quorate.errors import UsageError

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """What a page refers to, and the names of its places."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.references: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.references.append(given["href"])
        self.loads += [given[name] for name in ("src", "href") if name in given and tag in ("img", "script", "link")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(ROOT, tmp_path_factory.mktemp("site"))
    site.write_documents()
    return site


@pytest.mark.slow
def test_every_reference_leads_to_something_on_the_site(built: Site) -> None:
    files = {built.out / built.page(document) for document in built.documents}
    pages = {file: Page(file) for file in files}
    runs = {target for _, target in built.runs()}
    assert len(pages) > 20 and len(runs) > 200
    for file, page in pages.items():
        for reference in page.references:
            parts = urlsplit(reference)
            if parts.scheme:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert target.is_file() or target in runs, f"{file.name}: {reference}"
            if parts.fragment and target in pages:
                assert parts.fragment in pages[target].names, f"{file.name}: {reference}"
        for load in page.loads:
            assert not urlsplit(load).scheme and (file.parent / unquote(load)).is_file(), f"{file.name} loads {load}"


@pytest.mark.slow
def test_a_picture_of_the_gallery_leads_to_its_run(built: Site) -> None:
    gallery = Page(built.out / "counterexamples" / "index.html")
    assert "raft/commits_old_terms/run.html" in gallery.references
    source, target = next(files for files in built.runs() if files[1].parts[-3:-1] == ("raft", "commits_old_terms"))
    write_run((source, target))
    assert "leader_completeness" in target.read_text(encoding="utf-8")


def test_a_site_of_a_small_checkout(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    (root / "docs").mkdir(parents=True)
    (root / "README.md").write_text(
        "# *Small* `site`\n\n[there](docs/one.md#two-parts), [a folder](docs), [far](https://example.org)\n"
    )
    (root / "docs" / "one.md").write_text(
        "# One\n\n## Two parts\n\n| a | b |\n|---|---|\n| <b>1</b> | 2 |\n\n[back](../README.md)\n"
    )
    done = CliRunner().invoke(command, ["--out", str(tmp_path / "out"), "--from", str(root), "--workers", "1"])
    assert done.exit_code == 0 and "wrote 2 documents and 0 runs" in done.output
    index = (tmp_path / "out" / "index.html").read_text()
    assert "<title>Small site</title>" in index and '<a href="docs/one.html#two-parts">there</a>' in index
    assert "<span>a folder</span>" in index and 'href="https://example.org"' in index
    assert '<h2 id="two-parts">' in (tmp_path / "out" / "docs" / "one.html").read_text()


def test_a_site_is_not_written_over_the_checkout_or_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Here\n")
    (tmp_path / "empty").mkdir()
    for arguments in (
        ["--out", str(tmp_path), "--from", str(tmp_path)],
        ["--out", "x", "--from", str(tmp_path / "empty")],
    ):
        done = CliRunner().invoke(command, arguments)
        assert isinstance(done.exception, UsageError)
