"""From a case of the table to a document of facts to quote: what is derived is led back to what gives it."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from typing import Any

from babel.core import get_global
from babel.numbers import get_territory_currencies

from makegood.kit.money import Money
from makegood.policy.check.space import PRESENT, SOMETHING_ELSE, operands_in
from makegood.policy.clock import is_workday, zone_of
from makegood.policy.facts import SECTIONS
from makegood.policy.formulas import currencies_in, facts_in
from makegood.policy.packs import Pack, Rule
from makegood.policy.vocabulary import FACTS, FactType
from makegood.policy.written import WrittenPack

NOON = dt.time(12)
DAYS_AT_MOST = {"days": 1.0, "months": 31.0, "workdays": 3.0, "hours": 1 / 86400}
# What may be anything; of the other texts something else is told by leaving them out.
TEXTS_OF_ANY_KIND = {name for name, spec in FACTS.items() if spec.type is FactType.TEXT} - {
    "case.reason", "market", "platform", "case.kind", "case.claimant",
}  # fmt: skip
OTHER_MARKET = "CH"  # a country that no shipped pack is for


def document_of(case: Mapping[str, Any], pack: Pack, rule: Rule | None = None) -> dict[str, Any]:
    """A document of facts in which the case is so, as far as facts can be given: ``case`` maps facts to values.

    What the case leaves open is plain: one line of one unit for 100.00 and 10.00 of shipping, asked at noon. With the
    ``rule`` for which the case is drawn it is in the currency of that rule.
    """
    return _Drawn(case, pack, rule).document()


class _Drawn:
    def __init__(self, case: Mapping[str, Any], pack: Pack, rule: Rule | None) -> None:
        self.unknown = {name for name, value in case.items() if value is None}
        self.case = {name: value for name, value in case.items() if value is not None and not self._is_unknown(name)}
        # Amounts are made of facts that no condition may test; without them there would be nothing to see.
        self.paying = [fact for fact in _facts_of_amounts(pack) if fact not in case]
        market = self.case.get("market", "ZZ")
        self.market = OTHER_MARKET if market == "ZZ" else market
        self.currency = _currency_of(rule) or _currency(pack, self.market)
        self.zone = zone_of(self.market) or dt.UTC
        self.found: dict[str, Any] = {}
        self.asked = self._asked_day()

    def _is_unknown(self, name: str) -> bool:
        """Whether it is counted from a moment, or compared with a fact, that the case has as unknown."""
        parts = name.split("~")
        return any(part in self.unknown or (part in FACTS and FACTS[part].since in self.unknown) for part in parts)

    def document(self) -> dict[str, Any]:
        self._put_since()
        self._put_pairs()
        for name, value in self.case.items():
            self._put(name, value)
        self._order_first()
        for fact in self.paying:
            self._put(fact, 2_000 if FACTS[fact].type is FactType.AMOUNT else 1)
        return self._spread()

    def _order_first(self) -> None:
        """Nothing happens to an order before it is placed."""
        later = [self.found[name] for name in ("order.shipped_at", "order.delivered_at") if name in self.found]
        if later and "order.ordered_at" in self.found:
            self.found["order.ordered_at"] = min(self.found["order.ordered_at"], *later)

    def _asked_day(self) -> dt.date:
        day = self.case.get("@asked_at")
        ordered = self.case.get("@order.ordered_at")
        if ordered is not None:
            self.found["order.ordered_at"] = self._noon(ordered)
            day = day or ordered + dt.timedelta(days=self.case.get("days_since_order", self._days_since_ordered()))
        return min(max(day or PRESENT, dt.date(1990, 1, 1)), dt.date(2100, 1, 1))

    def _days_since_ordered(self) -> int:
        """Enough for everything that is counted from a moment after the order."""
        counted = [(FACTS[name], value) for name, value in self.case.items() if name in FACTS and FACTS[name].since]
        days = [value * DAYS_AT_MOST[spec.measure] for spec, value in counted if spec.since != "order.ordered_at"]
        return max([30, *(int(count) + 1 for count in days)])

    def _noon(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(min(max(day, dt.date(1985, 1, 1)), dt.date(2110, 1, 1)), NOON, tzinfo=self.zone)

    def _put_since(self) -> None:
        for measure in ("hours", "months", "workdays", "days"):  # days are finest where several count from one moment
            for name, value in self.case.items():
                spec = FACTS.get(name)
                if spec is not None and spec.measure == measure:
                    self.found[spec.since] = self._before(measure, value)
        if "line.days_with_customer" in self.case:  # days away for repair are not among them
            away = self.case.get("line.repair_days", 0)
            self.found["order.delivered_at"] = self._before("days", self.case["line.days_with_customer"] + away)
        if "days_late" in self.case:
            delivered = self.found.setdefault("order.delivered_at", self._noon(self.asked))
            self.found["order.promised_by"] = delivered - dt.timedelta(days=self.case["days_late"])

    def _before(self, measure: str, value: int) -> dt.datetime:
        if measure == "hours":
            return self._noon(self.asked) - dt.timedelta(seconds=value)
        if measure == "days":
            return self._noon(self.asked - dt.timedelta(days=value))
        if measure == "months":
            months = self.asked.year * 12 + self.asked.month - 1 - value
            year, month = divmod(months, 12)
            last = calendar.monthrange(year, month + 1)[1]
            return self._noon(dt.date(year, month + 1, min(self.asked.day, last)))
        day, left = self.asked, value
        while left > 0:
            left -= is_workday(day, self.market)
            day -= dt.timedelta(days=1)
        return self._noon(day)

    def _put_pairs(self) -> None:
        """Two facts that are compared with each other: one unit of difference, or none."""
        for name, relation in self.case.items():
            if "~" not in name:
                continue
            one, other = name.split("~")
            if other == "order.paid_for_kept":  # of the one unit that is asked nothing is kept
                self.found[one] = int(relation == "more")
                continue
            if any(
                FACTS[fact].derived and not FACTS[fact].may_be_given and fact.startswith("case.")
                for fact in (one, other)
            ):
                continue  # it follows from the document; nothing there can set it
            step = {"less": -1, "equal": 0, "more": 1}[relation]
            if FACTS[one].type is FactType.INSTANT:
                base = self.found.setdefault(other, self._noon(self.asked))
                self.found[one] = base + dt.timedelta(days=step)
            else:
                base = self.found.setdefault(other, 5_000)
                self.found[one] = base + step

    def _put(self, name: str, value: Any) -> None:
        if name in {"fault", "fraud"}:
            self.found.setdefault(f"findings.{name}", value)
        elif name.startswith("@") or "~" in name or name not in FACTS:
            return
        elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            self.found.setdefault(name, self._noon(self.asked if value == PRESENT else value))
        elif (value != SOMETHING_ELSE or name in TEXTS_OF_ANY_KIND) and (
            not FACTS[name].derived or FACTS[name].may_be_given
        ):
            self.found.setdefault(name, value)

    def _spread(self) -> dict[str, Any]:
        line: dict[str, Any] = {"id": "1", "quantity": 1, "paid": 10_000}
        sections: dict[str, dict[str, Any]] = {"order": {"shipping_paid": 1_000}, "case": {}}
        for name, value in self.found.items():
            section, _, key = name.partition(".")
            if section == "line":
                line[key] = value
            elif section in SECTIONS:
                sections.setdefault(section, {})[key] = value
        asked_quantity = self.case.get("line.asked_quantity")
        if asked_quantity:
            line["quantity"] = max(line["quantity"], asked_quantity)
            sections["case"]["lines"] = [{"id": "1", "quantity": asked_quantity}]
        document: dict[str, Any] = {
            "market": self.market,
            "currency": self.currency,
            "asked_at": self._noon(self.asked).isoformat(),
        }
        if self.case.get("platform", SOMETHING_ELSE) != SOMETHING_ELSE:
            document["platform"] = self.case["platform"]
        for section, values in sections.items():
            document[section] = {key: self._spelled(f"{section}.{key}", value) for key, value in values.items()}
        lines = [{key: self._spelled(f"line.{key}", value) for key, value in line.items()}]
        if self.case.get("case.price_paid~line.price_paid") == "more":  # something else is asked for beside it
            lines.append({**lines[0], "id": "2"})
            document["case"]["lines"] = [{"id": one["id"], "quantity": one["quantity"]} for one in lines]
        document["order"]["lines"] = lines
        evidence = [
            {"kind": name.removeprefix("evidence.")} | ({} if value else {"absent": True})
            for name, value in sorted(self.case.items())
            if name.startswith("evidence.")
        ]
        return document | ({"evidence": evidence} if evidence else {})

    def _spelled(self, name: str, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return value.isoformat()
        if name in FACTS and FACTS[name].type is FactType.AMOUNT:
            return Money(max(0, value), self.currency).amount()
        return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _facts_of_amounts(pack: Pack) -> list[str]:
    """Facts that formulas of the pack name and that do not follow from others."""
    formulas = [remedy.amount for rule in pack.rules for remedy in rule.remedies if remedy.amount is not None]
    return sorted(
        {fact for formula in formulas for fact in facts_in(formula) if not FACTS[fact].derived}
        - {"line.paid", "order.shipping_paid"}
    )


def _currency(pack: Pack, market: str) -> str:
    """The currency in which the pack writes its amounts, else that of the market."""
    if code := _written_currency(pack.hash, pack.written):
        return code
    known = market in get_global("territory_currencies")
    return get_territory_currencies(market)[0] if known else "CNY"


def _currency_of(rule: Rule | None) -> str:
    """The currency in which a rule writes its amounts; "" where it writes none."""
    if rule is None:
        return ""
    named = {operand.currency for _, cell in rule.cells for operand in operands_in(cell) if operand.currency}
    for remedy in rule.remedies:
        named |= currencies_in(remedy.amount) if remedy.amount is not None else set()
    return min(named, default="")


_CURRENCIES: dict[str, str] = {}


def _written_currency(pack_hash: str, written: WrittenPack) -> str:
    """The first of the great currencies that the pack's amounts name; "" where it names none. Read once a pack."""
    if pack_hash not in _CURRENCIES:
        text = str(written.model_dump())
        _CURRENCIES[pack_hash] = next((c for c in ("CNY", "USD", "EUR", "GBP", "JPY") if f" {c}" in text), "")
    return _CURRENCIES[pack_hash]
