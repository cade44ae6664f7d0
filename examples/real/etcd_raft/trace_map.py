"""The state trace of etcd's Raft library, in the words of the specification `raft`.

    quorate conform trace run.jsonl --spec raft --map examples/real/etcd_raft/trace_map.py

The library tells its term, vote, commit index and the length of its log with each event. What a step is in the specification:

- An entry has no name in the trace; it is known by the term and the index of the leader that made it.
- A batch of entries is the messages that the specification sends for each of them. They carry the leader's commit index of when it
  made or found the entry; a later one is that of the heartbeat which the specification sends when the leader commits.
- A server that learns of a term, and nothing else, takes no step: its next one says it. Before it runs for the term after that,
  it has heard the request that began the term.
- A leader that steps down, or starts again, is a `restart`: a follower with what it has.
- Of entries before its commit index a server takes no notice, and answers as if it had got the last of these.
- At each `Ready`, what the library says of a server is compared.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from quorate.conform import NOTHING, OPEN, Map
from quorate_specs.consensus.raft import Raft, Role, Server

Line = dict[str, Any]


def leads(state: Raft, s: Server) -> bool:
    """Whether a server leads."""
    return state.role[s] == Role.LEADER


def log_length(state: Raft, s: Server) -> int:
    """How many entries a server has."""
    return len(state.log[s])


@dataclass
class Known:
    """What was told of a server so far, and the message that it is handling."""

    term: int = 0
    leads: bool = False
    commit: int = 0
    length: int = 0
    message: Line | None = None


class Reader:
    """Turns the library's events into the specification's."""

    def __init__(self) -> None:
        self._known: defaultdict[str, Known] = defaultdict(Known)
        self._began_with: dict[int, int] = {}  # The commit index of the leader of a term when it won.

    def read(self, line: Line) -> list[Line]:
        """The steps that an event stands for."""
        node, state, message = line["nid"], line["state"], line.get("msg", {})
        known = self._known[node]
        steps = self._leave_office(line, known)
        match line["name"]:
            case "BecomeCandidate":
                if known.term < state["term"] - 1:
                    steps.append(_step("handle_request", node, m={"record": "RequestVote", "term": state["term"] - 1}))
                known.term = state["term"]
                steps.append(self._told(_step("time_out", node), line, leads=False))
            case "BecomeLeader":
                known.leads = True
                self._began_with[state["term"]] = state["commit"]
                steps.append(self._told(_step("win", node), line, leads=True))
            case "Replicate":  # It is told before the entry is there.
                known.length = line["log"] + 1
                entry = f"{state['term']}.{known.length}"
                steps.append(_step("request", node, c=entry) | {"vars": {"log_length": {node: known.length}}})
            case "Commit" if known.leads and state["commit"] > known.commit:
                known.commit = state["commit"]
                steps.append(self._told(_step("commit", node, i=known.commit), line))
            case "ReceiveRequestVoteRequest" | "ReceiveAppendEntriesRequest":
                known.message = message
            case "SendRequestVoteResponse" if message["to"] != node and not message["reject"]:
                steps += self._vote(node, known, state)
            case "SendAppendEntriesResponse" if message["to"] != node and not message["reject"]:
                steps += self._append(node, known, line)
            case "Ready":
                steps.append(self._told({"event": "ready", "node": node}, line))
        return steps

    def _leave_office(self, line: Line, known: Known) -> list[Line]:
        if not known.leads or line["role"] == "StateLeader":
            return []
        known.leads = False
        return [_step("restart", line["nid"]) | {"vars": {"leads": {line["nid"]: False}}}]

    def _vote(self, node: str, known: Known, state: Line) -> list[Line]:
        """The vote is told before it is noted, and a second time when it is asked for a second time."""
        asked = known.message
        assert asked is not None
        if (state["term"], state["vote"]) == (known.term, asked["from"]):
            return []
        known.term = asked["term"]
        request = {
            "record": "RequestVote",
            "term": asked["term"],
            "candidate": asked["from"],
            "last_index": asked["index"],
            "last_term": asked["logTerm"],
        }
        step = _step("handle_request", node, m=request)
        return [step | {"vars": {"term": {node: asked["term"]}, "voted_for": {node: asked["from"]}}}]

    def _append(self, node: str, known: Known, line: Line) -> list[Line]:
        got = known.message
        assert got is not None
        commit, before = line["state"]["commit"], known.commit
        message = {"record": "AppendEntries", "term": got["term"], "leader": got["from"]}
        steps: list[Line] = []
        if got["type"] == "MsgApp":
            last = line["msg"]["index"]
            first = got["index"] + 1 if got["entries"] and got["index"] >= before else last
            steps = [
                _step("handle_append", node, m=message | {"prev_index": index - 1})
                for index in range(max(first, 1), last + 1)
            ]
        if commit > before:
            is_new = commit > self._began_with[got["term"]]
            place = {"prev_index": commit, "entry": None} if is_new else {"prev_index": commit - 1}
            steps.append(_step("handle_append", node, m=message | place))
        if steps:
            known.term, known.commit = got["term"], commit
            steps[-1] = self._told(steps[-1], line, leads=False)
        return steps

    def _told(self, step: Line, line: Line, **more: bool) -> Line:
        """The step with what the library says of its server: of its vote and its term, if the specification knows of the term."""
        node, known, state = line["nid"], self._known[line["nid"]], line["state"]
        values: Line = {"commit_index": state["commit"], "log_length": line["log"], **more}
        if known.term == state["term"]:
            values |= {"term": known.term, "voted_for": None if state["vote"] == "0" else state["vote"]}
        return step | {"vars": {name: {node: value} for name, value in values.items()}}


def _step(event: str, node: str, **arguments: Any) -> Line:
    return {"event": event, "node": node, "args": arguments}


def new_map() -> Map:
    """A map of its own for each trace, since its reader remembers what it has read."""
    return Map(
        members={"Server": ("1", "2", "3"), "Command": OPEN},
        events={"ready": NOTHING},
        views=(leads, log_length),
        read=Reader().read,
    )


MAP = new_map()
