"""How the desk answers: a page in the merchant's frame, for who is signed in, with refusals told on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.limits import TooManyTries
from makegood.accounts.models import Merchant, Staff
from makegood.accounts.states import May
from makegood.cases.commands.writing import may_overrule
from makegood.kit import errors
from makegood.kit.pages.language import text_language
from makegood.kit.pages.refusals import refusal_of
from makegood.kit.sheets import csv_lines
from makegood.workbench.queries import Keys, keys_of
from makegood.workbench.states import ACTS, Act


def page(
    request: HttpRequest,
    merchant: Merchant,
    template: str,
    *,
    actor: Actor | None = None,
    refusal: errors.DomainError | None = None,
    keys: Keys | None = None,
    **context: Any,
) -> HttpResponse:
    """The template for this person; with a refusal, its sentence and its status. ``keys`` where they are known."""
    told = refusal_of(refusal) if refusal else None
    status = 200 if told is None else told.status
    if isinstance(refusal, TooManyTries):
        status = 429
    findings = getattr(refusal, "findings", ())
    response = render(
        request,
        f"desk/{template}.html",
        {
            "merchant": merchant,
            "merchant_name": merchant.name(text_language()),
            "home_url": reverse("desk:queue", args=[merchant.slug]),
            "actor": actor,
            "may": {one.name.lower(): actor.may(one) for one in May} if actor else {},
            "refusal": told,
            "findings": findings,
            "may_overrule": bool(findings and actor and may_overrule(actor)),
            "here": template,
            "keys": _keys_of(actor, keys),
            **context,
        },
        status=status,
    )
    response["Cache-Control"] = "no-store"
    return response


def _keys_of(actor: Actor | None, known: Keys | None) -> list[tuple[Act, tuple[str, ...]]]:
    """Every act with this person's keys: the cheat-sheet, which is also the keymap of the page."""
    if actor is None or actor.id is None:
        return []
    keys = keys_of(actor.id) if known is None else known
    return [(act, keys[act.name]) for act in ACTS]


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[str | int | Decimal]]) -> HttpResponse:
    """A table to take away: texts in it are defused, numbers are as they are."""
    answer = HttpResponse("".join(csv_lines(head, rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def people_of(
    customer_id: int | None = None, customer_name: str = "", *, staff: Iterable[Staff] | None = None
) -> dict[str, str]:
    """Names of the keys that event rows hold: ``staff:3`` and ``customer:7``."""
    people = {f"staff:{one.id}": one.name for one in (accounts.staff_list() if staff is None else staff)}
    if customer_id is not None:
        people[f"customer:{customer_id}"] = customer_name
    return people
