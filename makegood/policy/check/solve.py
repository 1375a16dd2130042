"""A small exact solver: a case in which all of this is so, or the proof that there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from makegood.policy.check.space import PRESENT, SOMETHING_ELSE, Literal

Domains = dict[str, frozenset[Any]]
Clause = Sequence[Literal]


def narrowed(
    domains: Domains, sets: Mapping[str, frozenset[Any]] | Sequence[tuple[str, frozenset[Any]]]
) -> Domains | None:
    """The domains with each of ``sets`` cut in; None where nothing is left of one."""
    found = dict(domains)
    for name, allowed in sets.items() if isinstance(sets, Mapping) else sets:
        found[name] = found[name] & allowed
        if not found[name]:
            return None
    return found


def solve(domains: Domains, clauses: Sequence[Clause]) -> Domains | None:
    """Domains within which every choice of values meets all clauses, or None where no case does.

    A clause is met where any of its literals is. Branches on the clause with the fewest ways left.
    """
    open_clauses = []
    for clause in clauses:
        if any(_is_entailed(literal, domains) for literal in clause):
            continue
        ways = [literal for literal in clause if _is_possible(literal, domains)]
        if not ways:
            return None
        open_clauses.append(ways)
    if not open_clauses:
        return domains
    open_clauses.sort(key=len)
    for literal in open_clauses[0]:
        tried = narrowed(domains, literal.sets)
        if tried is not None and (found := solve(tried, open_clauses[1:])) is not None:
            return found
    return None


def witness(domains: Domains) -> dict[str, Any]:
    """One case out of the domains: the plainest value of each."""
    return {name: min(values, key=lambda value: _plainness(name, value)) for name, values in sorted(domains.items())}


def _plainness(name: str, value: Any) -> tuple[bool, int, str]:
    """Known before unknown, days near ours, and rather nothing special, but for a reason, which should be named."""
    far = abs((value - PRESENT).days) if isinstance(value, date) else 0
    special = (value == SOMETHING_ELSE) == (name == "case.reason")
    return value is None, far, f"{special:d}{value}"


def _is_entailed(literal: Literal, domains: Domains) -> bool:
    return all(domains[name] <= allowed for name, allowed in literal.sets)


def _is_possible(literal: Literal, domains: Domains) -> bool:
    return all(not domains[name].isdisjoint(allowed) for name, allowed in literal.sets)
