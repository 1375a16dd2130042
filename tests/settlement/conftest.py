"""One gateway simulator for the session with empty books for every test, and a merchant connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from makegood.accounts import environment
from makegood.settlement import commands as settlement
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.paying import WEBHOOK_SECRET
from tests.shop import NOON, OWNER


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
    simulator_process.admin.reset()
    settlement.connect_gateway(
        name="stripe",
        settings={
            "api_key": simulator_process.api_key,
            "api_base": simulator_process.url,
            "connect_timeout": 1.0,
            "read_timeout": 0.7,
        },
        webhook_secrets=[WEBHOOK_SECRET],
        actor=OWNER,
        at=NOON,
    )
    return simulator_process
