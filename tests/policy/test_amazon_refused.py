"""A refused delivery on Amazon: who ships × why × where the parcel is × freight; each cell is decided and says why."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from makegood.policy.facts import Facts
from makegood.policy.quote import outcome_of
from makegood.policy.reasons import reasons_of
from makegood.policy.vocabulary import POSITIONS

SHIPPERS = ("platform", "seller")
REASONS = tuple(reason.code for reason in reasons_of("refusal"))
FREIGHT = {"free": ("0.00", True), "paid": ("6.00", False)}
MARKETS = {"US": "USD", "GB": "GBP", "DE": "EUR", "SA": "SAR", "BR": "BRL"}
NOT_YOURS = {"damaged_on_arrival", "wrong_item", "late", "not_ordered"}
WITH_A_CARRIER = ("at_door", "in_transit", "returning", "back")
Cell = tuple[str, str, str, str]  # who ships, why, where the parcel is, freight
HAN = re.compile(r"[\u4e00-\u9fff]")


def case(cell: Cell, market: str) -> dict[str, Any]:
    shipper, reason, position, freight = cell
    shipping, free = FREIGHT[freight]
    return {
        "market": market,
        "platform": "amazon",
        "currency": MARKETS[market],
        "asked_at": "2026-11-24T10:00:00+00:00",
        "order": {
            "fulfilled_by": shipper,
            "shipping_paid": shipping,
            "free_shipping": free,
            "promised_by": "2026-11-15T20:00:00+00:00",
            "lines": [{"id": "1", "quantity": 1, "paid": "40.00"}],
        },
        "case": {"kind": "refusal", "reason": reason},
        "parcel": {"position": position},
    }


def cells() -> Iterator[Cell]:
    return itertools.product(SHIPPERS, REASONS, POSITIONS, FREIGHT)


def told(market: str, lang: str, cell: Cell) -> dict[str, Any]:
    return outcome_of(Facts.from_json(case(cell, market)), pack_ids=["amazon-marketplace"]).as_json(lang)


def owed(shipper: str, reason: str, position: str, freight: str) -> Decimal:
    """The whole table in one place, written without the pack."""
    if position in {"not_shipped", "with_customer"}:
        return Decimal(0)
    shipping = Decimal(6 if freight == "paid" else 0)
    not_mine = shipper == "platform" or reason in NOT_YOURS or position == "lost"
    return Decimal(40) + (shipping if not_mine else 0)


@pytest.mark.parametrize("market", MARKETS)
def test_each_cell_is_decided_to_the_cent(market: str) -> None:
    for cell in cells():
        answer = told(market, "en", cell)
        position = cell[2]

        assert answer["verdict"] == ("deny" if owed(*cell) == 0 else "grant"), cell
        assert Decimal(answer["total"]["amount"]) == owed(*cell), cell
        money = [r for r in answer["remedies"] if r["kind"] in {"refund", "shipping_refund"}]
        assert {r["borne_by"] for r in money} <= {cell[0]}, cell
        # Amazon and sellers refund when the parcel is back; one that is lost is not waited for.
        assert {r["after"] for r in money} <= {"goods_back" if position in WITH_A_CARRIER[:3] else None}, cell


@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
def test_each_cell_explains_itself(lang: str) -> None:
    for cell in cells():
        answer = told("US", lang, cell)
        entries = [*answer["remedies"], *answer["refused"], *answer["referred"]]

        assert entries, cell
        for entry in entries:
            assert entry["cites"], cell
            assert all(cite.startswith(("A-to-z", "Advice", "Amazon", "Seller")) for cite in entry["cites"]), cell
            assert bool(HAN.search(entry["text"])) == (lang == "zh-Hans"), entry["text"]
            assert not re.search(r"[{}—_]", entry["text"]), entry["text"]
        for refusal in answer["refused"]:
            assert refusal["failed"]["needed"], cell
            assert answer["appeal"], cell


def test_who_ships_decides_who_pays_and_why_decides_the_freight() -> None:
    by_amazon = told("US", "en", ("platform", "changed_mind", "at_door", "paid"))
    by_seller = told("US", "en", ("seller", "changed_mind", "at_door", "paid"))
    broken = told("US", "en", ("seller", "damaged_on_arrival", "at_door", "paid"))

    assert [r["rule"] for r in by_amazon["remedies"]] == ["az-01", "az-02"]
    assert [(r["kind"], r["borne_by"]) for r in by_seller["remedies"]] == [
        ("refund", "seller"),
        ("return_freight", "customer"),
    ]
    assert [(r["kind"], r["borne_by"]) for r in broken["remedies"]] == [
        ("refund", "seller"), ("shipping_refund", "seller"), ("return_freight", "seller"),
    ]  # fmt: skip


def test_a_parcel_that_nobody_can_place_is_taken_to_be_at_the_door() -> None:
    document = case(("platform", "changed_mind", "at_door", "paid"), "US")
    del document["parcel"]

    outcome = outcome_of(Facts.from_json(document), pack_ids=["amazon-marketplace"])

    assert (outcome.verdict, outcome.total.minor) == ("grant", 4600)


DENIALS: dict[str, dict[str, Any]] = {
    "no_evidence": {
        "case": {"kind": "claim", "reason": "refund_missing", "goods_returned_at": "2026-11-10T09:00:00+00:00"},
        "evidence": [{"kind": "proof_of_return", "absent": True}, {"kind": "carrier_scan", "absent": True}],
    },
    "past_window": {"case": {"kind": "claim", "reason": "not_received"}, "promised_by": "2026-08-01T20:00:00+00:00"},
    "not_of_this_platform": {"case": {"kind": "refusal", "reason": "changed_mind"}, "paid_on_platform": False},
}


@pytest.mark.parametrize("reason", DENIALS)
@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
def test_the_three_denials_say_what_would_change_them_and_where_to_appeal(reason: str, lang: str) -> None:
    document = case(("seller", "changed_mind", "at_door", "paid"), "US")
    given = dict(DENIALS[reason])
    document["case"] = given.pop("case")
    document |= {"evidence": given.pop("evidence", [])}
    document["order"] |= given

    answer = outcome_of(Facts.from_json(document), pack_ids=["amazon-marketplace"]).as_json(lang)

    [refusal] = answer["refused"]
    assert (answer["verdict"], refusal["reason_code"]) == ("deny", reason)
    assert refusal["would_change"]
    assert {"zh-Hans": "申诉", "en": "appeal"}[lang] in answer["appeal"]["to"]
    assert answer["appeal"]["until"].startswith("2026-12-24")
    if reason == "not_of_this_platform":
        assert {"zh-Hans": "卖家仍须", "en": "the seller is still liable"}[lang] in refusal["text"]
