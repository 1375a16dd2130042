"""Saying that one looks at a case, or writes on it."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.kit import db


@db.command
def be_on_case(*, case_id: int, replying: bool, actor: Actor, at: datetime) -> None:
    """Be seen on the case for some seconds. No part of its history, and takes no lock of it."""
    require(actor, May.READ)
    db.send(
        "insert into workbench_presence (staff_id, case_id, doing, seen_at) values (%s, %s, %s, %s)"
        " on conflict (merchant_id, case_id, staff_id)"
        " do update set doing = excluded.doing, seen_at = excluded.seen_at",
        [actor.id, case_id, "replying" if replying else "viewing", at],
    )


@db.command
def leave_case(*, case_id: int, actor: Actor) -> None:
    """Be seen there no longer."""
    db.send("delete from workbench_presence where staff_id = %s and case_id = %s", [actor.id, case_id])
