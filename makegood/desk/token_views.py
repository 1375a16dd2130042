"""Access tokens at the desk: made, shown once, ended; for who manages the merchant."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts import commands, queries
from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import ALLOWED, May, Role
from makegood.customers.queries import customer_by_reference
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors

DAYS_MAX = 3650


class DaysMalformed(errors.Malformed):
    code = "days_malformed"
    message = "{field}: {value} is not a number of days ({rule})."


@require_http_methods(["GET", "POST"])
@for_staff
def tokens(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Every token with its last use. A new one's secret is in the answer to the form that made it, and nowhere else."""
    require(actor, May.MANAGE)
    refusal: errors.DomainError | None = None
    secret = ""
    if request.method == "POST":
        try:
            if request.POST.get("do") == "revoke":
                _revoke(request, actor)
                return redirect("desk:tokens", merchant.slug)
            secret = _issue(request, actor)
        except errors.DomainError as refused:
            refusal = refused
    return page(
        request,
        merchant,
        "tokens",
        actor=actor,
        refusal=refusal,
        administering="tokens",
        tokens=queries.token_list(),
        secret=secret,
        roles=[choice for choice in Role.choices if choice[0] in ALLOWED],
        scopes=May.choices,
        chosen=request.POST.getlist("scopes") or [May.READ],
        now=timezone.now(),
        posted=request.POST if refusal else {},
    )


def _issue(request: HttpRequest, actor: Actor) -> str:
    at = timezone.now()
    days = request.POST.get("days", "").strip()
    if days and not (days.isdecimal() and 0 < int(days[:9]) <= DAYS_MAX):
        raise DaysMalformed(days, field="days", rule=f"1_to_{DAYS_MAX}")
    customer = request.POST.get("customer", "").strip()[:120]
    return commands.issue_token(
        label=request.POST.get("label", ""),
        role=request.POST.get("role", ""),
        scopes=request.POST.getlist("scopes"),
        expires_at=at + timedelta(days=int(days)) if days else None,
        customer_id=customer_by_reference(customer).id if customer else None,
        actor=actor,
        at=at,
    )


def _revoke(request: HttpRequest, actor: Actor) -> None:
    chosen = request.POST.get("token", "")
    if not chosen.isdecimal() or len(chosen) > 18:
        raise commands.TokenUnknown(chosen, field="token")
    commands.revoke_token(token_id=int(chosen), actor=actor, at=timezone.now())
    messages.success(request, _("The token is ended."))
