"""A reply composed from a case: what was said, what was looked at, what was decided and why, who acts next and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.cases import holding, words
from makegood.cases.queries import CaseView, DeadlineView, DecisionView
from makegood.cases.saying.checking import check
from makegood.cases.saying.shapes import Held
from makegood.cases.states import Party, RemedyState, Wait
from makegood.cases.telling import NOW, SILENCE
from makegood.cases.words import RemedySaid
from makegood.conversations.suggesting.phrases import THANKED, TIPS, needed_said
from makegood.conversations.suggesting.slots import Sentence, Slot, due_day, joined, plain_name, say
from makegood.conversations.triage.reading import read
from makegood.kit import db
from makegood.kit.money import Money
from makegood.kit.pages.language import is_chinese
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView

MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``left_out`` are sentences that the check of replies would refuse: they are not proposed."""

    language: str
    sentences: tuple[Sentence, ...]
    left_out: tuple[Sentence, ...] = ()

    @property
    def body(self) -> str:
        return joined(self.sentences)


@db.query
def suggest(case: CaseView, *, at: datetime, others: Sequence[str] = ()) -> Suggestion:
    """The reply that is proposed to the customer of a case now; ``others`` are references of their open cases.

    Nothing in it says more than the approved decision, the facts and the deadlines hold: each sentence, and the whole,
    has passed the check that every reply passes.
    """
    held = holding.held_by(case, at=at)
    language = _language(case)
    with translation.override(language):
        drafted = tuple(_sentences(case, ZoneInfo(accounts.merchant().time_zone), others))
        kept = tuple(one for one in drafted if not check(one.text, held))
        kept = _passing(kept, held)
    return Suggestion(language, kept, tuple(one for one in drafted if one not in kept))


def _passing(sentences: tuple[Sentence, ...], held: Held) -> tuple[Sentence, ...]:
    """Without those that are refused only beside the others."""
    while found := check(joined(sentences), held):
        refused = [one for one in sentences if any(finding.words in one.text for finding in found)]
        sentences = tuple(one for one in sentences if one not in refused) if refused else ()
    return sentences


def _language(case: CaseView) -> str:
    """That of what the customer wrote last, else that of the case."""
    wrote = _last_words(case)
    said = read(wrote).language if wrote else ""
    if said not in {"zh-hans", "en"}:
        said = case.language
    return "zh-hans" if said.lower().startswith("zh") else "en"


def _last_words(case: CaseView) -> str:
    said = [one.body for one in case.texts if not one.internal and one.author.startswith("customer:")]
    return said[-1] if said else ""


def _sentences(case: CaseView, zone: ZoneInfo, others: Sequence[str]) -> Iterator[Sentence]:
    order = orders.order_view(case.order_id) if case.order_id else None
    decision = holding.decision_told(case)
    yield _greeting(case)
    yield from _acknowledged(case, zone)
    yield from _looked_at(case, order, zone)
    if decision is not None:
        yield from _decided(decision, zone)
    yield from _asked_for(case)
    waits = sorted(case.open_deadlines, key=lambda one: (one.due_at is None, one.due_at or one.starts_at))
    for at, wait in enumerate(waits[:MOST_LINES]):
        yield from _wait(wait, f"deadlines[{at}]", zone)
    yield from _options(case, others)
    for wait in waits[:1]:
        yield from say("tip", str(TIPS.get(wait.wait, "")))
    yield _close()


def _greeting(case: CaseView) -> Sentence:
    name = Slot("name", plain_name(case.customer_name), "customer.name")
    [said] = say("greeting", _("Hello %(name)s,"), name) or say("greeting", _("Hello,"))
    return said


def _close() -> Sentence:
    merchant = accounts.merchant()
    [said] = say(
        "close",
        _("Kind regards, %(merchant)s"),
        Slot("merchant", merchant.name_zh if is_chinese() else merchant.name_en, "merchant.name"),
    )
    return said


def _acknowledged(case: CaseView, zone: ZoneInfo) -> Iterator[Sentence]:
    wrote = [one for one in case.texts if not one.internal and one.author.startswith("customer:")]
    ref = Slot("ref", case.ref, "case.ref")
    if wrote:
        written = Slot("day", wrote[-1].written_at.astimezone(zone).date(), "texts[-1].written_at")
        yield from say(
            "acknowledgement", _("Thank you for your message of %(day)s about your request %(ref)s."), written, ref
        )
        reading = read(wrote[-1].body)
        if reading.is_sure and reading.intent in THANKED:
            yield from say("acknowledgement", str(THANKED[reading.intent]))
    else:
        opened = Slot("day", case.opened_at.astimezone(zone).date(), "case.opened_at")
        yield from say("acknowledgement", _("We write about your request %(ref)s of %(day)s."), ref, opened)
    for at, line in enumerate(case.lines[:MOST_LINES]):
        yield from say(
            "acknowledgement",
            _("It is about: %(quantity)s × %(title)s."),
            Slot("quantity", line.quantity, f"lines[{at}].quantity"),
            Slot("title", line.title, f"lines[{at}].title"),
        )


def _looked_at(case: CaseView, order: OrderView | None, zone: ZoneInfo) -> Iterator[Sentence]:
    if order is not None:
        number = Slot("number", order.number, "order.number")
        yield from say(
            "facts", _("We looked at order %(number)s of %(day)s."), number, _day(order.ordered_at, "ordered_at", zone)
        )
        if order.delivered_at is not None:
            yield from say("facts", _("It was delivered on %(day)s."), _day(order.delivered_at, "delivered_at", zone))
        elif order.shipped_at is not None:
            yield from say("facts", _("It was sent on %(day)s."), _day(order.shipped_at, "shipped_at", zone))
    brought = sum(1 for one in case.evidence if one.party == "customer")
    if brought:
        yield from say("facts", _("Files we have from you: %(count)s."), Slot("count", brought, "evidence"))


def _day(moment: datetime | None, name: str, zone: ZoneInfo) -> Slot | None:
    return Slot("day", moment.astimezone(zone).date(), f"order.{name}") if moment else None


def _decided(decision: DecisionView, zone: ZoneInfo) -> Iterator[Sentence]:
    said = words.explain(decision)
    verdicts = {
        "grant": _("Your request has been approved."),
        "partly": _("Part of your request has been approved."),
        "deny": _("We looked at your request closely and cannot approve it."),
    }
    yield from say("decision", verdicts.get(decision.verdict, ""))
    for at, remedy in enumerate(said.remedies):
        if remedy.state != RemedyState.VOID:
            yield from _given(remedy, f"decision.remedies[{at}]", zone)
    for at, text in enumerate(dict.fromkeys(str(one["text"]) for one in said.refused if one.get("text"))):
        yield from say("decision", "- %(text)s", Slot("text", text, f"decision.refused[{at}].text"))
    changing = dict.fromkeys(str(text) for one in said.refused for text in one.get("would_change", ()))
    for text in list(changing)[:MOST_LINES]:
        yield from say(
            "decision", _("What would change it: %(text)s"), Slot("text", text, "decision.refused.would_change")
        )
    if decision.by_hand and decision.why:
        yield from say("decision", "%(text)s", Slot("text", decision.why, "decision.why"))


def _given(remedy: RemedySaid, where: str, zone: ZoneInfo) -> Iterator[Sentence]:
    kind = Slot("kind", words.in_table(words.REMEDIES, remedy.kind), f"{where}.kind")
    if remedy.amount_minor and remedy.currency != "POINT" and remedy.borne_by != "customer":
        amount = Slot("amount", Money(remedy.amount_minor, remedy.currency), f"{where}.amount")
        yield from say("decision", "- %(kind)s：%(amount)s" if is_chinese() else "- %(kind)s: %(amount)s", kind, amount)
    elif not remedy.text:
        yield from say("decision", "- %(kind)s", kind)
    if remedy.text:
        yield from say("decision", "- %(text)s", Slot("text", remedy.text, f"{where}.text"))
    if remedy.due_by and remedy.state in {RemedyState.PROMISED, RemedyState.RELEASED}:
        due = Slot("day", due_day(remedy.due_by.astimezone(zone)), f"{where}.due_by")
        yield from say("decision", _("%(kind)s: we do this by %(day)s at the latest."), kind, due)


def _asked_for(case: CaseView) -> Iterator[Sentence]:
    """What the customer is asked to bring, of the question asked last, while it waits for the answer."""
    if not any(one.wait == Wait.CUSTOMER_EVIDENCE for one in case.open_deadlines):
        return
    asked = next((one for one in reversed(case.events) if one.kind == "evidence_asked"), None)
    for at, need in enumerate(asked.data.get("needed", []) if asked else []):
        yield from say("next", _("We need from you: %(what)s."), Slot("what", needed_said(need), f"needed[{at}]"))


def _wait(deadline: DeadlineView, where: str, zone: ZoneInfo) -> Iterator[Sentence]:
    if deadline.wait in NOW:
        yield from say("next", str(NOW[deadline.wait]))
    if deadline.due_at is not None:
        day = Slot("day", due_day(deadline.due_at.astimezone(zone)), f"{where}.due_at")
        if deadline.wait == Wait.APPEAL_WINDOW:
            turn = _("You can appeal until %(day)s.")
        elif deadline.party == Party.CUSTOMER:
            turn = _("It is your turn, until %(day)s.")
        elif deadline.party == Party.CARRIER:
            turn = _("It is the carrier's turn, until %(day)s.")
        else:
            turn = _("It is our turn, until %(day)s.")
        yield from say("next", turn, day)
    if deadline.silence in SILENCE:
        yield from say("next", str(SILENCE[deadline.silence]))


def _options(case: CaseView, others: Sequence[str]) -> Iterator[Sentence]:
    if case.closed_at is None:
        yield from say(
            "options",
            _("You can add files or a message to %(ref)s at any time, or withdraw it while nothing is decided.")
            if holding.decision_told(case) is None
            else _("You can add files or a message to %(ref)s at any time."),
            Slot("ref", case.ref, "case.ref"),
        )
    for ref in others[:1]:
        yield from say(
            "options",
            _("We also still work on your request %(ref)s; you may write about both in one message."),
            Slot("ref", ref, "customer.cases"),
        )
