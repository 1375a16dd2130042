"""Traffic over API and mail while connections are cut and processes killed: nothing lost, doubled, mixed or made up.

``MAKEGOOD_SOAK_SECONDS`` tells how long (``make soak``: four minutes); in the suite it is short.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connections
from django.test import override_settings

from makegood.accounts.states import Role
from makegood.cases.history import breaks
from makegood.cases.models import CaseText
from makegood.conversations.commands import connect_mailbox
from makegood.conversations.commands.mailboxes import Server
from makegood.conversations.models import Message, RawMail
from makegood.kit import db
from tests.api_client import issue_token
from tests.conversations.mails import letter
from tests.conversations.servers import PASSWORD, Dovecot, Sink, dovecot, free_port, smtp_sink, wait_until
from tests.shop import NOON, OWNER, ask, sell
from tests.soaking.process import start

SECONDS = float(os.environ.get("MAKEGOOD_SOAK_SECONDS", "10"))
CALLERS, WRITERS = 4, 3


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


@pytest.fixture
def post_office() -> Iterator[tuple[Dovecot, Sink]]:
    with dovecot() as imap, smtp_sink() as smtp:
        yield imap, smtp


class Caller(threading.Thread):
    """Writes numbered messages on one case over HTTP, each again under its key until it is answered."""

    def __init__(self, ref: str, token: str, port: int, until: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.ref, self.token, self.port, self.until = ref, token, port, until
        self.chance = random.Random(seed)  # noqa: S311 - chance, no secret
        self.sent: list[str] = []
        self.tries = 0

    def run(self) -> None:
        number = 0
        while time.monotonic() < self.until:
            number += 1
            body = f"{self.ref} message {number}"
            while not self._post(body, f"{self.ref}-{number}"):
                time.sleep(0.02)  # the pace of a client that tries again
            self.sent.append(body)

    def _post(self, body: str, key: str) -> bool:
        self.tries += 1
        raw = json.dumps({"body": body}).encode()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            client.request("POST", f"/api/v1/cases/{self.ref}/messages", raw, headers)
            if self.chance.random() < 0.2:
                return False  # the network is cut: whether it was taken nobody knows here
            answer = client.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        else:
            return answer.status == 201
        finally:
            client.close()


class Writer(threading.Thread):
    """Sends numbered mails about one order, some of them twice."""

    def __init__(self, name: str, order: str, address: str, office: Dovecot, until: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.who, self.order, self.address, self.office, self.until = name, order, address, office, until
        self.chance = random.Random(seed)  # noqa: S311 - chance, no secret
        self.sent: list[str] = []

    def run(self) -> None:
        number = 0
        while time.monotonic() < self.until:
            number += 1
            body = f"{self.who} mail {number} about {self.order}"
            raw = letter(body, sender=self.address, subject=f"Order {self.order}")
            for _ in range(2 if self.chance.random() < 0.2 else 1):
                self.office.put("soak", raw)
            self.sent.append(body)
            time.sleep(0.05)  # the pace of a person who writes


def killed_again_and_again(merchant_id: int, port: int, until: float) -> int:
    """Web and worker, each killed without warning at moments nobody chose and started anew; how often."""
    kills, chance = 0, random.Random(7)  # noqa: S311 - chance, no secret
    running: dict[str, subprocess.Popen[str]] = {}
    try:
        while time.monotonic() < until:
            for verb in ("web", "work"):
                if verb not in running:
                    running[verb] = start(verb, merchant_id, port=port)
            wait_until(lambda: _answers(port), what="the web server answers")
            time.sleep(chance.uniform(0.5, 2.5))  # how long it lives is the point
            victim = chance.choice(("web", "work"))
            running[victim].send_signal(signal.SIGKILL)
            running.pop(victim).wait(timeout=10)
            kills += 1
    finally:
        for process in running.values():
            process.kill()
            process.wait(timeout=10)
    return kills


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_every_message_is_stored_once_in_order_and_none_is_made_up(
    merchant: int, post_office: tuple[Dovecot, Sink]
) -> None:
    imap, smtp = post_office
    connect_mailbox(
        address="soak@shop.example",
        imap=Server(host="127.0.0.1", port=imap.port, security="none", user="soak", password=PASSWORD),
        smtp=Server(host="127.0.0.1", port=smtp.port, security="none"),
        actor=OWNER,
        at=NOON,
    )
    token, port, until = issue_token(Role.MANAGER), free_port(), time.monotonic() + SECONDS
    cases = [ask(sell(), "return", "changed_mind") for _ in range(CALLERS)]
    callers = [Caller(case.ref, token, port, until, n) for n, case in enumerate(cases)]
    orders = [sell() for _ in range(WRITERS)]
    writers = [
        Writer(f"w{n}", order.number, order.customer.contacts[0][1], imap, until, n) for n, order in enumerate(orders)
    ]
    for thread in (*callers, *writers):
        thread.start()

    kills = killed_again_and_again(merchant, port, until)
    web, worker = start("web", merchant, port=port), start("work", merchant)
    try:
        for thread in (*callers, *writers):
            thread.join(timeout=60)
            assert not thread.is_alive()
        written = sum(len(one.sent) for one in writers)
        wait_until(lambda: _read() >= written, what=f"{written} mails are read", seconds=60)
    finally:
        for process in (web, worker):
            process.kill()
            process.wait(timeout=10)
    connections["default"].close()

    for case, caller in zip(cases, callers, strict=True):
        with db.atomically():
            stored = list(CaseText.objects.filter(case_id=case.id).order_by("id").values_list("body", flat=True))
        assert stored == caller.sent
        assert breaks([case.id]) == []
    for writer, order in zip(writers, orders, strict=True):
        with db.atomically():
            mine = Message.objects.filter(direction="in", conversation__customer_id=order.customer.id)
            kept = [body.strip() for body in mine.order_by("id").values_list("body", flat=True)]
        assert kept == writer.sent
    with db.atomically():
        everything = Message.objects.filter(direction="in").count()
    assert everything == written
    ids = [mail["Message-ID"] for mail in smtp.read()]
    assert len(ids) == len(set(ids)), "a message was handed over twice"
    told = sum(len(one.sent) for one in callers)
    tries = sum(one.tries for one in callers)
    print(f"soak: {SECONDS:.0f} s, {told} messages by API in {tries} tries, {written} mails, {kills} kills")  # noqa: T201 - the figure is what it is run for
    assert kills >= 1
    assert tries > told


def _read() -> int:
    with db.atomically():
        return RawMail.objects.filter(state="read").count()
