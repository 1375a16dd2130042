"""Scenarios: facts in, what must come out. They show what a pack means, and notice when a change changes it.

A file of scenarios is YAML::

    packs: [cn-consumer-law]        # left out: the packs that apply to market, platform and date
    given: {…}                      # facts that all of them share
    scenarios:
      - name: the seventh day counts
        as_of: "2026-11-12T23:59:00+08:00"     # when it is asked
        facts: {…}                  # merged into ``given``: objects key by key, all else replaces; null forgets
        expect: {verdict: grant, amounts: {refund: "2999.00"}, rules: [cn-03], cites: ["第二十五条"]}

``expect`` holds any of

- ``verdict``;
- ``amounts``: kind → sum of that kind, or kind → {bearer: amount}; kinds that are not named must not be there;
- ``reasons``: the reason codes of all refusals; ``rules``: rules that must appear; ``cites``: texts within the cites;
- ``needs``: facts or kinds of evidence asked for; ``referred``: rules left to a person;
- ``due``: kind → day; ``failed``: facts named by the refusals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StrictStr, ValidationError

from makegood.policy.facts import Facts
from makegood.policy.marks import MarkedYaml, pack_malformed
from makegood.policy.outcome import Outcome
from makegood.policy.quote import outcome_of
from makegood.policy.registry import Registry
from makegood.policy.written import Written


class Expected(Written):
    verdict: StrictStr | None = None
    amounts: dict[StrictStr, StrictStr | dict[StrictStr, StrictStr]] | None = None
    reasons: list[StrictStr] | None = None
    rules: list[StrictStr] = Field(default_factory=list)
    cites: list[StrictStr] = Field(default_factory=list)
    needs: list[StrictStr] = Field(default_factory=list)
    referred: list[StrictStr] = Field(default_factory=list)
    due: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    failed: list[StrictStr] = Field(default_factory=list)


class WrittenScenario(Written):
    name: Annotated[StrictStr, Field(min_length=1)]
    as_of: StrictStr
    packs: list[StrictStr] | None = None
    facts: dict[StrictStr, Any] = Field(default_factory=dict)
    expect: Expected


class WrittenBook(Written):
    packs: list[StrictStr] | None = None
    given: dict[StrictStr, Any] = Field(default_factory=dict)
    scenarios: Annotated[list[WrittenScenario], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One case: its facts, the packs that are to judge it (None: those that apply), and what must come out."""

    book: str
    name: str
    packs: Sequence[str] | None
    facts: Mapping[str, Any]
    expect: Expected

    def outcome(self, registry: Registry | None = None) -> Outcome:
        return outcome_of(Facts.from_json(self.facts), pack_ids=self.packs, registry=registry)

    def misses(self, outcome: Outcome) -> list[str]:
        """Where the outcome is not what is expected, one line each."""
        return list(_misses(self.expect, outcome.as_json()))


def read_book(file: Path) -> list[Scenario]:
    """Read a file of scenarios. Raises PackMalformed, naming file, line and place."""
    try:
        source = MarkedYaml(file.read_text(encoding="utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise pack_malformed(file.name, 1, problem=str(error)) from None
    try:
        book = WrittenBook.model_validate(source.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = tuple(first["loc"])
        cell = ".".join(map(str, place))
        raise pack_malformed(file.name, source.line_of(place), cell=cell, problem=first["msg"]) from None
    return [
        Scenario(
            book=file.stem,
            name=written.name,
            packs=written.packs or book.packs,
            facts=merged(book.given, {**written.facts, "asked_at": written.as_of}),
            expect=written.expect,
        )
        for written in book.scenarios
    ]


def merged(given: Any, over: Any) -> Any:
    """``over`` laid on ``given``: objects key by key, everything else replaces, None forgets."""
    if not isinstance(given, Mapping) or not isinstance(over, Mapping):
        return over
    found = {key: merged(given.get(key), value) for key, value in over.items()}
    return {key: value for key, value in {**given, **found}.items() if value is not None}


def in_lines(outcome: Outcome) -> list[str]:
    """The whole outcome, a line for each thing said, without the sentences: for comparing and for reading over."""
    told = outcome.as_json()
    lines = [f"{told['verdict']} {told['total']['amount']}"]
    for remedy in told["remedies"]:
        parts = [remedy["line"], remedy["quantity"], remedy["kind"], remedy["amount"], "by " + remedy["borne_by"]]
        parts += [f"due {remedy['due_by']}"] * bool(remedy["due_by"]) + [f"after {remedy['after']}"] * bool(
            remedy["after"]
        )
        lines.append("+ " + " ".join(str(part) for part in parts if part is not None) + f" [{remedy['rule']}]")
    for refusal in told["refused"]:
        failed = refusal["failed"]
        why = f"{failed['fact']} needed {failed['needed']} was {failed['was']}"
        lines.append(f"- {refusal['remedy']} {refusal['reason_code']}: {why} [{refusal['rule']}]")
    lines += [f"= {c.loss} [{c.chosen.rule.id}]" for c in outcome.choices if not c.chosen.rule.remedies]
    lines += [f"? {need['kind']} for {need['fact']} [{need['for']}]" for need in told["evidence_needed"]]
    lines += [f"~ [{entry['rule']}]" for entry in told["referred"]]
    lines += [f"< {entry['because']} {entry['amount']} from {entry['from']}" for entry in told["claw_back"]]
    return lines


def _misses(expect: Expected, told: Mapping[str, Any]) -> Iterator[str]:
    if expect.verdict is not None and told["verdict"] != expect.verdict:
        yield f"verdict is {told['verdict']}, not {expect.verdict}"
    if expect.amounts is not None and (found := _amounts(told, expect.amounts)) != expect.amounts:
        yield f"amounts are {found}, not {expect.amounts}"
    codes = sorted(refusal["reason_code"] for refusal in told["refused"])
    if expect.reasons is not None and codes != sorted(expect.reasons):
        yield f"reasons are {codes}, not {sorted(expect.reasons)}"
    asked = {need["fact"] for need in told["evidence_needed"]} | {need["kind"] for need in told["evidence_needed"]}
    cites = [cite for part in ("remedies", "refused", "referred") for entry in told[part] for cite in entry["cites"]]
    within = {
        "rules": (expect.rules, {entry["rule"] for entry in (*told["remedies"], *told["refused"])}),
        "needs": (expect.needs, asked),
        "referred": (expect.referred, {entry["rule"] for entry in told["referred"]}),
        "failed": (expect.failed, {refusal["failed"]["fact"] for refusal in told["refused"]}),
        "cites": ([c for c in expect.cites if not any(c in cite for cite in cites)], set[str]()),
    }
    for name, (wanted, there) in within.items():
        if missing := sorted(set(wanted) - there):
            yield f"{name} lack {missing}; there are {sorted(there) or cites}"
    due = {remedy["kind"]: (remedy["due_by"] or "")[:10] for remedy in told["remedies"]}
    if any(due.get(kind) != day for kind, day in expect.due.items()):
        yield f"due is {due}, not {expect.due}"


def _amounts(told: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """The sums by kind, spelled as expected: one amount, or one for each bearer."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for remedy in told["remedies"]:
        sums[remedy["kind"]][remedy["borne_by"]] += Decimal(remedy["amount"])
    return {
        kind: {bearer: str(amount) for bearer, amount in by.items()}
        if isinstance(expected.get(kind), Mapping)
        else str(sum(by.values()))
        for kind, by in sums.items()
    }
