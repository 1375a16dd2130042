"""Why not: the rule that shut a remedy out, or the nearest miss, as the exact condition that failed."""

from __future__ import annotations

from collections.abc import Sequence

from makegood.policy import words
from makegood.policy.cells import Between, Cell, Compare, OneOf, Operand
from makegood.policy.judge import Look, Row, Tried
from makegood.policy.outcome import Failed, Need, Refusal
from makegood.policy.packs import is_known_test
from makegood.policy.table import FAR
from makegood.policy.vocabulary import FACTS
from makegood.policy.written import Text, WrittenRefusal


def shut_out(tried: Tried, line: str | None) -> Refusal:
    """A deny rule holds: what would have to be otherwise is its first own condition."""
    deny = tried.rule.deny
    if deny is None:
        raise ValueError(f"{tried.rule.id} denies nothing")
    fact, cell = _own_condition(tried)
    said = tried.pack.refusals.get(fact)
    change = (deny.would_change,) if deny.would_change else (said and said.would_change and (said.would_change,)) or ()
    return Refusal(
        remedy=deny.of[0] if deny.of else "refund",
        reason_code=deny.reason_code,
        rule=tried.rule.id,
        line=line,
        failed=Failed(fact, cell.opposite().words(), words.plain(FACTS[fact], tried.row.get(fact), tried.row)),
        text=tried.rule.text,
        would_change=change or words.would_change(fact),
        cites=tuple(cite.text for cite in tried.rule.cites),
        row=tried.row,
    )


def _own_condition(tried: Tried) -> tuple[str, Cell]:
    named = tried.rule.deny.because if tried.rule.deny else ""
    own = [(fact, cell) for fact, cell in tried.rule.cells if fact == named or (not named and fact not in FAR)]
    return (own or list(tried.rule.cells))[0]


def nearest_miss(look: Look) -> Refusal:
    """No rule gives anything and nothing is unknown that could: the rule that came nearest says what failed."""
    tried, line, row = look.nearest(), look.line, look.row
    if tried is None:
        return _not_covered(look)
    fact, cell = _failed_cell(tried)
    needed = cell.words() if cell else "true"
    said = _said(tried, fact, cell)
    return Refusal(
        remedy=tried.rule.remedies[0].kind if tried.rule.remedies else row["case.kind"],
        reason_code=said.reason_code if said else "condition_not_met",
        rule=tried.rule.id,
        line=line,
        failed=Failed(fact, needed, words.plain(FACTS[fact], tried.row.get(fact), tried.row)),
        text=said.text if said else words.failed_condition(fact),
        would_change=(said.would_change,) if said and said.would_change else words.would_change(fact),
        cites=tuple(cite.text for cite in tried.rule.cites),
        row=tried.row,
    )


def _not_covered(look: Look) -> Refusal:
    """No rule is for this kind of case, or none is for the party who asks."""
    row = look.row
    kinds = sorted({kind for pack in look.packs.packs for rule in pack.rules for kind in rule.kinds})
    failed = Failed("case.kind", OneOf(tuple(Operand(kind) for kind in kinds)).words(), row["case.kind"])
    if row["case.kind"] in kinds:
        other = {"customer": "seller", "seller": "customer"}[row["case.claimant"]]
        failed = Failed("case.claimant", other, row["case.claimant"])
    return guard(failed, "not_covered", words.NOT_COVERED, look.line, row)


def guard(failed: Failed, reason_code: str, text: Text, line: str | None, row: Row) -> Refusal:
    """What no policy may give: more units or money than there are."""
    return Refusal("refund", reason_code, "guard", line, failed, text, (), (), row)


def _failed_cell(tried: Tried) -> tuple[str, Cell | None]:
    """The fact by which the rule failed, with its test; without one where a need of evidence is not met."""
    for (fact, cell), value in zip(tried.rule.cells, tried.cells, strict=True):
        if value is False:
            return fact, cell
    need = tried.rule.evidence[tried.needs.index(False)]
    return f"evidence.{need[0]}", None


def _said(tried: Tried, fact: str, cell: Cell | None) -> WrittenRefusal | None:
    """The pack's own words for the condition that failed."""
    said = tried.pack.refusals.get(fact)
    return said.below if said and said.below and cell and _is_below(cell, fact, tried.row) else said


def _is_below(cell: Cell, fact: str, row: Row) -> bool:
    """Whether the value falls short of a lower bound."""
    value = row.get(fact)
    if isinstance(cell, Between):
        return Compare(">=" if cell.low_included else ">", cell.low).holds(value, row) is False
    return isinstance(cell, Compare) and cell.operator in {">=", ">"} and cell.holds(value, row) is False


def needs_of(tried: Tried, line: str | None) -> list[Need]:
    """What to ask for so that this rule, or its amount, becomes known."""
    facts = [
        fact
        for (fact, cell), truth in zip(tried.rule.cells, tried.cells, strict=True)
        if truth is None and not is_known_test(cell)
    ]
    unmet = tried.unmet_needs() if tried.rule.evidence else []
    if tried.result:
        facts += [fact for fact in tried.entry.made_of if fact not in tried.row]
        if not facts and not unmet:
            facts = ["line.price_paid"]  # the rule holds and its amount is known, but not that so much was paid
    found = [need for fact in facts for need in _ask(tried, fact, line)]
    return found + [Need(need, f"evidence.{need[0]}", tried.rule.id, line) for need in unmet]


def _ask(tried: Tried, fact: str, line: str | None) -> list[Need]:
    """Ask for the fact, or for the known-to-be-missing facts it is derived from."""
    missing = [name for name in FACTS[fact].needs if name not in tried.row] or [fact]
    return [Need((FACTS[name].evidence or "fact",), name, tried.rule.id, line) for name in missing]


def distinct(needs: Sequence[Need]) -> tuple[Need, ...]:
    """Each thing is asked for once, for the first rule that wants it; where the reason is missing, that comes first."""
    without_reason = {need.line for need in needs if need.fact == "case.reason"}
    needs = [need for need in needs if need.fact == "case.reason" or need.line not in without_reason]
    return tuple({(need.kinds, need.fact, need.line): need for need in reversed(needs)}.values())[::-1]
