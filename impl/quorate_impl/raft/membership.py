"""Servers come and go, one at a time, as in `raft_membership`; and a leader hands over, as in `raft_leases`.

A new server gets the log before it counts (Ongaro 2014, section 4.2.1). A configuration is used from the moment when it
is in the log, and the next one has to wait until it is committed, and an entry of the leader's own term too (Ongaro
2015, "Bug in single-server membership changes").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate_impl.core import Record
from quorate_impl.raft.messages import AddServer, Configuration, Done, NotLeader, Refused, RemoveServer, TimeoutNow
from quorate_impl.raft.progress import Progress
from quorate_impl.raft.reads import Reads
from quorate_impl.raft.server import Options, Role


@dataclass
class Asked:
    """An administrator's request that is being worked on: the way back, and when it is given up."""

    client: str
    id: int
    server: str
    address: str
    ticks_left: int


class Membership(Reads):
    """How the servers change, and who of them leads."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._joining: Asked | None = None
        self._handing_over: Asked | None = None

    def addresses(self) -> dict[str, str]:
        joining = {self._joining.server: self._joining.address} if self._joining is not None else {}
        return super().addresses() | joining

    def _peers(self) -> list[str]:
        """Also whoever is about to join."""
        names = super()._peers()
        if self._joining is not None and self._joining.server not in names:
            names.append(self._joining.server)
        return names

    def _has_acknowledged(self) -> None:
        self._admit()
        self._hand_over()

    def _stop_leading(self) -> None:
        super()._stop_leading()
        if self._joining is not None:
            self._answer(self._joining.client, self._joining.id, NotLeader(None, self.log.members))
        if self._handing_over is not None:
            self._answer(self._handing_over.client, self._handing_over.id, Done())
        self._joining = self._handing_over = None

    def _may_change(self) -> bool:
        """`may_change`: the configuration is committed, and so is an entry of the leader's own term."""
        return len(self.log.in_use(self.commit_index)) == 1 and self._knows_commits()

    def _add_server(self, client: str, m: AddServer) -> None:
        """A new server gets the log before it counts."""
        if m.name in self.log.members:
            self._confirm_members(client, m.id)
        elif self._joining is not None and self._joining.server == m.name:
            self._joining.client, self._joining.id = client, m.id
        elif self._joining is not None or not self._may_change():
            self._answer(client, m.id, Refused("Another change of the members is under way; ask again."))
        else:
            self._joining = Asked(client, m.id, m.name, m.address, self.options.catch_up_ticks)
            self._progress[m.name] = Progress(self.log.last_index + 1)

    def _admit(self) -> None:
        """`change`, when the new server has caught up with what is committed."""
        asked = self._joining
        if asked is not None and self._may_change() and self._follower(asked.server).match >= self.commit_index:
            self._joining = None
            self._change(asked.client, asked.id, {**self.log.members, asked.server: asked.address})

    def _remove_server(self, client: str, m: RemoveServer) -> None:
        if m.name not in self.log.members:
            self._confirm_members(client, m.id)
        elif self._joining is not None or not self._may_change():
            self._answer(client, m.id, Refused("Another change of the members is under way; ask again."))
        elif len(self.log.members) == 1:
            self._answer(client, m.id, Refused("It is the last member."))
        else:
            left = {name: address for name, address in self.log.members.items() if name != m.name}
            self._change(client, m.id, left)

    def _confirm_members(self, client: str, id: int) -> None:
        """The latest configuration is as it was asked: say so when it is committed."""
        index = self.log.configurations[-1][0]
        if index > self.commit_index:
            self._waiting[index] = client, id
        else:
            self._answer(client, id, Done())

    def _change(self, client: str, id: int, members: dict[str, str]) -> None:
        """`change`: append a configuration that differs by one server, and use it from now on."""
        self._waiting[self._append(Configuration(members))] = client, id
        self.note("members", members=" ".join(members))

    def _begin_handing_over(self, client: str, id: int, target: str) -> None:
        """`hand_over`: take no more requests, and invite the target when it has everything."""
        if target == self.name:
            self._answer(client, id, Done())
        elif target not in self.log.members:
            self._answer(client, id, Refused(f"{target} is no member."))
        else:
            self._handing_over = Asked(client, id, target, "", self.options.election_ticks_min)
            self._hand_over()

    def _hand_over(self) -> None:
        asked = self._handing_over
        if asked is not None and self._follower(asked.server).match == self.log.last_index:
            self.send_at_once(asked.server, TimeoutNow(self.term))

    def _handle_timeout_now(self, m: TimeoutNow) -> None:
        if m.term == self.term and self.role is not Role.LEADER and self._may_run():
            self._follow(None)
            self._time_out(is_invited=True)

    def _expire(self) -> None:
        """Give up what takes too long: a server that does not catch up, or that does not take over."""
        for asked in (self._joining, self._handing_over):
            if asked is not None:
                asked.ticks_left -= 1
        if self._joining is not None and self._joining.ticks_left <= 0:
            self._answer(self._joining.client, self._joining.id, Refused("The new server does not catch up."))
            self._joining = None
        if self._handing_over is not None and self._handing_over.ticks_left <= 0:
            self._answer(self._handing_over.client, self._handing_over.id, Refused("It does not take over."))
            self._handing_over = None
