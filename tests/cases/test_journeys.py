"""Each kind of case from filing to money promised, through the commands that every face uses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.cases import commands as cases
from makegood.cases import history
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.cases.commands.verifying import FindingUnknown
from makegood.cases.queries import Filters, case_view, cases_page
from makegood.connectors.records import CatalogRecord
from makegood.kit import db
from makegood.ledger import queries as ledger
from makegood.orders.queries import OrderView, order_by_number
from makegood.orders.staging import store_catalogue
from tests.shop import AGENT, MANAGER, NOON, REVIEWER, Bought, again, ask, bring_photo, carrier_says, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def balances(order: OrderView, book: str = "goods") -> list[dict[str, int]]:
    found = ledger.balances(book, [line.id for line in order.lines])
    return [{k: v for k, v in found[line.id].items() if v and not k.startswith("~")} for line in order.lines]


def all_is_sound() -> bool:
    return ledger.faults() == [] and history.breaks() == []


def test_part_of_a_line_is_cancelled_before_shipping_and_its_money_promised() -> None:
    order = sell(Bought(3, 30_000), Bought(1, 5_000), position="not_shipped")

    case = settle(ask(order, "cancellation", "changed_mind", ("1", 2)))

    assert (case.state, case.money_state) == ("approved", "promised")
    assert balances(order) == [{"cancelled": 2, "to_ship": 1}, {"to_ship": 1}]
    assert balances(order, "value")[0] == {"left": 10_000, "promised": 20_000}
    assert all_is_sound()


def test_a_preview_shows_every_posting_and_leaves_nothing() -> None:
    order = sell(Bought(2, 20_000), position="not_shipped")
    case = ask(order, "cancellation", "changed_mind", ("1", 1))
    before = ledger.statement_of_order(order.id)

    preview = cases.preview_case(ref=case.ref, actor=AGENT, at=NOON)

    assert (preview.verdict, preview.refused) == ("grant", "")
    assert {row.kind for row in preview.postings} >= {"cancelled", "refund_promised"}
    assert ledger.statement_of_order(order.id) == before
    assert again(case).state == "received"


def test_a_return_waits_for_the_goods_then_releases_the_money() -> None:
    order = sell(Bought(2, 20_000))

    case = settle(ask(order, "return", "changed_mind", ("1", 1)))
    assert (case.goods_state, case.money_state, case.waiting_on) == ("authorised", "held", "customer")

    case = cases.ship_back(ref=case.ref, tracking="R1", carrier="SF", actor=AGENT, at=NOON)
    case = cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)
    assert case.waiting_on == "merchant"
    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 1)], actor=AGENT, at=NOON)

    assert (case.goods_state, case.money_state) == ("accepted", "promised")
    assert balances(order) == [{"delivered": 1, "restocked": 1}]
    assert all_is_sound()


def test_units_that_inspection_rejects_go_back_and_their_money_is_freed() -> None:
    order = sell(Bought(3, 30_001))
    case = settle(ask(order, "return", "changed_mind", ("1", 3)))
    cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)

    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 2, 1)], actor=AGENT, at=NOON)

    assert balances(order) == [{"restocked": 2, "sending_back": 1}]
    assert balances(order, "claims") == [{"made_good": 2, "open": 1}]
    [value] = balances(order, "value")
    assert value["promised"] + value["left"] == 30_001
    assert value["promised"] in {20_000, 20_001}
    assert case_view(case.ref).may_appeal
    assert all_is_sound()


def test_cancelling_after_shipping_is_a_recall_that_the_carrier_answers() -> None:
    order = sell(Bought(1, 10_000), shipping=800, position="in_transit")

    case = ask(order, "cancellation", "changed_mind")
    assert (case.goods_state, balances(order)) == ("recalling", [{"recalling": 1}])
    settle(case)
    assert again(case).money_state == "held"
    carrier_says(order, "intercepted")
    assert (again(case).goods_state, balances(order)) == ("coming_back", [{"refused": 1}])
    carrier_says(order, "returned", at=NOON + timedelta(days=2))
    assert again(case).goods_state == "received"
    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 1)], actor=AGENT, at=NOON + timedelta(days=2))

    assert (case.money_state, balances(order, "value")) == ("promised", [{"promised": 10_000}])
    assert all_is_sound()


def test_a_missed_recall_frees_the_units_so_that_the_delivered_parcel_can_be_returned() -> None:
    order = sell(Bought(1, 10_000), position="in_transit")
    case = settle(ask(order, "cancellation", "changed_mind"))

    carrier_says(order, "delivered")

    case = again(case)
    assert (case.goods_state, case.money_state, balances(order)) == ("missed", "none", [{"delivered": 1}])
    returned = settle(ask(order, "return", "changed_mind"))
    assert returned.goods_state == "authorised"
    assert all_is_sound()


def test_a_parcel_refused_at_the_door_is_refunded_once_it_is_back() -> None:
    order = sell(Bought(2, 20_000), shipping=1_000, position="at_door")
    case = settle(ask(order, "refusal", "changed_mind", ("1", 2)))
    assert (case.goods_state, case.money_state, balances(order)) == ("coming_back", "held", [{"refused": 2}])

    carrier_says(order, "refused")
    carrier_says(order, "returned", at=NOON + timedelta(days=3))
    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 2)], actor=AGENT, at=NOON + timedelta(days=3))

    assert case.money_state == "promised"
    assert balances(order, "value") == [{"promised": 20_000}]
    assert all_is_sound()


def test_a_refused_parcel_that_is_lost_on_its_way_back_is_refunded_all_the_same() -> None:
    order = sell(Bought(1, 20_000), position="at_door")
    case = settle(ask(order, "refusal", "changed_mind"))
    carrier_says(order, "refused")

    carrier_says(order, "lost", at=NOON + timedelta(days=1))

    assert (again(case).goods_state, again(case).money_state) == ("lost", "promised")
    assert balances(order) == [{"lost": 1}]
    assert all_is_sound()


def test_a_damaged_parcel_needs_a_photo_and_the_merchants_clock_stands_still_meanwhile() -> None:
    order = sell(Bought(1, 20_000), position="at_door")
    case = ask(order, "refusal", "damaged_on_arrival")
    first = case.due_at

    case = cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    assert (case.state, case.waiting_on) == ("verifying", "customer")
    bring_photo(case, at=NOON + timedelta(days=2))
    case = again(case)
    assert case.waiting_on == "merchant"
    assert case.due_at is not None
    assert first is not None
    assert case.due_at > first

    assert settle(case, at=NOON + timedelta(days=2)).money_state == "promised"
    assert all_is_sound()


def test_a_denied_claim_is_appealed_with_new_evidence_and_won_in_part() -> None:
    order = sell(Bought(1, 20_000), at=NOON - timedelta(days=40))
    case = ask(order, "return", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    case = cases.deny_case(ref=case.ref, actor=AGENT, at=NOON, why="超过退货期限")
    assert (case.state, balances(order, "claims")) == ("denied", [{"open": 1}])
    [denied] = [event for event in case_view(case.ref).events if event.kind == "denied"]
    assert denied.data["reasons"]
    assert all(reason["code"] and reason["rule"] for reason in denied.data["reasons"])

    later = NOON + timedelta(days=1)
    bring_photo(case, at=later)
    case = cases.file_appeal(ref=case.ref, grounds="一直联系不上客服", actor=AGENT, at=later)
    assert (case.state, case.waiting_on) == ("appealed", "reviewer")
    case = cases.review_appeal(
        ref=case.ref,
        outcome="partly",
        why="half",
        actor=REVIEWER,
        at=later,
        remedies=[HandRemedy("refund", "100.00", "1", 1)],
    )

    assert (case.state, case.money_state) == ("approved", "promised")
    assert balances(order, "value") == [{"left": 10_000, "promised": 10_000}]
    assert all_is_sound()


def test_a_person_decides_what_the_policy_refers_and_another_person_approves() -> None:
    order = sell(Bought(1, 20_000))
    case = cases.decide_case(ref=ask(order, "complaint", "rude").ref, actor=AGENT, at=NOON)
    assert case_view(case.ref).decision is not None
    cases.open_budget(name="q4", purpose="goodwill", asset="CNY", amount="1000.00", actor=MANAGER, at=NOON)

    case = cases.decide_by_hand(
        ref=case.ref,
        verdict="grant",
        remedies=[HandRemedy("goodwill", "20.00", budget="q4")],
        why="sorry",
        actor=REVIEWER,
        at=NOON,
    )
    case = cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)

    assert (case.state, case.money_state) == ("approved", "promised")
    assert all_is_sound()


def test_an_order_not_yet_sent_gets_another_address() -> None:
    order = sell(Bought(1, 20_000), position="not_shipped")

    case = settle(ask(order, "change", "address", details={"address": {"city": "成都"}}))

    assert (case.state, case.money_state) == ("approved", "none")
    assert all_is_sound()


def stock(*items: tuple[str, int], product: str = "LAMP", currency: str = "CNY") -> None:
    """Put things into the catalogue that an exchange may send."""
    for sku, price in items:
        with db.atomically():
            store_catalogue([CatalogRecord(sku, product, f"Lamp {sku}", price, currency, available=True)])


def test_an_exchange_for_something_cheaper_refunds_the_difference_and_sells_the_new_item() -> None:
    order = sell(Bought(1, 10_000), Bought(1, 10_000, sku="LAMP-2"))
    stock(("LAMP-9", 8_000))
    case = settle(ask(order, "exchange", "changed_mind", ("1", 1, "LAMP-9"), ("2", 1, "LAMP-9")))
    assert sum(remedy.amount_minor for remedy in case_view(case.ref).decisions[-1].remedies) == 4_000

    cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)
    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 1), Inspected("2", 1)], actor=AGENT, at=NOON)

    assert (case.goods_state, case.money_state) == ("accepted", "promised")
    assert balances(order_by_number(order.number))[2:] == [{"to_ship": 1}, {"to_ship": 1}]
    assert balances(order_by_number(order.number), "value")[2:] == [{"left": 8_000}, {"left": 8_000}]
    assert all_is_sound()


def test_an_exchange_for_something_dearer_waits_for_the_customer_to_pay_the_difference() -> None:
    order = sell(Bought(1, 10_000))
    stock(("LAMP-8", 12_500))
    case = settle(ask(order, "exchange", "changed_mind", ("1", 1, "LAMP-8")))
    cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)

    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 1)], actor=AGENT, at=NOON)
    assert (case.money_state, case.waiting_on) == ("held", "customer")
    case = cases.record_difference(ref=case.ref, reference="bank 77", actor=MANAGER, at=NOON)

    assert case.money_state == "promised"
    after = order_by_number(order.number)
    assert [payment.captured_minor for payment in after.payments] == [10_000, 2_500]
    assert balances(after) == [{"restocked": 1}, {"to_ship": 1}]
    assert all_is_sound()


def test_a_refusal_that_only_the_carrier_tells_of_becomes_a_case_once() -> None:
    order = sell(Bought(2, 20_000), position="at_door")

    carrier_says(order, "refused")
    carrier_says(order, "returning", at=NOON + timedelta(hours=5))

    [row] = cases_page(Filters(order_number=order.number)).rows
    assert (row.kind, row.reason, row.goods_state) == ("refusal", "not_told", "coming_back")
    assert balances(order, "claims") == [{"asked": 2}]
    assert all_is_sound()


def test_a_person_who_tells_why_takes_over_the_case_that_the_carrier_opened() -> None:
    order = sell(Bought(1, 20_000), position="at_door")
    carrier_says(order, "refused")

    case = ask(order, "refusal", "changed_mind")

    assert case.goods_state == "coming_back"
    [_, reported] = cases_page(Filters(order_number=order.number)).rows
    assert (reported.state, reported.closed_at) == ("withdrawn", NOON)
    assert settle(case).money_state == "held"
    assert all_is_sound()


def test_a_finding_about_one_line_is_a_fact_of_that_line() -> None:
    order = sell(Bought(1, 10_000), Bought(1, 5_000))
    case = ask(order, "return", "changed_mind", ("2", 1))
    # Excluded goods are only excluded where the buyer confirmed it, so the law asks for both.
    for fact in ("excluded_from_no_reason", "confirmed_no_return"):
        cases.record_finding(ref=case.ref, fact=f"line.2.{fact}", value=True, how="label", actor=AGENT, at=NOON)

    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)

    decision = case_view(case.ref).decision
    assert decision is not None
    assert decision.facts["order"]["lines"][1]["excluded_from_no_reason"] is True
    assert decision.verdict == "deny"
    with pytest.raises(FindingUnknown):
        cases.record_finding(ref=case.ref, fact="line.7.opened", value=True, how="", actor=AGENT, at=NOON)
