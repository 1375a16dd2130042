"""Every way to give: store credit, coupon, points, by hand; and what the order gave beside the goods."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.accounts import commands as accounts
from makegood.accounts.actors import Actor, NotAllowed
from makegood.cases import commands as cases
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.following import follow_parcel
from makegood.cases.models import Case
from makegood.kit import db
from makegood.ledger import queries as ledger
from makegood.ledger.commands import Move, post
from makegood.ledger.states import POINT
from makegood.orders.commands import record_parcel_event
from makegood.orders.queries import OrderView, order_by_number, order_view
from makegood.settlement import commands as settlement
from makegood.settlement import queries
from makegood.settlement.commands.persons import OwnPayout, PayoutNotWaiting, ReferenceMalformed
from makegood.settlement.rules import share_of_points
from tests.settlement.paying import all_is_sound, approved, fresh, money, paid_out, payouts, states
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")
SECOND = Actor.staff(9, "Li", "manager")


def held(book: str, subject: int) -> dict[str, int]:
    return {k: v for k, v in ledger.balances(book, [subject])[subject].items() if v}


@db.query
def coupons() -> list[dict[str, Any]]:
    return db.fetch("select * from settlement_coupon order by id")


def with_terms(order: OrderView, terms: dict[str, object]) -> OrderView:
    """The order as its source told it, with what it gave beside the goods."""
    with db.atomically():
        db.execute("update orders_order set attributes = %s where id = %s", [json.dumps(terms), order.id])
    return order_view(order.id)


def given_by_hand(order: OrderView, *remedies: HandRemedy, details: dict[str, str] | None = None) -> Case:
    """A complaint answered with what a person chose, approved by another."""
    case = ask(order, "complaint", "rude", details=details or {})
    cases.decide_by_hand(ref=case.ref, verdict="grant", remedies=remedies, why="sorry", actor=REVIEWER, at=NOON)
    return cases.approve_case(ref=case.ref, actor=MANAGER, at=NOON)


def budgets() -> None:
    cases.open_budget(name="care", purpose="goodwill", asset="CNY", amount="1000.00", actor=MANAGER, at=NOON)
    cases.open_budget(name="owed", purpose="obligation", asset="CNY", amount="1000.00", actor=MANAGER, at=NOON)
    cases.open_budget(name="stars", purpose="goodwill", asset=POINT, amount="5000", actor=MANAGER, at=NOON)


def test_a_coupon_points_and_goodwill_as_store_credit_are_given_at_once_from_their_budgets() -> None:
    budgets()
    order = sell()
    case = given_by_hand(
        order,
        HandRemedy("coupon", "20.00"),
        HandRemedy("points", "300"),
        HandRemedy("goodwill", "15.00"),
        details={"pay_by": "store_credit"},
    )

    paid_out(case)
    paid_out(case)

    assert states(case) == ["confirmed"] * 3
    [coupon] = coupons()
    assert (coupon["payout_id"], held("coupon", coupon["id"])) == (
        payouts(case)[0]["id"],
        {"~issued": -2_000, "live": 2_000},
    )
    assert held("points", order.customer.id) == {"~issued": -300, "balance": 300}
    assert fresh(case).money_state == "paid"
    assert all_is_sound()


def test_damages_go_to_a_person_who_confirms_them_once_with_the_transfers_reference() -> None:
    budgets()
    case = given_by_hand(sell(), HandRemedy("damages", "88.00"))
    [payout] = paid_out(case)
    assert (payout["gateway"], payout["state"], fresh(case).money_state) == ("manual", "accepted", "promised")
    assert [view.ref for view in queries.payouts_for_person()] == [payout["ref"]]

    with pytest.raises(NotAllowed):
        settlement.confirm_payout(ref=payout["ref"], reference="T-1", actor=AGENT, at=NOON)
    with pytest.raises(ReferenceMalformed):
        settlement.confirm_payout(ref=payout["ref"], reference=" ", actor=MANAGER, at=NOON)
    settlement.confirm_payout(ref=payout["ref"], reference="T-1", actor=MANAGER, at=NOON)
    settlement.confirm_payout(ref=payout["ref"], reference="T-1", actor=SECOND, at=NOON)
    with pytest.raises(PayoutNotWaiting):
        settlement.confirm_payout(ref=payout["ref"], reference="T-2", actor=SECOND, at=NOON)

    assert (states(case), fresh(case).money_state) == (["confirmed"], "paid")
    assert [step["kind"] for step in queries.history_of_payout(payout["ref"])] == ["intended", "accepted", "confirmed"]
    assert all_is_sound()


def test_row_16_above_the_two_person_limit_who_approved_cannot_confirm_the_payment_too() -> None:
    accounts.change_settings(settings={"two_people_above": {"CNY": 5_000}}, actor=OWNER, at=NOON)
    order = sell(position="not_shipped")
    case = ask(order, "cancellation", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)
    cases.approve_case(ref=case.ref, actor=MANAGER, at=NOON)
    [payout] = paid_out(case)

    with pytest.raises(OwnPayout):
        settlement.confirm_payout(ref=payout["ref"], reference="T-1", actor=MANAGER, at=NOON)
    settlement.confirm_payout(ref=payout["ref"], reference="T-1", actor=SECOND, at=NOON)

    assert money(order) == [{"refunded": 10_000}]


def test_a_replacement_is_confirmed_with_its_tracking_number() -> None:
    case = given_by_hand(sell(), HandRemedy("replacement", line="1", quantity=1))
    [payout] = paid_out(case)
    assert (payout["gateway"], payout["amount_minor"], payout["state"]) == ("manual", 0, "accepted")

    settlement.confirm_payout(ref=payout["ref"], reference="SF123456", actor=MANAGER, at=NOON)

    assert (states(case), fresh(case).money_state) == (["confirmed"], "paid")
    assert all_is_sound()


def claimed(order: OrderView, line: str, remedy: HandRemedy) -> Case:
    """A claim about one unit, answered by hand."""
    case = ask(order, "claim", "defective", (line, 1))
    cases.decide_by_hand(ref=case.ref, verdict="grant", remedies=[remedy], why="sorry", actor=REVIEWER, at=NOON)
    return cases.approve_case(ref=case.ref, actor=MANAGER, at=NOON)


def test_a_replacement_that_breaks_in_its_turn_is_claimed_and_refunded() -> None:
    order = sell(Bought(2, 20_000))
    case = claimed(order, "1", HandRemedy("replacement", line="1", quantity=1))
    [payout] = paid_out(case)
    settlement.confirm_payout(ref=payout["ref"], reference="SF123456", actor=MANAGER, at=NOON)

    seen = order_by_number(order.number)
    old, new = seen.lines
    assert (new.number, new.sku, new.quantity, new.paid_minor) == ("1+1", old.sku, 1, 10_000)
    assert [(parcel.reference, dict(parcel.contents)) for parcel in seen.parcels][-1] == ("SF123456", {new.id: 1})
    assert held("goods", new.id) == {"~sold": -1, "in_transit": 1}
    assert held("claims", new.id) == {"~sold": -1, "open": 1}
    assert held("value", old.id) == {"~paid": -20_000, "left": 10_000, "given": 10_000}
    assert held("value", new.id) == {"~paid": -10_000, "left": 10_000}

    [parcel_id] = [parcel.id for parcel in seen.parcels if parcel.reference == "SF123456"]
    record_parcel_event(
        parcel_reference="SF123456", kind="delivered", happened_at=NOON, source_key="SF123456/1", at=NOON
    )
    follow_parcel(parcel_id=parcel_id, at=NOON)
    assert held("goods", new.id) == {"~sold": -1, "delivered": 1}

    again = claimed(order, "1+1", HandRemedy("refund", amount="100.00", line="1+1", quantity=1))
    [payout] = paid_out(again)
    settlement.confirm_payout(ref=payout["ref"], reference="T-9", actor=MANAGER, at=NOON)

    assert money(order) == [{"available": 10_000, "refunded": 10_000}]
    assert held("claims", old.id) == {"~sold": -2, "open": 1, "made_good": 1}
    assert held("claims", new.id) == {"~sold": -1, "made_good": 1}
    assert all_is_sound()


def test_a_refund_that_is_renounced_frees_its_promise() -> None:
    order = sell(position="not_shipped")
    case = approved(order)
    [payout] = paid_out(case)

    settlement.give_up_payout(ref=payout["ref"], because="renounced", actor=MANAGER, at=NOON)

    assert (states(case), money(order)) == (["void"], [{"available": 10_000}])
    assert held("value", order.lines[0].id) == {"~paid": -10_000, "left": 10_000}
    assert all_is_sound()


def test_a_refund_by_hand_can_be_turned_into_store_credit() -> None:
    order = sell(position="not_shipped")
    case = approved(order)
    [payout] = paid_out(case)

    settlement.pay_otherwise(ref=payout["ref"], gateway="store_credit", actor=MANAGER, at=NOON)

    assert states(case) == ["void", "confirmed"]
    assert (money(order), fresh(case).money_state) == ([{"refunded": 10_000}], "paid")
    assert all_is_sound()


def test_points_earned_go_back_in_proportion_and_what_was_spent_is_owed() -> None:
    order = with_terms(sell(Bought(3, 10_000), position="not_shipped"), {"points_earned": 100})
    paid_out(approved(order, ("1", 1)))
    assert held("points", order.customer.id)["balance"] == 67

    paid_out(approved(order, ("1", 2)))

    assert held("points", order.customer.id) == {}
    assert all_is_sound()


def test_row_20_points_spent_already_are_owed_and_paid_off_by_the_next_grant() -> None:
    budgets()
    order = with_terms(sell(position="not_shipped"), {"points_earned": 100})
    case = approved(order)
    spend(order.customer.id, 70)
    paid_out(case)
    paid_out(case)
    assert held("points", order.customer.id) == {"~issued": 70, "~owed": -70}

    later_order = sell(customer=order.customer.reference)
    assert later_order.customer.id == order.customer.id
    paid_out(given_by_hand(later_order, HandRemedy("points", "90")))

    assert held("points", order.customer.id) == {"~issued": -20, "balance": 20}
    assert all_is_sound()


def test_a_coupon_spent_comes_back_when_everything_is_refunded_and_only_then() -> None:
    coupon = {"code": "WELCOME", "minor": 500, "restorable": True}
    order = with_terms(sell(Bought(2, 10_000), position="not_shipped"), {"coupon": coupon})
    paid_out(approved(order, ("1", 1)))
    assert coupons() == []

    paid_out(approved(order, ("1", 1)))

    [back] = coupons()
    assert (back["customer_id"], held("coupon", back["id"])["live"]) == (order.customer.id, 500)
    assert back["code"].startswith("WELCOME-")


def test_giving_up_a_refund_gives_the_points_back_that_had_gone_with_it() -> None:
    order = with_terms(sell(position="not_shipped"), {"points_earned": 100})
    [payout] = paid_out(approved(order))
    assert held("points", order.customer.id) == {}

    settlement.give_up_payout(ref=payout["ref"], because="renounced", actor=MANAGER, at=NOON)

    assert held("points", order.customer.id)["balance"] == 100


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), min_size=1, max_size=8))
def test_shares_of_points_grow_with_the_refund_and_end_with_all_of_them(points: int, refunds: list[int]) -> None:
    paid = sum(refunds)
    so_far = [share_of_points(points, sum(refunds[:n]), paid) for n in range(1, len(refunds) + 1)]

    assert so_far == sorted(so_far)
    assert so_far[-1] == points


def spend(customer_id: int, points: int) -> None:
    """The customer buys with points elsewhere."""
    move = Move("points", customer_id, "balance", "~issued", POINT, points)
    with db.atomically():
        post(kind="points_spent", request_key=f"spent:{customer_id}", moves=[move], at=NOON)


def paid_with(order: OrderView, gateway: str, method_reference: str = "") -> OrderView:
    """The order as if its payment had been made inside."""
    with db.atomically():
        db.execute(
            "update orders_payment set gateway = %s, method_reference = %s where order_id = %s",
            [gateway, method_reference, order.id],
        )
    return order_view(order.id)


def test_what_was_paid_in_points_returns_as_points_to_the_last_one() -> None:
    order = with_terms(sell(Bought(3, 10_000), position="not_shipped"), {"points_spent": 1_000})
    order = paid_with(order, "points")
    paid_out(approved(order, ("1", 1)))
    paid_out(approved(order, ("1", 1)))
    paid_out(approved(order, ("1", 1)))

    assert held("points", order.customer.id) == {"~issued": -1_000, "balance": 1_000}
    assert money(order) == [{"refunded": 10_000}]
    assert all_is_sound()


def test_points_without_a_rate_go_to_a_person_and_nothing_is_guessed() -> None:
    order = paid_with(sell(position="not_shipped"), "points")
    case = approved(order)
    [payout] = paid_out(case)

    assert (payout["state"], payout["trouble"], fresh(case).money_state) == ("person", "rate_missing", "troubled")
    settlement.pay_otherwise(ref=payout["ref"], gateway="store_credit", actor=MANAGER, at=NOON)
    assert (states(case), fresh(case).money_state) == (["void", "confirmed"], "paid")
    assert all_is_sound()


def test_what_was_paid_with_a_gift_card_returns_to_that_card() -> None:
    order = sell(position="not_shipped")
    with db.atomically():
        [card] = db.insert(
            "customers_savedmethod",
            [
                {
                    "customer_id": order.customer.id,
                    "reference": "gift-7",
                    "kind": "gift_card",
                    "label": "",
                    "source": "{}",
                    "opening_minor": 0,
                    "currency": "CNY",
                }
            ],
        )
    case = approved(paid_with(order, "store_credit", "gift-7"))
    paid_out(case)

    assert held("credit", card) == {"~issued": -10_000, "balance": 10_000}
    assert (states(case), money(order)) == (["confirmed"], [{"refunded": 10_000}])
    assert all_is_sound()
