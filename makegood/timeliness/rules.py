"""Which promises a history holds, and how likely one still open is to be missed. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

# What tells the customer something, and so is a reply.
TOLD = frozenset({"evidence_asked", "approved", "denied", "appeal_decided"})
WRITTEN = frozenset({"message_written", "call_noted"})
ASKED = frozenset({"message_written", "evidence_brought"})
DECIDED = frozenset({"approved", "denied", "withdrawn", "lapsed", "closed"})
PAST_NEEDED = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a case, as far as it matters here."""

    kind: str
    by_customer: bool
    by_staff: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Promised:
    """Something to be done since ``starts_at``; ``ended_at`` where it was."""

    goal: str
    starts_at: datetime
    ended_at: datetime | None


def promises(steps: Sequence[Step], *, closed: bool) -> tuple[Promised, ...]:
    """Every promise of a history: the first reply, a reply to what came after it, and the decision."""
    if not steps:
        return ()
    filed = steps[0].at
    replies = [one for one in steps if is_reply(one)]
    first = replies[0].at if replies else None
    found = [Promised("first_reply", filed, first)]
    waiting: datetime | None = None
    for one in steps:
        if first is None or one.at < first:
            continue
        if is_reply(one) and waiting is not None:
            found.append(Promised("next_reply", waiting, one.at))
            waiting = None
        elif one.by_customer and one.kind in ASKED and waiting is None:
            waiting = one.at
    if waiting is not None:
        found.append(Promised("next_reply", waiting, None))
    decided = next((one.at for one in steps if one.kind in DECIDED), None)
    found.append(Promised("resolution", filed, decided))
    if closed:  # nobody waits any more
        last = steps[-1].at
        return tuple(Promised(one.goal, one.starts_at, one.ended_at or last) for one in found)
    return tuple(found)


def is_reply(one: Step) -> bool:
    return one.kind in TOLD or (one.by_staff and one.kind in WRITTEN)


def chance_of_breach(past: Iterable[float], *, worked: float, allowed: float) -> tuple[int, int] | None:
    """Of the past ones that took longer than this one has so far, how many took longer than it may: (those, of all).

    All in working minutes. None where fewer than five past ones say anything.
    """
    longer = [one for one in past if one > worked]
    if len(longer) < PAST_NEEDED:
        return None
    return sum(1 for one in longer if one > allowed), len(longer)


def most_fitting(targets: Iterable[Mapping[str, object]], *, kind: str, minor: int, customer_id: int) -> int | None:
    """The id of the target that says most about a case: of its customer, then of its kind, then of its value."""
    fitting = [
        one
        for one in targets
        if one["kind"] in {"", kind}
        and one["customer_id"] in {None, customer_id}
        and int(str(one["from_minor"])) <= minor
    ]
    if not fitting:
        return None
    best = max(
        fitting,
        key=lambda one: (one["customer_id"] is not None, one["kind"] != "", int(str(one["from_minor"])), one["id"]),
    )
    return int(str(best["id"]))
