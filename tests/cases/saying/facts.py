"""What the corpus is held against: ¥300 back by 1 December, a coupon of ¥20, an appeal until 24 December."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from makegood.cases.saying.shapes import Held, HeldRemedy

HERE = Path(__file__).parent
DUE = date(2026, 12, 1)
HELD = Held(
    at=datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")),
    remedies=(HeldRemedy("refund", "CNY", 30_000, DUE), HeldRemedy("coupon", "CNY", 2_000)),
    is_approved=True,
    full_refund=True,
    paid=frozenset({("CNY", 30_000), ("CNY", 1_200), ("CNY", 31_200)}),
    asked=frozenset({("CNY", 50_000)}),
    days=frozenset({date(2026, 11, 10), date(2026, 11, 20)}),
    pay_days=frozenset({DUE}),
    appeal_days=frozenset({date(2026, 12, 24)}),
    numbers=frozenset({"T000123", "C-7KMP3QXR"}),
)


def corpus(name: str) -> list[str]:
    """The sentences of a kind: ``good`` holds nothing that is not held, each of ``bad`` does."""
    return [line for line in (HERE / f"{name}.txt").read_text().splitlines() if line.strip()]
