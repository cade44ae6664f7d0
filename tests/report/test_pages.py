"""The gallery leads from protocol to picture to command; a trace's page needs nothing but itself."""

import json
import re
from html.parser import HTMLParser

import pytest
import report_traces as traces
from quorate.report.page import Entry, gallery, trace_page
from quorate.trace import Trace

ENTRIES = [
    Entry(
        "raft",
        "VoteNotPersisted",
        "one_leader_per_term",
        "A server forgets its vote in a crash.\n It votes twice.",
        "quorate check raft --variant VoteNotPersisted",
        "raft/VoteNotPersisted/diagram.svg",
        12,
    ),
    Entry(
        "quorum_register",
        "As_Published",
        "reads_see_writes",
        "R+W=N. A read misses the write.",
        "quorate check quorum_register --variant As_Published",
        "quorum_register/As_Published/diagram.svg",
        0,
    ),
    Entry("raft", "NoUpToDateCheck", "leader_completeness", "Why.", "quorate check raft", "raft/b/diagram.svg", 1),
]


def test_the_gallery_groups_by_protocol_and_links_to_every_picture() -> None:
    text = gallery(ENTRIES)
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## raft", "## quorum\\_register"]
    assert re.findall(r"!\[.*\]\(<(.*)>\)", text) == [ENTRIES[0].picture, ENTRIES[2].picture, ENTRIES[1].picture]
    assert set(re.findall(r"\]\(#(.*?)\)", text)) == set(re.findall(r'<a id="(.*)"></a>', text))
    assert (
        "**Breaks `one_leader_per_term` after 12 steps.** A server forgets its vote in a crash. It votes twice." in text
    )
    assert "in the initial state" in text and "after 1 step." in text
    for entry in ENTRIES:
        assert f"```sh\n{entry.command}\n```" in text


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.data = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data += data


@pytest.mark.parametrize("name", ["target_spacetime", "huge_values"])
def test_a_page_holds_picture_text_and_trace_and_refers_to_nothing(name: str) -> None:
    trace = traces.ALL[name]()
    page = trace_page(trace)
    reader = Reader()
    reader.feed(page)
    assert reader.links == [] and "<?xml" not in page and page.count("<svg") == 1
    assert Trace.from_json(json.loads(reader.data.strip())) == trace
