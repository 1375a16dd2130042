"""The proof finds what was tampered with behind the commands' back, and nothing where all is right."""

from __future__ import annotations

import pytest

from makegood.cases import proof
from makegood.kit import db, tenancy
from tests.conftest import open_merchant
from tests.shop import Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.mark.parametrize(
    ("tamper", "law"),
    [
        ("update orders_line set quantity = quantity + 1", "I1 units"),
        ("update cases_remedyshare set amount_minor = amount_minor - 1", "I2 money"),
        ("update orders_payment set captured_minor = captured_minor - 1", "I2 money"),
        ("update cases_decision set outcome = replace(outcome, 'grant', 'grand')", "I5 replay"),
        ("update cases_case set marks = '{}'", "history"),
    ],
)
def test_each_law_is_checked(tamper: str, law: str) -> None:
    settle(ask(sell(Bought(2, 20_000), position="not_shipped"), "cancellation", "changed_mind", ("1", 1)))
    assert proof.faults() == []

    with db.atomically():
        assert db.execute(tamper)

    assert {fault.law for fault in proof.faults()} == {law}
    with tenancy.acting_for(open_merchant()):
        assert proof.faults() == []
