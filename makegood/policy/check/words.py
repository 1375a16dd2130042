"""What is written in a pack: both languages everywhere, cites that say what they rest on, dates without a hole."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from makegood.policy.check.finding import Finding, finding
from makegood.policy.check.space import operands_in
from makegood.policy.packs import Pack, Rule
from makegood.policy.registry import EU, Registry
from makegood.policy.written import Text

HAN = re.compile(r"[\u4e00-\u9fff]")
FACT_ID = re.compile(r"[a-z]+-\d+")  # rules of one fact share it: az-31, az-31-since-2024


def check_words(pack: Pack) -> Iterator[Finding]:
    yield from _texts(pack)
    yield from _cites(pack)
    yield from _dates(pack)
    yield from _holes_between_rules(pack)
    yield from _unions(pack)


def _texts(pack: Pack) -> Iterator[Finding]:
    """The loader refuses missing texts; here: a Chinese text without Chinese, an English one with it."""
    for rule, where, text in _all_texts(pack):
        if not HAN.search(text.zh):
            yield finding(
                "error",
                "text_not_translated",
                pack,
                rule,
                (f"{where}: zh-Hans has no Chinese in it", f"{where}：zh-Hans 中没有中文"),
            )
        if HAN.search(text.en):
            yield finding(
                "error", "text_not_translated", pack, rule, (f"{where}: en has Chinese in it", f"{where}：en 中有中文")
            )
        if set(re.findall(r"\{[^{}]*\}", text.zh)) != set(re.findall(r"\{[^{}]*\}", text.en)):
            yield finding(
                "error",
                "texts_differ",
                pack,
                rule,
                (f"{where}: the two languages show different facts", f"{where}：两种语言提到的事实不同"),
            )


def _all_texts(pack: Pack) -> Iterator[tuple[Rule | None, str, Text]]:
    yield None, "title", pack.title
    if pack.appeal:
        yield None, "appeal.to", pack.appeal.to
    for fact, refusal in pack.refusals.items():
        for place, said in ((f"refusals.{fact}", refusal), (f"refusals.{fact}.below", refusal.below)):
            if said:
                yield None, place, said.text
            if said and said.would_change:
                yield None, f"{place}.would_change", said.would_change
    for note in pack.written.notes:
        yield None, f"notes.{note.id}", note.text
    for rule in pack.rules:
        yield rule, "text", rule.text
        yield from ((rule, f"grant.{remedy.kind}", remedy.text) for remedy in rule.remedies)
        if rule.deny and rule.deny.would_change:
            yield rule, "deny.would_change", rule.deny.would_change


def _cites(pack: Pack) -> Iterator[Finding]:
    used = {cite.source for rule in pack.rules for cite in rule.cites}
    used |= {cite.source for note in pack.written.notes for cite in note.cites}
    appeal = pack.written.appeal
    if appeal is not None:
        used |= {cite.source for cite in appeal.cites}
        sound = any(cite.status == "seen" for cite in appeal.cites)
        if pack.kind != "merchant" and appeal.within and not sound:
            text = (
                "appeal.within: a time that no source gives is not the law's: name its clause or leave it out",
                "appeal.within：没有出处的期限不是法律的期限：请写明条款，或者不写",
            )
            yield finding("error", "appeal_not_cited", pack, None, text)
    for source in pack.written.sources.keys() - used:
        yield finding(
            "note",
            "source_not_cited",
            pack,
            None,
            (f"the source {source} is cited by no rule", f"没有规则引用来源 {source}"),
        )
    for rule in pack.rules:
        if not rule.sound:
            yield finding(
                "note",
                "unverified",
                pack,
                rule,
                ("rests on an unverified cite: only refers to a person", "依据的条款未经核实：只交由人工处理"),
            )


def _dates(pack: Pack) -> Iterator[Finding]:
    for rule in pack.rules:
        starts_late = pack.valid_to is not None and rule.valid_from is not None and rule.valid_from >= pack.valid_to
        ends_early = rule.valid_to is not None and rule.valid_to <= pack.valid_from
        if starts_late or ends_early:
            yield finding(
                "error",
                "never_in_force",
                pack,
                rule,
                ("its dates lie outside those of the pack", "它的日期在政策包的日期之外"),
            )


def _holes_between_rules(pack: Pack) -> Iterator[Finding]:
    """Rules of one fact that take over from each other leave no day between them."""
    families: dict[tuple[str, tuple[str, ...]], list[Rule]] = {}
    for rule in pack.rules:
        if found := FACT_ID.match(rule.id):
            families.setdefault((found[0], rule.kinds), []).append(rule)
    for family in families.values():
        covered = None
        for rule in sorted(family, key=lambda rule: rule.valid_from or pack.valid_from):
            start = rule.valid_from or pack.valid_from
            if covered is not None and start > covered:
                fact = FACT_ID.match(rule.id)[0]  # type: ignore[index]
                text = (
                    f"no rule of {fact} is in force from {covered} to {start}",
                    f"{covered} 至 {start} 没有 {fact} 的规则生效",
                )
                yield finding("error", "hole_in_dates", pack, rule, text)
            end = rule.valid_to or pack.valid_to
            if end is None:
                break
            covered = end if covered is None else max(covered, end)


def _unions(pack: Pack) -> Iterator[Finding]:
    """A list of markets that names most members of the Union names all of them: one that is missing is forgotten."""
    for rule in pack.rules:
        for fact, cell in rule.cells:
            named = {operand.value for operand in operands_in(cell)} if fact == "market" else set()
            if len(named & EU) * 2 > len(EU) and not named >= EU:
                missing = ", ".join(sorted(EU - named))
                text = (
                    f"names most markets of the European Union but not {missing}",
                    f"列出了欧盟的大部分市场，但缺少 {missing}",
                )
                yield finding("error", "union_incomplete", pack, rule, text)


def check_versions(registry: Registry, packs: list[Pack]) -> Iterator[Finding]:
    for pack_id in dict.fromkeys(pack.id for pack in packs):
        versions = registry.versions(pack_id)
        for earlier, later in itertools.pairwise(versions):
            if earlier.valid_to is not None and earlier.valid_to < later.valid_from:
                text = (
                    f"no version is in force from {earlier.valid_to} to {later.valid_from}",
                    f"{earlier.valid_to} 至 {later.valid_from} 没有版本生效",
                )
                yield finding("error", "hole_in_dates", later, None, text)
