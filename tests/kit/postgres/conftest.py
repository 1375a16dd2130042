"""Scratch folders that the server's own user can reach, and a look at who is running."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from makegood.kit.postgres import cluster, embedded


@pytest.fixture
def scratch() -> Iterator[Path]:
    """An empty folder; whatever server is left running in it is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mg-"))
    yield folder
    for data in [found.parent for found in folder.rglob("PG_VERSION") if found.parent.name == "postgres"]:
        if pid := cluster.postmaster(data):
            os.kill(pid, 9)
            cluster.wait_until(partial(_is_down, data), seconds=10)
    shutil.rmtree(folder)


def _is_down(data: Path) -> bool:
    return cluster.postmaster(data) is None


@pytest.fixture
def server(scratch: Path) -> Iterator[embedded.Server]:
    """A running server of its own."""
    with embedded.start(scratch / "data", fsync=False) as running:
        yield running
