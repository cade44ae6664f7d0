"""What the typed model does not take is one clear error: file, line, column, a caret, what to write instead.

In the sources below, «...» marks what the caret must stand under.
"""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from quorate import Spec
from quorate.errors import OutsideSubset, SpecError
from quorate.explore import check
from quorate.explore.engine import EngineUnavailable
from quorate.language.system import System
from quorate.model import build
from quorate.outcome import Violated

from tests.generated import load
from tests.model.small import around

ORDER = {
    "comparison": "self.flag = «p < q»",
    "comparison inside a tuple": "self.flag = «(self.top, p) < (self.top, q)»",
    "sorted": "self.log = «sorted(self.seen)»",
    "list of a set": "self.log = «list(self.seen)»",
    "list of a set comprehension": "self.numbers = «list({1 for x in self.numbers})»",
    "list comprehension": "self.log = «[s for s in Node]»",
    "list comprehension over a map": "self.log = «[k for k in self.level]»",
    "max": "self.leader = «max(self.seen)»",
    "min of two": "self.leader = «min(p, q)»",
    "max of tuples": "self.leader = «max((self.level[s], s) for s in Node)»[1]",
    "next": "self.leader = «next(iter(self.seen))»",
    "a member by number": "self.leader = «Node.at(0)»",
    "the first member": "self.leader = «Node.members()»[0]",
    "a member by name": "self.leader = «Node(0)»",
    "hash": "self.top = «hash(p)»",
    "set.pop": "«self.seen.pop()»",
    "last writer": "for s in Node:\n    «self.leader = s»",
    "first writer": "for s in self.seen:\n    if self.leader is None:\n        «self.leader = s»",
    "last writer of a local": "x = p\nfor s in Node:\n    «x = s»\nself.leader = x",
    "last value of a map": "for k, v in self.level.items():\n    «self.top = v»",
    "two constants": "for s in Node:\n    if s == p:\n        self.flag = True\n    else:\n        «self.flag = False»",
    "break": "for s in Node:\n    if s in self.seen:\n        «break»\n    self.level[s] = 1",
    "append": "for s in Node:\n    «self.log.append(s)»",
    "insert": "for s in Node:\n    «self.log.insert(0, s)»",
    "pop": "for s in Node:\n    «self.log.pop()»",
    "a growing list": "xs: list[Node] = []\nfor s in Node:\n    «xs = xs + [s]»\nself.log = xs",
    "require": "for s in Node:\n    «require(s != p)»",
    "return": "for s in Node:\n    if s == p:\n        «return»\n    self.level[s] = 1",
    "a counter that is read": "n = 0\nfor s in Node:\n    if «n» < 1:\n        self.level[s] = 1\n    n += 1",
    "subtraction": "for s in Node:\n    «self.top -= 1»",
    "reading another round's place": "for s in Node:\n    self.level[s] = «self.level»[q] + 1",
    "reading across": "for s in Node:\n    self.grid[s][q] = «self.grid»[q][s]",
    "crossing places": "for s in Node:\n    self.grid[p][s] = self.level[s]\n    «self.grid[s][q] = 1»",
    "add and discard": "for s in Node:\n    self.seen.add(s)\n    «self.seen.discard(q)»",
    "assert over what changes": "for s in Node:\n    assert «self.top» < 1\n    self.top += self.level[s]",
    "an index that changes": "for s in Node:\n    self.grid[s][q] += 1\n    self.top += «self.grid»[q][q]",
    "receive and send": "for s in Node:\n    self.wire.send(Note(s, p, 1))\n    «self.wire.receive(Note(p, q, 1))»",
}
ORDER_IN_METHODS = {
    "a value returned early": (
        "self.leader = self.pick()",
        "def pick(self) -> Node | None:\n    for s in Node:\n        if s in self.seen:\n            «return s»\n    return None",
    ),
    "a read inside a method": (
        "for s in Node:\n    if «self.total()» == 0:\n        self.level[s] = 1",
        "def total(self) -> Level:\n    return sum(self.level.values())",
    ),
    "an effect inside a procedure": (
        "for s in Node:\n    self.elect(s)",
        "def elect(self, s: Node) -> None:\n    «self.leader = s»",
    ),
}
SHARING = {
    "an alias read after a change": "x = self.seen\nself.seen.add(p)\nself.flag = p in «x»",
    "an alias of an alias": "x = self.seen\ny = x\nself.seen.add(p)\nself.flag = p in «y»",
    "one of two containers": "x = self.seen if self.flag else self.other\nself.other.add(p)\nself.flag = p in «x»",
    "a container in a tuple": "x = (self.seen, 1)\nself.seen.add(p)\nself.flag = p in «x»[0]",
    "containers in a map": "x = {k: self.friends[k] for k in Node}\nself.friends[p].add(p)\nself.flag = p in «x»[p]",
    "the(...)": "x = the(self.friends[k] for k in Node if k == p)\nself.friends[p].add(p)\nself.flag = p in «x»",
    "a change through an alias": "x = self.seen\n«x».add(p)",
    "an alias on one path": "if self.flag:\n    x = self.seen\nelse:\n    x = {p}\n«x».add(p)",
    "an assignment in place": "x = self.seen\n«x» |= {p}",
    "a local with two names": "base = {p}\nm = {k: base for k in Node}\n«m»[p].add(q)",
    "a container put into a local": "base = {p}\nm = {k: {k} for k in Node}\n«m[p] = base»\nbase.add(q)",
    "an alias from the round before": (
        "x = {p}\n«for i in range(2):»\n    self.seen.add(p)\n    self.flag = p in x\n    x = self.seen"
    ),
    "a loop over a list it changes": "«for x in self.log:»\n    self.log.pop()",
    "enumerate of a list it changes": "«for i, x in enumerate(self.numbers):»\n    self.numbers.append(x)",
    "items of a map it replaces": "«for k, v in self.colors.items():»\n    self.colors = {c: 1 for c in Color}",
    "items of a map that moves": "«for k, v in self.grid[p].items():»\n    self.grid[p] = {c: 1 for c in Node}",
    "the inside of a record": "x = self.note\ny = {p} if x is None else {x.source}\nz = self.lists[0]\n«z».add(p)",
    "a set of which an element fails and another decides": "self.flag = «any(x == 2 or self.numbers[x] == 2 for x in {self.top + 8, 2})»",
    "a set of which an element fails and another is cut": "«for c in {Color.RED, self.mode}:»\n    self.top += self.numbers[0]",
    "sets in a set": "x = {«self.friends[k]» for k in Node}",
}
SUBSET = {
    "while": "«while self.flag:»\n    self.flag = False",
    "try": "«try:»\n    self.flag = True\nexcept ValueError:\n    pass",
    "with": "«with p:»\n    pass",
    "match": "«match p:»\n    case _:\n        pass",
    "a key of a total map": "self.flag = «p not in self.level»",
    "del": "«del self.log[0]»",
    "raise": "«raise ValueError»",
    "global": "«global Z»\nZ = 1",
    "a function inside": "«def f():»\n    return 1\nself.top = f()",
    "lambda": "f = «lambda x: x»",
    "f-string": "x = «f'{p}'»",
    "text": "x = «'abc'»",
    "fraction": "self.top = «1.5»",
    "true division": "self.top = «4 / 2»",
    "power": "self.top = «2 ** 2»",
    "walrus": "if («x := 1») > 0:\n    self.top = x",
    "star": "self.log = [«*self.log», p]",
    "chained assignment": "«x = y = 1»",
    "slice assignment": "«self.log[0:1]» = [p]",
    "slice with a step": "self.log = «self.log[::2]»",
    "range with a step": "for i in «range(0, 4, 2)»:\n    self.top = i",
    "else of a loop": "«for s in Node:»\n    pass\nelse:\n    self.flag = True",
    "a popped container": "«x = self.lists.pop()»",
    "a pop from the middle of a local list": "xs = [p, q]\n«xs.pop(0)»",
    "a pop that may count from either end": "«self.log.pop(self.top - 1)»",
    "a pop inside an expression": "self.flag = «self.log.pop()» == p",
    "a key that may be none": "self.level = {**self.level, «self.leader»: 1}",
    "a key beyond the last": "self.ranked = {**self.ranked, «self.top + 1»: 1}",
    "two maps": "self.level = «{**self.level, **self.level}»",
    "dict display": "self.level = «{p: 1}»",
    "a map with holes": "self.level = «{k: 1 for k in Node if k in self.seen}»",
    "a generator on its own": "x = «(s for s in Node)»",
    "a name for the items of a map": "x = «self.level.items()»\nfor s, n in x:\n    self.level[s] = 0",
    "zip": "for a, b in «zip(self.log, self.log)»:\n    self.flag = True",
    "getattr": "self.top = «getattr(self, 'top')»",
    "print": "«print(p)»",
    "a key function": "self.top = «max(self.numbers, key=abs)»",
    "a start of sum": "self.top = «sum(self.numbers, 1)»",
    "a computed reverse": "self.numbers = «sorted(self.numbers, reverse=self.flag)»",
    "a start of enumerate": "for i, x in «enumerate(self.numbers, start=1)»:\n    self.top = i",
    "update with two": "«self.seen.update({p}, {q})»",
    "update with none": "«self.seen.update()»",
    "remove from a list": "«self.log.remove(p)»",
    "symmetric difference": "«self.seen ^= {p}»",
    "a local list that grows": "x: list[Node] = []\n«x.append(p)»",
    "assignment to a parameter": "«p = q»",
    "assignment to a loop variable": "for s in Node:\n    «s = p»",
    "a name that a later clause replaces": "self.top = sum(1 for s in Node for r in Node if s == r for «s» in Node)",
    "a name in a tuple that a later clause replaces": "self.flag = all(self.level[s] == 0 for s in Node for «s, n» in self.level.items())",
    "a loop variable with the name of a parameter": "for «p» in Node:\n    self.level[p] = 1",
    "self as a value": "x = «self»",
    "a sort as a set": "self.flag = self.seen == «Node»",
    "a sort stored": "self.seen = «Node»",
    "ranging over bool": "for b in «bool»:\n    self.flag = b",
    "identity of records": "self.flag = «self.note is Note(p, p, 0)»",
    "isinstance of a Nat": "self.flag = «isinstance(self.top, Level)»",
    "starred keywords": "n = «Note(**{})»",
}
WRONG = {
    "a number as a condition": "if «self.top»:\n    self.flag = True",
    "a set as a condition": "if «self.seen»:\n    self.flag = True",
    "or as a default": "self.leader = «self.leader» or p",
    "a comparison that is never true": "self.flag = «p == 1»",
    "a truth and a number": "self.flag = «self.top == self.flag»",
    "a truth and what may be a number": "self.flag = «self.option == self.flag»",
    "a truth and what may be a number, the other way round": "self.flag = «True != self.option»",
    "a truth and a number in a tuple": "self.flag = «(self.option, p) == (self.flag, q)»",
    "a truth and a number of a collection": "self.flag = self.option in «[True, False]»",
    "a truth among what may be numbers": "self.flag = «True in self.options»",
    "a truth among numbers that are written": "self.flag = «self.option in (None, True)»",
    "a list of truths and numbers": "x = «[self.option, True]»\nself.flag = x[0] is None",
    "a set of truths and numbers": "x = «{self.option, True}»\nself.flag = None in x",
    "a truth or a number": "x = «self.option if self.flag else True»\nself.flag = x is None",
    "a value of the wrong type": "«self.leader = 1»",
    "an unknown variable": "«self.nope» = 1",
    "an unknown variable read": "self.top = «self.nope»",
    "an unknown name": "self.top = «nope»",
    "a name set on some paths": "if self.flag:\n    x = 1\nself.top = «x»",
    "a name set inside a loop": "for i in range(2):\n    x = i\nself.top = «x»",
    "a name read before it is set": "self.top = «x»\nx = 1",
    "an unknown field": "n = Note(p, q, 1)\nself.top = «n.nope»",
    "a content of an identity": "self.top = «p.index»",
    "a missing field": "n = «Note(p, q)»",
    "a changed record": "n = Note(p, q, 1)\n«n.level» = 2",
    "a line that does nothing": "«self.top + 1»",
    "an empty set of unknown type": "x = «set()»",
    "an empty list of unknown type": "x = «[]»",
    "cases of two classes": "x = «p if self.flag else Note(p, q, 1)»",
    "a case of another class": "x: Node | Color = p if self.flag else «Note(p, q, 1)»",
    "a missing argument": "self.flag = «better(1)»",
    "len of a number": "self.top = «len(self.top)»",
    "none among the members of an enum": "x: Color | None = self.mode if self.flag else None\nself.flag = «x in Color»",
    "a majority of numbers": "self.flag = is_majority(self.options, «Level»)",
    "a quorum of numbers": "self.flag = is_quorum({self.top}, 0, «Level»)",
    "a quorum of an enum": "self.flag = is_quorum({self.mode}, 2, «Color»)",
    "enumerate of a set": "for i, s in «enumerate(self.seen)»:\n    self.level[s] = i",
    "a method that is not inherited": "«super().act»(p, q)",
}


CONSTRAINT_HEADS = {
    "«p: Node»": "'p' stands where `old` is expected",
    "old: Self, «p: Node»": "a constraint has no parameters",
}


def rejected(marked: str) -> tuple[SpecError, str]:
    """The error for a source, checked to stand at the mark, and its text."""
    before, _, rest = marked.partition("«")
    inside = rest.partition("»")[0]
    spec: type[Spec] = load(marked.replace("«", "").replace("»", ""))
    with pytest.raises(SpecError) as caught:
        build(System(spec))
    error = caught.value
    assert error.location is not None
    assert error.location.line == before.count("\n") + 1
    assert error.location.column == len(before.rpartition("\n")[2])
    assert error.location.length == len(inside)
    place = rf"<drawn_\d+>:{error.location.line}:{error.location.column + 1}\n    .*\n *\^{{{len(inside)}}}\n"
    assert re.match(place, str(error))
    return error, str(error)


def outside(marked: str) -> str:
    """The text of an error that leaves the reference engine as a way."""
    error, text = rejected(marked)
    assert isinstance(error, OutsideSubset), text
    assert error.instead
    assert text.endswith("`--engine reference` still runs this spec.")
    return text


@pytest.mark.parametrize("title", ORDER)
def test_an_order_sensitive_use_of_interchangeable_identities_is_rejected_at_its_line(title: str) -> None:
    outside(around(ORDER[title]))


@pytest.mark.parametrize("title", ORDER_IN_METHODS)
def test_also_where_a_method_hides_it(title: str) -> None:
    statements, methods = ORDER_IN_METHODS[title]
    outside(around(statements, methods))


@pytest.mark.parametrize("title", SHARING)
def test_a_container_with_two_names_is_rejected_where_python_and_the_model_would_part(title: str) -> None:
    outside(around(SHARING[title]))


def test_what_has_no_name_is_not_called_by_one_of_ours() -> None:
    text = outside(around("«self.friends[p], self.friends[q]» = self.friends[q], self.friends[p]"))
    assert "this is another name for a container in self.friends" in text


def test_a_container_that_a_method_hands_out_is_no_copy() -> None:
    text = outside(
        around(
            "x = self.mine()\nself.seen.add(p)\nself.flag = p in «x»",
            "def mine(self) -> set[Node]:\n    found = self.seen\n    return found",
        )
    )
    assert "x is another name for a container in self.seen" in text


@pytest.mark.parametrize("title", SUBSET)
def test_what_the_subset_leaves_out_is_named_with_what_to_write_instead(title: str) -> None:
    outside(around(SUBSET[title]))


@pytest.mark.parametrize("title", WRONG)
def test_a_spec_that_is_simply_wrong_says_so(title: str) -> None:
    error, text = rejected(around(WRONG[title]))
    assert not isinstance(error, OutsideSubset), text


def test_an_ordered_comparison_of_identities_names_the_sort_and_the_way_out() -> None:
    text = outside(around("self.flag = «p < q»"))
    assert "Members of Node have no order: they are interchangeable." in text
    assert "Declare the sort as `Ordered`" in text


def test_a_member_that_a_file_has_named_is_to_be_written_by_its_number() -> None:
    named = "class Place(Ordered, size=2):\n    pass\n\nSECOND = Place[1]"
    text = outside(around("self.flag = any(place == «SECOND» for place in Place)", functions=named))
    assert "Write `Place[1]`, or use a parameter or a quantifier." in text


def test_recursion_is_rejected_at_the_call_that_closes_the_circle() -> None:
    function = "def f(n: Level) -> Level:\n    return 0 if n == 0 else «f(n - 1)»"
    assert "f calls itself" in outside(around("self.top = f(2)", functions=function))


def test_a_function_with_any_number_of_arguments_is_rejected_where_it_is_called() -> None:
    outside(around("self.flag = «f(1)»", functions="def f(*xs) -> bool:\n    return True"))


def test_a_property_cannot_change_the_state() -> None:
    error, _ = rejected(around("self.flag = self.f()", "def f(self) -> bool:\n    «self.top» = 1\n    return True"))
    assert "cannot change the state" in error.message


@pytest.mark.parametrize("head, said", CONSTRAINT_HEADS.items())
def test_a_constraint_takes_nothing_but_states(head: str, said: str) -> None:
    error, _ = rejected(around("self.seen.add(p)", f"@constraint\ndef few(self, {head}) -> bool:\n    return True"))
    assert "(self) or (self, old: Self)" in error.message and said in error.message


def test_where_runs_may_end_is_asked_of_the_state_alone() -> None:
    error, _ = rejected(
        around("self.seen.add(p)", "@terminal\ndef end(self, «s: Node») -> bool:\n    return s in self.seen")
    )
    assert "it takes (self)" in error.message


def test_a_constraint_cannot_change_the_state() -> None:
    error, _ = rejected(
        around("self.seen.add(p)", "@constraint\ndef few(self) -> bool:\n    «self.top» = 1\n    return True")
    )
    assert "cannot change the state" in error.message


def test_a_pure_method_returns_on_every_path() -> None:
    method = "«def f(self) -> bool:»\n    if self.flag:\n        return True"
    error, _ = rejected(around("self.flag = self.f()", method))
    assert "may end without returning a value" in error.message


def test_a_state_before_the_step_does_not_change() -> None:
    outside(
        around(
            "self.seen.add(p)",
            "@step\ndef s(self, old: Self, p: Node) -> bool:\n    x = old.seen\n    «x».add(p)\n    return True",
        )
    )


def test_messages_meet_on_a_channel_unless_all_carry_the_loop_variable_at_one_end() -> None:
    source = around("for s in Node:\n    self.wire.send(Note(s, q, 1))\n    «self.wire.send(Note(p, s, 2))»")
    outside(source.replace("wire: Network[Note | Ack]", "wire: Channels[Note]"))


def test_a_wrapped_method_is_rejected() -> None:
    twice = """
        import functools

        def twice(f):
            @functools.wraps(f)
            def g(self, p, q):
                f(self, p, q)
                f(self, p, q)
            return g
    """
    source = around("self.top += 1", functions=twice).replace("@action\n", "@action\n    @twice\n")
    outside(source.replace("def act(self, p: Node, q: Node) -> None:", "«def act(self, p: Node, q: Node) -> None:»"))


def test_a_scalarset_has_no_first_member() -> None:
    source = around("self.flag = True").replace("leader: Node | None", "leader: Node")
    with pytest.raises(SpecError, match="Declare `Node \\| None`") as caught:
        build(System(load(source)))
    assert "leader" in str(caught.value)


FIRST = """
    from quorate import *


    class Node(Scalarset, size=2):
        pass


    @record
    class Slot:
        holder: Node | None
        voters: frozenset[Node]


    FIRST = next(iter(Node))


    class First(Spec):
        {begins}
        done: dict[Node, bool]

        @action(fair="weak")
        def work(self, n: Node) -> None:
            require(n == {boss} and not self.done[n])
            self.done[n] = True

        @eventually
        def each(self, n: Node) -> bool:
            return self.done[n]
"""


@pytest.mark.parametrize(
    ("begins", "boss"),
    [
        ("boss: Node = FIRST", "self.boss"),
        ("boss: Node | None = FIRST", "self.boss"),
        ("boss: Slot = Slot(FIRST, frozenset())", "self.boss.holder"),
        ("boss: tuple[bool, Node] = (False, FIRST)", "self.boss[1]"),
    ],
)
def test_a_default_names_no_member_of_a_scalarset(begins: str, boss: str) -> None:
    """Arguments that renaming makes equal are judged once: it held of the first node, and so of all."""
    spec = load(dedent(FIRST.format(begins=begins, boss=boss)), "First")
    with pytest.raises(OutsideSubset, match=r"First\.boss begins with .* apart") as caught:
        build(System(spec))
    assert caught.value.location is not None and caught.value.location.text.strip() == begins
    with pytest.raises(EngineUnavailable, match=r"First\.boss"):
        check(spec, engine="native")
    outcome = check(spec)
    assert isinstance(outcome, Violated) and outcome.property == "each" and outcome.symmetry == ()


def test_a_default_that_renaming_leaves_alone_is_taken() -> None:
    begins = "boss: Slot = Slot(None, frozenset(Node))"
    assert build(System(load(dedent(FIRST.format(begins=begins, boss="self.boss.holder")), "First"))).symmetric


def chain(times: int, length: int, call: str, last: str) -> type[Spec]:
    """A spec whose action calls a method, which calls the next one so many times, and so on."""
    result, returned = ("None", "") if call == "self.step{}()" else ("bool", "return ")
    joint = "\n        " if result == "None" else " and "
    methods = "".join(
        f"    def step{number}(self) -> {result}:\n        {returned}{joint.join([call.format(number + 1)] * times)}\n"
        for number in range(length)
    )
    return load(
        "from quorate import *\n\n\nclass Chain(Spec):\n    on: bool\n\n"
        f"{methods}    def step{length}(self) -> {result}:\n        {last}\n\n"
        f"    @action\n    def act(self) -> None:\n        {call.format(0) if result == 'None' else f'require({call.format(0)})'}\n",
        "Chain",
    )


@pytest.mark.parametrize(
    ("call", "last"), [("self.step{}()", "self.on = True"), ("(self.step{}() or False)", "return self.on")]
)
def test_calls_that_double_and_double_again_are_refused_before_they_take_time(call: str, last: str) -> None:
    assert build(chain(2, 7, call, last)).actions
    with pytest.raises(OutsideSubset, match="more than 1,000 calls") as refused:
        build(chain(2, 30, call, last))
    assert refused.value.location is not None and "self.step" in refused.value.location.text


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(OutsideSubset, match="nested too deeply"):
        build(chain(1, 300, "(self.step{}() or False)", "return self.on"))
