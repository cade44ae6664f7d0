"""Elections, as in `raft` and `raft_prevote`.

A server that hears no leader first asks whether it would win, and runs only then; who hears a leader helps nobody to
depose it (Ongaro 2014, sections 4.2.3 and 9.6). The own vote of a candidate counts when it is on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.raft.messages import PreVote, PreVoteReply, RequestVote, Vote
from quorate_impl.raft.server import Options, Role, Server


class Elections(Server):
    """How a server comes to lead."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._timeout_ticks = options.election_ticks_max
        self._votes: set[str] = set()

    def _draw_timeout(self) -> None:
        self._quiet_ticks = 0
        self.draw("election", self.options.election_ticks_min, self.options.election_ticks_max)

    def drawn(self, purpose: str, number: int) -> None:
        self._timeout_ticks = number

    def _may_run(self) -> bool:
        """`may_run`: the server is in a configuration that is committed and the latest, or may yet be so."""
        return any(self.name in members for members in self.log.in_use(self.commit_index))

    def _hears_leader(self) -> bool:
        """`is_content`: the server has heard a leader within the shortest timeout, or leads."""
        if self.role is Role.LEADER:
            return True
        return self.leader is not None and self._quiet_ticks < self.options.election_ticks_min

    def _run(self) -> None:
        """`would_win`: no leader was heard; ask whether the others would vote for this server, in the next term."""
        self._draw_timeout()
        if not self._may_run():
            return
        self._follow(None)
        self.role = Role.PROSPECT
        self._votes = {self.name}
        for name in self._voters():
            self.send(name, PreVote(self.term + 1, self.log.last_index, self.log.last_term))
        if self._is_enough(self._votes):
            self._time_out(is_invited=False)

    def _voters(self) -> list[str]:
        return [name for name in self.log.members if name != self.name]

    def _handle_pre_vote(self, source: str, m: PreVote) -> None:
        """`would_vote`: a promise of nothing. A refusal tells the own term."""
        is_granted = not self._hears_leader() and m.term > self.term and self._is_up_to_date(m.last_term, m.last_index)
        self.send(source, PreVoteReply(m.term if is_granted else self.term, is_granted))

    def _handle_pre_vote_reply(self, source: str, m: PreVoteReply) -> None:
        """`learn_term`, if the answer is no."""
        if self.role is not Role.PROSPECT:
            return
        if not m.is_granted:
            self._observe(m.term)
        elif m.term == self.term + 1:
            self._votes.add(source)
            if self._is_enough(self._votes):
                self._time_out(is_invited=False)

    def _time_out(self, is_invited: bool) -> None:
        """`time_out`: become a candidate of the next term. The own vote counts when it is durable."""
        self._draw_timeout()
        self.term += 1
        self.voted_for = self.name
        self.role = Role.CANDIDATE
        self.leader = None
        self._votes = set()
        self._vote_number = self._save_vote()
        for name in self._voters():
            self.send(name, RequestVote(self.term, self.log.last_index, self.log.last_term, is_invited))

    def _handle_request(self, source: str, m: RequestVote) -> None:
        """`handle_request`: vote for the first candidate of a term that asks, if it has all that this server has.

        Who hears a leader pays no heed, unless the leader itself has asked the candidate to run (`listens`).
        """
        if m.term > self.term and self._hears_leader() and not m.is_invited:
            return
        self._observe(m.term)
        is_granted = (
            m.term == self.term and self.voted_for in (None, source) and self._is_up_to_date(m.last_term, m.last_index)
        )
        if is_granted and self.voted_for is None:
            self.voted_for = source
            self._vote_number = self._save_vote()
            self._quiet_ticks = 0
        self.send(source, Vote(self.term, is_granted))

    def _is_up_to_date(self, last_term: int, last_index: int) -> bool:
        """`is_up_to_date`: the candidate's log ends no earlier than the own."""
        return (last_term, last_index) >= (self.log.last_term, self.log.last_index)

    def _handle_vote(self, source: str, m: Vote) -> None:
        self._observe(m.term)
        if self.role is Role.CANDIDATE and m.term == self.term and m.is_granted:
            self._votes.add(source)
            self._win_if_enough()

    def _win_if_enough(self) -> None:
        """`win`: a candidate with the votes of a majority leads, and begins with an entry of its own term."""
        if not self._is_enough(self._votes):
            return
        self.role = Role.LEADER
        self.leader = self.name
        self.note("leads", term=self.term, last_index=self.log.last_index)
        self._begin_leading()

    def _begin_leading(self) -> None:
        """The server has won."""
