"""File formats: what is read, and what is said about what cannot be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate.consistency.formats import jsonl, read_history, read_lines
from quorate.consistency.history import History, HistoryError
from quorate.errors import UsageError

JSONL = """
{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": [1, {"a": 2}]}
{"process": "b", "type": "invoke", "f": "read", "key": "x"}
{"process": 0, "type": "ok", "f": "write"}
{"process": "nemesis", "type": "info", "f": "kill"}
{"process": "b", "type": "info", "f": "read"}
{"process": 1, "type": "invoke", "f": "write", "value": 2}
{"process": 1, "type": "fail", "f": "write"}
"""
EDN = """; a comment
({:process 0, :type :invoke, :f :write, :value 3, :time 12.5e3, :index 0}
 #jepsen.history.Op{:process :nemesis, :type :info, :f :start, :value nil}
 {:type :ok :f :write :process 0 :value 3 :error "two
lines \\"quoted\\""} #_{:ignored true}
 {:process 1 :type :invoke :f :cas :value [3 4]} {:process 1 :type :ok :f :cas :value [3 4]}
 {:process 2 :type :invoke :f :read :value nil}
 {:process 2 :type :ok :f :read :value #{1 -2 3N}})
"""
LOG = """INFO  jepsen.core - starting
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
2026-01-01 10:00:00 INFO [worker 1] jepsen.util: 1 :invoke :cas [0 3]
INFO  jepsen.util - 1\t:info\t:cas\t:timed-out
INFO  jepsen.util - 0\t:ok\t:read\t7
"""


def read(text: str, **options: object) -> History:
    return read_lines(text.splitlines(keepends=True), "file", **options)  # type: ignore[arg-type]


def shown(history: History) -> list[str]:
    return [f"{o.process}: {o}" for o in history]


def test_json_lines() -> None:
    history = read(JSONL)
    assert shown(history) == ["0: x.write([1 {a 2}])", "b: x.read() (no answer)"]
    assert [o.argument for o in history.failed] == [2]


def test_edn_with_comments_tags_discards_sets_and_strings_over_lines() -> None:
    assert shown(read(EDN)) == ["0: write(3)", "1: cas([3 4])", "2: read() = {-2 1 3}"]


def test_edn_maps_one_after_another_and_in_a_vector_are_the_same() -> None:
    events = "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read :value 1}\n"
    assert shown(read(events)) == shown(read(f"[{events}]")) == ["0: read() = 1"]


def test_jepsens_log() -> None:
    assert shown(read(LOG)) == ["0: read() = 7", "1: cas([0 3]) (no answer)"]


def test_keyed_values_are_taken_apart_when_asked_for() -> None:
    events = "{:process 0 :type :invoke :f :read :value [x nil]}{:process 0 :type :ok :f :read :value [x 1]}"
    assert shown(read(events, keyed=True)) == ["0: x.read() = 1"]
    assert shown(read(events)) == ["0: read([x nil]) = [x 1]"]
    with pytest.raises(UsageError, match="field `key`"):
        read(JSONL, keyed=True)


EVENT = '{"process": 0, "type": "invoke", "f": "read"}\n'
MALFORMED = {
    '{"process": 0,\n': "file:1: This is not JSON",
    EVENT + '{"process": 0, "type": "done", "f": "read"}\n': "file:2: The type 'done' is not one of invoke, ok",
    EVENT + '{"type": "ok", "f": "read"}\n': "file:2: The event has no process",
    EVENT + EVENT: r"file:2: Process 0 invokes 'read' while its 'read' \(line 1\)",
    EVENT + '{"process": 1, "type": "ok", "f": "read"}\n': "file:2: Process 1 has ok of 'read' but had invoked nothing",
    EVENT + '{"process": 0, "type": "ok", "f": "write"}\n': "file:2: .*had invoked 'read'",
    EVENT + EVENT.replace("invoke", "info") + EVENT: r"file:3: Process 0 goes on after .* \(line 2\)",
    "{:process 0 :type :invoke :f :read\n": "file:1: The '{' here is never closed",
    "[{:process 0 :type :invoke :f :read}\n": "file:1: The file ends before the ']'",
    "{:process 0\n :type}\n": "file:1: A map has a key without a value",
    '\n{:process 0 :type :invoke :f "read}\n': "file:2: A string has no end",
    "{:process 0 :type :invoke :f :read}}\n": "file:1: There is a '}' that closes nothing",
    "[1 2]\n": "file:1: An event is a map .* not 1",
    "INFO jepsen.util - zero :invoke :read nil\n": "file:1: A process is a number or :nemesis, not 'zero'",
    "INFO jepsen.util - 0 invoked read\n": "file:1: This is not `process :type :f value`",
    "INFO jepsen.util - 0 :invoke :cas [1\n": r"file:1: The '\[' here is never closed",
    '{"process": 1.5, "type": "ok", "f": "r"}\n': "file:1: A process is a number or a name, not 1.5",
}


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_line_is_named(text: str) -> None:
    with pytest.raises(HistoryError, match=MALFORMED[text]):
        read(text)


def test_what_is_no_history_at_all_is_said_so(tmp_path) -> None:
    with pytest.raises(UsageError, match="not recognized"):
        read("hello\n")
    with pytest.raises(HistoryError, match="no operations"):
        read("", format="edn")
    with pytest.raises(UsageError, match="no history format 'yaml'"):
        read(EDN, format="yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_history(tmp_path / "absent.edn")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HistoryError, match="not a text file"):
        read_history(tmp_path / "binary")


PLAIN = st.none() | st.integers(-(10**20), 10**20) | st.sampled_from(["a", "a:b", '"', "\u00e9"])
ODD = st.one_of(
    PLAIN,
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just("\ud800"),
    st.lists(st.booleans(), max_size=2),
    st.dictionaries(st.text(max_size=1), PLAIN, max_size=2),
)
STEP = st.tuples(st.sampled_from(["append", "r", "w"]), PLAIN, PLAIN | st.lists(PLAIN, max_size=3))
FIELDS = {
    "process": st.integers(0, 3),
    "type": st.sampled_from(["invoke", "ok", "fail", "info"]),
    "f": st.sampled_from(["txn", "read"]),
    "value": PLAIN | st.lists(STEP, max_size=3),
    "key": PLAIN,
    "time": st.integers(0, 9),
    "index": st.integers(0, 9),
    "error": PLAIN,
}


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of a record, in two of three with something odd: a value, a field that is missing or there twice."""
    odd, names = draw(st.sampled_from(["", "value", "field"])), ["process", "type", "f"]
    names += draw(st.lists(st.sampled_from(["value", "key", "time", "index"]), unique=True))
    if odd == "field":
        names = [*names[draw(st.integers(0, 1)) :], draw(st.sampled_from(list(FIELDS)))]
    pairs = [(name, draw(FIELDS[name])) for name in names]
    if odd == "value":
        at = draw(st.integers(0, len(pairs) - 1))
        pairs[at] = (pairs[at][0], draw(ODD))
    return (
        "{"
        + ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in draw(st.permutations(pairs)))
        + "}"
    )


def test_a_common_line_is_the_event_that_it_is_without_the_short_cut() -> None:
    taken = []

    @settings(max_examples=500)
    @given(lines())
    def agree(line: str) -> None:
        short = jsonl._common(1, line)
        if short is not None:
            taken.append(line)
            assert short == jsonl._event(1, jsonl._decoded(1, line)), line
            assert repr(short) == repr(jsonl._event(1, jsonl._decoded(1, line))), line

    agree()
    assert len(taken) > 50


@pytest.mark.parametrize("digits", [18, 20, 4_100])
def test_a_number_too_long_for_the_short_cut_is_read_or_refused_as_any_other(digits: int) -> None:
    line = '{"process": 0, "type": "invoke", "f": "write", "value": %s}' % ("9" * digits)
    assert (jsonl._common(1, line) is None) == (digits > 18)
