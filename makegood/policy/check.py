"""What can be said about a pack before it is used: cites, dates, texts, and rules that can never decide."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from makegood.policy.packs import Pack, Rule
from makegood.policy.registry import Registry

HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong (``error``) or worth knowing (``note``): where, and what."""

    level: str
    code: str
    pack: str
    rule: str
    where: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {
            "level": self.level, "code": self.code, "pack": self.pack, "rule": self.rule,
            "where": self.where, "text": self.text,
        }  # fmt: skip


def check_registry(registry: Registry, pack_ids: list[str] | None = None) -> list[Finding]:
    """Every finding about these packs (all where none is named). Raises PackUnknown."""
    packs = [pack for pack_id in pack_ids or registry.ids() for pack in registry.versions(pack_id)]
    return [finding for pack in packs for finding in check_pack(pack)] + list(_holes(registry, packs))


def check_pack(pack: Pack) -> list[Finding]:
    return [*_texts(pack), *_cites(pack), *_dates(pack), *_duplicates(pack)]


def _finding(level: str, code: str, pack: Pack, rule: Rule | None, text: str) -> Finding:
    where = f"{pack.file}:{rule.line}" if rule else pack.file
    return Finding(level, code, pack.id, rule.id if rule else "", where, text)


def _texts(pack: Pack) -> Iterator[Finding]:
    """The loader refuses missing texts; here: a Chinese text without Chinese, an English one with it."""
    named = [(None, "title", pack.title)]
    named += [(None, f"refusals.{fact}", said.text) for fact, said in pack.refusals.items()]
    for rule, where, text in [*named, *((rule, "text", rule.text) for rule in pack.rules)]:
        if not HAN.search(text.zh):
            yield _finding("error", "text_not_translated", pack, rule, f"{where}: zh-Hans has no Chinese in it")
        if HAN.search(text.en):
            yield _finding("error", "text_not_translated", pack, rule, f"{where}: en has Chinese in it")
        if set(re.findall(r"\{[^{}]*\}", text.zh)) != set(re.findall(r"\{[^{}]*\}", text.en)):
            yield _finding("error", "texts_differ", pack, rule, f"{where}: the two languages show different facts")


def _cites(pack: Pack) -> Iterator[Finding]:
    used = {cite.source for rule in pack.rules for cite in rule.cites}
    used |= {cite.source for note in pack.written.notes for cite in note.cites}
    for source in pack.written.sources.keys() - used:
        yield _finding("note", "source_not_cited", pack, None, f"the source {source} is cited by no rule")
    for rule in pack.rules:
        if not rule.sound:
            yield _finding("note", "unverified", pack, rule, "rests on an unverified cite: only refers to a person")


def _dates(pack: Pack) -> Iterator[Finding]:
    for rule in pack.rules:
        starts_late = pack.valid_to is not None and rule.valid_from is not None and rule.valid_from >= pack.valid_to
        ends_early = rule.valid_to is not None and rule.valid_to <= pack.valid_from
        if starts_late or ends_early:
            yield _finding("error", "never_in_force", pack, rule, "its dates lie outside those of the pack")


def _duplicates(pack: Pack) -> Iterator[Finding]:
    """A rule with the very conditions of an earlier one for the same remedies never decides."""
    for at, rule in enumerate(pack.rules):
        for earlier in pack.rules[:at]:
            if _covers(earlier, rule) and _key(earlier) == _key(rule):
                text = f"has the same conditions as {earlier.id}, which comes first"
                yield _finding("error", "unreachable", pack, rule, text)
                break


def _key(rule: Rule) -> tuple[object, ...]:
    cells = frozenset((fact, cell.words()) for fact, cell in rule.cells)
    return cells, frozenset(rule.evidence), frozenset(remedy.kind for remedy in rule.remedies), rule.effect


def _covers(earlier: Rule, later: Rule) -> bool:
    """Whether the earlier rule is there for all kinds and dates of the later one."""
    starts = earlier.valid_from is None or (later.valid_from is not None and earlier.valid_from <= later.valid_from)
    ends = earlier.valid_to is None or (later.valid_to is not None and earlier.valid_to >= later.valid_to)
    return set(later.kinds) <= set(earlier.kinds) and starts and ends


def _holes(registry: Registry, packs: list[Pack]) -> Iterator[Finding]:
    for pack_id in dict.fromkeys(pack.id for pack in packs):
        versions = registry.versions(pack_id)
        for earlier, later in itertools.pairwise(versions):
            if earlier.valid_to is not None and earlier.valid_to < later.valid_from:
                text = f"no version is in force from {earlier.valid_to} to {later.valid_from}"
                yield _finding("error", "hole_in_dates", later, None, text)
