"""What can be proved about packs before they are used; each proof goes over the whole table, none is a sample.

Errors: a rule that can never decide, two rules that contradict each other, a rule below the law, a hole in dates, a
text that is missing in a language. Notes: cases in which no rule holds, rules that rest on unverified cites.
"""

from __future__ import annotations

from collections.abc import Iterator

from makegood.policy.check.finding import Finding
from makegood.policy.check.floor import check_floor
from makegood.policy.check.reach import check_reach
from makegood.policy.check.words import check_versions, check_words
from makegood.policy.combination import Combination
from makegood.policy.packs import Pack
from makegood.policy.registry import Registry

__all__ = ["Finding", "check_pack", "check_registry"]


def check_registry(registry: Registry, pack_ids: list[str] | None = None) -> list[Finding]:
    """Every finding about these packs (all where none is named), beside the registry's laws. Raises PackUnknown."""
    packs = [pack for pack_id in pack_ids or registry.ids() for pack in registry.versions(pack_id)]
    laws = [pack for pack in registry.packs if pack.kind == "law"]
    by = registry.combination()
    return [found for pack in packs for found in check_pack(pack, laws, by)] + list(check_versions(registry, packs))


def check_pack(pack: Pack, laws: list[Pack], by: Combination) -> Iterator[Finding]:
    """Every finding about one pack, also of one that is not published yet."""
    yield from check_words(pack)
    yield from check_reach(pack, by)
    if pack.kind != "law":
        for law in laws:
            yield from check_floor(law, pack, by)
