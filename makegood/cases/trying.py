"""A draft of the policy tried on the cases that were decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from makegood.cases.replays import stored_cases
from makegood.policy import grid, queries, trials
from makegood.policy.backtest import compare, replaced

ROWS_KEPT = 200


def try_policy(*, ref: str, now: Callable[[], datetime]) -> None:
    """Compare what was decided with what the trial's draft would decide, saying how far it is; keep the result.

    Begun again after a crash it starts over: it changes nothing but its own row. Raises TrialUnknown.
    """
    trial = queries.trial(ref)
    if trial.finished_at is not None:
        return
    in_force = queries.registry_of_merchant()
    changed = replaced(in_force, [grid.read_content(trial.content, trial.pack)])
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done = count
        trials.note_progress(ref=ref, done=count)

    found = compare(stored_cases(told=told), in_force, changed)
    trials.finish_trial(ref=ref, done=done, result=found.kept(ROWS_KEPT), at=now())
