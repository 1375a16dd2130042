"""Reasons are leaves, known per kind and party, named in both languages."""
# ruff: noqa: E501 - tables, one case a line

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from makegood.kit.errors import DomainError
from makegood.policy.quote import quote
from makegood.policy.reasons import TREE, ReasonUnknown, find_reason, reasons_of
from makegood.policy.vocabulary import EVIDENCE, FACTS, FAULTS, KINDS
from tests.policy.cases import PACKS, a_case

CONTRACT = {
    "cancellation": "changed_mind ordered_by_mistake found_cheaper too_slow other",
    "refusal": "damaged_on_arrival wrong_item late changed_mind not_ordered unreachable bad_address cod_declined",
    "return": "changed_mind defective not_as_described wrong_item damaged missing_part counterfeit",
    "exchange": "changed_mind defective not_as_described wrong_item damaged missing_part counterfeit",
    "claim": "not_received damaged wrong_item missing_part counterfeit defective unsafe_food fraud late refund_missing",
    "complaint": "slow_handling rude wrong_information promise_broken other",
}
SELLERS = (
    "customer_return_not_received lost_in_warehouse damaged_in_warehouse lost_in_transit removal_lost inbound_missing"
    " returned_damaged fee_not_returned"
)


@pytest.mark.parametrize("kind", CONTRACT)
def test_the_leaves_of_the_contract_are_there(kind: str) -> None:
    assert set(CONTRACT[kind].split()) <= {leaf.code for leaf in reasons_of(kind)}


def test_a_seller_names_other_reasons_than_a_customer() -> None:
    assert {leaf.code for leaf in reasons_of("claim", claimant="seller")} == set(SELLERS.split())
    with pytest.raises(ReasonUnknown):
        find_reason("claim", "removal_lost")
    with pytest.raises(ReasonUnknown, match="too_slow"):
        find_reason("return", "too_slow")


def test_every_kind_has_leaves_in_both_languages_bound_to_known_evidence() -> None:
    assert set(TREE) == set(KINDS)
    for leaves in TREE.values():
        assert len({(leaf.code, leaf.claimant) for leaf in leaves}) == len(leaves)
        for leaf in leaves:
            assert re.search(r"[\u4e00-\u9fff]", leaf.label("zh-Hans"))
            assert re.fullmatch(r"[\x20-\x7e]+", leaf.label("en"))
            assert leaf.fault in {"", *FAULTS}
            assert all(kind in EVIDENCE for need in leaf.evidence for kind in need)


def test_every_fact_is_named_in_both_languages_and_asks_for_facts_that_are() -> None:
    for spec in FACTS.values():
        assert re.search(r"[\u4e00-\u9fff]", spec.zh), spec.name
        assert re.fullmatch(r"[\x20-\x7e]+", spec.en), spec.name
        assert all(need in FACTS for need in spec.needs), spec.name
        assert not spec.evidence or spec.evidence in EVIDENCE, spec.name


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["1", "CNY", "claim"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "kind", "lines", "order", "paid", "quantity", "of", "x"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    path=st.sampled_from([(), ("order",), ("case",), ("evidence",), ("order", "lines"), ("asked_at",), ("currency",)]),
    junk=JUNK,
)
@example(path=("evidence",), junk=[{"kind": []}])
def test_junk_anywhere_is_answered_or_refused_never_a_crash(path: tuple[str, ...], junk: Any) -> None:
    document: Any = a_case()
    place = document
    for key in path[:-1]:
        place = place[key]
    if path:
        place[path[-1]] = junk
    else:
        document = junk
    assert _answer_or_code(document)


def _answer_or_code(document: Any) -> str:
    try:
        return str(quote(document, registry=PACKS)["verdict"])
    except DomainError as refused:
        return refused.code and refused.sentence()
