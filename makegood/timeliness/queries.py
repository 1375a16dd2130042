"""Reading promises: what is at risk, with an honest forecast; targets; what somebody holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.kit import db
from makegood.kit.worktime import work_between
from makegood.timeliness import rules
from makegood.timeliness.models import HandOver, Target

PAST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A promise still open.

    ``breach`` of the ``of`` past ones that took longer than this one has so far took longer than it may.
    """

    ref: str
    kind: str
    reason: str
    customer_name: str
    assigned_to: int | None
    goal: str
    state: str
    due_at: datetime | None
    minutes_left: int | None
    breach: int | None
    of: int | None

    @property
    def percent(self) -> int | None:
        return None if self.breach is None or not self.of else round(100 * self.breach / self.of)


@db.query
def at_risk(*, at: datetime, limit: int = 100) -> list[AtRisk]:
    """Promises still open: missed ones first, then the likeliest to be missed, then the next due."""
    rows = db.fetch(
        "select p.goal, p.kind, p.state, p.starts_at, p.due_at, p.allowed, c.ref, c.reason, c.assigned_to,"
        " cu.name as customer_name from timeliness_promise p join cases_case c on c.id = p.case_id"
        " join customers_customer cu on cu.id = c.customer_id where p.ended_at is null and c.closed_at is null"
        " order by p.due_at nulls last limit %s",
        [limit],
    )
    calendar = accounts.settings_of_merchant().calendar
    past: dict[tuple[str, str], list[float]] = {}
    found = []
    for row in rows:
        key = (row["goal"], row["kind"])
        if key not in past:
            past[key] = _past(*key)
        left = worked = None
        if row["due_at"] is not None:
            left = int(work_between(calendar, at, row["due_at"]).total_seconds() // 60) if row["due_at"] > at else 0
            worked = max(0, row["allowed"] - left)
        chance = None
        if worked is not None and row["state"] == "open":
            chance = rules.chance_of_breach(past[key], worked=worked, allowed=row["allowed"])
        found.append(
            AtRisk(
                **{name: row[name] for name in ("ref", "kind", "reason", "customer_name", "assigned_to", "goal")},
                state=row["state"],
                due_at=row["due_at"],
                minutes_left=left,
                breach=chance[0] if chance else None,
                of=chance[1] if chance else None,
            )
        )
    far = datetime.max.replace(tzinfo=at.tzinfo)
    return sorted(found, key=lambda one: (one.state != "missed", -(one.percent or 0), one.due_at or far))


def _past(goal: str, kind: str) -> list[float]:
    rows = db.fetch(
        "select worked from timeliness_promise where goal = %s and kind = %s and worked is not null"
        " order by ended_at desc limit %s",
        [goal, kind, PAST_LOOKED_AT],
    )
    return [float(row["worked"]) for row in rows]


@db.query
def targets() -> list[Target]:
    """In force, the most general first."""
    return list(Target.objects.filter(ended_at__isnull=True).order_by("kind", "from_minor", "id"))


@db.query
def hand_overs(*, limit: int = 20) -> list[HandOver]:
    return list(HandOver.objects.order_by("-id")[:limit])


@db.query
def merchants_promising(_at: datetime, _limit: int) -> list[int]:
    """Merchants who promise anything in time."""
    return [row["id"] for row in db.fetch("select timeliness_merchants() as id")]
