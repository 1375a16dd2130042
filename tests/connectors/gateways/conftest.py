"""One simulator process for the session, empty books for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from makegood.connectors.stripe.client import StripeGateway
from tests.gateway_simulator import GatewaySimulator


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewaySimulator]:
    with GatewaySimulator(tmp_path_factory.mktemp("gateway") / "books.sqlite") as running:
        yield running


@pytest.fixture
def simulator(simulator_process: GatewaySimulator) -> GatewaySimulator:
    simulator_process.admin.reset()
    return simulator_process


@pytest.fixture
def stripe_gateway(simulator: GatewaySimulator) -> StripeGateway:
    return simulator.gateway()
