"""Who works for the merchant, what each role may approve, and what was changed by whom; for owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts import commands, factors, limits, queries, sittings
from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant, Staff
from makegood.accounts.states import May, Role
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.desk.sign_in_views import BY_FACTOR, BY_PERSON, write_link
from makegood.kit import errors
from makegood.kit.money import Money

ROLES = tuple(role for role in Role if role != Role.INTEGRATION)

WHAT: dict[str, str | Promise] = {
    "customer_erased": gettext_lazy("A customer was forgotten"),
    "customer_exported": gettext_lazy("A customer's data was handed over"),
    "factor_added": gettext_lazy("A second step was set up"),
    "factor_removed": gettext_lazy("A second step was removed"),
    "factors_reset": gettext_lazy("All second steps were taken away"),
    "figures_exported": gettext_lazy("Figures or cases were exported"),
    "password_set": gettext_lazy("A password was set"),
    "recovery_code_used": gettext_lazy("A recovery code was used"),
    "recovery_codes_renewed": gettext_lazy("New recovery codes were made"),
    "role_changed": gettext_lazy("A role was changed"),
    "settings_changed": gettext_lazy("The settings were changed"),
    "shop_opened": gettext_lazy("A shop was opened"),
    "sign_in_locked": gettext_lazy("Too many wrong tries to sign in"),
    "signed_in": gettext_lazy("Somebody signed in"),
    "sitting_ended": gettext_lazy("A sign-in was ended"),
    "sittings_ended": gettext_lazy("Sign-ins were ended"),
    "staff_deactivated": gettext_lazy("Somebody no longer works here"),
    "staff_invited": gettext_lazy("Somebody was invited"),
    "token_issued": gettext_lazy("A token was made"),
    "token_revoked": gettext_lazy("A token was ended"),
    "webhook_added": gettext_lazy("A webhook was added"),
    "webhook_changed": gettext_lazy("A webhook was changed"),
    "webhook_disabled": gettext_lazy("A webhook was switched off after failures"),
    "webhook_paused": gettext_lazy("A webhook was paused"),
    "webhook_removed": gettext_lazy("A webhook was removed"),
    "webhook_replayed": gettext_lazy("Webhooks were replayed"),
    "webhook_resumed": gettext_lazy("A webhook was resumed"),
    "webhook_secret_rotated": gettext_lazy("A webhook got a new secret"),
}


@require_http_methods(["GET", "POST"])
@for_staff
def staff(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Everybody who works here, the form to invite another, and the limits of each role."""
    require(actor, May.MANAGE)
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
            return redirect("desk:staff", merchant.slug)
    at, settings = timezone.now(), queries.settings_of_merchant()
    people = [
        {
            "staff": one,
            "kinds": factors.proves_with(factors.factors_of(one.id)) if one.is_active else set(),
            "sittings": sittings.sittings_of(one.id, at=at) if one.is_active else [],
        }
        for one in queries.staff_list()
    ]
    return page(
        request,
        merchant,
        "staff",
        actor=actor,
        refusal=refusal,
        administering="staff",
        people=people,
        me=actor.id,
        roles=[(role.value, role.label) for role in ROLES],
        limits=[_limit_row(role, settings.approval_limit(role, merchant.currency), settings) for role in ROLES],
        two_people=_amount(settings.two_people_above.get(merchant.currency), merchant.currency),
        posted=request.POST if refusal else {},
    )


def _limit_row(role: Role, limit: Money | None, settings: Any) -> dict[str, Any]:
    return {
        "role": role.value,
        "label": role.label,
        "amount": limit.amount() if limit else "",
        "second_step": role in settings.second_factor_roles,
    }


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else Money(minor, currency).amount()


@require_GET
@for_staff
def changes(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What was changed about staff, tokens, webhooks and settings, by whom and when: never changed itself."""
    require(actor, May.MANAGE)
    asked = {name: request.GET.get(name, "").strip()[:60] for name in ("what", "subject", "actor")}
    refusal: errors.DomainError | None = None
    try:
        found = queries.account_events(
            what=asked["what"],
            subject=asked["subject"],
            actor=asked["actor"],
            after=request.GET.get("after", "")[:200],
        )
    except errors.Malformed as malformed:
        found, refusal = queries.EventsPage((), None), malformed
    return page(
        request,
        merchant,
        "changes",
        actor=actor,
        refusal=refusal,
        administering="changes",
        rows=[(row, WHAT.get(row.what, row.what)) for row in found.rows],
        next_cursor=found.next,
        asked=asked,
        kinds=sorted(WHAT.items(), key=lambda item: str(item[1])),
        people=people_of(),
    )


def _invite(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    at = timezone.now()
    invited = commands.invite_staff(
        email=request.POST.get("email", "")[:254],
        name=request.POST.get("name", ""),
        role=request.POST.get("role", ""),
        language=request.POST.get("language", "zh-hans"),
        actor=actor,
        at=at,
    )
    write_link(request, merchant, invited, at=at)
    return _("Invited; a letter with a link is on its way.")


def _link(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    write_link(request, merchant, _person(request), at=timezone.now())
    return _("A letter with a link is on its way.")


def _role(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    commands.change_role(
        staff_id=_person(request).id, role=request.POST.get("role", ""), actor=actor, at=timezone.now()
    )
    return _("The role is changed.")


def _deactivate(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    person, at = _person(request), timezone.now()
    commands.deactivate_staff(staff_id=person.id, actor=actor, at=at)
    sittings.end_sittings(staff_id=person.id, actor=actor, at=at)
    return _("%(name)s can no longer sign in.") % {"name": person.name}


def _reset(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    person, at = _person(request), timezone.now()
    factors.reset_factors(staff_id=person.id, actor=actor, at=at)
    sittings.end_sittings(staff_id=person.id, actor=actor, at=at)
    return _("The second steps of %(name)s are gone; a password opens the desk until new ones are set up.") % {
        "name": person.name
    }


def _end(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    sittings.end_sittings(staff_id=_person(request).id, actor=actor, at=timezone.now())
    return _("Every sign-in of this person is ended.")


def _unlock(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    """Let somebody who mistyped too often try again at once."""
    person = _person(request)
    limits.forgive_tries(BY_PERSON, str(merchant.id), person.email)
    limits.forgive_tries(BY_FACTOR, str(merchant.id), str(person.id))
    return _("%(name)s may try again.") % {"name": person.name}


def _limits(request: HttpRequest, merchant: Merchant, actor: Actor) -> str:
    """Limits in the merchant's own currency; an empty field lets the role approve nothing in it."""
    settings = queries.settings_of_merchant()
    currency = merchant.currency
    approval = {role: dict(amounts) for role, amounts in settings.approval_limits.items()}
    for role in ROLES:
        approval.setdefault(role.value, {}).pop(currency, None)
        if text := request.POST.get(f"limit-{role.value}", "").replace(",", "").strip():
            approval[role.value][currency] = Money.parse(text[:30], currency, field=f"limit-{role.value}").minor
    both = {name: minor for name, minor in settings.two_people_above.items() if name != currency}
    if text := request.POST.get("two_people", "").replace(",", "").strip():
        both[currency] = Money.parse(text[:30], currency, field="two_people").minor
    demanded = [role.value for role in ROLES if request.POST.get(f"second-{role.value}")]
    commands.change_settings(
        settings={
            **settings.raw,
            "approval_limits": approval,
            "two_people_above": both,
            "second_factor_roles": demanded,
        },
        actor=actor,
        at=timezone.now(),
    )
    return _("The limits are saved.")


def _person(request: HttpRequest) -> Staff:
    """Raises StaffUnknown."""
    text = request.POST.get("staff", "")
    return queries.staff_by_id(int(text) if text.isdecimal() and len(text) < 19 else 0)


ACTIONS: dict[str, Callable[[HttpRequest, Merchant, Actor], str]] = {
    "invite": _invite,
    "link": _link,
    "role": _role,
    "deactivate": _deactivate,
    "reset": _reset,
    "end": _end,
    "unlock": _unlock,
    "limits": _limits,
}
