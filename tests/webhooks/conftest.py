"""A receiver, and the operator's word that this machine may be called."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.webhooks.receiving import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running, override_settings(OUTGOING_NETWORKS=(ipaddress.ip_network("127.0.0.0/8"),)):
        yield running
