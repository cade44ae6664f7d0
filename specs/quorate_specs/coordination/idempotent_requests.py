"""Requests that take effect exactly once, over a network that loses and repeats.

A client that gets no answer cannot know whether its request was lost or the answer to it. If it asks again, the effect
may come twice; if it does not, perhaps never. So it asks again, and gives each request a *key* that all its repetitions
share. The server keeps the key and the answer in the same transaction as the effect, and answers a key that it knows from
its table.

*Promise*, to clients: a payment that was asked for is made once, whatever is lost, repeated or late and whoever
restarts, and is answered at last; every answer is the one that its one effect gave, so that all of it looks like one
account, used by one client at a time (linearizability). *Not promised*: exactly-once delivery, which nothing can give.

The server crashes and comes back with what is on its disk. A client keeps its request and the key on its own disk, and so
goes on after a restart as after a timeout. Left out: the removal of keys that no repetition can need any more, which has
to wait for the client's word that it has the answer (`ForgetsKeys` does not).

As it happened. `NoKeys`: softonic/axios-retry #17 and mcxiaoke/android-volley #46 (a POST was repeated after a timeout);
akash-network/console #3449 (customers were charged two or three times). `KeyPerAttempt`: mozilla/fxa #6553 (the key was
made anew at each load of the page). `ForgetsKeys`: spring-projects/spring-kafka #1441 (Kafka's UnknownProducerId: what is
known of a producer goes with its last record).

Sources: Birrell & Nelson 1984, "Implementing Remote Procedure Calls" (call identifiers); Saltzer, Reed & Clark 1984,
"End-to-End Arguments in System Design" (suppression of duplicates); Lee et al. 2015, "Implementing Linearizability at
Large Scale and Low Latency" (RIFL: completion records beside the effect).
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    leads_to,
    linearizable,
    reachable,
    record,
    require,
    up_to,
    violates,
)


class Client(Scalarset, size=3, prefix="c"):
    """Who makes one payment."""


class Key(Nat, max=1):
    """Tells the requests of a client apart."""


class Balance(Nat, max=3):
    """How many payments the account has seen; more than one for each client is a mistake."""


class Crashes(Nat, max=1):
    """How often the server crashes. If it did so for ever, it could be down whenever a request arrives."""


class Phase(Enum):
    """How far a client has come."""

    IDLE = "idle"
    WAITING = "waiting"
    DONE = "done"


@record
class Pay:
    """Make this payment."""

    client: Client
    key: Key


@record
class Paid:
    """The payment was made, and left this balance."""

    client: Client
    key: Key
    balance: Balance


@record
class Operation:
    """A call or a return in the history; the balance is that of the answer."""

    client: Client
    returned: bool
    balance: Balance


def account(state: Balance, event: Operation) -> tuple[bool, Balance]:
    """The account: each payment adds one, and is answered with what there is then. One under way may have any answer."""
    after = Balance(min(state + 1, Balance.bound))
    return not event.returned or event.balance == after, after


class IdempotentRequests(Spec):
    """Keys that are kept with the effect.

    Promise: each payment is made once, and answered at last.
    """

    lanes = (Client, "server")
    coloured_by = "phase"

    phase: dict[Client, Phase]
    key: dict[Client, Key]
    balance: Balance
    payments: dict[Client, Balance]
    table: set[Paid]
    memory: set[Paid]
    up: bool = True
    crashes: Crashes
    network: Network[Pay | Paid] = Network(lossy=True)
    history: Annotated[list[Operation], up_to(6)]

    # The clients

    @action
    def pay(self, c: Client) -> None:
        require(self.phase[c] == Phase.IDLE)
        self.phase[c] = Phase.WAITING
        self.network.send(Pay(c, self.key[c]))
        self.history.append(Operation(c, False, Balance(0)))

    @action(mark="timeout", fair="weak")
    def retry(self, c: Client) -> None:
        """No answer yet: the client asks again, after a timeout or a restart."""
        require(self.phase[c] == Phase.WAITING)
        self.key[c] = self.key_of_retry(c)
        self.network.send(Pay(c, self.key[c]))

    def key_of_retry(self, c: Client) -> Key:
        """The key of a repetition: that of the request."""
        return self.key[c]

    @action(fair="strong")
    def learn(self, m: Paid) -> None:
        require(m in self.network)
        require(self.phase[m.client] == Phase.WAITING and self.key[m.client] == m.key)
        self.network.receive(m)
        self.phase[m.client] = Phase.DONE
        self.history.append(Operation(m.client, True, m.balance))

    # The server

    @action(lane="server", fair="strong")
    def serve(self, m: Pay) -> None:
        require(m in self.network)
        require(self.up)
        self.network.receive(m)
        if any(known.client == m.client and known.key == m.key for known in self.table | self.memory):
            for known in self.table | self.memory:
                if known.client == m.client and known.key == m.key:
                    self.network.send(known)
        else:
            self.balance += 1
            self.payments[m.client] += 1
            self.remember(Paid(m.client, m.key, self.balance))
            self.network.send(Paid(m.client, m.key, self.balance))

    def remember(self, answer: Paid) -> None:
        """The key and the answer go to the disk with the effect, in one transaction."""
        self.table.add(answer)

    @action(lane="server", mark="crash")
    def crash(self) -> None:
        require(self.up and self.crashes < Crashes.bound)
        self.crashes += 1
        self.up = False
        self.memory.clear()

    @action(lane="server", mark="restart", fair="weak")
    def restart(self) -> None:
        require(not self.up)
        self.up = True

    # What is promised

    @invariant
    def at_most_once(self, c: Client) -> bool:
        """No payment is made twice."""
        return self.payments[c] <= 1

    @invariant
    def answered_is_paid(self, c: Client) -> bool:
        """A client that has an answer has paid."""
        return self.phase[c] != Phase.DONE or self.payments[c] >= 1

    @invariant
    def atomic(self) -> bool:
        """The payments are linearizable: each happens at one moment between its call and its return."""
        return linearizable(self.history, account, Balance(0))

    @leads_to
    def every_payment_is_answered(self, c: Client) -> tuple[bool, bool]:
        """Who waits for an answer gets one at last, if what is sent again and again arrives, and the server comes back."""
        return self.phase[c] == Phase.WAITING, self.phase[c] == Phase.DONE

    @reachable
    def request_outlives_its_answer(self, m: Pay, n: Paid) -> bool:
        """A request can still be under way when its answer has arrived."""
        return m in self.network and n in self.network and m.client == n.client and self.phase[m.client] == Phase.DONE

    @reachable
    def all_done(self) -> bool:
        """Every client can have its answer."""
        return all(self.phase[c] == Phase.DONE for c in Client)

    @reachable
    def effect_without_answer(self, c: Client) -> bool:
        """A payment can have been made while nothing on the wire says so, and the client waits."""
        answers = {m for m in self.network if isinstance(m, Paid) and m.client == c}
        return self.payments[c] == 1 and self.phase[c] == Phase.WAITING and len(answers) == 0


class NoKeys(IdempotentRequests):
    """Requests carry no key, and the client repeats what was not answered, as libraries for HTTP do with a POST.

    One copy is late, another is served, and then the late one is. It needs no timeout: a network that repeats is enough.
    """

    expect = violates("at_most_once")
    bounds: ClassVar[dict[str, int]] = {"Client": 1}

    def remember(self, answer: Paid) -> None:
        pass


class KeyPerAttempt(IdempotentRequests):
    """The key is made where the request is sent, so that a repetition has another.

    To the server they are two payments. A key belongs to what the user wants, and is made before the first attempt.
    """

    expect = violates("at_most_once")
    bounds: ClassVar[dict[str, int]] = {"Client": 1}
    omits: ClassVar[tuple[str, ...]] = ("every_payment_is_answered",)

    def key_of_retry(self, c: Client) -> Key:
        return Key(self.key[c] + 1)


class TableInMemory(IdempotentRequests):
    """The table of keys is in memory, or in a cache beside the database, and a restart loses it.

    The effect is on the disk and the key is not: a repetition after the restart is a new payment.
    """

    expect = violates("at_most_once")
    bounds: ClassVar[dict[str, int]] = {"Client": 1}

    def remember(self, answer: Paid) -> None:
        self.memory.add(answer)


class ForgetsKeys(IdempotentRequests):
    """Keys are removed after a while, whether or not the client has its answer.

    A request that is later than that is served again. How late a message can be is not known; what is known is that the
    client has its answer, if it says so.
    """

    expect = violates("at_most_once")
    bounds: ClassVar[dict[str, int]] = {"Client": 1}

    @action(lane="server", mark="timeout")
    def forget(self, answer: Paid) -> None:
        require(answer in self.table)
        self.table.discard(answer)


class AsksOnce(IdempotentRequests):
    """The client does not ask again: at most once, and perhaps never.

    A request that is lost is never answered. Without repetition there is no other way out than to look at the account.
    """

    expect = violates("every_payment_is_answered")
    bounds: ClassVar[dict[str, int]] = {"Client": 1}
    omits: ClassVar[tuple[str, ...]] = ("retry",)
