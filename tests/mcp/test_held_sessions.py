"""A session held to one customer: whatever is called with whatever arguments, another customer's records stay shut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makegood.cases.models import Case
from makegood.kit import db
from makegood.mcp.toolbox import answer
from makegood.mcp.tools import TOOLS
from makegood.orders.queries import OrderView
from tests.mcp.agents import agent, session
from tests.shop import Bought, ask, bring_photo, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")

# What is only in the other customer's records; no argument that is generated below holds any of it.
WORDS = "I will tell the newspapers"
SECRETS = (WORDS, "SECRET-LAMP", "other-customer-s-method")


@dataclass(frozen=True)
class Shop:
    mine: OrderView
    theirs: OrderView
    my_case: Case
    their_cases: tuple[Case, ...]


@pytest.fixture
def shop(merchant: int) -> Shop:
    mine = sell(Bought(quantity=5, paid=50_000), Bought(quantity=2, paid=10_000), customer="me")
    theirs = sell(Bought(quantity=5, paid=50_000, sku="SECRET-LAMP"), Bought(paid=10_000), customer="them")
    planned = ask(theirs, "return", "damaged", ("1", 1), statement=WORDS)
    bring_photo(planned)
    paid = settle(ask(theirs, "return", "changed_mind", ("1", 1)))
    complained = agent(customer=theirs.customer.id).use(
        "file_case", kind="complaint", reason="rude", statement=WORDS, request_key="key-of-everybody"
    )
    with db.atomically():
        complaint = Case.objects.get(ref=complained["ref"])
    return Shop(mine, theirs, ask(mine, "return", "changed_mind"), (planned, paid, complaint))


def records_of(shop: Shop) -> str:
    """Everything there is of the other customer, as text."""
    customer, order = shop.theirs.customer.id, shop.theirs.id
    tables = {
        "cases_case": ("customer_id", customer),
        "customers_customer": ("id", customer),
        "orders_order": ("id", order),
        "orders_line": ("order_id", order),
        "orders_payment": ("order_id", order),
        "ledger_entry": ("order_id", order),
    }
    told = {
        table: db.fetch(f"select * from {table} where {column} = %s order by id", [value])
        for table, (column, value) in tables.items()
    }
    of_cases = {
        table: db.fetch(
            f"select * from {table} where case_id in (select id from cases_case where customer_id = %s) order by id",
            [customer],
        )
        for table in ("cases_caseevent", "cases_casetext", "cases_evidence", "cases_decision", "cases_remedy")
    }
    return json.dumps([told, of_cases], default=str)


def arguments_for(shop: Shop, data: st.DataObject, name: str) -> dict[str, Any]:
    """Arguments that fit the tool, of one's own and of the other's records alike."""
    cases = [shop.my_case.ref, *[case.ref for case in shop.their_cases], "C-23456789"]
    orders = [shop.mine.number, shop.theirs.number, "", "nothing"]
    line = st.fixed_dictionaries(
        {"line": st.sampled_from(["1", "2"]), "quantity": st.integers(1, 2)},
        optional={"wanted_sku": st.sampled_from(["LAMP-1", "LAMP-2"])},
    )
    given_for: dict[str, st.SearchStrategy[Any]] = {
        "order": st.sampled_from(orders),
        "case": st.sampled_from(cases),
        "customer": st.sampled_from(["me", "them", "", "nobody"]),
        "query": st.sampled_from([shop.theirs.number, f"P-{shop.theirs.number}", "cthem@example.com", "c", "", "%"]),
        "product": st.just("LAMP"),
        "kind": st.sampled_from(["return", "complaint", "cancellation", "claim"]),
        "reason": st.sampled_from(["changed_mind", "damaged", "rude", "other"]),
        "lines": st.lists(line, max_size=2),
        "request_key": st.sampled_from(["key-of-everybody", "another-key", "a-third-key"]),
        "address": st.just({"address1": "1 Road", "city": "Town"}),
        "pay_with": st.just("p1"),
        "refund_to": st.sampled_from(["", "p1"]),
        "decision": st.integers(1, 5_000),
        "total": st.sampled_from(["100.00", "80.00"]),
        "content_base64": st.just("aGVsbG8="),
        "calls": st.lists(
            st.sampled_from(
                [{"tool": tool, "arguments": {"case": ref}} for tool in ("show_case", "withdraw_case") for ref in cases]
            ),
            min_size=1,
            max_size=4,
        ),
    }
    chosen: dict[str, Any] = {}
    for field, about in TOOLS[name].arguments.model_fields.items():
        if field in given_for:
            chosen[field] = data.draw(given_for[field], label=field)
        elif about.is_required():
            chosen[field] = "some words"
    return chosen


def test_no_tool_reads_or_changes_another_customer_s_records(shop: Shop) -> None:
    held = session(customer=shop.mine.customer.id)
    with db.atomically():
        before = records_of(shop)
    theirs = [shop.theirs.number, *[case.ref for case in shop.their_cases]]

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data(), name=st.sampled_from(sorted(TOOLS)))
    def calls(data: st.DataObject, name: str) -> None:
        arguments = arguments_for(shop, data, name)
        given_back = answer(held, name, arguments)
        told = json.dumps(given_back.document, ensure_ascii=False, default=str)
        assert not [secret for secret in SECRETS if secret in told]
        if not given_back.refused and name != "do_many":  # a refusal may repeat what was asked for
            assert not [number for number in theirs if number in told]
        with db.atomically():
            assert records_of(shop) == before

    calls()


@pytest.mark.parametrize("name", sorted(name for name, one in TOOLS.items() if "case" in one.arguments.model_fields))
def test_another_s_case_is_answered_like_none(shop: Shop, name: str) -> None:
    """The same words for a case of somebody else and for one that does not exist: nothing is learned from either."""
    held = session(customer=shop.mine.customer.id)
    needed = {field: 1 if field == "decision" else "a" for field in TOOLS[name].arguments.model_fields}

    other, none = (
        answer(held, name, {**_fitting(needed), "case": ref}).document
        for ref in (shop.their_cases[0].ref, "C-23456789")
    )

    assert {**other, "value": "", "detail": ""} == {**none, "value": "", "detail": ""}
    assert other["detail"].replace(shop.their_cases[0].ref, "REF") == none["detail"].replace("C-23456789", "REF")


def _fitting(needed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in needed.items() if name not in {"internal", "line"}}
