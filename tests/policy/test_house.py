"""The house policy, case by case: who ships × why refused × where the parcel is × who paid the freight."""
# ruff: noqa: E501 - tables of cases, one a line

from __future__ import annotations

import itertools
from typing import Any

import pytest

from makegood.policy.quote import quote
from makegood.policy.vocabulary import POSITIONS
from tests.policy.cases import PACKS, a_case

PHOTO = [{"kind": "photo"}]
ON_ITS_WAY = {"in_transit", "at_door", "returning", "back"}
PROVEN = {"damaged_on_arrival", "wrong_item"}
CUSTOMERS = {"changed_mind", "unreachable", "bad_address", "cod_declined"}
WHY = sorted(PROVEN | CUSTOMERS | {"late", "not_ordered"})


def asked(kind: str, reason: str | None, *, position: str = "", **sections: Any) -> dict[str, Any]:
    if position:
        sections["parcel"] = {"position": position, **sections.get("parcel", {})}
    return quote(a_case(kind, reason, **sections), pack_ids=["house"], registry=PACKS)


def amounts(answer: dict[str, Any]) -> dict[str, str]:
    return {remedy["kind"]: remedy["amount"] for remedy in answer["remedies"]}


@pytest.mark.parametrize(
    ("who", "why", "where", "free"), list(itertools.product(["seller", "platform"], WHY, POSITIONS, [True, False]))
)
def test_refused_delivery(who: str, why: str, where: str, free: bool) -> None:  # noqa: FBT001 - a table
    answer = asked(
        "refusal", why, position=where, evidence=PHOTO,
        order={
            "fulfilled_by": who, "free_shipping": free, "shipping_paid": "0.00" if free else "12.00",
            "promised_by": "2026-11-13T10:00:00+08:00",
        },
    )  # fmt: skip
    shipping = {} if free else {"shipping_refund": "12.00"}
    back = {"return_freight": "0.00"}  # in our own store nothing is asked for the way back
    if where == "lost":
        expected, waits = {"refund": "100.01"} | shipping, None
    elif where not in ON_ITS_WAY or (why in PROVEN and where == "in_transit"):
        assert (answer["verdict"], answer["refused"][0]["reason_code"]) == ("deny", "wrong_position")
        return
    elif why in PROVEN:
        expected, waits = {"refund": "100.01"} | shipping | back, None
    else:
        expected = {"refund": "100.01"} | ({} if why in CUSTOMERS else shipping) | back
        waits = None if where == "back" else "goods_back"
    assert amounts(answer) == expected
    assert {remedy["borne_by"] for remedy in answer["remedies"]} == {who}
    assert {remedy["after"] for remedy in answer["remedies"]} == {waits}
    kept = why in CUSTOMERS and not free and where != "lost"
    assert answer["verdict"] == ("partly" if kept else "grant")
    assert [refused["reason_code"] for refused in answer["refused"]] == (["shipping_kept"] if kept else [])


@pytest.mark.parametrize(
    ("platform", "why", "bearer", "rule"),
    [
        ("own-store", "changed_mind", "seller", "house-refusal-way-back"),
        (None, "changed_mind", "seller", "house-refusal-way-back"),  # untold it is our own
        ("tmall", "changed_mind", "customer", "cp-02"),  # there the platform's rules say who pays
        ("tmall", "damaged_on_arrival", "seller", "house-refusal-damaged-or-wrong"),
    ],
)
def test_who_pays_the_way_back_of_a_refused_parcel(platform: str | None, why: str, bearer: str, rule: str) -> None:
    document = a_case("refusal", why, parcel={"position": "at_door"}, evidence=PHOTO)
    document = {key: value for key, value in document.items() if key != "platform"}
    answer = quote({**document, **({"platform": platform} if platform else {})}, registry=PACKS)

    [freight] = [remedy for remedy in answer["remedies"] if remedy["kind"] == "return_freight"]
    assert freight["borne_by"] == bearer
    given = quote({**document, **({"platform": platform} if platform else {})}, pack_ids=["house"], registry=PACKS)
    assert freight["rule"] == rule or rule in {remedy["rule"] for remedy in given["remedies"]}


@pytest.mark.parametrize(
    ("why", "sections", "verdict", "told"),
    [
        ("damaged_on_arrival", {}, "need_evidence", "photo"),
        ("damaged_on_arrival", {"evidence": [{"kind": k, "absent": True} for k in ("photo", "carrier_scan", "report")]}, "deny", "no_evidence"),
        ("damaged_on_arrival", {"parcel": {"condition": "damaged"}}, "grant", "house-refusal-came-back-damaged"),
        ("changed_mind", {"parcel": {"condition": "damaged"}}, "refer", "house-refusal-used"),
        ("changed_mind", {"findings": {"fault": "carrier"}}, "grant", "house-refusal-our-fault"),
        ("damaged_on_arrival", {"findings": {"fault": "customer"}}, "partly", "shipping_kept"),
        ("late", {"order": {"promised_by": "2026-11-14T23:00:00+08:00"}}, "deny", "not_late"),
        ("late", {}, "need_evidence", "fact"),
        (None, {}, "need_evidence", "fact"),
    ],
)  # fmt: skip
def test_a_refused_parcel_that_is_back(why: str | None, sections: dict[str, Any], verdict: str, told: str) -> None:
    answer = asked("refusal", why, position="back", **sections)
    assert answer["verdict"] == verdict
    said = [need["kind"] for need in answer["evidence_needed"]]
    said += [refused["reason_code"] for refused in answer["refused"]]
    said += [entry["rule"] for entry in [*answer["referred"], *answer["remedies"]]]
    assert told in said


@pytest.mark.parametrize(
    ("position", "reason", "verdict", "given"),
    [
        ("not_shipped", "found_cheaper", "grant", {"refund": "100.01", "shipping_refund": "12.00"}),
        ("in_transit", "changed_mind", "partly", {"refund": "100.01"}),
        ("in_transit", "too_slow", "grant", {"refund": "100.01", "shipping_refund": "12.00"}),
        ("lost", "changed_mind", "grant", {"refund": "100.01", "shipping_refund": "12.00"}),
        ("with_customer", "changed_mind", "deny", {}),
        ("", "changed_mind", "need_evidence", {}),
    ],
)
def test_cancellation(position: str, reason: str, verdict: str, given: dict[str, str]) -> None:
    answer = asked("cancellation", reason, position=position)
    assert (answer["verdict"], amounts(answer)) == (verdict, given)


def test_part_of_a_line_is_cancelled_with_its_share() -> None:
    answer = asked("cancellation", "other", position="not_shipped", case={"lines": [{"id": "1", "quantity": 1}]})
    assert amounts(answer) == {"refund": "50.01", "shipping_refund": "6.00"}


@pytest.mark.parametrize(
    ("reason", "delivered", "verdict"),
    [
        ("changed_mind", "2026-11-07T00:00:00+08:00", "partly"),  # day 7
        ("changed_mind", "2026-11-06T23:59:59+08:00", "deny"),  # day 8, though 7 days and 10 hours
        ("wrong_item", "2026-10-15T00:00:00+08:00", "grant"),  # day 30
        ("wrong_item", "2026-10-14T23:59:59+08:00", "deny"),  # day 31
        ("defective", "2026-08-16T00:00:00+08:00", "grant"),  # day 90
        ("defective", "2026-08-15T23:59:59+08:00", "deny"),  # day 91
        ("counterfeit", "2025-11-14T00:00:00+08:00", "grant"),  # day 365
        ("counterfeit", "2025-11-13T23:59:59+08:00", "deny"),  # day 366
    ],
)
@pytest.mark.parametrize("kind", ["return", "exchange", "claim"])
def test_the_last_day_counts_and_the_next_does_not(kind: str, reason: str, delivered: str, verdict: str) -> None:
    if kind == "claim" and reason == "changed_mind":
        return
    answer = asked(
        kind, reason, order={"delivered_at": delivered}, evidence=PHOTO, change={"new_items_available": True}
    )
    expected = "grant" if (kind, verdict) == ("exchange", "partly") else verdict
    assert answer["verdict"] == expected
    if verdict == "deny":
        assert [refused["reason_code"] for refused in answer["refused"]] == ["past_window"]


DELIVERED = {"delivered_at": "2026-11-10T12:00:00+08:00"}


@pytest.mark.parametrize(
    ("kind", "reason", "sections", "verdict", "given"),
    [
        ("return", "changed_mind", {}, "partly", {"refund": "100.01", "return_freight": "0.00"}),
        ("return", "changed_mind", {"order": {"free_shipping": True, "shipping_paid": "0.00"}}, "grant", {"refund": "100.01", "return_freight": "0.00"}),
        ("return", "damaged", {}, "need_evidence", {}),
        ("return", "damaged", {"evidence": PHOTO}, "grant", {"refund": "100.01", "shipping_refund": "12.00", "return_freight": "0.00"}),
        ("return", "damaged", {"evidence": [*PHOTO, {"kind": "receipt"}], "case": {"return_freight": "8.00"}}, "grant", {"refund": "100.01", "shipping_refund": "12.00", "return_freight": "8.00"}),
        ("return", "damaged", {"evidence": PHOTO, "case": {"return_freight": "8.00"}}, "grant", {"refund": "100.01", "shipping_refund": "12.00", "return_freight": "0.00"}),
        ("return", "changed_mind", {"parcel": {"condition": "used"}}, "refer", {}),
        ("exchange", "changed_mind", {"change": {"new_items_available": True}}, "grant", {"replacement": "0.00", "return_freight": "0.00"}),
        ("exchange", "changed_mind", {"change": {"new_items_available": True, "to_refund": "9.00"}}, "grant", {"replacement": "0.00", "refund": "9.00", "return_freight": "0.00"}),
        ("exchange", "changed_mind", {"change": {"new_items_available": False}}, "deny", {}),
        ("exchange", "changed_mind", {}, "need_evidence", {}),
        ("claim", "not_received", {}, "refer", {}),
        ("claim", "not_received", {"findings": {"fault": "carrier"}}, "grant", {"refund": "100.01", "shipping_refund": "12.00"}),
        ("claim", "not_received", {"findings": {"fault": "customer"}}, "deny", {}),
        ("claim", "wrong_item", {"evidence": PHOTO, "case": {"wants": "replacement"}}, "grant", {"replacement": "0.00"}),
        ("claim", "late", {"order": {"promised_by": "2026-11-09T23:59:00+08:00"}}, "grant", {"shipping_refund": "12.00"}),
        ("claim", "late", {"order": {"promised_by": "2026-11-10T23:59:00+08:00"}}, "deny", {}),
        ("claim", "refund_missing", {}, "refer", {}),
        ("complaint", "rude", {}, "refer", {}),
        ("suggestion", "product", {}, "grant", {}),
        ("change", "address", {}, "deny", {}),
        ("change", "address", {"order": {"state": "processed"}}, "grant", {}),
        ("change", "payment", {"order": {"state": "processed"}}, "deny", {}),
    ],
)  # fmt: skip
def test_after_delivery(kind: str, reason: str, sections: dict[str, Any], verdict: str, given: dict[str, str]) -> None:
    order = {**DELIVERED, **sections.get("order", {})}
    answer = asked(kind, reason, **{**sections, "order": order})
    assert (answer["verdict"], amounts(answer)) == (verdict, given)


@pytest.mark.parametrize(
    ("sections", "verdict"),
    [
        ({"position": "lost"}, "grant"),
        ({"position": "in_transit", "order": {"promised_by": "2026-11-07T23:00:00+08:00"}}, "grant"),
        ({"position": "in_transit", "order": {"promised_by": "2026-11-08T00:00:00+08:00"}}, "deny"),
        ({"position": "in_transit"}, "need_evidence"),
    ],
)
def test_a_parcel_that_has_not_come(sections: dict[str, Any], verdict: str) -> None:
    assert asked("claim", "not_received", **sections)["verdict"] == verdict


def test_goods_back_start_the_clock_of_the_refund() -> None:
    waiting = asked("return", "changed_mind", order=DELIVERED)["remedies"][0]
    back = asked("return", "changed_mind", order=DELIVERED, case={"goods_returned_at": "2026-11-13T09:00:00+08:00"})[
        "remedies"
    ][0]
    assert (waiting["after"], waiting["due_by"]) == ("goods_back", None)
    assert (back["after"], back["due_by"]) == (None, "2026-11-20T09:00:00+08:00")


def test_a_refusal_names_the_way_to_appeal() -> None:
    answer = asked("return", "changed_mind", order={"delivered_at": "2026-10-01T00:00:00+08:00"})
    assert answer["appeal"]["until"] == "2026-12-14T10:00:00+08:00"
    assert answer["refused"][0]["would_change"] == ["A carrier scan, if it was delivered later than recorded."]
