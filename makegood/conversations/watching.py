"""Keeping every mailbox of every merchant watched: one thread each, begun again after whatever ends it."""

from __future__ import annotations

import threading
from contextlib import suppress

import structlog
from django.db import connection

from makegood.conversations.commands.fetching import MailboxUnreachable, mailboxes_to_fetch, note_failure, watch_mailbox
from makegood.conversations.models import Mailbox
from makegood.kit import db, jobs, tenancy
from makegood.kit.vault import SecretsSealedElsewhere

log = structlog.get_logger()

LOOK_SECONDS = 20.0  # how soon a mailbox that was connected is watched


def watch_mailboxes(stop: threading.Event) -> None:
    """Until told to stop. Of several processes one watches a mailbox; were it two, mails would still be stored once."""
    watched: dict[int, tuple[threading.Thread, threading.Event]] = {}
    try:
        while not stop.is_set():
            wanted = _wanted()
            for mailbox_id, (thread, ended) in list(watched.items()):
                if mailbox_id not in wanted:
                    ended.set()
                if not thread.is_alive():
                    del watched[mailbox_id]
            for mailbox_id, mailbox in wanted.items():
                if mailbox_id not in watched:
                    ended = threading.Event()
                    name = f"mailbox-{mailbox_id}"
                    thread = threading.Thread(target=_watch, args=(mailbox, ended), name=name, daemon=True)
                    watched[mailbox_id] = (thread, ended)
                    thread.start()
            stop.wait(LOOK_SECONDS)
    finally:
        for _thread, ended in watched.values():
            ended.set()
        for thread, _ended in watched.values():
            thread.join(timeout=5)


@db.query
def _merchants() -> list[int]:
    return [row["id"] for row in db.fetch("select conversations_merchants_with_mailbox() as id")]


def _wanted() -> dict[int, Mailbox]:
    found = {}
    for merchant_id in _merchants():
        with tenancy.acting_for(merchant_id):
            found.update({one.id: one for one in mailboxes_to_fetch()})
    return found


def _watch(mailbox: Mailbox, stop: threading.Event) -> None:
    failures = 0
    try:
        while not stop.is_set():
            with tenancy.acting_for(mailbox.merchant_id):
                if not _is_ours(mailbox.id):
                    stop.wait(LOOK_SECONDS)
                    continue
                try:
                    watch_mailbox(mailbox, stop)
                    failures = 0
                except (MailboxUnreachable, SecretsSealedElsewhere) as refused:
                    log.warning("mailbox_unreachable", mailbox=mailbox.id, why=refused.sentence())
                    if isinstance(refused, SecretsSealedElsewhere):
                        note_failure(mailbox_id=mailbox.id, why=refused.code, at=db.now())
                except Exception:
                    # The database went away, or a defect: the mailbox is watched again all the same.
                    log.exception("mailbox_watch_failed", mailbox=mailbox.id)
                    with suppress(Exception):
                        connection.close()
            failures += 1
            stop.wait(jobs.wait_before(min(failures, 8), base_s=1.0, longest_s=300.0))
    finally:
        connection.close()


def _is_ours(mailbox_id: int) -> bool:
    """Whether this thread's connection holds the watch: it is given up with the connection, however that ends."""
    row = db.fetch_one("select pg_try_advisory_lock(hashtextextended('mailbox', %s)) as ours", [mailbox_id])
    return bool(row and row["ours"])


jobs.companion("conversations.watch_mailboxes", watch_mailboxes)
