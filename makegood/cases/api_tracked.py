"""What the tracking link tells, as a document."""

from __future__ import annotations

from datetime import datetime

from makegood.cases.api_shapes import some_of
from makegood.cases.tracking import Tracked
from makegood.kit.money import Money
from makegood.kit.wire import MoneyJson, Plain


class StepOut(Plain):
    kind: str
    happened_at: datetime


class TrackedOut(Plain):
    ref: str
    merchant: dict[str, str]
    kind: str
    status: str
    waiting_on: str
    due_at: datetime | None
    provisional: bool
    silence: str
    opened_at: datetime
    closed_at: datetime | None
    granted: MoneyJson | None
    paid: MoneyJson | None
    steps: list[StepOut]


def tracked_out(seen: Tracked) -> TrackedOut:
    def money(minor: int) -> MoneyJson | None:
        return MoneyJson.of(Money(minor, seen.currency)) if seen.currency else None

    return TrackedOut(
        **some_of(
            TrackedOut,
            seen,
            merchant={"zh-Hans": seen.merchant_zh, "en": seen.merchant_en},
            granted=money(seen.granted_minor),
            paid=money(seen.paid_minor),
            steps=[StepOut(**some_of(StepOut, step)) for step in seen.steps],
        )
    )
