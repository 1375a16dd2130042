"""No number of a shipped pack stands without a source: what no clause gives is the merchant's own, and says so."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from makegood.policy.check.words import check_words
from makegood.policy.explain import explain
from makegood.policy.facts import Facts
from makegood.policy.grid import read_content
from makegood.policy.packs import Pack
from makegood.policy.quote import outcome_of, quote
from tests.policy.cases import HOUSE, PACKS, a_case

TELEPHONE = r"telephone \d+"
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LATE = a_case(order={"delivered_at": "2026-10-01T00:00:00+08:00", "channel": "distance"})


def sourced(pack: Pack) -> set[str]:
    """Numbers of rules and notes: the loader takes none of them without a clause."""
    parts: list[Any] = [rule.model_dump() for rule in pack.written.rules]
    parts += [note.model_dump() for note in pack.written.notes]
    if pack.written.appeal:
        parts += [cite.model_dump() for cite in pack.written.appeal.cites]
    return set(NUMBER.findall(str(parts)))


def said_elsewhere(pack: Pack) -> Iterator[tuple[str, str]]:
    """Numbers in what a pack says beside its rules and notes."""
    for fact, refusal in pack.written.refusals.items():
        texts = str(refusal.model_dump())
        yield from ((f"refusals.{fact}", number) for number in NUMBER.findall(re.sub(r"\{[^}]*\}", "", texts)))
    if pack.written.appeal and pack.kind != "merchant":
        appeal = pack.written.appeal
        yield from (
            ("appeal", number) for number in NUMBER.findall(f"{appeal.within} {re.sub(TELEPHONE, '', appeal.to.en)}")
        )


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: f"{pack.id}-{pack.version}")
def test_every_number_of_a_shipped_pack_has_a_clause(pack: Pack) -> None:
    known = sourced(pack)
    loose = [(where, number) for where, number in said_elsewhere(pack) if number not in known]

    assert loose == []
    assert all(rule.cites for rule in pack.rules)
    assert all(note.cites for note in pack.written.notes)
    assert not [found for found in check_words(pack) if found.code == "appeal_not_cited"]


def with_appeal(pack: Pack, **appeal: Any) -> Pack:
    content = copy.deepcopy(pack.written.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    content.setdefault("rounding", pack.written.rounding)
    content["appeal"] = {"to": {"zh-Hans": "某处", "en": "somewhere"}, **appeal}
    return read_content(content, "appeal")


@pytest.mark.parametrize("status", ["", "unverified", "seen"])
def test_a_laws_time_to_appeal_needs_a_clause_that_was_read(status: str) -> None:
    [law] = [pack for pack in PACKS.packs if pack.id == "uk-consumer-law"]
    source = next(iter(law.written.sources))
    cites = [{"text": "section 1", "source": source, "status": status}] if status else []
    codes = [found.code for found in check_words(with_appeal(law, within="30d", cites=cites))]

    assert ("appeal_not_cited" in codes) == (status != "seen")


def test_a_merchant_may_set_its_own_time() -> None:
    assert "appeal_not_cited" not in [found.code for found in check_words(with_appeal(HOUSE, within="9d"))]


@pytest.mark.parametrize("packs", [["cn-consumer-law"], ["cn-consumer-law", "house"]])
def test_where_the_law_gives_no_time_the_day_is_told_to_be_the_merchants(packs: list[str]) -> None:
    answer = quote(LATE, pack_ids=packs, registry=PACKS)
    assert answer["appeal"]["set_by"] == "merchant"
    assert answer["appeal"]["until"] == "2026-12-14T10:00:00+08:00"
    outcome = outcome_of(Facts.from_json(LATE), pack_ids=packs, registry=PACKS)
    assert any("shop's own setting" in paragraph for paragraph in explain(outcome, "en").prose)
    assert any("商家自己定的" in paragraph for paragraph in explain(outcome, "zh-Hans").prose)


def test_the_time_of_the_merchants_own_pack_is_taken_first() -> None:
    outcome = outcome_of(Facts.from_json(LATE), pack_ids=["house"], registry=PACKS)
    assert outcome.as_json()["appeal"]["until"] == "2026-12-14T10:00:00+08:00"
    assert "set_by" not in outcome.as_json()["appeal"]


def test_packs_that_said_nothing_are_left_out_of_the_words_only() -> None:
    document = a_case("refusal", "changed_mind", parcel={"position": "at_door"})
    outcome = outcome_of(Facts.from_json(document), pack_ids=["cn-consumer-law", "house", "card-networks"])
    told = explain(outcome, "en")

    assert [pack["id"] for pack in told.as_json()["packs"]] == [pack.id for pack in outcome.packs]
    silent = [pack for pack in told.packs if not pack.spoke]
    assert silent
    assert all(pack.title not in told.prose[-1] for pack in silent)
    assert any(pack.title in told.prose[-1] for pack in told.packs if pack.spoke)


def test_findings_are_told_in_both_languages() -> None:
    [law] = [pack for pack in PACKS.packs if pack.id == "uk-consumer-law"]
    found = list(check_words(with_appeal(law, within="30d")))

    assert {"appeal_not_cited", "unverified"} <= {one.code for one in found}
    for one in found:
        assert one.text_in("en") == one.text
        assert re.search("[\u4e00-\u9fff]", one.text_in("zh-hans"))
        assert not re.search("[\u4e00-\u9fff]", one.text)
