"""Every scenario of ``scenarios/*.yaml`` comes out as expected, and says in whole what it said when last read over.

``scenarios/told/*.txt`` hold the whole of each outcome. After a change that is meant, write them anew and read the
difference: ``MAKEGOOD_TELL_ANEW=1 .venv/bin/pytest tests/policy/test_scenarios.py``.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from makegood.policy.check.drawing import drawn_cases
from makegood.policy.cli import policy_app
from makegood.policy.facts import Facts
from makegood.policy.packs import Pack
from makegood.policy.quote import outcome_of, replay
from makegood.policy.registry import PackNotInForce, shipped_registry
from makegood.policy.scenarios import Scenario, in_lines, read_book

FOLDER = Path(__file__).parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
SCENARIOS = [scenario for file in FILES for scenario in read_book(file)]


@pytest.mark.parametrize("scenario", [pytest.param(s, id=f"{s.book}: {s.name}") for s in SCENARIOS])
def test_scenario(scenario: Scenario) -> None:
    outcome = scenario.outcome()

    assert scenario.misses(outcome) == [], "\n".join(in_lines(outcome))
    assert replay(outcome.facts.canonical(), outcome.as_json()["policy"]) == outcome.canonical()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_else_changed_in_what_is_told(file: Path) -> None:
    told = [line for s in read_book(file) for line in (f"# {s.name}", *in_lines(s.outcome()), "")]

    assert told == kept(f"{file.stem}.txt", told)


@pytest.mark.parametrize("pack", shipped_registry().packs, ids=lambda pack: f"{pack.id} {pack.version}")
def test_nothing_else_changed_in_the_cases_drawn_from_a_pack(pack: Pack) -> None:
    """For every rule a case in which it decides, and its neighbours at every edge; kept as a digest a rule."""
    told = drawn(pack)
    digests = [
        f"{rule} {len(lines)} {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
        for rule, lines in told.items()
    ]
    known = kept(f"drawn/{pack.id}-{pack.version}.txt", digests)
    changed = [line.split()[0] for line in digests if line not in known]

    assert digests == known, "\n".join(line for rule in changed for line in told[rule])


def drawn(pack: Pack) -> dict[str, list[str]]:
    """What the pack says of the cases drawn from it, one line each, by rule."""
    registry = shipped_registry()
    told: dict[str, list[str]] = {}
    for case in drawn_cases(pack, registry.combination()):
        try:
            lines = in_lines(outcome_of(Facts.from_json(case.facts), pack_ids=[pack.id], registry=registry))
        except PackNotInForce:
            lines = ["not in force"]
        told.setdefault(case.rule, []).append(f"{case.rule} {case.kind} | {case.change} | {' ; '.join(lines)}")
    return told


def kept(name: str, told: list[str]) -> list[str]:
    """What the file says; written anew first where that is asked for."""
    file = FOLDER / "told" / name
    if os.environ.get("MAKEGOOD_TELL_ANEW"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(told) + "\n", encoding="utf-8")
    return file.read_text(encoding="utf-8").splitlines()


def test_no_scenario_has_the_name_of_another() -> None:
    names = [(scenario.book, scenario.name) for scenario in SCENARIOS]

    assert len(names) == len(set(names))


def test_the_command_tries_a_file_and_says_where_it_misses(tmp_path: Path) -> None:
    good = (FOLDER / "combination.yaml").read_text(encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(good.replace('refund: "12.00"', 'refund: "13.00"'), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text(good.replace("as_of:", "asked:", 1), encoding="utf-8")

    def run(file: Path) -> tuple[int, str, str]:
        result = CliRunner().invoke(policy_app, ["try", str(file)])
        return result.exit_code, result.stdout, result.stderr

    assert run(FOLDER / "combination.yaml")[0] == 0
    code, told, _ = run(tmp_path / "wrong.yaml")
    assert code == 1
    assert "amounts are {'refund': '12.00'" in told
    code, _, error = run(tmp_path / "broken.yaml")
    assert code == 2
    assert "broken.yaml:" in error
