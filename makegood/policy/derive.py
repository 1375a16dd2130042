"""Facts that follow from others: days in the market's zone, states, and exact shares of money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from makegood.kit.money import Money, allocate
from makegood.policy import reasons
from makegood.policy.clock import days_between, months_between, workdays_between, zone_of
from makegood.policy.vocabulary import FACTS, FactType

Row = dict[str, Any]

SINCE = tuple((spec.name, spec.since, spec.measure) for spec in FACTS.values() if spec.since)
# Platforms that sell at a distance only; a shop of one's own may be either.
DISTANCE_PLATFORMS = frozenset({"1688", "amazon", "douyin", "jd", "kuaishou", "pinduoduo", "taobao", "tmall"})
WITHDRAWAL_DAYS = 14  # Directive 2011/83/EU, Art. 9(1), and what came of it in the United Kingdom
STATE_BY_POSITION = {
    "not_shipped": "pending",
    "in_transit": "shipped",
    "at_door": "shipped",
    "with_customer": "delivered",
    "lost": "shipped",
}
# Kinds of case that move no units: where they name no line they are about the order as one thing.
ABOUT_THE_ORDER = ("change", "complaint", "suggestion")
# Where goods that were delivered may be afterwards; at the door or on the way out they were not delivered.
AFTER_DELIVERY = (None, "with_customer", "returning", "back", "lost")


def rows_of(document: Mapping[str, Any], flat: Row) -> tuple[Row, ...]:
    """One row per asked line: everything known, given or derived. ``flat`` holds the typed values without lines."""
    lines = [_typed_line(line, document["currency"]) for line in document.get("order", {}).get("lines", [])]
    base = dict(flat)
    _add_times(base)
    _add_state(base)
    asked = _asked(document, lines)
    _add_order_money(base, lines)
    if base.get("case.whole_order") is None:
        _put(base, "case.whole_order", _whole(asked, lines))
    if "order.paid_for_kept" not in base:
        _put(base, "order.paid_for_kept", _paid_for_kept(asked, lines))
    if not asked:
        return ({**base, **_evidence(document, None)},)
    shares = _Shares(base, lines)
    of_lines = [_line_facts(line, quantity, shares, base.get("days_since_delivery")) for line, quantity in asked]
    if all("line.price_paid" in row for row in of_lines):
        base["case.price_paid"] = sum(row["line.price_paid"] for row in of_lines)
    return tuple({**base, **row, **_evidence(document, row["line.id"])} for row in of_lines)


def _put(row: Row, name: str, value: Any) -> None:
    if value is not None:
        row[name] = value


def _typed_line(line: Mapping[str, Any], currency: str) -> Row:
    return {
        f"line.{key}": Money.parse(value, currency).minor if FACTS[f"line.{key}"].type is FactType.AMOUNT else value
        for key, value in line.items()
    }


def _add_times(row: Row) -> None:
    asked: datetime = row["asked_at"]
    zone: tzinfo = zone_of(row.get("market", "")) or asked.tzinfo or UTC
    delivered, notice = row.get("order.delivered_at"), row.get("case.notice_at")
    if delivered is not None:
        row.setdefault("order.withdrawal_ends_at", delivered + timedelta(days=WITHDRAWAL_DAYS))
        if notice is not None:
            row.setdefault("case.days_to_notice", days_between(delivered, notice, zone))
    for name, base, measure in SINCE:
        if base in row:
            row[name] = _elapsed(measure, row[base], asked, zone, row.get("market", ""))
    promised = row.get("order.promised_by")
    if promised is not None and delivered is not None:
        row["days_late"] = max(0, days_between(promised, delivered, zone))


def _elapsed(measure: str, start: datetime, end: datetime, zone: tzinfo, market: str) -> int:
    if measure == "days":
        return days_between(start, end, zone)
    if measure == "months":
        return months_between(start, end, zone)
    if measure == "workdays":
        return workdays_between(start, end, zone, market)
    return int((end - start).total_seconds())


def _add_state(row: Row) -> None:
    row.setdefault("case.claimant", "customer")
    if row["case.claimant"] == "seller" and row.get("platform") == "amazon":
        # A seller's claim is one of FBA unless the order says that the seller shipped it.
        row.setdefault("case.programme", "safe_t" if row.get("order.fulfilled_by") == "seller" else "fba")
    if row.get("platform") in DISTANCE_PLATFORMS:
        row.setdefault("order.channel", "distance")
    if "order.state" not in row:
        delivered = row.get("order.delivered_at")
        state = STATE_BY_POSITION.get(row.get("parcel.position", ""))
        arrived = delivered is not None and delivered <= row["asked_at"]
        if arrived and row.get("parcel.position") in AFTER_DELIVERY:
            state = "delivered"
        _put(row, "order.state", state)
    fault = row.get("findings.fault")
    if fault is None and "case.reason" in row:
        leaf = reasons.find_reason(row["case.kind"], row["case.reason"], claimant=row["case.claimant"])
        fault = leaf.fault or None
    _put(row, "fault", fault)
    # Nobody is asked about a fraud that nobody speaks of.
    spoken_of = row.get("case.reason") in {None, "fraud", "counterfeit"}
    _put(row, "fraud", row.get("findings.fraud", None if spoken_of else False))


def _asked(document: Mapping[str, Any], lines: list[Row]) -> list[tuple[Row, int | None]]:
    """The asked lines with their units; all that is left of every line where the case names none."""
    given = document["case"].get("lines")
    if given is None and document["case"]["kind"] in ABOUT_THE_ORDER:
        return []
    if given is None:
        everything = [(line, _left(line)) for line in lines]
        # A line given back before is not asked again, unless nothing else is left to ask for.
        return [(line, left) for line, left in everything if left != 0] or everything
    by_id = {line["line.id"]: line for line in lines}
    return [(by_id[item["id"]], item.get("quantity", _left(by_id[item["id"]]))) for item in given]


def _left(line: Row) -> int | None:
    if "line.units_left" in line:
        return int(line["line.units_left"])
    quantity = line.get("line.quantity")
    return None if quantity is None else quantity - line.get("line.units_given_back", 0)


def _whole(asked: list[tuple[Row, int | None]], lines: list[Row]) -> bool | None:
    if not lines or any(_left(line) is None for line in lines):
        return None
    units = {line["line.id"]: quantity for line, quantity in asked}
    return all(units.get(line["line.id"], 0) == _left(line) for line in lines)


def _paid_for_kept(asked: list[tuple[Row, int | None]], lines: list[Row]) -> int | None:
    """What was paid for all units that stay with the customer when the asked ones go; None where it is not known."""
    going = {line["line.id"]: quantity for line, quantity in asked}
    kept = 0
    for line in lines:
        paid, whole, left, units = (
            line.get("line.paid"),
            line.get("line.quantity"),
            _left(line),
            going.get(line["line.id"], 0),
        )
        if paid is None or not whole or left is None or units is None:
            return None
        kept += share_of_units(paid, whole, whole - left + min(units, left), max(0, left - units))
    return kept if lines else None


def _add_order_money(row: Row, lines: list[Row]) -> None:
    known = [paid for line in lines if (paid := line.get("line.paid", line.get("line.price_paid"))) is not None]
    shipping = row.get("order.shipping_paid")
    if known or shipping is not None:
        row["order.paid_at_least"] = sum(known) + (shipping or 0)
    if "order.paid" not in row and lines and all("line.paid" in line for line in lines) and shipping is not None:
        row["order.paid"] = sum(line["line.paid"] for line in lines) + shipping
    if "order.paid" in row:
        row["order.paid_at_least"] = row["order.paid"]


class _Shares:
    """What of the order's shipping falls on each line, by what was paid for the lines."""

    def __init__(self, row: Row, lines: list[Row]) -> None:
        weights = [line.get("line.paid") for line in lines]
        known = [weight for weight in weights if weight is not None]
        self.by_fact: dict[str, dict[str, int]] = {}
        for fact, whole in (
            ("line.shipping_share", row.get("order.shipping_paid")),
            ("line.standard_shipping_share", row.get("order.standard_shipping")),
        ):
            # Without every weight there is no share, except that nothing shared is nothing for all.
            if whole is not None and (len(known) == len(weights) or whole == 0):
                parts = allocate(whole, known) if whole else [0] * len(lines)
                self.by_fact[fact] = {line["line.id"]: part for line, part in zip(lines, parts, strict=True)}


def share_of_units(total: int, quantity: int, start: int, count: int) -> int:
    """What ``count`` units from unit ``start`` on carry of ``total``, as ``allocate`` shares it among all units.

    Shares of consecutive ranges sum exactly to the whole, so part after part never gives back more than all.
    """
    each, extra = divmod(total, quantity)
    return each * count + max(0, min(start + count, extra) - start)


def _line_facts(line: Row, quantity: int | None, shares: _Shares, days: int | None) -> Row:
    row = dict(line)
    if days is not None:
        row["line.days_with_customer"] = max(0, days - line.get("line.repair_days", 0))
    if "line.exclusion" not in row:
        _put(row, "line.exclusion", _exclusion(line))
    _put(row, "line.units_left", _left(line))
    _put(row, "line.asked_quantity", quantity)
    whole = line.get("line.quantity")
    if not whole or quantity is None:
        return row
    # Units given back before carry no money any more: only those that are left can be paid for.
    left = min(_left(line) or 0, whole)
    count = min(quantity, left)
    units: Callable[[int], int] = lambda total: share_of_units(total, whole, whole - left, count)  # noqa: E731
    if "line.price_paid" not in row and "line.paid" in row:
        row["line.price_paid"] = units(row["line.paid"])
    for fact, by_line in shares.by_fact.items():
        row.setdefault(fact, units(by_line[line["line.id"]]))
    return row


def _exclusion(line: Row) -> str | None:
    """Goods excluded from no-reason return are so only where the buyer confirmed it; unknown where nobody says."""
    excluded, confirmed = line.get("line.excluded_from_no_reason"), line.get("line.confirmed_no_return")
    if confirmed and excluded is not False:
        return "confirmed"
    if not excluded:
        return "none"
    return "unconfirmed" if confirmed is False else None


def _evidence(document: Mapping[str, Any], line: str | None) -> Row:
    """Evidence brought is true, declared absent is false, anything else is unknown."""
    row: Row = {}
    for item in document.get("evidence", []):
        if item.get("of") in (None, line) or line is None:
            name = f"evidence.{item['kind']}"
            row[name] = row.get(name, False) or not item.get("absent", False)
    return row
