"""A share of the tau retail benchmark, replayed: the whole takes minutes, so two files run a half each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from makegood.accounts import environment
from makegood.cli.conformance import tau_retail
from tests.conftest import NOON, SHARED_DATA

DATA = SHARED_DATA / "tau-retail"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's data is not beside the project")


def every_one_passes(name: str, folder: Path, *, share: slice, through: str = "commands") -> None:
    """Replay the tasks of one of the benchmark's files that fall into the share; each must pass."""
    environment.adopt_database(at=NOON)  # payouts are held in a database that nobody called its own
    environment.release_payouts()
    with gzip.open(DATA / f"{name}.json.gz") as file:
        tasks = json.load(file)["tasks"][share]
    path = folder / "tasks.json"
    path.write_text(json.dumps({"tasks": tasks}))

    report = tau_retail.replay(db_path=DATA / "db.json", tasks_path=path, at=NOON, through=through)

    assert report.failed == []
    assert report.passed == report.tasks == len(tasks) > 0
