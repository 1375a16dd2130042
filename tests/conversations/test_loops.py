"""Two of us that take each other for customers fall silent, however much a relay hides what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from makegood.connectors.records import CustomerRecord, LineRecord, OrderRecord
from makegood.conversations.commands import connect_mailbox
from makegood.conversations.commands.mailboxes import Server
from makegood.conversations.models import Mailbox
from makegood.kit import tenancy
from makegood.orders.commands import record_orders
from tests.conftest import open_merchant
from tests.conversations.mails import arrive, letter
from tests.conversations.servers import Sink, smtp_sink
from tests.conversations.test_sending import send_all
from tests.shop import NOON, OWNER

MARKS = rb"(?im)^(auto-submitted|x-auto-response-suppress|x-makegood-hops):.*\r?\n"
THREADS = rb"(?im)^(in-reply-to|references|reply-to):.*\r?\n(?:[ \t].*\r?\n)*"


@dataclass
class Instance:
    """A merchant with a mailbox; ``sink`` gets what it sends."""

    merchant_id: int
    mailbox: Mailbox
    sink: Sink

    def take(self, raw: bytes) -> None:
        with tenancy.acting_for(self.merchant_id):
            arrive(self.mailbox, raw)
            send_all()


@pytest.fixture
def two(merchant: int) -> Iterator[tuple[Instance, Instance]]:
    with smtp_sink() as one, smtp_sink() as other:
        yield instance(merchant, "a", one), instance(open_merchant(), "b", other)


def instance(merchant_id: int, name: str, sink: Sink) -> Instance:
    """Known to it as a customer is the mailbox of the other one."""
    other = {"a": "b", "b": "a"}[name]
    with tenancy.acting_for(merchant_id):
        mailbox = connect_mailbox(
            address=f"support@{name}.example",
            imap=Server(),
            smtp=Server(host="127.0.0.1", port=sink.port, security="none"),
            actor=OWNER,
            at=NOON,
        )
        record_orders(
            [
                OrderRecord(
                    number="A-1001", currency="CNY", ordered_at=NOON, lines=[LineRecord("1", "S", "Lamp", 1, 100)],
                    customer=CustomerRecord("c1", "Other", f"support@{other}.example"), market="CN",
                )
            ],
            at=NOON,
        )  # fmt: skip
    return Instance(merchant_id, mailbox, sink)


def exchange(one: Instance, other: Instance, through: Callable[[bytes, int], bytes]) -> int:
    """Carry mails between the two until nothing moves; how many there were."""
    one.take(letter("Please look at order A-1001", sender="support@b.example", to="support@a.example"))
    carried = 0
    for _ in range(100):
        for source, target in ((one, other), (other, one)):
            waiting, source.sink.mails = source.sink.mails, []
            for raw in waiting:
                carried += 1
                target.take(through(raw, carried))
        if not (one.sink.mails or other.sink.mails):
            return carried
    raise AssertionError("they still talk")


def test_row_13_two_machines_answering_each_other_fall_silent_at_once(two: tuple[Instance, Instance]) -> None:
    assert exchange(*two, lambda raw, _n: raw) == 1


def test_row_13_they_fall_silent_where_a_relay_takes_away_the_marks_of_a_machine(
    two: tuple[Instance, Instance],
) -> None:
    assert exchange(*two, lambda raw, _n: re.sub(MARKS, b"", raw)) <= 3


def test_row_13_they_fall_silent_where_a_relay_takes_away_everything_and_changes_the_subject(
    two: tuple[Instance, Instance],
) -> None:
    def disguise(raw: bytes, number: int) -> bytes:
        bare = re.sub(THREADS, b"", re.sub(MARKS, b"", raw))
        return re.sub(rb"(?im)^subject:.*\r?\n(?:[ \t].*\r?\n)*", b"Subject: Matter %d\r\n" % number, bare)

    assert exchange(*two, disguise) <= 10  # five automatic letters a day to one address, from each
