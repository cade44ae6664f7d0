"""Values that differ in the record differ in the judgement, and what cannot be judged is refused with its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from quorate.cli import cli
from quorate.consistency import MODELS, HistoryError, Satisfied, Violated, find_model, judge
from quorate.consistency.formats import edn, read_lines
from quorate.consistency.history import History, Operation
from quorate.consistency.values import Word
from quorate.errors import QuorateError, UsageError

ONE_BY_ONE = '{{"process":0,"type":"invoke","f":"write","value":{w}}}\n{{"process":0,"type":"ok","f":"write"}}\n'
ONE_BY_ONE += '{{"process":1,"type":"invoke","f":"read"}}\n{{"process":1,"type":"ok","f":"read","value":{r}}}\n'
IN_EDN = "{{:process 0 :type :invoke :f :write :value {w}}}{{:process 0 :type :ok :f :write :value {w}}}"
IN_EDN += "{{:process 1 :type :invoke :f :read}}{{:process 1 :type :ok :f :read :value {r}}}"


def read(text: str) -> History:
    return read_lines(text.splitlines(keepends=True), "file")


DIFFERENT_JSON = [
    ("1", "true"),
    ("0", "false"),
    ("[1]", "[true]"),
    ('{"a": 1}', '[["a", 1]]'),
    ('{"a": 1}', '{"a": true}'),
    ('"1"', "1"),
    ("[]", "null"),
    ('""', "null"),
    ("9007199254740993", "9007199254740992.0"),
    ("9007199254740993.0", "9007199254740992.0"),
    ("9007199254740993e0", "9007199254740992"),
    ("0.1", "0.1000000000000000000001"),
    ("1e-400", "0"),
]


@pytest.mark.parametrize(("wrote", "got"), DIFFERENT_JSON)
def test_values_of_json_that_differ_are_not_equal(wrote: str, got: str) -> None:
    for one, other in ((wrote, got), (got, wrote)):
        assert isinstance(judge(read(ONE_BY_ONE.format(w=one, r=other)), "linearizable"), Violated)
        assert isinstance(judge(read(ONE_BY_ONE.format(w=one, r=one)), "linearizable"), Satisfied)


DIFFERENT_EDN = [
    ('"a"', ":a"),
    ("a", ":a"),
    ('"a"', "a"),
    ('"a"', "\\a"),
    ("1", "true"),
    ("9007199254740993.0", "9007199254740992.0"),
    ("{:a 1}", "[[:a 1]]"),
]
DIFFERENT_EDN += [("#{1}", "[1]"), ('#inst "2026"', '"2026"'), ("nil", '"nil"'), ("1/2", '"1/2"'), ("[:a]", '["a"]')]


@pytest.mark.parametrize(("wrote", "got"), DIFFERENT_EDN)
def test_values_of_edn_that_differ_are_not_equal(wrote: str, got: str) -> None:
    for one, other in ((wrote, got), (got, wrote)):
        assert isinstance(judge(read(IN_EDN.format(w=one, r=other)), "linearizable"), Violated)
        assert isinstance(judge(read(IN_EDN.format(w=one, r=one)), "linearizable"), Satisfied)


@pytest.mark.parametrize(
    "pair",
    [("1", "1.0"), ("1e2", "100"), ("1e23", f"1{'0' * 23}"), ("0.25", "25e-2"), ("[1, 2]", "[1.0, 2]"), ("0", "-0.0")],
)
def test_numbers_are_compared_as_numbers(pair: tuple[str, str]) -> None:
    assert isinstance(judge(read(ONE_BY_ONE.format(w=pair[0], r=pair[1])), "linearizable"), Satisfied)


def test_a_character_of_edn_is_one_value_however_it_is_named() -> None:
    names = ("a", "newline", "formfeed", "backspace", "u0041", "o101", "(", '"', ";", "#")
    assert [value.text for value in edn.values("".join(f"\\{name} " for name in names))] == list(names)
    assert edn.values("[\\a\\(\\b]") == [(Word("\\", "a"), Word("\\", "("), Word("\\", "b"))]


def test_vectors_and_lists_of_edn_are_equal_and_so_are_maps_in_any_order() -> None:
    for one, other in (("[1 2]", "(1 2)"), ("{:a 1 :b 2}", "{:b 2 :a 1}"), ("#{1 2}", "#{2 1}")):
        assert isinstance(judge(read(IN_EDN.format(w=one, r=other)), "linearizable"), Satisfied)


@pytest.mark.parametrize("level", ["causal", "regular", "sequential", "serializable"])
def test_no_level_takes_true_for_1(level: str) -> None:
    assert isinstance(judge(read(ONE_BY_ONE.format(w="1", r="true")), level), Violated)


def test_histories_made_in_python_keep_true_and_1_apart_as_well() -> None:
    def history(got: object) -> History:
        return History.of([Operation(0, 0, "write", 1, None, 0, 1), Operation(0, 1, "read", None, got, 2, 3)])

    assert isinstance(judge(history(True), "linearizable"), Violated)
    assert isinstance(judge(history(1), "linearizable"), Satisfied)
    with pytest.raises(HistoryError, match="nan"):
        judge(history(float("nan")), "linearizable")


UNREADABLE = {
    "NaN": "NaN is no JSON",
    "Infinity": "Infinity is no JSON",
    "1e999": "too large",
    "9" * 5_000: "digits",
    "[" * 100_000 + "]" * 100_000: "nested",
    "[" * 400 + "]" * 400: "nested",
    '"\\ud800"': "surrogate",
    '{"a": 1, "a": 2}': "there twice",
}


@pytest.mark.parametrize("value", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_value_that_cannot_be_compared_is_refused_with_its_line(value: str) -> None:
    with pytest.raises(HistoryError, match=f"file:1: .*{UNREADABLE[value]}"):
        read(ONE_BY_ONE.format(w=value, r="1"))
    array = "[\n" + ",\n".join(ONE_BY_ONE.format(w="1", r=value).splitlines()) + "]"
    with pytest.raises(HistoryError, match=f"file:5: .*{UNREADABLE[value]}"):
        read(array)


@pytest.mark.parametrize(
    "value", ["9" * 5_000, '"\\ud800"', "1e999", "{:a 1 :a 2}", "#{1 1}", "[" * 3_000 + "]" * 3_000]
)
def test_a_value_of_edn_that_cannot_be_compared_is_refused(value: str) -> None:
    with pytest.raises(HistoryError, match="file:"):
        read(IN_EDN.format(w=value, r="1"))


def lines(*events: tuple[int, str, str, object], **more: object) -> str:
    return "".join(json.dumps({"process": p, "type": t, "f": f, "value": v} | more) + "\n" for p, t, f, v in events)


STEPS = [["r", "x", None], ["w", "y", 1]]
MISFITS = [
    (lines((0, "invoke", "txn", STEPS), (0, "ok", "txn", STEPS[:1])), "serializable", "file:2: .*2 steps .* with 1"),
    (lines((0, "invoke", "txn", STEPS), (0, "ok", "txn", STEPS[::-1])), "serializable", "file:2: .*another step"),
    (lines((0, "invoke", "txn", STEPS), (0, "ok", "txn", None)), "serializable", "file:2: .*lists of steps"),
    (
        lines((0, "invoke", "txn", STEPS), (0, "ok", "txn", [["r", "x", None], ["w", "y", 2]])),
        "serializable",
        "file:2: .*another value",
    ),
    (lines((0, "invoke", "txn", [["w", "x"]]), (0, "ok", "txn", [["w", "x"]])), "serializable", "line 1: .*has a step"),
    (
        lines((0, "invoke", "txn", STEPS), (1, "invoke", "read", None), (1, "ok", "read", 1)),
        "serializable",
        "line 2: .*among transactions",
    ),
    (lines((0, "invoke", "txn", STEPS)), "linearizable", "line 1: .*level for single operations"),
]


@pytest.mark.parametrize("number", range(len(MISFITS)))
def test_an_answer_that_is_not_one_to_the_invocation_is_refused_with_its_line(number: int) -> None:
    text, level, message = MISFITS[number]
    with pytest.raises(HistoryError, match=message):
        judge(read(text), level)


def test_an_answer_for_another_key_is_refused() -> None:
    event = '{"process": 0, "type": "%s", "f": "write", "value": 1%s}\n'
    with pytest.raises(HistoryError, match=r"file:2: .*key y but had invoked it on key x"):
        read(event % ("invoke", ', "key": "x"') + event % ("ok", ', "key": "y"'))
    with pytest.raises(HistoryError, match="on no key"):
        read(event % ("invoke", "") + event % ("ok", ', "key": "y"'))
    assert len(read(event % ("invoke", ', "key": "x"') + event % ("ok", ""))) == 1


REFUSED_BY_MODELS = [
    ("cas-register", "cas", [1], None),
    ("cas-register", "cas", [1, 2], 3),
    ("register", "write", 1, 2),
    ("register", "read", ["x", None], ["x", 1]),
    ("append-string", "append", 1, None),
    ("set", "read", None, 1),
    ("set", "read", None, [1, 1]),
    ("counter", "add", "1", None),
    ("counter", "add", True, None),
    ("counter", "increment", 2, None),
    ("counter", "add", 1, 7),
    ("lock", "acquire", None, False),
    ("mutex", "acquire", None, False),
    ("map", "snapshot", None, 1),
    ("map", "snapshot", None, [["x", 1], ["x", 2]]),
    ("map", "delete", "x", None),
    ("map", "append", 1, None),
    ("multi-register", "write", 1, None),
    ("multi-register", "read", None, [1]),
    ("multi-register", "txn", [["append", "x", 1]], [["append", "x", 1]]),
    ("queue", "enqueue", 1, False),
]


@pytest.mark.parametrize("number", range(len(REFUSED_BY_MODELS)))
def test_an_argument_or_answer_that_a_model_knows_nothing_of_is_refused_with_its_line(number: int) -> None:
    model, function, argument, result = REFUSED_BY_MODELS[number]
    text = "\n" + lines((0, "invoke", function, argument), (0, "ok", function, result))
    with pytest.raises(HistoryError, match="line 2: "):
        judge(read(text), "linearizable", find_model(model))


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["history", *map(str, arguments)], input=stdin)


def test_an_array_a_compressed_file_and_standard_input_are_histories(tmp_path: Path) -> None:
    text = ONE_BY_ONE.format(w=1, r=1)
    array = "[" + ",".join(text.splitlines()) + "]"
    for content in (text.encode(), array.encode(), gzip.compress(array.encode()), b"\xef\xbb\xbf" + text.encode()):
        (tmp_path / "h").write_bytes(content)
        assert run(tmp_path / "h").exit_code == 0
        assert run("-", stdin=content).exit_code == 0
    (tmp_path / "h").write_bytes(gzip.compress(array.encode() * 100)[:50])
    assert isinstance(run(tmp_path / "h").exception, HistoryError)


def test_the_file_and_the_line_are_named_when_an_operation_does_not_fit_the_model(tmp_path: Path) -> None:
    (tmp_path / "h").write_text(lines((0, "invoke", "cas", [1]), (0, "ok", "cas", [1])))
    assert f"{tmp_path / 'h'}:1: A cas takes [old new]" in str(run(tmp_path / "h", "--model", "cas-register").exception)


def test_an_initial_value_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "h").write_text(lines((0, "invoke", "read", None), (0, "ok", "read", 0)))
    assert [run(tmp_path / "h", "--initial", v).exit_code for v in ("0", "null", "false", "1")] == [0, 1, 1, 1]
    assert isinstance(run(tmp_path / "h", "--initial", "zero").exception, UsageError)
    assert isinstance(run(tmp_path / "h", "--initial", "0", "--model", "lock").exception, QuorateError)
    for level in ("causal", "regular", "sequential", "serializable"):
        assert [run(tmp_path / "h", "--initial", v, "--level", level).exit_code for v in ("0", "1")] == [0, 1]


def linearizable(model: str, *calls: tuple[int, str, object, object], initial: object = None) -> bool:
    events = [e for p, f, argument, got in calls for e in ((p, "invoke", f, argument), (p, "ok", f, got))]
    chosen = find_model(model) if initial is None else find_model(model).starting(initial)
    return isinstance(judge(read(lines(*events)), "linearizable", chosen), Satisfied)


def test_a_mutex_may_be_released_by_another_process_and_a_lock_may_not() -> None:
    calls = [(0, "acquire", None, None), (1, "release", None, None)]
    assert linearizable("mutex", *calls) and not linearizable("lock", *calls)
    assert not linearizable("mutex", *calls, (1, "release", None, None))
    assert not linearizable("mutex", calls[0], (1, "acquire", None, None))


def test_a_map_has_get_put_and_append() -> None:
    put, append = (0, "put", "a", None), (1, "append", "b", None)
    assert linearizable("map", put, append, (0, "get", None, "ab"))
    assert not linearizable("map", put, append, (0, "get", None, "b"))
    assert linearizable("map", append, (0, "get", None, "b"), (0, "delete", None, None), (0, "get", None, None))
    assert linearizable("map", (0, "get", None, ""), append, (0, "get", None, "b"), initial="")
    assert not linearizable("map", (0, "get", None, None), initial="")


def test_several_registers_are_written_and_read_at_once() -> None:
    write = (0, "write", {"x": 1, "y": 2}, None)
    assert linearizable("multi-register", write, (1, "read", None, {"x": 1, "y": 2, "z": None}))
    assert not linearizable("multi-register", write, (1, "read", None, {"x": 1, "y": None}))
    assert linearizable("multi-register", (1, "read", None, {"x": 0}), initial=0)
    step = [["r", "x", 1], ["w", "x", 3], ["r", "x", 3]]
    assert linearizable("multi-register", write, (1, "txn", step, step), (2, "read", None, {"x": 3}))
    assert not linearizable("multi-register", (1, "txn", step, step))


def test_every_model_takes_an_initial_value_or_says_that_it_cannot_hold_it() -> None:
    for name in MODELS:
        answers = []
        for value in (1, "a", [1], True):
            try:
                answers.append(find_model(name).starting(value).name)
            except UsageError as refusal:
                answers.append(str(refusal))
        assert all(answer == name or "hold" in answer or "given" in answer for answer in answers), answers
