"""Forks have an order, and everybody takes the lower one first: then the holder of the highest fork has both."""

from enum import Enum

from quorate import Ordered, Spec, action, invariant, reachable, require, terminal


class Seat(Ordered, size=3):
    """A philosopher, and the fork at the left of the plate."""


class Need(Enum):
    """How many forks a philosopher has."""

    NONE = "none"
    ONE = "one"
    BOTH = "both"


def right_of(s: Seat) -> Seat:
    """The seat whose fork is at the right of the plate."""
    return Seat[(s.index + 1) % len(Seat)]


class Forks(Spec):
    """Philosophers take forks one by one, and put both down after the meal."""

    has: dict[Seat, Need]
    taken: set[Seat]
    meals: set[Seat]

    def first(self, s: Seat) -> Seat:
        """The fork that a philosopher takes first."""
        return min(s, right_of(s))

    def second(self, s: Seat) -> Seat:
        """The other one."""
        return max(s, right_of(s))

    @action
    def take_first(self, s: Seat) -> None:
        require(self.has[s] == Need.NONE and self.first(s) not in self.taken)
        self.taken.add(self.first(s))
        self.has[s] = Need.ONE

    @action
    def take_second(self, s: Seat) -> None:
        require(self.has[s] == Need.ONE and self.second(s) not in self.taken)
        self.taken.add(self.second(s))
        self.has[s] = Need.BOTH

    @action
    def put_down(self, s: Seat) -> None:
        require(self.has[s] == Need.BOTH)
        self.taken.discard(s)
        self.taken.discard(right_of(s))
        self.has[s] = Need.NONE
        self.meals.add(s)

    @invariant
    def neighbours_do_not_eat_together(self, s: Seat) -> bool:
        """A fork is in one hand."""
        return self.has[s] != Need.BOTH or self.has[right_of(s)] != Need.BOTH

    @terminal
    def never(self) -> bool:
        """There is always somebody who can go on."""
        return False

    @reachable
    def hungry_together(self) -> bool:
        """Two have one fork each: nobody waits for the whole table."""
        return len({s for s in Seat if self.has[s] == Need.ONE}) >= 2

    @reachable
    def all_have_eaten(self) -> bool:
        """Everybody gets a meal."""
        return len(self.meals) == len(Seat)
