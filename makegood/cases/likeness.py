"""Whether a case is about a problem that another case of the same customer is about already, and why that seems so.

Only cases of one customer are ever compared, by what they are about: order, lines, the problem behind kind and reason,
and time. Words are not compared, so that two people who write alike have nothing to do with each other. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

ENOUGH = 60  # of a hundred: from here on a case is proposed
JUST_CLOSED = timedelta(days=14)  # a case closed longer ago is no longer proposed

# What is the matter, whichever way out of it is asked for: a broken lamp may be returned, exchanged or claimed for.
PROBLEMS: Mapping[str, frozenset[str]] = {
    "not_arrived": frozenset({"not_received", "late", "too_slow", "unreachable", "bad_address", "lost_in_transit"}),
    "broken": frozenset({"damaged", "damaged_on_arrival", "defective", "unsafe_food", "returned_damaged"}),
    "not_as_ordered": frozenset({"wrong_item", "missing_part", "not_as_described", "not_ordered"}),
    "not_genuine": frozenset({"counterfeit", "fraud"}),
    "not_wanted": frozenset({"changed_mind", "ordered_by_mistake", "found_cheaper", "cod_declined"}),
    "money": frozenset({"refund_missing", "fee_not_returned"}),
    "service": frozenset({"slow_handling", "rude", "wrong_information", "promise_broken"}),
}


@dataclass(frozen=True, slots=True)
class About:
    """What a case is about. ``lines`` are numbers of the order's lines; none where the whole order is meant."""

    order_id: int | None
    lines: frozenset[str]
    kind: str
    reason: str
    opened_at: datetime
    closed_at: datetime | None = None
    claimant: str = "customer"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Out of a hundred, and the codes of what speaks for it."""

    score: int
    why: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        return self.score >= ENOUGH


NONE = Likeness(0, ())


def problem_of(reason: str) -> str:
    """The problem behind a reason; empty where it says nothing."""
    return next((name for name, reasons in PROBLEMS.items() if reason in reasons), "")


def likeness(one: About, other: About, *, at: datetime) -> Likeness:
    """How likely two cases of one customer are about one problem; the customer is not looked at here."""
    if one.order_id != other.order_id or one.claimant != other.claimant:
        return NONE
    if other.closed_at is not None and at - other.closed_at > JUST_CLOSED:
        return NONE
    if one.lines and other.lines and not one.lines & other.lines:
        return NONE  # another thing of the order, and so another problem
    found = [
        ("same_order", 35) if one.order_id is not None else ("no_order", 20),
        *_of_lines(one.lines, other.lines),
        *_of_problem(one, other),
        *_of_time(one.opened_at, other, at=at),
    ]
    return Likeness(max(0, sum(points for _why, points in found)), tuple(why for why, points in found if points > 0))


def _of_lines(one: frozenset[str], other: frozenset[str]) -> Iterable[tuple[str, int]]:
    if one & other:
        yield "same_line", 20


def _of_problem(one: About, other: About) -> Iterable[tuple[str, int]]:
    problem = problem_of(one.reason)
    if (one.kind, one.reason) == (other.kind, other.reason):
        yield "same_reason", 35
    elif problem and problem == problem_of(other.reason):
        yield "same_problem", 30
    elif problem and problem_of(other.reason):
        yield "other_problem", -20
    elif one.kind == other.kind:
        yield "same_kind", 10


def _of_time(opened_at: datetime, other: About, *, at: datetime) -> Iterable[tuple[str, int]]:
    apart = abs(opened_at - other.opened_at)
    if apart <= timedelta(days=3):
        yield "same_days", 15
    elif apart <= timedelta(days=14):
        yield "same_weeks", 10
    if other.closed_at is not None:
        yield "just_closed", 0 if at - other.closed_at <= timedelta(days=3) else -10


def likest(wanted: About, known: Sequence[tuple[str, About]], *, at: datetime) -> list[tuple[str, Likeness]]:
    """Of these cases, by reference, those that are enough like it, the likest first."""
    found = [(ref, likeness(wanted, about, at=at)) for ref, about in known]
    return sorted((one for one in found if one[1].is_enough), key=lambda one: (-one[1].score, one[0]))
