"""What the palette finds, and the case that comes next."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.desk.working import Member
from tests.shop import Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def test_the_palette_finds_a_case_by_its_reference_and_by_the_number_of_its_order() -> None:
    at = timezone.now()
    order = sell(Bought(2, 20_000), at=at)
    case = ask(order, "return", "changed_mind", at=at)
    member = Member()

    assert [one["title"] for one in member.get(f"/palette?q={case.ref.lower()}").json()["found"]] == [case.ref]
    found = member.get(f"/palette?q={order.number}").json()["found"]
    assert [one["title"] for one in found] == [case.ref, f"Order {order.number}"]
    assert member.get("/palette?q=nothing").json() == {"found": []}
    assert member.get("/palette?q=").json() == {"found": []}


def test_the_next_case_is_the_next_due_and_after_the_last_the_first() -> None:
    at = timezone.now()
    first, second = (ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at) for _ in range(2))
    member = Member()

    assert member.get(f"/cases/{first.ref}/next").headers["Location"].endswith(second.ref)
    assert member.get(f"/cases/{second.ref}/next").headers["Location"].endswith(first.ref)
    sent = member.do(first.ref, "message", to="customer", body="One moment.", then="next")
    assert sent.headers["Location"].endswith(second.ref)
    kept = member.do(first.ref, "message", to="customer", body="One moment.", then="next", next_case="C-NOWHERE")
    assert kept.headers["Location"].endswith(second.ref)


def test_alone_in_the_queue_one_goes_back_to_it() -> None:
    at = timezone.now()
    case = ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at)
    member = Member()

    assert member.get(f"/cases/{case.ref}/next").headers["Location"] == member.base + "/"
