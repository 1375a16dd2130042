"""What could be asked of each line of an order now, what it would give, and until when: before anything is filed.

The same facts and the same policy as after filing, for cases that nobody files.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import books, facts
from makegood.cases.askable import AskableLine, askable_lines
from makegood.cases.commands import deciding, filing, verifying
from makegood.cases.commands.asking import Asked
from makegood.cases.facts import Ground
from makegood.cases.models import Case
from makegood.cases.states import Kind
from makegood.kit import db, files
from makegood.orders import commands as orders
from makegood.orders.queries import OrderView
from makegood.policy import queries as policies
from makegood.policy.facts import Facts
from makegood.policy.outcome import Outcome
from makegood.policy.quote import outcome_of
from makegood.policy.reasons import find_reason
from makegood.policy.registry import Registry

LINES_AT_MOST = 30
HORIZON_DAYS = 400  # an answer that is the same so far ahead has no end worth telling


@dataclass(frozen=True, slots=True)
class Wish:
    """A kind and reason that people often come with, and where goods must be for it."""

    kind: str
    reason: str
    places: frozenset[str]


WISHES: tuple[Wish, ...] = (
    Wish(Kind.CANCELLATION, "changed_mind", frozenset({"not_shipped", "in_transit"})),
    Wish(Kind.REFUSAL, "changed_mind", frozenset({"in_transit", "at_door"})),
    Wish(Kind.CLAIM, "not_received", frozenset({"in_transit", "lost"})),
    Wish(Kind.RETURN, "changed_mind", frozenset({"with_customer"})),
    Wish(Kind.RETURN, "defective", frozenset({"with_customer"})),
    Wish(Kind.EXCHANGE, "defective", frozenset({"with_customer"})),
)


@dataclass(frozen=True, slots=True)
class Option:
    """The answer to one wish for all units of a line that are there. ``document`` is the quote document.

    ``until`` is the last moment known at which the answer is as good; None where it does not end within the horizon
    or there is nothing to lose. ``assumes`` are needs of evidence taken for met.
    """

    kind: str
    reason: str
    units: int
    verdict: str
    document: Mapping[str, Any]
    until: datetime | None
    assumes: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class LineOptions:
    """A line with everything that could be asked of it now."""

    askable: AskableLine
    options: tuple[Option, ...]


def eligibility(order: OrderView, *, at: datetime, language: str) -> tuple[LineOptions, ...]:
    """Per line, every common wish with its answer; nothing is left behind.

    Raises nothing that filing would not: what cannot be decided says so in its verdict.
    """
    lines = askable_lines(order)
    with db.rehearsal():
        if not books.are_open(order.id):
            orders.lock_order_by_number(order.number)
            books.open_books(order, at=at)
        ground = facts.ground_of(order)
        asking = _Asking(
            order, ground, policies.registry_of_merchant(), tuple(accounts.settings_of_merchant().packs), at, language
        )
        return tuple(
            LineOptions(line, tuple(asking.options(line)) if number < LINES_AT_MOST else ())
            for number, line in enumerate(lines)
        )


@dataclass(frozen=True, slots=True)
class _Asking:
    order: OrderView
    ground: Ground
    registry: Registry
    packs: tuple[str, ...]
    at: datetime
    language: str

    def options(self, line: AskableLine) -> Iterator[Option]:
        for wish in WISHES:
            units = min(line.left, sum(count for place, count in line.places.items() if place in wish.places))
            if not units:
                continue
            needs = find_reason(wish.kind, wish.reason).evidence
            imagined = self._outcome(wish, line, units, self.at)
            until = self._until(wish, line, units, imagined)
            outcome = self._rehearsed(wish, line, units) if "terms" in self.order.attributes else imagined
            yield Option(
                wish.kind, wish.reason, units, outcome.verdict, outcome.as_json(self.language), until, needs
            )  # fmt: skip

    def _rehearsed(self, wish: Wish, line: AskableLine, units: int) -> Outcome:
        """By filing for real: what part of an order sold on terms gives back is worked out from the case's rows."""
        owner = Actor.customer(self.order.customer.id)
        with db.rehearsal():
            case = filing.file_case(
                kind=wish.kind, reason=wish.reason, request_key=uuid.uuid4().hex, order_number=self.order.number,
                asked=[Asked(line.line.number, units)], channel="portal", language=self.language, actor=owner,
                at=self.at,
            )  # fmt: skip
            for number, need in enumerate(find_reason(wish.kind, wish.reason).evidence):
                brought = files.Stored(f"{number:064d}", "image/jpeg", 1, "imagined.jpg")
                verifying.add_evidence(ref=case.ref, kind=need[0], file=brought, actor=owner, at=self.at)
            _stated, outcome = deciding.consider(Case.objects.get(id=case.id), self.order)
        return outcome

    def _outcome(self, wish: Wish, line: AskableLine, units: int, at: datetime) -> Outcome:
        case = Case(
            order_id=self.order.id, kind=wish.kind, reason=wish.reason, claimant="customer", details={}, opened_at=at
        )
        kinds = [need[0] for need in find_reason(wish.kind, wish.reason).evidence]
        document = facts.imagine_facts(case, self.order, self.ground, units=[(line.line, units)], evidence=kinds)
        return outcome_of(Facts.from_json(document), merchant=self.packs, registry=self.registry)

    def _until(self, wish: Wish, line: AskableLine, units: int, now: Outcome) -> datetime | None:
        """The last of the days ahead on which the answer is as good as now, found by halving."""
        if now.verdict not in {"grant", "partly"} or not now.remedies:
            return None

        def as_good(days: int) -> bool:
            then = self._outcome(wish, line, units, self.at + timedelta(days=days))
            return then.verdict in {"grant", "partly"} and then.total.minor >= now.total.minor

        if as_good(HORIZON_DAYS):
            return None
        good, gone = 0, HORIZON_DAYS
        while gone - good > 1:
            middle = (good + gone) // 2
            good, gone = (middle, gone) if as_good(middle) else (good, middle)
        return self.at + timedelta(days=good)
