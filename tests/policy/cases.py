"""Small documents of facts to start from."""

from __future__ import annotations

from typing import Any

from makegood.policy.packs import Pack, read_pack
from makegood.policy.registry import SHIPPED, Registry

PACKS = Registry.from_folder(SHIPPED)
[HOUSE] = PACKS.versions("house")

PACK = """\
id: test
title: {{zh-Hans: "测试", en: "Test"}}
version: "1"
kind: {kind}
applies: {{markets: any, platforms: any}}
valid_from: 2020-01-01
rounding: half_up
sources: {{s: {{title: {{zh-Hans: "来源", en: "Source"}}}}}}
rules:
{rules}"""

RULE = """\
  - id: {id}
    priority: {priority}
    kinds: [return]
    when: {{{when}}}
    {effect}
    cites: [{{text: "§1", source: s, status: {status}}}]
    text: {{zh-Hans: "文字", en: "Text"}}
"""


def a_rule(effect: str, *, when: str = "", rule_id: str = "r", priority: int = 0, status: str = "seen") -> str:
    return RULE.format(id=rule_id, effect=effect, when=when, priority=priority, status=status)


def a_pack(*rules: str, kind: str = "merchant") -> Pack:
    return read_pack(PACK.format(kind=kind, rules="".join(rules)), "test/pack.yaml")


def refund(amount: str) -> str:
    return f'grant: [{{kind: refund, amount: "{amount}"}}]'


def a_case(kind: str = "return", reason: str | None = "changed_mind", **sections: Any) -> dict[str, Any]:
    """One line of two units, 100.01 CNY paid, 12.00 CNY shipping; sections are merged in."""
    document: dict[str, Any] = {
        "market": "CN",
        "platform": "own-store",
        "currency": "CNY",
        "asked_at": "2026-11-14T10:00:00+08:00",
        "order": {"shipping_paid": "12.00", "lines": [{"id": "1", "quantity": 2, "paid": "100.01"}]},
        "case": {"kind": kind} | ({"reason": reason} if reason else {}),
    }
    for section, values in sections.items():
        document[section] = {**document.get(section, {}), **values} if isinstance(values, dict) else values
    return document
