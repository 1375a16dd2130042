"""``makegood webhooks …``: endpoints and their deliveries from the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from makegood.accounts.actors import Actor
from makegood.webhooks import commands, queries

TERMINAL = Actor.system("cli")


def now() -> datetime:
    return datetime.now(UTC)


def rows() -> list[dict[str, Any]]:
    """Every endpoint as a plain document."""
    return [{name: getattr(one, name) for name in _SHOWN} for one in queries.endpoints(actor=TERMINAL)]


_SHOWN = ("ref", "state", "why", "url", "label", "events", "waiting", "failed", "failing_since", "last_success_at")


def add(url: str, events: list[str], label: str) -> tuple[str, str]:
    """The new endpoint's reference and its signing secret."""
    endpoint = commands.add_endpoint(url=url, events=events, label=label, actor=TERMINAL, at=now())
    return endpoint.ref, queries.secret_of(endpoint.ref, actor=TERMINAL)


def deliveries(ref: str, *, state: str, limit: int) -> list[dict[str, Any]]:
    """The newest deliveries as plain documents."""
    page = queries.deliveries(ref, actor=TERMINAL, state=state, limit=limit)
    names = ("id", "kind", "case", "seq", "state", "attempts", "status", "failure", "webhook_id", "created_at")
    return [{name: getattr(row, name) for name in names} for row in page.rows]


def replay(ref: str, *, delivery: int | None, since: datetime | None, until: datetime | None, again: bool) -> int:
    """How many are owed anew."""
    if delivery is not None:
        commands.replay_delivery(ref=ref, delivery_id=delivery, actor=TERMINAL, at=now())
        return 1
    begin, end = (one.replace(tzinfo=one.tzinfo or UTC) if one else now() for one in (since, until))
    return commands.replay_range(ref=ref, since=begin, until=end, only_missed=not again, actor=TERMINAL, at=now())
