"""Telephone at the desk: calls as they come, and the card of one: verify, put on a case, write down, promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.calls import commands, queries, rules
from makegood.cases import queries as cases
from makegood.desk.members import for_staff
from makegood.desk.moments import moment
from makegood.desk.rendering import page, people_of
from makegood.kit import errors, files, refs
from makegood.orders.queries import orders_page


@require_GET
@for_staff
def calls(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """The newest calls; those on the line stand first."""
    return page(request, merchant, "calls", actor=actor, rows=queries.calls(), lines=queries.lines())


@require_http_methods(["GET", "POST"])
@for_staff
def call(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The card of a call. Until the caller is verified nothing of a customer stands on it."""
    refusal: errors.DomainError | None = None
    queries.card(ref)
    if request.method == "POST":
        act = ACTIONS.get(request.POST.get("do", ""))
        try:
            told = act(request, actor, ref) if act else ""
        except errors.Unknown as unknown:
            refusal = unknown
        except errors.DomainError as refused:
            refusal = refused
        else:
            if told:
                messages.success(request, told)
            return redirect("desk:call", merchant.slug, ref)
    card = queries.card(ref)
    of = card.call.customer_id
    return page(
        request,
        merchant,
        "call",
        actor=actor,
        refusal=refusal,
        card=card,
        facts=rules.FACTS,
        tries_left=max(0, rules.TRIES - len(card.checks)),
        own_cases=cases.cases_page(cases.Filters(customer_id=of), limit=20).rows if of else (),
        own_orders=orders_page(customer_id=of, limit=20).rows if of else (),
        people=people_of(of, card.row.name),
        posted=request.POST,
    )


@require_http_methods(["POST"])
@for_staff
def transcript(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The words of the call; who opens them is written down first, so it is a form and no link."""
    words = commands.open_transcript(ref=ref, actor=actor, at=timezone.now())
    return page(request, merchant, "call_transcript", actor=actor, ref=ref, lines=words.splitlines())


@require_http_methods(["POST"])
@for_staff
def recording(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponseBase:
    """The recording, as a download; who takes it is written down first."""
    found = commands.open_recording(ref=ref, actor=actor, at=timezone.now())
    try:
        stream = files.open_stored(uploads=settings.UPLOADS_DIR, owner=str(merchant.id), sha256=found.recording_sha256)
    except files.FileMissing:
        raise Http404 from None
    response = FileResponse(stream)
    name = f"{found.ref}.{found.recording_type.partition('/')[2] or 'bin'}"
    for header, value in files.safe_headers(name, found.recording_type, found.recording_size).items():
        response[header] = value
    return response


def _facts(request: HttpRequest, actor: Actor, ref: str) -> str:
    answers = {fact: request.POST.get(fact, "")[:200] for fact in rules.FACTS}
    commands.check_call_facts(ref=ref, answers=answers, actor=actor, at=timezone.now())
    return _("The caller is verified.")


def _send_code(request: HttpRequest, actor: Actor, ref: str) -> str:
    order = request.POST.get("order_number", "")[:80]
    commands.send_call_code(ref=ref, order_number=order, actor=actor, at=timezone.now())
    return _("If this customer is known here, a code is on its way to their e-mail. Let them read it out.")


def _code(request: HttpRequest, actor: Actor, ref: str) -> str:
    order, code = request.POST.get("order_number", "")[:80], request.POST.get("code", "")
    commands.check_call_code(ref=ref, order_number=order, code=code, actor=actor, at=timezone.now())
    return _("The caller is verified.")


def _attach(request: HttpRequest, actor: Actor, ref: str) -> str:
    case_ref = refs.normalize_ref(request.POST.get("case", ""))[:20]
    commands.attach_call(ref=ref, case_ref=case_ref, actor=actor, at=timezone.now())
    return _("The call is on the case now.")


def _note(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.note_call(
        ref=ref,
        said=request.POST.get("said", ""),
        call_back_at=_promised(request),
        call_back_made=bool(request.POST.get("call_back_made")),
        actor=actor,
        at=timezone.now(),
    )
    return _("Written down.")


def _promised(request: HttpRequest) -> datetime | None:
    return moment(request.POST.get("call_back_at", ""), field="call_back_at")


ACTIONS: dict[str, Callable[[HttpRequest, Actor, str], str]] = {
    "facts": _facts,
    "send-code": _send_code,
    "code": _code,
    "attach": _attach,
    "note": _note,
}
