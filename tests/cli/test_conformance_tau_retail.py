"""The tau retail benchmark, whole: every task and probe through our own commands, to the cent."""

from __future__ import annotations

import gzip
import json

import pytest

from makegood.accounts import environment
from makegood.cli.conformance import tau_retail
from tests.conftest import NOON, SHARED_DATA

DATA = SHARED_DATA / "tau-retail"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's data is not beside the project")


@pytest.mark.parametrize("name", ["tasks", "probes"])
def test_every_task_ends_in_the_expected_state(name: str) -> None:
    environment.adopt_database(at=NOON)  # payouts are held in a database that nobody called its own
    environment.release_payouts()

    report = tau_retail.replay(db_path=DATA / "db.json", tasks_path=DATA / f"{name}.json.gz", at=NOON)

    assert report.failed == []
    assert report.passed == report.tasks
    with gzip.open(DATA / f"{name}.json.gz") as file:
        assert report.tasks == len(json.load(file)["tasks"])
