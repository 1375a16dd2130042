"""Customers read times in their own zone; where it is not known the shop's is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from makegood.cases.tracking import tracking_token
from tests.portal.visiting import Visitor, page
from tests.shop import ask, sell

pytestmark = pytest.mark.usefixtures("merchant")

EVENING = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "shown", "named"),
    [
        ("", "8:30", "China Time"),
        ("Europe/Berlin", "1:30", "Central European Time"),
        ("America/New_York", "7:30", "Eastern Time"),
        ("../../etc/passwd", "8:30", "China Time"),
        ("Mars/Olympus", "8:30", "China Time"),
    ],
)
def test_times_are_those_of_the_reader(told: str, shown: str, named: str) -> None:
    order = sell(at=EVENING)
    case = ask(order, "return", "changed_mind", at=EVENING)
    visitor = Visitor()
    visitor.prove(order)
    if told:
        visitor.client.cookies["makegood-zone"] = told

    for address in (f"{visitor.base}/cases/{case.ref}", f"/track/{tracking_token(case.ref)}"):
        text = page(visitor.client.get(address))
        assert f"Nov 20, 2026, {shown}" in text.replace("\u202f", " ")
        assert f"Times are those of {named}." in text


def test_a_chinese_reader_is_told_in_chinese() -> None:
    order = sell(at=EVENING)
    case = ask(order, "return", "changed_mind", at=EVENING)
    visitor = Visitor("zh")
    visitor.prove(order)

    assert "以上时间均为中国时间。" in page(visitor.get(f"/cases/{case.ref}"))
