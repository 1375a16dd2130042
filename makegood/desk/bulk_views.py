"""One act on many cases: chosen in the queue, confirmed, watched, undone where that is honest."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import bulks, commands
from makegood.cases.commands import bulking
from makegood.cases.shapes import Filters
from makegood.cases.states import BulkAction, BulkState, ItemState
from makegood.desk import queue_filters
from makegood.desk.members import for_staff
from makegood.desk.put_off_until import read_until
from makegood.desk.rendering import csv_file, page, people_of
from makegood.kit import errors
from makegood.kit.pages.language import text_language

FAILURES_MOST = bulking.MOST


@require_http_methods(["GET", "POST"])
@for_staff
def bulk_list(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What was done to many cases lately; a POST begins one more."""
    if request.method != "POST":
        return page(request, merchant, "bulks", actor=actor, bulks=bulks.bulks(), people=people_of())
    at = timezone.now()
    given = {name: request.POST.get(name, "") for name in ("staff", "tag", "untag", "body")}
    given["until"] = read_until(request.POST.get("until", ""), request.POST.get("at", ""), merchant, at)
    try:
        bulk = commands.make_bulk(
            action=request.POST.get("action", ""),
            arguments=given,
            chosen=_chosen(request, merchant, actor, at),
            actor=actor,
            at=at,
        )
    except errors.DomainError as refusal:
        return page(request, merchant, "refused", actor=actor, refusal=refusal)
    return redirect("desk:bulk", merchant.slug, bulk.ref)


def _chosen(request: HttpRequest, merchant: Merchant, actor: Actor, at: datetime) -> list[str] | tuple[Filters, str]:
    if request.POST.get("scope") != "matching":
        return request.POST.getlist("case")
    asked = queue_filters.read(dict(parse_qsl(request.POST.get("query", ""))), merchant, actor, at=at)
    return asked.filters, asked.sort


@require_http_methods(["GET", "POST"])
@for_staff
def bulk(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """How far it is, what was refused and why; before it begins, what it will do."""
    found = bulks.bulk_view(ref)
    if request.method != "POST":
        return _page(request, merchant, actor, found)
    at = timezone.now()
    try:
        match request.POST.get("do", ""):
            case "confirm":
                typed = {name.removeprefix("total-"): value for name, value in request.POST.dict().items()}
                commands.confirm_bulk(ref=ref, typed=typed, actor=actor, at=at)
            case "drop":
                commands.drop_bulk(ref=ref, actor=actor, at=at)
            case "undo":
                ref = commands.undo_bulk(ref=ref, actor=actor, at=at).ref
                messages.success(request, _("It is being put back, case by case."))
    except errors.DomainError as refusal:
        return _page(request, merchant, actor, bulks.bulk_view(ref), refusal=refusal)
    return redirect("desk:bulk", merchant.slug, ref)


def _page(
    request: HttpRequest,
    merchant: Merchant,
    actor: Actor,
    found: bulks.BulkView,
    refusal: errors.DomainError | None = None,
) -> HttpResponse:
    draft = found.state == BulkState.DRAFT
    language = "zh-hans" if text_language() == "zh-Hans" else "en"
    refused = bulks.items_of(found.id, ItemState.REFUSED, limit=200)
    context: dict[str, Any] = {
        "bulk": found,
        "percent": 100 * (found.done + found.refused) // found.total if found.total else 100,
        "mine": found.staff_id == actor.id,
        "totals": bulks.totals(found.id) if draft and found.action == BulkAction.APPROVE else [],
        "refused": [
            (one, one.told.get(language) or _("Something went wrong; the operator's log says what.")) for one in refused
        ],
        "some": bulks.items_of(found.id, ItemState.WAITING if draft else ItemState.DONE, limit=50),
        "people": people_of(),
        "posted": request.POST,
    }
    if request.GET.get("part"):
        return page(request, merchant, "bulk_progress", actor=actor, **context)
    return page(request, merchant, "bulk", actor=actor, refusal=refusal, **context)


@require_GET
@for_staff
def failures(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The cases that were refused, as a file for a spreadsheet; nothing in it is computed there."""
    found = bulks.bulk_view(ref)
    refused = bulks.items_of(found.id, ItemState.REFUSED, limit=FAILURES_MOST)
    rows = ((one.ref, one.code, one.told.get("en", ""), one.told.get("zh-hans", "")) for one in refused)
    return csv_file(f"{found.ref}-failures", ("case", "code", "reason_en", "reason_zh"), rows)
