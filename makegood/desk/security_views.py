"""One's own safety at the desk: ways of signing in, open sign-ins, the password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from makegood.accounts import commands, factors, sittings
from makegood.accounts.actors import Actor
from makegood.accounts.limits import count_try
from makegood.accounts.models import Merchant, Staff
from makegood.accounts.queries import staff_by_id
from makegood.accounts.states import FactorKind
from makegood.desk.members import PROVED, SITTING, for_staff, needs_second_factor
from makegood.desk.rendering import page
from makegood.desk.sign_in_views import BY_PERSON, CHALLENGE, CONFIRMED, SignInRefused, host_of, origin_of, read_signed
from makegood.kit import db, errors, vault

CONFIRMED_FOR = timedelta(minutes=15)
NEW_APP = "new_app_secret"
_PURPOSE = "makegood/desk/new-app/1"


class NotConfirmed(errors.Forbidden):
    code = "not_confirmed"
    message = "Tell your password once more before you change how you sign in."


@require_http_methods(["GET", "POST"])
@for_staff
def security(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What one signs in with, and where one is signed in. Recovery codes are in the answer that made them only."""
    staff = _me(actor)
    refusal: errors.DomainError | None = None
    codes: list[str] = []
    if request.method == "POST":
        act = ACTIONS.get(request.POST.get("do", ""))
        try:
            codes = act(request, staff, actor) if act else []
        except errors.DomainError as refused:
            refusal = refused
        else:
            if not codes:
                return redirect("desk:security", merchant.slug)
    return security_page(request, merchant, actor, refusal=refusal, codes=codes)


def security_page(
    request: HttpRequest,
    merchant: Merchant,
    actor: Actor,
    *,
    refusal: errors.DomainError | None = None,
    codes: list[str] | None = None,
) -> HttpResponse:
    staff, at = _me(actor), timezone.now()
    found = factors.factors_of(staff.id)
    secret = _new_app(request)
    return page(
        request,
        merchant,
        "security",
        actor=actor,
        refusal=refusal,
        factors=[factor for factor in found if factor.kind != FactorKind.RECOVERY],
        codes_left=sum(1 for factor in found if factor.kind == FactorKind.RECOVERY),
        codes=codes or [],
        confirmed=_is_confirmed(request),
        needed=needs_second_factor(staff, merchant) and not request.session.get(PROVED),
        secret=secret,
        qr=_qr(factors.app_address(secret, who=staff.email, issuer=merchant.name_en)) if secret else "",
        sittings=sittings.sittings_of(staff.id, at=at),
        here_now=request.session.get(SITTING),
    )


@require_POST
@for_staff
def passkey_begin(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What the browser makes a passkey from."""
    _check_confirmed(request)
    options, request.session[CHALLENGE] = factors.begin_passkey(_me(actor), host=host_of(request))
    return JsonResponse(options)


@require_POST
@for_staff
def passkey_add(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Take the passkey that the browser made."""
    _check_confirmed(request)
    try:
        codes = factors.add_passkey(
            staff=_me(actor),
            state=request.session.pop(CHALLENGE, None),
            answer=read_signed(request.POST.get("passkey", "")),
            label=request.POST.get("label", ""),
            host=host_of(request),
            origin=origin_of(request),
            at=timezone.now(),
        )
    except errors.DomainError as refusal:
        return security_page(request, merchant, actor, refusal=refusal)
    request.session[PROVED] = True
    messages.success(request, _("The passkey is added."))
    return security_page(request, merchant, actor, codes=codes) if codes else redirect("desk:security", merchant.slug)


def _confirm(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    count_try(BY_PERSON, str(staff.merchant_id), staff.email, at=timezone.now())
    if not staff.check_password(request.POST.get("password", "")):
        raise SignInRefused(field="password", rule="known_person_and_password")
    request.session[CONFIRMED] = timezone.now().timestamp()
    return []


def _begin_app(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    _check_confirmed(request)
    request.session[NEW_APP] = vault.seal({"secret": factors.new_app_secret()}, purpose=_PURPOSE)
    return []


def _add_app(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    _check_confirmed(request)
    secret = _new_app(request)
    if not secret:
        return []
    code = request.POST.get("code", "")[:20]
    label = request.POST.get("label", "")
    codes = factors.add_app(staff=staff, secret=secret, code=code, label=label, at=timezone.now())
    del request.session[NEW_APP]
    request.session[PROVED] = True
    messages.success(request, _("The authenticator app is added."))
    return codes


def _remove(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    _check_confirmed(request)
    factors.remove_factor(staff=staff, factor_id=_number(request, "factor"), at=timezone.now())
    messages.success(request, _("It is removed."))
    return []


def _renew_codes(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    _check_confirmed(request)
    return factors.renew_recovery_codes(staff=staff, at=timezone.now())


def _end(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    sittings.end_sitting(sitting_id=_number(request, "sitting"), staff_id=staff.id, actor=actor, at=timezone.now())
    messages.success(request, _("That sign-in is ended."))
    return []


def _end_others(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    here = request.session.get(SITTING)
    sittings.end_sittings(staff_id=staff.id, but=here, actor=actor, at=timezone.now())
    messages.success(request, _("Every other sign-in is ended."))
    return []


def _password(request: HttpRequest, staff: Staff, actor: Actor) -> list[str]:
    """A new password ends every other sign-in."""
    _check_confirmed(request)
    at = timezone.now()
    commands.set_password(staff_id=staff.id, password=request.POST.get("new_password", ""), actor=actor, at=at)
    sittings.end_sittings(staff_id=staff.id, but=request.session.get(SITTING), actor=actor, at=at)
    with db.atomically():
        update_session_auth_hash(request, _me(actor))
    messages.success(request, _("The password is changed; other sign-ins are ended."))
    return []


Action = Callable[[HttpRequest, Staff, Actor], list[str]]
ACTIONS: dict[str, Action] = {
    "confirm": _confirm,
    "begin-app": _begin_app,
    "add-app": _add_app,
    "remove": _remove,
    "codes": _renew_codes,
    "end": _end,
    "end-others": _end_others,
    "password": _password,
}


def _me(actor: Actor) -> Staff:
    if actor.id is None:
        raise TypeError("staff have a number")
    return staff_by_id(actor.id)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _is_confirmed(request: HttpRequest) -> bool:
    told = request.session.get(CONFIRMED)
    return isinstance(told, float) and timezone.now().timestamp() - told < CONFIRMED_FOR.total_seconds()


def _check_confirmed(request: HttpRequest) -> None:
    """Raises NotConfirmed."""
    if not _is_confirmed(request):
        raise NotConfirmed(field="password", rule="told_within_15_minutes")


def _new_app(request: HttpRequest) -> str:
    """The secret that an app is being given, kept sealed in the session until the app shows its first code."""
    sealed = request.session.get(NEW_APP)
    if not isinstance(sealed, str):
        return ""
    opened: dict[str, Any] = vault.unseal(sealed, purpose=_PURPOSE, name="session")
    return str(opened.get("secret", ""))


def _qr(address: str) -> str:
    """The QR code as a drawing in the page: its only content is squares."""
    drawing: str = segno.make(address, error="m").svg_inline(
        scale=5, border=3, dark="#000", light="#fff", omitsize=False
    )
    return mark_safe(drawing)  # noqa: S308 - drawn by the library from an address of ours
