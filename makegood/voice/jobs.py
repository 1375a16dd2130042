"""Work left for later."""

from __future__ import annotations

from makegood.kit import jobs
from makegood.voice import commands


@jobs.task("voice.forget_words", queue="notify")
def forget_words(*, customer_id: int) -> None:
    """Left where a person is forgotten."""
    commands.forget_words(customer_id=customer_id)
