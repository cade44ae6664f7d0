"""Marks where they do not belong, for `test_laws.py`."""

from quorate import Nat, Spec, action, law, merge, violates


class Count(Nat, max=3):
    """How many."""


@merge
def one_argument(a: Count) -> Count:
    return a


@merge
def other_result(a: Count, b: Count) -> bool:
    return a < b


@merge
def no_annotation(a: Count, b) -> Count:  # type: ignore[no-untyped-def]
    return a


@law
def not_a_predicate(a: Count) -> Count:  # type: ignore[type-var]
    return a


@merge(expect=violates("symmetric"))
def unknown_law(a: Count, b: Count) -> Count:
    return max(a, b)


def wrong(a: Count) -> bool:
    return a > 0


@merge(order=wrong)
def wrong_order(a: Count, b: Count) -> Count:
    return max(a, b)


class Reading(Spec):
    """Its merge looks at the state."""

    limit: Count

    @action
    def grow(self) -> None:
        self.limit += 1

    @merge
    def join(self, a: Count, b: Count) -> Count:
        return max(a, b, self.limit)
