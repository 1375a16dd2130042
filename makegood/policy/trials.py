"""Trying a draft on past cases: asked for at the desk, worked through by a job, read when it is finished.

The job stands with the cases (``cases.try_policy``): here is only what was asked, how far it is, and what was found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.kit import db, jobs, refs
from makegood.policy.commands import DraftClosed
from makegood.policy.queries import draft, latest_trial


@db.command
def start_trial(*, draft_ref: str, decisions: int, actor: Actor, at: datetime) -> str:
    """Leave the job that tries a draft, as it is now, on stored ``decisions``; the reference of the trial.

    One that is under way for the same revision is joined instead. Raises NotAllowed, DraftUnknown, DraftClosed.
    """
    require(actor, May.POLICY)
    found = draft(refs.normalize_ref(draft_ref))
    if found.closed_at is not None:
        raise DraftClosed(draft_ref, field="draft")
    ref = refs.new_ref("PT")
    begun = db.fetch(
        "insert into policy_policytrial (ref, draft, revision, content, pack, decisions, done, started_by, started_at)"
        " values (%s, %s, %s, %s::jsonb, %s, %s, 0, %s, %s)"
        " on conflict (merchant_id, draft, revision) where finished_at is null do nothing returning ref",
        [ref, found.ref, found.revision, json.dumps(found.content), found.pack, decisions, actor.key, at],
    )
    if begun:
        jobs.leave("cases.try_policy", queue="default", trial=ref)
        return ref
    under_way = latest_trial(found.ref)
    return under_way.ref if under_way else ref


@db.command
def note_progress(*, ref: str, done: int) -> None:
    """Say how many stored decisions were tried so far."""
    db.execute("update policy_policytrial set done = %s where ref = %s and finished_at is null", [done, ref])


@db.command
def finish_trial(*, ref: str, done: int, result: Mapping[str, Any], at: datetime) -> None:
    """Keep what was found. A trial that is finished already stays as it is."""
    db.execute(
        "update policy_policytrial set done = %s, result = %s::jsonb, finished_at = %s"
        " where ref = %s and finished_at is null",
        [done, json.dumps(result), at, ref],
    )
