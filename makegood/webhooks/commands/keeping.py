"""Endpoints: added, changed, paused, given new secrets, removed; each by who manages the merchant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from makegood.accounts.actors import Actor, require
from makegood.accounts.commands import record_event
from makegood.accounts.states import May
from makegood.kit import db, errors, outgoing, refs
from makegood.webhooks.models import Delivery, Endpoint
from makegood.webhooks.queries import EndpointUnknown
from makegood.webhooks.secrets import Secrets
from makegood.webhooks.states import EVENTS, DeliveryState, EndpointState

ENDPOINTS_MAX = 20
PREVIOUS_SIGNS_FOR = timedelta(hours=24)


class EventUnknown(errors.Malformed):
    code = "webhook_event_unknown"
    message = "{field}: there is no event {value}."


class EndpointMalformed(errors.Malformed):
    code = "webhook_endpoint_malformed"
    message = "{field}: {value} cannot be used ({rule})."


class TooManyEndpoints(errors.Refused):
    code = "too_many_webhooks"
    message = "There are {value} endpoints already; remove one first."


@db.command
def add_endpoint(*, url: str, events: Sequence[str] = (), label: str = "", actor: Actor, at: datetime) -> Endpoint:
    """Name an address for events; all of them where none are chosen. Nothing is called yet.

    Raises NotAllowed, AddressMalformed, EventUnknown, EndpointMalformed, TooManyEndpoints.
    """
    require(actor, May.MANAGE)
    count = Endpoint.objects.count()
    if count >= ENDPOINTS_MAX:
        raise TooManyEndpoints(count, field="webhook", rule=f"at_most_{ENDPOINTS_MAX}")
    endpoint = Endpoint.objects.create(
        ref=refs.new_ref("W"),
        url=outgoing.check_url(url),
        label=_label(label),
        events=_events(events),
        secrets=Secrets.fresh().sealed(),
        state=EndpointState.ACTIVE,
        created_at=at,
    )
    record_event("webhook_added", f"webhook:{endpoint.ref}", actor, at, url=endpoint.url, events=endpoint.events)
    return endpoint


@db.command
def change_endpoint(
    *, ref: str, url: str | None = None, events: Sequence[str] | None = None, label: str | None = None,
    actor: Actor, at: datetime,
) -> Endpoint:  # fmt: skip
    """Change what is given and leave the rest. Raises as ``add_endpoint``, and EndpointUnknown."""
    endpoint = lock_endpoint(ref, actor)
    if url is not None:
        endpoint.url = outgoing.check_url(url)
    if events is not None:
        endpoint.events = _events(events)
    if label is not None:
        endpoint.label = _label(label)
    endpoint.save(update_fields=["url", "events", "label"])
    record_event("webhook_changed", f"webhook:{ref}", actor, at, url=endpoint.url, events=endpoint.events)
    return endpoint


@db.command
def pause_endpoint(*, ref: str, actor: Actor, at: datetime) -> Endpoint:
    """Send nothing until resumed; what happens meanwhile is kept for later. Raises NotAllowed, EndpointUnknown."""
    endpoint = lock_endpoint(ref, actor)
    if endpoint.state == EndpointState.ACTIVE:
        endpoint.state = EndpointState.PAUSED
        endpoint.save(update_fields=["state"])
        hold_deliveries(endpoint.id)
        record_event("webhook_paused", f"webhook:{ref}", actor, at)
    return endpoint


@db.command
def resume_endpoint(*, ref: str, actor: Actor, at: datetime) -> Endpoint:
    """Send again, beginning with what was held back; also after failures switched it off.

    What happened while it was switched off is not owed: ``replay_range`` sends it. Raises NotAllowed, EndpointUnknown.
    """
    endpoint = lock_endpoint(ref, actor)
    if endpoint.state != EndpointState.ACTIVE:
        endpoint.state, endpoint.why, endpoint.failing_since = EndpointState.ACTIVE, "", None
        endpoint.save(update_fields=["state", "why", "failing_since"])
        Delivery.objects.filter(endpoint_id=endpoint.id, state=DeliveryState.HELD).update(
            state=DeliveryState.DUE, next_at=at
        )
        record_event("webhook_resumed", f"webhook:{ref}", actor, at)
    return endpoint


@db.command
def rotate_secret(*, ref: str, actor: Actor, at: datetime, previous_for: timedelta = PREVIOUS_SIGNS_FOR) -> Endpoint:
    """Make a new signing secret; for a while both sign, so that a receiver can change over without losing anything.

    Raises NotAllowed, EndpointUnknown, EndpointMalformed.
    """
    if not timedelta(0) <= previous_for <= timedelta(days=30):
        raise EndpointMalformed(previous_for, field="previous_for", rule="0_to_30_days")
    endpoint = lock_endpoint(ref, actor)
    endpoint.secrets = Secrets.unsealed(endpoint.secrets, ref=ref).rotated(until=at + previous_for).sealed()
    endpoint.save(update_fields=["secrets"])
    record_event("webhook_secret_rotated", f"webhook:{ref}", actor, at)
    return endpoint


@db.command
def remove_endpoint(*, ref: str, actor: Actor, at: datetime) -> None:
    """Forget an endpoint with its deliveries and their log. Raises NotAllowed, EndpointUnknown."""
    endpoint = lock_endpoint(ref, actor)
    db.execute(
        "delete from webhooks_attempt where delivery_id in (select id from webhooks_delivery where endpoint_id = %s)",
        [endpoint.id],
    )
    db.execute("delete from webhooks_delivery where endpoint_id = %s", [endpoint.id])
    db.execute("delete from webhooks_endpoint where id = %s", [endpoint.id])
    record_event("webhook_removed", f"webhook:{ref}", actor, at, url=endpoint.url)


def lock_endpoint(ref: str, actor: Actor) -> Endpoint:
    """Raises NotAllowed, EndpointUnknown."""
    db.require_transaction()
    require(actor, May.MANAGE)
    found = Endpoint.objects.select_for_update().filter(ref=ref.replace("\0", "")).first()
    if found is None:
        raise EndpointUnknown(ref, field="webhook", rule="known_endpoint")
    return found


def hold_deliveries(endpoint_id: int) -> None:
    db.require_transaction()
    db.execute("update webhooks_delivery set state = 'held' where endpoint_id = %s and state = 'due'", [endpoint_id])


def _events(events: Sequence[str]) -> list[str]:
    for event in events:
        if event not in EVENTS:
            raise EventUnknown(event, field="events", rule="event_of_the_reference")
    return sorted(set(events))


def _label(label: str) -> str:
    label = label.strip()
    if len(label) > 80 or "\0" in label:
        raise EndpointMalformed(label, field="label", rule="at_most_80_characters")
    return label
