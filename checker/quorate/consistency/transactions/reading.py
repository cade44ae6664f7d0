"""Histories as transactions: what each one wrote, and which versions it read.

Two kinds of objects are supported, and a history uses one of them:

- **lists** (`append`, and reads of the whole list): each read shows the versions before it, so that the order of
  versions is known up to appends that nobody read (Kingsbury & Alvaro 2020, section 4);
- **registers** (`w` and `r`): each value is written to a key at most once, so that a read names its writer; the order
  of versions is not known.

A read follows the writes of its own transaction; what it shows of *other* transactions is kept here. Anomalies that
need no graph are found on the way: reads of aborted (G1a), intermediate (G1b) and unwritten values, reads that
contradict their own transaction (internal), and lists that no single order of appends explains.

Reads by predicate are taken apart into reads of the keys that they cover (`predicates.py`).

For read uncommitted, reads may show anything that was written. Of a list that was read, the elements that did not commit
are then left out, and so is the question from whom a register was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from quorate.consistency.history import History, HistoryError, Operation, Value, misfit, show
from quorate.consistency.transactions import predicates
from quorate.consistency.values import word
from quorate.consistency.verdict import Cycle
from quorate.errors import UsageError

INITIAL = -1  # The writer of every key's first version.
_WRITES: dict[Value, str] = {"append": "append", "w": "w", "write": "w"}
_PLAIN = frozenset({"append", "w", "r"})
_READS: dict[Value, str] = {"r": "r", "read": "r", "rp": "rp"}


Micro = tuple[str, Value, Value]
"""One step of a transaction: the function, the key and the value. Functions are "append", "w" and "r"; "rp", a read by
predicate, until it is taken apart; and "absent", a read by predicate that covers the key and does not show it. A tuple as in
the record, since long histories have millions of them."""

READS = frozenset({"r", "absent"})


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that committed, or may have (`operation` is pending; then its reads are unknown and left out). `told`
    are its steps as they are shown, `steps` as they are judged."""

    operation: Operation
    steps: tuple[Micro, ...]
    told: tuple[Micro, ...]

    @property
    def index(self) -> int:
        return self.operation.index

    def __str__(self) -> str:
        return "; ".join(f"{function} {show(key)} {show(value)}" for function, key, value in self.told)


@dataclass
class Versions:
    """What the transactions of a history show of each other.

    `reads` are (reader, key, writer) with `INITIAL` for the first version; `chains` gives for each key the writers in
    the known order of versions; `loose` those writers of a key whose place after the chain is unknown. `initial` is what
    every key holds at first. `phantoms` are (reader, key) where a read by predicate, and no read of the key alone, found the
    first version."""

    transactions: dict[int, Transaction]
    reads: list[tuple[int, Value, int]] = field(default_factory=list)
    chains: dict[Value, list[int]] = field(default_factory=dict)
    loose: dict[Value, list[int]] = field(default_factory=dict)
    lists: bool = False
    initial: Value = None
    phantoms: set[tuple[int, Value]] = field(default_factory=set)
    _absent: set[int] = field(default_factory=set)  # The numbers of reads that found nothing, by predicate.

    def add_read(self, reader: int, step: Micro, writer: int) -> None:
        if step[0] == "absent":
            self._absent.add(len(self.reads))
        self.reads.append((reader, step[1], writer))

    def is_phantom(self, reader: int, key: Value, writer: int) -> bool:
        return writer == INITIAL and (reader, key) in self.phantoms

    def tell_phantoms(self) -> None:
        if self._absent:
            first = {n: (reader, key) for n, (reader, key, writer) in enumerate(self.reads) if writer == INITIAL}
            items = {read for number, read in first.items() if number not in self._absent}
            self.phantoms = {first[number] for number in self._absent} - items


class Anomaly(Exception):
    """An anomaly that needs no graph, as evidence."""

    def __init__(self, name: str, explanation: str, *operations: Operation) -> None:
        super().__init__(name)
        nodes = {number: f"{name_of(o)}: {o}" for number, o in enumerate(operations)}
        self.cycle = Cycle(name, explanation, nodes, (), tuple(operations))


def name_of(operation: Operation) -> str:
    """What a transaction is called: by its number, or by its process if it was aborted and has none."""
    if operation.index >= 0:
        return f"T{operation.index}"
    where = "" if operation.line is None else f", line {operation.line}"
    return f"the aborted transaction of process {operation.process}{where}"


def steps_of(operation: Operation) -> tuple[Micro, ...]:
    """The steps of a transaction, or of a single read, write or append taken as one. Raises `HistoryError`."""
    if operation.function != "txn":
        return _single(operation)
    told = operation.argument if operation.pending else operation.result
    if not isinstance(told, tuple):
        raise misfit(operation, f"A transaction and its answer are lists of steps, not {show(told)}.")
    if all(type(step) is tuple and len(step) == 3 and step[0] in _PLAIN for step in told) and not operation.pending:
        return told  # As most records have them.
    steps: list[Micro] = []
    for step in told:
        name = word(step[0]) if isinstance(step, tuple) and len(step) == 3 else None
        function = _READS.get(name) or _WRITES.get(name)
        if function is None:
            raise misfit(
                operation,
                f"The transaction has a step {show(step)}; steps are [append, key, value], [w, key, value], [r, key, value] "
                "and [rp, predicate, {key: value}].",
            )
        if function in ("append", "w") or not operation.pending:
            steps.append((function, step[1], step[2]))
    return tuple(steps)


def _single(operation: Operation) -> tuple[Micro, ...]:
    if operation.function in _WRITES:
        return ((_WRITES[operation.function], operation.key, operation.argument),)
    if _READS.get(operation.function) == "r":
        return () if operation.pending else (("r", operation.key, operation.result),)
    raise misfit(
        operation,
        f"This is {operation.function!r}. Levels for transactions take f = txn with a value like "
        '[["append", "x", 1], ["r", "x", [1]]], or single operations read, write and append.',
    )


def versions(history: History, initial: Value = None, dirty: bool = False) -> Versions:
    """What `history` shows of registers that at first hold `initial`, or of lists. With `dirty`, reads may show what did
    not commit, and whoever may not have committed did not.

    Raises `Anomaly` for what no level allows and `HistoryError` for what cannot be judged."""
    kinds_of = {o.function == "txn" for o in history}
    if len(kinds_of) > 1:
        odd = next(o for o in history if o.function != "txn")
        raise misfit(
            odd,
            f"{odd} of process {odd.process} is a single operation among transactions. Make it a transaction of one step.",
        )
    transactions = {o.index: Transaction(o, steps, steps) for o in history for steps in (steps_of(o),)}
    kinds = {step[0] for t in transactions.values() for step in t.steps} - {"r"}
    if "rp" in kinds:
        kinds.discard("rp")
        if initial is not None:
            raise UsageError(
                f"Where keys hold {show(initial)} at first, none is absent, and reads by predicate show all."
            )
        _take_predicates_apart(transactions)
    if len(kinds) > 1:
        raise HistoryError("The history both appends to lists and writes registers; judge them apart.")
    lists = kinds == {"append"} or (not kinds and initial is None and _reads_lists(transactions))
    if lists and initial is not None:
        raise UsageError(f"Lists are empty at first, and cannot hold {show(initial)}.")
    found = Versions(transactions, lists=lists, initial=() if lists else initial)
    writers = _Writers(transactions, history.failed, found.initial, dirty)
    if dirty:
        _leave_out_uncommitted(found, writers)
    (_read_lists if found.lists else _read_registers)(found, writers)
    found.tell_phantoms()
    _leave_out_unobserved(found)
    return found


def _take_predicates_apart(transactions: dict[int, Transaction]) -> None:
    """Replace each read by predicate by reads of the keys that it covers, of all that the history has."""
    shown = {
        (index, number): predicates.pairs(t.operation, predicate, value)
        for index, t in transactions.items()
        for number, (function, predicate, value) in enumerate(t.steps)
        if function == "rp"
    }
    keys = dict.fromkeys(key for t in transactions.values() for function, key, _ in t.steps if function != "rp")
    keys |= dict.fromkeys(key for found in shown.values() for key in found)
    for index, t in transactions.items():
        steps: list[Micro] = []
        for number, step in enumerate(t.steps):
            if step[0] != "rp":
                steps.append(step)
                continue
            found, covers = shown[index, number], predicates.coverage(t.operation, step[1])
            steps += [("r" if key in found else "absent", key, found.get(key)) for key in keys if covers(key)]
        transactions[index] = Transaction(t.operation, tuple(steps), t.told)


def _leave_out_uncommitted(found: Versions, writers: _Writers) -> None:
    """For read uncommitted: leave out the transactions that may not have committed, and of lists that were read what did not
    commit."""
    for t in [t for t in found.transactions.values() if t.operation.pending]:
        writers.leave_out(t)
        del found.transactions[t.index]
    if not found.lists:
        return
    for t in found.transactions.values():
        steps: list[Micro] = []
        for function, key, value in t.steps:
            if function in READS:
                elements = _elements(t, key, value)
                _check_distinct(t, key, elements)
                kept = tuple(e for e in elements if not writers.shows_uncommitted(key, e))
                steps.append((function, key, kept))
            else:
                steps.append((function, key, value))
        found.transactions[t.index] = Transaction(t.operation, tuple(steps), t.told)
    writers.replace(found.transactions)


def _check_distinct(reader: Transaction, key: Value, elements: tuple[Value, ...]) -> None:
    if len(set(elements)) < len(elements):
        raise Anomaly("duplicate element", f"T{reader.index} reads an element of {show(key)} twice.", reader.operation)


def _reads_lists(transactions: dict[int, Transaction]) -> bool:
    return any(isinstance(value, tuple) for t in transactions.values() for _, _, value in t.steps)


class _Writers:
    """Who wrote each value of each key."""

    def __init__(
        self, transactions: dict[int, Transaction], failed: Iterable[Operation], initial: Value, dirty: bool
    ) -> None:
        self.of: dict[Value, dict[Value, Transaction]] = {}
        self._dirty = dirty
        self._aborted: dict[tuple[Value, Value], Operation] = {}
        for o in failed:
            asked = replace(o, index=-1, result=None, returned=None)  # What it would have done had it committed.
            aborted = replace(asked, returned=o.returned)
            self._aborted |= {(key, value): aborted for _, key, value in steps_of(asked)}
        for transaction in transactions.values():
            for function, key, value in transaction.steps:
                if function in READS:
                    continue
                own = self.of.get(key)
                if own is None:
                    own = self.of[key] = {}
                if value in own:
                    raise misfit(
                        transaction.operation,
                        f"Transactions {own[value].index} and {transaction.index} both write {show(value)} to "
                        f"{show(key)}. Which write a read shows is known only if each value is written to a key once.",
                    )
                if function == "w" and value == initial:
                    raise misfit(
                        transaction.operation,
                        f"The transaction writes {show(value)} to {show(key)}, the initial value, so that a read of it would "
                        "not name its writer.",
                    )
                own[value] = transaction

    def find(self, reader: Transaction, key: Value, value: Value) -> Transaction:
        """The transaction that wrote `value`. Raises `Anomaly` if it did not commit or does not exist."""
        writer = self.of.get(key, {}).get(value)
        if writer is not None:
            return writer
        aborted = self._aborted.get((key, value))
        if aborted is not None:
            text = f"T{reader.index} reads {show(value)} of {show(key)} from {name_of(aborted)}, which did not commit."
            raise Anomaly("G1a: aborted read", text, aborted, reader.operation)
        text = f"T{reader.index} reads {show(value)} of {show(key)}, which no transaction wrote."
        raise Anomaly("unwritten read", text, reader.operation)

    def shows_uncommitted(self, key: Value, value: Value) -> bool:
        """Whether the value is of a transaction that did not commit, and may be read."""
        return self._dirty and value not in self.of.get(key, {}) and (key, value) in self._aborted

    def leave_out(self, transaction: Transaction) -> None:
        """Take a transaction for one that did not commit."""
        for function, key, value in transaction.steps:
            if function not in READS:
                del self.of[key][value]
                self._aborted[key, value] = transaction.operation

    def replace(self, transactions: dict[int, Transaction]) -> None:
        """Let the writers be these, of the same numbers."""
        self.of = {key: {value: transactions[t.index] for value, t in own.items()} for key, own in self.of.items()}

    def check_final(self, reader: Transaction, key: Value, value: Value, writer: Transaction) -> None:
        if self._dirty or writer is reader:
            return
        last = next(
            wrote for function, about, wrote in reversed(writer.steps) if about == key and function not in READS
        )
        if last != value:
            text = (
                f"T{reader.index} reads {show(value)} of {show(key)}, which T{writer.index} wrote and then wrote over."
            )
            raise Anomaly("G1b: intermediate read", text, writer.operation, reader.operation)


def _read_registers(found: Versions, writers: _Writers) -> None:
    for index, transaction in found.transactions.items():
        own: dict[Value, Value] = {}
        for step in transaction.steps:
            function, key, value = step
            if function not in READS:
                if key not in own:
                    found.loose.setdefault(key, []).append(index)
                own[key] = value
            elif key in own:
                if value != own[key]:
                    text = f"T{index} wrote {show(own[key])} to {show(key)} and then read {show(value)}."
                    raise Anomaly("internal", text, transaction.operation)
            elif value == found.initial:
                found.add_read(index, step, INITIAL)
            elif not writers.shows_uncommitted(key, value):
                writer = writers.find(transaction, key, value)
                if writer is transaction:
                    text = f"T{index} read {show(value)} of {show(key)} before writing it itself."
                    raise Anomaly("internal", text, transaction.operation)
                writers.check_final(transaction, key, value, writer)
                found.add_read(index, step, writer.index)


def _read_lists(found: Versions, writers: _Writers) -> None:
    longest = _longest_lists(found.transactions)
    owners = {key: _owners(writers, key, *shown) for key, shown in longest.items()}
    for key, (reader, elements) in longest.items():
        found.chains[key] = _chain(owners[key], reader, key, elements)
    for index, transaction in found.transactions.items():
        own: dict[Value, list[Value]] = {}
        for step in transaction.steps:
            function, key, value = step
            if function == "append":
                own.setdefault(key, []).append(value)
                continue
            elements = _elements(transaction, key, value)
            _check_shown(transaction, key, elements, longest[key], own.get(key, []), owners[key])
            end = len(elements)
            while end and owners[key][end - 1] is transaction:
                end -= 1
            if end == 0:
                found.add_read(index, step, INITIAL)
            else:
                writer = owners[key][end - 1]
                writers.check_final(transaction, key, elements[end - 1], writer)
                found.add_read(index, step, writer.index)
    for key, writes in writers.of.items():
        chained = set(found.chains.get(key, ()))
        found.loose[key] = [i for i in dict.fromkeys(t.index for t in writes.values()) if i not in chained]


def _longest_lists(transactions: dict[int, Transaction]) -> dict[Value, tuple[Transaction, tuple[Value, ...]]]:
    longest: dict[Value, tuple[Transaction, tuple[Value, ...]]] = {}
    for transaction in transactions.values():
        for function, key, value in transaction.steps:
            if function in READS:
                elements = _elements(transaction, key, value)
                if key not in longest or len(elements) > len(longest[key][1]):
                    longest[key] = (transaction, elements)
    return longest


def _elements(transaction: Transaction, key: Value, value: Value) -> tuple[Value, ...]:
    if value is None:
        return ()
    if not isinstance(value, tuple):
        raise misfit(transaction.operation, f"The transaction reads {show(value)} of {show(key)}, which is not a list.")
    return value


def _owners(writers: _Writers, key: Value, reader: Transaction, elements: tuple[Value, ...]) -> list[Transaction]:
    """Who appended each element of the longest list that was read of a key."""
    _check_distinct(reader, key, elements)
    return [writers.find(reader, key, element) for element in elements]


def _chain(owners: list[Transaction], reader: Transaction, key: Value, elements: tuple[Value, ...]) -> list[int]:
    """The writers of a list in the order of versions. One whose appends are not side by side is mentioned again, which
    closes a cycle of ww; and so is one whose later appends are not in the list yet, if others' are."""
    chain = [t.index for number, t in enumerate(owners) if number == 0 or owners[number - 1] is not t]
    shown_of: dict[int, list[Value]] = {}
    for element, owner in zip(elements, owners, strict=True):
        shown_of.setdefault(owner.index, []).append(element)
    for writer in {t.index: t for t in owners}.values():
        wrote = [value for function, about, value in writer.steps if function == "append" and about == key]
        shown = shown_of[writer.index]
        if shown != wrote[: len(shown)]:
            text = (
                f"T{reader.index} reads {show(elements)} of {show(key)}, but T{writer.index} appended "
                f"{show(tuple(wrote))} in this order."
            )
            raise Anomaly("incompatible order", text, reader.operation, writer.operation)
        if len(shown) < len(wrote) and chain[-1] != writer.index:
            chain.append(writer.index)
    return chain


def _check_shown(
    reader: Transaction,
    key: Value,
    elements: tuple[Value, ...],
    longest: tuple[Transaction, tuple[Value, ...]],
    own: list[Value],
    owners: list[Transaction],
) -> None:
    """Whether a list that was read is a beginning of the longest one, and has what the reader had appended."""
    name = f"T{reader.index}"
    if elements != longest[1][: len(elements)]:
        text = (
            f"{name} reads {show(elements)} of {show(key)} and T{longest[0].index} reads {show(longest[1])}: "
            "no order of appends gives both."
        )
        raise Anomaly("incompatible order", text, reader.operation, longest[0].operation)
    writes = own or any(function == "append" and about == key for function, about, _ in reader.steps)
    if writes and [e for e, owner in zip(elements, owners, strict=False) if owner is reader] != own:
        text = f"{name} had appended {show(tuple(own))} to {show(key)} when it read {show(elements)}."
        raise Anomaly("internal", text, reader.operation)


def _leave_out_unobserved(found: Versions) -> None:
    """Drop the transactions that may not have committed and that nobody saw: without them nothing is harder to
    explain."""
    observed = {writer for _, _, writer in found.reads} | {w for chain in found.chains.values() for w in chain}
    gone = {t.index for t in found.transactions.values() if t.operation.pending and t.index not in observed}
    for index in gone:
        del found.transactions[index]
    for key, loose in found.loose.items():
        found.loose[key] = [w for w in loose if w not in gone]
