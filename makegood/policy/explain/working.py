"""The arithmetic of an amount, step by step: shares, formula, numbers, rounding, caps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from makegood.kit.money import Money, allocate
from makegood.policy.combination import Cap
from makegood.policy.decide import Pools
from makegood.policy.derive import share_of_units
from makegood.policy.explain.said import ROUNDINGS, Row, Teller
from makegood.policy.formulas import Formula, Name, Number, Operation, evaluate, facts_in, rounded
from makegood.policy.formulas import Written as WrittenAmount
from makegood.policy.outcome import GrantedRemedy, Outcome
from makegood.policy.packs import Remedy
from makegood.policy.vocabulary import FACTS, FactType

# A fact that is a share of something whole: what it is a share of, and by what it is shared among the lines.
SHARED = {
    "line.price_paid": "line.paid",
    "line.shipping_share": "order.shipping_paid",
    "line.standard_shipping_share": "order.standard_shipping",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the working. ``kind``: share | formula | numbers | rounding | cap."""

    kind: str
    text: str
    amount: str = ""


def remedy_of(given: GrantedRemedy) -> Remedy:
    """The remedy of the pack that was given."""
    for remedy in given.tried.rule.remedies:
        if (remedy.kind, remedy.written, remedy.text) == (given.kind, given.written, given.text):
            return remedy
    raise ValueError(f"{given.tried.rule.id} gives no {given.kind}")


def steps_of(given: GrantedRemedy, remedy: Remedy, caps: list[tuple[Cap, int]], tell: Teller) -> list[Step]:
    """How the amount came about; nothing where there is no amount to work out."""
    if remedy.amount is None:
        return []
    row = given.tried.row
    steps = [step for fact in facts_in(remedy.amount) if (step := share_step(fact, row, tell)) is not None]
    formula, numbers = _written(remedy.amount, tell, None), _written(remedy.amount, tell, row)
    exact = evaluate(remedy.amount, row) or Fraction(0)
    steps.append(Step("formula", formula))
    if isinstance(remedy.amount, Operation):
        steps.append(Step("numbers", f"{numbers} = {tell.exact(exact)}"))
    else:
        steps.append(Step("numbers", f"{formula} = {tell.exact(exact)}" if formula != numbers else tell.exact(exact)))
    whole = max(0, rounded(exact, remedy.rounding))
    if exact != whole:
        how = tell.in_table(ROUNDINGS, remedy.rounding)
        steps.append(
            Step("rounding", tell.pick(f"取整（{how}）：{tell.money(whole)}", f"Rounded {how}: {tell.money(whole)}"))
        )
    for cap, left in caps:
        steps.append(Step("cap", _cap_said(cap, left, tell), tell.money(left)))
    return steps


def _cap_said(cap: Cap, left: int, tell: Teller) -> str:
    per = tell.pick("该订单行" if cap.per == "line" else "该订单", "this line" if cap.per == "line" else "this order")
    return tell.pick(
        f"上限：{per}尚可退还 {tell.money(left)}，不会退得比已付的更多",
        f"Cap: {tell.money(left)} is what {per} still leaves; never more is given back than was paid",
    )


def share_step(fact: str, row: Row, tell: Teller) -> Step | None:
    """How a share was cut from its whole, told where it is not the whole itself."""
    whole_fact = SHARED.get(fact)
    whole = row.get(whole_fact) if whole_fact else None
    if whole_fact is None or whole is None or fact not in row or _is_given(fact, row, tell):
        return None
    units, left, asked = row.get("line.quantity"), row.get("line.units_left"), row.get("line.asked_quantity")
    if not units or left is None or asked is None:
        return None
    parts = []
    line_whole = whole
    if whole_fact.startswith("order."):
        lines = tell.facts.document.get("order", {}).get("lines", [])
        line_whole = _line_share(whole, row, tell)
        if len(lines) > 1 and whole:
            parts.append(
                tell.pick(
                    f"{tell.money(whole)} 按各订单行的实付金额分摊，本行为 {tell.money(line_whole)}",
                    f"{tell.money(whole)} is shared among the lines by what was paid for each; this line carries"
                    f" {tell.money(line_whole)}",
                )
            )
    if asked != units and line_whole:
        shares = [share_of_units(line_whole, units, at, 1) for at in range(min(units, 6))]
        row_of_shares = " + ".join(tell.money(share) for share in shares) + (" + …" if units > 6 else "")
        first = units - left + 1
        which = tell.pick(
            f"第 {first} 件" if asked == 1 else f"第 {first} 至 {first + asked - 1} 件",
            f"unit {first}" if asked == 1 else f"units {first} to {first + asked - 1}",
        )
        parts.append(
            tell.pick(
                f"{tell.money(line_whole)} 分摊到 {units} 件（最大余数法，一分不差）：{row_of_shares}；"
                f"{which}共 {tell.money(row[fact])}",
                f"{tell.money(line_whole)} for {units} units, shared so that no cent is lost (largest remainder):"
                f" {row_of_shares}; {which} {'comes' if asked == 1 else 'come'} to {tell.money(row[fact])}",
            )
        )
    if not parts:
        return None
    return Step(
        "share", f"{tell.label(fact)}{tell.pick('：', ': ')}{tell.pick('；', '; ').join(parts)}", tell.money(row[fact])
    )


def _line_share(whole: int, row: Row, tell: Teller) -> int:
    """The line's part of what was paid for the order, as ``derive`` shares it."""
    lines = tell.facts.document["order"]["lines"]
    weights = [_minor(line, tell) for line in lines]
    at = [line["id"] for line in lines].index(row["line.id"])
    return allocate(whole, weights)[at] if whole else 0


def _minor(line: Mapping[str, Any], tell: Teller) -> int:
    return Money.parse(line["paid"], tell.currency).minor if "paid" in line else 0


def _is_given(fact: str, row: Row, tell: Teller) -> bool:
    """Whether the document itself holds a fact that could have been derived."""
    section, _, key = fact.partition(".")
    document = tell.facts.document
    if section == "line":
        lines = document.get("order", {}).get("lines", [])
        return any(key in line for line in lines if line["id"] == row.get("line.id"))
    return bool(key) and key in document.get(section, {})


def caps_met(outcome: Outcome) -> list[list[tuple[Cap, int]]]:
    """For each remedy the caps that made it smaller, each with what it left; emptied as ``decide`` does."""
    pools = Pools(outcome.facts.rows, outcome.combination)
    met = []
    for given in outcome.remedies:
        minor, bound = given.uncapped, []
        for cap in outcome.combination.caps:
            room = pools.room(cap.id, given.line if cap.per == "line" else None) if given.kind in cap.of else None
            if room is not None and room < minor:
                bound.append((cap, room))
                minor = room
        pools.take(given.kind, given.line, given.uncapped)
        met.append(bound)
    return met


def _written(formula: Formula, tell: Teller, row: Row | None, *, inside: str = "") -> str:
    """The formula with names of facts, or with their values where a row is given."""
    match formula:
        case Number(text, _):
            return text
        case WrittenAmount(_, value, _):
            return tell.money(int(value))
        case Name(fact):
            return tell.label(fact) if row is None else _leaf(fact, row, tell)
        case Operation(sign, parts):
            told = [_written(part, tell, row, inside=sign) for part in parts]
            if sign in {"min", "max"}:
                name = tell.pick(
                    "较小者" if sign == "min" else "较大者", "the lesser of" if sign == "min" else "the greater of"
                )
                whole = tell.pick(f"{'、'.join(told)}中的{name}", f"{name} {' and '.join(told)}")
                return f"({whole})" if inside else whole
            shown = {"*": "×", "/": "÷", "-": "−"}.get(sign, sign)
            whole = f" {shown} ".join(told)
            return f"({whole})" if inside in {"*", "/", "-"} and sign in {"+", "-"} else whole


def _leaf(fact: str, row: Row, tell: Teller) -> str:
    return tell.fact(fact, row) if FACTS[fact].type is FactType.AMOUNT else str(row.get(fact))
