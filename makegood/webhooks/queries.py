"""Reading endpoints, the deliveries they are owed, and what came of each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.kit import db, errors
from makegood.kit.wire import page_of, read_cursor
from makegood.webhooks.secrets import Secrets
from makegood.webhooks.states import PREFIX, TEST


class EndpointUnknown(errors.Unknown):
    code = "webhook_unknown"
    message = "There is no webhook endpoint {value}."


class DeliveryUnknown(errors.Unknown):
    code = "webhook_delivery_unknown"
    message = "There is no delivery {value}."


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint with how many deliveries stand where."""

    id: int
    ref: str
    url: str
    label: str
    events: tuple[str, ...]
    state: str
    why: str
    failing_since: datetime | None
    last_success_at: datetime | None
    created_at: datetime
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class DeliveryView:
    id: int
    kind: str
    webhook_id: str
    state: str
    attempts: int
    next_at: datetime
    created_at: datetime
    done_at: datetime | None
    case: str
    seq: int | None
    status: int | None  # of the last attempt
    failure: str


@dataclass(frozen=True, slots=True)
class AttemptView:
    number: int
    started_at: datetime
    milliseconds: int
    status: int | None
    failure: str
    request_head: str
    response_head: str


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    rows: tuple[DeliveryView, ...]
    next: str | None


_ENDPOINT = """
select e.id, e.ref, e.url, e.label, e.events, e.state, e.why, e.failing_since, e.last_success_at, e.created_at,
       (select count(*) from webhooks_delivery d where d.endpoint_id = e.id and d.state in ('due', 'held')) as waiting,
       (select count(*) from webhooks_delivery d where d.endpoint_id = e.id and d.state = 'failed') as failed
  from webhooks_endpoint e
"""


@db.query
def endpoints(*, actor: Actor) -> tuple[EndpointView, ...]:
    """Every endpoint, oldest first. Raises NotAllowed."""
    require(actor, May.MANAGE)
    return tuple(_endpoint(row) for row in db.fetch(_ENDPOINT + " order by e.id"))


@db.query
def endpoint(ref: str, *, actor: Actor) -> EndpointView:
    """Raises NotAllowed, EndpointUnknown."""
    require(actor, May.MANAGE)
    rows = db.fetch(_ENDPOINT + " where e.ref = %s", [ref.replace("\0", "")])
    if not rows:
        raise EndpointUnknown(ref, field="webhook", rule="known_endpoint")
    return _endpoint(rows[0])


@db.query
def secret_of(ref: str, *, actor: Actor) -> str:
    """The signing secret to verify with. Raises NotAllowed, EndpointUnknown, SecretsSealedElsewhere."""
    require(actor, May.MANAGE)
    row = db.fetch_one("select secrets from webhooks_endpoint where ref = %s", [ref.replace("\0", "")])
    if row is None:
        raise EndpointUnknown(ref, field="webhook", rule="known_endpoint")
    return Secrets.unsealed(row["secrets"], ref=ref).current


_DELIVERY = """
select d.id, d.kind, d.webhook_id, d.state, d.attempts, d.next_at, d.created_at, d.done_at,
       coalesce(c.ref, '') as "case", ev.seq, a.status, coalesce(a.failure, '') as failure
  from webhooks_delivery d
  left join cases_caseevent ev on ev.id = d.event_id
  left join cases_case c on c.id = ev.case_id
  left join lateral (select status, failure from webhooks_attempt a where a.delivery_id = d.id
                      order by a.id desc limit 1) a on true
"""


@db.query
def deliveries(
    ref: str, *, actor: Actor, state: str = "", case: str = "", after: str = "", limit: int = 50
) -> DeliveriesPage:
    """What an endpoint was and is owed, newest first. Raises NotAllowed, EndpointUnknown, CursorMalformed."""
    found = endpoint(ref, actor=actor)
    conditions, params = ["d.endpoint_id = %s"], [found.id]  # type: tuple[list[str], list[Any]]
    if state:
        conditions.append("d.state = %s")
        params.append(state)
    if case:
        conditions.append("c.ref = %s")
        params.append(case.replace("\0", ""))
    if after:
        (last,) = read_cursor(after, int)
        conditions.append("d.id < %s")
        params.append(last)
    rows = db.fetch(_DELIVERY + f" where {' and '.join(conditions)} order by d.id desc limit {limit + 1}", params)
    page, following = page_of([DeliveryView(**row) for row in rows], limit, lambda row: (row.id,))
    return DeliveriesPage(tuple(page), following)


@db.query
def attempts(ref: str, delivery_id: int, *, actor: Actor) -> tuple[AttemptView, ...]:
    """Every attempt at a delivery of an endpoint, oldest first. Raises NotAllowed, EndpointUnknown, DeliveryUnknown."""
    found = endpoint(ref, actor=actor)
    if not 0 < delivery_id < 2**62 or not db.fetch(
        "select 1 from webhooks_delivery where id = %s and endpoint_id = %s", [delivery_id, found.id]
    ):
        raise DeliveryUnknown(delivery_id, field="delivery", rule="delivery_of_the_endpoint")
    rows = db.fetch(
        "select number, started_at, milliseconds, status, failure, request_head, response_head from webhooks_attempt"
        " where delivery_id = %s order by id",
        [delivery_id],
    )
    return tuple(AttemptView(**row) for row in rows)


@db.query
def body_of(delivery_id: int) -> Mapping[str, Any]:
    """What is sent: made of the event, which never changes, so that every attempt says the same.

    Raises DeliveryUnknown.
    """
    row = db.fetch_one(
        'select d.kind, d.created_at, ev.seq, ev.actor, ev.happened_at, ev.data, c.ref as "case", c.kind as case_kind,'
        " coalesce(o.number, '') as order_number from webhooks_delivery d"
        " left join cases_caseevent ev on ev.id = d.event_id left join cases_case c on c.id = ev.case_id"
        " left join orders_order o on o.id = c.order_id where d.id = %s",
        [delivery_id],
    )
    if row is None:
        raise DeliveryUnknown(delivery_id, field="delivery")
    if row["kind"] == TEST:
        return {"type": TEST, "timestamp": row["created_at"].isoformat(), "data": {}}
    return {
        "type": row["kind"],
        "timestamp": row["happened_at"].isoformat(),
        "data": {
            "case": row["case"],
            "seq": row["seq"],
            "kind": row["case_kind"],
            "order": row["order_number"],
            "actor": row["actor"],
            row["kind"].removeprefix(PREFIX): db.read_json(row["data"]),
        },
    }


def _endpoint(row: dict[str, Any]) -> EndpointView:
    return EndpointView(**{**row, "events": tuple(db.read_json(row["events"]))})
