"""Payouts that wait for a person, budgets, and letters that could not be sent."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.cases import commands as cases
from makegood.cases.queries import budgets as read_budgets
from makegood.conversations.queries import letters
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import errors
from makegood.settlement import commands as settlement
from makegood.settlement.queries import payouts_for_person


@require_http_methods(["GET", "POST"])
@for_staff
def payouts(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What a person must pay or look into; confirming names the transfer's reference."""
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        try:
            _act_on_payout(request, actor)
        except errors.DomainError as refused:
            refusal = refused
        else:
            return redirect("desk:payouts", merchant.slug)
    waiting = payouts_for_person()
    return page(request, merchant, "payouts", actor=actor, refusal=refusal, payouts=waiting, posted=request.POST)


def _act_on_payout(request: HttpRequest, actor: Actor) -> None:
    ref, at = request.POST.get("payout", ""), timezone.now()
    todo = request.POST.get("do")
    if todo == "look":
        settlement.look_again(ref=ref, actor=actor, at=at)
        messages.success(request, _("The gateway was asked again."))
    elif todo == "otherwise":
        way = request.POST.get("gateway", "")[:20]
        new = settlement.pay_otherwise(ref=ref, gateway=way, actor=actor, at=at)
        messages.success(request, _("Given up; %(new)s pays it instead.") % {"new": new})
    elif todo == "give_up":
        settlement.give_up_payout(ref=ref, because=request.POST.get("because", "")[:20], actor=actor, at=at)
        messages.success(request, _("Given up: nothing more is paid for it."))
    else:
        settlement.confirm_payout(ref=ref, reference=request.POST.get("reference", ""), actor=actor, at=at)
        messages.success(request, _("The payout is confirmed."))


@require_http_methods(["GET", "POST"])
@for_staff
def budgets(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Money above what was paid: who approved it and what is left."""
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        try:
            _act_on_budget(request, merchant, actor)
        except errors.DomainError as refused:
            refusal = refused
        else:
            messages.success(request, _("The budget is approved."))
            return redirect("desk:budgets", merchant.slug)
    return page(
        request, merchant, "budgets", actor=actor, refusal=refusal, budgets=read_budgets(), people=people_of(),
        posted=request.POST, now=timezone.now(),
    )  # fmt: skip


def _act_on_budget(request: HttpRequest, merchant: Merchant, actor: Actor) -> None:
    posted, at = request.POST, timezone.now()
    name, amount = posted.get("name", "").strip()[:80], posted.get("amount", "").strip()[:40]
    if posted.get("do") == "top_up":
        key = posted.get("request_key", "")[:40]
        cases.top_up_budget(name=name, amount=amount, request_key=f"desk:{key}", actor=actor, at=at)
    else:
        cases.open_budget(
            name=name, purpose=posted.get("purpose", ""), asset=posted.get("asset") or merchant.currency,
            amount=amount, actor=actor, at=at,
        )  # fmt: skip


@require_GET
@for_staff
def outbox(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Letters with codes open customers' orders: only who manages the merchant reads them."""
    require(actor, May.MANAGE)
    return page(request, merchant, "outbox", actor=actor, letters=letters(at=timezone.now()))
