"""Packs as JDM tables: what comes back is what went out, and another engine finds the same rules to hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zen
from typer.testing import CliRunner

from makegood.cli.main import _mount_policy, app
from makegood.policy import jdm, jdm_draft
from makegood.policy.check.drawing import drawn_cases
from makegood.policy.facts import Facts
from makegood.policy.packs import Pack, load_pack
from makegood.policy.table import table_of
from tests.policy.cases import HOUSE, PACKS

_mount_policy()

BY = PACKS.combination()
CASES_A_PACK = 120


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: f"{pack.id}-{pack.version}")
def test_another_engine_finds_the_same_rules_to_hold(pack: Pack) -> None:
    engine = zen.ZenEngine().create_decision(json.dumps(jdm.export(pack)))
    cases = list(drawn_cases(pack, BY))
    held = 0
    for case in cases[:: 1 + len(cases) // CASES_A_PACK]:
        facts = Facts.from_json(case.facts)
        given = facts.rows[0]
        row = {**pack.assume, **given}
        day = (row.get(pack.dated_by) or facts.asked_at).astimezone(facts.zone).date()
        table = table_of(pack, row["case.kind"], BY)
        fails, unknown = table.truths(row)
        ours = [entry.rule.id for entry in table.in_force(day) if not entry.mask & (fails | unknown)]
        told = engine.evaluate(jdm.context_of(row, day))["result"]
        assert [entry["rule"] for entry in told] == ours, case
        held += len(ours)
    assert held


def test_a_pack_comes_back_with_its_conditions_evidence_and_formulas(tmp_path: Path) -> None:
    file = tmp_path / "house.json"
    exported = CliRunner().invoke(app, ["policy", "export", "house", "--format", "jdm"])
    file.write_text(exported.stdout, encoding="utf-8")
    draft = CliRunner().invoke(app, ["policy", "import", str(file), "--id", "copy"])
    (tmp_path / "copy.yaml").write_text(draft.stdout, encoding="utf-8")

    copy = load_pack(tmp_path / "copy.yaml")

    def told(pack: Pack) -> dict[str, object]:
        return {
            rule.id: (dict(rule.cells), rule.kinds, rule.evidence, [r.written for r in rule.remedies], rule.priority)
            for rule in pack.rules
        }

    assert told(copy) == told(HOUSE)
    assert not any(rule.sound for rule in copy.rules)


@pytest.mark.parametrize(
    ("text", "fact", "cell"),
    [
        ('"a", "b"', "case.reason", ["a", "b"]), ("<= 7", "days_since_delivery", "<= 7"),
        ("[1..7)", "days_late", "[1..7)"),
        ("$ == null", "case.loss", "not known"), ('$ <= 50000 and currency == "CNY"', "line.paid", "<= 500.00 CNY"),
        ("true", "line.opened", True), ('$ != null and not ($ in ["a"])', "case.reason", "not in [a]"),
    ],
)  # fmt: skip
def test_cells_of_other_tables_are_read(text: str, fact: str, cell: object) -> None:
    assert jdm_draft.cell_of(text, fact, "r") == cell


def test_what_has_no_meaning_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(jdm_draft.JdmMalformed):
        jdm_draft.cell_of("contains($, 'x')", "case.reason", "r")
    file = tmp_path / "x.json"
    file.write_text("{}")
    told = CliRunner().invoke(app, ["policy", "import", str(file)])
    assert told.exit_code == 2
    assert "jdm_malformed" in told.stderr


def test_markdown_names_every_rule() -> None:
    told = CliRunner().invoke(app, ["policy", "export", "house", "--format", "markdown"]).stdout
    assert all(f"`{rule.id}`" in told for rule in HOUSE.rules)
