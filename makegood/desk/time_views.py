"""Time at the desk: what is at risk, what is promised, and handing over at the end of a shift."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import queries as cases
from makegood.cases.states import Kind
from makegood.customers.queries import the_customer
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import errors
from makegood.kit.money import Money
from makegood.timeliness import commands, queries
from makegood.timeliness.commands import TargetMalformed
from makegood.timeliness.states import Goal


@require_http_methods(["GET", "POST"])
@for_staff
def promises(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Promises that are open, the riskiest first, and the table of what is promised."""
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        act = ACTIONS.get(request.POST.get("do", ""))
        try:
            told = act(request, merchant, actor) if act else ""
        except errors.DomainError as refused:
            refusal = refused
        else:
            if told:
                messages.success(request, told)
            return redirect("desk:promises", merchant.slug)
    return page(
        request,
        merchant,
        "promises",
        actor=actor,
        refusal=refusal,
        rows=queries.at_risk(at=timezone.now()),
        targets=queries.targets(),
        kinds=Kind.choices,
        people=people_of(),
        posted=request.POST,
    )


@require_http_methods(["GET", "POST"])
@for_staff
def hand_over(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What I hold, to whom it goes, and a note."""
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        chosen = request.POST.get("to", "")
        try:
            count = commands.hand_over(
                case_refs=request.POST.getlist("case")[:500],
                to_staff=int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0,
                note=request.POST.get("note", ""),
                actor=actor,
                at=timezone.now(),
            )
        except errors.DomainError as refused:
            refusal = refused
        else:
            messages.success(request, _("%(count)s cases are handed over.") % {"count": count})
            return redirect("desk:hand_over", merchant.slug)
    mine = cases.queue_page(cases.Filters(assigned_to=actor.id), limit=200).rows
    return page(
        request,
        merchant,
        "hand_over",
        actor=actor,
        refusal=refusal,
        rows=mine,
        staff=[one for one in accounts.staff_list() if one.is_active and one.id != actor.id],
        past=queries.hand_overs(),
        people=people_of(),
        posted=request.POST,
    )


def _set(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    told = request.POST.get("customer", "").strip()[:200]
    typed = request.POST.get("from_amount", "").strip() or "0"
    commands.set_target(
        kind=request.POST.get("kind", ""),
        from_minor=Money.parse(typed, merchant.currency).minor,
        customer_id=the_customer(told, region=merchant.market).id if told else None,
        minutes={goal: _minutes(request.POST.get(goal, ""), goal) for goal in Goal.values},
        actor=actor,
        at=timezone.now(),
    )
    return _("Promised for cases opened from now on.")


def _minutes(text: str, field: str) -> int:
    """Hours as typed, in working minutes; nothing is promised where nothing was typed. Raises TargetMalformed."""
    try:
        return round(float(text.strip() or 0) * 60)
    except (ValueError, OverflowError):
        raise TargetMalformed(text[:20], field=field, rule="hours") from None


def _end(request: HttpRequest, _merchant: Merchant, actor: Actor) -> str:
    chosen = request.POST.get("target", "")
    commands.end_target(
        target_id=int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0, actor=actor, at=timezone.now()
    )
    return _("No longer promised.")


ACTIONS: dict[str, Callable[[HttpRequest, Merchant, Actor], str]] = {"set": _set, "end": _end}
