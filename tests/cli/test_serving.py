"""``makegood serve`` as a real process: it starts all of it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from makegood.kit.postgres import cluster
from makegood.kit.postgres.layout import Layout
from makegood.policy.registry import SHIPPED
from tests.cli.conftest import Run, Serving


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="makegood-serve-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "data"


def processes_over(folder: Path) -> list[int]:
    """Processes of the program that work over a data folder."""
    wanted = f"MAKEGOOD_DATA_DIR={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or not ours to look at
            continue
    return found


def a_shorter_house(folder: Path) -> Path:
    """The shipped house pack without its refund of a parcel that was lost."""
    pack = yaml.safe_load((SHIPPED / "house" / "pack.yaml").read_text(encoding="utf-8"))
    pack["rules"] = [rule for rule in pack["rules"] if rule["id"] != "house-claim-lost"]
    file = folder / "pack.yaml"
    file.write_text(yaml.safe_dump(pack, allow_unicode=True), encoding="utf-8")
    return file


def wait_until(holds: object, what: str) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if holds():  # type: ignore[operator]
            return
        time.sleep(0.1)
    raise AssertionError(what)


def server_runs(folder: Path) -> bool:
    return cluster.postmaster(Layout.of(folder).cluster) is not None


def test_it_starts_from_nothing_and_ctrl_c_stops_all_of_it(folder: Path, makegood: Run, tmp_path: Path) -> None:
    serving = Serving(folder, "--demo")
    try:
        serving.wait_until_ready()
        assert serving.get("/healthz") == (200, {"status": "ok"})
        assert serving.get("/api/v1/openapi.json")[1]["openapi"].startswith("3.1")
        assert len(processes_over(folder)) >= 3
        ran = makegood("policy", "backtest", str(a_shorter_house(tmp_path)), "--json", MAKEGOOD_DATA_DIR=str(folder))
        assert ran.returncode == 0, ran.stderr
        backtest = json.loads(ran.stdout)
        changed = {row["old_rules"]: row for row in backtest["by_rules"] if row["changed"]}
        assert 0 < backtest["changed"] < backtest["cases"]
        assert set(changed) == {"house-claim-lost"}
        assert changed["house-claim-lost"]["examples"][0].startswith("C-")
    finally:
        code = serving.stop(signal.SIGINT)

    assert code == 0, serving.log.read_text()
    assert serving.process.stdout is not None
    told = serving.process.stdout.read().decode()
    assert f"http://127.0.0.1:{serving.port}/" in told
    assert "  agent " in told
    assert processes_over(folder) == []
    assert not server_runs(folder)


def test_it_starts_what_was_killed_again_and_dies_as_a_whole(folder: Path, makegood: Run) -> None:
    serving = Serving(folder)
    try:
        serving.wait_until_ready()
        [worker] = [pid for pid in processes_over(folder) if b"worker" in _arguments(pid)]
        os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda: [pid for pid in processes_over(folder) if b"worker" in _arguments(pid) and pid != worker],
            "the worker was not started again",
        )
    finally:
        serving.process.kill()
        serving.process.wait()

    # Nobody was left to stop them: each notices by itself that the first one is gone.
    wait_until(lambda: processes_over(folder) == [], "processes were left behind")
    assert makegood("doctor", MAKEGOOD_DATA_DIR=str(folder)).returncode == 0
    wait_until(lambda: not server_runs(folder), "the database was left running")


def test_two_run_side_by_side_and_the_database_outlives_the_first(folder: Path) -> None:
    first, second = Serving(folder), Serving(folder)
    try:
        first.wait_until_ready()
        second.wait_until_ready()
        assert first.stop(signal.SIGTERM) == 0
        assert second.get("/readyz")[0] == 200
    finally:
        first.process.kill()
        assert second.stop(signal.SIGTERM) == 0

    assert not server_runs(folder)


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
