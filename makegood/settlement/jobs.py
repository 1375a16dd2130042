"""What workers do for settlement. Jobs are wake-up calls: each looks at its rows and does what is still to be done."""

from __future__ import annotations

from datetime import datetime

import structlog

from makegood.accounts import queries as accounts
from makegood.kit import db, jobs
from makegood.settlement import queries
from makegood.settlement.commands import noticing, sending

log = structlog.get_logger()


@jobs.task("settlement.pay_out", queue="payout")
def pay_out(case_id: int) -> None:
    """Left by cases in the transaction that releases remedies."""
    sending.pay_out(case_id=case_id, at=db.now())


@jobs.task(noticing.READ_NOTICE, queue="payout")
def read_notice(notice_id: int) -> None:
    """Left with a message of a gateway."""
    noticing.read_notice(notice_id, at=db.now())


jobs.sweep("settlement.sweep_payouts", 5.0, merchants=sending.merchants_to_try, work=sending.sweep_payouts)
jobs.sweep("settlement.sweep_notices", 30.0, merchants=noticing.merchants_with_notices, work=noticing.sweep_notices)


def check_books(at: datetime) -> None:
    """Look for what cannot be, and say it loudly: a check that is always on."""
    for fault in queries.faults(at=at):
        log.error("settlement_fault", law=fault.law, where=fault.where)


def _everybody(at: datetime, limit: int) -> list[int]:
    del at, limit
    return accounts.merchant_ids()


jobs.sweep("settlement.check_books", 3600.0, merchants=_everybody, work=check_books)
