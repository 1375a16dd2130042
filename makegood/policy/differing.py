"""Two versions of a policy side by side: which rules came, went and changed, and cases drawn from both tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from makegood.policy.backtest import read_side, replaced
from makegood.policy.check.drawing import drawn_cases
from makegood.policy.engines.claims import REFERENCE, frame_of
from makegood.policy.facts import Facts
from makegood.policy.registry import PackNotInForce, Registry


def side(name: str, registry: Registry) -> Registry:
    """The registry with the packs of a file or folder, or with the newest version of a pack named by its id."""
    if name in registry.ids():
        return replaced(registry, [registry.versions(name)[-1]])
    return read_side(Path(name), registry)


def changed_rules(old: Registry, new: Registry) -> list[dict[str, Any]]:
    """Each rule that was added, removed or changed, with its changed parts as ``what: old -> new``."""
    before, after = _rules(old), _rules(new)
    found = []
    for pack, rule in sorted(before.keys() | after.keys()):
        one, other = before.get((pack, rule)), after.get((pack, rule))
        if one == other:
            continue
        change = "added" if one is None else "removed" if other is None else "changed"
        what = _parts(one, other) if one and other else []
        found.append({"change": change, "pack": pack, "rule": rule, "what": what})
    return found


def _rules(registry: Registry) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for pack in registry.packs:
        for rule in pack.written.rules:
            found[pack.id, rule.id] = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return found


def _parts(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    told = []
    for name in sorted(one.keys() | other.keys()):
        mine, its = one.get(name), other.get(name)
        if mine == its:
            continue
        if name == "when":
            cells = sorted({*(mine or {}), *(its or {})})
            told += [
                f"{fact}: {(mine or {}).get(fact, '-')} -> {(its or {}).get(fact, '-')}"
                for fact in cells
                if (mine or {}).get(fact) != (its or {}).get(fact)
            ]
        else:
            told.append(f"{name}: {mine} -> {its}" if name != "text" else "text")
    return told


def drawn_frames(old: Registry, new: Registry) -> Iterator[pl.DataFrame]:
    """Cases drawn from the packs in which the two differ."""
    known = {pack.hash for pack in old.packs}, {pack.hash for pack in new.packs}
    rows = []
    for registry, others in ((old, known[1]), (new, known[0])):
        for pack in registry.packs:
            if pack.hash in others:
                continue
            for case in drawn_cases(pack, registry.combination()):
                try:
                    given = Facts.from_json(case.facts).rows
                except PackNotInForce:
                    continue
                ref = f"{case.rule} {case.kind} {case.change}".strip().replace(" ", "_")
                rows += [{**row, REFERENCE: ref} for row in given]
    if rows:
        yield frame_of(rows)
