"""How packs that apply together make one answer: read from ``policies/combination.yaml``, shown in the explanation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr, ValidationError

from makegood.policy.arithmetic import whole_part
from makegood.policy.cells import Cell, CellUnreadable, Known, parse_cell
from makegood.policy.facts import canonical
from makegood.policy.formulas import Formula, FormulaUnreadable, Row, parse_formula
from makegood.policy.marks import MarkedYaml, PackMalformed, pack_malformed
from makegood.policy.vocabulary import FACTS, FactType
from makegood.policy.written import REMEDY_KINDS, RemedyKind, Slug, Text, Written

Level = Literal["law", "platform", "merchant"]


class WrittenCap(Written):
    id: Slug
    per: Literal["line", "order"]
    of: Annotated[list[RemedyKind], Field(min_length=1)]
    at_most: Annotated[list[StrictStr], Field(min_length=1)]


class WrittenClawBack(Written):
    id: Slug
    when: dict[StrictStr, Any]
    amount: StrictStr
    from_: Annotated[Literal["customer", "seller"], Field(alias="from")]
    text: Text


class WrittenCombination(Written):
    id: Slug
    version: StrictStr
    levels: Annotated[list[Level], Field(min_length=3, max_length=3)]
    losses: dict[StrictStr, Annotated[list[RemedyKind], Field(min_length=1)]]
    worth: dict[RemedyKind, StrictStr] = Field(default_factory=dict)
    prefer: list[RemedyKind | Literal["wanted"]] = Field(default_factory=list)
    due: Literal["chosen", "earliest"] = "chosen"
    assume: dict[StrictStr, Annotated[int, Field(strict=True)]] = Field(default_factory=dict)
    caps: list[WrittenCap] = Field(default_factory=list)
    claw_back: list[WrittenClawBack] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cap:
    """``at_most`` minor units: the least of the formulas whose facts are known."""

    id: str
    per: str  # line | order
    of: frozenset[str]
    at_most: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class ClawBack:
    """What is to be given back, by whom, when all of ``when`` holds."""

    id: str
    when: tuple[tuple[str, Cell], ...]
    amount: Formula
    from_: str
    text: Text
    needed: tuple[str, ...]  # facts of ``when`` that must be known


@dataclass(frozen=True, slots=True)
class Combination:
    """One version of the rules by which packs are combined; ``hash`` names its exact content."""

    id: str
    version: str
    levels: tuple[str, ...]
    slots: tuple[str, ...]  # the losses, in their order
    slot_by_kind: dict[str, str]
    worth: dict[str, str]  # kind -> fact; a kind that is not here is worth its amount
    prefer: tuple[str, ...]
    due: str  # whose day holds: that of the chosen rule, or the earliest at which a rule promises the same
    assume: dict[str, int]
    caps: tuple[Cap, ...]
    claw_back: tuple[ClawBack, ...]
    hash: str
    written: WrittenCombination = field(repr=False)
    ready: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    together: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # packs made ready, see together

    def rank_of(self, kind: str, wanted: str | None) -> int:
        """Where a kind stands among remedies of equal worth; less is preferred."""
        if wanted == kind and "wanted" in self.prefer:
            return self.prefer.index("wanted")
        return self.prefer.index(kind) if kind in self.prefer else len(self.prefer)

    def room(self, cap: Cap, row: Row) -> int | None:
        """What a cap leaves on a row, in whole minor units and never below zero; None where nothing is known of it."""
        limits = [limit[0] for known in self._ready(cap) if (limit := known(row)) is not None]
        return max(0, min(limits)) if limits else None

    def clawed_back(self, item: ClawBack, row: Row) -> int | None:
        """What is to be given back of it on a row, in whole minor units; None where nothing is."""
        for fact in item.needed:  # what most cases lack is looked at first
            if row.get(fact) is None:
                return None
        for fact, cell in item.when:
            if not cell.holds(row.get(fact), row):
                return None
        [known] = self._ready(item)
        amount = known(row)
        return amount[0] if amount is not None and amount[1] else None

    def _ready(self, item: Cap | ClawBack) -> tuple[Callable[[Row], tuple[int, bool] | None], ...]:
        """Its formulas as functions of a row, made once."""
        place = (type(item).__name__, item.id)
        if place not in self.ready:
            formulas = item.at_most if isinstance(item, Cap) else (item.amount,)
            self.ready[place] = tuple(whole_part(formula, self.assume) for formula in formulas)
        made: tuple[Callable[[Row], tuple[int, bool] | None], ...] = self.ready[place]
        return made


def load_combination(path: Path) -> Combination:
    """Read the file. Raises PackMalformed, naming file, line and cell."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise pack_malformed(path.name, 1, problem=str(error)) from None
    return read_combination(text, path.name)


def read_combination(text: str, file: str = "combination.yaml") -> Combination:
    """Read it from YAML text. Raises PackMalformed."""
    source = MarkedYaml(text, file)
    try:
        written = WrittenCombination.model_validate(source.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _wrong(source, tuple(first["loc"]), first["msg"]) from None
    slot_by_kind: dict[str, str] = {kind: slot for slot, kinds in written.losses.items() for kind in kinds}
    if set(slot_by_kind) != set(REMEDY_KINDS) or sum(map(len, written.losses.values())) != len(REMEDY_KINDS):
        raise _wrong(source, ("losses",), f"each of {', '.join(REMEDY_KINDS)} stands in exactly one loss")
    for kind, fact in written.worth.items():
        if fact != "amount" and (fact not in FACTS or FACTS[fact].type is not FactType.AMOUNT):
            raise _wrong(source, ("worth", kind), f"{fact!r} is neither amount nor a fact that is money")
    content = canonical(written.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    return Combination(
        id=written.id,
        version=written.version,
        levels=tuple(written.levels),
        slots=tuple(written.losses),
        slot_by_kind=slot_by_kind,
        worth={kind: fact for kind, fact in written.worth.items() if fact != "amount"},
        prefer=tuple(written.prefer),
        due=written.due,
        assume={_fact(source, ("assume", name), name): value for name, value in written.assume.items()},
        caps=tuple(
            Cap(cap.id, cap.per, frozenset(cap.of), tuple(
                _formula(source, ("caps", i, "at_most", j), formula) for j, formula in enumerate(cap.at_most)
            ))
            for i, cap in enumerate(written.caps)
        ),
        claw_back=tuple(_claw_back(source, i, item) for i, item in enumerate(written.claw_back)),
        hash=hashlib.sha256(content.encode()).hexdigest()[:32],
        written=written,
    )  # fmt: skip


def _claw_back(source: MarkedYaml, index: int, written: WrittenClawBack) -> ClawBack:
    path = ("claw_back", index)
    when = []
    for name, cell in written.when.items():
        where = (*path, "when", name)
        try:
            when.append((name, parse_cell(FACTS[_fact(source, where, name)], cell)))
        except CellUnreadable as error:
            raise _wrong(source, where, str(error)) from None
    amount = _formula(source, (*path, "amount"), written.amount)
    needed = tuple(fact for fact, cell in when if isinstance(cell, Known))
    return ClawBack(written.id, tuple(when), amount, written.from_, written.text, needed)


def _formula(source: MarkedYaml, path: tuple[str | int, ...], text: str) -> Formula:
    try:
        return parse_formula(text)
    except FormulaUnreadable as error:
        raise _wrong(source, path, str(error)) from None


def _fact(source: MarkedYaml, path: tuple[str | int, ...], name: str) -> str:
    if name not in FACTS:
        raise _wrong(source, path, f"there is no fact {name!r}")
    return name


def _wrong(source: MarkedYaml, path: tuple[str | int, ...], problem: str) -> PackMalformed:
    return pack_malformed(source.file, source.line_of(path), cell=".".join(map(str, path)), problem=problem)
