"""What a line's page offers before anything is asked: each wish with its answer, in the customer's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from makegood.accounts.models import Merchant
from makegood.cases.eligibility import LineOptions, Option
from makegood.cases.states import Kind
from makegood.cases.words import evidence_said
from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale
from makegood.orders.queries import OrderView

LABELS: dict[tuple[str, str], str | Promise] = {
    (Kind.CANCELLATION, "changed_mind"): gettext_lazy("Cancel it"),
    (Kind.REFUSAL, "changed_mind"): gettext_lazy("Refuse the parcel"),
    (Kind.CLAIM, "not_received"): gettext_lazy("Tell that it never came"),
    (Kind.RETURN, "changed_mind"): gettext_lazy("Send it back without a reason"),
    (Kind.RETURN, "defective"): gettext_lazy("Send it back because it is faulty"),
    (Kind.EXCHANGE, "defective"): gettext_lazy("Have it exchanged because it is faulty"),
}
_SITUATIONS: dict[str, str] = {
    Kind.CANCELLATION: "cancel",
    Kind.REFUSAL: "refused",
    Kind.CLAIM: "problem",
    Kind.RETURN: "return",
    Kind.EXCHANGE: "exchange",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One wish: what would be paid (or why nothing), conditions in short sentences, until when, and where to ask."""

    label: str | Promise
    address: str
    answer: str
    good: bool
    notes: tuple[str, ...]
    until: datetime | None


def offers_on(line: LineOptions, *, merchant: Merchant, order: OrderView) -> tuple[Offer, ...]:
    """The offers of one line, the possible ones first."""
    found = [_offer(line, one, merchant, order) for one in line.options]
    return tuple(sorted(found, key=lambda one: not one.good))


def _offer(line: LineOptions, option: Option, merchant: Merchant, order: OrderView) -> Offer:
    filled = {"reason": option.reason, f"units-{line.askable.line.number}": option.units}
    place = reverse("portal:ask", args=[merchant.slug, _SITUATIONS[option.kind], order.number])
    return Offer(
        LABELS[option.kind, option.reason],
        f"{place}?{urlencode(filled)}",
        _answer(option, order.currency),
        option.verdict in {"grant", "partly"},
        tuple(_notes(option)),
        option.until,
    )


def _answer(option: Option, currency: str) -> str:
    if option.verdict in {"grant", "partly"}:
        total = Money.parse(option.document["total"]["amount"], currency)
        return total.words(babel_locale()) if total else _("in kind")
    return {"need_evidence": _("more is needed"), "refer": _("a person decides")}.get(option.verdict, _("not possible"))


def _notes(option: Option) -> Iterator[str]:
    if option.verdict not in {"grant", "partly"}:
        yield from list(dict.fromkeys(str(one["text"]) for one in _refused(option) if one["text"]))[:1]
        return
    kinds = {(one["kind"], one["borne_by"]) for one in option.document["remedies"]}
    if any(kind == "shipping_refund" for kind, _by in kinds):
        yield _("What you paid for delivery is in it.")
    if ("return_freight", "customer") in kinds:
        yield _("You pay for sending it back.")
    elif any(kind == "return_freight" for kind, _by in kinds):
        yield _("We pay for sending it back.")
    if any(one["after"] == "goods_back" for one in option.document["remedies"]):
        yield _("Paid once it is back with us.")
    for need in option.assumes:
        what = _(" or ").join(evidence_said(kind) for kind in need)
        yield _("You show: %(what)s.") % {"what": what}


def _refused(option: Option) -> list[Mapping[str, Any]]:
    return [*option.document["evidence_needed"], *option.document["refused"]]
