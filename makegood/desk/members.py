"""Who works at the desk: staff of the merchant in the address, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from makegood.accounts import sittings
from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant, Staff
from makegood.accounts.queries import actor_of_staff, settings_in
from makegood.accounts.sight import of_slug
from makegood.desk.rendering import page
from makegood.kit import errors, live

MERCHANT = "merchant_id"  # the session's key that the middleware reads
SITTING = "sitting"  # which sign-in this session is
PROVED = "proved"  # whether it was with a second factor


def staff_in(request: HttpRequest, merchant: Merchant) -> Staff | None:
    """The member of staff who is signed in at this merchant."""
    user = request.user
    if request.session.get(MERCHANT) != merchant.id or not isinstance(user, Staff):
        return None
    sitting = request.session.get(SITTING)
    if not isinstance(sitting, int) or not sittings.is_open(sitting, staff_id=user.id, at=timezone.now()):
        return None
    return user if user.merchant_id == merchant.id else None


def needs_second_factor(staff: Staff, merchant: Merchant) -> bool:
    """Whether the merchant lets this role work only with more than a password."""
    return staff.role in settings_in(merchant).second_factor_roles


def passkey_paths(merchant: Merchant) -> set[str]:
    """Where a browser makes a passkey: open to who has no second factor yet."""
    return {reverse(f"desk:passkey_{step}", args=[merchant.slug]) for step in ("begin", "add")}


def for_staff(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give the view, after request and merchant, who acts. Others sign in first; what is not there is not found."""

    @of_slug
    @wraps(view)
    def see(request: HttpRequest, merchant: Merchant, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.live_since = live.position()  # type: ignore[attr-defined]  # before anything the page reads
        staff = staff_in(request, merchant)
        if staff is None:
            there = reverse("desk:sign_in", args=[merchant.slug])
            back = f"?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" else ""
            return redirect(there + back)
        actor: Actor = actor_of_staff(staff)
        if (
            not request.session.get(PROVED)
            and needs_second_factor(staff, merchant)
            and request.resolver_match is not None
        ):
            security = reverse("desk:security", args=[merchant.slug])
            if request.path not in {security, *passkey_paths(merchant)}:
                return redirect(security)
        try:
            return view(request, merchant, actor, *args, **kwargs)
        except errors.Unknown:
            raise Http404 from None
        except errors.Forbidden as refusal:
            return page(request, merchant, "refused", actor=actor, refusal=refusal)

    return see
