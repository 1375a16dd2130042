"""The answer: typed remedies, refusals, needs; rendered as the quote document in either language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from makegood.kit.money import Money
from makegood.policy import words
from makegood.policy.clock import Span
from makegood.policy.combination import Combination
from makegood.policy.facts import Facts, canonical
from makegood.policy.judge import Look, Tried
from makegood.policy.packs import Pack, Remedy
from makegood.policy.vocabulary import FACTS
from makegood.policy.written import Text

LANGS = ("zh-Hans", "en")
APPEALS_TAKEN = Span(30, "d")  # the merchant's own time where no pack of it says another
MONEY_KINDS = frozenset({"refund", "shipping_refund", "return_freight", "store_credit", "damages", "goodwill"})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sooner:
    """Another rule that promises the same remedy for an earlier day, and the remedy of it: its day binds."""

    tried: Tried
    remedy: Remedy


@dataclass(frozen=True, slots=True)
class GrantedRemedy:
    """One remedy. ``minor`` units of the case's currency; ``open_amount``: who bears it is decided, how much is not."""

    kind: str
    line: str | None
    quantity: int | None
    minor: int
    open_amount: bool
    borne_by: str
    due_by: datetime | None
    provisional: bool  # the due day lies beyond the working days that are published
    after: str | None
    text: Text
    written: str  # the formula
    uncapped: int
    tried: Tried
    sooner: Sooner | None = None

    def as_json(self, currency: str, lang: str) -> dict[str, Any]:
        amount = Money(self.minor, currency).amount()
        entry: dict[str, Any] = {
            "kind": self.kind,
            "line": self.line,
            "quantity": self.quantity,
            "amount": amount,
            "borne_by": self.borne_by,
            "due_by": self.due_by.isoformat() if self.due_by else None,
            "provisional": self.provisional,
            "after": self.after,
            "rule": self.tried.rule.id,
            "cites": [cite.text for cite in self.tried.rule.cites],
            "text": words.fill(self.text, lang, self.tried.row, amount=f"{amount} {currency}"),
        }
        if not self.provisional:
            del entry["provisional"]
        if self.sooner:
            entry["due_rule"] = self.sooner.tried.rule.id
        return {**entry, "amount_open": True} if self.open_amount else entry


@dataclass(frozen=True, slots=True)
class Failed:
    """The condition that failed: the fact, what was needed and what it was."""

    fact: str
    needed: str
    was: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A remedy not given and why; ``rule`` is "guard" where the ledger's own limits say no."""

    remedy: str
    reason_code: str
    rule: str
    line: str | None
    failed: Failed
    text: Text
    would_change: tuple[Text, ...]
    cites: tuple[str, ...]
    row: Row

    def as_json(self, lang: str) -> dict[str, Any]:
        extra = {
            "needed": words.tell_needed(self.failed.needed, lang),
            "limit": words.tell_limit(self.failed.needed, lang),
            "was": words.tell_was(self.failed.was, lang),
        }

        def said(text: Text) -> str:
            filled = words.fill(text, lang, self.row, **extra)
            return words.spaced(filled) if lang == "zh-Hans" else filled

        return {
            "remedy": self.remedy,
            "line": self.line,
            "reason_code": self.reason_code,
            "rule": self.rule,
            "cites": list(self.cites),
            "failed": {"fact": self.failed.fact, "needed": self.failed.needed, "was": self.failed.was},
            "would_change": [said(text) for text in self.would_change],
            "text": said(self.text),
        }


@dataclass(frozen=True, slots=True)
class Need:
    """What is missing: a kind of evidence (any of ``kinds``) or, with kind "fact", only the fact itself."""

    kinds: tuple[str, ...]
    fact: str
    rule: str
    line: str | None

    def as_json(self, lang: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"kind": self.kinds[0], "for": self.rule, "line": self.line, "fact": self.fact}
        if len(self.kinds) > 1:
            entry["or"] = list(self.kinds[1:])
        return {**entry, "text": words.ask_for(self.kinds, self.fact, lang)}


@dataclass(frozen=True, slots=True)
class Referral:
    """A rule that only a person may apply."""

    line: str | None
    tried: Tried

    def as_json(self, lang: str) -> dict[str, Any]:
        rule = self.tried.rule
        return {
            "line": self.line,
            "rule": rule.id,
            "unverified": not rule.sound,
            "cites": [cite.text for cite in rule.cites],
            "text": words.fill(rule.text, lang, self.tried.row),
        }


@dataclass(frozen=True, slots=True)
class ClawedBack:
    """What was given for a loss that is none, or given twice: ``minor`` units that ``from_`` is to give back."""

    because: str
    from_: str
    minor: int
    text: Text
    row: Row

    def as_json(self, currency: str, lang: str) -> dict[str, Any]:
        amount = Money(self.minor, currency).amount()
        text = words.fill(self.text, lang, self.row, amount=f"{amount} {currency}")
        return {"because": self.because, "from": self.from_, "amount": amount, "text": text}


@dataclass(frozen=True, slots=True)
class Choice:
    """How the packs were combined for one loss: the rule that decides, and all that would have."""

    line: str | None
    loss: str
    chosen: Tried
    rivals: tuple[Tried, ...]

    def as_json(self, currency: str) -> dict[str, Any]:
        return {
            "line": self.line,
            "loss": self.loss,
            "chosen": self.chosen.rule.id,
            "from": [
                {
                    "pack": tried.pack.id,
                    "level": tried.pack.kind,
                    "rule": tried.rule.id,
                    "remedies": [remedy.kind for remedy in tried.remedies_in(self.loss)],
                    "worth": Money(tried.value(self.loss) or 0, currency).amount(),
                }
                for tried in self.rivals
            ],
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is owed and why. Pure data: the same facts, packs and day give the same Outcome."""

    facts: Facts
    verdict: str  # grant | partly | deny | need_evidence | refer
    remedies: tuple[GrantedRemedy, ...]
    refused: tuple[Refusal, ...]
    needs: tuple[Need, ...]
    referrals: tuple[Referral, ...]
    clawed_back: tuple[ClawedBack, ...]
    packs: tuple[Pack, ...]
    combination: Combination
    on: date | None
    choices: tuple[Choice, ...] = field(repr=False)
    looks: tuple[Look, ...] = field(repr=False)  # each line, with the truth of every cell of every rule

    @property
    def tried(self) -> Iterator[tuple[str | None, Tried]]:
        """Every rule tried, line by line and pack by pack."""
        return ((look.line, tried) for look in self.looks for seen in look.under_each() for tried in seen)

    @property
    def total(self) -> Money:
        """Money the asker receives: what others bear; coupons, points and things are not counted in."""
        minor = sum(r.minor for r in self.remedies if r.kind in MONEY_KINDS and r.borne_by != "customer")
        return Money(minor, self.facts.currency)

    def as_json(self, lang: str = "en") -> dict[str, Any]:
        """The quote document of the contract; texts in ``lang`` (``zh-Hans`` or ``en``)."""
        return {
            "verdict": self.verdict,
            "total": self.total.as_json(),
            "remedies": [remedy.as_json(self.facts.currency, lang) for remedy in self.remedies],
            "refused": [refusal.as_json(lang) for refusal in self.refused],
            "evidence_needed": [need.as_json(lang) for need in self.needs],
            "referred": [referral.as_json(lang) for referral in self.referrals],
            "claw_back": [item.as_json(self.facts.currency, lang) for item in self.clawed_back],
            "appeal": self._appeal(lang),
            "policy": {
                "packs": [
                    {"id": pack.id, "version": pack.version, "kind": pack.kind, "hash": pack.hash}
                    for pack in self.packs
                ],
                "combination": {"version": self.combination.version, "hash": self.combination.hash},
                "hash": policy_hash(self.packs, self.combination),
                "on": self.on.isoformat() if self.on else None,
                "lang": lang,
            },
        }  # fmt: skip

    def canonical(self, lang: str = "en") -> str:
        """What is stored with a decision, and what a replay must give again bit for bit."""
        return canonical(self.as_json(lang))

    def trace(self) -> list[dict[str, Any]]:
        """Every rule tried, with the result of each cell; how packs were combined; the arithmetic of each remedy."""
        tried = [_trace_entry(line, tried) for line, tried in self.tried]
        combined = [{"combined": choice.loss, **choice.as_json(self.facts.currency)} for choice in self.choices]
        return (
            tried
            + combined
            + [
                {
                    "arithmetic": remedy.kind,
                    "line": remedy.line,
                    "rule": remedy.tried.rule.id,
                    "formula": remedy.written,
                    "values": words.values_in(remedy.written, remedy.tried.row),
                    "rounded": Money(remedy.uncapped, self.facts.currency).amount(),
                    "after_caps": Money(remedy.minor, self.facts.currency).amount(),
                }
                for remedy in self.remedies
            ]
        )

    def _appeal(self, lang: str) -> dict[str, str] | None:
        if not self.refused:
            return None
        rules = {refusal.rule for refusal in self.refused}
        # Who refused says where to appeal; what no policy may give (guard) is nobody's own refusal.
        refusing = [pack for pack in self.packs if not rules.isdisjoint(rule.id for rule in pack.rules)]
        for pack in refusing or self.packs:
            if pack.appeal:
                own = pack.appeal.time_for(self.facts.rows[0]["case.claimant"])
                span = own or self._merchants_time()
                until = span.after(self.facts.asked_at, self.facts.zone, self.facts.market)
                told = {"until": until.isoformat(), "to": pack.appeal.to.in_(lang)}
                return told if own else {**told, "set_by": "merchant"}
        return None

    def _merchants_time(self) -> Span:
        """How long the merchant takes appeals, where the pack that refused names no time of its own."""
        ways = [pack.appeal for pack in self.packs if pack.kind == "merchant" and pack.appeal]
        return next((way.within for way in ways if way.within), APPEALS_TAKEN)


def policy_hash(packs: Sequence[Pack], by: Combination) -> str:
    """One name (64 hexadecimal digits) for these exact packs in the order they were applied, and their combination."""
    parts = [f"{pack.id}:{pack.hash}" for pack in packs] + [f"{by.id}:{by.hash}"]
    return hashlib.sha256("+".join(parts).encode()).hexdigest()


def _trace_entry(line: str | None, tried: Tried) -> dict[str, Any]:
    told = {True: "holds", False: "fails", None: "unknown"}
    cells = [
        {
            "fact": fact,
            "needed": cell.words(),
            "was": words.plain(FACTS[fact], tried.row.get(fact), tried.row),
            "result": told[value],
            **({"assumed": True} if fact in tried.assumed else {}),
        }
        for (fact, cell), value in zip(tried.rule.cells, tried.cells, strict=True)
    ]  # fmt: skip
    cells += [
        {"fact": " or ".join(f"evidence.{kind}" for kind in need), "needed": "true", "was": "", "result": told[value]}
        for need, value in zip(tried.rule.evidence, tried.needs, strict=True)
    ]
    return {
        "pack": tried.pack.id,
        "rule": tried.rule.id,
        "effect": tried.rule.effect,
        "line": line,
        "result": told[tried.result],
        "cells": cells,
    }
