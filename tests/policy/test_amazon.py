"""What the packs of Amazon promise as a whole, beside their scenarios."""

from __future__ import annotations

from typing import Any

import pytest

from makegood.policy.facts import Facts
from makegood.policy.quote import outcome_of, quote
from makegood.policy.registry import shipped_registry

LANGS = ("zh-Hans", "en")


def a_claim(reason: str, market: str = "US", **case: Any) -> dict[str, Any]:
    return {
        "market": market,
        "platform": "amazon",
        "currency": "USD",
        "asked_at": "2026-10-15T10:00:00-04:00",
        "order": {"lines": [{"id": "1", "quantity": 1, "paid": "40.00", "cost": "12.50", "fees": "9.20"}]},
        "case": {"kind": "claim", "claimant": "seller", "reason": reason, **case},
    }


def test_a_claim_too_early_and_one_too_late_are_told_apart_in_both_languages() -> None:
    early = a_claim("customer_return_not_received", refund_at="2026-10-01T10:00:00-04:00")
    late = a_claim("customer_return_not_received", refund_at="2026-05-01T10:00:00-04:00")

    told = {lang: [quote(document, lang=lang)["refused"][0] for document in (early, late)] for lang in LANGS}

    assert [refusal["reason_code"] for refusal in told["en"]] == ["too_early", "past_window"]
    assert "60 to 120 days after the refund" in told["en"][0]["text"]
    assert "退款后 60 至 120 天" in told["zh-Hans"][0]["text"]
    assert "That time is over" in told["en"][1]["text"]
    assert "已经逾期" in told["zh-Hans"][1]["text"]
    assert all(refusal["would_change"] for refusals in told.values() for refusal in refusals)


def test_a_platform_that_ships_is_a_value_and_not_the_platform() -> None:
    [row] = Facts.from_json({**a_claim("lost_in_warehouse"), "platform": "amazon"}).rows

    assert row["case.programme"] == "fba"


@pytest.mark.parametrize(("shipper", "programme"), [("seller", "safe_t"), ("platform", "fba"), (None, "fba")])
def test_which_programme_a_sellers_claim_falls_under(shipper: str | None, programme: str) -> None:
    document = a_claim("returned_damaged")
    document["order"]["fulfilled_by"] = shipper

    assert Facts.from_json(document).rows[0]["case.programme"] == programme


def test_what_was_paid_for_all_asked_lines_is_known_only_where_each_is() -> None:
    document = a_claim("returned_damaged")
    document["order"]["lines"] = [
        {"id": "1", "quantity": 2, "paid": "40.00"},
        {"id": "2", "quantity": 1, "paid": "5.00"},
    ]
    document["case"]["lines"] = [{"id": "1", "quantity": 1}, {"id": "2"}]
    assert [row["case.price_paid"] for row in Facts.from_json(document).rows] == [2500, 2500]

    del document["order"]["lines"][1]["paid"]
    assert all("case.price_paid" not in row for row in Facts.from_json(document).rows)


def test_who_refused_says_where_to_appeal() -> None:
    """FBA names no day for an appeal, so none is made up from another pack."""
    outcome = outcome_of(Facts.from_json(a_claim("lost_in_warehouse", reported_at="2026-01-01T10:00:00-05:00")))

    assert outcome.verdict == "deny"
    assert outcome.as_json()["appeal"] is None


def test_what_a_shops_policy_assumes_is_wanted_does_not_put_it_before_the_platform() -> None:
    document = a_claim("lost_in_warehouse")
    document["case"] = {"kind": "refusal", "reason": "changed_mind"}
    document["order"] |= {"fulfilled_by": "platform", "shipping_paid": "0.00"}

    outcome = outcome_of(Facts.from_json(document), pack_ids=["house", "amazon-marketplace"])

    assert [remedy.tried.rule.id for remedy in outcome.remedies] == ["az-01"]


def test_every_fact_known_of_amazon_has_its_row_or_its_note() -> None:
    packs = [shipped_registry().versions(pack_id)[-1] for pack_id in ("amazon-marketplace", "amazon-fba-seller")]
    named = {rule.id for pack in packs for rule in pack.rules} | {
        note.id for pack in packs for note in pack.written.notes
    }

    assert [number for number in range(1, 39) if f"az-{number:02}" not in named] == []
