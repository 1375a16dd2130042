"""What ``policy check`` proves, over the whole table: each kind of finding, and the proofs against counting out."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from makegood.policy.check import Finding, check_pack, check_registry
from makegood.policy.check.reach import kind_domains
from makegood.policy.check.space import Space
from makegood.policy.check.worth import is_never_less, smaller_somewhere
from makegood.policy.cli import policy_app
from makegood.policy.formulas import evaluate, facts_in, parse_formula
from makegood.policy.judge import judge
from makegood.policy.packs import Pack
from makegood.policy.registry import EU, SHIPPED
from tests.policy.cases import PACKS, a_pack, a_rule, refund

BY = PACKS.combination()
FULL = refund("line.price_paid")
HALF = refund("50% * line.price_paid")


def errors(pack: Pack, *laws: Pack) -> list[Finding]:
    return [found for found in check_pack(pack, list(laws), BY) if found.level == "error"]


def codes(pack: Pack, *laws: Pack) -> list[tuple[str, str]]:
    return [(found.code, found.rule) for found in errors(pack, *laws)]


def test_the_shipped_packs_have_no_errors() -> None:
    found = [finding.line() for finding in check_registry(PACKS) if finding.level == "error"]

    assert found == []


def test_a_rule_that_earlier_rules_cover_together_is_unreachable() -> None:
    pack = a_pack(
        a_rule(FULL, rule_id="early", when='days_since_delivery: "<= 7"', priority=3),
        a_rule(FULL, rule_id="late", when='days_since_delivery: "> 7"', priority=2),
        a_rule(FULL, rule_id="never", when="line.opened: true", priority=1),
    )

    assert codes(pack) == [("unreachable", "never")]


def test_a_rule_that_contradicts_itself_is_unreachable() -> None:
    when = 'days_since_delivery: "<= 7", months_since_delivery: "> 1"'

    assert codes(a_pack(a_rule(FULL, when=when))) == [("unreachable", "r")]


def test_an_unverified_rule_covers_nothing() -> None:
    pack = a_pack(
        a_rule(FULL, rule_id="guess", priority=2, status="unverified"),
        a_rule(FULL, rule_id="sound", priority=1),
    )

    assert codes(pack) == []


def test_rules_of_one_priority_that_overlap_and_differ_conflict() -> None:
    pack = a_pack(
        a_rule(FULL, rule_id="a", when='days_since_delivery: "<= 7"'),
        a_rule(HALF, rule_id="b", when="line.opened: true"),
    )
    [found] = errors(pack)

    assert (found.code, found.rule) == ("conflict", "b")
    assert found.witness["line.opened"] is True
    assert found.witness["days_since_delivery"] <= 7


@pytest.mark.parametrize(
    ("second", "when"),
    [(FULL, "line.opened: true"), (HALF, 'days_since_delivery: "> 7"')],
    ids=["the same effect", "never at once"],
)
def test_rules_that_agree_or_never_meet_do_not_conflict(second: str, when: str) -> None:
    pack = a_pack(a_rule(FULL, rule_id="a", when='days_since_delivery: "<= 7"'), a_rule(second, rule_id="b", when=when))

    assert codes(pack) == []


def test_a_merchants_rule_that_gives_less_than_the_law_is_named_with_the_case() -> None:
    law = a_pack(a_rule(FULL, rule_id="law", when='days_since_delivery: "<= 7"'), kind="law")
    shop = a_pack(a_rule(HALF, rule_id="shop", when="line.opened: true"))
    [found] = errors(shop, law)

    assert (found.code, found.rule) == ("below_the_law", "shop")
    assert found.witness["line.opened"] is True
    assert found.witness["days_since_delivery"] <= 7
    assert "line.price_paid = " in found.text


def test_a_merchants_refusal_of_what_the_law_gives_is_named() -> None:
    law = a_pack(a_rule(FULL, rule_id="law", when='days_since_delivery: "<= 7"'), kind="law")
    shop = a_pack(a_rule("deny: {reason_code: opened}", rule_id="shop", when="line.opened: true"))

    assert codes(shop, law) == [("below_the_law", "shop")]


@pytest.mark.parametrize(
    "shop",
    [
        a_rule(FULL, when='days_since_delivery: "<= 30"'),
        a_rule(refund("max(line.price_paid, 10 CNY)")),
        a_rule(HALF, when='days_since_delivery: "> 7"'),
        a_rule("deny: {reason_code: no, of: [goodwill]}"),
        a_rule("grant: [{kind: replacement}]"),
    ],
    ids=["longer", "more", "outside the law's cases", "another loss", "a thing of the same worth"],
)
def test_what_gives_as_much_or_speaks_of_other_cases_is_not_below_the_law(shop: str) -> None:
    law = a_pack(a_rule(FULL, rule_id="law", when='days_since_delivery: "<= 7"'), kind="law")

    assert codes(a_pack(shop), law) == []


def test_a_hole_between_rules_of_one_fact_is_told() -> None:
    def dated(rule_id: str, dates: str, priority: int) -> str:
        return a_rule(FULL, rule_id=rule_id, priority=priority).replace("    when:", f"    {dates}\n    when:")

    pack = a_pack(dated("az-31", "valid_to: 2024-01-01", 2), dated("az-31-now", "valid_from: 2024-02-01", 1))

    assert codes(pack) == [("hole_in_dates", "az-31-now")]


def test_a_list_of_the_unions_markets_that_forgets_one_is_told() -> None:
    members = sorted(EU)

    def listed(names: list[str]) -> list[tuple[str, str]]:
        return codes(a_pack(a_rule(FULL, when=f'market: "not in [{", ".join(names)}]"')))

    assert (listed(members), listed(members[1:]), listed(["DE", "FR"])) == ([], [("union_incomplete", "r")], [])


def test_the_command_names_the_witness_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (SHIPPED / "house" / "pack.yaml").read_text(encoding="utf-8")
    (tmp_path / "house").mkdir()
    law = words.replace("id: house\n", "id: law\n").replace("kind: merchant", "kind: law")
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "pack.yaml").write_text(law, encoding="utf-8")
    shorted = words.replace("amount: line.price_paid", "amount: 90% * line.price_paid", 1)
    (tmp_path / "house" / "pack.yaml").write_text(shorted, encoding="utf-8")
    monkeypatch.setenv("MAKEGOOD_POLICIES", str(tmp_path))
    result = CliRunner().invoke(policy_app, ["check"])

    assert result.exit_code == 1
    assert "house-cancel-lost: gives less" in result.stdout
    assert "parcel.position = lost" in result.stdout


CELLS = st.dictionaries(
    st.sampled_from(["line.opened", "line.category", "days_since_delivery"]),
    st.sampled_from(["x"]),
    max_size=3,
)
TESTS = {
    "line.opened": ["true", "false", "not true"],
    "line.category": ["in [food, toys]", "food", "not food"],
    "days_since_delivery": ["<= 7", "> 7", "[3..9]", "== 8"],
}


@st.composite
def small_packs(draw: st.DrawFn) -> Pack:
    rules = []
    for at in range(draw(st.integers(1, 5))):
        cells = {fact: draw(st.sampled_from(TESTS[fact])) for fact in draw(CELLS)}
        when = ", ".join(f'{fact}: "{cell}"' for fact, cell in cells.items())
        effect = draw(st.sampled_from([FULL, HALF, "deny: {reason_code: no}", "refer: true"]))
        rules.append(a_rule(effect, when=when, rule_id=f"r{at}", priority=draw(st.integers(0, 2))))
    return a_pack(*rules)


@given(pack=small_packs())
@settings(max_examples=150, deadline=None)
def test_unreachable_is_what_counting_out_every_case_finds(pack: Pack) -> None:
    space = Space([pack])
    domains = kind_domains(space, "return", "customer")
    names = [name for name in domains if name in {"line.opened", "line.category", "days_since_delivery"}]
    deciding: set[str] = set()
    for values in itertools.product(*(sorted(domains[name], key=str) for name in names)):
        row: dict[str, Any] = {"case.kind": "return", "case.claimant": "customer", "line.price_paid": 100}
        verdict = judge(pack, {**row, **dict(zip(names, values, strict=True))}, date(2026, 1, 1), BY)
        deciding |= {tried.rule.id for tried in (*verdict.granted.values(), *verdict.denied.values())}

    told = {found.rule for found in check_pack(pack, [], BY) if found.code == "unreachable"}

    assert told == {rule.id for rule in pack.rules} - deciding


AMOUNTS = [
    "line.price_paid", "50% * line.price_paid", "max(line.price_paid, 500 CNY)", "min(line.price_paid, 500 CNY)",
    "3 * line.price_paid - 20 CNY", "line.price_paid + case.loss", "line.price_paid / 3", "line.cost * line.quantity",
    "max(3 * line.price_paid, 500 CNY)", "min(order.shipping_paid, order.standard_shipping)", "order.shipping_paid",
]  # fmt: skip


@given(
    one=st.sampled_from(AMOUNTS), other=st.sampled_from(AMOUNTS), data=st.data()
)  # fmt: skip
def test_what_is_proved_never_to_be_less_never_is(one: str, other: str, data: st.DataObject) -> None:
    left, right = parse_formula(one), parse_formula(other)
    row = {name: data.draw(st.integers(0, 10**7)) for name in {*facts_in(left), *facts_in(right)}} | {"currency": "CNY"}
    more, less = evaluate(left, row), evaluate(right, row)
    assert more is not None
    assert less is not None

    if is_never_less(left, right):
        assert more >= less
        assert smaller_somewhere(left, right, "CNY") is None
    elif more < less:
        assert not is_never_less(left, right)


def test_every_amount_is_never_less_than_itself() -> None:
    assert all(is_never_less(parse_formula(text), parse_formula(text)) for text in AMOUNTS)


def test_days_and_months_of_one_moment_stand_for_all_counts_between_their_thresholds() -> None:
    """Day 60 lies in month 2 or 3, though the table tests only for month 18."""
    within = a_rule(FULL, when='days_since_refund: ">= 60", months_since_refund: "<= 18"')
    never = a_rule(FULL, when='days_since_refund: "<= 60", months_since_refund: "> 18"')

    assert codes(a_pack(within)) == []
    assert codes(a_pack(never)) == [("unreachable", "r")]
