"""How the portal answers: a page with the merchant's name on it, and refusals told on it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from makegood.accounts.limits import TooManyTries
from makegood.accounts.models import Merchant
from makegood.kit import errors
from makegood.kit.pages.language import text_language
from makegood.kit.pages.refusals import refusal_of
from makegood.portal.visitors import customer_in
from makegood.portal.zone import zone_said


def go_on(request: HttpRequest, address: str) -> HttpResponse:
    """To the next page; a script that watched the sending is told the address, and goes there itself."""
    if request.headers.get("X-Watched"):
        return HttpResponse(status=204, headers={"X-Go-To": address})
    return HttpResponseRedirect(address)


def page(
    request: HttpRequest,
    merchant: Merchant,
    template: str,
    *,
    refusal: errors.DomainError | None = None,
    **context: Any,
) -> HttpResponse:
    """The template in the merchant's frame; with a refusal, its sentence and its status."""
    told = refusal_of(refusal) if refusal else None
    status = 200 if told is None else told.status
    if isinstance(refusal, TooManyTries):
        status = 429
    response = render(
        request,
        f"portal/{template}.html",
        {
            "merchant": merchant,
            "merchant_name": merchant.name(text_language()),
            "home_url": reverse("portal:start", args=[merchant.slug]),
            "known": customer_in(request, merchant) is not None,
            "zone": zone_said(),
            "refusal": told,
            **context,
        },
        status=status,
    )
    response["Cache-Control"] = "no-store"
    if isinstance(refusal, TooManyTries):
        response["Retry-After"] = str(refusal.details["wait_seconds"])
    return response
