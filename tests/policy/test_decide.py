"""What decisions never do: grant on the unknown, give more than was paid, or answer differently twice."""
# ruff: noqa: E501 - the space of cases reads best as a table

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.policy.decide import decide
from makegood.policy.facts import Facts
from makegood.policy.outcome import Outcome
from makegood.policy.packs import Pack
from makegood.policy.quote import outcome_of, quote, replay
from makegood.policy.reasons import TREE, reasons_of
from makegood.policy.vocabulary import CONDITIONS, EVIDENCE, FAULTS, POSITIONS
from tests.policy.cases import HOUSE, PACKS, a_case, a_pack, a_rule, refund

GRANTED = {"grant", "partly"}
cents = st.integers(0, 10**7)


def amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def decided(document: dict[str, Any], *packs: Pack, on: date | None = None) -> Outcome:
    return decide(Facts.from_json(document), packs or [HOUSE], on, by=PACKS.combination())


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    """Cases of every kind, with any fact known or not."""

    def maybe(strategy: Any) -> Any:
        return draw(st.none() | strategy)

    kind = draw(st.sampled_from(sorted(TREE)))
    days = st.integers(1, 120).map(lambda n: f"2026-{1 + (n - 1) // 28:02}-{1 + (n - 1) % 28:02}T12:00:00+08:00")
    lines = [
        {
            "id": str(n),
            "quantity": (quantity := draw(st.integers(1, 5))),
            "paid": maybe(cents.map(amount)),
            "units_given_back": maybe(st.integers(0, quantity)),
            "refunded_before": maybe(cents.map(amount)),
            "category": maybe(st.sampled_from(["food", "durable"])),
            "excluded_from_no_reason": maybe(st.booleans()),
        }
        for n in range(draw(st.integers(1, 3)))
    ]
    return {
        "market": maybe(st.sampled_from(["CN", "DE", "US"])),
        "currency": "CNY",
        "asked_at": "2026-05-14T10:00:00+08:00",
        "order": {
            "lines": lines, "shipping_paid": maybe(cents.map(amount)), "delivered_at": maybe(days), "promised_by": maybe(days),
            "free_shipping": maybe(st.booleans()), "refunded_before": maybe(cents.map(amount)),
            "shipping_refunded_before": maybe(cents.map(amount)), "fulfilled_by": maybe(st.sampled_from(["seller", "platform"])),
        },
        "case": {
            "kind": kind, "reason": maybe(st.sampled_from([leaf.code for leaf in reasons_of(kind)])),
            "wants": maybe(st.sampled_from(["refund", "replacement"])), "return_freight": maybe(cents.map(amount)),
        },
        "parcel": {"position": maybe(st.sampled_from(POSITIONS)), "condition": maybe(st.sampled_from(CONDITIONS))},
        "findings": {"fault": maybe(st.sampled_from(FAULTS))},
        "change": {"new_items_available": maybe(st.booleans()), "to_refund": maybe(cents.map(amount))},
        "evidence": draw(st.lists(st.fixed_dictionaries({"kind": st.sampled_from(sorted(EVIDENCE)), "absent": st.booleans()}), max_size=3)),
    }  # fmt: skip


def known(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of everything that is known and could be forgotten."""
    kept = {"currency", "asked_at", "kind", "id", "quantity", "lines"}
    for key, value in document.items() if isinstance(document, dict) else enumerate(document):
        if isinstance(value, dict | list):
            yield from known(value, (*path, key))
        elif value is not None and key not in kept and path[:1] != ("evidence",):
            yield (*path, key)


def given_in_all(outcome: Outcome) -> int:
    return outcome.total.minor


@settings(max_examples=150, deadline=None)
@given(document=documents(), data=st.data())
def test_forgetting_a_fact_never_grants_what_knowing_it_refused(document: dict[str, Any], data: Any) -> None:
    # What the pack declares to assume until somebody says otherwise is known by that declaration; and what was
    # given back before is the ledger's to tell, not a condition of any rule.
    assumed = {name.split(".")[-1] for name in HOUSE.assume}
    told_by_ledger = {"units_given_back", "refunded_before", "shipping_refunded_before"}
    # Evidence that someone else is at fault is not a condition either, but the leaf it overrules is one.
    paths = [path for path in known(document) if path[-1] not in assumed | told_by_ledger | {"fault", "market"}]
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    forgotten = copy.deepcopy(document)
    place: Any = forgotten
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = None

    before, after = decided(document), decided(forgotten)

    if before.verdict == "deny":
        assert after.verdict not in GRANTED, path
    if before.verdict in GRANTED | {"deny"}:
        assert given_in_all(after) <= given_in_all(before), path


@settings(max_examples=150, deadline=None)
@given(document=documents())
def test_no_line_gives_back_more_than_was_paid_for_it_and_is_left(document: dict[str, Any]) -> None:
    facts = Facts.from_json(document)
    outcome = decide(facts, [HOUSE], by=PACKS.combination())
    for row in facts.rows:
        back = sum(r.minor for r in outcome.remedies if r.line == row.get("line.id") and r.kind == "refund")
        assert back <= row.get("line.price_paid", 10**18)
        if "line.paid" in row:
            assert back <= max(0, row["line.paid"] - row.get("line.refunded_before", 0))
    row = facts.rows[0]
    shipping = sum(r.minor for r in outcome.remedies if r.kind == "shipping_refund")
    if "order.shipping_paid" in row:
        assert shipping <= max(0, row["order.shipping_paid"] - row.get("order.shipping_refunded_before", 0))
    if "order.paid" in row:
        refunds = sum(r.minor for r in outcome.remedies if r.kind in {"refund", "shipping_refund"})
        assert refunds <= max(0, row["order.paid"] - row.get("order.refunded_before", 0))
    assert all(remedy.minor >= 0 for remedy in outcome.remedies)


@settings(max_examples=100, deadline=None)
@given(document=documents(), more=st.integers(1, 10**6))
def test_more_paid_never_means_less_refunded(document: dict[str, Any], more: int) -> None:
    richer = copy.deepcopy(document)
    line = richer["order"]["lines"][0]
    # More was paid for the first line alone; shipping is shared by what was paid, so only the sum may be compared.
    if line["paid"] is None:
        return
    line["paid"] = amount(int(Decimal(line["paid"]) * 100) + more)
    richer["case"].pop("lines", None)
    before, after = decided(document), decided(richer)
    assert given_in_all(after) >= given_in_all(before) - _moved_shipping(before, after)
    if before.total.minor > 0:
        assert after.verdict in GRANTED


def _moved_shipping(before: Outcome, after: Outcome) -> int:
    """Shipping that went over to lines which are not asked, because another line was dearer."""
    sums = [sum(r.minor for r in out.remedies if r.kind == "shipping_refund") for out in (before, after)]
    return max(0, sums[0] - sums[1])


@settings(max_examples=100, deadline=None)
@given(
    document=documents(),
    lang=st.sampled_from(["zh-Hans", "en"]),
    on=st.none() | st.dates(date(2021, 1, 1), date(2027, 1, 1)),
)
def test_i5_stored_facts_and_policy_replay_to_the_stored_outcome(
    document: dict[str, Any], lang: str, on: date | None
) -> None:
    facts = Facts.from_json(document)
    outcome = outcome_of(facts, on=on, registry=PACKS)
    stored_facts, stored = facts.canonical(), outcome.canonical(lang)

    assert replay(stored_facts, json.loads(stored)["policy"], registry=PACKS) == stored
    assert len(json.loads(stored)["policy"]["hash"]) == 64
    assert outcome.trace() == outcome_of(Facts.from_json(json.loads(stored_facts)), on=on, registry=PACKS).trace()


@settings(max_examples=100, deadline=None)
@given(document=documents())
def test_every_answer_has_its_reasons(document: dict[str, Any]) -> None:
    told = decided(document).as_json("zh-Hans")
    assert set(told) == {
        "verdict", "total", "remedies", "refused", "evidence_needed", "referred", "claw_back", "appeal", "policy"
    }  # fmt: skip
    if told["verdict"] == "deny":
        assert told["refused"]
        assert told["remedies"] == []
        assert told["appeal"]
    if told["verdict"] == "need_evidence":
        assert told["evidence_needed"]
    if told["verdict"] == "refer":
        assert told["referred"]
    if told["verdict"] == "partly":
        assert told["refused"] or told["evidence_needed"] or told["referred"]
    for refused in told["refused"]:
        assert refused["failed"]["fact"]
        assert refused["failed"]["needed"]
        assert refused["failed"]["was"]
        assert refused["text"]
    for remedy in told["remedies"]:
        assert remedy["cites"]
        assert remedy["text"]
        assert "{" not in remedy["text"]


ALWAYS = "line.paid: known"


def test_an_unverified_rule_only_refers() -> None:
    grants = a_pack(a_rule(refund("line.price_paid"), when=ALWAYS, status="unverified"))
    told = decided(a_case(), grants).as_json()
    assert (told["verdict"], told["remedies"], told["referred"][0]["unverified"]) == ("refer", [], True)

    denies = a_rule("deny: {reason_code: no}", when=ALWAYS, rule_id="no", priority=1, status="unverified")
    outcome = decided(a_case(), a_pack(denies, a_rule(refund("line.price_paid"), when=ALWAYS)))
    assert (outcome.verdict, len(outcome.referrals)) == ("grant", 1)


def test_a_no_that_cannot_be_excluded_holds_the_yes_back_and_asks() -> None:
    denies = a_rule("deny: {reason_code: fraud}", when="findings.fraud: true", rule_id="no", priority=1)
    pack = a_pack(denies, a_rule(refund("line.price_paid"), when=ALWAYS))

    told = decided(a_case(), pack).as_json()
    assert (told["verdict"], told["remedies"]) == ("need_evidence", [])
    assert [(need["kind"], need["fact"], need["for"]) for need in told["evidence_needed"]] == [
        ("report", "findings.fraud", "no")
    ]
    assert decided(a_case(findings={"fraud": False}), pack).verdict == "grant"
    refused = decided(a_case(findings={"fraud": True}), pack).as_json()["refused"][0]
    assert (refused["reason_code"], refused["failed"]["was"]) == ("fraud", "true")


def test_what_is_sure_is_granted_while_more_waits_for_its_fact() -> None:
    more = a_rule(refund("line.price_paid"), when="findings.fault: seller", rule_id="more", priority=1)
    less = a_rule(refund("50% * line.price_paid"), when=ALWAYS, rule_id="less")
    told = decided(a_case(), a_pack(more, less)).as_json()
    assert (told["verdict"], told["total"]["amount"]) == ("grant", "50.01")
    assert told["evidence_needed"][0]["for"] == "more"

    # The other way round the dearer rule must wait: the cheaper one that comes first may turn out to hold.
    first_less = a_rule(refund("50% * line.price_paid"), when="findings.fault: customer", rule_id="less", priority=1)
    then_more = a_rule(refund("line.price_paid"), when=ALWAYS, rule_id="more")
    assert decided(a_case(), a_pack(first_less, then_more)).verdict == "need_evidence"


def test_an_amount_that_cannot_be_known_is_asked_for() -> None:
    pack = a_pack(a_rule(refund("min(case.loss, line.price_paid)"), when=ALWAYS))
    told = decided(a_case(), pack).as_json()
    assert (told["verdict"], told["evidence_needed"][0]["kind"]) == ("need_evidence", "receipt")
    assert decided(a_case(case={"loss": "5.00"}), pack).total.amount() == "5.00"


def test_an_amount_in_another_currency_is_never_read_as_this_one() -> None:
    pack = a_pack(a_rule("grant: [{kind: damages, amount: 500 CNY}]", when=ALWAYS))
    assert decided(a_case(), pack).total.amount() == "500.00"
    assert decided(a_case(currency="EUR"), pack).verdict == "need_evidence"


def test_the_rules_of_the_day_decide() -> None:
    rule = a_rule(refund("line.price_paid"), when=ALWAYS).replace("kinds:", "valid_from: 2026-11-15\n    kinds:")
    assert decided(a_case(), a_pack(rule)).verdict == "deny"
    assert decided(a_case(), a_pack(rule), on=date(2026, 11, 15)).verdict == "grant"
    # 2026-11-14 16:00 in Greenwich is already the 15th in China, wherever the asker writes from.
    assert decided(a_case(asked_at="2026-11-14T16:00:00+00:00"), a_pack(rule)).verdict == "grant"


def test_nothing_applies_means_a_refusal_that_says_so() -> None:
    told = decide(Facts.from_json(a_case()), [], by=PACKS.combination()).as_json()
    assert (told["verdict"], told["refused"][0]["reason_code"]) == ("deny", "not_covered")


@pytest.mark.parametrize(
    ("line", "code"),
    [({"units_given_back": 2}, "already_given_back"), ({"refunded_before": "100.01"}, "already_refunded")],
)
def test_what_was_given_back_before_is_not_given_again(line: dict[str, Any], code: str) -> None:
    order = {"lines": [{"id": "1", "quantity": 2, "paid": "100.01", **line}]}
    told = decided(a_case(order=order), a_pack(a_rule(refund("line.price_paid"), when=ALWAYS))).as_json()
    assert (told["verdict"], told["refused"][0]["reason_code"]) == ("deny", code)


def test_the_trace_shows_every_cell_what_was_assumed_and_the_arithmetic() -> None:
    outcome = decided(a_case(order={"delivered_at": "2026-11-10T00:00:00+08:00"}))
    trace = outcome.trace()
    [rule] = [entry for entry in trace if entry.get("rule") == "house-return-no-reason" and "cells" in entry]
    cells = {cell["fact"]: cell for cell in rule["cells"]}
    assert cells["days_since_delivery"] == {
        "fact": "days_since_delivery", "needed": "<= 7", "was": "4", "result": "holds"
    }  # fmt: skip
    assert cells["line.excluded_from_no_reason"]["assumed"] is True
    [sum_] = [entry for entry in trace if entry.get("arithmetic") == "refund"]
    assert (sum_["formula"], sum_["values"], sum_["after_caps"]) == (
        "line.price_paid", {"line.price_paid": "100.01 CNY"}, "100.01"
    )  # fmt: skip


def test_a_quote_speaks_both_languages() -> None:
    document = a_case(order={"delivered_at": "2026-10-01T00:00:00+08:00"})
    zh, en = (quote(document, lang=lang, registry=PACKS)["refused"][0]["text"] for lang in ("zh-Hans", "en"))
    assert zh == "签收已 44 天，期限为不超过 7 天。"
    assert en == "It was delivered 44 days ago; the limit is at most 7 days."


def test_a_refund_of_what_nobody_knows_was_paid_is_asked_about() -> None:
    pack = a_pack(a_rule(refund("change.to_refund"), when="case.reason: known"))
    unpaid = {"lines": [{"id": "1", "quantity": 2}]}
    told = decided(a_case(order=unpaid, change={"to_refund": "5.00"}), pack).as_json()
    assert (told["verdict"], told["evidence_needed"][0]["fact"]) == ("need_evidence", "line.paid")
    assert decided(a_case(change={"to_refund": "5.00"}), pack).total.amount() == "5.00"
    assert decided(a_case(change={"to_refund": "500.00"}), pack).total.amount() == "100.01"


def test_a_remedy_for_the_order_is_given_once_and_capped_by_all_its_lines() -> None:
    once = 'grant: [{kind: refund, amount: "90 CNY", scope: order}]'
    lines = [{"id": str(n), "quantity": 1, "paid": "40.00"} for n in (1, 2)]
    [remedy] = decided(a_case(order={"lines": lines}), a_pack(a_rule(once, when=ALWAYS))).remedies
    assert (remedy.line, remedy.minor) == (None, 80_00)


def test_a_claim_about_units_given_back_before_is_heard_but_not_paid_again() -> None:
    line = {"id": "1", "quantity": 2, "paid": "100.01", "units_given_back": 2}
    back = {"lines": [line], "state": "delivered"}
    assert decided(a_case("claim", "refund_missing", order=back)).verdict == "refer"
    again = decided(a_case("claim", "not_received", order=back, findings={"fault": "carrier"}))
    assert (again.verdict, again.refused[0].reason_code) == ("deny", "already_given_back")
    half = {"lines": [{**line, "units_given_back": 1}], "state": "delivered"}
    rest = decided(a_case("claim", "not_received", order=half, findings={"fault": "carrier"}))
    assert rest.as_json()["remedies"][0]["amount"] == "50.00"


CONTRACT_EXAMPLE = {
    "market": "CN", "platform": "tmall", "currency": "CNY", "asked_at": "2026-11-14T10:00:00+08:00",
    "order": {
        "ordered_at": "2026-11-01T20:00:00+08:00", "shipped_at": "2026-11-03T09:00:00+08:00", "promised_by": "2026-11-12T23:59:00+08:00",
        "shipping_paid": "12.00", "free_shipping": False, "fulfilled_by": "seller", "paid_on_platform": True, "channel": "distance",
        "standard_shipping": "8.00", "payment": "card",
        "lines": [{
            "id": "1", "category": "furniture", "quantity": 2, "paid": "5998.00", "excluded_from_no_reason": False,
            "promotion": "double-11", "opened": False, "cost": "1000.00", "confirmed_no_return": False,
        }],
    },
    "case": {"kind": "refusal", "reason": "damaged_on_arrival", "lines": [{"id": "1", "quantity": 1}], "reported_at": "2026-11-14T09:00:00+08:00"},
    "parcel": {"position": "at_door", "condition": "damaged"},
    "evidence": [{"kind": "photo", "of": "1"}],
    "findings": {"fraud": False, "unsafe_food": False, "fault": "carrier"},
    "customer": {"is_consumer": True, "knowing_buyer": False},
}  # fmt: skip


def test_the_contracts_example_is_read_and_answered_in_its_shape() -> None:
    answer = quote(CONTRACT_EXAMPLE, pack_ids=["house"], registry=PACKS)
    remedy = answer["remedies"][0]
    assert answer["total"] == {"currency": "CNY", "amount": "3005.00"}
    assert set(remedy) == {
        "kind", "line", "quantity", "amount", "borne_by", "due_by", "after", "rule", "cites", "text"
    }  # fmt: skip
    assert (remedy["kind"], remedy["line"], remedy["quantity"], remedy["amount"]) == ("refund", "1", 1, "2999.00")
    assert [pack["id"] for pack in answer["policy"]["packs"]] == ["house"]


def test_i5_another_process_says_the_same_to_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(CONTRACT_EXAMPLE), encoding="utf-8")
    program = "import sys; from makegood.policy.cli import quote_command as q; import typer; typer.run(q)"
    answers = {
        subprocess.run(
            [sys.executable, "-c", program, str(file), "--json"],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(answers) == 1
    assert json.loads(answers.pop())["verdict"] == "grant"
