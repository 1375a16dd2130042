"""What a text can claim, what a decision holds, and what is found where the two differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Topic(StrEnum):
    """What is claimed. Those of remedies bear the remedies' own names."""

    AMOUNT = "amount"
    DATE = "date"
    CLOCK = "clock"
    DURATION = "duration"
    PERCENT = "percent"
    REFUND = "refund"
    REPLACEMENT = "replacement"
    REPAIR = "repair"
    COUPON = "coupon"
    POINTS = "points"
    STORE_CREDIT = "store_credit"
    FREIGHT = "freight"
    COMPENSATION = "compensation"
    GIFT = "gift"
    FREE = "free"
    GUARANTEE = "guarantee"
    APPROVAL = "approval"
    ADMISSION = "admission"
    NOTES = "notes"


# Which remedies of a decision make a promise of this topic true.
KEPT_BY: dict[Topic, frozenset[str]] = {
    Topic.REFUND: frozenset({"refund", "shipping_refund"}),
    Topic.REPLACEMENT: frozenset({"replacement"}),
    Topic.REPAIR: frozenset({"repair"}),
    Topic.COUPON: frozenset({"coupon"}),
    Topic.POINTS: frozenset({"points"}),
    Topic.STORE_CREDIT: frozenset({"store_credit"}),
    Topic.FREIGHT: frozenset({"shipping_refund", "return_freight"}),
    Topic.COMPENSATION: frozenset({"damages", "goodwill", "coupon", "points", "store_credit"}),
    Topic.GIFT: frozenset({"goodwill"}),
    Topic.FREE: frozenset({"replacement", "repair", "return_freight", "shipping_refund", "goodwill"}),
    Topic.GUARANTEE: frozenset(),
}
# What is given in money: an amount said beside one of these has to be one of its remedies' amounts.
IN_MONEY = frozenset({Topic.REFUND, Topic.COUPON, Topic.POINTS, Topic.STORE_CREDIT, Topic.FREIGHT, Topic.COMPENSATION})


@dataclass(frozen=True, slots=True)
class Sum:
    """Minor units of one of these currencies (``¥`` may be two); none named: of any. Points are ``POINT``."""

    minor_by_currency: tuple[tuple[str, int], ...]

    def is_one_of(self, sums: frozenset[tuple[str, int]]) -> bool:
        return any(one in sums for one in self.minor_by_currency)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim in a text: where it stands, its words as written, and its value where it has one."""

    topic: Topic
    start: int
    end: int
    words: str
    sums: Sum | None = None
    days: frozenset[date] = frozenset()
    value: str = ""


@dataclass(frozen=True, slots=True)
class HeldRemedy:
    """What an approved decision gives; ``due`` is the day by which, as the customer's calendar counts."""

    kind: str
    currency: str
    minor: int
    due: date | None = None


@dataclass(frozen=True)
class Held:
    """What may be said: the approved decision, the facts, and texts that were approved with the decision.

    ``paid`` are sums the customer knows already; ``days`` are days of the facts and of deadlines that are open;
    ``pay_days`` and ``appeal_days`` those of them that a sentence about money or about an appeal may name.
    """

    at: datetime
    remedies: tuple[HeldRemedy, ...] = ()
    is_approved: bool = False
    full_refund: bool = False
    paid: frozenset[tuple[str, int]] = frozenset()
    asked: frozenset[tuple[str, int]] = frozenset()
    days: frozenset[date] = frozenset()
    pay_days: frozenset[date] = frozenset()
    appeal_days: frozenset[date] = frozenset()
    clocks: frozenset[str] = frozenset()
    durations: frozenset[str] = frozenset()
    percents: frozenset[str] = frozenset()
    fault: str = ""  # seller|carrier|customer|none as established; empty where it is not
    texts: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()  # references and order numbers, which are no amounts
    notes: tuple[str, ...] = field(default=(), repr=False)
    known_words: tuple[str, ...] = ()  # what the customer may read already: a note that repeats it gives nothing away


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim that is not held; ``holds`` is what is, as plain words and figures."""

    topic: Topic
    start: int
    end: int
    words: str
    holds: tuple[str, ...] = ()

    @property
    def may_be_overruled(self) -> bool:
        return self.topic != Topic.NOTES
