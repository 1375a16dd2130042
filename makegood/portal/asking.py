"""Asking: reading the form, quoting before anything is sent, then filing with the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.commands import deciding
from makegood.cases.commands.asking import Asked
from makegood.cases.models import Case
from makegood.cases.states import Kind
from makegood.customers import queries as customers
from makegood.kit import db, errors, files
from makegood.orders.catalog import variants_of
from makegood.orders.queries import OrderView, order_by_number
from makegood.policy.reasons import find_reason

UNITS = re.compile(r"units-(.{1,80})")


class ReasonMissing(errors.Malformed):
    code = "reason_missing"
    message = "Choose what happened."


class UnitsMalformed(errors.Malformed):
    code = "units_malformed"
    message = "{field}: {value} is not a number of units."


class AddressMissing(errors.Malformed):
    code = "address_missing"
    message = "Tell where the order is to go: {part} is missing."


class MethodMissing(errors.Malformed):
    code = "method_missing"
    message = "Choose a way of payment."


# The parts of a new address, and those without which nothing can be sent.
ADDRESS_SAID = (
    ("name", _("Recipient")),
    ("line1", _("Street and number")),
    ("line2", _("Flat, floor, company")),
    ("city", _("Town")),
    ("state", _("Province or state")),
    ("zip", _("Postal code")),
    ("country", _("Country")),
)
ADDRESS = tuple(part for part, _said in ADDRESS_SAID)
_NEEDED = ("name", "line1", "city")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form says: ready for ``file_case``."""

    kind: str
    reason: str
    asked: tuple[Asked, ...]
    statement: str
    request_key: str
    details: Mapping[str, Any]


def read_wish(kind: str, posted: Mapping[str, Any]) -> Wish:
    """The form of the first step. Raises ReasonMissing, UnitsMalformed, ReasonUnknown, and as ``_read_change``."""
    reason = str(posted.get("reason", ""))
    if not reason:
        raise ReasonMissing(field="reason", rule="one_leaf")
    find_reason(kind, reason)
    asked = []
    for name in posted:
        if (found := UNITS.fullmatch(name)) and (units := str(posted[name]).strip()) not in {"", "0"}:
            if not units.isdecimal() or len(units) > 9:
                raise UnitsMalformed(units, field=found[1], rule="whole_number")
            asked.append(Asked(found[1], int(units), str(posted.get(f"wanted-{found[1]}", "")).strip()[:120]))
    if kind == Kind.CHANGE and reason != "items":
        asked = []  # address and payment are the whole order's
    return Wish(
        kind,
        reason,
        tuple(asked),
        str(posted.get("statement", "")).strip()[:5000],
        str(posted.get("request_key", ""))[:64],
        _read_change(reason, posted) if kind == Kind.CHANGE else {},
    )


def _read_change(reason: str, posted: Mapping[str, Any]) -> dict[str, Any]:
    """What a change needs beside lines: the new address, or the way of payment.

    Raises AddressMissing, MethodMissing.
    """
    if reason == "address":
        address = {part: str(posted.get(f"address-{part}", "")).strip()[:200] for part in ADDRESS}
        for part, label in ADDRESS_SAID:
            if part in _NEEDED and not address[part]:
                raise AddressMissing(field=f"address-{part}", rule="not_empty", part=str(label))
        return {"address": {part: text for part, text in address.items() if text}}
    method = str(posted.get("method", "")).strip()[:120]
    if reason == "payment" and not method:
        raise MethodMissing(field="method", rule="one_of_the_saved")
    return {"method": method} if method else {}


@db.query
def offered(kind: str, order: OrderView) -> dict[str, Any]:
    """What the form offers beside lines: items to be had instead by line id, and the saved ways of payment."""
    if kind not in {Kind.CHANGE, Kind.EXCHANGE}:
        return {}
    return {
        "variants": variants_of(order),
        "methods": customers.methods_of(order.customer.id) if kind == Kind.CHANGE else (),
        "address_parts": [(part, label, part in _NEEDED) for part, label in ADDRESS_SAID]
        if kind == Kind.CHANGE
        else (),
    }


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer before sending. ``assumed`` are the kinds of evidence it takes for brought."""

    document: Mapping[str, Any]
    assumed: tuple[tuple[str, ...], ...]


def quote(order: OrderView, wish: Wish, *, actor: Actor, at: datetime, language: str) -> Quote:
    """File the case in a rehearsal, with the evidence its reason asks for, and let the policy decide.

    Nothing is left behind. Raises what ``file_case`` raises.
    """
    needs = find_reason(wish.kind, wish.reason).evidence
    document: Mapping[str, Any] = {}
    with db.rehearsal():
        case = _file(order, wish, actor=actor, at=at, language=language)
        for number, need in enumerate(needs):
            imagined = files.Stored(f"{number:064d}", "image/jpeg", 1, "imagined.jpg")
            cases.add_evidence(ref=case.ref, kind=need[0], file=imagined, actor=actor, at=at)
        found = Case.objects.get(id=case.id)
        _facts, outcome = deciding.consider(found, order_by_number(order.number))
        document = outcome.as_json(language)
    return Quote(document, needs)


def send(
    order: OrderView, wish: Wish, uploads: Iterable[UploadedFile[bytes]], *, actor: Actor, at: datetime, language: str
) -> Case:
    """Keep the files, file the case, put the files on it; sending the same form again changes nothing.

    Raises what keeping a file and ``file_case`` raise; then no case is filed.
    """
    kept = keep(uploads)
    case = _file(order, wish, actor=actor, at=at, language=language)
    needs = find_reason(wish.kind, wish.reason).evidence
    bring(case.ref, kept, kind=needs[0][0] if needs else "photo", actor=actor, at=at)
    return case


def _file(order: OrderView, wish: Wish, *, actor: Actor, at: datetime, language: str) -> Case:
    return cases.file_case(
        kind=wish.kind,
        reason=wish.reason,
        request_key=f"portal:{actor.key}:{wish.request_key}",
        actor=actor,
        at=at,
        order_number=order.number,
        asked=wish.asked,
        statement=wish.statement,
        details=wish.details,
        channel="portal",
        language=language,
    )


def keep(uploads: Iterable[UploadedFile[bytes]]) -> list[files.Stored]:
    """Store every file under the merchant's folder, or none. Raises what ``files.store`` raises."""
    merchant = accounts.merchant()
    limits = accounts.settings_of_merchant().evidence
    allowed = files.Limits(file_bytes=limits.bytes_max, pixels=limits.pixels_max)
    return [
        files.store(
            upload,
            declared_name=upload.name or "",
            uploads=settings.UPLOADS_DIR,
            owner=owner_of(merchant.id),
            limits=allowed,
        )
        for upload in uploads
    ]


def owner_of(merchant_id: int) -> str:
    """The folder of a merchant's files."""
    return str(merchant_id)


def bring(ref: str, kept: Iterable[files.Stored], *, kind: str, actor: Actor, at: datetime) -> int:
    """Put stored files on the case; how many."""
    limit = accounts.settings_of_merchant().evidence.files_max
    count = 0
    for stored in kept:
        cases.add_evidence(ref=ref, kind=kind, file=stored, actor=actor, at=at, files_max=limit)
        count += 1
    return count
