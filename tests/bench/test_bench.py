"""The measurements work: a quick run names every promised figure and says how it came about."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.figures import PROMISES, Figure

ROOT = Path(__file__).resolve().parents[2]
# These need other programs, each in an environment of its own.
BESIDE_OTHERS = {"http.file_vs_litestar", "spine.settle_vs_tryton", "spine.settle_vs_helpdesk"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("bench") / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--results", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_every_promised_figure_has_one_entry_with_its_limit_and_how(results: dict[str, Any]) -> None:
    assert sorted(figure["name"] for figure in results["figures"]) == sorted(promise.name for promise in PROMISES)
    for figure in results["figures"]:
        assert figure["how"]
        assert figure["better"] in {"higher", "lower"}
        assert figure["limit"] > 0
        assert isinstance(figure["ok"], bool)


def test_what_needs_nothing_else_is_measured(results: dict[str, Any]) -> None:
    measured = {figure["name"] for figure in results["figures"] if figure["value"] is not None}
    assert measured >= {promise.name for promise in PROMISES} - BESIDE_OTHERS
    assert results["machine"]["cores"] >= 1
    assert results["at"]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("spine.settle_vs_psycopg", 0.25, True),
        ("spine.settle_vs_psycopg", 0.2499, False),
        ("queue.page_growth", 1.5, True),
        ("queue.page_growth", 1.51, False),
        ("queue.page_growth", None, False),
    ],
)
def test_a_figure_is_ok_where_it_keeps_its_limit(name: str, value: float | None, kept: bool) -> None:  # noqa: FBT001
    assert Figure(name, value, "measured").as_json()["ok"] is kept
