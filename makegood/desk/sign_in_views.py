"""Signing in and out."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.core.validators import slug_re
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.accounts import factors, inviting, sittings
from makegood.accounts.limits import Limit, TooManyTries, count_try
from makegood.accounts.models import Merchant, Staff
from makegood.accounts.queries import StaffUnknown, actor_of_staff, staff_by_id, staff_list
from makegood.accounts.sight import of_slug
from makegood.conversations.commands import write_letter
from makegood.desk.members import MERCHANT, PROVED, SITTING, staff_in
from makegood.desk.rendering import page
from makegood.kit import db, errors
from makegood.kit.pages.language import text_language

BY_ADDRESS = Limit("desk_sign_in_by_address", 60, timedelta(minutes=15))
BY_PERSON = Limit("desk_sign_in_by_person", 10, timedelta(minutes=15))
BY_FACTOR = Limit("desk_second_factor", 10, timedelta(minutes=15))
HALF_IN = "half_in"  # the password was right, the second factor is still to come
HALF_IN_FOR = timedelta(minutes=10)
CHALLENGE = "passkey_challenge"
CONFIRMED = "confirmed_at"  # when the person last proved themselves in this session


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
        staff = _known(request, email, request.POST.get("password", ""))
    except errors.DomainError as refusal:
        if isinstance(refusal, TooManyTries):
            sittings.note_locked(email=email.lower(), at=at)
        return page(request, merchant, "sign_in", refusal=refusal, email=email, next=request.POST.get("next", ""))
    there = request.POST.get("next", "")
    request.session.flush()
    if factors.proves_with(factors.factors_of(staff.id)):
        request.session[MERCHANT] = merchant.id
        request.session[HALF_IN] = {"staff": staff.id, "at": at.timestamp(), "next": there}
        return redirect("desk:second_step", merchant.slug)
    enter(request, merchant, staff)
    return redirect(safe(there) or reverse("desk:queue", args=[merchant.slug]))


def _known(request: HttpRequest, email: str, password: str) -> Staff:
    """Raises SignInRefused."""
    staff = authenticate(request, email=email, password=password)
    if not isinstance(staff, Staff):
        raise SignInRefused(field="email", rule="known_person_and_password")
    return staff


def enter(request: HttpRequest, merchant: Merchant, staff: Staff, *, proved_by: str = "") -> None:
    """Under a new session key, with nothing left of who used this browser before."""
    at = timezone.now()
    request.session.flush()
    with db.atomically():
        login(request, staff, backend="makegood.accounts.sign_in.MerchantBackend")
    request.session[MERCHANT] = merchant.id
    request.session[SITTING] = sittings.open_sitting(
        staff_id=staff.id,
        address=str(request.META.get("REMOTE_ADDR", "")),
        browser=request.headers.get("User-Agent", ""),
        proved_by=proved_by,
        at=at,
    )
    request.session[PROVED] = bool(proved_by)
    request.session[CONFIRMED] = at.timestamp()


def safe(there: str) -> str:
    """An address of our own to go on to, or nothing."""
    return there if there and url_has_allowed_host_and_scheme(there, allowed_hosts=None) else ""


@require_http_methods(["GET", "POST"])
@of_slug
def second_step(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """After the password: a code of the app, a recovery code, or a passkey."""
    staff = half_in(request, merchant)
    if staff is None:
        return redirect("desk:sign_in", merchant.slug)
    kinds = factors.proves_with(factors.factors_of(staff.id))
    if request.method != "POST":
        return page(request, merchant, "second_step", kinds=kinds)
    try:
        kind = _prove(request, staff)
    except errors.DomainError as refusal:
        return page(request, merchant, "second_step", refusal=refusal, kinds=kinds)
    there = request.session[HALF_IN]["next"]
    enter(request, merchant, staff, proved_by=kind)
    return redirect(safe(there) or reverse("desk:queue", args=[merchant.slug]))


@require_http_methods(["GET", "POST"])
@of_slug
def welcome(request: HttpRequest, merchant: Merchant, token: str) -> HttpResponse:
    """Behind the link of an invitation: choose a password, then sign in with it."""
    try:
        staff = inviting.staff_of_link(token)
    except inviting.LinkSpent:
        raise Http404 from None
    if request.method != "POST":
        return page(request, merchant, "welcome", person=staff)
    try:
        inviting.accept_link(token=token, password=request.POST.get("password", ""), at=timezone.now())
    except errors.DomainError as refusal:
        return page(request, merchant, "welcome", person=staff, refusal=refusal)
    messages.success(request, _("The password is set. Sign in with it."))
    return redirect("desk:sign_in", merchant.slug)


@require_http_methods(["GET", "POST"])
@of_slug
def forgotten(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Write a link to who asks for one; the answer is the same whether they work here or not."""
    if request.method != "POST":
        return page(request, merchant, "forgotten")
    email, at = request.POST.get("email", "").strip().lower()[:254], timezone.now()
    try:
        count_try(BY_ADDRESS, str(merchant.id), str(request.META.get("REMOTE_ADDR", "")), at=at)
        count_try(BY_PERSON, str(merchant.id), email, at=at)
    except errors.DomainError as refusal:
        return page(request, merchant, "forgotten", refusal=refusal)
    known = next((one for one in staff_list() if one.is_active and one.email == email), None)
    write_link(request, merchant, known, at=at)
    messages.success(request, _("If you work here, a letter with a link is on its way to you."))
    return redirect("desk:sign_in", merchant.slug)


def write_link(request: HttpRequest, merchant: Merchant, person: Staff | None, *, at: datetime) -> None:
    """A letter with a link to set a password; to nobody where nobody is meant, so that both take the same time."""
    language = person.language if person else "en"
    token = inviting.link_token(person) if person else "nobody"
    link = request.build_absolute_uri(reverse("desk:welcome", args=[merchant.slug, token]))
    with translation.override(language), db.atomically():
        write_letter(
            to_kind="email",
            to_value=person.email if person else "",
            language=language,
            subject=_("Your access to the desk of %(shop)s") % {"shop": merchant.name(text_language())},
            body=_("Choose your password here, within seven days: %(link)s") % {"link": link},
            at=at,
            expires_at=at + inviting.GOOD_FOR,
        )


@require_POST
@of_slug
def passkey_options(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """What the browser signs with a passkey of the person who told the password."""
    staff = half_in(request, merchant)
    if staff is None:
        return redirect("desk:sign_in", merchant.slug)
    try:
        options, request.session[CHALLENGE] = factors.begin_proof(staff, host=host_of(request))
    except factors.FactorRefused:
        raise Http404 from None
    return JsonResponse(options)


def _prove(request: HttpRequest, staff: Staff) -> str:
    """The kind of factor that was proved. Raises TooManyTries, FactorRefused."""
    at = timezone.now()
    count_try(BY_FACTOR, str(staff.merchant_id), str(staff.id), at=at)
    signed = request.POST.get("passkey", "")
    if not signed:
        return factors.prove_by_code(staff=staff, code=request.POST.get("code", "")[:40], at=at)
    return factors.prove_by_passkey(
        staff=staff,
        state=request.session.pop(CHALLENGE, None),
        answer=read_signed(signed),
        host=host_of(request),
        origin=origin_of(request),
        at=at,
    )


def read_signed(text: str) -> dict[str, Any]:
    """What the browser gave for a passkey. Raises FactorRefused."""
    try:
        answer = json.loads(text[:20_000])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise factors.FactorRefused(field="passkey", rule="signed_by_the_device")
    return answer


def half_in(request: HttpRequest, merchant: Merchant) -> Staff | None:
    """Who told the right password here a moment ago."""
    told = request.session.get(HALF_IN)
    if request.session.get(MERCHANT) != merchant.id or not isinstance(told, dict):
        return None
    if timezone.now().timestamp() - told["at"] > HALF_IN_FOR.total_seconds():
        return None
    try:
        staff = staff_by_id(told["staff"])
    except StaffUnknown:
        return None
    return staff if staff.is_active else None


def host_of(request: HttpRequest) -> str:
    """The name that passkeys are bound to."""
    return request.get_host().rpartition(":")[0] or request.get_host()


def origin_of(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


@require_POST
@of_slug
def sign_out(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    staff, sitting = staff_in(request, merchant), request.session.get(SITTING)
    if staff is not None and isinstance(sitting, int):
        sittings.end_sitting(sitting_id=sitting, staff_id=staff.id, actor=actor_of_staff(staff), at=timezone.now())
    logout(request)
    return redirect(reverse("desk:sign_in", args=[merchant.slug]))
