"""`render` writes whole pictures, in the format the suffix names, and says clearly why it cannot."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from quorate.errors import QuorateError, UsageError
from quorate.report.render import render, svg

SOURCE = 'digraph "a <run>" { ".corner" [label=""]; one [label="∅ → {s1}"]; one -> two; one -> ".corner" }'


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")]
)
def test_the_suffix_chooses_the_format(tmp_path: Path, suffix: str, magic: bytes) -> None:
    render(SOURCE, tmp_path / f"picture{suffix}")
    assert (tmp_path / f"picture{suffix}").read_bytes().startswith(magic)
    assert [file.name for file in tmp_path.iterdir()] == [f"picture{suffix}"]


def test_svg_is_well_formed_titled_deterministic_and_names_no_version() -> None:
    picture = svg(SOURCE)
    titles = [element.text for element in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["a <run>", "one", "two", "one->two"]
    assert "graphviz version" not in picture
    assert picture == svg(SOURCE)


def test_the_layout_in_the_source_wins_over_the_argument() -> None:
    pinned = 'digraph { layout=nop2; a [pos="0,0"]; b [pos="500,0"]; a -> b [pos="0,0 100,0 400,0 500,0"] }'
    assert svg(pinned, layout="dot") == svg(pinned, layout="circo")
    assert svg(SOURCE, layout="dot") != svg(SOURCE, layout="circo")


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "picture.svg.gz"])
def test_an_unknown_suffix_is_an_error_that_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.svg, \.png, \.pdf, \.dot"):
        render(SOURCE, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_layout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no layout 'grid'"):
        render(SOURCE, tmp_path / "picture.svg", layout="grid")


def test_a_directory_that_does_not_exist_or_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for place in (tmp_path / "nowhere" / "picture.svg", tmp_path / "file" / "picture.svg"):
        with pytest.raises(UsageError, match="Cannot write"):
            render(SOURCE, place)
    (tmp_path / "taken.svg").mkdir()
    with pytest.raises(UsageError, match="Cannot write"):
        render(SOURCE, tmp_path / "taken.svg")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "taken.svg"]


def test_without_the_libraries_the_source_can_still_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    render(SOURCE, tmp_path / "picture.dot")
    with pytest.raises(QuorateError, match="pip install pygraphviz"):
        render(SOURCE, tmp_path / "picture.png")


def test_the_error_stream_stays_clean_and_is_given_back() -> None:
    program = (
        f"from quorate.report.render import svg; import os; svg({SOURCE!r}); "
        "svg('digraph { layout=nop2; ' + ' '.join(f'n{i} [pos=\"{i},0\"]' for i in range(1100)) + '}'); "
        "os.write(2, b'mine')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=os.environ)
    assert done.stderr == b"mine"
