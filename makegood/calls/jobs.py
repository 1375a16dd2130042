"""Work left for later: fetching recordings, forgetting people."""

from __future__ import annotations

from makegood.calls import commands, erasure
from makegood.kit import jobs


@jobs.task("calls.fetch_recording")
def fetch_recording(*, call_id: int) -> None:
    """Left with the event that tells of a recording."""
    commands.fetch_recording(call_id=call_id)


@jobs.task("calls.erase_customer", queue="notify")
def erase_customer(*, customer_id: int) -> None:
    """Left where a person is forgotten."""
    erasure.erase_customer(customer_id)
