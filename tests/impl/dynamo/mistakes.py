"""Mistakes that stores of this kind have made, each as small as it is."""

from __future__ import annotations

from quorate_impl.core import Message
from quorate_impl.dynamo import Dynamo
from quorate_impl.dynamo.merkle import Trees
from quorate_impl.dynamo.messages import Confirmed, Executed, Id, Response, Result, Siblings, Stamp, Vector, Version
from quorate_impl.dynamo.reads import Reading
from quorate_impl.dynamo.siblings import KeepsSiblings, Policy, covered, joined


class DropsHints(Dynamo):
    """A stand-in confirms, and keeps nothing for the home."""

    def _take_hint(self, key: str, siblings: Siblings, target: str) -> None:
        return


class HandsOverBlindly(Dynamo):
    """A stand-in forgets what it has handed over before the home has confirmed it."""

    def _hand_over(self) -> None:
        super()._hand_over()
        for key in [key for key, _, _ in self._handing.values()]:
            if key in self.owes:
                self._keep(key, Siblings((), {}), frozenset())


class _LastSibling(KeepsSiblings):
    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        merged = super().merge(own, received)
        if len(merged.versions) < 2:
            return merged
        return Siblings((max(merged.versions, key=lambda v: (v.stamp, v.actor)),), merged.covers)


class MergesByLastWrite(Dynamo):
    """Of several siblings the last one written stays."""

    def _policy(self) -> Policy:
        return _LastSibling()


class _OneVector(KeepsSiblings):
    def kept(self, own: Siblings, context: Vector, actor: str) -> tuple[Version, ...]:
        up_to_date = all(number <= context.get(name, 0) for name, number in own.covers.items())
        return () if up_to_date else own.versions

    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        both = joined(own.covers, received.covers)
        if both == joined(received.covers, {}):
            return received
        if both == joined(own.covers, {}):
            return own
        versions = {(v.actor, v.number): v for v in (*own.versions, *received.versions)}
        return Siblings(tuple(versions[dot] for dot in sorted(versions)), both)


class OneVector(Dynamo):
    """`OneVector` of the specification: one vector stands for all siblings."""

    def _policy(self) -> Policy:
        return _OneVector()


class _PerServer(KeepsSiblings):
    def kept(self, own: Siblings, context: Vector, actor: str) -> tuple[Version, ...]:
        raised = {**context, actor: own.covers.get(actor, 0)}
        return tuple(v for v in own.versions if not covered(v, raised))


class PerServerVectors(Dynamo):
    """`PerServerVectors` of the specification: no dots, so that a new value counts all before it as seen."""

    def _policy(self) -> Policy:
        return _PerServer()


class RepliesBeforeSync(Dynamo):
    """A coordinator acknowledges what its disk does not have yet."""

    def _answer(self, client: str, id: int, result: Result) -> None:
        self.reply_at_once(client, Response(id, result))


class ConfirmsBeforeSync(Dynamo):
    """A replica confirms what its disk does not have yet."""

    def _confirm(self, source: str, id: Id) -> None:
        self.send_at_once(source, Confirmed(id))


class TellsBeforeSync(Dynamo):
    """A new dot goes out before it is on the disk, and is given again after a crash."""

    def _tell(self, target: str, message: Message) -> None:
        self.send_at_once(target, message)


class RepairOverwrites(Dynamo):
    """A replica takes a repair for the truth, however late it comes."""

    def _take_repair(self, key: str, siblings: Siblings) -> None:
        self._keep(key, siblings, frozenset())


class WallClock(Dynamo):
    """Writes are stamped with the wall clock, whatever was stored or seen."""

    def _stamp(self) -> Stamp:
        return Stamp(self.clock.wall, 0)


class _Dotless(Trees):
    def digest(self, key: str, siblings: Siblings) -> int:
        if not siblings.versions:
            return 0
        return super().digest(key, Siblings((), {"versions": len(siblings.versions)}))


class LeafForgetsDots(Dynamo):
    """A leaf of a tree has keys and how many siblings they have, not which."""

    def _trees(self) -> Trees:
        return _Dotless()


class ExecutesTwice(Dynamo):
    """A write that is asked for again gets a second dot."""

    def _remember(self, executed: Executed) -> None:
        return


class CountsTwice(Dynamo):
    """Numbers begin anew at each start, and a late answer counts for something else."""

    def _next_id(self) -> Id:
        self._begun += 1
        return 0, self._begun


class ForgetsItsDots(Dynamo):
    """`ForgetsItsDots` of the specification: a node that comes back with an empty disk goes on under its old name."""

    def drawn(self, purpose: str, number: int) -> None:
        super().drawn(purpose, 0)


class ReadsOne(Dynamo):
    """A read is answered with what the first replica has, however many were asked for."""

    def _look(self, number: Id, reading: Reading) -> None:
        reading.needed = 1
        super()._look(number, reading)
