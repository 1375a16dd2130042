"""Several packs make one answer: the law is the floor, of equals what was asked for, each loss made good once."""

from __future__ import annotations

from typing import Any

import pytest

from makegood.policy.explain import explain
from makegood.policy.packs import read_pack
from tests.policy.cases import HOUSE, PACK, a_case, a_pack, a_rule, refund
from tests.policy.test_decide import decided

ALWAYS = "line.paid: known"


def test_the_law_is_the_floor_and_a_better_promise_binds() -> None:
    law = a_pack(a_rule(refund("50% * line.price_paid"), when=ALWAYS, rule_id="law"), kind="law")
    mean = a_pack(a_rule(refund("10% * line.price_paid"), when=ALWAYS, rule_id="mean"))
    kind = a_pack(a_rule(refund("line.price_paid"), when=ALWAYS, rule_id="kind"))
    assert [r.tried.rule.id for r in decided(a_case(), mean, law).remedies] == ["law"]
    assert [r.tried.rule.id for r in decided(a_case(), kind, law).remedies] == ["kind"]


def test_of_equals_what_was_asked_for_comes_before_the_law_and_what_a_pack_assumes_was_asked_by_nobody() -> None:
    law = a_pack(a_rule("grant: [{kind: repair}]", when=ALWAYS, rule_id="law"), kind="law")
    shop = read_pack(
        PACK.format(kind="merchant", rules=a_rule(refund("line.price_paid"), when=ALWAYS, rule_id="shop")).replace(
            "sources:", "assume: {case.wants: repair}\nsources:"
        ),
        "test/pack.yaml",
    )

    def chosen(**case: Any) -> str:
        [remedy] = decided(a_case(case=case), shop, law).remedies
        return remedy.tried.rule.id

    assert (chosen(), chosen(wants="repair"), chosen(wants="refund")) == ("shop", "law", "shop")


def test_a_merchants_no_does_not_shut_out_the_laws_yes() -> None:
    law = a_pack(a_rule(refund("line.price_paid"), when=ALWAYS, rule_id="law"), kind="law")
    house = a_pack(a_rule("deny: {reason_code: no_returns}", when=ALWAYS, rule_id="no"))
    outcome = decided(a_case(), house, law)
    assert (outcome.verdict, outcome.total.amount()) == ("grant", "100.01")


def test_one_loss_is_made_good_once_in_a_pack() -> None:
    replace = a_rule("grant: [{kind: replacement}]", when=ALWAYS, rule_id="new", priority=1)
    both = a_pack(replace, a_rule(refund("line.price_paid"), when=ALWAYS, rule_id="money"))
    assert [remedy.kind for remedy in decided(a_case(), both).remedies] == ["replacement"]


def test_of_two_promises_of_the_same_the_earlier_day_binds_and_the_explanation_names_whose_it_is() -> None:
    def promise(rule_id: str, due: str) -> str:
        effect = f'grant: [{{kind: refund, amount: "line.price_paid", due: {due} after asked_at}}]'
        return a_rule(effect, when=ALWAYS, rule_id=rule_id)

    law = a_pack(promise("law", "14d"), kind="law")
    sooner, later = a_pack(promise("sooner", "3d")), a_pack(promise("later", "30d"))

    told = decided(a_case(), law, sooner).as_json()["remedies"][0]
    assert (told["rule"], told["due_rule"], told["due_by"][:10]) == ("law", "sooner", "2026-11-17")
    told = decided(a_case(), law, later).as_json()["remedies"][0]
    assert (told["rule"], "due_rule" in told, told["due_by"][:10]) == ("law", False, "2026-11-28")

    [amount] = explain(decided(a_case(), law, sooner)).amounts
    assert amount.due is not None
    assert (amount.due.promised_by, [cite.text for cite in amount.due.cites]) == ("sooner", ["§1"])
    assert "rule sooner" in amount.prose


def test_a_smaller_or_waiting_promise_brings_no_earlier_day() -> None:
    law = a_pack(
        a_rule(
            'grant: [{kind: refund, amount: "line.price_paid", due: 14d after asked_at}]', when=ALWAYS, rule_id="law"
        ),
        kind="law",
    )
    for other in (
        'grant: [{kind: refund, amount: "50% * line.price_paid", due: 3d after asked_at}]',
        'grant: [{kind: refund, amount: "line.price_paid", due: 3d after asked_at, after: goods_back}]',
        'grant: [{kind: goodwill, amount: "line.price_paid", due: 3d after asked_at}]',
    ):
        shop = a_pack(a_rule(other, when=ALWAYS, rule_id="shop"))
        refund_told = decided(a_case(), law, shop).as_json()["remedies"][0]
        assert (refund_told["kind"], refund_told["due_by"][:10]) == ("refund", "2026-11-28")


SELLER = {"claimant": "seller", "kind": "claim"}


@pytest.mark.parametrize(
    ("because", "sections", "given_back"),
    [
        ("charged-back", {"order": {"refunded_before": "60.01", "charged_back": "112.01", "paid": "112.01"}}, "60.01"),
        ("charged-back", {"order": {"refunded_before": "60.01", "charged_back": "52.00", "paid": "112.01"}}, None),
        ("charged-back", {"order": {"refunded_before": "60.01", "paid": "112.01"}}, None),
        (
            "arrived-after-all",
            {"case": {"reason": "not_received", "compensated_before": "100.01"}, "order": {"state": "delivered"}},
            "100.01",
        ),
        (
            "arrived-after-all",
            {"case": {"reason": "not_received", "compensated_before": "100.01"}, "order": {"state": "shipped"}},
            None,
        ),
        ("arrived-after-all", {"case": {"reason": "not_received"}, "order": {"state": "delivered"}}, None),
        (
            "found-after-all",
            {
                "case": {
                    **SELLER, "reason": "lost_in_warehouse", "compensated_before": "45.60",
                    "goods_returned_at": "2026-11-10T10:00:00+08:00",
                }
            },
            "45.60",
        ),
        ("found-after-all", {"case": {**SELLER, "reason": "lost_in_warehouse", "compensated_before": "45.60"}}, None),
        (
            "found-after-all",
            {
                "case": {
                    **SELLER, "reason": "fee_not_returned", "compensated_before": "45.60",
                    "goods_returned_at": "2026-11-10T10:00:00+08:00",
                }
            },
            None,
        ),
    ],
)  # fmt: skip
def test_what_was_given_for_no_loss_or_twice_is_to_be_given_back(
    because: str, sections: dict[str, Any], given_back: str | None
) -> None:
    sections = {**sections, "case": {"kind": "claim", "reason": "not_received", **sections.get("case", {})}}
    told = decided(a_case(**sections), HOUSE).as_json()["claw_back"]
    assert [(one["because"], one["amount"]) for one in told] == ([(because, given_back)] if given_back else [])
    assert all(str(given_back) in one["text"] for one in told)
