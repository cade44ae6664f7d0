"""The levels for transactions, each as a rule: what a transaction sees, and which orders are kept.

All but the snapshot levels say that there is a *commit order* of the transactions that keeps wr (a reader comes after those
it reads from), and in which what a transaction *sees* of each key is no newer than the version it reads: with t1 the writer
that t3 reads a key from, every other writer of the key among those that t3 sees comes before t1 (Biswas & Enea 2019). The
levels differ in whom a transaction sees.

- **read uncommitted** (Adya's PL-1): the writes have an order without a cycle. Reads show anything that was written, by
  whatever came of it.
- **read committed** (PL-2): it sees nobody. No cycle of ww and wr.
- **cursor stability** (PL-CS): of a key that it writes, the earlier writers. A read that a write of the same key follows is
  through a cursor: no cycle of one rw and ww of one key.
- **read atomic** (Bailis et al. 2014): those it reads from. No fractured reads.
- **update atomic** (Cerone, Bernardi & Gotsman 2015): those, and those that wrote earlier a key that it writes, too. No lost
  updates.
- **consistent view** (PL-2+): all that lead to it by wr and ww. No cycle with just one rw.
- **causal** (Biswas & Enea 2019, definition 2.4): all that lead to it by wr and session order.
- **prefix** (Cerone, Bernardi & Gotsman 2015): each transaction reads a snapshot, which is a prefix of the commit order.
- **snapshot isolation** (Adya's PL-SI, in the form of Cerone & Gotsman 2016): prefix, and of two writers of one key the
  later starts after the earlier commits.
- **repeatable read** (PL-2.99): no cycle of ww, wr and the rw of single keys.
- **serializable** (PL-3): no cycle of ww, wr and rw, of reads by predicate, too.
- The **strong session** forms also keep each session's order, and the **strong** ones and **strict serializable** keep real
  time (and with it sessions).

So causal is not weaker than prefix, snapshot isolation or serializable, which know no sessions; it is weaker than their
strong session forms. The table of implications in `docs/consistency.md` is established by enumeration.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Sees(Enum):
    """Of which other transactions a transaction has to see all that they wrote."""

    NOBODY = "nobody"
    OF_ITS_CURSORS = "the earlier writers of a key that it reads and writes, as far as that key goes"
    ITS_SOURCES = "those that it reads from"
    ITS_CONFLICTS = "those that it reads from, or that wrote earlier a key that it writes"
    ITS_DEPENDENCIES = "all that lead to it by wr and ww"
    ITS_CAUSES = "all that lead to it by wr and session order"
    AT_A_POINT = "all that committed before one point in time"


@dataclass(frozen=True)
class Rule:
    """A level. `snapshot`: a transaction starts and commits at two points; `exclusive`: writers of a key do not overlap.
    `dirty`: reads may show what did not commit. `phantoms`: a key that a read by predicate did not find may appear at any
    time."""

    definition: str
    source: str
    sees: Sees = Sees.NOBODY
    snapshot: bool = False
    exclusive: bool = False
    session: bool = False
    real_time: bool = False
    dirty: bool = False
    phantoms: bool = False


RULES: dict[str, Rule] = {
    "read-uncommitted": Rule(
        "No cycle of ww. Reads show anything that was written, committed or not.", "Adya 1999, PL-1", dirty=True
    ),
    "read-committed": Rule("No cycle of ww and wr; no aborted or intermediate reads.", "Adya 1999, PL-2"),
    "cursor-stability": Rule(
        "Read committed, and nobody writes a key between a transaction's read and its write of it.",
        "Adya 1999, PL-CS (G-cursor)",
        Sees.OF_ITS_CURSORS,
    ),
    "read-atomic": Rule(
        "Read committed, without fractured reads.", "Bailis et al. 2014; Biswas & Enea 2019", Sees.ITS_SOURCES
    ),
    "update-atomic": Rule(
        "Read atomic, and of two writers of a key the later sees the earlier: no lost updates.",
        "Cerone, Bernardi & Gotsman 2015",
        Sees.ITS_CONFLICTS,
    ),
    "consistent-view": Rule(
        "No cycle of ww, wr and one rw (G-single).", "Adya 1999, section 4.1, PL-2+", Sees.ITS_DEPENDENCIES
    ),
    "transactional-causal": Rule(
        "Read atomic for the whole causal past (sessions and wr).",
        "Biswas & Enea 2019, definition 2.4",
        Sees.ITS_CAUSES,
        session=True,
    ),
    "prefix": Rule(
        "Each transaction reads a prefix of the commit order.",
        "Cerone, Bernardi & Gotsman 2015",
        Sees.AT_A_POINT,
        snapshot=True,
    ),
    "snapshot-isolation": Rule(
        "Prefix, and writers of a key do not overlap.",
        "Adya 1999, PL-SI; Cerone & Gotsman 2016",
        Sees.AT_A_POINT,
        True,
        True,
    ),
    "strong-session-snapshot-isolation": Rule(
        "Snapshot isolation that keeps each session's order.",
        "Daudjee & Salem 2006",
        Sees.AT_A_POINT,
        True,
        True,
        session=True,
    ),
    "strong-snapshot-isolation": Rule(
        "Snapshot isolation that keeps real time: a snapshot has all that had returned.",
        "Daudjee & Salem 2006",
        Sees.AT_A_POINT,
        True,
        True,
        real_time=True,
    ),
    "repeatable-read": Rule(
        "No cycle of ww, wr and rw of single keys; phantoms may be. Without reads by predicate, this is serializable.",
        "Adya 1999, PL-2.99",
        Sees.AT_A_POINT,
        phantoms=True,
    ),
    "serializable": Rule("No cycle of ww, wr and rw.", "Adya 1999, PL-3", Sees.AT_A_POINT),
    "strong-session-serializable": Rule(
        "Serializable in an order that keeps each session's order.",
        "Daudjee & Salem 2004",
        Sees.AT_A_POINT,
        session=True,
    ),
    "strict-serializable": Rule(
        "Serializable in an order that keeps real time.",
        "Papadimitriou 1979; Herlihy & Wing 1990",
        Sees.AT_A_POINT,
        real_time=True,
    ),
}
