"""What cannot be: facts that follow from each other, so that no proof rests on a case that does not exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

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
        spans = {v: _days_of(other.measure, *span) for v, span in _spans(space.classes[other.name])}
        for value, span in _spans(space.classes[one.name]):
            low, high = _days_of(one.measure, *span)
            fitting = frozenset(v for v, (least, most) in spans.items() if least <= high and most >= low)
            rest = space.classes[one.name] - {value}
            ways = [Literal(((other.name, fitting),))] if fitting else []
            yield [Literal(((one.name, rest),)), *ways] if rest else ways


def fitted(case: Mapping[str, Any], classes: Mapping[str, frozenset[Any]]) -> dict[str, Any]:
    """The case with a count of days for which its months, working days and hours since the same moment are so too.

    Where days are counted, the others say nothing more and are left out.
    """
    counted = [name for name in case if name in FACTS and FACTS[name].since]
    found = dict(case)
    for days in [name for name in counted if FACTS[name].measure == "days" and case[name] is not None]:
        low, high = float("-inf"), float("inf")
        for name in counted:
            if FACTS[name].since == FACTS[days].since:
                span = dict(_spans(classes[name]))[case[name]]
                least, most = _days_of(FACTS[name].measure, *span)
                if FACTS[name].measure == "months":  # so many days that it is so whatever the months' lengths
                    least, most = (31 * (span[0] - 1) + 1 if span[0] > 0 else least), 28 * span[1]
                low, high = max(low, least), min(high, most)
        if low > high:  # no count of days is sure to be so many months: those are counted by themselves
            found.pop(days)
            continue
        for name in counted:
            if name != days and FACTS[name].since == FACTS[days].since:
                found.pop(name)
        found[days] = int(min(max(case[days], low), high))
    return found


def _spans(classes: frozenset[Any]) -> list[tuple[Any, tuple[float, float]]]:
    """The counts for which each class stands: up to it from the one before; the last one for all above, too."""
    known = sorted(value for value in classes if value is not None)
    spans = []
    for at, value in enumerate(known):
        low = known[at - 1] + 1 if at else float("-inf")
        spans.append((value, (low, value if at + 1 < len(known) else float("inf"))))
    return spans + ([(None, (float("-inf"), float("inf")))] if None in classes else [])


def _days_of(measure: str, low: float, high: float) -> tuple[float, float]:
    """The fewest and the most calendar days that counts from ``low`` to ``high`` can stand for."""
    if measure == "days":
        return low, high
    if measure == "months":
        return (28 * (low - 1) + 1 if low > 0 else low, 31 * high if high > 0 else high)
    if measure == "workdays":  # the longest run of days off that any calendar knows is well below two weeks
        return low, high * 7 / 5 + 16
    return low // DAY, high // DAY + 1


def _fault(space: Space) -> Iterator[Clause]:
    """``fault`` is what was found, where it was found."""
    if not {"fault", "findings.fault"} <= space.classes.keys():
        return
    for value in sorted(space.classes["findings.fault"], key=str):
        if value is not None:
            others = space.classes["findings.fault"] - {value}
            yield [Literal((("findings.fault", others),)), Literal((("fault", frozenset({value})),))]
