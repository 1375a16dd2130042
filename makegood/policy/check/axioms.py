"""What cannot be: facts that follow from each other, so that no proof rests on a case that does not exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from makegood.policy.check.solve import Clause
from makegood.policy.check.space import Literal, Space
from makegood.policy.vocabulary import FACTS, FactSpec

DAY = 86400


def axioms_of(space: Space) -> list[Clause]:
    """Clauses that every case meets, for the facts that the space tests."""
    return [*_same_start(space), *_fault(space)]


def _same_start(space: Space) -> Iterator[Clause]:
    """Days, months, working days and hours since the same moment fit each other."""
    counted = [FACTS[name] for name in sorted(space.classes) if name in FACTS and FACTS[name].since]
    for one, other in itertools.combinations(counted, 2):
        if one.since != other.since:
            continue
        for value in sorted(space.classes[one.name], key=str):  # in one order, so that witnesses never change
            low, high = _days_of(space, one, value)
            fitting = frozenset(
                v
                for v in space.classes[other.name]
                if _days_of(space, other, v)[0] <= high and _days_of(space, other, v)[1] >= low
            )
            rest = space.classes[one.name] - {value}
            yield (
                [Literal(((one.name, rest),)), Literal(((other.name, fitting),))]
                if rest
                else [Literal(((other.name, fitting),))]
            )


def _days_of(space: Space, spec: FactSpec, value: int | None) -> tuple[float, float]:
    """The fewest and the most calendar days that a class of counts can stand for.

    A threshold stands for itself, a class between thresholds for all counts between them.
    """
    if value is None:
        return (float("-inf"), float("inf"))
    edges = [operand.value for operand in space.tests[spec.name] if not operand.fact]
    if value in edges:
        return _span(spec.measure, value, value)
    low = max((edge + 1 for edge in edges if edge < value), default=float("-inf"))
    high = min((edge - 1 for edge in edges if edge > value), default=float("inf"))
    return _span(spec.measure, low, high)


def _span(measure: str, low: float, high: float) -> tuple[float, float]:
    """Counts from ``low`` to ``high`` as calendar days."""
    if measure == "months":
        first = 28 * (low - 1) + 1 if low > 0 else 0 if low == 0 else float("-inf")
        return first, 31 * max(0, high)
    if measure == "workdays":  # the longest run of days off that any calendar knows is well below two weeks
        return low if low >= 0 else float("-inf"), max(0, high) * 7 / 5 + 16
    if measure == "hours":  # in seconds
        return low // DAY, high // DAY + 1
    return low, high


def _fault(space: Space) -> Iterator[Clause]:
    """``fault`` is what was found, where it was found."""
    if not {"fault", "findings.fault"} <= space.classes.keys():
        return
    for value in sorted(space.classes["findings.fault"], key=str):
        if value is not None:
            others = space.classes["findings.fault"] - {value}
            yield [Literal((("findings.fault", others),)), Literal((("fault", frozenset({value})),))]
