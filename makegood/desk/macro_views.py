"""Macros: the page that keeps them, and using one on a case: filled in, looked at, then done together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import commands as cases
from makegood.cases.queries import CaseView
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors
from makegood.workbench import commands
from makegood.workbench.macros import STEPS, VARIABLES, fill_in
from makegood.workbench.queries import MacroView, macros_of


@require_http_methods(["GET", "POST"])
@for_staff
def macros(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Own and shared macros."""
    refusal: errors.DomainError | None = None
    posted = request.POST
    number = posted.get("macro", "")
    macro_id = int(number) if number.isdecimal() and len(number) < 19 else None
    if request.method == "POST":
        try:
            if posted.get("do") == "drop" and macro_id:
                commands.drop_macro(macro_id=macro_id, actor=actor)
                messages.success(request, _("The macro is gone."))
            else:
                steps = {step: posted.get(step, "") for step in STEPS}
                commands.keep_macro(
                    name=posted.get("name", ""), steps=steps, then=posted.get("then", "stay"),
                    shared=bool(posted.get("shared")), actor=actor, macro_id=macro_id,
                )  # fmt: skip
                messages.success(request, _("The macro is kept."))
            return redirect("desk:macros", merchant.slug)
        except (errors.Refused, errors.Malformed) as refused:
            refusal = refused
    return page(
        request, merchant, "macros", actor=actor, refusal=refusal, macros=macros_of(actor.id or 0),
        variables=[f"{{{name}}}" for name in VARIABLES], posted=posted,
    )  # fmt: skip


def macro_context(
    request: HttpRequest, merchant: Merchant, found: CaseView, actor: Actor, listed: Sequence[MacroView]
) -> dict[str, Any]:
    """Macros for the case page; the one chosen in the address with its words filled in, to be edited before sending."""
    values = _values(merchant, found, actor)
    chosen = next((one for one in listed if str(one.id) == request.GET.get("macro", "")), None)
    return {
        "macros": listed,
        "macro": chosen,
        "macro_reply": fill_in(_reply(chosen, found), values) if chosen else "",
        "macro_note": fill_in(chosen.steps.get("note", ""), values) if chosen else "",
        "snippets": [(one.name, fill_in(_reply(one, found), values)) for one in listed if _reply(one, found)],
    }


def _reply(macro: MacroView, found: CaseView) -> str:
    """In the language of the case, else in the other."""
    first, second = ("reply_zh", "reply_en") if found.language.startswith("zh") else ("reply_en", "reply_zh")
    return macro.steps.get(first) or macro.steps.get(second, "")


def _values(merchant: Merchant, found: CaseView, actor: Actor) -> dict[str, str]:
    return {
        "customer": found.customer_name,
        "case": found.ref,
        "order": found.order_number,
        "merchant": merchant.name(found.language),
        "me": actor.label,
        "due": timezone.localtime(found.due_at).strftime("%Y-%m-%d") if found.due_at else "",
    }


def run_steps(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    """The steps that stayed ticked beside the reply. The note is as it was edited. What cannot be done is told."""
    at, said = timezone.now(), request.POST
    if note := said.get("macro-note", "").strip()[:5000]:
        cases.add_message(ref=found.ref, body=note, internal=True, actor=actor, at=at)
    if tag := said.get("macro-tag", "").strip()[:40]:
        cases.tag_case(ref=found.ref, add=[tag], actor=actor, at=at)
    if said.get("macro-assign"):
        cases.assign_case(ref=found.ref, staff_id=actor.id, actor=actor, at=at)
    hours = said.get("macro-snooze", "")
    if hours.isdecimal() and 0 < int(hours) <= 2160:
        cases.snooze_case(ref=found.ref, until=at + timedelta(hours=int(hours)), actor=actor, at=at)
    return _("Done.")
