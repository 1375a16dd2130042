"""A pack that is wrong says where: file, line, rule and cell."""
# ruff: noqa: E501 - the table of mistakes reads best one a line

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from makegood.policy.check import check_pack, check_registry
from makegood.policy.packs import PackMalformed, load_pack, read_pack
from makegood.policy.registry import SHIPPED, PackHashUnknown, PackNotInForce, PackUnknown, Registry
from tests.policy.cases import HOUSE, PACK, PACKS, a_pack, a_rule, refund

GOOD = PACK.format(kind="merchant", rules=a_rule(refund("line.price_paid"), when='days_since_delivery: "<= 7"'))


def wrong(old: str, new: str) -> PackMalformed:
    assert old in GOOD, old
    with pytest.raises(PackMalformed) as caught:
        read_pack(GOOD.replace(old, new), "test/pack.yaml")
    return caught.value


def test_the_good_one_is_good() -> None:
    assert [rule.id for rule in read_pack(GOOD, "test/pack.yaml").rules] == ["r"]


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "cell", "problem"),
    [
        ('"<= 7"', '"<= soon"', 13, "r", "when.days_since_delivery", "'soon' is not a whole number"),
        ("days_since_delivery", "days_since_delivry", 13, "r", "when.days_since_delivry", "nearest is days_since_delivery"),
        ("line.price_paid", "line.price_payed", 14, "r", "grant.0.amount", "no fact 'line.price_payed'"),
        ("line.price_paid", "3", 14, "r", "grant.0.amount", "not an amount"),
        ("line.price_paid", "line.price_paid + 1", 14, "r", "grant.0.amount", "mixes"),
        ("line.price_paid", "__import__('os')", 14, "r", "grant.0.amount", "not expected"),
        ("line.price_paid", "line.price_paid,", 14, "r", "grant.0.amount", "not expected"),
        ("kind: refund", "kind: gift", 14, "r", "grant.0.kind", "Input should be"),
        ("kind: refund,", "kind: refund, due: soon,", 14, "r", "grant.0.due", "not a due time"),
        ("kind: refund,", "kind: refund, due: 7d after tea,", 14, "r", "grant.0.due", "not a due time"),
        ("source: s", "source: t", 15, "r", "cites.0.source", "'t' is not among sources"),
        ("status: seen", "status: heard", 15, "r", "cites.0.status", "Input should be"),
        ('en: "Text"', 'eng: "Text"', 16, "r", "text.en", "Field required"),
        ('"文字"', '"文字{nothing}"', 16, "r", "text.zh-Hans", "no fact 'nothing'"),
        ("kinds: [return]", "kinds: [holiday]", 12, "r", "kinds.0", "Input should be"),
        ("kinds: [return]", "kinds: [return]\n    reasons: [too_slow]", 13, "r", "reasons.0", "not a reason of a return"),
        ("priority: 0", "priority: high", 11, "r", "priority", "valid integer"),
        ("priority: 0", "valid_from: 2026-01-01\n    valid_to: 2025-01-01", 12, "r", "valid_to", "not after"),
        ("kinds: [return]", "kinds: [return]\n    refer: true", 10, "r", "-", "exactly one of"),
        ("kinds: [return]", "kinds: [return]\n    evidence: [rumour]", 10, "r", "-", "'rumour'"),
        ("kinds: [return]", "kinds: [return]\n    kinds: [claim]", 13, "-", "kinds", "written twice"),
        ("rounding: half_up", "rounding: lucky", 7, "-", "rounding", "Input should be"),
        ("rounding: half_up", "rounding: half_up\nassume: {order.free_shipping: maybe}", 8, "-", "assume.order.free_shipping", "true or false"),
        ("rounding: half_up", "rounding: half_up\ndated_by: line.paid", 8, "-", "dated_by", "not a fact that is a time"),
        ("valid_from: 2020-01-01", "valid_from: 2020-01-01\nvalid_to: 2019-01-01", 7, "-", "valid_to", "not after"),
        ("valid_from: 2020-01-01", "valid_from: soon", 6, "-", "valid_from", "valid date"),
        ("id: test", "id: [", 3, "-", "-", "expected"),
        ("id: test", "id: test\n1: yes", 2, "-", "-", "not a text"),
        ("id: test", "id: &a test\nversion2: *a", 2, "-", "-", "alias"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(
    old: str, new: str, line: int, rule: str, cell: str, problem: str
) -> None:
    error = wrong(old, new)
    assert error.field == f"test/pack.yaml:{line}"
    assert (error.details["in_rule"], error.details["cell"]) == (rule, cell)
    assert problem in error.details["problem"]
    assert error.field in error.sentence()
    assert error.details["problem"] in error.sentence()


def test_a_rule_id_is_used_once() -> None:
    with pytest.raises(PackMalformed, match="r is used twice"):
        a_pack(a_rule("allow: true"), a_rule("refer: true"))


def test_a_missing_folder_and_a_file_that_is_no_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(PackUnknown):
        Registry.from_folder(tmp_path)
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "pack.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PackMalformed, match=r"p/pack\.yaml:1"):
        load_pack(tmp_path / "p" / "pack.yaml")


def versions(*dates: tuple[str, str]) -> Registry:
    texts = [
        GOOD.replace("valid_from: 2020-01-01", f"valid_from: {start}" + (f"\nvalid_to: {end}" if end else ""))
        .replace('version: "1"', f'version: "{start}"')
        for start, end in dates
    ]  # fmt: skip
    return Registry([read_pack(text, f"test/{n}.yaml") for n, text in enumerate(texts)])


def test_the_version_in_force_on_the_day_is_used_and_old_ones_stay_by_hash() -> None:
    registry = versions(("2020-01-01", ""), ("2026-02-01", ""))
    old, new = registry.versions("test")
    assert registry.named(["test"], date(2026, 1, 31)) == [old]
    assert registry.named(["test"], date(2026, 2, 1)) == [new]
    assert registry.of_hash(old.hash) is old
    assert old.hash != new.hash
    with pytest.raises(PackNotInForce):
        registry.named(["test"], date(2019, 12, 31))
    with pytest.raises(PackUnknown):
        registry.named(["tests"], date(2026, 1, 1))
    with pytest.raises(PackHashUnknown):
        registry.of_hash("0123")


def test_two_versions_may_not_begin_together_and_a_hole_between_them_is_found() -> None:
    with pytest.raises(PackMalformed, match="is the same as in"):
        versions(("2020-01-01", "2026-02-01"), ("2020-01-01", ""))
    findings = check_registry(versions(("2020-01-01", "2026-01-01"), ("2026-02-01", "")))
    assert [finding.code for finding in findings] == ["hole_in_dates"]


def test_the_hash_is_of_what_is_said_not_of_how_it_is_laid_out() -> None:
    same = read_pack("# a remark\n" + GOOD.replace('version: "1"', "version:   '1'"), "elsewhere.yaml")
    assert same.hash == read_pack(GOOD, "test/pack.yaml").hash
    assert read_pack(GOOD.replace("<= 7", "<= 8"), "test/pack.yaml").hash != same.hash


def test_packs_apply_by_market_platform_and_day() -> None:
    def applying(market: str, platform: str) -> list[str]:
        return [pack.id for pack in PACKS.applying(market=market, platform=platform, day=date(2026, 11, 14))]

    assert "house" in applying("CN", "own-store")
    assert "tau-retail" not in applying("US", "own-store")
    assert "tau-retail" in applying("US", "tau-retail")
    assert applying("CN", "own-store") == sorted(applying("CN", "own-store"))

    member = Registry([read_pack(GOOD.replace("markets: any", "markets: [EU]"), "test/pack.yaml")])
    assert member.applying(market="DE", platform="", day=date(2026, 1, 1))
    assert not member.applying(market="CH", platform="", day=date(2026, 1, 1))


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: pack.id)
def test_every_shipped_pack_passes_its_check(pack: object) -> None:
    assert [finding for finding in check_registry(PACKS) if finding.level == "error"] == []


def test_every_paragraph_a_house_rule_cites_stands_in_the_house_policy() -> None:
    words = (SHIPPED / "house" / "policy.md").read_text(encoding="utf-8")
    cited = {cite.text.removeprefix("House policy ") for rule in HOUSE.rules for cite in rule.cites}
    paragraphs = {part for cite in cited for part in cite.replace(" to ", ", ").split(", ")}
    assert paragraphs
    assert [part for part in paragraphs if f"**{part}**" not in words] == []


def test_check_finds_texts_in_the_wrong_language_and_rules_that_never_decide() -> None:
    twin = a_rule(refund("line.price_paid"), rule_id="twin", when='days_since_delivery: "<= 7"', priority=-1)
    text = GOOD.replace('"文字"', '"Text"') + twin.replace('en: "Text"', 'en: "文字 {fault}"')
    codes = {
        (finding.rule, finding.code)
        for finding in check_pack(read_pack(text, "test/pack.yaml"), [], PACKS.combination())
    }
    assert codes == {
        ("r", "text_not_translated"),
        ("twin", "text_not_translated"),
        ("twin", "texts_differ"),
        ("twin", "unreachable"),
    }
