"""Filters over ``cases.words`` for portal and desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from makegood.cases import words
from makegood.cases.explaining import Behind
from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale, text_language
from makegood.ledger.queries import StatementRow
from makegood.ledger.states import POINT, UNIT
from makegood.policy.explain.shapes import AmountSaid
from makegood.policy.vocabulary import FACTS
from makegood.policy.words import tell_needed, tell_was

register = template.Library()

# How loud a value is shown: good, wait, bad, info, line.
_TONES = {
    "with_us": "info", "with_you": "wait", "on_the_way": "info", "paying": "good", "done": "good", "denied": "bad",
    "under_appeal": "wait", "closed": "line", "received": "info", "verifying": "info", "planned": "wait",
    "approved": "good", "appealed": "wait", "withdrawn": "line", "lapsed": "line", "none": "line", "held": "wait",
    "promised": "info", "paid": "good", "troubled": "bad", "recalling": "wait", "missed": "bad", "authorised": "wait",
    "coming_back": "info", "accepted": "good", "rejected": "bad", "lost": "bad", "grant": "good", "partly": "wait",
    "deny": "bad", "need_evidence": "wait", "refer": "info", "released": "info", "void": "line",
    "processing": "info", "confirmed": "good", "failed": "bad", "needs_person": "bad", "reversed": "bad",
}  # fmt: skip


@register.filter
def said(value: str, kind: str) -> str:
    """``{{ case.state|said:"State" }}``."""
    return words.said(value, kind)


@register.filter
def tone(value: str) -> str:
    return _TONES.get(value, "line")


@register.filter
def likeness_said(code: str) -> str:
    return words.in_table(words.LIKENESS, code)


@register.filter
def event_said(kind: str) -> str:
    return words.event_said(kind)


@register.filter
def json_money(entry: Mapping[str, Any], currency: str) -> str:
    """An ``amount`` of a quote document as people write it; what is still open is said to be."""
    if entry.get("amount_open"):
        return _("to be settled")
    return Money.parse(entry["amount"], currency).words(babel_locale())


@register.filter
def verdict_said(verdict: str) -> str:
    return words.in_table(words.VERDICTS, verdict)


@register.filter
def remedy_said(kind: str) -> str:
    return words.in_table(words.REMEDIES, kind)


@register.filter
def outcome_said(outcome: str) -> str:
    return words.in_table(words.OUTCOMES, outcome)


@register.filter
def evidence_said(kind: str) -> str:
    return words.evidence_said(kind)


@register.simple_tag
def reason_said(kind: str, code: str) -> str:
    return words.reason_said(kind, code)


@register.filter
def fact_said(fact: str) -> str:
    """The name of a fact in the reader's language."""
    spec = FACTS.get(fact)
    return spec.label(text_language()) if spec else fact


@register.filter
def value_said(value: object) -> str:
    """A value of a fact, or of a place of goods, in words."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return tell_was(text, text_language())


@register.filter
def needed_said(needed: str) -> str:
    return tell_needed(needed, text_language())


@register.filter
def each_once(refused: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Refusals that read the same for several lines are said once."""
    return list({(one["remedy"], one["rule"], one["text"]): one for one in refused}.values())


@register.filter
def has_amount(amount: str) -> bool:
    """Whether an amount of a quote document is more than nothing."""
    return Decimal(amount) > 0


@register.filter
def moved(row: StatementRow) -> str:
    """What a posting moved: units, points or money, with its sign."""
    if row.asset in {UNIT, POINT}:
        return f"{row.amount:+d}"
    sign = "+" if row.amount > 0 else "−"
    return sign + Money(abs(row.amount), row.asset).words(babel_locale())


@register.simple_tag
def behind_of(behind: Behind | None, remedy: words.RemedySaid) -> AmountSaid | None:
    """What stands behind one promised remedy."""
    return behind.amount_of(remedy.kind, remedy.line, remedy.rule) if behind else None


@register.filter
def result_said(result: str) -> str:
    """Whether a rule that was tried holds."""
    return words.in_table(words.RESULTS, result)


@register.filter
def refusal_said(code: str) -> str:
    """Why a rehearsal was refused, by the stable code."""
    return words.in_table(words.REFUSALS, code)


@register.filter
def channel_said(channel: str) -> str:
    return words.in_table(words.CHANNELS, channel)


@register.filter
def method_said(kind: str) -> str:
    """A saved way of payment in words."""
    return words.in_table(words.METHODS, kind)
