"""Webhooks at the desk: endpoints, their deliveries, replay and test; for who manages the merchant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors
from makegood.webhooks import commands, queries
from makegood.webhooks.states import EVENTS, DeliveryState


class MomentMalformed(errors.Malformed):
    code = "moment_malformed"
    message = "{field}: {value} is not a date and time."


@require_http_methods(["GET", "POST"])
@for_staff
def webhooks(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Every endpoint, and the form to add one."""
    require(actor, May.MANAGE)
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        try:
            added = commands.add_endpoint(
                url=request.POST.get("url", ""),
                events=request.POST.getlist("events"),
                label=request.POST.get("label", ""),
                actor=actor,
                at=timezone.now(),
            )
        except errors.DomainError as refused:
            refusal = refused
        else:
            messages.success(request, _("The endpoint is added. Verify what it receives with the secret below."))
            return redirect("desk:webhook", merchant.slug, added.ref)
    return page(
        request,
        merchant,
        "webhooks",
        actor=actor,
        refusal=refusal,
        administering="webhooks",
        endpoints=queries.endpoints(actor=actor),
        events=EVENTS,
        chosen=request.POST.getlist("events"),
        posted=request.POST,
    )


@require_http_methods(["GET", "POST"])
@for_staff
def webhook(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """One endpoint: what it is owed, its secret, and what can be done with it."""
    require(actor, May.MANAGE)
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        act = ACTIONS.get(request.POST.get("do", ""))
        try:
            told = act(request, actor, ref) if act else ""
        except errors.DomainError as refused:
            refusal = refused
        else:
            if told:
                messages.success(request, told)
            gone = act is _remove
            return redirect("desk:webhooks", merchant.slug) if gone else redirect("desk:webhook", merchant.slug, ref)
    state = request.GET.get("state", "")
    state = state if state in DeliveryState.values else ""
    found = queries.endpoint(ref, actor=actor)
    try:
        owed = queries.deliveries(
            ref,
            actor=actor,
            state=state,
            case=request.GET.get("case", "")[:40],
            after=request.GET.get("after", "")[:200],
        )
    except errors.Malformed as malformed:
        owed, refusal = queries.DeliveriesPage((), None), malformed
    return page(
        request,
        merchant,
        "webhook",
        actor=actor,
        refusal=refusal,
        administering="webhooks",
        endpoint=found,
        rows=owed.rows,
        next_cursor=owed.next,
        events=EVENTS,
        states=DeliveryState.choices,
        state=state,
        secret=queries.secret_of(ref, actor=actor) if request.GET.get("secret") else "",
        posted=request.POST,
    )


@require_GET
@for_staff
def delivery(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponse:
    """Every attempt at one delivery, and what was sent."""
    tries = queries.attempts(ref, number, actor=actor)
    return page(
        request,
        merchant,
        "delivery",
        actor=actor,
        administering="webhooks",
        endpoint=queries.endpoint(ref, actor=actor),
        number=number,
        tries=tries,
        body=queries.body_of(number),
    )


def _change(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.change_endpoint(
        ref=ref,
        url=request.POST.get("url", ""),
        label=request.POST.get("label", ""),
        events=request.POST.getlist("events"),
        actor=actor,
        at=timezone.now(),
    )
    return _("The endpoint is changed.")


def _pause(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.pause_endpoint(ref=ref, actor=actor, at=timezone.now())
    return _("Nothing is sent until you resume; what happens meanwhile is kept.")


def _resume(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.resume_endpoint(ref=ref, actor=actor, at=timezone.now())
    return _("What was held back is being sent.")


def _rotate(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.rotate_secret(ref=ref, actor=actor, at=timezone.now())
    return _("There is a new secret. For a day the old one signs too.")


def _remove(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.remove_endpoint(ref=ref, actor=actor, at=timezone.now())
    return _("The endpoint is removed.")


def _test(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.send_test(ref=ref, actor=actor, at=timezone.now())
    return _("A test is on its way; look at the deliveries in a moment.")


def _replay(request: HttpRequest, actor: Actor, ref: str) -> str:
    at, chosen = timezone.now(), request.POST.get("delivery", "")
    if chosen.isdecimal() and len(chosen) < 19:
        commands.replay_delivery(ref=ref, delivery_id=int(chosen), actor=actor, at=at)
        return _("It is sent again, under the same id.")
    count = commands.replay_range(
        ref=ref,
        since=_moment(request, "since") or at - timedelta(days=1),
        until=_moment(request, "until") or at,
        only_missed=not request.POST.get("again"),
        actor=actor,
        at=at,
    )
    return _("%(count)s deliveries are to be sent.") % {"count": count}


def _moment(request: HttpRequest, name: str) -> datetime | None:
    """A time typed in the merchant's zone. Raises MomentMalformed."""
    text = request.POST.get(name, "").strip()[:40]
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise MomentMalformed(text, field=name, rule="date_and_time")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


ACTIONS: dict[str, Callable[[HttpRequest, Actor, str], str]] = {
    "change": _change,
    "pause": _pause,
    "resume": _resume,
    "rotate": _rotate,
    "remove": _remove,
    "test": _test,
    "replay": _replay,
}
