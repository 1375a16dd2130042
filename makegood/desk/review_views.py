"""The reviewer's bench, and looking closely at evidence: two files side by side."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.cases import queries as cases
from makegood.cases.commands.promising import KINDS as REMEDY_KINDS
from makegood.cases.explaining import behind
from makegood.cases.queries import CaseView, EvidenceView
from makegood.cases.reviewing import appeals_open_to, took_part
from makegood.cases.words import explain
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import db, files
from makegood.kit.pages.language import text_language
from makegood.orders import queries as orders

LARGE = 2000  # pixels of the longer side, made anew from the stored picture


@require_GET
@for_staff
def reviews(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Appeals one may decide; never those one took part in."""
    require(actor, May.REVIEW)
    return page(request, merchant, "reviews", actor=actor, rows=appeals_open_to(actor), people=people_of())


@require_GET
@for_staff
def review(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """One appeal: what is new, both sides' evidence, why it was decided so, and the form."""
    require(actor, May.REVIEW)
    return page(request, merchant, "review", actor=actor, posted={}, **_bench(cases.case_view(ref), actor))


@db.query
def _bench(found: CaseView, actor: Actor) -> dict[str, Any]:
    told = [one for one in found.decisions if one.communicated_at is not None]
    since = told[-1].communicated_at if told else found.opened_at
    return {
        "case": found,
        "order": orders.order_view(found.order_id) if found.order_id else None,
        "grounds": [text for text in found.texts if text.kind == "grounds"],
        "new_evidence": {one.id for one in found.evidence if since and one.brought_at > since},
        "sides": [
            ("customer", [one for one in found.evidence if one.party == "customer"]),
            ("merchant", [one for one in found.evidence if one.party != "customer"]),
        ],
        "explained": explain(found.decision) if found.decision else None,
        "behind": behind(found.decision, text_language()) if found.decision else None,
        "people": people_of(found.customer_id, found.customer_name),
        **review_form(found, actor),
        "remedy_kinds": sorted(REMEDY_KINDS),
        "budgets": cases.budgets(),
        "rows": range(3),
        "last_seq": found.events[-1].seq if found.events else 0,
    }


def review_form(found: CaseView, actor: Actor) -> dict[str, Any]:
    """Who may decide the appeal, and what the first of two reviewers would grant."""
    return {
        "may_review_this": actor.may(May.REVIEW) and actor.key not in took_part(found),
        "first_review": found.appeals[-1].proposed if found.appeals and not found.appeals[-1].decided_at else {},
    }


@require_GET
@for_staff
def evidence(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The files of a case, one large or two side by side; which ones stands in the address."""
    found = cases.case_view(ref)
    numbers = [one.id for one in found.evidence]
    left = _chosen(request, "left", numbers) or (numbers[0] if numbers else 0)
    shown = [left, _chosen(request, "right", numbers)]
    by_id = {one.id: one for one in found.evidence}
    at = numbers.index(left) if left in numbers else 0
    return page(
        request, merchant, "evidence", actor=actor, case=found, panes=[by_id[one] for one in shown if one in by_id],
        left=left, right=shown[1], before=numbers[at - 1] if at else 0,
        after=numbers[at + 1] if at + 1 < len(numbers) else 0,
        people=people_of(found.customer_id, found.customer_name), now=timezone.now(),
    )  # fmt: skip


def _chosen(request: HttpRequest, name: str, numbers: list[int]) -> int:
    text = request.GET.get(name, "")
    number = int(text) if text.isdecimal() and len(text) < 19 else 0
    return number if number in numbers else 0


@require_GET
@for_staff
def large(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponse:
    """A picture to look at closely, drawn anew: nothing of the file that was sent is shown in the page."""
    one = evidence_in(cases.case_view(ref), number)
    try:
        picture = files.thumbnail(uploads=settings.UPLOADS_DIR, owner=str(merchant.id), sha256=one.sha256, side=LARGE)
    except (files.FileMissing, files.ThumbnailUnavailable):
        raise Http404 from None
    response = HttpResponse(picture)
    for name, value in files.safe_headers("picture", files.THUMBNAIL_TYPE, len(picture)).items():
        response[name] = value
    response["Content-Disposition"] = "inline"
    return response


def evidence_in(found: CaseView, number: int) -> EvidenceView:
    """A file of the case and of no other. Raises Http404."""
    for one in found.evidence:
        if one.id == number:
            return one
    raise Http404
