"""Whether one amount is never less than another, for every value of the facts in them: by algebra, not by trying.

Amounts are sums and products of facts that are never negative, with ``min`` and ``max`` around them. A formula is
brought into a tree of ``min`` and ``max`` over polynomials; one polynomial is at least another where no coefficient is
smaller. What cannot be proved so is not taken as true.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from makegood.policy.combination import Combination
from makegood.policy.formulas import Formula, Name, Number, Operation, Written, evaluate, facts_in
from makegood.policy.packs import Rule

Monomial = tuple[str, ...]
TRIED = (0, 1, 100, 5_000, 1_000_000)
PLACES_MAX = 4  # facts for which all combinations of the values above are tried


@dataclass(frozen=True, slots=True)
class Poly:
    """A sum of monomials of facts with exact coefficients; the empty monomial is the constant."""

    terms: tuple[tuple[Monomial, Fraction], ...]

    @classmethod
    def of(cls, terms: Mapping[Monomial, Fraction]) -> Poly:
        return cls(tuple(sorted((name, value) for name, value in terms.items() if value)))

    def as_dict(self) -> dict[Monomial, Fraction]:
        return dict(self.terms)


@dataclass(frozen=True, slots=True)
class Choice:
    """The least (``min``) or the most (``max``) of its parts."""

    sign: str
    parts: tuple[Tree, ...]


Tree = Poly | Choice


def worth_of(rule: Rule, slot: str, by: Combination) -> Formula:
    """What a rule gives for a loss, as one formula: what the customer bears counts as nothing."""
    total: Formula = Number("0", Fraction(0))
    for remedy in rule.remedies:
        if by.slot_by_kind[remedy.kind] != slot or remedy.borne_by == "customer":
            continue
        fact = by.worth.get(remedy.kind)
        part = Name(fact) if fact else remedy.amount
        if part is not None:
            total = Operation("+", (total, part))
    return total


def is_never_less(one: Formula, other: Formula) -> bool:
    """Whether ``one >= other`` is proved for all facts that are not negative."""
    return _ge(_tree(one), _tree(other))


def smaller_somewhere(one: Formula, other: Formula, currency: str) -> dict[str, int] | None:
    """Values of the facts for which ``one < other``, if a small search finds some."""
    names = sorted({*facts_in(one), *facts_in(other)})
    grids: Sequence[Sequence[int]] = [TRIED if i < PLACES_MAX else (100,) for i in range(len(names))]
    for values in itertools.product(*grids):
        row = {**dict(zip(names, values, strict=True)), "currency": currency}
        left, right = evaluate(one, row), evaluate(other, row)
        if left is not None and right is not None and left < right:
            return dict(zip(names, values, strict=True))
    return None


def _ge(one: Tree, other: Tree) -> bool:
    if isinstance(other, Choice):
        test = all if other.sign == "max" else any
        if test(_ge(one, part) for part in other.parts):
            return True
    if isinstance(one, Choice):
        test = any if one.sign == "max" else all
        return test(_ge(part, other) for part in one.parts)
    if isinstance(other, Choice):
        return False
    left, right = one.as_dict(), other.as_dict()
    return all(left.get(name, Fraction(0)) >= right.get(name, Fraction(0)) for name in left.keys() | right.keys())


def _tree(formula: Formula) -> Tree:
    match formula:
        case Number(_, value):
            return Poly.of({(): value})
        case Written(_, value, _):
            return Poly.of({(): value})
        case Name(fact):
            return Poly.of({(fact,): Fraction(1)})
        case Operation(sign, parts):
            return _operation(sign, [_tree(part) for part in parts], formula)
    raise TypeError(formula)


def _operation(sign: str, parts: list[Tree], formula: Formula) -> Tree:
    if sign in {"min", "max"}:
        return Choice(sign, tuple(parts))
    left, right = parts
    if sign == "+":
        return _added(left, right)
    if sign == "-":
        return _added(left, _scaled(right, Fraction(-1)))
    factor = _constant(right)
    if sign == "/":
        return _scaled(left, 1 / factor) if factor else _opaque(formula)
    return _times(left, right, formula)


def _times(left: Tree, right: Tree, formula: Formula) -> Tree:
    if (factor := _constant(right)) is not None:
        return _scaled(left, factor)
    if (factor := _constant(left)) is not None:
        return _scaled(right, factor)
    if isinstance(left, Choice) or isinstance(right, Choice):
        return _opaque(formula)
    found: dict[Monomial, Fraction] = {}
    for (a, x), (b, y) in itertools.product(left.terms, right.terms):
        name = tuple(sorted(a + b))
        found[name] = found.get(name, Fraction(0)) + x * y
    return Poly.of(found)


def _opaque(formula: Formula) -> Poly:
    """A part that algebra does not look into: equal only to itself."""
    return Poly.of({(repr(formula),): Fraction(1)})


def _constant(tree: Tree) -> Fraction | None:
    if isinstance(tree, Poly) and all(name == () for name, _ in tree.terms):
        return tree.as_dict().get((), Fraction(0))
    return None


def _scaled(tree: Tree, factor: Fraction) -> Tree:
    if isinstance(tree, Poly):
        return Poly.of({name: value * factor for name, value in tree.terms})
    sign = tree.sign if factor >= 0 else {"min": "max", "max": "min"}[tree.sign]
    return Choice(sign, tuple(_scaled(part, factor) for part in tree.parts))


def _added(left: Tree, right: Tree) -> Tree:
    if isinstance(left, Choice):
        return Choice(left.sign, tuple(_added(part, right) for part in left.parts))
    if isinstance(right, Choice):
        return Choice(right.sign, tuple(_added(left, part) for part in right.parts))
    found = left.as_dict()
    for name, value in right.terms:
        found[name] = found.get(name, Fraction(0)) + value
    return Poly.of(found)
