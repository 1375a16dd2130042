"""Sending again: one delivery, everything of a span of time, or a test. The webhook id stays, so receivers can tell."""

from __future__ import annotations

import uuid
from datetime import datetime

from makegood.accounts.actors import Actor
from makegood.accounts.commands import record_event
from makegood.kit import db, errors
from makegood.webhooks.commands.keeping import lock_endpoint
from makegood.webhooks.models import Delivery
from makegood.webhooks.queries import DeliveryUnknown
from makegood.webhooks.states import TEST, DeliveryState, EndpointState

REPLAY_MAX = 10_000


class EndpointNotActive(errors.Refused):
    code = "webhook_not_active"
    message = "The endpoint {value} is not active; resume it first."


class SpanMalformed(errors.Malformed):
    code = "replay_span_malformed"
    message = "{field}: {value} cannot be replayed ({rule})."


@db.command
def replay_delivery(*, ref: str, delivery_id: int, actor: Actor, at: datetime) -> None:
    """Send one delivery anew, with all its tries. Raises NotAllowed, EndpointUnknown, DeliveryUnknown, …NotActive."""
    endpoint = _active(ref, actor)
    touched = db.execute(
        "update webhooks_delivery set state = 'due', attempts = 0, next_at = %s, done_at = null"
        " where id = %s and endpoint_id = %s",
        [at, delivery_id, endpoint],
    )
    if not touched:
        raise DeliveryUnknown(delivery_id, field="delivery", rule="delivery_of_the_endpoint")
    record_event("webhook_replayed", f"webhook:{ref}", actor, at, delivery=delivery_id)


@db.command
def replay_range(
    *, ref: str, since: datetime, until: datetime, only_missed: bool = True, actor: Actor, at: datetime
) -> int:
    """Owe the endpoint every chosen event of a span anew; how many. ``only_missed`` leaves out what was delivered.

    Events that happened while the endpoint was switched off, or before it was named, are owed for the first time.
    Raises NotAllowed, EndpointUnknown, EndpointNotActive, SpanMalformed.
    """
    if not since < until:
        raise SpanMalformed(since.isoformat(), field="since", rule="before_until")
    endpoint = _active(ref, actor)
    rows = db.fetch(
        """
        with wanted as (
          select ev.id, ev.kind from cases_caseevent ev, webhooks_endpoint e
           where e.id = %(endpoint)s and ev.happened_at >= %(since)s and ev.happened_at < %(until)s
             and (e.events = '[]'::jsonb or e.events ? ('case.' || ev.kind))
           order by ev.id limit %(most)s)
        insert into webhooks_delivery as d
               (endpoint_id, event_id, kind, webhook_id, state, attempts, next_at, created_at)
        select %(endpoint)s, w.id, 'case.' || w.kind, 'msg_' || replace(gen_random_uuid()::text, '-', ''),
               'due', 0, %(at)s, %(at)s
          from wanted w
            on conflict (merchant_id, endpoint_id, event_id) do update
           set state = 'due', attempts = 0, next_at = excluded.next_at, done_at = null
         where not (%(missed)s and d.state = 'delivered')
        returning d.id
        """,
        {
            "endpoint": endpoint,
            "since": since,
            "until": until,
            "at": at,
            "missed": only_missed,
            "most": REPLAY_MAX + 1,
        },
    )
    if len(rows) > REPLAY_MAX:
        raise SpanMalformed(len(rows), field="until", rule=f"at_most_{REPLAY_MAX}_events")
    record_event("webhook_replayed", f"webhook:{ref}", actor, at, since=since.isoformat(), until=until.isoformat())
    return len(rows)


@db.command
def send_test(*, ref: str, actor: Actor, at: datetime) -> str:
    """Owe the endpoint a test, signed and delivered like everything else; its webhook id.

    Raises NotAllowed, EndpointUnknown, EndpointNotActive.
    """
    endpoint = _active(ref, actor)
    webhook_id = f"msg_{uuid.uuid4().hex}"
    Delivery.objects.create(
        endpoint_id=endpoint,
        kind=TEST,
        webhook_id=webhook_id,
        state=DeliveryState.DUE,
        attempts=0,
        next_at=at,
        created_at=at,
    )
    return webhook_id


def _active(ref: str, actor: Actor) -> int:
    endpoint = lock_endpoint(ref, actor)
    if endpoint.state != EndpointState.ACTIVE:
        raise EndpointNotActive(ref, field="webhook", rule="active")
    return endpoint.id
