"""The commands: answers on stdout, one line on stderr for what cannot be read, exit codes that scripts can use."""
# ruff: noqa: E501 - tables, one case a line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from makegood.policy.cli import policy_app, quote_command
from makegood.policy.registry import SHIPPED
from tests.policy.cases import a_case

app = typer.Typer()
app.command("quote")(quote_command)
app.add_typer(policy_app, name="policy")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def facts(tmp_path: Path) -> Any:
    def write(text: str | bytes | dict[str, Any]) -> Path:
        file = tmp_path / "facts.json"
        raw = json.dumps(text) if isinstance(text, dict) else text
        file.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return file

    return write


def test_a_quote_prints_one_json_document(facts: Any) -> None:
    result = run("quote", facts(a_case(order={"delivered_at": "2026-11-10T00:00:00+08:00"})), "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["total"]) == (0, {"currency": "CNY", "amount": "100.01"})


def test_a_no_is_exit_code_one_and_is_told_in_the_language_asked(facts: Any) -> None:
    file = facts(a_case(order={"delivered_at": "2026-10-01T00:00:00+08:00"}))
    assert run("quote", file).exit_code == 1
    assert "Not granted" in run("quote", file).stdout
    assert "签收已 44 天" in run("quote", file, "--lang", "zh-Hans").stdout
    assert "申诉" in run("quote", file, "--lang", "zh-Hans").stdout


def test_packs_and_day_can_be_chosen(facts: Any) -> None:
    file = facts(a_case("cancellation", "changed_mind", order={"state": "pending"}))
    answer = json.loads(run("quote", file, "--pack", "tau-retail", "--on", "2024-05-15", "--json").stdout)
    assert ([pack["id"] for pack in answer["policy"]["packs"]], answer["policy"]["on"]) == (
        ["tau-retail"],
        "2024-05-15",
    )


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("{", [], ":1:2"),
        (b"\xff\xfe", [], "UTF-8"),
        ("[]", [], "a JSON object"),
        ('{"currency": "CNY", "currency": "EUR"}', [], "each name once"),
        ('{"currency": "CNY", "asked_at": "2026-11-14T10:00:00+08:00", "case": {"kind": "party"}}', [], "case.kind: party"),
        (a_case(order={"shipping_paid": "12.345"}), [], "order.shipping_paid: 12.345"),
        (a_case(order={"shiping_paid": "12"}), [], "nearest known name is shipping_paid"),
        (a_case(), ["--pack", "hause"], "no policy pack hause. Known: "),
        (a_case(), ["--on", "1999-01-01", "--pack", "house"], "no version in force on 1999-01-01"),
        (a_case(), ["--on", "someday"], "--on: someday"),
        (a_case(), ["--lang", "tlh"], "lang: tlh"),
        ("[" * 100_000, [], "JSON"),
        ('{"asked_at": 1e999}', [], "must be given"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line_and_exit_code_two(
    facts: Any, text: Any, arguments: list[str], said: str
) -> None:
    result = run("quote", facts(text), *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("quote", tmp_path / "nothing.json")
    assert (result.exit_code, "nothing.json" in result.stderr) == (2, True)


def test_packs_are_listed_shown_and_checked() -> None:
    listed = json.loads(run("policy", "list", "--json").stdout)["packs"]
    assert {"house", "tau-retail"} <= {pack["id"] for pack in listed}
    assert "house-refusal-lost" in run("policy", "show", "house").stdout
    assert json.loads(run("policy", "show", "house", "--json").stdout)["pack"]["title"]["zh-Hans"]
    assert run("policy", "show", "nothing").exit_code == 2
    assert (run("policy", "check", "house").exit_code, json.loads(run("policy", "check", "--json").stdout)["ok"]) == (
        0,
        True,
    )


def test_a_wrong_pack_fails_its_check_with_file_line_rule_and_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (SHIPPED / "house" / "pack.yaml").read_text(encoding="utf-8")
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "pack.yaml").write_text(words.replace('"<= 7"', '"<= a week"'), encoding="utf-8")
    monkeypatch.setenv("MAKEGOOD_POLICIES", str(tmp_path))
    result = run("policy", "check")
    assert result.exit_code == 1
    assert "house/pack.yaml:" in result.stderr
    assert "house-return-no-reason: when.days_since_delivery" in result.stderr
