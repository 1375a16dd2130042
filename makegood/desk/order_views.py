"""Orders at the desk: finding one, and filing a request for a customer who called or wrote."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import commands
from makegood.cases import queries as cases
from makegood.cases.askable import askable_lines
from makegood.cases.commands.asking import Asked
from makegood.cases.models import Case
from makegood.cases.states import Kind
from makegood.desk.mail_views import attach
from makegood.desk.members import for_staff
from makegood.desk.proposing import reading_for
from makegood.desk.rendering import page
from makegood.kit import errors
from makegood.kit.pages.language import text_language
from makegood.orders import queries
from makegood.orders.catalog import variants_of
from makegood.orders.queries import OrdersPage, OrderView
from makegood.policy.reasons import reasons_of

CHANNELS = ("phone", "mail", "chat", "desk")


class WishMalformed(errors.Malformed):
    code = "wish_malformed"
    message = "{field}: {value} cannot be used ({rule})."


@require_GET
@for_staff
def orders(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Newest first; ``q`` finds a number, a parcel or a contact."""
    query, refusal = request.GET.get("q", "").strip()[:200], None
    try:
        found = queries.orders_page(after=request.GET.get("after") or None, query=query)
    except errors.Malformed as malformed:
        found, refusal = OrdersPage((), None), malformed
    return page(
        request, merchant, "orders", actor=actor, refusal=refusal, rows=found.rows, next_cursor=found.next, q=query
    )


@require_http_methods(["GET", "POST"])
@for_staff
def order(request: HttpRequest, merchant: Merchant, actor: Actor, number: str) -> HttpResponse:
    """One order with its requests, and the form to file another."""
    found = queries.order_by_number(number)
    refusal: errors.DomainError | None = None
    conversation = (request.POST.get("conversation") or request.GET.get("conversation", ""))[:20]
    if request.method == "POST":
        try:
            case = _file(request, actor, found)
            if conversation:
                attach(request, actor, conversation, case.ref)
        except errors.DomainError as refused:
            refusal = refused
        else:
            messages.success(request, _("Filed as %(ref)s.") % {"ref": case.ref})
            return redirect("desk:case", merchant.slug, case.ref)
    language = text_language()
    reading = reading_for(conversation)
    return page(
        request,
        merchant,
        "order",
        actor=actor,
        refusal=refusal,
        order=found,
        conversation=conversation,
        reading=reading,
        chosen_reason=request.POST.get("reason", reading.wish if reading else ""),
        shares=queries.paid_shares(found),
        lines=askable_lines(found),
        variants=variants_of(found),
        cases=cases.cases_page(cases.Filters(order_number=found.number), limit=50).rows,
        reasons=[
            (kind.label, [(f"{kind}/{one.code}", one.label(language)) for one in reasons_of(kind)]) for kind in Kind
        ],
        channels=CHANNELS,
        request_key=request.POST.get("request_key") or uuid.uuid4().hex,
        posted=request.POST,
    )


def _file(request: HttpRequest, actor: Actor, found: OrderView) -> Case:
    """Raises WishMalformed and what ``file_case`` raises."""
    kind, _slash, reason = request.POST.get("reason", "").partition("/")
    channel = request.POST.get("channel", "")
    if channel not in CHANNELS:
        raise WishMalformed(channel, field="channel", rule="|".join(CHANNELS))
    asked = []
    for line in found.lines:
        units = request.POST.get(f"units-{line.number}", "").strip()
        if units and not (units.isdecimal() and len(units) <= 9):
            raise WishMalformed(units, field=f"units-{line.number}", rule="whole_number")
        if units and int(units):
            asked.append(Asked(line.number, int(units), request.POST.get(f"wanted-{line.number}", "").strip()[:120]))
    return commands.file_case(
        kind=kind,
        reason=reason,
        request_key=f"desk:{actor.key}:{request.POST.get('request_key', '')[:64]}",
        actor=actor,
        at=timezone.now(),
        order_number=found.number,
        asked=asked,
        statement=request.POST.get("statement", "").strip()[:5000],
        channel=channel,
        language=found.customer.language or text_language(),
    )
