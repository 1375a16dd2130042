"""Leaving work for later: a job commits with the data it is about, or not at all.

Jobs are wake-up calls, not the truth: every task looks at its rows, does what is still to be done, and may
be run twice. Deadlines are rows of their own, never jobs of the future.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from procrastinate.contrib.django import app

from makegood.kit import db, tenancy

QUEUES = ("payout", "notify", "import", "default")

_queue_of: dict[str, str] = {}


class TaskUnknown(RuntimeError):
    """A job was deferred under a name no task has: a defect, found by a test and at start-up."""


def task(name: str, *, queue: str = "default") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function ``f(**ids)`` that works for one merchant; names read ``module.verb_noun``.

    The function must be safe to run twice, and opens its own transactions through commands.
    """
    if queue not in QUEUES:
        raise ValueError(queue)

    def register(function: Callable[..., None]) -> Callable[..., None]:
        def run(*, merchant_id: int, **arguments: Any) -> None:
            arguments.pop("_", None)
            with tenancy.acting_for(merchant_id):
                function(**arguments)

        app.task(name=name, queue=queue, pass_context=False)(run)
        _queue_of[name] = queue
        return function

    return register


def leave(name: str, *, queue: str | None = None, **arguments: Any) -> None:
    """Leave a job in the caller's transaction, by name, for the merchant in sight.

    ``queue`` is needed only where the task's module is not imported: modules leave jobs upwards by name.
    """
    db.require_transaction()
    merchant_id = tenancy.require_merchant_id()
    with connection.cursor() as cursor:
        # procrastinate_defer_jobs_v1 is what the library's own defer calls; called directly it costs one
        # round trip instead of several milliseconds of Python.
        cursor.execute(
            "select procrastinate_defer_jobs_v1(array[row(%s, %s, 0, null, null, %s::jsonb, null)"
            "::procrastinate_job_to_defer_v1])",
            [queue or _queue_of.get(name, "default"), name, json.dumps({"merchant_id": merchant_id, **arguments})],
        )
