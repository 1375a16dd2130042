"""What is offered before asking is what asking gives: the same verdict and cents, and nothing left behind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.cases import books, commands
from makegood.cases.commands import deciding
from makegood.cases.eligibility import eligibility
from makegood.cases.models import Case
from makegood.kit import db
from makegood.orders.queries import OrderView
from tests.shop import AGENT, NOON, Bought, ask, bring_photo, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def offers(order: OrderView) -> dict[tuple[str, str, str], tuple[int, str, str]]:
    """By line, kind and reason: units, verdict and total."""
    return {
        (line.askable.line.number, one.kind, one.reason): (one.units, one.verdict, one.document["total"]["amount"])
        for line in eligibility(order, at=NOON, language="en")
        for one in line.options
    }


def really(order: OrderView, line: str, kind: str, reason: str, units: int) -> tuple[str, str]:
    """What the policy says of the case once it is filed, with the picture its reason asks for."""
    with db.rehearsal():
        case = ask(order, kind, reason, (line, units))
        if reason not in {"changed_mind", "not_received"}:
            bring_photo(case)
        _facts, outcome = deciding.consider(Case.objects.get(id=case.id), order)
    return outcome.verdict, outcome.total.amount()


@pytest.mark.parametrize("position", ["not_shipped", "in_transit", "with_customer"])
def test_every_offer_is_what_filing_gives(position: str) -> None:
    order = sell(Bought(3, 10_000), Bought(1, 7_501), shipping=1_200, position=position)
    found = offers(order)

    assert {kind for _line, kind, _reason in found} == {
        "not_shipped": {"cancellation"},
        "in_transit": {"cancellation", "refusal", "claim"},
        "with_customer": {"return", "exchange"},
    }[position]
    for (line, kind, reason), (units, verdict, total) in found.items():
        assert (verdict, total) == really(order, line, kind, reason, units), (line, kind, reason)


def test_offers_follow_what_was_asked_and_settled_before() -> None:
    order = sell(Bought(4, 10_000), Bought(2, 3_001))
    settle(ask(order, "return", "changed_mind", ("1", 1)))
    ask(order, "return", "changed_mind", ("1", 1), ("2", 2))
    found = offers(order)

    assert {units for (line, *_), (units, *_) in found.items() if line == "1"} == {2}
    assert not [one for one in found if one[0] == "2"]
    for (line, kind, reason), (units, verdict, total) in found.items():
        assert (verdict, total) == really(order, line, kind, reason, units)


def test_an_order_sold_on_terms_is_offered_what_its_terms_leave() -> None:
    terms = {"shipping_waived_minor": 1_200, "shipping_threshold_minor": 15_000}
    order = sell(Bought(1, 13_500), Bought(1, 4_500), attributes={"terms": terms})
    for (line, kind, reason), (units, verdict, total) in offers(order).items():
        assert (verdict, total) == really(order, line, kind, reason, units)


def test_nothing_is_left_behind() -> None:
    order = sell()
    offers(order)
    with db.atomically():
        assert not books.are_open(order.id)
        assert Case.objects.count() == 0


def test_the_last_day_told_is_the_last_on_which_it_holds() -> None:
    order = sell()
    [line] = eligibility(order, at=NOON, language="en")
    [mind] = [one for one in line.options if (one.kind, one.reason) == ("return", "changed_mind")]

    assert mind.until is not None
    for days, holds in ((0, True), (1, False)):
        at = mind.until + timedelta(days=days)
        with db.rehearsal():
            case = ask(order, "return", "changed_mind", at=at)
            commands.decide_case(ref=case.ref, actor=AGENT, at=at)
            [(verdict,)] = [(row["verdict"],) for row in db.fetch("select verdict from cases_decision", [])]
        assert (verdict in {"grant", "partly"}) is holds
