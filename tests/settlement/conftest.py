"""One gateway simulator for the session with empty books for every test, and a merchant connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from makegood.accounts import environment
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.dying import Mother
from tests.settlement.paying import connect
from tests.shop import NOON


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewaySimulator]:
    with GatewaySimulator(tmp_path_factory.mktemp("gateway") / "books.sqlite") as running:
        yield running


@pytest.fixture(autouse=True)
def installation(database: None) -> None:
    """The database belongs to this deployment, and money may leave."""
    environment.adopt_database(at=NOON)
    environment.release_payouts()


@pytest.fixture
def simulator(simulator_process: GatewaySimulator, merchant: int) -> GatewaySimulator:
    """The merchant in sight is connected to it, with short patience."""
    connect(simulator_process)
    return simulator_process


@pytest.fixture(scope="session")
def mother() -> Iterator[Mother]:
    """Makes processes that may be killed."""
    running = Mother(settings.SECRET_KEY, settings.ENVIRONMENT)
    yield running
    running.end()
