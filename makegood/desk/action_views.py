"""The forms of a case page: each reads what was posted and calls one command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.cases.queries import CaseView
from makegood.cases.states import State
from makegood.desk.macro_views import run_steps
from makegood.desk.put_off_until import read_until
from makegood.kit import db, errors, files
from makegood.kit.money import Money
from makegood.policy.vocabulary import FACTS
from makegood.workbench import commands as workbench


class TotalDiffers(errors.Malformed):
    code = "total_differs"
    message = "You typed {value}; the decision grants {rule}. Nothing was approved."


class TextMissing(errors.Malformed):
    code = "text_missing"
    message = "Write something first."


class FindingMissing(errors.Malformed):
    code = "finding_missing"
    message = "Choose what was found, and say how."


class UnitsTyped(errors.Malformed):
    code = "units_typed"
    message = "{field}: {value} is not a number of units."


Form = Callable[[HttpRequest, Actor, CaseView], str]


def _seen(request: HttpRequest) -> int | None:
    """The last event that was on the page: nothing is decided over what two people, or a customer, did since."""
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else None


def _text(request: HttpRequest, name: str, most: int = 5000) -> str:
    return request.POST.get(name, "").strip()[:most]


def _decide(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    commands.decide_case(ref=found.ref, actor=actor, at=timezone.now())
    return _("The policy has proposed a decision.")


def _approve(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    """The decision that was seen and no other, with its total typed where money is granted."""
    decision = found.decision
    if decision and decision.total_minor:
        _check_total(_text(request, "total", 40), Money(decision.total_minor, decision.currency))
    seen = request.POST.get("decision", "")
    case = commands.approve_case(
        ref=found.ref,
        actor=actor,
        at=timezone.now(),
        decision_id=int(seen) if seen.isdecimal() else None,
        seen=_seen(request),
    )
    if case.state == "planned":
        return _("Your approval is noted; a second person must approve too.")
    return _("Approved. What was promised is under way.")


def _decide_and_approve(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    """One step for a simple case: the proposal that was on the page, granted in the same transaction."""
    at = timezone.now()
    with db.together():
        commands.decide_case(ref=found.ref, actor=actor, at=at, seen=_seen(request))
        row = db.fetch_one(
            "select total_minor, currency from cases_decision where case_id = %s and not superseded", [found.id]
        )
        if row and row["total_minor"]:
            _check_total(_text(request, "total", 40), Money(row["total_minor"], row["currency"]))
        commands.approve_case(ref=found.ref, actor=actor, at=at)
    return _("Approved. What was promised is under way.")


def _check_total(typed: str, total: Money) -> None:
    """Raises TotalDiffers, AmountMalformed."""
    if Money.parse(typed.replace(",", "") or "0", total.currency, field="total") != total:
        raise TotalDiffers(typed, field="total", rule=total.amount())


def _deny(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    commands.deny_case(ref=found.ref, actor=actor, at=timezone.now(), why=_text(request, "why"), seen=_seen(request))
    return _("Denied; the customer is told why and can appeal.")


def _by_hand(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    why = _text(request, "why")
    if not why:
        raise TextMissing(field="why", rule="not_empty")
    commands.decide_by_hand(
        ref=found.ref,
        verdict=_text(request, "verdict", 20),
        remedies=read_remedies(request),
        why=why,
        actor=actor,
        at=timezone.now(),
    )
    return _("Your decision is proposed; another person approves it.")


def read_remedies(request: HttpRequest) -> list[HandRemedy]:
    """The rows that name a remedy. Raises UnitsTyped."""
    found = []
    for row in range(10):
        kind = _text(request, f"kind-{row}", 20)
        if not kind:
            continue
        units = _text(request, f"quantity-{row}", 9)
        if units and not units.isdecimal():
            raise UnitsTyped(units, field=f"remedies[{row}].quantity", rule="whole_number")
        found.append(
            HandRemedy(
                kind=kind,
                amount=_text(request, f"amount-{row}", 30).replace(",", "") or "0",
                line=_text(request, f"line-{row}", 80),
                quantity=int(units) if units else None,
                budget=_text(request, f"budget-{row}", 80),
                after="goods_back" if request.POST.get(f"after-{row}") else "",
            )
        )
    return found


def _find(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    fact, _sign, chosen = _text(request, "finding", 120).partition("=")
    how = _text(request, "how", 200)
    if not chosen or not how:
        raise FindingMissing(field="finding", rule="fact_value_and_how")
    spec = FACTS.get(fact)
    value = chosen == "true" if spec and spec.type == "flag" else chosen
    commands.record_finding(ref=found.ref, fact=fact, value=value, how=how, actor=actor, at=timezone.now())
    return _("The finding is recorded.")


def _message(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    internal = request.POST.get("to") == "staff"
    body, uses_macro = _text(request, "body"), bool(request.POST.get("macro-used"))
    if not body and uses_macro and not internal:
        return run_steps(request, actor, found)
    if not body:
        raise TextMissing(field="body", rule="not_empty")
    if internal:
        commands.add_message(ref=found.ref, body=body, internal=True, actor=actor, at=timezone.now())
        return _("The note is kept; only staff see it.")
    beyond = _text(request, "beyond", 200)
    left = workbench.leave_reply(
        ref=found.ref, body=body, beyond=beyond, seen=_seen(request), actor=actor, at=timezone.now()
    )
    if uses_macro:
        run_steps(request, actor, found)
    return _("Sent to the customer.") if left is None else _("It goes out in a moment; until then you can undo it.")


def _bring(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    limits = accounts.settings_of_merchant().evidence
    kept = [
        files.store(
            upload,
            declared_name=upload.name or "",
            uploads=settings.UPLOADS_DIR,
            owner=str(accounts.merchant().id),
            limits=files.Limits(file_bytes=limits.bytes_max, pixels=limits.pixels_max),
        )
        for upload in request.FILES.getlist("files")
    ]
    if not kept:
        raise TextMissing(field="files", rule="at_least_one")
    for stored in kept:
        commands.add_evidence(
            ref=found.ref,
            kind=_text(request, "kind", 30),
            file=stored,
            actor=actor,
            at=timezone.now(),
            files_max=limits.files_max,
        )
    return _("The evidence is on the case.")


def _receive(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    commands.receive_goods(ref=found.ref, actor=actor, at=timezone.now())
    return _("The goods are received; inspect them next.")


def _more_time(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    commands.authorise_again(ref=found.ref, actor=actor, at=timezone.now())
    return _("The customer has the full time again.")


def _inspect(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    inspected = []
    for line in dict.fromkeys(one.line for one in found.lines):
        accepted, rejected = (_units(request, f"{part}-{line}") for part in ("accepted", "rejected"))
        resellable = bool(request.POST.get(f"resellable-{line}"))
        inspected.append(Inspected(line, accepted, rejected, resellable=resellable))
    commands.inspect_goods(ref=found.ref, found=inspected, actor=actor, at=timezone.now())
    return _("The inspection is recorded.")


def _units(request: HttpRequest, name: str) -> int:
    """Raises UnitsTyped."""
    text = _text(request, name, 9) or "0"
    if not text.isdecimal():
        raise UnitsTyped(text, field=name, rule="whole_number")
    return int(text)


def _review(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    why = _text(request, "why")
    if not why:
        raise TextMissing(field="why", rule="not_empty")
    case = commands.review_appeal(
        ref=found.ref,
        outcome=_text(request, "outcome", 10),
        why=why,
        remedies=read_remedies(request),
        actor=actor,
        at=timezone.now(),
        seen=_seen(request),
    )
    if case.state == State.APPEALED:
        return _("Noted. A second reviewer must agree before anything is promised.")
    return _("The appeal is decided; the customer is told.")


def _assign(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    chosen = _text(request, "staff", 18)
    staff_id = accounts.staff_by_id(int(chosen)).id if chosen.isdecimal() else None
    commands.assign_case(ref=found.ref, staff_id=staff_id, actor=actor, at=timezone.now())
    return _("Assigned.") if staff_id else _("Assigned to nobody.")


def _snooze(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    until = read_until(_text(request, "until", 20), _text(request, "at", 20), accounts.merchant(), timezone.now())
    wanted = commands.read_arguments("snooze", {"until": until})["until"] if until else None
    commands.snooze_case(
        ref=found.ref, until=datetime.fromisoformat(wanted) if wanted else None, actor=actor, at=timezone.now()
    )
    return _("Put off; it comes back by itself.") if wanted else _("It is in the queue again.")


def _tag(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    add, remove = _text(request, "tag", 60), request.POST.getlist("untag")
    if not add and not remove:
        raise TextMissing(field="tag", rule="not_empty")
    commands.tag_case(ref=found.ref, add=[add] if add else [], remove=remove, actor=actor, at=timezone.now())
    return _("The tags are changed.")


def _withdraw(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    commands.withdraw_case(ref=found.ref, actor=actor, at=timezone.now())
    return _("Withdrawn for the customer.")


def _reopen(request: HttpRequest, actor: Actor, found: CaseView) -> str:
    commands.reopen_case(ref=found.ref, actor=actor, at=timezone.now())
    return _("The case is open again.")


ACTIONS: dict[str, Form] = {
    "decide": _decide,
    "approve": _approve,
    "decide-and-approve": _decide_and_approve,
    "deny": _deny,
    "by-hand": _by_hand,
    "find": _find,
    "message": _message,
    "bring": _bring,
    "receive": _receive,
    "more-time": _more_time,
    "inspect": _inspect,
    "review": _review,
    "assign": _assign,
    "snooze": _snooze,
    "tag": _tag,
    "withdraw": _withdraw,
    "reopen": _reopen,
}
