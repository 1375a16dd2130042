"""What cannot be: facts that follow from each other, so that no proof rests on a case that does not exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from makegood.policy.check.solve import Clause
from makegood.policy.check.space import Literal, Space
from makegood.policy.vocabulary import FACTS

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
        for value in sorted(space.classes[one.name], key=str):
            low, high = _days_of(one.measure, value)
            fitting = frozenset(
                v for v in space.classes[other.name]
                if not (_days_of(other.measure, v)[0] > high or _days_of(other.measure, v)[1] < low)
            )  # fmt: skip
            rest = space.classes[one.name] - {value}
            yield (
                [Literal(((one.name, rest),)), Literal(((other.name, fitting),))]
                if rest
                else [Literal(((other.name, fitting),))]
            )


def _days_of(measure: str, value: int | None) -> tuple[float, float]:
    """The fewest and the most calendar days that a count can stand for."""
    if value is None or value < 0:
        return (float("-inf"), float("inf"))
    if measure == "days":
        return value, value
    if measure == "months":
        return (0, 0) if value == 0 else (28 * (value - 1) + 1, 31 * value)
    if measure == "workdays":  # the longest run of days off that any calendar knows is well below two weeks
        return value, value * 7 / 5 + 16
    return value // DAY, value // DAY + 1


def _fault(space: Space) -> Iterator[Clause]:
    """``fault`` is what was found, where it was found."""
    if not {"fault", "findings.fault"} <= space.classes.keys():
        return
    for value in sorted(space.classes["findings.fault"], key=str):
        if value is not None:
            others = space.classes["findings.fault"] - {value}
            yield [Literal((("findings.fault", others),)), Literal((("fault", frozenset({value})),))]
