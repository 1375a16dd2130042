"""What a changed pack would cost, on given cases: counts, money, who gains and who loses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from makegood.cli.main import _mount_policy, app
from makegood.policy.backtest import compare, read_side
from makegood.policy.engines.bulk import Bulk
from makegood.policy.engines.claims import ClaimsMalformed, batches, frame_of, prepared
from makegood.policy.engines.compiled import Compiled
from makegood.policy.facts import Facts
from makegood.policy.registry import SHIPPED
from tests.policy.cases import PACKS, a_case

HOUSE = (SHIPPED / "house" / "pack.yaml").read_text(encoding="utf-8")
ASKED = datetime(2026, 11, 14, 2, tzinfo=UTC)
_mount_policy()


@pytest.fixture
def shorter(tmp_path: Path) -> Path:
    """The house pack with 14 days in place of 30."""
    file = tmp_path / "house.yaml"
    file.write_text(HOUSE.replace('days_since_delivery: "<= 30"', 'days_since_delivery: "<= 14"'), encoding="utf-8")
    return file


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Wrong items sent back 10, 20 and 40 days after delivery, ten of each, in a market without a law."""
    days = [10, 20, 40] * 10
    frame = pl.DataFrame(
        {
            "ref": [f"C{at}" for at in range(30)], "market": "SG", "platform": "own-store", "currency": "SGD",
            "asked_at": [ASKED] * 30, "order.delivered_at": [ASKED - timedelta(days=day) for day in days],
            "case.kind": "return", "case.reason": "wrong_item", "line.quantity": 1, "line.paid": 5_000,
            "line.shipping_share": 0, "evidence.photo": True, "line.category": ["toys", "books", "toys"] * 10,
        }
    )  # fmt: skip
    file = tmp_path / "claims.parquet"
    frame.write_parquet(file)
    return file


def test_cases_between_the_old_and_the_new_window_lose(shorter: Path, claims: Path) -> None:
    found = compare(batches(claims, size=7), PACKS, read_side(shorter, PACKS))

    assert (found.cases, found.changed) == (30, 10)
    lost = found.by_rules.filter("changed").row(0, named=True)
    assert (lost["cases"], lost["lose"], lost["old.total"], lost["new.total"]) == (10, 10, 50_000, 0)
    assert lost["old.rules"] == "house-return-not-as-sold"
    assert len(lost["examples"]) == 3
    by_category = {row["category"]: row["difference"] for row in found.by["category"].iter_rows(named=True)}
    assert by_category == {"books": -50_000, "toys": 0}


def test_nothing_changes_under_the_same_pack(claims: Path) -> None:
    assert compare(batches(claims), PACKS, PACKS).changed == 0


def test_the_command_tells_it_as_json_table_and_chart(shorter: Path, claims: Path, tmp_path: Path) -> None:
    out, chart = tmp_path / "out.csv", tmp_path / "chart.svg"
    told = CliRunner().invoke(
        app,
        [
            "policy",
            "backtest",
            str(shorter),
            "--claims",
            str(claims),
            "--out",
            str(out),
            "--chart",
            str(chart),
            "--json",
        ],
    )
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert document["changed"] == 10
    assert document["by_market"][0]["difference"] == "-500.00"
    assert "house-return-not-as-sold" in out.read_text(encoding="utf-8")
    assert "-500.00 SGD" in chart.read_text(encoding="utf-8")


def test_diff_names_the_rules_that_changed_and_the_cases_drawn_from_them(shorter: Path) -> None:
    told = CliRunner().invoke(app, ["policy", "diff", "house", str(shorter), "--json"])
    document = json.loads(told.stdout)
    changed = {change["rule"]: change["what"] for change in document["rules"]}
    assert changed["house-return-not-as-sold"] == ["days_since_delivery: <= 30 -> <= 14"]
    assert 0 < document["changed"] < document["cases"]


@pytest.mark.parametrize(
    "frame",
    [
        {"asked_at": [ASKED], "currency": ["CNY"]},
        {"asked_at": [ASKED], "currency": ["CNY"], "case.kind": ["return"], "the.moon": [1]},
        {"asked_at": [None], "currency": ["CNY"], "case.kind": ["return"]},
        {"asked_at": ["soon"], "currency": ["CNY"], "case.kind": ["return"]},
    ],
)
def test_columns_that_are_no_facts_are_refused(frame: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "wrong.parquet"
    pl.DataFrame(frame).write_parquet(file)
    with pytest.raises(ClaimsMalformed):
        list(batches(file))
    assert CliRunner().invoke(app, ["policy", "backtest", str(SHIPPED / "house"), "--claims", str(file)]).exit_code == 2


def test_what_follows_from_instants_follows_as_for_a_quote() -> None:
    document = a_case(
        order={
            "ordered_at": "2026-01-31T23:30:00+08:00", "delivered_at": "2026-02-10T00:10:00+08:00",
            "promised_by": "2026-02-08T12:00:00+08:00", "shipping_paid": "0",
            "lines": [{"id": "1", "quantity": 3, "paid": "100.01", "units_given_back": 1}],
        }
    )  # fmt: skip
    [row] = Facts.from_json(document).rows
    given = {
        name: value for name, value in row.items() if not name.startswith(("days_", "months_", "workdays_", "hours_"))
    }
    left_out = {"order.state", "fault", "line.price_paid", "line.units_left", "line.asked_quantity", "order.channel"}
    bare = frame_of([{name: value for name, value in given.items() if name not in left_out}])
    told = prepared(bare).row(0, named=True)
    missing = {name: (told.get(name), value) for name, value in row.items() if name in told and told[name] != value}
    assert missing == {}
    assert set(row) - set(told) <= {"line.id"}


def test_rows_in_columns_are_ruled_on_as_one_by_one() -> None:
    facts = [
        Facts.from_json(a_case(kind, reason)) for kind, reason in (("return", "wrong_item"), ("cancellation", "other"))
    ]
    rows = [facts_.rows[0] for facts_ in facts]
    ruled = Bulk(PACKS).rule(frame_of(rows))
    packs = PACKS.applying(market="CN", platform="own-store", day=ASKED.date())
    one_by_one = [Compiled(packs, PACKS.combination()).ruling(row) for row in rows]
    assert ruled["verdict"].to_list() == [ruling.verdict for ruling in one_by_one]
    assert ruled["total"].to_list() == [ruling.total for ruling in one_by_one]
