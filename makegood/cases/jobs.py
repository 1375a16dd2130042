"""Work left for later: following parcels, trying a policy, and the sweep of deadlines."""

from __future__ import annotations

from datetime import datetime

from makegood.cases import commands, erasure, trying
from makegood.kit import db, jobs


@jobs.task("cases.follow_parcel")
def follow_parcel(*, parcel_id: int) -> None:
    """Carry a parcel's new position into the goods book and its order's cases."""
    commands.follow_parcel(parcel_id=parcel_id, at=db.now())


@jobs.task("cases.delete_files")
def delete_files(*, sha256: list[str]) -> None:
    """Delete what an erased person brought."""
    erasure.delete_files(sha256)


@jobs.task("cases.try_policy")
def try_policy(*, trial: str) -> None:
    """Decide past cases anew under a draft of the policy and keep what would change."""
    trying.try_policy(ref=trial, now=db.now)


@db.query
def merchants_due(at: datetime, limit: int) -> list[int]:
    """Merchants with a deadline that has passed."""
    return [row["id"] for row in db.fetch("select cases_merchants_due(%s, %s) as id", [at, limit])]


def _carry_out(at: datetime) -> int:
    return commands.sweep_deadlines(at=at)


jobs.sweep("cases.sweep_deadlines", 5.0, merchants=merchants_due, work=_carry_out)


@jobs.task("cases.run_bulk")
def run_bulk(*, bulk_id: int) -> None:
    """Do to each case of a bulk what is still to be done."""
    commands.run_bulk(bulk_id=bulk_id)
