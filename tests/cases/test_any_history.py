"""Any history of commands over any orders: after every step what may never break holds (I1 to I5, I7, I8)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cases.histories.usual import AnyHistory

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
# The same histories in every ordinary run; with HYPOTHESIS_PROFILE=nightly others, longer and many more. Shrinking a
# long history against a database takes longer than reading it, so only the nightly run does it.
SETTINGS = settings(
    max_examples=400 if NIGHTLY else 20,
    stateful_step_count=50 if NIGHTLY else 20,
    phases=[Phase.generate, Phase.shrink] if NIGHTLY else [Phase.generate],
    deadline=None,
    database=None,
    print_blob=True,
    derandomize=not NIGHTLY,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_what_may_never_break_holds() -> None:
    run_state_machine_as_test(AnyHistory, settings=SETTINGS)
