"""Records that nobody should write: each is refused with a clear error, or judged as it must be, and none crashes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from quorate.cli import cli
from quorate.errors import QuorateError

SATISFIED, VIOLATED, REFUSED, OPEN = 0, 1, 2, 3


def event(process: object, kind: object, function: object, value: object = None, **more: object) -> str:
    return json.dumps({"process": process, "type": kind, "f": function, "value": value} | more) + "\n"


def call(process: object, function: str, argument: object = None, result: object = None, **more: object) -> str:
    return event(process, "invoke", function, argument, **more) + event(process, "ok", function, result, **more)


def txn(process: object, *steps: list) -> str:
    asked = [[s[0], s[1], None if s[0] == "r" else s[2]] for s in steps]
    return event(process, "invoke", "txn", asked) + event(process, "ok", "txn", list(steps))


W1, R1 = call(0, "write", 1), call(1, "read", None, 1)
EDN = "{:process 0 :type :invoke :f :write :value 1}{:process 0 :type :ok :f :write :value 1}"
DEEP = [1]
for _ in range(90):
    DEEP = [DEEP]

# Name, record, options, and the exit code that is right.
PAIRING = [
    ("nothing", "", "", REFUSED),
    ("a newline", "\n\n", "", REFUSED),
    ("an empty array", "[]", "", REFUSED),
    ("an empty vector of EDN", "[]", "--input edn", REFUSED),
    ("an empty list of EDN", "()", "", REFUSED),
    ("words", "hello world", "", REFUSED),
    ("only the nemesis", event("nemesis", "info", "kill"), "", REFUSED),
    ("an answer first", event(0, "ok", "read", 1), "", REFUSED),
    ("a failure first", event(0, "fail", "read"), "", REFUSED),
    ("an info first", event(0, "info", "read"), "", REFUSED),
    ("two answers", W1 + event(0, "ok", "write"), "", REFUSED),
    ("two invocations of one process", event(0, "invoke", "read") * 2, "", REFUSED),
    ("a process after its info", event(0, "invoke", "read") + event(0, "info", "read") + R1.replace("1,", "0,"), "", REFUSED),
    ("an answer of another function", event(0, "invoke", "read") + event(0, "ok", "write", 1), "", REFUSED),
    ("an info of another function", event(0, "invoke", "read") + event(0, "info", "write"), "", REFUSED),
    ("a type in capitals", event(0, "INVOKE", "read"), "", REFUSED),
    ("a type that is a number", event(0, 1, "read"), "", REFUSED),
    ("a type that is a list", event(0, ["ok"], "read"), "", REFUSED),
    ("a function that is a list", event(0, "invoke", ["read"]), "", REFUSED),
    ("a function that is a number", event(0, "invoke", 1), "", REFUSED),
    ("an unknown function", call(0, "frobnicate"), "", REFUSED),
    ("a process that is null", event(None, "invoke", "read"), "", REFUSED),
    ("a process that is true", event(True, "invoke", "read"), "", REFUSED),
    ("a process that is a fraction", event(0.5, "invoke", "read"), "", REFUSED),
    ("a process that is a list", event([0], "invoke", "read"), "", REFUSED),
    ("a negative process", call(-1, "write", 1) + R1, "", SATISFIED),
    ("a huge process", call(10**30, "write", 1) + R1, "", SATISFIED),
    ("processes 1 and '1' are two", event(1, "invoke", "write", 1) + event("1", "invoke", "write", 2), "", SATISFIED),
    ("an unsorted time is not looked at", W1.replace("}", ', "time": 9}') + R1.replace("}", ', "time": 1}'), "", SATISFIED),
    ("equal indexes are not looked at", W1.replace("}", ', "index": 0}') + R1.replace("}", ', "index": 0}'), "", SATISFIED),
    ("an invocation without an end", event(0, "invoke", "write", 1) + R1, "", SATISFIED),
    ("an info that took effect", event(0, "invoke", "write", 1) + event(0, "info", "write") + R1, "", SATISFIED),
    ("a read of a failed write", event(0, "invoke", "write", 1) + event(0, "fail", "write") + R1, "", VIOLATED),
    ("a failed read binds nothing", W1 + event(1, "invoke", "read") + event(1, "fail", "read", 7), "", SATISFIED),
    ("an info read binds nothing", W1 + event(1, "invoke", "read") + event(1, "info", "read", 7), "", SATISFIED),
    ("an info write is not twice", event(0, "invoke", "write", 1) + event(0, "info", "write") + R1 + call(2, "write", 2)
     + call(2, "read", None, 2) + call(3, "read", None, 1) + call(4, "read", None, 2), "", VIOLATED),
]  # fmt: skip
FORMS = [
    ("JSON and EDN", W1 + EDN, "", REFUSED),
    ("EDN and JSON", EDN + "\n" + W1, "", REFUSED),
    ("an array and a line", "[" + W1.replace("\n", ",", 1) + "]" + R1, "", REFUSED),
    ("an array without its end", "[" + W1.replace("\n", ",", 1), "", REFUSED),
    ("an array with a comma too many", "[" + W1.replace("\n", ",") + "]", "", REFUSED),
    ("an array of arrays", "[[1, 2]]", "--input jsonl", REFUSED),
    ("an array of numbers", "[1, 2]", "--input jsonl", REFUSED),
    ("a line that is a number", "1\n", "--input jsonl", REFUSED),
    ("a line that is null", "null\n", "--input jsonl", REFUSED),
    ("half a line", W1[:-10], "", REFUSED),
    ("two objects on a line", W1.replace("\n", ""), "", REFUSED),
    ("a field twice", '{"process": 0, "process": 1, "type": "invoke", "f": "read"}\n', "", REFUSED),
    ("no process", '{"type": "invoke", "f": "read"}\n', "", REFUSED),
    ("no f", '{"process": 0, "type": "invoke"}\n', "", REFUSED),
    ("an empty object", "{}\n", "", REFUSED),
    ("an empty map of EDN", "{}\n", "--input edn", REFUSED),
    ("a byte order mark", "\ufeff" + W1 + R1, "", SATISFIED),
    ("Windows lines", (W1 + R1).replace("\n", "\r\n"), "", SATISFIED),
    ("blank lines between", (W1 + R1).replace("\n", "\n\n \t\n"), "", SATISFIED),
    ("a NUL", W1.replace("write", "wri\x00te"), "", REFUSED),
    ("a comment of EDN in JSON", "; hello\n" + W1, "", REFUSED),
    ("a comment of EDN", "; hello\n" + EDN, "", SATISFIED),
    ("EDN that closes too much", EDN + "}", "", REFUSED),
    ("EDN that closes another way", "[{:process 0 :type :invoke :f :read)]", "", REFUSED),
    ("EDN with a key twice", "{:process 0 :process 1 :type :invoke :f :read}", "", REFUSED),
    ("EDN with an odd map", "{:process 0 :type}", "", REFUSED),
    ("EDN with NaN", EDN.replace("1}", "##NaN}"), "", REFUSED),
    ("EDN with string keys", '{"process" 0 "type" "invoke" "f" "read"}', "--input edn", REFUSED),
    ("a log with another word", "INFO jepsen.util - 0 :invoked :read nil\n", "", REFUSED),
    ("a log of nothing", "INFO jepsen.core - hello\n", "--input jepsen-log", REFUSED),
    ("JSON named EDN", W1, "--input edn", REFUSED),
    ("EDN named JSON", EDN, "--input jsonl", REFUSED),
    ("keyed JSON", W1, "--keyed", REFUSED),
    ("keyed EDN without keys", EDN, "--keyed", REFUSED),
    ("an initial value that is no JSON", W1, "--initial x", REFUSED),
    ("an initial NaN", W1, "--initial NaN", REFUSED),
    ("memory that is no number", W1, "--max-memory nan", REFUSED),
    ("memory without end", W1, "--max-memory inf", REFUSED),
    ("an unknown level", W1, "--level strong", REFUSED),
]  # fmt: skip
VALUES = [
    ("true for 1", W1 + call(1, "read", None, True), "", VIOLATED),
    ("false for 0", call(0, "write", 0) + call(1, "read", None, False), "", VIOLATED),
    ("1.0 for 1", W1 + call(1, "read", None, 1.0), "", SATISFIED),
    ("'1' for 1", W1 + call(1, "read", None, "1"), "", VIOLATED),
    ("[1] for 1", W1 + call(1, "read", None, [1]), "", VIOLATED),
    ("[] for null", call(0, "read", None, []), "", VIOLATED),
    ("0 for null", call(0, "read", None, 0), "", VIOLATED),
    ("'' for null", call(0, "read", None, ""), "", VIOLATED),
    ("false for null", call(0, "read", None, False), "", VIOLATED),
    ("null written and read", call(0, "write", None) + call(1, "read"), "", SATISFIED),
    ("null read after null was overwritten", W1 + call(0, "write", None) + call(1, "read"), "", SATISFIED),
    ("a map in another order", call(0, "write", {"a": 1, "b": 2}) + call(1, "read", None, {"b": 2, "a": 1}), "", SATISFIED),
    ("a map as pairs", call(0, "write", {"a": 1}) + call(1, "read", None, [["a", 1]]), "", VIOLATED),
    ("nested truth", call(0, "write", [[1, [0]]]) + call(1, "read", None, [[1, [False]]]), "", VIOLATED),
    ("ninety lists", call(0, "write", DEEP) + call(1, "read", None, DEEP), "", SATISFIED),
    ("two hundred lists", W1.replace('"value": 1', '"value": ' + "[" * 200 + "]" * 200), "", REFUSED),
    ("a number of 3,000 digits", call(0, "write", 10**3000) + call(1, "read", None, 10**3000), "", SATISFIED),
    ("two numbers of 3,000 digits", call(0, "write", 10**3000) + call(1, "read", None, 10**3000 + 1), "", VIOLATED),
    ("a text of 200,000 letters", call(0, "write", "x" * 200_000) + call(1, "read", None, "x" * 200_000), "", SATISFIED),
    ("a text of 200,000 letters, unread", call(0, "write", "x" * 200_000) + call(1, "read"), "", VIOLATED),
    ("combining marks differ", call(0, "write", "\u00e9") + call(1, "read", None, "e\u0301"), "", VIOLATED),
    ("a key that is true and one that is 1", call(0, "write", 1, key=True) + call(1, "read", None, 1, key=1), "", VIOLATED),
    ("a key that is a map", call(0, "write", 1, key={"a": 1}) + call(1, "read", None, 1, key={"a": 1}), "", SATISFIED),
    ("a key of another", call(0, "write", 1, key="x") + call(1, "read", None, 1, key="y"), "", VIOLATED),
    ("a right-to-left mark", call(0, "write", "\u202e<b>&\x1b[31m") + call(1, "read"), "", VIOLATED),
]  # fmt: skip
OBJECTS = [
    ("a read with an argument", call(0, "read", 5, 6), "", REFUSED),
    ("a write answered with another value", call(0, "write", 1, 2), "", REFUSED),
    ("a cas of one", call(0, "cas", [1]), "--model cas-register", REFUSED),
    ("a cas of three", call(0, "cas", [1, 2, 3]), "--model cas-register", REFUSED),
    ("a cas of null", call(0, "cas"), "--model cas-register", REFUSED),
    ("a cas in doubt of one", event(0, "invoke", "cas", [1]), "--model cas-register", REFUSED),
    ("a cas answered with 0", call(0, "cas", [1, 2], 0), "--model cas-register", REFUSED),
    ("a cas of a register", call(0, "cas", [1, 2]), "", REFUSED),
    ("a cas that failed", W1 + call(1, "cas", [2, 3], False) + R1, "--model cas-register", SATISFIED),
    ("a cas that must have failed", W1 + call(1, "cas", [True, 3]), "--model cas-register", VIOLATED),
    ("a set read as a number", call(0, "read", None, 1), "--model set", REFUSED),
    ("a set read with a member twice", call(0, "add", 1) + call(0, "read", None, [1, 1]), "--model set", REFUSED),
    ("a set with true and 1", call(0, "add", 1) + call(0, "add", True) + call(0, "read", None, [1]), "--model set", VIOLATED),
    ("a counter plus true", call(0, "add", True), "--model counter", REFUSED),
    ("a counter plus a half", call(0, "add", 0.5), "--model counter", REFUSED),
    ("a counter below zero", call(0, "add", -2) + call(0, "read", None, -2), "--model counter", SATISFIED),
    ("a counter that reads true", call(0, "increment") + call(0, "read", None, True), "--model counter", VIOLATED),
    ("a queue that gives what it never had", call(0, "dequeue", None, 1), "--model queue", VIOLATED),
    ("a queue that gives twice", call(0, "enqueue", 1) + call(0, "dequeue", None, 1) * 2, "--model queue", VIOLATED),
    ("a queue with null in it", call(0, "enqueue") + call(0, "dequeue") + call(0, "dequeue"), "--model queue", SATISFIED),
    ("a lock that says false", call(0, "acquire", None, False), "--model lock", REFUSED),
    ("a lock released by nobody", call(0, "release"), "--model lock", VIOLATED),
    ("a lock for process 1 and '1'", call(1, "acquire") + call("1", "release"), "--model lock", VIOLATED),
    ("a text of numbers", call(0, "append", 1), "--model append-string", REFUSED),
    ("a snapshot with a key twice", call(0, "snapshot", None, [["x", 1], ["x", 1]]), "--model map", REFUSED),
    ("a snapshot as a map", call(0, "put", 1, key="x") + call(0, "snapshot", None, {"x": 1}), "--model map", SATISFIED),
    ("an absent model", W1, "--model nothing", REFUSED),
    ("a model of an absent file", W1, "--model absent.py:M", REFUSED),
    ("an initial lock", call(0, "acquire"), "--model lock --initial 1", REFUSED),
    ("an initial set that is a number", call(0, "read", None, []), "--model set --initial 1", REFUSED),
    ("regular queues", call(0, "enqueue", 1), "--model queue --level regular", REFUSED),
]  # fmt: skip
SERIALIZABLE = "--level serializable"
TRANSACTIONS = [
    ("no steps", txn(0), SERIALIZABLE, SATISFIED),
    ("steps that are a number", call(0, "txn", 1, 1), SERIALIZABLE, REFUSED),
    ("steps that are null", call(0, "txn"), SERIALIZABLE, REFUSED),
    ("a step of two", call(0, "txn", [["w", "x"]], [["w", "x"]]), SERIALIZABLE, REFUSED),
    ("a step of another kind", call(0, "txn", [["z", "x", 1]], [["z", "x", 1]]), SERIALIZABLE, REFUSED),
    ("a step whose kind is a list", call(0, "txn", [[["r"], "x", 1]], [[["r"], "x", 1]]), SERIALIZABLE, REFUSED),
    ("an answer with fewer steps", call(0, "txn", [["r", "x", None], ["w", "y", 1]], [["r", "x", None]]), SERIALIZABLE, REFUSED),
    ("an answer with other steps", call(0, "txn", [["r", "x", None]], [["r", "y", None]]), SERIALIZABLE, REFUSED),
    ("an answer without steps", call(0, "txn", [["w", "x", 1]]), SERIALIZABLE, REFUSED),
    ("an answer that wrote true for 1", call(0, "txn", [["w", "x", 1]], [["w", "x", True]]), SERIALIZABLE, REFUSED),
    ("a value written twice", txn(0, ["w", "x", 1]) + txn(1, ["w", "x", 1]), SERIALIZABLE, REFUSED),
    ("1 and true written", txn(0, ["w", "x", 1]) + txn(1, ["w", "x", True], ["r", "x", True]), SERIALIZABLE, SATISFIED),
    ("null written", txn(0, ["w", "x", None]), SERIALIZABLE, REFUSED),
    ("lists and registers", txn(0, ["w", "x", 1], ["append", "y", 1]), SERIALIZABLE, REFUSED),
    ("a list read as a number", txn(0, ["append", "x", 1]) + txn(1, ["r", "x", 1]), SERIALIZABLE, REFUSED),
    ("a list with a member twice", txn(0, ["append", "x", 1]) + txn(1, ["r", "x", [1, 1]]), SERIALIZABLE, VIOLATED),
    ("a list that reads true", txn(0, ["append", "x", 1]) + txn(1, ["r", "x", [True]]), SERIALIZABLE, VIOLATED),
    ("a read of nothing that was written", txn(0, ["r", "x", 7]), SERIALIZABLE, VIOLATED),
    ("a read of its own future", txn(0, ["r", "x", 1], ["w", "x", 1]), SERIALIZABLE, VIOLATED),
    ("an empty list and null", txn(0, ["r", "x", []], ["r", "x", None]), SERIALIZABLE, SATISFIED),
    ("a read of an aborted write", event(0, "invoke", "txn", [["w", "x", 1]]) + event(0, "fail", "txn") + txn(1, ["r", "x", 1]),
     SERIALIZABLE, VIOLATED),
    ("a read of an aborted append", event(0, "invoke", "txn", [["append", "x", 1]]) + event(0, "fail", "txn")
     + txn(1, ["r", "x", [1]]), "--level read-committed", VIOLATED),
    ("a read of a write in doubt", event(0, "invoke", "txn", [["w", "x", 1]]) + txn(1, ["r", "x", 1]), SERIALIZABLE, SATISFIED),
    ("a plain read among transactions", txn(0, ["w", "x", 1]) + call(1, "read", None, 1), SERIALIZABLE, REFUSED),
    ("transactions at a level for objects", txn(0, ["w", "x", 1]), "--level causal", REFUSED),
    ("objects at a level for transactions", W1 + R1, SERIALIZABLE, SATISFIED),
    ("a queue at a level for transactions", call(0, "enqueue", 1), SERIALIZABLE, REFUSED),
    ("a key that is a list", txn(0, ["w", ["x"], 1]) + txn(1, ["r", ["x"], 1]), SERIALIZABLE, SATISFIED),
    ("a stale read in real time", txn(0, ["w", "x", 1]) + txn(1, ["r", "x", None]), "--level strict-serializable", VIOLATED),
    ("a stale read in no time", txn(0, ["w", "x", 1]) + txn(1, ["r", "x", None]), SERIALIZABLE, SATISFIED),
    ("lists with an initial value", txn(0, ["append", "x", 1]), SERIALIZABLE + " --initial 0", REFUSED),
]  # fmt: skip
HOSTILE = [*PAIRING, *FORMS, *VALUES, *OBJECTS, *TRANSACTIONS]


@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=[name for name, *_ in HOSTILE])
def test_a_hostile_record_is_refused_or_judged_as_it_must_be(number: int, tmp_path) -> None:
    _, text, options, right = HOSTILE[number]
    file = tmp_path / "record"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    result = CliRunner().invoke(cli, ["history", str(file), *options.split()])
    if isinstance(result.exception, QuorateError):
        assert right == REFUSED and len(str(result.exception)) < 1_000, result.exception
    else:
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert result.exit_code == right, result.output[:500]
