"""Webhooks over HTTP: each route is one command or one query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from makegood.accounts.api import actor_of, bearer, once
from makegood.accounts.states import May
from makegood.kit.wire import PAGE_LIMIT, PAGE_LIMIT_MAX, Moment, Page, Plain
from makegood.webhooks import commands, queries
from makegood.webhooks.models import Endpoint

router = Router(tags=["webhooks"])

Url = Annotated[str, Field(min_length=1, max_length=500, examples=["https://example.com/hooks/makegood"])]
Label = Annotated[str, Field(max_length=80)]
Events = Annotated[list[str], Field(max_length=200, examples=[["case.approved", "case.denied"]])]
Limit = Annotated[int, Field(ge=1, le=PAGE_LIMIT_MAX)]


class EndpointIn(Plain):
    url: Url
    events: Events = Field([], description="All of them, where empty.")
    label: Label = ""


class EndpointChange(Plain):
    url: Url | None = None
    events: Events | None = None
    label: Label | None = None


class EndpointOut(Plain):
    ref: str
    url: str
    label: str
    events: list[str]
    state: str = Field(description="active, paused, or disabled after failures (`why`: gone or failing).")
    why: str
    failing_since: datetime | None
    last_success_at: datetime | None
    created_at: datetime
    waiting: int = Field(description="Deliveries still to be sent.")
    failed: int = Field(description="Deliveries given up.")


class EndpointsOut(Plain):
    data: list[EndpointOut]


class SecretOut(Plain):
    secret: str = Field(description="With which the signature is verified, as Standard Webhooks writes it.")


class RotateIn(Plain):
    previous_hours: int = Field(
        default=24, strict=True, ge=0, le=720, description="How long the previous secret signs too."
    )


class SentOut(Plain):
    webhook_id: str


class ReplayIn(Plain):
    """One delivery, or everything of a span of time."""

    delivery: int | None = Field(None, strict=True, ge=1, le=2**62)
    since: Moment | None = None
    until: Moment | None = None
    only_missed: bool = Field(default=True, strict=True, description="Leave out what was delivered.")


class ReplayedOut(Plain):
    deliveries: int


class DeliveryOut(Plain):
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
    status: int | None
    failure: str


class DeliveryPage(Page[DeliveryOut]):
    pass


class AttemptOut(Plain):
    number: int
    started_at: datetime
    milliseconds: int
    status: int | None
    failure: str
    request_head: str
    response_head: str


class AttemptsOut(Plain):
    data: list[AttemptOut]


def _now() -> datetime:
    return datetime.now(UTC)


@router.get("/webhooks", auth=bearer(May.MANAGE), response={200: EndpointsOut})
def list_webhooks(request: HttpRequest) -> EndpointsOut:
    """Every endpoint of the merchant, oldest first."""
    return EndpointsOut(data=[_out(one) for one in queries.endpoints(actor=actor_of(request))])


@router.post("/webhooks", auth=bearer(May.MANAGE), response={201: EndpointOut})
@once
def add_webhook(request: HttpRequest, body: EndpointIn) -> tuple[int, EndpointOut]:
    """Name an address for events of cases; its signing secret is read from a route of its own."""
    actor = actor_of(request)
    added = commands.add_endpoint(url=body.url, events=body.events, label=body.label, actor=actor, at=_now())
    return 201, _shown(request, added)


@router.get("/webhooks/{ref}", auth=bearer(May.MANAGE), response={200: EndpointOut})
def show_webhook(request: HttpRequest, ref: str) -> EndpointOut:
    """One endpoint, and how many deliveries stand where."""
    return _out(queries.endpoint(ref, actor=actor_of(request)))


@router.patch("/webhooks/{ref}", auth=bearer(May.MANAGE), response={200: EndpointOut})
@once
def change_webhook(request: HttpRequest, ref: str, body: EndpointChange) -> EndpointOut:
    """Change what is given: address, events, label."""
    given: dict[str, Any] = {"url": body.url, "events": body.events, "label": body.label}
    return _shown(request, commands.change_endpoint(ref=ref, **given, actor=actor_of(request), at=_now()))


@router.delete("/webhooks/{ref}", auth=bearer(May.MANAGE), response={204: None})
@once
def remove_webhook(request: HttpRequest, ref: str) -> tuple[int, None]:
    """Forget an endpoint, what it is owed, and its log."""
    commands.remove_endpoint(ref=ref, actor=actor_of(request), at=_now())
    return 204, None


@router.get("/webhooks/{ref}/secret", auth=bearer(May.MANAGE), response={200: SecretOut})
def show_webhook_secret(request: HttpRequest, ref: str) -> SecretOut:
    """The secret with which to verify signatures."""
    return SecretOut(secret=queries.secret_of(ref, actor=actor_of(request)))


@router.post("/webhooks/{ref}/secret", auth=bearer(May.MANAGE), response={200: EndpointOut})
@once
def rotate_webhook_secret(request: HttpRequest, ref: str, body: RotateIn | None = None) -> EndpointOut:
    """Make a new secret; for a while both sign."""
    hours = (body or RotateIn()).previous_hours
    actor = actor_of(request)
    return _shown(request, commands.rotate_secret(ref=ref, previous_for=timedelta(hours=hours), actor=actor, at=_now()))


@router.post("/webhooks/{ref}/pause", auth=bearer(May.MANAGE), response={200: EndpointOut})
@once
def pause_webhook(request: HttpRequest, ref: str) -> EndpointOut:
    """Send nothing until resumed; what happens meanwhile is kept."""
    return _shown(request, commands.pause_endpoint(ref=ref, actor=actor_of(request), at=_now()))


@router.post("/webhooks/{ref}/resume", auth=bearer(May.MANAGE), response={200: EndpointOut})
@once
def resume_webhook(request: HttpRequest, ref: str) -> EndpointOut:
    """Send again, also after failures switched the endpoint off."""
    return _shown(request, commands.resume_endpoint(ref=ref, actor=actor_of(request), at=_now()))


@router.post("/webhooks/{ref}/deliveries/test", auth=bearer(May.MANAGE), response={202: SentOut})
@once
def test_webhook(request: HttpRequest, ref: str) -> tuple[int, SentOut]:
    """Send a test event, signed and logged like everything else."""
    return 202, SentOut(webhook_id=commands.send_test(ref=ref, actor=actor_of(request), at=_now()))


@router.post("/webhooks/{ref}/deliveries/replay", auth=bearer(May.MANAGE), response={202: ReplayedOut})
@once
def replay_webhook(request: HttpRequest, ref: str, body: ReplayIn) -> tuple[int, ReplayedOut]:
    """Send one delivery again, or every chosen event of a span of time."""
    actor, at = actor_of(request), _now()
    if body.delivery is not None:
        commands.replay_delivery(ref=ref, delivery_id=body.delivery, actor=actor, at=at)
        return 202, ReplayedOut(deliveries=1)
    count = commands.replay_range(
        ref=ref,
        since=body.since or at,
        until=body.until or at,
        only_missed=body.only_missed,
        actor=actor,
        at=at,
    )
    return 202, ReplayedOut(deliveries=count)


@router.get("/webhooks/{ref}/deliveries", auth=bearer(May.MANAGE), response={200: DeliveryPage})
def list_deliveries(
    request: HttpRequest, ref: str, state: str = "", case: str = "", cursor: str = "", limit: Limit = PAGE_LIMIT
) -> DeliveryPage:
    """What the endpoint was and is owed, newest first."""
    actor = actor_of(request)
    page = queries.deliveries(ref, actor=actor, state=state, case=case, after=cursor, limit=limit)
    return DeliveryPage(data=[_delivery(one) for one in page.rows], next_cursor=page.next)


@router.get("/webhooks/{ref}/deliveries/{delivery}", auth=bearer(May.MANAGE), response={200: AttemptsOut})
def show_delivery(request: HttpRequest, ref: str, delivery: int) -> AttemptsOut:
    """Every attempt at one delivery, with the heads of request and answer."""
    actor = actor_of(request)
    return AttemptsOut(data=_attempts(queries.attempts(ref, delivery, actor=actor)))


def _shown(request: HttpRequest, endpoint: Endpoint) -> EndpointOut:
    return _out(queries.endpoint(endpoint.ref, actor=actor_of(request)))


def _out(view: queries.EndpointView) -> EndpointOut:
    return EndpointOut(**{name: getattr(view, name) for name in EndpointOut.model_fields} | {"events": [*view.events]})


def _delivery(view: queries.DeliveryView) -> DeliveryOut:
    return DeliveryOut(**{name: getattr(view, name) for name in DeliveryOut.model_fields})


def _attempts(views: Sequence[queries.AttemptView]) -> list[AttemptOut]:
    return [AttemptOut(**{name: getattr(one, name) for name in AttemptOut.model_fields}) for one in views]
