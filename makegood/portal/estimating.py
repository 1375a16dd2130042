"""The estimator's form: what an address says of a case, as facts for a quote. Nothing is stored, nobody is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from babel.core import Locale
from babel.numbers import get_territory_currencies
from django.http import QueryDict
from django.utils.translation import gettext as _

from makegood.kit.money import Money, exponent
from makegood.kit.pages.language import babel_locale, text_language
from makegood.policy.clock import zone_of
from makegood.policy.reasons import TREE, reasons_of
from makegood.policy.registry import EU
from makegood.policy.vocabulary import CONDITIONS, EVIDENCE, FACTS, POSITIONS, FactType

MARKETS = ("CN", "US", "GB", *sorted(EU), "AE", "AU", "BR", "CA", "IN", "JP", "MX", "SA")
PLATFORMS = ("amazon", "tmall", "taobao", "jd", "pinduoduo", "own-store", "other")
KINDS = ("refusal", "cancellation", "return", "exchange", "claim", "seller-claim")
CATEGORIES = ("food", "durable", "custom_made", "perishable", "digital", "newspaper")
DATES = ("ordered", "promised", "delivered", "refunded", "back", "asked")
AMOUNTS = ("paid", "shipping")
CHOICES: dict[str, tuple[str, ...]] = {
    "market": MARKETS,
    "platform": PLATFORMS,
    "ships": ("", "seller", "platform"),
    "parcel": ("", *POSITIONS),
    "condition": ("", *CONDITIONS),
    "category": ("", *CATEGORIES),
    "promise": ("", "1"),
}
# Which field a fact of the document was read from, to tell an error where it was made.
FIELD_OF = {
    "order.ordered_at": "ordered", "order.promised_by": "promised", "order.delivered_at": "delivered",
    "case.refund_at": "refunded", "case.goods_returned_at": "back", "asked_at": "asked",
    "order.shipping_paid": "shipping", "order.lines[0].paid": "paid", "case.reason": "what",
}  # fmt: skip
EXTRA = "f."
EXTRA_MAX = 12


@dataclass(slots=True)
class Form:
    """What the address says, field by field as it was written; ``errors`` by field, in the reader's language."""

    values: dict[str, str]
    have: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)  # further facts by name, from the answer's own questions
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        return currency_of(self.values["market"])

    @property
    def kind(self) -> str:
        return self.values["what"].partition(".")[0]

    @property
    def by_seller(self) -> bool:
        return self.kind == "seller-claim"


def currency_of(market: str) -> str:
    return str(get_territory_currencies(market)[-1]) if market in MARKETS else "USD"


def today_in(market: str, now: datetime) -> date:
    zone = zone_of(market)
    return now.astimezone(zone).date() if zone else now.date()


def read_form(query: QueryDict, start: Mapping[str, str], now: datetime) -> Form:
    """The named situation's values, with those of the address over them; what is wrong is told by field."""
    market = query.get("market", start.get("market", "US"))
    today = today_in(market if market in MARKETS else "US", now)
    given = {name: str(value).strip()[:60] for name, value in query.items() if not name.startswith(EXTRA)}
    values = dict.fromkeys((*CHOICES, *DATES, *AMOUNTS, "what", "bought", "units"), "")
    values |= {name: _resolved(value, today) for name, value in start.items() if name in values}
    # An address that names any field is the whole form: what it leaves out was left empty.
    if "market" in given:
        values = dict.fromkeys(values, "")
    values |= {name: value for name, value in given.items() if name in values}
    values["asked"] = values["asked"] or today.isoformat()
    have = query.getlist("have") if "market" in given else [*start.get("have", "").split(), *query.getlist("have")]
    form = Form(values, tuple(kind for kind in dict.fromkeys(have) if kind in EVIDENCE))
    extra = [(name.removeprefix(EXTRA), str(value)) for name, value in query.items() if name.startswith(EXTRA)]
    if "market" not in given:
        extra += [(name.removeprefix(EXTRA), value) for name, value in start.items() if name.startswith(EXTRA)]
    form.extra = {name: value for name, value in extra[:EXTRA_MAX] if value and _is_fact(name, value, form.currency)}
    _check(form)
    return form


def _resolved(value: str, today: date) -> str:
    """``-10d`` is ten days ago, so that an example stays one."""
    found = re.fullmatch(r"(-\d+)d", value)
    return (today + timedelta(days=int(found[1]))).isoformat() if found else value


def _is_fact(name: str, value: str, currency: str) -> bool:  # noqa: PLR0911 - one way of reading for each type
    spec = FACTS.get(name)
    if spec is None or len(value) > 40:
        return False
    if name.startswith("evidence.") or spec.type is FactType.FLAG:
        return value in {"true", "false"}
    if spec.derived and not spec.may_be_given:
        return False
    if spec.type is FactType.CHOICE:
        return value in spec.choices
    if spec.type is FactType.AMOUNT:
        return _amount_problem(value, currency) is None
    if spec.type is FactType.INSTANT:
        return _date_problem(value) is None
    return bool(re.fullmatch(r"\d{1,6}" if spec.type is FactType.COUNT else r"[\w.\-]{1,40}", value))


def _check(form: Form) -> None:
    for name, known in CHOICES.items():
        if form.values[name] not in known:
            form.errors[name] = _("Choose one of the list.")
            form.values[name] = {"market": "US", "platform": "other"}.get(name, "")
    if form.values["what"] not in dict(_whats()):
        form.errors["what"] = _("Choose what happened.")
    for name in DATES:
        if (problem := _date_problem(form.values[name])) is not None:
            form.errors[name] = problem
    for name in AMOUNTS:
        if (problem := _amount_problem(form.values[name], form.currency)) is not None:
            form.errors[name] = problem
    for name in ("bought", "units"):
        if form.values[name] and not re.fullmatch(r"[1-9]\d{0,5}", form.values[name]):
            form.errors[name] = _("Write a whole number from 1.")
    _check_order(form)


def _check_order(form: Form) -> None:
    """What single fields cannot show: dates that come before what they follow, more units than were bought."""
    known = {name: form.values[name] for name in DATES if form.values[name] and name not in form.errors}
    if "ordered" in known:
        for later in ("delivered", "refunded", "back", "asked"):
            if later in known and known[later] < known["ordered"]:
                form.errors[later] = _("That is before the order.")
    if not {"bought", "units"} & form.errors.keys() and int(form.values["units"] or 1) > int(
        form.values["bought"] or 1
    ):
        form.errors["units"] = _("More than were bought.")


def _date_problem(text: str) -> str | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _("Write a date such as 2026-02-01.")
    return None if 2000 <= day.year <= 2100 else _("Write a date from 2000 to 2100.")


def _amount_problem(text: str, currency: str) -> str | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}(?:\.\d{1,4})?", text):
        return _("Write an amount such as 12.50, without a sign or a currency.")
    if -int(Decimal(text).as_tuple().exponent) > exponent(currency):
        return _("%(currency)s has no such small parts.") % {"currency": currency}
    return None


def document_of(form: Form) -> dict[str, Any]:
    """The facts of the case, as ``quote`` takes them."""
    values = form.values
    zone = zone_of(values["market"])

    def at(name: str) -> str | None:
        if not values[name]:
            return None
        return datetime.combine(date.fromisoformat(values[name]), time(12), tzinfo=zone).isoformat()

    def money(name: str) -> str | None:
        return Money.parse(values[name], form.currency).amount() if values[name] else None

    bought = int(values["bought"] or 1)
    line = {"id": "1", "quantity": bought, "paid": money("paid"), "category": values["category"] or None}
    document: dict[str, Any] = {
        "market": values["market"],
        "platform": values["platform"],
        "currency": form.currency,
        "asked_at": at("asked"),
        "order": {
            "ordered_at": at("ordered"),
            "promised_by": at("promised"),
            "delivered_at": at("delivered"),
            "shipping_paid": money("shipping"),
            "fulfilled_by": values["ships"] or None,
            "lines": [_known(line)],
        },
        "case": {
            "kind": "claim" if form.by_seller else form.kind,
            "reason": values["what"].partition(".")[2],
            "claimant": "seller" if form.by_seller else None,
            "refund_at": at("refunded"),
            "goods_returned_at": at("back"),
            "lines": [{"id": "1", "quantity": int(values["units"] or 1)}],
        },
        "parcel": {"position": values["parcel"] or None, "condition": values["condition"] or None},
        "evidence": [{"kind": kind} for kind in form.have],
    }
    if money("shipping") is not None and not Decimal(values["shipping"]):
        document["order"]["free_shipping"] = True
    for section in ("order", "case", "parcel"):
        document[section] = _known(document[section])
    for name, value in form.extra.items():
        put_fact(document, name, value)
    return document


def put_fact(document: dict[str, Any], name: str, value: str) -> None:
    """One more fact by its name, as the text of an address or a value to try."""
    spec = FACTS[name]
    typed: Any = value
    match spec.type:
        case FactType.FLAG:
            typed = value == "true"
        case FactType.COUNT | FactType.DAYS:
            typed = int(value)
        case FactType.AMOUNT:
            typed = Money.parse(value, document["currency"]).amount()
        case FactType.INSTANT:
            noon = datetime.combine(date.fromisoformat(value), time(12), tzinfo=zone_of(document["market"]))
            typed = noon.isoformat()
    section, dot, key = name.partition(".")
    if section == "evidence":
        rest = [one for one in document["evidence"] if one["kind"] != key]
        document["evidence"] = [*rest, {"kind": key} if typed else {"kind": key, "absent": True}]
    elif section == "line":
        document["order"]["lines"][0][key] = typed
    elif dot:
        document.setdefault(section, {})[key] = typed
    else:
        document[name] = typed


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _whats() -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        if kind == "seller-claim":
            yield from ((f"{kind}.{leaf.code}", kind) for leaf in reasons_of("claim", claimant="seller"))
        else:
            yield from ((f"{kind}.{leaf.code}", kind) for leaf in TREE[kind] if leaf.claimant == "customer")


def whats() -> list[tuple[str, list[tuple[str, str]]]]:
    """What can have happened, in people's words: groups of (value, words)."""
    titles = {
        "refusal": _("I refused the parcel"),
        "cancellation": _("I want to cancel"),
        "return": _("I want to send something back"),
        "exchange": _("I want another size or item"),
        "claim": _("It never came, is broken or wrong"),
        "seller-claim": _("I sell, and the platform owes me"),
    }
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for kind in KINDS:
        leaves: Sequence[Any] = reasons_of("claim", claimant="seller") if kind == "seller-claim" else reasons_of(kind)
        told = [(f"{kind}.{leaf.code}", leaf.label(text_language())) for leaf in leaves if leaf.code != "not_told"]
        groups.append((titles[kind], told))
    return groups


def market_names() -> list[tuple[str, str]]:
    names = Locale.parse(babel_locale()).territories
    return [(code, f"{names.get(code, code)} ({currency_of(code)})") for code in MARKETS]
