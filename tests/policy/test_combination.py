"""Several packs make one answer: the law is the floor, of equals what was asked for, each loss made good once."""

from __future__ import annotations

from typing import Any

from makegood.policy.packs import read_pack
from tests.policy.cases import PACK, a_case, a_pack, a_rule, refund
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
