"""Sending what is due: claim in one transaction, call outside any, note in another. At least once, never lost.

A process that dies between leaves a claim that runs out; the delivery is then sent again under the same webhook id.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

import makegood
from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.commands import record_event
from makegood.accounts.states import Role
from makegood.conversations.commands import write_letter
from makegood.kit import db, errors, outgoing
from makegood.kit.failpoints import failpoint
from makegood.kit.vault import SecretsSealedElsewhere
from makegood.webhooks import queries, rules
from makegood.webhooks.commands.keeping import hold_deliveries
from makegood.webhooks.models import Attempt, Delivery, Endpoint
from makegood.webhooks.secrets import Secrets
from makegood.webhooks.states import DeliveryState, EndpointState

BATCH = 16
PER_ENDPOINT = 4  # so that one slow receiver does not take the whole batch
CLAIM = timedelta(seconds=90)  # longer than a call may last
KEPT_FOR = timedelta(days=30)
OURSELVES = Actor.system("webhooks")
_SECRET_HEADERS = ("webhook-signature",)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send until the claim runs out."""

    id: int
    endpoint_id: int
    ref: str
    url: str
    webhook_id: str
    attempts: int  # this one included
    body: bytes
    signing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call."""

    started_at: datetime
    milliseconds: int
    status: int | None
    failure: str
    request_head: str
    response_head: str
    retry_after: str


@db.query
def merchants_due(at: datetime, limit: int) -> list[int]:
    """Merchants with a delivery that is due."""
    return [row["id"] for row in db.fetch("select webhooks_merchants_due(%s, %s) as id", [at, limit])]


def send_due(at: datetime) -> int:
    """Send a batch of what is due for the merchant in sight; how many."""
    claimed = claim(at=at)
    if not claimed:
        return 0
    failpoint("webhooks.claimed")
    with ThreadPoolExecutor(len(claimed), thread_name_prefix="webhook") as pool:
        outcomes = list(pool.map(lambda one: call(one, at=at), claimed))
    failpoint("webhooks.called")
    for one, outcome in zip(claimed, outcomes, strict=True):
        note(one, outcome, at=at)
    return len(claimed)


@db.command
def claim(*, at: datetime) -> list[Claimed]:
    """Take what is due for ourselves for a while, the oldest first, some of each endpoint."""
    rows = db.fetch(
        """
        with first as (
          select d.id from webhooks_endpoint e cross join lateral (
            select d.id from webhooks_delivery d where d.endpoint_id = e.id and d.state = 'due'
               and d.next_at <= %(at)s order by d.next_at, d.id limit %(each)s) d),
        mine as (
          select d.id from webhooks_delivery d where d.id in (select id from first)
             and d.state = 'due' and d.next_at <= %(at)s order by d.next_at, d.id limit %(batch)s
             for update skip locked)
        update webhooks_delivery d set next_at = %(until)s, attempts = d.attempts + 1
          from webhooks_endpoint e
         where d.id in (select id from mine) and e.id = d.endpoint_id
        returning d.id, d.endpoint_id, d.webhook_id, d.attempts, e.ref, e.url, e.secrets
        """,
        {"at": at, "each": PER_ENDPOINT, "batch": BATCH, "until": at + CLAIM},
    )
    return [_claimed(row, at=at) for row in sorted(rows, key=lambda row: row["id"])]


def _claimed(row: Mapping[str, Any], *, at: datetime) -> Claimed:
    body = json.dumps(queries.body_of(row["id"]), ensure_ascii=False, separators=(",", ":")).encode()
    try:
        signing = Secrets.unsealed(row["secrets"], ref=row["ref"]).signing(at)
    except SecretsSealedElsewhere:
        signing = ()  # told as the failure of the attempt: the owner makes a new secret
    told = ("id", "endpoint_id", "ref", "url", "webhook_id", "attempts")
    return Claimed(**{name: row[name] for name in told}, body=body, signing=signing)


def call(one: Claimed, *, at: datetime) -> Outcome:
    """Sign and send; no database in sight. What goes wrong is the outcome, never an error."""
    # The receiver compares the timestamp with its clock: it is the moment of this attempt, on ours.
    sent_at = datetime.now(UTC)
    signatures = [Webhook(secret).sign(one.webhook_id, sent_at, one.body.decode()) for secret in one.signing]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Makegood/{makegood.__version__}",
        "webhook-id": one.webhook_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    began = time.monotonic()
    answered: outgoing.Answered | None = None
    failure = ""
    if not signatures:
        failure = SecretsSealedElsewhere.code
    else:
        try:
            answered = outgoing.post(one.url, one.body, headers)
        except errors.Refused as refused:
            failure = refused.code if isinstance(refused, outgoing.AddressRefused) else refused.rule
    return Outcome(
        started_at=at,
        milliseconds=round((time.monotonic() - began) * 1000),
        status=answered.status if answered else None,
        failure=failure,
        request_head=rules.head(headers, f"POST {one.url}", hidden=_SECRET_HEADERS),
        response_head=_response_head(answered) if answered else "",
        retry_after=_header(answered, "retry-after") if answered else "",
    )


def _response_head(answered: outgoing.Answered) -> str:
    head = rules.head(answered.headers, str(answered.status), hidden=("set-cookie",))
    return f"{head}\n\n{answered.body}"[: 2 * outgoing.HEAD_BYTES]


def _header(answered: outgoing.Answered, name: str) -> str:
    return next((value for key, value in answered.headers.items() if key.lower() == name), "")


@db.command
def note(one: Claimed, outcome: Outcome, *, at: datetime) -> None:
    """Write the attempt down and what follows from it; an endpoint that is given up is told to its owners."""
    endpoint = Endpoint.objects.select_for_update().filter(id=one.endpoint_id).first()
    delivery = Delivery.objects.select_for_update().filter(id=one.id).first()
    if endpoint is None or delivery is None:  # removed meanwhile
        return
    Attempt.objects.create(
        delivery_id=one.id,
        number=one.attempts,
        started_at=outcome.started_at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        failure=outcome.failure[:60],
        request_head=outcome.request_head,
        response_head=outcome.response_head,
    )
    following = rules.after_attempt(
        attempts=one.attempts,
        status=outcome.status,
        retry_after=outcome.retry_after,
        failing_since=endpoint.failing_since,
        at=at,
        spread=secrets.randbelow(1001) / 1000,
    )
    if delivery.state in {DeliveryState.DUE, DeliveryState.HELD}:
        _settle(delivery, following, at=at)
    if following.verdict == "delivered":
        endpoint.failing_since, endpoint.last_success_at = None, at
        endpoint.save(update_fields=["failing_since", "last_success_at"])
        return
    endpoint.failing_since = endpoint.failing_since or at
    endpoint.save(update_fields=["failing_since"])
    if following.switch_off and endpoint.state == EndpointState.ACTIVE:
        _switch_off(endpoint, following.switch_off, at=at)


def _settle(delivery: Delivery, following: rules.Next, *, at: datetime) -> None:
    if following.verdict == "again":
        delivery.next_at = at + timedelta(seconds=following.wait_s)
    else:
        delivered = following.verdict == "delivered"
        delivery.state = DeliveryState.DELIVERED if delivered else DeliveryState.FAILED
        delivery.done_at = at
    delivery.save(update_fields=["state", "next_at", "done_at"])


def _switch_off(endpoint: Endpoint, why: str, *, at: datetime) -> None:
    endpoint.state, endpoint.why = EndpointState.DISABLED, why
    endpoint.save(update_fields=["state", "why"])
    hold_deliveries(endpoint.id)
    record_event("webhook_disabled", f"webhook:{endpoint.ref}", OURSELVES, at, why=why)
    for owner in accounts.staff_list():
        if not owner.is_active or owner.role != Role.OWNER:
            continue
        with translation.override(owner.language):
            write_letter(
                to_kind="email",
                to_value=owner.email,
                language=owner.language,
                subject=_("A webhook was switched off"),
                body=_("The address %(url)s was switched off after failures. See the webhooks page of the desk.")
                % {"url": endpoint.url},
                at=at,
                expires_at=at + KEPT_FOR,
            )


@db.command
def forget_deliveries(*, at: datetime, limit: int = 5_000) -> int:
    """Forget what was settled longer ago than :data:`KEPT_FOR`, some at a time; how many."""
    old = [
        row["id"]
        for row in db.fetch(
            "select id from webhooks_delivery where state in ('delivered', 'failed') and done_at < %s"
            " order by id limit %s",
            [at - KEPT_FOR, limit],
        )
    ]
    if old:
        db.execute("delete from webhooks_attempt where delivery_id = any(%s)", [old])
        db.execute("delete from webhooks_delivery where id = any(%s)", [old])
    return len(old)
