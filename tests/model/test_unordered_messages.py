"""A loop over interchangeable identities may take messages off the wire, each round its own."""

import pytest
from quorate import Bag, Scalarset, Spec, action, record
from quorate.errors import OutsideSubset
from quorate.model import build


class Node(Scalarset, size=2):
    """A sender."""


@record
class Ack:
    source: Node
    target: Node


class Collects(Spec):
    replies: Bag[Ack]

    @action
    def collect(self, n: Node) -> None:
        for s in Node:
            if Ack(s, n) in self.replies:
                self.replies.receive(Ack(s, n))


class CollectsOthers(Spec):
    replies: Bag[Ack]

    @action
    def collect(self, n: Node) -> None:
        for s in Node:
            if Ack(n, s) in self.replies and Ack(s, n) in self.replies:
                self.replies.receive(Ack(s, n))


class CollectsOne(Spec):
    replies: Bag[Ack]

    @action
    def collect(self, n: Node) -> None:
        for _ in Node:
            if Ack(n, n) in self.replies:
                self.replies.receive(Ack(n, n))


class CollectsAndCounts(Spec):
    replies: Bag[Ack]

    @action
    def collect(self, n: Node) -> None:
        for s in Node:
            if Ack(s, n) in self.replies and len(self.replies) > 1:
                self.replies.receive(Ack(s, n))


def test_each_round_may_receive_the_message_that_carries_its_identity() -> None:
    assert [action.name for action in build(Collects).actions] == ["collect"]


@pytest.mark.parametrize("spec", [CollectsOthers, CollectsOne, CollectsAndCounts])
def test_a_round_may_not_depend_on_what_another_round_receives(spec: type[Spec]) -> None:
    with pytest.raises(OutsideSubset):
        build(spec)
