"""Complaints about service at the desk: both sides on the case, and the page that counts them."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.cases import commands, complaints
from makegood.cases import queries as cases
from makegood.desk.case_views import case_page
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import errors

DAYS = 90


@require_GET
@for_staff
def counted(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Complaints of the last ninety days, by reason, person, outcome and time."""
    require(actor, May.REVIEW)
    at = timezone.now()
    total, by_reason, by_person = complaints.counted(since=at - timedelta(days=DAYS), until=at)
    return page(
        request,
        merchant,
        "complaints",
        actor=actor,
        days=DAYS,
        total=total[0] if total else None,
        by_reason=by_reason,
        by_person=by_person,
        people=people_of(),
    )


@require_POST
@for_staff
def statement(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """Ask somebody for their side, or give one's own."""
    found = cases.case_view(ref)
    at, chosen = timezone.now(), request.POST.get("of", "")
    try:
        if request.POST.get("do") == "ask":
            staff_id = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0
            commands.ask_statement(ref=found.ref, staff_id=staff_id, actor=actor, at=at)
            told = _("Asked; it is due by the deadline on the case.")
        else:
            commands.give_statement(ref=found.ref, body=request.POST.get("body", ""), actor=actor, at=at)
            told = _("Your side is on the case.")
    except errors.DomainError as refusal:
        return case_page(request, merchant, actor, found, refusal=refusal)
    messages.success(request, told)
    return redirect("desk:case", merchant.slug, found.ref)
