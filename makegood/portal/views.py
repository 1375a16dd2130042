"""The portal's pages: finding one's order, asking, following. Each composes queries and commands, and holds no rule."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.validators import slug_re
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.accounts.sight import of_slug
from makegood.cases import queries as cases
from makegood.cases import tracking
from makegood.cases.askable import askable_lines
from makegood.cases.duplicates import already_asked
from makegood.cases.eligibility import eligibility
from makegood.cases.parts import whole_ref
from makegood.cases.states import KINDS_WITHOUT_ORDER
from makegood.kit import errors, tenancy
from makegood.kit.pages.language import text_language
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView
from makegood.policy.reasons import reasons_of
from makegood.portal import asking, proving, visitors
from makegood.portal.offers import offers_on
from makegood.portal.rendering import go_on, page
from makegood.portal.situations import APPEAL, BY_SLUG, ROOMS, SITUATIONS, is_open, lines_in
from makegood.portal.visitors import for_customers
from makegood.portal.zone import zone_of, zone_said


@require_GET
def front_door(request: HttpRequest) -> HttpResponse:
    """The only merchant's start page; where there are several, nothing tells who they are."""
    merchant = visitors.only_merchant()
    if merchant is not None:
        return redirect("portal:start", merchant.slug)
    slug = request.GET.get("shop", "").strip().lower()
    if slug_re.fullmatch(slug):
        return redirect("portal:start", slug)
    return render(request, "portal/front_door.html")


@require_GET
@of_slug
def start(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    return page(request, merchant, "start", rooms=ROOMS)


@require_http_methods(["GET", "POST"])
@of_slug
def find(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Name an order and a contact; a code is written if they belong together, and the answer is the same if not."""
    wanted = request.POST.get("for") or request.GET.get("for", "")
    if request.method != "POST":
        if visitors.customer_in(request, merchant):
            return _to_own(merchant, wanted)
        return page(request, merchant, "find", **_looked_for(request, wanted))
    number, contact = request.POST.get("order", "").strip(), request.POST.get("contact", "").strip()
    asking_at: dict[str, Any] = {
        "language": text_language(),
        "address": visitors.address_of(request),
        "at": timezone.now(),
    }
    try:
        if _without_order(request, wanted):
            number = ""
            proving.ask_for_code_alone(contact=contact, **asking_at)
        else:
            proving.ask_for_code(order_number=number, contact=contact, **asking_at)
    except errors.DomainError as refusal:
        shown = {**_looked_for(request, wanted), "number": number, "contact": contact}
        return page(request, merchant, "find", refusal=refusal, **shown)
    request.session["asked"] = {"merchant": merchant.id, "order": number, "contact": contact, "for": wanted}
    return redirect("portal:code", merchant.slug)


def _without_order(request: HttpRequest, wanted: str) -> bool:
    """Whether somebody says that there is no order, of what can be said without one."""
    said = request.POST.get("no_order") or request.GET.get("no_order")
    return bool(said) and wanted in BY_SLUG and BY_SLUG[wanted].kind in KINDS_WITHOUT_ORDER


def _looked_for(request: HttpRequest, wanted: str) -> dict[str, Any]:
    situation = BY_SLUG.get(wanted)
    return {
        "wanted": wanted,
        "situation": situation,
        "appeal": wanted == APPEAL,
        "no_order": _without_order(request, wanted),
        "order_needed": situation is None or situation.kind not in KINDS_WITHOUT_ORDER,
    }


@require_http_methods(["GET", "POST"])
@of_slug
def code(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Type the code; then the visitor is the customer of that order."""
    asked: Any = request.session.get("asked")
    if not isinstance(asked, dict) or asked.get("merchant") != merchant.id:
        return redirect("portal:find", merchant.slug)
    at = timezone.now()
    shown = {
        "contact": asked["contact"],
        "order": asked["order"],
        "demo_letter": proving.letter_to(asked["contact"], at=at) if settings.DEMO else None,
        "demo": settings.DEMO,
    }
    if request.method != "POST":
        return page(request, merchant, "code", **shown)
    typed = {"contact": asked["contact"], "code": request.POST.get("code", "")}
    where: dict[str, Any] = {"address": visitors.address_of(request), "at": at}
    try:
        if asked["order"]:
            customer_id = proving.prove(order_number=asked["order"], **typed, **where)
        else:
            customer_id = proving.prove_alone(language=text_language(), **typed, **where)
    except errors.DomainError as refusal:
        return page(request, merchant, "code", refusal=refusal, **shown)
    visitors.remember(request, merchant, customer_id)
    del request.session["asked"]
    if not asked["order"] and asked["for"] in BY_SLUG:
        return redirect("portal:write", merchant.slug, asked["for"])
    if asked["for"] in BY_SLUG and BY_SLUG[asked["for"]].kind not in KINDS_WITHOUT_ORDER:
        return redirect("portal:ask", merchant.slug, asked["for"], asked["order"])
    return _to_own(merchant, asked["for"])


def _to_own(merchant: Merchant, wanted: str) -> HttpResponse:
    """The customer's own page, which keeps in mind what they came for."""
    what_for = f"?for={wanted}" if wanted in BY_SLUG or wanted == APPEAL else ""
    return redirect(reverse("portal:mine", args=[merchant.slug]) + what_for)


@require_POST
@of_slug
def leave(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    visitors.forget(request)
    return redirect("portal:start", merchant.slug)


@require_GET
@for_customers
def mine(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """All orders and requests of the customer; who came with a situation chooses the order it is about."""
    own = cases.cases_page(cases.Filters(customer_id=actor.id), limit=50)
    wanted = request.GET.get("for", "")
    return page(
        request,
        merchant,
        "mine",
        cases=own.rows,
        orders=orders.orders_page(customer_id=actor.id).rows,
        situation=BY_SLUG.get(wanted),
        appeal=wanted == APPEAL,
    )


@require_GET
@for_customers
def order(request: HttpRequest, merchant: Merchant, actor: Actor, number: str) -> HttpResponse:
    """One order: each line with where it is and what is left to ask for, and what can be done."""
    found = own_order(actor, number)
    lines = eligibility(found, at=timezone.now(), language=text_language())
    askable = tuple(one.askable for one in lines)
    own = cases.cases_page(cases.Filters(order_number=found.number), limit=50)
    return page(
        request,
        merchant,
        "order",
        order=found,
        shares=orders.paid_shares(found),
        lines=[(one.askable, offers_on(one, merchant=merchant, order=found)) for one in lines],
        open_situations=[one for one in SITUATIONS if is_open(one, askable)],
        closed_situations=[one for one in SITUATIONS if not is_open(one, askable)],
        cases=own.rows,
    )


@require_http_methods(["GET", "POST"])
@for_customers
def ask(request: HttpRequest, merchant: Merchant, actor: Actor, situation: str, number: str) -> HttpResponse:
    """First what happened; then what would be owed, files, and sending; both without JavaScript."""
    if situation not in BY_SLUG:
        raise Http404
    chosen, found = BY_SLUG[situation], own_order(actor, number)
    choices = lines_in(chosen, askable_lines(found))
    shown: dict[str, Any] = {
        "any_units": any(choice.units for choice in choices),
        "situation": chosen,
        "order": found,
        "choices": choices,
        "reasons": [(one.code, one.label(text_language())) for one in reasons_of(chosen.kind)],
        "shares": orders.paid_shares(found),
        "request_key": request.POST.get("request_key") or uuid.uuid4().hex,
        "posted": request.POST or request.GET,  # an offer on the order's page fills in what it is about
        **asking.offered(chosen.kind, found),
    }
    if request.method != "POST":
        return page(request, merchant, "ask", **shown)
    if request.POST.get("step") == "back":
        return page(request, merchant, "ask", **shown)
    at = timezone.now()
    try:
        wish = asking.read_wish(chosen.kind, request.POST)
        if request.POST.get("step") != "send":
            quoted = asking.quote(found, wish, actor=actor, at=at, language=text_language())
            alike = already_asked(
                customer_id=found.customer.id, order_id=found.id, lines=[one.line for one in wish.asked],
                kind=wish.kind, reason=wish.reason, at=at,
            )  # fmt: skip
            return page(request, merchant, "check", wish=wish, quoted=quoted, alike=alike, **shown)
        case = asking.send(found, wish, request.FILES.getlist("files"), actor=actor, at=at, language=text_language())
    except (errors.Refused, errors.Malformed) as refusal:
        return page(request, merchant, "ask", refusal=refusal, **shown)
    messages.success(request, _("Your request %(ref)s has reached us.") % {"ref": case.ref})
    return go_on(request, reverse("portal:case", args=[merchant.slug, case.ref]))


@require_GET
def track(request: HttpRequest, token: str) -> HttpResponse:
    """What whoever holds the link may see."""
    try:
        merchant_id, ref = tracking.read_token(token)
        with tenancy.acting_for(merchant_id):
            merchant, tracked = accounts.merchant(), tracking.redact(cases.case_view(whole_ref(ref)))
    except errors.Unknown:
        raise Http404 from None
    with timezone.override(zone_of(request, merchant)):
        names = {"tracked": tracked, "merchant_name": merchant.name(text_language()), "zone": zone_said()}
        response = render(request, "portal/track.html", names)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def own_order(actor: Actor, number: str) -> OrderView:
    """Raises OrderUnknown, also for somebody else's."""
    found = orders.order_by_number(number)
    if found.customer.id != actor.id:
        raise orders.OrderUnknown(number, field="order")
    return found
