"""The engine's own sentences, in both languages, and how plain values are written for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from makegood.kit.money import Money
from makegood.policy.reasons import TREE
from makegood.policy.vocabulary import EVIDENCE, FACTS, VALUES, FactSpec, FactType
from makegood.policy.written import Text

Row = Mapping[str, Any]
REASONS = {leaf.code: leaf for leaves in TREE.values() for leaf in leaves}


def _text(zh: str, en: str) -> Text:
    return Text.model_validate({"zh-Hans": zh, "en": en})


def plain(spec: FactSpec, value: Any, row: Row) -> str:
    """A value as it stands in a document: ``true``, ``9``, ``12.00 CNY``, ``49.5h``, an ISO time; "" when unknown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if spec.type is FactType.AMOUNT:
        return f"{Money(value, row['currency']).amount()} {row['currency']}"
    if spec.type is FactType.DURATION:
        return f"{value / 3600:g}h"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def fill(text: Text, lang: str, row: Row, **extra: str) -> str:
    """Put facts into the braces of a text; an unknown fact shows as a dash."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name in extra:
            return extra[name]
        value = plain(FACTS[name], row.get(name), row)
        return tell_was(value, lang) if value else "—"

    return re.sub(r"\{([^{}]*)\}", one, text.in_(lang))


def values_in(formula: str, row: Row) -> dict[str, str]:
    """The facts a formula names, with their values."""
    names = dict.fromkeys(re.findall(r"[a-z_]+(?:\.[a-z_]+)*", formula))
    return {name: plain(FACTS[name], row.get(name), row) for name in names if name in FACTS}


SIGNS_ZH = {"<=": "不超过", ">=": "不少于", "<": "少于", ">": "超过", "!=": "不是"}
SIGNS_EN = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than", "!=": "anything but"}


def tell_needed(needed: str, lang: str) -> str:
    """``<= 7`` as "at most 7" or "不超过 7", ``[60..120]`` as "60 to 120"."""
    zh = lang == "zh-Hans"
    if found := re.fullmatch(r"\[(.+?)\.\.(.+)\]", needed):
        return (" 至 " if zh else " to ").join(tell_was(end, lang) for end in found.groups())
    for sign, told in (SIGNS_ZH if zh else SIGNS_EN).items():
        if needed.startswith(f"{sign} "):
            return f"{told} {tell_needed(needed[len(sign) + 1 :], lang)}"
    if needed.startswith("not "):
        return ("不是 " if zh else "not ") + tell_needed(needed[4:], lang)
    if needed.startswith("in ["):
        parts = [tell_was(part.strip(), lang) for part in needed[4:-1].split(",")]
        return "、".join(parts) if zh else " or ".join(parts)
    return tell_was(needed, lang)


def tell_limit(needed: str, lang: str) -> str:
    """Only the number of a comparison, or both of a range: ``<= 60`` as "60", ``[60..120]`` as "60 to 120"."""
    return tell_needed(re.sub(r"^[<>=!]+ ", "", needed), lang)


def spaced(text: str) -> str:
    """Chinese with one space between characters and figures, and none between characters."""
    text = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", text)
    return re.sub(r"(?<=[\u4e00-\u9fff])(?=\d)|(?<=\d)(?=[\u4e00-\u9fff])", " ", text)


def tell_was(was: str, lang: str) -> str:
    """Values of choices and reasons said as words, ``48h`` with its unit; everything else as it is."""
    zh = lang == "zh-Hans"
    if was in VALUES:
        return VALUES[was][0 if zh else 1]
    if hours := re.fullmatch(r"(-?[\d.]+)h", was):
        return f"{hours[1]} {'小时' if zh else 'hours'}"
    return REASONS[was].label(lang) if was in REASONS else was


def ask_for(kinds: tuple[str, ...], fact: str, lang: str) -> str:
    zh = lang == "zh-Hans"
    label = FACTS[fact].label(lang)
    if kinds == ("fact",):
        return f"请说明：{label}。" if zh else f"Please tell: {label}."
    brought = ("或" if zh else " or ").join(EVIDENCE[kind][0 if zh else 1] for kind in kinds)
    if fact.startswith("evidence."):
        return f"请提供：{brought}。" if zh else f"Please bring: {brought}."
    return f"请提供{brought}，以说明：{label}。" if zh else f"Please bring {brought} that shows: {label}."


@cache
def failed_condition(fact: str) -> Text:
    """For a condition that the pack has no words of its own for."""
    spec = FACTS[fact]
    return _text(
        f"不符合条件：{spec.zh}需为{{needed}}，实际为{{was}}。",
        f"A condition is not met: {spec.en} must be {{needed}} and is {{was}}.",
    )


@cache
def would_change(fact: str) -> tuple[Text, ...]:
    """Evidence that could show the fact to be otherwise; nothing where only another course of events could."""
    spec = FACTS[fact]
    kind = spec.evidence or next((FACTS[need].evidence for need in spec.needs if FACTS[need].evidence), "")
    if not kind:
        return ()
    zh, en = EVIDENCE[kind]
    return (_text(f"如有{zh}能证明{spec.zh}与记录不同，请提供。", f"Bring {en} if it shows otherwise: {spec.en}."),)


ALREADY_GIVEN_BACK = _text(
    "所申请的数量（{line.asked_quantity}）超过尚可处理的数量（{line.units_left}）。",
    "More units are asked ({line.asked_quantity}) than are left ({line.units_left}).",
)
NOTHING_LEFT = _text("已付金额此前已全部退还。", "Everything that was paid has been refunded before.")
NOT_COVERED = _text("适用的政策没有规定此类售后。", "The policy that applies has no rule for this kind of case.")
