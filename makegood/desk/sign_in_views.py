"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import authenticate, login, logout
from django.core.validators import slug_re
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.accounts.limits import Limit, count_try
from makegood.accounts.models import Merchant, Staff
from makegood.accounts.sight import of_slug
from makegood.desk.members import MERCHANT, staff_in
from makegood.desk.rendering import page
from makegood.kit import db, errors

BY_ADDRESS = Limit("desk_sign_in_by_address", 60, timedelta(minutes=15))
BY_PERSON = Limit("desk_sign_in_by_person", 10, timedelta(minutes=15))


class SignInRefused(errors.Forbidden):
    code = "sign_in_refused"
    message = "E-mail address and password do not belong together here."


@require_GET
def front_door(request: HttpRequest) -> HttpResponse:
    """Where a member of staff says which merchant; no list of merchants is given away."""
    slug = request.GET.get("shop", "").strip().lower()
    return redirect("desk:queue", slug) if slug_re.fullmatch(slug) else render(request, "desk/front_door.html")


@require_http_methods(["GET", "POST"])
@of_slug
def sign_in(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """The answer is the same whether the person is unknown or the password wrong."""
    if request.method != "POST":
        if staff_in(request, merchant):
            return redirect("desk:queue", merchant.slug)
        return page(request, merchant, "sign_in", next=request.GET.get("next", ""))
    email, at = request.POST.get("email", "").strip()[:254], timezone.now()
    try:
        count_try(BY_ADDRESS, str(merchant.id), str(request.META.get("REMOTE_ADDR", "")), at=at)
        count_try(BY_PERSON, str(merchant.id), email.lower(), at=at)
        _enter(request, merchant, email, request.POST.get("password", ""))
    except errors.DomainError as refusal:
        return page(request, merchant, "sign_in", refusal=refusal, email=email, next=request.POST.get("next", ""))
    there = request.POST.get("next", "")
    if there and url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        return redirect(there)
    return redirect("desk:queue", merchant.slug)


def _enter(request: HttpRequest, merchant: Merchant, email: str, password: str) -> None:
    """Under a new session key, with nothing left of who used this browser before. Raises SignInRefused."""
    staff = authenticate(request, email=email, password=password)
    if not isinstance(staff, Staff):
        raise SignInRefused(field="email", rule="known_person_and_password")
    request.session.flush()
    with db.atomically():
        login(request, staff)
    request.session[MERCHANT] = merchant.id


@require_POST
@of_slug
def sign_out(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    logout(request)
    return redirect(reverse("desk:sign_in", args=[merchant.slug]))
