"""The estimator's answer: one quote, what each unknown would make of it, and other reasons beside it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from makegood.kit import errors
from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale, text_language
from makegood.policy.explain import Explanation, explain
from makegood.policy.facts import Facts
from makegood.policy.outcome import Outcome
from makegood.policy.quote import outcome_of, packs_for
from makegood.policy.reasons import reasons_of
from makegood.policy.vocabulary import FACTS, VALUES, FactType
from makegood.portal.estimating import EXTRA, Form, document_of, put_fact

UNKNOWNS_MAX = 6


@dataclass(frozen=True, slots=True)
class Possible:
    """What the answer would be if a fact were so; ``query`` is the address of that answer."""

    said: str
    verdict: str
    total: str
    query: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that is not known yet; without ``answers`` it is an amount or a day that only the person knows."""

    label: str
    answers: tuple[Possible, ...]
    field: str = ""  # where it can be typed in
    mode: str = ""  # date, or the keyboard of a telephone


@dataclass(frozen=True, slots=True)
class OtherReason:
    """The same case for another reason, once for each who may ship."""

    said: str
    here: bool
    cells: tuple[Possible, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    told: Explanation
    unknowns: tuple[Unknown, ...]
    others: tuple[OtherReason, ...]
    columns: tuple[str, ...]

    @property
    def only_promise(self) -> bool:
        """Whether nothing but a shop's own promise was there to decide."""
        return all(pack.kind == "merchant" for pack in self.outcome.packs)


def answer(form: Form) -> Answer:
    """Raises what ``quote`` raises for facts that cannot be."""
    document = document_of(form)
    outcome = _quote(document, form)
    columns = ("platform", "seller") if form.values["platform"] not in {"own-store", "other"} else ("seller",)
    return Answer(
        outcome,
        explain(outcome, text_language()),
        tuple(_unknowns(outcome, document, form)),
        tuple(_others(form, columns)) if not form.by_seller else (),
        columns,
    )


def _quote(document: dict[str, Any], form: Form) -> Outcome:
    """Law and platform hold whoever sells; a shop's own promise where asked for, or where nothing else applies."""
    facts = Facts.from_json(document)
    packs = packs_for(facts)
    general = [pack.id for pack in packs if pack.kind != "merchant"]
    if general and not form.values["promise"]:
        return outcome_of(facts, pack_ids=general)
    return outcome_of(facts, pack_ids=[pack.id for pack in packs] or None)


def query_of(form: Form, **changed: str) -> str:
    """The address of the form as it stands, with some fields changed."""
    values = {name: value for name, value in {**form.values, **changed}.items() if value}
    extra = {f"{EXTRA}{name}": value for name, value in form.extra.items()}
    return "?" + urlencode([*values.items(), *(("have", kind) for kind in form.have), *extra.items()])


def _unknowns(outcome: Outcome, document: dict[str, Any], form: Form) -> Iterator[Unknown]:
    """Each thing that is missing, with what the answer becomes for every value it can have."""
    needed: dict[str, str] = {}
    for need in outcome.needs:
        for fact in [f"evidence.{kind}" for kind in need.kinds] if need.fact.startswith("evidence.") else [need.fact]:
            needed.setdefault(fact, need.rule)
    for fact in list(needed)[:UNKNOWNS_MAX]:
        spec = FACTS[fact]
        values = (
            spec.choices if spec.type is FactType.CHOICE else ("true", "false") if spec.type is FactType.FLAG else ()
        )
        answers = tuple(found for value in values if (found := _possible(document, form, fact, value)) is not None)
        can_type = not answers and (not spec.derived or spec.may_be_given)
        mode = "date" if spec.type is FactType.INSTANT else "decimal" if spec.type is FactType.AMOUNT else "text"
        yield Unknown(spec.label(text_language()), answers, f"{EXTRA}{fact}" if can_type else "", mode)


def _possible(document: dict[str, Any], form: Form, fact: str, value: str) -> Possible | None:
    tried = copy.deepcopy(document)
    put_fact(tried, fact, value)
    try:
        outcome = _quote(tried, form)
    except errors.DomainError:
        return None
    return _told(outcome, _value_said(value), query_of(form) + "&" + urlencode({f"{EXTRA}{fact}": value}))


def _value_said(value: str) -> str:
    words = VALUES.get(value)
    return words[0 if text_language() == "zh-Hans" else 1] if words else value


def _others(form: Form, columns: tuple[str, ...]) -> Iterator[OtherReason]:
    for leaf in reasons_of(form.kind):
        if leaf.code == "not_told":
            continue
        what = f"{form.kind}.{leaf.code}"
        cells = []
        for ships in columns:
            other = Form({**form.values, "what": what, "ships": ships}, form.have, dict(form.extra))
            try:
                outcome = _quote(document_of(other), other)
            except errors.DomainError:
                continue
            cells.append(_told(outcome, ships, query_of(other)))
        yield OtherReason(leaf.label(text_language()), what == form.values["what"], tuple(cells))


def _told(outcome: Outcome, said: str, query: str) -> Possible:
    total = outcome.total
    shown = total.words(babel_locale()) if total else ""
    if not total and outcome.verdict in {"grant", "partly"} and outcome.remedies:
        shown = _("in kind")
    return Possible(said, outcome.verdict, shown or _nothing(outcome), query)


def _nothing(outcome: Outcome) -> str:
    return {
        "need_evidence": _("more is needed"),
        "refer": _("a person decides"),
    }.get(outcome.verdict, Money(0, outcome.facts.currency).words(babel_locale()))
