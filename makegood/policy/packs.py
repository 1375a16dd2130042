"""Policy packs: dated, cited decision tables read from YAML into plain data that decides."""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from makegood.policy.cells import Cell, CellUnreadable, Compare, Known, Not, OneOf, Operand, parse_cell
from makegood.policy.clock import Span
from makegood.policy.facts import canonical
from makegood.policy.formulas import Formula, FormulaUnreadable, currencies_in, parse_formula
from makegood.policy.marks import MarkedYaml, PackMalformed, Source, pack_malformed
from makegood.policy.reasons import TREE
from makegood.policy.vocabulary import FACTS, FactType
from makegood.policy.written import Cite, Text, WrittenDeny, WrittenPack, WrittenRefusal, WrittenRemedy, WrittenRule

__all__ = ["Due", "Pack", "PackMalformed", "Remedy", "Rule", "load_pack", "read_pack"]

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Due:
    """So long after a moment: ``goods_back`` or an instant among the facts."""

    span: Span
    event: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing a rule gives. ``amount`` is money of the case, rounded by ``rounding``."""

    kind: str
    written: str
    amount: Formula | None
    borne_by: str
    after: str | None
    due: Due | None
    rounding: str
    scope: str
    text: Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: if every cell holds and the evidence is there, its one effect follows.

    ``cells`` are (fact, test) pairs, the reasons among them; ``evidence`` is a list of needs, each met by any of its
    kinds. ``sound`` is false when a cite is unverified: then it only refers the case to a person.
    """

    id: str
    priority: int
    valid_from: date | None
    valid_to: date | None
    kinds: tuple[str, ...]
    cells: tuple[tuple[str, Cell], ...]
    evidence: tuple[tuple[str, ...], ...]
    remedies: tuple[Remedy, ...]
    effect: str  # grant | allow | deny | refer
    deny: WrittenDeny | None
    cites: tuple[Cite, ...]
    text: Text
    line: int  # in its file

    @property
    def sound(self) -> bool:
        return all(cite.status == "seen" for cite in self.cites)

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class AppealWay:
    """Where a refusal can be challenged; ``within`` is the pack's own time, for the one party ``claimant`` if named."""

    within: Span | None
    claimant: str | None
    to: Text

    def time_for(self, claimant: str) -> Span | None:
        return self.within if self.claimant in {None, claimant} else None


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of one law, platform or merchant policy; ``hash`` names its exact content."""

    id: str
    version: str
    kind: str
    title: Text
    markets: tuple[str, ...] | None  # None: any
    platforms: tuple[str, ...] | None
    valid_from: date
    valid_to: date | None  # first day it no longer holds
    dated_by: str
    assume: dict[str, Any]
    appeal: AppealWay | None
    refusals: dict[str, WrittenRefusal]
    rules: tuple[Rule, ...]  # highest priority first
    hash: str
    file: str
    written: WrittenPack = field(repr=False)
    by_kind: dict[str, tuple[Rule, ...]] = field(repr=False)
    # What the back ends make of it, each made when first needed.
    tables: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def rules_for(self, kind: str) -> tuple[Rule, ...]:
        """The rules of a kind of case, highest priority first."""
        return self.by_kind.get(kind, ())

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def load_pack(path: Path) -> Pack:
    """Read one pack file. Raises PackMalformed, naming file, line, rule and cell."""
    name = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise pack_malformed(name, 1, problem=str(error)) from None
    return read_pack(text, name)


def read_pack(text: str, file: str) -> Pack:
    """Read a pack from YAML text. Raises PackMalformed."""
    return read_marked(MarkedYaml(text, file))


def read_marked(source: Source) -> Pack:
    """Read a pack from data whose places are known. Raises PackMalformed."""
    return _Reader(source).pack()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.file = source.file

    def pack(self) -> Pack:
        try:
            written = WrittenPack.model_validate(self.source.data)
        except ValidationError as error:
            raise self._first_of(error) from None
        self._check_dates((), written.valid_from, written.valid_to)
        if FACTS.get(written.dated_by) is None or FACTS[written.dated_by].type is not FactType.INSTANT:
            raise self._wrong(("dated_by",), "is not a fact that is a time")
        for name in written.refusals:
            self._known_fact(("refusals", name), name)
        rules = [self._rule(i, rule, written) for i, rule in enumerate(written.rules)]
        self._check_ids(written)
        self._check_notes(written)
        rules.sort(key=lambda rule: -rule.priority)
        # Defaults stay out, so that a field added to the shape later does not rename the packs written before it.
        content = canonical(written.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        return Pack(
            id=written.id,
            version=written.version,
            kind=written.kind,
            title=written.title,
            markets=None if written.applies.markets == "any" else tuple(written.applies.markets),
            platforms=None if written.applies.platforms == "any" else tuple(written.applies.platforms),
            valid_from=written.valid_from,
            valid_to=written.valid_to,
            dated_by=written.dated_by,
            assume={name: self._assumed(name, value) for name, value in written.assume.items()},
            appeal=self._appeal(written),
            refusals=dict(written.refusals),
            rules=tuple(rules),
            by_kind={kind: tuple(rule for rule in rules if kind in rule.kinds) for kind in TREE},
            hash=hashlib.sha256(content.encode()).hexdigest()[:32],
            file=self.file,
            written=written,
        )

    def _rule(self, index: int, written: WrittenRule, pack: WrittenPack) -> Rule:
        path = ("rules", index)
        self._check_dates(path, written.valid_from, written.valid_to)
        cells: list[tuple[str, Cell]] = [
            ("case.claimant", Compare("==", Operand(written.claimant, value=written.claimant)))
        ]
        cells += self._reasons(path, written)
        for name, cell in written.when.items():
            where = (*path, "when", name)
            try:
                cells.append((name, parse_cell(FACTS[self._known_fact(where, name)], cell)))
            except CellUnreadable as error:
                raise self._wrong(where, str(error)) from None
        self._check_cites(path, written.cites, pack)
        self._check_text((*path, "text"), written.text)
        effects = {"grant": written.grant, "allow": written.allow, "deny": written.deny, "refer": written.refer}
        return Rule(
            id=written.id,
            priority=written.priority,
            valid_from=written.valid_from,
            valid_to=written.valid_to,
            kinds=tuple(written.kinds),
            cells=tuple(cells),
            evidence=tuple((need,) if isinstance(need, str) else tuple(need) for need in written.evidence),
            remedies=tuple(
                self._remedy((*path, "grant", i), item, written, pack) for i, item in enumerate(written.grant)
            ),
            effect=next(name for name, value in effects.items() if value),
            deny=written.deny,
            cites=tuple(written.cites),
            text=written.text,
            line=self.source.line_of(path),
        )  # fmt: skip

    def _reasons(self, path: tuple[str | int, ...], written: WrittenRule) -> list[tuple[str, Cell]]:
        if not written.reasons:
            return []
        for i, code in enumerate(written.reasons):
            leaves = {leaf.code for kind in written.kinds for leaf in TREE[kind] if leaf.claimant == written.claimant}
            if code not in leaves:
                raise self._wrong((*path, "reasons", i), f"{code!r} is not a reason of a {' or '.join(written.kinds)}")
        return [("case.reason", OneOf(tuple(Operand(code, value=code) for code in written.reasons)))]

    def _remedy(
        self, path: tuple[str | int, ...], written: WrittenRemedy, rule: WrittenRule, pack: WrittenPack
    ) -> Remedy:
        try:
            formula = None if written.amount == "0" else parse_formula(written.amount)
        except FormulaUnreadable as error:
            raise self._wrong((*path, "amount"), str(error)) from None
        if formula is not None and len(currencies_in(formula)) > 1:
            raise self._wrong((*path, "amount"), "mixes currencies")
        if written.text:
            self._check_text((*path, "text"), written.text)
        return Remedy(
            kind=written.kind,
            written=written.amount,
            amount=formula,
            borne_by=written.borne_by,
            after=written.after,
            due=self._due((*path, "due"), written.due),
            rounding=written.rounding or pack.rounding,
            scope=written.scope,
            text=written.text or rule.text,
        )

    def _due(self, path: tuple[str | int, ...], written: str) -> Due | None:
        if not written:
            return None
        span, after, event = written.partition(" after ")
        if not after or (event != "goods_back" and FACTS.get(event) is None):
            raise self._wrong(path, f"{written!r} is not a due time such as 7d after goods_back")
        if event != "goods_back" and FACTS[event].type is not FactType.INSTANT:
            raise self._wrong(path, f"{event} is not a time")
        try:
            return Due(Span.parse(span), event)
        except ValueError as error:
            raise self._wrong(path, str(error)) from None

    def _assumed(self, name: str, value: object) -> Any:
        path = ("assume", name)
        spec = FACTS[self._known_fact(path, name)]
        try:
            cell = parse_cell(spec, value)
        except CellUnreadable as error:
            raise self._wrong(path, str(error)) from None
        if not isinstance(cell, Compare) or cell.operator != "==" or cell.operand.fact or cell.operand.currency:
            raise self._wrong(path, "must be one plain value")
        return cell.operand.value

    def _appeal(self, written: WrittenPack) -> AppealWay | None:
        appeal = written.appeal
        if appeal is None:
            return None
        self._check_cites(("appeal",), appeal.cites, written)
        try:
            return AppealWay(Span.parse(appeal.within) if appeal.within else None, appeal.claimant, appeal.to)
        except ValueError as error:
            raise self._wrong(("appeal", "within"), str(error)) from None

    def _known_fact(self, path: tuple[str | int, ...], name: str) -> str:
        if name not in FACTS:
            near = difflib.get_close_matches(name, FACTS, n=1, cutoff=0.0)
            raise self._wrong(path, f"there is no fact {name!r}; the nearest is {near[0]}")
        return name

    def _check_text(self, path: tuple[str | int, ...], text: Text) -> None:
        for lang, words in (("zh-Hans", text.zh), ("en", text.en)):
            for name in PLACEHOLDER.findall(words):
                if name != "amount":
                    self._known_fact((*path, lang), name)

    def _check_dates(self, path: tuple[str | int, ...], start: date | None, end: date | None) -> None:
        if start is not None and end is not None and end <= start:
            raise self._wrong((*path, "valid_to"), "is not after valid_from")

    def _check_cites(self, path: tuple[str | int, ...], cites: list[Cite], pack: WrittenPack) -> None:
        for i, cite in enumerate(cites):
            if cite.source not in pack.sources:
                raise self._wrong((*path, "cites", i, "source"), f"{cite.source!r} is not among sources")

    def _check_notes(self, written: WrittenPack) -> None:
        for i, note in enumerate(written.notes):
            self._check_dates(("notes", i), note.valid_from, note.valid_to)
            self._check_cites(("notes", i), note.cites, written)

    def _check_ids(self, written: WrittenPack) -> None:
        seen: set[str] = set()
        named = [("rules", i, rule.id) for i, rule in enumerate(written.rules)]
        for place, i, name in [*named, *(("notes", i, note.id) for i, note in enumerate(written.notes))]:
            if name in seen:
                raise self._wrong((place, i, "id"), f"{name} is used twice")
            seen.add(name)

    def _first_of(self, error: ValidationError) -> PackMalformed:
        first = error.errors(include_url=False)[0]
        return self._wrong(tuple(first["loc"]), first["msg"])

    def _wrong(self, path: tuple[str | int, ...], problem: str) -> PackMalformed:
        rule, cell = "", path
        if len(path) >= 2 and path[0] == "rules" and isinstance(path[1], int):
            item = self.source.data["rules"][path[1]]
            rule = str(item.get("id", f"#{path[1] + 1}")) if isinstance(item, dict) else f"#{path[1] + 1}"
            cell = path[2:]
        return pack_malformed(
            self.file, self.source.line_of(path), rule=rule, cell=".".join(map(str, cell)), problem=problem
        )


def is_known_test(cell: Cell) -> bool:
    """Whether the test asks if a fact is known; then an unknown fact decides it and is not to be asked for."""
    return isinstance(cell, Known) or (isinstance(cell, Not) and is_known_test(cell.test))
