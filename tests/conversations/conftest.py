from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.conversations.servers import Dovecot, Sink, dovecot, smtp_sink


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


@pytest.fixture(scope="session")
def imap_server() -> Iterator[Dovecot]:
    with dovecot() as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[Sink]:
    with smtp_sink() as sink:
        yield sink
