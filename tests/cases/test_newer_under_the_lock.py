"""What arrives while somebody decides is seen by the decision, however late it comes: both wait for one lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections

from makegood.accounts.actors import Actor
from makegood.cases import commands, history
from makegood.cases.commands.writing import write_message
from makegood.cases.models import Case
from makegood.kit import db, tenancy
from tests.cases.racing import LATER, again, appealed, at_once, kinds, planned, unshipped
from tests.shop import AGENT, NOON, REVIEWER, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def a_word_that_comes_late(case: Case, act: Callable[[], object]) -> str:
    """The customer writes, ``act`` waits for the lock that this holds, then the word is kept: what ``act`` was told."""
    merchant_id = tenancy.require_merchant_id()
    locked, waiting = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with tenancy.acting_for(merchant_id), db.atomically():
                held = history.lock_case(case.ref)
                locked.set()
                assert waiting.wait(30)
                write_message(held, body="wait", actor=Actor.customer(case.customer_id), at=LATER)
                history.save(held)
        finally:
            connections.close_all()

    def look() -> None:
        """Until the act stands before the lock."""
        end = time.monotonic() + 30
        while time.monotonic() < end and not waits_for_a_lock():
            time.sleep(0.02)
        waiting.set()

    writer, looker = threading.Thread(target=write), threading.Thread(target=look)
    writer.start()
    assert locked.wait(30)
    looker.start()
    [told] = at_once(act)
    writer.join(30)
    looker.join(30)
    return told


def waits_for_a_lock() -> bool:
    try:
        row = db.fetch_one("select count(*) as n from pg_locks where not granted and locktype = 'transactionid'")
        return bool(row and row["n"])
    finally:
        connections.close_all()


def refused(case: Case, act: Callable[[], object], *, never: str) -> None:
    assert a_word_that_comes_late(case, act) == "newer_arrived"
    assert kinds(case)["message_written"] == 1
    assert not kinds(case)[never]


def test_an_approval() -> None:
    case = planned(unshipped())
    seen = case.event_seq

    refused(case, lambda: commands.approve_case(ref=case.ref, actor=AGENT, at=LATER, seen=seen), never="approved")
    commands.approve_case(ref=case.ref, actor=AGENT, at=LATER, seen=again(case).event_seq)


def test_deciding() -> None:
    case = ask(sell(), "return", "changed_mind")

    refused(
        case, lambda: commands.decide_case(ref=case.ref, actor=AGENT, at=LATER, seen=case.event_seq), never="decided"
    )


def test_a_denial() -> None:
    case = ask(sell(at=NOON - timedelta(days=400)), "return", "changed_mind")
    seen = commands.decide_case(ref=case.ref, actor=AGENT, at=NOON).event_seq

    refused(case, lambda: commands.deny_case(ref=case.ref, actor=AGENT, at=LATER, seen=seen), never="denied")


def test_a_review() -> None:
    case = appealed()
    seen = again(case).event_seq
    review = lambda: commands.review_appeal(  # noqa: E731
        ref=case.ref, outcome="upheld", why="As it was.", actor=REVIEWER, at=LATER, seen=seen
    )

    refused(case, review, never="appeal_decided")
