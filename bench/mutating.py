"""How much of a pack its checks and scenarios hold in place: every cell changed by one step, and who notices."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from time import process_time
from typing import Any

from bench.figures import Figure
from bench.ground import Ground
from makegood.policy.check import check_pack, check_registry
from makegood.policy.check.drawing import Drawn, drawn_cases
from makegood.policy.check.words import check_words
from makegood.policy.facts import Facts
from makegood.policy.marks import Data, PackMalformed
from makegood.policy.packs import Pack, read_marked
from makegood.policy.quote import outcome_of
from makegood.policy.registry import SHIPPED, PackNotInForce, Registry
from makegood.policy.scenarios import Scenario, in_lines, read_book
from makegood.policy.vocabulary import FACTS, FactType

SCENARIOS = Path(__file__).resolve().parents[1] / "tests" / "policy" / "scenarios"
SIGNS = {"<=": "<", "<": "<=", ">=": ">", ">": ">=", "==": "!=", "!=": "=="}
BEARERS = {
    "seller": "customer",
    "customer": "seller",
    "platform": "seller",
    "carrier": "seller",
    "fulfiller": "customer",
}
Mutant = tuple[str, dict[str, Any]]  # what was changed, and the pack's data with the change


def measure(ground: Ground) -> list[Figure]:
    """``policy.mutants_noticed`` and ``policy.check_seconds``."""
    registry = Registry.from_folder(SHIPPED)
    started = process_time()
    findings = check_registry(registry)
    taken = process_time() - started
    errors = sum(found.level == "error" for found in findings)
    told = Told(registry)
    by_pack = {pack.id: told.count(pack, every=ground.size.mutants_every) for pack in registry.packs}
    noticed = sum(count["check"] + count["scenario"] for count in by_pack.values())
    made = sum(count.total() for count in by_pack.values())
    return [
        Figure(
            "policy.mutants_noticed",
            noticed / made,
            f"{made:,} packs with one cell changed by one step; noticed by `policy check` or by a scenario",
            {pack: dict(count) | {"missed": told.missed.get(pack, [])[:12]} for pack, count in by_pack.items()},
        ),
        Figure(
            "policy.check_seconds",
            taken,
            f"`policy check` of everything shipped: {len(registry.packs)} packs,"
            f" {sum(len(pack.rules) for pack in registry.packs)} rules, {errors} errors; CPU seconds",
        ),
    ]


class Told:
    """What every scenario tells with the packs as they are; and who notices a changed pack."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.by = registry.combination()
        self.drawn: list[tuple[Drawn, list[str]]] = []
        self.laws = [pack for pack in registry.packs if pack.kind == "law"]
        self.missed: dict[str, list[str]] = {}
        self.scenarios: list[tuple[Scenario, list[str], set[str], str]] = []
        for scenario in (s for file in sorted(SCENARIOS.glob("*.yaml")) for s in read_book(file)):
            outcome = scenario.outcome(registry)
            packs = {pack.id for pack in outcome.packs}
            self.scenarios.append((scenario, in_lines(outcome), packs, scenario.facts["case"]["kind"]))

    def count(self, pack: Pack, *, every: int) -> Counter[str]:
        found: Counter[str] = Counter()
        self.drawn = [(case, self._told(case, pack, self.registry)) for case in drawn_cases(pack, self.by)]
        for at, (what, data) in enumerate(mutants(pack)):
            if at % every:
                continue
            who = self._noticed_by(pack, what.partition(":")[0], data)
            found[who] += 1
            if who == "nobody":
                self.missed.setdefault(pack.id, []).append(what)
        return found

    def _told(self, case: Drawn, pack: Pack, registry: Registry) -> list[str]:
        try:
            return in_lines(outcome_of(Facts.from_json(case.facts), pack_ids=[pack.id], registry=registry))
        except PackNotInForce:
            return ["not in force"]

    def _noticed_by(self, pack: Pack, rule: str, data: dict[str, Any]) -> str:
        """Who notices first: the check, or a case of a scenario or drawn; those of the rule itself are asked first."""
        try:
            changed = read_marked(Data(data, pack.file))
        except PackMalformed:
            return "check"
        others = [other for other in self.registry.packs if other.hash != pack.hash]
        registry = Registry([*others, changed], self.registry.combinations)
        if any(found.level == "error" for found in check_words(changed)):
            return "check"
        kinds = next(one.kinds for one in pack.rules if one.id == rule)
        near = sorted(self.drawn, key=lambda drawn: drawn[0].rule != rule)
        if any(self._told(case, pack, registry) != told for case, told in near if case.kind in kinds):
            return "scenario"
        for scenario, lines, packs, kind in self.scenarios:
            if pack.id in packs and kind in kinds and in_lines(scenario.outcome(registry)) != lines:
                return "scenario"
        found = check_pack(changed, self.laws, registry.combination())
        return "check" if any(finding.level == "error" for finding in found) else "nobody"


def mutants(pack: Pack) -> Iterator[Mutant]:
    """The pack's data with one cell changed by one step: conditions, reasons, evidence, dates, amounts, due times."""
    whole = pack.written.model_dump(mode="python", by_alias=True, exclude_defaults=True)
    whole.setdefault("rounding", pack.written.rounding)
    for at, rule in enumerate(whole["rules"]):
        for what, changed in _changed_rules(rule):
            data = copy.copy(whole)
            data["rules"] = [*whole["rules"][:at], changed, *whole["rules"][at + 1 :]]
            yield f"{rule['id']}: {what}", data


def _changed_rules(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for fact, cell in rule.get("when", {}).items():
        for other in _changed_cells(fact, cell):
            yield f"when.{fact}: {cell} -> {other}", {**rule, "when": {**rule["when"], fact: other}}
    for key in ("reasons", "evidence"):
        items = rule.get(key, [])
        for at, item in enumerate(items):
            rest = [*items[:at], *items[at + 1 :]]
            if rest or key == "evidence":
                yield f"{key}: without {item}", {**rule, key: rest}
    for key in ("valid_from", "valid_to"):
        if isinstance(day := rule.get(key), date):
            for step in (-1, 1):
                yield f"{key}: {step:+} day", {**rule, key: day + timedelta(days=step)}
    for at, remedy in enumerate(rule.get("grant", [])):
        for what, other in _changed_remedies(remedy):
            yield f"grant.{at}: {what}", {**rule, "grant": [*rule["grant"][:at], other, *rule["grant"][at + 1 :]]}


def _changed_remedies(remedy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in ("amount", "due"):
        for other in _changed_numbers(remedy.get(key, "")):
            yield f"{key}: {remedy[key]} -> {other}", {**remedy, key: other}
    amount = remedy.get("amount", "")
    for one, other in (("min(", "max("), ("max(", "min(")):
        if one in amount:
            yield f"amount: {one} -> {other}", {**remedy, "amount": amount.replace(one, other)}
    bearer = remedy.get("borne_by", "seller")
    yield f"borne_by: {bearer} -> {BEARERS[bearer]}", {**remedy, "borne_by": BEARERS[bearer]}
    if "after" in remedy:
        yield "after: left out", {key: value for key, value in remedy.items() if key != "after"}


def _changed_numbers(text: str) -> Iterator[str]:
    """Each number of a text one more and one less, of those that stand for themselves."""
    for found in re.finditer(r"(?<![\w.])\d+", text):
        for step in (-1, 1):
            number = int(found[0]) + step
            if number >= 0:
                yield f"{text[: found.start()]}{number}{text[found.end() :]}"


def _changed_cells(fact: str, cell: object) -> Iterator[object]:
    if isinstance(cell, bool):
        yield not cell
        return
    if isinstance(cell, list):
        yield from ([*cell[:at], *cell[at + 1 :]] for at in range(len(cell)) if len(cell) > 1)
        return
    text = str(cell)
    if isinstance(cell, date):
        yield from ((cell + timedelta(days=step)).isoformat() for step in (-1, 1))
        return
    if text.endswith("known"):
        yield "known" if text.startswith("not") else "not known"
        return
    if found := re.fullmatch(r"((?:not )?in )\[(.*)\]", text):
        items = [item.strip() for item in found[2].split(",")]
        for at in range(len(items)):
            if len(items) > 1:
                yield f"{found[1]}[{', '.join([*items[:at], *items[at + 1 :]])}]"
        return
    yield from _changed_numbers(text)
    for sign, other in SIGNS.items():
        if text.startswith(f"{sign} "):
            yield f"{other} {text.removeprefix(sign).strip()}"
            return
    spec = FACTS[fact]
    if spec.type is FactType.CHOICE and text in spec.choices:
        yield next(choice for choice in spec.choices if choice != text)
    elif spec.type in {FactType.CHOICE, FactType.TEXT, FactType.FLAG}:
        yield text.removeprefix("not ") if text.startswith("not ") else f"not {text}"
