"""Exit codes, one line for what the user can mend, results on stdout and nothing else there."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_help_names_every_command_of_the_contract(makegood: Run) -> None:
    told = makegood("--help")

    assert told.returncode == 0
    for command in ("serve", "worker", "migrate", "doctor", "backup", "restore", "quote", "policy"):
        assert command in told.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "--port", "x"],
        ["serve", "--port", "70000"],
        ["backup"],
        ["doctor", "--nonsense"],
        ["quote", "/nowhere/facts.json"],
        ["quote", "/dev/null"],
        ["policy", "show", "no-such-pack"],
    ],
)
def test_wrong_usage_and_unreadable_input_end_with_two(makegood: Run, arguments: list[str]) -> None:
    ended = makegood(*arguments)

    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr.strip()
    assert "Traceback" not in ended.stderr


def test_an_answer_of_no_ends_with_one(makegood: Run, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(
        json.dumps(
            {
                "market": "CN",
                "platform": "own-store",
                "currency": "CNY",
                "asked_at": "2026-11-14T10:00:00+08:00",
                "order": {
                    "delivered_at": "2026-01-12T10:00:00+08:00",
                    "channel": "distance",
                    "lines": [{"id": "1", "quantity": 1, "paid": "10.00"}],
                },
                "case": {"kind": "return", "reason": "changed_mind", "lines": [{"id": "1", "quantity": 1}]},
                "parcel": {"position": "with_customer", "condition": "intact"},
            }
        )
    )

    ended = makegood("quote", str(facts), "--json")

    assert ended.returncode == 1, ended.stderr
    assert json.loads(ended.stdout)["verdict"] == "deny"


def test_a_port_in_use_is_told_in_one_line(makegood: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = makegood("serve", "--port", str(port))

    assert (ended.returncode, ended.stderr) == (
        1,
        f"port_taken: Port {port} is in use: choose another with --port.\n",
    )


def test_a_database_address_that_is_none_is_told_in_one_line(makegood: Run) -> None:
    ended = makegood("doctor", MAKEGOOD_DATABASE_URL="mysql://x:secret@y/z")

    assert ended.returncode == 2
    assert "MAKEGOOD_DATABASE_URL" in ended.stderr
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_operator_migrates_examines_backs_up_and_restores(makegood: Run, tmp_path: Path) -> None:
    before = makegood("doctor", "--json")
    assert before.returncode == 1
    assert not json.loads(before.stdout)["ok"]

    assert makegood("migrate").returncode == 0
    after = makegood("doctor", "--json")
    assert after.returncode == 0, after.stdout + after.stderr
    assert {check["name"] for check in json.loads(after.stdout)["checks"]} >= {"merchants apart", "ledger", "payouts"}

    file = tmp_path / "backup.makegood"
    assert makegood("backup", str(file)).returncode == 0
    occupied = makegood("restore", str(file))
    assert occupied.returncode == 1
    assert occupied.stderr.startswith("restore_database_not_empty")
    restored = makegood("restore", str(file), "--replace")
    assert restored.returncode == 0, restored.stderr
    held = makegood("doctor", "--json")
    assert held.returncode == 1
    [payouts] = [check for check in json.loads(held.stdout)["checks"] if check["name"] == "payouts"]
    assert "held" in payouts["told"]
    assert makegood("reconcile", "--release").returncode == 0
    assert makegood("doctor").returncode == 0


def test_a_copy_of_the_database_started_elsewhere_may_not_pay(makegood: Run) -> None:
    assert makegood("migrate").returncode == 0

    elsewhere = makegood("doctor", "--json", MAKEGOOD_ENVIRONMENT="9a7b1c52-0d4e-4f7a-8a1e-7c1f0c6f9d11")

    assert elsewhere.returncode == 1
    [payouts] = [check for check in json.loads(elsewhere.stdout)["checks"] if check["name"] == "payouts"]
    assert "another deployment" in payouts["told"]


def test_the_terminal_is_spoken_to_in_its_language(makegood: Run) -> None:
    ended = makegood("doctor", MAKEGOOD_ENVIRONMENT="nonsense", LC_ALL="zh_CN.UTF-8")

    assert "不是 UUID" in ended.stderr
