"""Decision tables of the JSON Decision Model (JDM, the zen engine of GoRules): a pack out; ``jdm_draft`` reads in.

The table collects every rule that holds, highest priority first. JDM knows no unknown: a cell whose fact is null does
not hold. Waiting for facts, combining packs, caps and rounding are not in the table; see docs/reference/jdm.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from makegood.policy.arithmetic import build, denominator_of
from makegood.policy.cells import Between, Cell, Compare, Known, Not, OneOf, Operand
from makegood.policy.clock import zone_of
from makegood.policy.formulas import currencies_in, facts_in
from makegood.policy.packs import Pack, Remedy, Rule
from makegood.policy.table import Row

DAY = "day"  # the day whose rules hold, as the number 20261114
REMEDY_PARTS = ("kind", "amount", "borne_by", "after", "due", "scope", "rounding")


class _Expressions:
    """Formulas in the expression language of zen; minor units over a denominator."""

    def whole(self, value: int) -> str:
        return str(value)

    def fact(self, name: str) -> str:
        return name

    def written(self, value: int, currency: str) -> str:
        return str(value)

    def plus(self, left: str, right: str) -> str:
        return f"({left} + {right})"

    def minus(self, left: str, right: str) -> str:
        return f"({left} - {right})"

    def times(self, left: str, right: str) -> str:
        return f"({left} * {right})"

    def least(self, parts: Sequence[str]) -> str:
        return f"min([{', '.join(parts)}])"

    def most(self, parts: Sequence[str]) -> str:
        return f"max([{', '.join(parts)}])"


def export(pack: Pack) -> dict[str, Any]:
    """The pack as a JDM document of one decision table."""
    facts = list(dict.fromkeys(fact for rule in pack.rules for fact, _ in rule.cells))
    most = max(len(rule.remedies) for rule in pack.rules)
    inputs = [
        ("kind", "case.kind"),
        ("day", DAY),
        *((f"f{at}", fact) for at, fact in enumerate(facts)),
        ("evidence", ""),
    ]
    outputs = ["rule", "effect", "priority", "reason_code"]
    outputs += [f"remedy{at}.{part}" for at in range(1, most + 1) for part in REMEDY_PARTS]
    content = {
        "hitPolicy": "collect",
        "inputs": [
            {"id": key, "name": fact or "evidence", **({"field": fact} if fact else {})} for key, fact in inputs
        ],
        "outputs": [{"id": f"o{at}", "name": name, "field": name} for at, name in enumerate(outputs)],
        "rules": [_row(pack, rule, {fact: f"f{at}" for at, fact in enumerate(facts)}, outputs) for rule in pack.rules],
    }  # fmt: skip
    place = [{"x": 100 + 300 * at, "y": 100} for at in range(3)]
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "facts", "type": "inputNode", "name": "Facts", "position": place[0]},
            {"id": "rules", "type": "decisionTableNode", "name": pack.id, "position": place[1], "content": content},
            {"id": "answer", "type": "outputNode", "name": "Answer", "position": place[2]},
        ],
        "edges": [
            {"id": "e1", "sourceId": "facts", "targetId": "rules", "type": "edge"},
            {"id": "e2", "sourceId": "rules", "targetId": "answer", "type": "edge"},
        ],
    }


def _row(pack: Pack, rule: Rule, keys: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
    cells = {"kind": f"$ in {_list(rule.kinds)}", DAY: _days(rule)}
    for fact, cell in rule.cells:
        text = spelled(cell, pack)
        cells[keys[fact]] = f"{cells[keys[fact]]} and {text}" if keys[fact] in cells else text
    cells["evidence"] = " and ".join(
        f"({' or '.join(f'evidence.{kind} == true' for kind in need)})" for need in rule.evidence
    )
    told = {
        "rule": rule.id, "effect": rule.effect, "reason_code": rule.deny.reason_code if rule.deny else "",
    }  # fmt: skip
    answers: dict[str, str] = {name: _text(value) for name, value in told.items() if value}
    answers["priority"] = str(rule.priority)
    for at, remedy in enumerate(rule.remedies, start=1):
        answers |= {f"remedy{at}.{part}": value for part, value in _remedy(remedy).items()}
    return {
        "_id": rule.id,
        "_description": rule.text.en,
        **{key: cells.get(key, "") for key in ("kind", DAY, *keys.values(), "evidence")},
        **{f"o{at}": answers.get(name, "null") for at, name in enumerate(outputs)},
    }


def _remedy(remedy: Remedy) -> dict[str, str]:
    due = f"{remedy.due.span} after {remedy.due.event}" if remedy.due else ""
    parts = {"kind": remedy.kind, "borne_by": remedy.borne_by, "after": remedy.after or "", "due": due}
    parts |= {"scope": remedy.scope, "rounding": remedy.rounding}
    return {name: _text(value) for name, value in parts.items() if value} | {"amount": _amount(remedy)}


def _amount(remedy: Remedy) -> str:
    """Minor units before rounding, null where a fact is unknown or the case is in another currency."""
    if remedy.amount is None:
        return "0"
    if denominator_of(remedy.amount) is None:
        return "null"  # divides by a fact: the engine's numbers would not be exact
    text, denominator = build(remedy.amount, _Expressions())
    spelled_ = text if denominator == 1 else f"{text} / {denominator}"
    unknown = [f"{fact} == null" for fact in facts_in(remedy.amount)]
    unknown += [f"currency != {_text(currency)}" for currency in sorted(currencies_in(remedy.amount))]
    return f"{' or '.join(unknown)} ? null : {spelled_}" if unknown else spelled_


def _days(rule: Rule) -> str:
    parts = [f"$ >= {number_of(rule.valid_from)}"] if rule.valid_from else []
    parts += [f"$ < {number_of(rule.valid_to)}"] if rule.valid_to else []
    return " and ".join(parts)


def number_of(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def spelled(cell: Cell, pack: Pack) -> str:  # noqa: PLR0911 - one for each kind of cell
    """A cell as an expression on ``$`` that is never null."""
    match cell:
        case Known():
            return "$ != null"
        case Not(Known()):
            return "$ == null"
        case Not(test):
            return f"$ != null and not ({spelled(test, pack)})"
        case Compare("!=", operand):
            value, more = _operand(operand, pack)
            return f"$ != null and $ != {value}{more}"
        case Compare(operator, operand):
            value, more = _operand(operand, pack)
            return f"$ {operator} {value}{more}"
        case OneOf(operands):
            values = [_operand(operand, pack) for operand in operands]
            return (
                f"$ in [{', '.join(value for value, _ in values)}]{''.join(dict.fromkeys(more for _, more in values))}"
            )
        case Between(low, high, low_in, high_in):
            (above, more), (below, also) = _operand(low, pack), _operand(high, pack)
            left, right = ">=" if low_in else ">", "<=" if high_in else "<"
            return f"$ {left} {above} and $ {right} {below}{more}{also if also != more else ''}"


def _operand(operand: Operand, pack: Pack) -> tuple[str, str]:
    """The value and what must hold beside it."""
    if operand.fact:
        return operand.fact, f" and {operand.fact} != null"
    if operand.currency:
        return str(operand.value), f" and currency == {_text(operand.currency)}"
    value = operand.value
    if isinstance(value, bool):
        return ("true" if value else "false"), ""
    if isinstance(value, date):
        return str(_seconds(value, pack)), ""
    return (str(value) if isinstance(value, int) else _text(str(value))), ""


def _seconds(value: date, pack: Pack) -> int:
    """Seconds since 1970; a day begins by the clock of the pack's one market, else by UTC."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    market = pack.markets[0] if pack.markets and len(pack.markets) == 1 else ""
    return int(datetime.combine(value, time(), tzinfo=zone_of(market) or UTC).timestamp())


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def context_of(row: Row, day: date) -> dict[str, Any]:
    """What the engine is asked with: the facts of a row, nested by their names; instants as seconds."""
    found: dict[str, Any] = {DAY: number_of(day)}
    for name, value in row.items():
        section, _, key = name.rpartition(".")
        place = found.setdefault(section, {}) if section else found
        place[key] = int(value.timestamp()) if isinstance(value, datetime) else value
    return found
