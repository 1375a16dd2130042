"""The explanation as a PDF to take to a mediator: what it is about, the answer, and everything behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from makegood.kit import paper
from makegood.policy.explain.said import ZH
from makegood.policy.explain.shapes import AmountSaid, Explanation, FactSaid, PackSaid

LABELS: dict[str, tuple[str, str]] = {
    "title": ("处理决定说明", "A decision explained"),
    "merchant": ("商家", "Shop"),
    "order": ("订单", "Order"),
    "case": ("售后单", "Case"),
    "decision": ("决定", "Decision"),
    "total": ("金额", "Sum"),
    "decided": ("决定时间", "Decided"),
    "told": ("告知时间", "Told"),
    "asked": ("提出时间", "Asked"),
    "why": ("决定人说明", "In the words of who decided"),
    "policies": ("适用的政策", "Policies that were applied"),
    "pack": ("政策包", "Pack"),
    "version": ("版本", "Version"),
    "level": ("层级", "Level"),
    "day": ("按哪天的规则", "Rules as of"),
    "hash": ("内容哈希", "Content hash"),
    "combination": ("合并规则", "How they were combined"),
    "amounts": ("给予什么，为什么", "What is given, and why"),
    "refused": ("未同意什么，为什么", "What is refused, and why"),
    "needs": ("还需要什么", "What is still needed"),
    "referred": ("由人工决定的", "Left to a person"),
    "claw_back": ("应返还的", "To be given back"),
    "assumed": ("推定的事项", "What was taken as given"),
    "notes": ("另请注意", "Worth knowing"),
    "appeal": ("申诉", "Appeal"),
    "bearer": ("由谁承担", "Who bears it"),
    "due": ("期限", "By when"),
    "waits": ("须等", "Waits for"),
    "rule": ("规则", "Rule"),
    "clause": ("条款", "Clause"),
    "source": ("出处", "Source"),
    "working": ("计算过程", "Step by step"),
    "facts": ("用到的事实", "The facts that were used"),
}
VERDICTS: dict[str, tuple[str, str]] = {
    "grant": ("同意", "granted"),
    "partly": ("部分同意", "granted in part"),
    "deny": ("不同意", "denied"),
    "need_evidence": ("需要补充材料", "more is needed"),
    "refer": ("由人工决定", "a person decides"),
}
KNOWN: dict[str, tuple[str, str]] = {
    "given": ("已知", "known"),
    "derived": ("推算得出", "worked out"),
    "found": ("经核实", "verified"),
    "assumed": ("推定", "assumed"),
    "brought": ("已提供", "brought"),
    "unknown": ("未知", "unknown"),
}
# Rows of the cover in their order; a caller fills those it knows.
COVER = ("merchant", "order", "case", "decision", "total", "asked", "decided", "told", "why")


def pdf_of(told: Explanation, cover: Mapping[str, str], *, at: datetime, key: str = "") -> bytes:
    """``cover`` holds what it is about by the names of COVER; ``key`` the public key of the receipt.

    Raises PaperUnavailable where no font with Chinese characters is at hand.
    """
    return paper.typeset(_template(), _data(told, cover, key), at=at)


@cache
def _template() -> str:
    return Path(__file__).with_name("paper.typ").read_text(encoding="utf-8")


class _Labels:
    def __init__(self, lang: str) -> None:
        self.at = 0 if lang == ZH else 1

    def __call__(self, name: str, table: Mapping[str, tuple[str, str]] = LABELS) -> str:
        return table[name][self.at]


def _data(told: Explanation, cover: Mapping[str, str], key: str) -> dict[str, Any]:
    say = _Labels(told.lang)
    rows = {"decision": say(told.verdict, VERDICTS), "total": told.total_said, **cover}
    zh = told.lang == ZH
    return {
        "lang": "zh" if zh else "en",
        "region": "cn" if zh else "gb",
        "labels": {name: say(name) for name in ("policies", "amounts", "working", "facts")},
        "title": say("title"),
        "headline": told.headline,
        "running": " · ".join(cover[name] for name in ("merchant", "case", "order") if cover.get(name)),
        "foot": f"时间按 {told.zone} 计算" if zh else f"Times are those of {told.zone}",
        "cover": [[say(name), rows[name]] for name in COVER if rows.get(name)],
        "packs": [*(_pack(pack, say) for pack in told.packs), *([_combination(told, say)] if told.combination else [])],
        "verify": _verify(key, zh=zh),
        "amounts": [_amount(one, say) for one in told.amounts],
        "parts": [part for part in _parts(told, say) if part["paragraphs"]],
    }


def _pack(pack: PackSaid, say: _Labels) -> dict[str, Any]:
    return {
        "title": pack.title,
        "rows": [
            [say("pack"), pack.id], [say("version"), pack.version], [say("level"), pack.level], [say("day"), pack.day],
            [say("hash"), pack.hash],
        ],
    }  # fmt: skip


def _combination(told: Explanation, say: _Labels) -> dict[str, Any]:
    rows = [[say("version"), told.combination["version"]], [say("hash"), told.combination["hash"]]]
    return {"title": say("combination"), "rows": rows}


def _verify(key: str, *, zh: bool) -> str:
    if not key:
        return ""
    if zh:
        return (
            "同一决定的签名回执可向商家索取，任何人都可以用 makegood quote --replay 重新计算并核对。"
            f"公钥（Ed25519）：{key}"
        )
    return (
        "The signed receipt of this decision can be had from the shop; anybody can work it out anew and compare with"
        f" makegood quote --replay. Public key (Ed25519): {key}"
    )


def _amount(one: AmountSaid, say: _Labels) -> dict[str, Any]:
    due = one.due
    when = (due.said or f"{due.span} · {due.counted_from}") if due else ""
    rows = [(say("bearer"), one.bearer), (say("due"), when), (say("waits"), one.waits_for), (say("rule"), one.rule)]
    rows += [(say("clause"), cite.text) for cite in one.cites]
    rows += [(say("source"), " ".join(part for part in (cite.source, cite.url) if part)) for cite in one.cites]
    return {
        "title": f"{one.name} · {one.said}" if one.has_sum else one.name,
        "rows": [list(row) for row in rows if row[1]],
        "prose": one.prose,
        "working": [step.text for step in one.steps],
        "facts": [_fact(fact, say) for fact in one.facts],
    }


def _fact(fact: FactSaid, say: _Labels) -> str:
    basis = f" ({'; '.join(fact.basis)})" if fact.basis else ""
    return f"{fact.label}: {fact.said} · {say(fact.how, KNOWN)}{basis}"


def _parts(told: Explanation, say: _Labels) -> list[dict[str, Any]]:
    texts: list[tuple[str, Sequence[str]]] = [
        ("refused", [one.prose for one in told.refused]),
        ("needs", [one.prose for one in told.needs]),
        ("referred", [one.prose for one in told.referred]),
        ("claw_back", [one.text for one in told.claw_back]),
        ("assumed", [_fact(one, say) for one in told.assumed]),
        ("notes", [" ".join([one.text, *(cite.text for cite in one.cites)]) for one in told.notes]),
        ("appeal", [f"{told.appeal['said']} · {told.appeal['to']}"] if told.appeal else []),
    ]
    return [{"title": say(name), "paragraphs": list(dict.fromkeys(paragraphs))} for name, paragraphs in texts]
