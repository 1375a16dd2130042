"""The queue: what waits, the next due first, with its filters in the address and lists kept under a name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import commands, listing
from makegood.cases.commands.arranging import TENDS_SHARED
from makegood.cases.shapes import CasesPage
from makegood.cases.states import Kind, Party, State
from makegood.desk import queue_filters
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import db, errors, refs
from makegood.kit.pages.language import text_language

# Ready-made views: what they are called, and the filters they stand for.
VIEWS: tuple[tuple[str | Promise, Mapping[str, str]], ...] = (
    (_("All open"), {}),
    (_("Ours to act"), {"waiting_on": "merchant"}),
    (_("Mine"), {"mine": "1"}),
    (_("Nobody's"), {"assignee": "none"}),
    (_("Overdue"), {"due": "overdue"}),
    (_("Escalated"), {"escalated": "1"}),
    (_("Appeals"), {"state": "appealed"}),
    (_("With the customer"), {"waiting_on": "customer"}),
    (_("Put off"), {"snoozed": "1"}),
    (_("Everything, newest first"), {"all": "1"}),
)


@require_GET
@for_staff
def queue(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """A page of cases. A reference or number that means one case opens it."""
    at = timezone.now()
    asked = queue_filters.read(request.GET.dict(), merchant, actor, at=at)
    refusal = asked.refusal
    try:
        found = listing.list_cases(
            asked.filters, sort=asked.sort, after=_cursor(request, "after"), before=_cursor(request, "before")
        )
    except errors.Malformed as malformed:
        found, refusal = CasesPage((), ""), malformed
    if len(found.rows) == 1 and asked.words["q"] and found.rows[0].ref == refs.normalize_ref(asked.words["q"]):
        return redirect("desk:case", merchant.slug, found.rows[0].ref)
    return page(
        request,
        merchant,
        "queue",
        actor=actor,
        refusal=refusal,
        rows=found.rows,
        next_cursor=found.next,
        previous_cursor=found.previous,
        asked=asked.words,
        query=asked.query,
        sort=asked.sort,
        narrowed=_narrowed(asked.words),
        people=people_of(),
        **_views(asked, merchant, actor, at=at),
        **_choices(),
    )


def _cursor(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "")[:200]


def _narrowed(words: Mapping[str, str]) -> int:
    """How many of the filters below the fold are in use."""
    return sum(
        1 for name in ("reason", "assignee", "shop", "market", "due", "from", "to", "tag", "opened") if words[name]
    )


@db.query
def _views(asked: queue_filters.Asked, merchant: Merchant, actor: Actor, *, at: datetime) -> dict[str, Any]:
    """Ready-made and saved views, each with how many open cases it has, and how many this list has."""
    saved = listing.views_of(actor.id)
    ready = [(title, urlencode(query)) for title, query in VIEWS]
    queries = [query for _title, query in ready] + [view.query for view in saved]
    read = [queue_filters.read_query(query, merchant, actor, at=at) for query in queries]
    wanted = [one.filters for one in read if one.filters.open_only]
    counts = iter(listing.count_open([*wanted, asked.filters] if asked.filters.open_only else wanted))
    told = [next(counts) if one.filters.open_only else None for one in read]
    chosen = [one.query == asked.query for one in read]
    return {
        "views": [(*view, told[place], chosen[place]) for place, view in enumerate(ready)],
        "saved": [
            (view, told[place], chosen[place], view.staff_id == actor.id or actor.may(TENDS_SHARED))
            for place, view in enumerate(saved, start=len(ready))
        ],
        "matching": next(counts, None),
        "is_view": any(chosen),
    }


@db.query
def _choices() -> dict[str, Any]:
    lang = text_language()
    reasons = {code: reason.label(lang) for code, reason in queue_filters.REASONS.items()}
    return {
        "kinds": Kind.choices,
        "states": State.choices,
        "parties": [choice for choice in Party.choices if choice[0] != "gateway"],
        "reasons": sorted(reasons.items(), key=lambda one: one[1]),
        "staff": [one for one in accounts.staff_list() if one.is_active],
        "shops": [(shop.slug, shop.name_zh if lang == "zh-Hans" else shop.name_en) for shop in accounts.shops()],
        "dues": [(name, label) for name, label, _length in queue_filters.DUE],
        "ages": [(name, label) for name, label, _length in queue_filters.OPENED],
        "sorts": queue_filters.SORT_NAMES,
        "tags": listing.tags_in_use(),
    }


@require_POST
@for_staff
def views(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Keep this list under a name, or forget one; what is refused is told above the list."""
    query = _known(request.POST.get("query", ""))
    there = reverse("desk:queue", args=[merchant.slug])
    try:
        if request.POST.get("do") == "delete":
            number = request.POST.get("view", "")
            commands.delete_view(view_id=int(number) if number.isdecimal() and len(number) < 18 else 0, actor=actor)
            messages.success(request, gettext("The view is gone; its cases are where they were."))
            return redirect(there)
        commands.save_view(
            name=request.POST.get("name", ""),
            query=query,
            shared=bool(request.POST.get("shared")),
            actor=actor,
            at=timezone.now(),
        )
    except errors.DomainError as refusal:
        return page(request, merchant, "refused", actor=actor, refusal=refusal)
    messages.success(request, gettext("The view is kept."))
    return redirect(f"{there}?{query}")


def _known(query: str) -> str:
    """The filters of a query and nothing else."""
    given = dict(parse_qsl(query))
    return urlencode({name: given[name] for name in queue_filters.NAMES if given.get(name)})
