"""Who visits the portal: a customer who proved a contact, remembered in the session for one merchant at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.accounts.sight import of_slug
from makegood.kit import errors, live
from makegood.portal.zone import zone_of

KEY = "customer"


def customer_in(request: HttpRequest, merchant: Merchant) -> Actor | None:
    """The customer this visitor proved to be, at this merchant."""
    kept: Any = request.session.get(KEY)
    if isinstance(kept, dict) and kept.get("merchant") == merchant.id:
        return Actor.customer(int(kept["id"]))
    return None


def remember(request: HttpRequest, merchant: Merchant, customer_id: int) -> None:
    """Under a new session key, so that one planted beforehand opens nothing."""
    request.session.cycle_key()
    request.session[KEY] = {"merchant": merchant.id, "id": customer_id}


def forget(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
    request.session.cycle_key()


def for_customers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view of a customer who is known; others first find their order. What is not theirs is not found.

    Times are shown in the visitor's zone.
    """

    @of_slug
    @wraps(view)
    def see(request: HttpRequest, merchant: Merchant, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.live_since = live.position()  # type: ignore[attr-defined]  # before anything the page reads
        actor = customer_in(request, merchant)
        if actor is None:
            return redirect(reverse("portal:find", args=[merchant.slug]))
        try:
            with timezone.override(zone_of(request, merchant)):
                return view(request, merchant, actor, *args, **kwargs)
        except errors.Unknown:
            raise Http404 from None

    return see


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, for counting tries."""
    return str(request.META.get("REMOTE_ADDR", ""))


def only_merchant() -> Merchant | None:
    """The merchant of an installation that has one."""
    from makegood.kit import tenancy  # noqa: PLC0415 - only the front door needs it

    ids = accounts.merchant_ids()
    if len(ids) != 1:
        return None
    with tenancy.acting_for(ids[0]):
        return accounts.merchant()
