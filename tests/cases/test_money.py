"""Money of cases: currencies of 0, 2 and 3 decimals, shares that sum, and part returns under the merchant's terms."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.allocation import NotEnoughPaid, PaymentLeft, Terms, refund_on_part_return, share_over_payments
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.models import Case
from makegood.kit import db
from makegood.kit.money import Money
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book, MoneyAccount, Value
from makegood.orders.queries import OrderView, order_by_number
from makegood.orders.rules import amount_of_units
from tests.cases import acts
from tests.cases.acts import assert_sound, refused
from tests.shop import AGENT, NOON, OWNER, REVIEWER, Bought, ask, sell, settle

POLICIES = ("keep", "re-evaluate", "reclaim_share")


# --- shares over payments ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.floats(0, 1))
def test_shares_sum_to_the_refund_and_none_exceeds_its_payment(left: list[int], part: float) -> None:
    amount = int(sum(left) * part)

    shares = share_over_payments(amount, [PaymentLeft(i, minor) for i, minor in enumerate(left)])

    assert sum(shares.values()) == amount
    assert all(0 < minor <= left[i] for i, minor in shares.items())


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(1, 100))
def test_more_than_is_left_is_refused(left: list[int], more: int) -> None:
    with pytest.raises(NotEnoughPaid):
        share_over_payments(sum(left) + more, [PaymentLeft(i, minor) for i, minor in enumerate(left)])


# --- part returns, as figures -----------------------------------------------------------------------------------

lines_of = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 100_000), min_size=1)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    goods = draw(lines_of)
    total = sum(goods.values())
    return Terms(
        goods,
        discount_minor=draw(st.integers(0, total)),
        threshold_minor=draw(st.integers(0, total)),
        shipping_waived_minor=draw(st.integers(0, 2_000)),
        shipping_threshold_minor=draw(st.integers(0, total)),
    )


@settings(max_examples=300)
@given(terms(), st.sampled_from(POLICIES), st.data())
def test_any_split_of_a_whole_return_gives_back_exactly_what_was_paid(
    sold: Terms, policy: str, data: st.DataObject
) -> None:
    before: dict[str, int] = dict.fromkeys(sold.goods_minor, 0)
    refunds = []
    while any(sold.goods_minor[line] > before[line] for line in before):
        now = {line: data.draw(st.integers(0, sold.goods_minor[line] - before[line])) for line in before}
        if not any(now.values()):
            now = {line: sold.goods_minor[line] - before[line] for line in before}
        refunds.append(refund_on_part_return(sold, returned_before=before, returning=now, policy=policy))
        before = {line: before[line] + now[line] for line in before}

    assert all(refund >= 0 for refund in refunds)
    assert sum(refunds) == sum(sold.goods_minor.values()) - sold.discount_minor


@settings(max_examples=300)
@given(terms(), st.sampled_from(POLICIES), st.data())
def test_returning_more_never_gives_back_less(sold: Terms, policy: str, data: st.DataObject) -> None:
    less = {line: data.draw(st.integers(0, price)) for line, price in sold.goods_minor.items()}
    more = {line: data.draw(st.integers(less[line], price)) for line, price in sold.goods_minor.items()}
    nothing = dict.fromkeys(sold.goods_minor, 0)

    small = refund_on_part_return(sold, returned_before=nothing, returning=less, policy=policy)
    large = refund_on_part_return(sold, returned_before=nothing, returning=more, policy=policy)

    assert 0 <= small <= large


@settings(max_examples=200)
@given(terms(), st.sampled_from(POLICIES), st.data())
def test_any_split_by_units_gives_back_exactly_what_was_paid(sold: Terms, policy: str, data: st.DataObject) -> None:
    units = {line: data.draw(st.integers(1, 3)) for line in sold.goods_minor}
    sold = dataclasses.replace(sold, units=units)
    sequence = data.draw(st.permutations([line for line, n in units.items() for _ in range(n)]))
    gone = dict.fromkeys(units, 0)
    refunds = []
    for line in sequence:
        before = {one: amount_of_units(sold.goods_minor[one], units[one], first=0, count=n) for one, n in gone.items()}
        now = amount_of_units(sold.goods_minor[line], units[line], first=gone[line], count=1)
        refunds.append(refund_on_part_return(sold, returned_before=before, returning={line: now}, policy=policy))
        gone[line] += 1

    assert all(refund >= 0 for refund in refunds)
    assert sum(refunds) == sum(sold.goods_minor.values()) - sold.discount_minor


def test_passing_the_threshold_in_two_steps_costs_no_more_and_no_less_than_in_one() -> None:
    sold = Terms({"a": 30_000}, 6_000, 25_000, 0, 0, units={"a": 30})

    def back(before: int, now: int) -> int:
        return refund_on_part_return(sold, returned_before={"a": before}, returning={"a": now}, policy="re-evaluate")

    assert back(0, 5_000) == 5_000  # 250.00 kept: the discount still holds
    assert back(5_000, 5_000) == 0  # 200.00 kept: it does not, and the 50.00 given back before are not asked for
    assert back(0, 10_000) == 5_000
    assert back(10_000, 10_000) == 9_000


@settings(max_examples=300)
@given(terms(), st.data())
def test_the_customer_gets_most_where_the_discount_is_kept(sold: Terms, data: st.DataObject) -> None:
    now = {line: data.draw(st.integers(0, price)) for line, price in sold.goods_minor.items()}
    nothing = dict.fromkeys(sold.goods_minor, 0)
    of = {
        policy: refund_on_part_return(sold, returned_before=nothing, returning=now, policy=policy)
        for policy in POLICIES
    }

    assert of["reclaim_share"] <= of["keep"]


# 100.00 and 200.00 less 60.00 from 250.00 on; freight of 10.00 is free from 250.00 on. Paid: 240.00.
@pytest.mark.parametrize(
    ("policy", "first", "second"),
    [
        ("keep", 8_000, 16_000),  # list price less its share of the discount
        ("re-evaluate", 3_000, 21_000),  # the dear one kept: 200.00 and freight 10.00 of the 240.00 paid
        ("reclaim_share", 4_000, 20_000),  # the dear one kept at its list price
    ],
)
def test_a_part_return_that_breaks_the_threshold(policy: str, first: int, second: int) -> None:
    sold = Terms({"a": 10_000, "b": 20_000}, 6_000, 25_000, 1_000, 25_000, units={"a": 1, "b": 1})

    assert refund_on_part_return(sold, returned_before={}, returning={"a": 10_000}, policy=policy) == first
    assert refund_on_part_return(sold, returned_before={"a": 10_000}, returning={"b": 20_000}, policy=policy) == second


# --- through the commands ---------------------------------------------------------------------------------------

pytestmark = pytest.mark.usefixtures("merchant")


def sold_on_terms(*bought: Bought, discount: int, threshold: int, waived: int = 0, position: str = "with_customer",
                  payments: Mapping[str, int] | None = None) -> OrderView:  # fmt: skip
    """An order with a discount for its size, and the terms it was sold on."""
    total = sum(line.paid for line in bought) - discount
    order = sell(*bought, payments=payments or {"p1": total}, discount_minor=discount, position=position)
    given_terms = {
        "discount_minor": discount,
        "threshold_minor": threshold,
        "shipping_waived_minor": waived,
        "shipping_threshold_minor": threshold if waived else 0,
    }
    with db.atomically():
        db.execute(
            "update orders_order set attributes = attributes || %s::jsonb where id = %s",
            [json.dumps({"terms": given_terms}), order.id],
        )
    return order_by_number(order.number)


def give_back(order: OrderView, *lines: tuple[str, int], kind: str = "return", reason: str = "changed_mind") -> int:
    """A part return carried to its end; what was promised for goods, in minor units."""
    case = settle(ask(order, kind, reason, *lines), by=OWNER)
    assert case.state == "approved", case.state
    return refunded(case)


def refunded(case: Case) -> int:
    remedies = queries.case_view(case.ref).decisions[-1].remedies
    return sum(remedy.amount_minor for remedy in remedies if remedy.kind == "refund" and remedy.state != "void")


def value(order: OrderView, account: str) -> int:
    held = ledger.balances(Book.VALUE, [line.id for line in order.lines])
    return sum(accounts.get(account, 0) for accounts in held.values())


@pytest.mark.parametrize(
    ("policy", "first", "second"),
    [("keep", 8_000, 16_000), ("re-evaluate", 3_000, 21_000), ("reclaim_share", 4_000, 20_000)],
)
@pytest.mark.parametrize("kind", ["return", "cancellation"])
def test_the_decision_refunds_what_the_terms_say(kind: str, policy: str, first: int, second: int) -> None:
    acts.settings(reallocation=policy)
    order = sold_on_terms(
        Bought(1, 10_000), Bought(1, 20_000), discount=6_000, threshold=25_000, waived=1_000,
        position="not_shipped" if kind == "cancellation" else "with_customer",
    )  # fmt: skip

    assert give_back(order, ("1", 1), kind=kind) == first
    assert give_back(order, ("2", 1), kind=kind) == second
    assert (value(order, Value.LEFT), value(order, Value.PROMISED)) == (0, 24_000)
    assert_sound()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("order_of_units", list(itertools.permutations(["1", "1", "2"]))[:3])
def test_units_given_back_one_by_one_bring_all_that_was_paid(policy: str, order_of_units: Sequence[str]) -> None:
    acts.settings(reallocation=policy)
    order = sold_on_terms(
        Bought(2, 9_999), Bought(1, 10_000), discount=3_333, threshold=15_000, payments={"p1": 10_001, "p2": 6_665}
    )

    refunds = [give_back(order, (line, 1)) for line in order_of_units]

    assert sum(refunds) == 16_666
    held = ledger.balances(Book.MONEY, [payment.id for payment in order.payments])
    assert all(accounts.get(MoneyAccount.AVAILABLE, 0) == 0 for accounts in held.values())
    assert_sound()


def test_several_lines_in_one_return_sum_to_the_refund_of_all() -> None:
    acts.settings(reallocation="re-evaluate")
    order = sold_on_terms(Bought(3, 9_998), Bought(1, 5_001), Bought(1, 1), discount=2_000, threshold=14_000)
    whole = refund_on_part_return(
        Terms({"1": 9_998, "2": 5_001, "3": 1}, 2_000, 14_000),
        returned_before={}, returning={"1": 9_998 - 3_332, "2": 5_001}, policy="re-evaluate",
    )  # fmt: skip

    case = settle(ask(order, "return", "changed_mind", ("1", 2), ("2", 1)), by=OWNER)

    assert abs(refunded(case) - whole) <= 1  # which units bear the odd cent is the order's rule
    assert_sound()


def test_terms_do_not_touch_what_the_seller_is_to_blame_for() -> None:
    acts.settings(reallocation="re-evaluate")
    order = sold_on_terms(Bought(1, 10_000), Bought(1, 20_000), discount=6_000, threshold=25_000)
    case = ask(order, "return", "damaged")
    acts.bring(case)

    settle(case, by=OWNER)

    assert refunded(case) == 8_000


def test_terms_that_do_not_explain_what_was_paid_are_not_used() -> None:
    acts.settings(reallocation="re-evaluate")
    order = sold_on_terms(Bought(1, 10_000), Bought(1, 20_000), discount=6_000, threshold=25_000)
    with db.atomically():
        db.execute(
            "update orders_order set attributes = jsonb_set(attributes, '{terms,discount_minor}', '7000')"
            " where id = %s",
            [order.id],
        )

    assert give_back(order, ("1", 1)) == 8_000


def test_a_decision_is_not_approved_once_another_return_changed_what_it_brings() -> None:
    acts.settings(reallocation="re-evaluate")
    order = sold_on_terms(Bought(1, 10_000), Bought(1, 20_000), discount=6_000, threshold=25_000)
    case = ask(order, "return", "changed_mind", ("2", 1))
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    give_back(order, ("1", 1))

    def approve() -> Case:
        return cases.approve_case(ref=case.ref, actor=OWNER, at=NOON)

    assert refused(approve) == "decision_changed"

    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    approve()
    assert refunded(case) == 20_000
    assert_sound()


def test_a_withdrawn_return_leaves_the_other_to_be_priced_as_the_first() -> None:
    acts.settings(reallocation="re-evaluate")
    order = sold_on_terms(Bought(1, 10_000), Bought(1, 20_000), discount=6_000, threshold=25_000)
    first = ask(order, "return", "changed_mind", ("1", 1))
    cases.withdraw_case(ref=first.ref, actor=AGENT, at=NOON)

    assert give_back(order, ("2", 1)) == 14_000  # 100.00 of the 240.00 stays for the one kept


@pytest.mark.parametrize(("currency", "paid", "each"), [("JPY", 10, (4, 3, 3)), ("CNY", 1_000, (334, 333, 333)),
                                                        ("KWD", 10_000, (3_334, 3_333, 3_333))])  # fmt: skip
def test_three_thirds_are_the_whole_in_every_currency(currency: str, paid: int, each: tuple[int, ...]) -> None:
    acts.settings(approval_limits={"owner": {currency: 10**9}})
    order = sell(Bought(3, paid), currency=currency, payments={"p1": paid - 1, "p2": 1}, position="not_shipped")

    assert tuple(give_back(order, ("1", 1), kind="cancellation") for _ in range(3)) == each
    assert value(order, Value.LEFT) == 0
    assert_sound()


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [("JPY", "1.5", "amount_malformed"), ("CNY", "1.005", "amount_malformed"), ("KWD", "1.0005", "amount_malformed"),
     ("CNY", "-1", "amount_malformed"), ("CNY", "NaN", "amount_malformed"), ("CNY", "1e30", "amount_malformed"),
     ("CNY", "9" * 30, "amount_malformed"), ("CNY", "0", "remedy_malformed")],
)  # fmt: skip
def test_amounts_that_cannot_be_are_refused_before_anything_is_reserved(currency: str, amount: str, code: str) -> None:
    case = ask(sell(currency=currency), "return", "changed_mind")
    before = acts.state_of()

    told = refused(
        lambda: cases.decide_by_hand(
            ref=case.ref, verdict="grant", remedies=[HandRemedy("refund", amount=amount, line="1")], why="",
            actor=REVIEWER, at=NOON,
        )
    )  # fmt: skip

    assert told == code
    assert acts.state_of() == before


def test_more_than_was_paid_is_refused_by_hand_too() -> None:
    order = sell(Bought(1, 5_000))
    case = ask(order, "return", "changed_mind")
    remedies = [HandRemedy("refund", amount="50.01", line="1")]
    cases.decide_by_hand(ref=case.ref, verdict="grant", remedies=remedies, why="", actor=REVIEWER, at=NOON)

    assert refused(lambda: cases.approve_case(ref=case.ref, actor=OWNER, at=NOON)) in {
        "ledger_overdrawn",
        "not_enough_paid",
    }
    assert Money(value(order, Value.LEFT), "CNY") == Money(5_000, "CNY")


def test_three_full_refunds_of_one_sale_pay_one() -> None:
    order = sell(Bought(1, 5_000))
    told = []
    for _ in range(3):
        case = ask(order, "complaint", "other")
        remedies = [HandRemedy("refund", amount="50.00", line="1")]
        cases.decide_by_hand(ref=case.ref, verdict="grant", remedies=remedies, why="", actor=REVIEWER, at=NOON)
        told.append(refused(lambda case=case: cases.approve_case(ref=case.ref, actor=OWNER, at=NOON)))  # type: ignore[misc]

    assert told[0] == ""
    assert set(told[1:]) <= {"ledger_overdrawn", "not_enough_paid"}
    assert_sound()
