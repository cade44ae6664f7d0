"""Hand-written traces, as an engine would make them, and the small builder they are written with."""

from __future__ import annotations

from typing import Any

from quorate.trace import Change, Json, Message, Step, Trace, Witness


def record(name: str, **fields: Json) -> Json:
    return {"record": name, "fields": fields}


def members(*parts: Json) -> Json:
    return {"set": list(parts)}


def mapping(**parts: Json) -> Json:
    return {"map": [[key, value] for key, value in parts.items()]}


class Run:
    """Builds a trace step by step. Messages get their ids by being sent; `change` keys a variable by the step's lane."""

    def __init__(self, spec: str, lanes: list[str], initial: dict[str, Json], **fields: Any) -> None:
        self.trace = Trace(spec, None, {}, "run", None, "", tuple(lanes), initial, ()).but(**fields)
        self.steps: list[Step] = []
        self.messages: dict[str, Json] = {}

    def step(
        self,
        action: str,
        lane: str,
        *changes: Change,
        send: list[Json] | None = None,
        take: str = "",
        lose: str = "",
        copy: bool = False,
        mark: str | None = None,
        isolated: tuple[str, ...] = (),
        **arguments: Json,
    ) -> Run:
        sent = []
        for payload in send or []:
            sent.append(Message(f"m{len(self.messages) + 1}", payload))
            self.messages[sent[-1].id] = payload
        received = [Message(name, self.messages[name], copy) for name in take.split()]
        lost = [Message(name, self.messages[name]) for name in lose.split()]
        if received and not arguments:
            arguments = {"m": received[0].payload}
        self.steps.append(
            Step(
                len(self.steps) + 1,
                action,
                arguments,
                lane,
                mark,
                tuple(sent),
                tuple(received),
                tuple(lost),
                tuple(changes),
                isolated,
            )
        )
        return self

    def end(self, **fields: Any) -> Trace:
        return self.trace.but(steps=tuple(self.steps), **fields)


def at(lane: str, variable: str, old: Json, new: Json, relevant: bool = False) -> Change:
    """`variable[lane]` changes."""
    return Change(variable, (lane,), old, new, lane, relevant)


def whole(variable: str, old: Json, new: Json, relevant: bool = False) -> Change:
    """A variable that no lane owns changes."""
    return Change(variable, (), old, new, None, relevant)


def ask(source: str, target: str, term: int = 1) -> Json:
    return record("RequestVote", term=term, source=source, target=target)


def vote(source: str, target: str, term: int = 1) -> Json:
    return record("Vote", term=term, source=source, target=target)


def stand(s: str, term: int = 1) -> tuple[Change, ...]:
    return (at(s, "role", "FOLLOWER", "CANDIDATE"), at(s, "term", term - 1, term), at(s, "voted_for", None, s))


def target_spacetime() -> Trace:
    """The run of the picture that set the standard: a vote is not kept over a restart, and two leaders are elected."""
    n = ["n1", "n2", "n3"]
    run = Run(
        "raft_election",
        n,
        {
            "role": mapping(n1="FOLLOWER", n2="FOLLOWER", n3="FOLLOWER"),
            "term": mapping(n1=0, n2=0, n3=0),
            "voted_for": mapping(n1=None, n2=None, n3=None),
            "votes": mapping(n1=members(), n2=members(), n3=members()),
            "up": mapping(n1=True, n2=True, n3=True),
        },
        variant="VoteNotPersisted",
        bounds={"Server": 3, "Term": 1},
        role="role",
    )
    run.step("time_out", "n1", *stand("n1"), send=[ask("n1", "n2"), ask("n1", "n3")], mark="timeout", s="n1")
    run.step(
        "handle_request_vote",
        "n2",
        at("n2", "term", 0, 1),
        at("n2", "voted_for", None, "n1", True),
        send=[vote("n2", "n1")],
        take="m1",
    )
    run.step("partition", "network", mark="partition", isolated=("n3",))
    run.step("lose", "network", lose="m2", mark="loss")
    run.step("heal", "network", mark="heal")
    run.step("time_out", "n3", *stand("n3"), send=[ask("n3", "n1"), ask("n3", "n2")], mark="timeout", s="n3")
    run.step("handle_request_vote", "n1", take="m4")
    run.step("duplicate", "network", m=ask("n3", "n2"))
    run.step("handle_request_vote", "n2", take="m5")
    run.step("crash", "n2", at("n2", "up", True, False), mark="crash", s="n2")
    run.step(
        "restart", "n2", at("n2", "up", False, True), at("n2", "voted_for", "n1", None, True), mark="restart", s="n2"
    )
    run.step(
        "handle_vote",
        "n1",
        at("n1", "votes", members("n1"), members("n1", "n2")),
        at("n1", "role", "CANDIDATE", "LEADER", True),
        take="m3",
    )
    run.step(
        "handle_request_vote",
        "n2",
        at("n2", "voted_for", None, "n3", True),
        send=[vote("n2", "n3")],
        take="m5",
        copy=True,
    )
    run.step(
        "handle_vote",
        "n3",
        at("n3", "votes", members("n3"), members("n2", "n3")),
        at("n3", "role", "CANDIDATE", "LEADER", True),
        take="m6",
    )
    return run.end(
        kind="invariant",
        property="one_leader_per_term",
        sentence="At most one leader is elected in a term.",
        witnesses=(
            Witness("a", "n1", (12,)),
            Witness("b", "n3", (14,)),
            Witness("self.term[a]", 1, (1,)),
            Witness("self.voted_for[n2]", "n3", (2, 11, 13)),
        ),
    )


def two_phase_commit() -> Trace:
    """The coordinator commits before all are prepared; one decision message reaches several participants."""
    rm = ["rm1", "rm2", "rm3"]
    run = Run(
        "two_phase_commit",
        ["TM", *rm],
        {
            "rm": mapping(rm1="WORKING", rm2="WORKING", rm3="WORKING"),
            "tm": "INIT",
            "prepared": members(),
            "network": members(),
        },
        variant="CommitsEarly",
        bounds={"ResourceManager": 3},
        role="rm",
    )
    run.step("prepare", "rm1", at("rm1", "rm", "WORKING", "PREPARED"), send=[record("Prepared", rm="rm1")], r="rm1")
    run.step("prepare", "rm2", at("rm2", "rm", "WORKING", "PREPARED"), send=[record("Prepared", rm="rm2")], r="rm2")
    run.step("receive_prepared", "TM", whole("prepared", members(), members("rm1")), take="m1")
    run.step("receive_prepared", "TM", whole("prepared", members("rm1"), members("rm1", "rm2")), take="m2")
    run.step("commit", "TM", whole("tm", "INIT", "COMMITTED"), send=["COMMIT"])
    run.step("obey_commit", "rm1", at("rm1", "rm", "PREPARED", "COMMITTED", True), take="m3")
    run.step("obey_commit", "rm2", at("rm2", "rm", "PREPARED", "COMMITTED", True), take="m3", copy=True)
    run.step("choose_to_abort", "rm3", at("rm3", "rm", "WORKING", "ABORTED", True), r="rm3")
    return run.end(
        kind="invariant",
        property="atomicity",
        sentence="No participant commits while another aborts.",
        witnesses=(Witness("a", "rm1", (6,)), Witness("b", "rm3", (8,))),
    )


def lasso() -> Trace:
    """Two candidates restart each other's election for ever."""
    run = Run(
        "raft_election",
        ["s1", "s2"],
        {"role": mapping(s1="FOLLOWER", s2="FOLLOWER"), "clock": 0},
        role="role",
        variant="NoRandomTimeouts",
    )
    run.step(
        "time_out", "s1", at("s1", "role", "FOLLOWER", "CANDIDATE"), mark="timeout", send=[ask("s1", "s2")], s="s1"
    )
    run.step(
        "time_out", "s2", at("s2", "role", "FOLLOWER", "CANDIDATE"), mark="timeout", send=[ask("s2", "s1")], s="s2"
    )
    run.step("reject", "s1", at("s1", "role", "CANDIDATE", "FOLLOWER"), take="m2")
    run.step("reject", "s2", at("s2", "role", "CANDIDATE", "FOLLOWER"), take="m1")
    run.step("time_out", "s1", at("s1", "role", "FOLLOWER", "CANDIDATE"), mark="timeout", s="s1")
    run.step("time_out", "s2", at("s2", "role", "FOLLOWER", "CANDIDATE"), mark="timeout", s="s2")
    return run.end(kind="eventually", property="a_leader_is_elected", sentence="Some server becomes leader.", loop=2)


def stuck() -> Trace:
    """Two-phase commit blocks: the coordinator has crashed, a prepared participant stays undecided for ever."""
    run = Run(
        "two_phase_commit", ["TM", "rm1"], {"rm": mapping(rm1="WORKING"), "tm": "INIT"}, role="rm", variant="Blocking"
    )
    run.step("prepare", "rm1", at("rm1", "rm", "WORKING", "PREPARED"), send=[record("Prepared", rm="rm1")], r="rm1")
    run.step("crash", "TM", whole("tm_up", True, False), mark="crash")
    return run.end(kind="leads_to", property="prepared_decides", sentence="Who is prepared decides in the end.", loop=2)


def quorum_read() -> Trace:
    """Five replicas and two clients, N=5, W=3, R=2: a read misses the last acknowledged write."""
    r = [f"r{i}" for i in range(1, 6)]
    run = Run(
        "quorum_register",
        [*r, "writer", "reader"],
        {"stored": mapping(**{x: record("Versioned", version=0, value="v0") for x in r}), "acks": members()},
        variant="AsPublished",
        bounds={"Replica": 5, "Version": 1},
    )
    new = record("Versioned", version=1, value="v1")
    run.step(
        "write",
        "writer",
        send=[record("Store", version=1, value="v1", source="writer", target=x) for x in r],
        value="v1",
    )
    for number, x in enumerate(r[:3]):
        run.step(
            "store",
            x,
            at(x, "stored", record("Versioned", version=0, value="v0"), new),
            send=[record("Stored", version=1, source=x, target="writer")],
            take=f"m{number + 1}",
        )
    for number in range(3):
        run.step(
            "acknowledged",
            "writer",
            whole("acks", members(*r[:number]), members(*r[: number + 1])),
            take=f"m{number + 6}",
        )
    run.step("complete_write", "writer", whole("written", None, "v1", True))
    run.step("read", "reader", send=[record("Fetch", source="reader", target=x) for x in r])
    for number, x in enumerate(r[3:]):
        run.step(
            "answer",
            x,
            send=[record("Answer", version=0, value="v0", source=x, target="reader")],
            take=f"m{number + 12}",
        )
    run.step("collect", "reader", whole("answers", members(), members("r4")), take="m14")
    run.step(
        "collect",
        "reader",
        whole("answers", members("r4"), members("r4", "r5")),
        whole("returned", None, "v0", True),
        take="m15",
    )
    return run.end(
        kind="invariant",
        property="reads_see_completed_writes",
        sentence="A read that starts after a write completed returns that write or a newer one.",
        witnesses=(
            Witness("self.written", "v1", (8,)),
            Witness("self.returned", "v0", (13,)),
            Witness("quorum of the read", members("r4", "r5"), (12, 13)),
        ),
    )


def long_run(steps: int = 60, lanes: int = 7) -> Trace:
    """A long random-looking gossip: every step takes the oldest message and sends two."""
    names = [f"node{i}" for i in range(1, lanes + 1)]
    run = Run("gossip", names, {"known": mapping(**{x: members() for x in names})})
    waiting: list[tuple[str, str]] = []
    for index in range(steps):
        lane = names[(index * 5 + index // 3) % lanes]
        mine = next(((m, to) for m, to in waiting if to == lane), None)
        if mine:
            waiting.remove(mine)
        targets = [names[(names.index(lane) + jump) % lanes] for jump in (2, 5)] if index % 2 == 0 else []
        before = len(run.messages)
        old, new = (members(*map(str, range(size))) for size in (index % 5, index % 5 + 1))
        run.step(
            "gossip",
            lane,
            at(lane, "known", old, new),
            take=mine[0] if mine else "",
            send=[record("Rumour", number=index, source=lane, target=to) for to in targets],
        )
        waiting += [(f"m{before + place + 1}", to) for place, to in enumerate(targets)]
    return run.end(kind="run", sentence="")


def huge_values() -> Trace:
    """Logs of records, long names, many changes in one step, text of many scripts."""
    entries = [record("Entry", term=t, command=record("Put", key=f"key-{t}", value="x" * 30)) for t in range(1, 30)]
    run = Run("Nachrichtenübermittlung", ["primärer-Server-mit-langem-Namen", "二号", "s3"], {"log": {"map": []}})
    first = run.trace.lanes[0]
    run.step(
        "append_many_entries_at_once_to_the_replicated_log",
        first,
        at(first, "log", [], entries),
        at(first, "next_index", mapping(a=1), mapping(a=30)),
        *(whole(f"counter_number_{i}", i, 10 ** (i + 5)) for i in range(12)),
        send=[record("AppendEntries", entries=entries, term=3, source=first, target=x) for x in ("二号", "s3")],
        entries=entries,
        größe="<&\"'\\n>",
    )
    run.step("处理", "二号", at("二号", "log", [], entries), take="m1")
    run.step("truncate", "二号", at("二号", "log", entries, entries[:3]), lane_count=3)
    run.step("tick", "an extra lane", whole("clock", {"channels": [["a", "b", ["x"]]]}, {"channels": [["a", "b", []]]}))
    return run.end(
        kind="error", property=None, sentence="IndexError: log index out of range, in append (spec.py:12) " * 4
    )


def initial_violation() -> Trace:
    """The initial state itself is wrong."""
    return Run(
        "lock",
        ["p1", "p2"],
        {"holder": mapping(p1=True, p2=True), "epoch": 0},
        kind="invariant",
        property="mutual_exclusion",
        sentence="At most one process holds the lock.",
        witnesses=(Witness("a", "p1"), Witness("b", "p2")),
        initial_arguments={"first": "p1"},
    ).end()


def crowded() -> Trace:
    """Sends to oneself, messages from before the start, undelivered stubs, losses at once, wires across other events."""
    run = Run("crowded", ["a", "b", "c", "d"], {})
    run.messages |= {"m1": record("Old", source="d", target="a")}
    long = {"reason": "because of everything", "round": 12}
    run.step("wake", "a", take="m1", send=[record("Self", source="a", target="a", **long)])
    run.step(
        "spread",
        "a",
        whole("x", 0, 1),
        take="m2",
        send=[record("Announcement", source="a", target=x, **long) for x in ("b", "c", "d", "d", "d")],
    )
    run.step("hear", "b", whole("y", 0, 1), take="m3", send=[record("Yes", source="b", target="a")])
    run.step("hear", "c", take="m4", lose="m6 m7")
    run.step("hear", "d", take="m5", send=[record("Yes", source="d", target="a")] * 6)
    run.step("cut_off", "network", mark="partition", isolated=("a", "c"))
    run.step("talk", "a", send=[record("Late", source="a", target="d")], lose="m3")
    run.step("hear", "a", whole("z", None, members("d")), take="m9 m10 m11")
    run.step("hear", "a", take="m9", copy=True)
    return run.end(kind="reachable", property="everyone_heard", sentence="All have heard.")


ALL = {
    make.__name__: make
    for make in (
        target_spacetime,
        two_phase_commit,
        lasso,
        stuck,
        quorum_read,
        long_run,
        huge_values,
        initial_violation,
        crowded,
    )
}
