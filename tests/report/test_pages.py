"""The gallery leads from protocol to picture to command; the page of a run needs nothing but itself."""

import json
import re
from html.parser import HTMLParser

import pytest
import report_traces as traces
from quorate.report.page import Chapter, Count, Entry, Place, Section, Variant, gallery, library
from quorate.report.run_page import run_page
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


CHAPTERS = [
    Chapter(
        "consensus",
        "Agreement.",
        "Quorums meet.",
        [Section("raft", "../specs/raft.py", "Raft.", "To clients: one log.", [ENTRIES[0], ENTRIES[2]])],
    ),
    Chapter(
        "replication",
        "Copies.",
        "Who writes?",
        [Section("quorum_register", "../specs/quorum_register.py", "A register.", "", [ENTRIES[1]])],
    ),
]


def test_the_gallery_goes_by_family_and_protocol_and_links_to_every_picture() -> None:
    text = gallery(CHAPTERS)
    headings = [line for line in text.splitlines() if line.startswith(("## ", "### "))]
    assert headings == [
        "## 1. Consensus",
        "### [raft](<../specs/raft.py>)",
        "## 2. Replication",
        "### [quorum\\_register](<../specs/quorum_register.py>)",
    ]
    assert "*Agreement.* Quorums meet." in text and "Raft. **Promise.** To clients: one log." in text
    assert "\nA register.\n" in text and text.startswith("# What breaks, and how\n\n3 broken variants ")
    assert re.findall(r"!\[.*\]\(<(.*)>\)", text) == [ENTRIES[0].picture, ENTRIES[2].picture, ENTRIES[1].picture]
    assert set(re.findall(r"\]\(#(.*?)\)", text)) == set(re.findall(r'<a id="(.*)"></a>', text))
    assert (
        "**Breaks `one_leader_per_term` after 12 steps.** A server forgets its vote in a crash. It votes twice." in text
    )
    assert "in the initial state" in text and "after 1 step." in text
    for entry in ENTRIES:
        assert f"```sh\n{entry.command}\n```" in text


def test_the_map_says_what_is_known_of_a_protocol_and_what_its_variants_break() -> None:
    count = Count("holds-within-bounds", 12_345, {"Server": 3, "Max_Term": 2}, "2026-11-29")
    broken = Variant("Forgets", "violates safety, liveness", "../counterexamples/README.md#raft-forgets")
    raft = Place("raft", "raft.py", "One log | one leader.", count, "logs match", "../impl/raft.py", [broken])
    new = Place("new_one", "new_one.py", "", None, "", None, [Variant("Other", "holds", None)])
    text = library([Chapter("consensus", "Agreement.", "Quorums meet.", [raft, new])])
    assert "2 protocols in 1 family, with 2 variants." in text and "they were counted on 2026-11-29." in text
    assert (
        "| [raft](<raft.py>) | One log &#124; one leader. | 12,345<br>holds within bounds | logs match "
        "| [impl/raft.py](<../impl/raft.py>) |"
    ) in text
    assert "| [new\\_one](<new_one.py>) |  | not counted |  | none yet |" in text
    assert (
        "- **raft** (Server 3, Max\\_Term 2): [Forgets](../counterexamples/README.md#raft-forgets) "
        "violates `safety`, `liveness`."
    ) in text
    assert "- **new\\_one**: Other holds." in text


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.data = ""
        self.script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.script = dict(attrs).get("id") or "" if tag == "script" else ""
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.script == "trace":
            self.data += data


@pytest.mark.parametrize("name", ["target_spacetime", "huge_values"])
def test_a_page_holds_picture_text_and_trace_and_refers_to_nothing(name: str) -> None:
    trace = traces.ALL[name]()
    page = run_page(trace)
    reader = Reader()
    reader.feed(page)
    assert reader.links == [] and "<?xml" not in page and page.count("<svg") == 1
    assert Trace.from_json(json.loads(reader.data.strip())) == trace
