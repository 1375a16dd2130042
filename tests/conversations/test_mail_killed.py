"""kill -9 between every two steps of a mail's way in and out: nothing is lost, nothing is told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.conversations import jobs
from makegood.conversations.commands import fetch_mailbox, send_again, send_message, store_mail
from makegood.conversations.models import Conversation, Mailbox, Message, RawMail
from makegood.kit import db
from tests.conversations.dying import dies
from tests.conversations.mails import letter, open_mailbox
from tests.conversations.servers import Dovecot, Sink
from tests.conversations.test_fetching import connect as connect_imap
from tests.conversations.test_sending import connect, now, reply
from tests.shop import AGENT, NOON

SOON = NOON + timedelta(minutes=5)
LATER = NOON + timedelta(hours=1)


def rows() -> tuple[int, int]:
    with db.atomically():
        return RawMail.objects.count(), Message.objects.count()


def test_killed_before_the_mail_is_in_the_database_it_is_fetched_again(merchant: int) -> None:
    mailbox, raw = open_mailbox(), letter("Hello")

    dies("store", merchant, mailbox.id, at=NOON, fail_at="mail.kept", raw=raw)

    assert rows() == (0, 0)
    assert store_mail(mailbox_id=mailbox.id, raw=raw, at=NOON) is not None


@pytest.mark.parametrize("fail_at", ["mail.stored", "mail.parsed"])
def test_killed_between_storing_and_placing_it_is_read_all_the_same_once(merchant: int, fail_at: str) -> None:
    mailbox, raw = open_mailbox(), letter("Hello", files={"note.txt": b"a note"})
    if fail_at == "mail.stored":
        dies("store", merchant, mailbox.id, at=NOON, fail_at=fail_at, raw=raw)
    else:
        mail_id = store_mail(mailbox_id=mailbox.id, raw=raw, at=NOON)
        assert mail_id is not None
        dies("read", merchant, mail_id, at=NOON, fail_at=fail_at)
    assert rows() == (1, 0)

    jobs.catch_up(SOON)
    jobs.catch_up(SOON)

    assert rows() == (1, 1)
    with db.atomically():
        assert Message.objects.get().files.count() == 1


def test_killed_while_fetching_every_mail_comes_in_once(merchant: int, imap_server: Dovecot) -> None:
    mailbox = connect_imap(imap_server)
    for n in range(4):
        imap_server.put(mailbox.imap_user, letter(str(n)))
    for at, fail_at in enumerate(("mail.kept", "mail.stored")):
        dies("fetch", merchant, mailbox.id, at=NOON, fail_at=fail_at)
        assert rows()[0] == at

    with db.atomically():
        mailbox = Mailbox.objects.get(id=mailbox.id)
    assert fetch_mailbox(mailbox).stored == 3
    jobs.catch_up(NOON + timedelta(days=3650))
    assert rows() == (4, 4)


@pytest.mark.parametrize(("fail_at", "arrived"), [("mail.claimed", 0), ("mail.handed_over", 1)])
def test_killed_while_sending_nobody_can_know_and_an_agent_decides(
    merchant: int, smtp: Sink, fail_at: str, arrived: int
) -> None:
    message = reply(connect(smtp))

    dies("send", merchant, message.id, at=NOON, fail_at=fail_at)
    assert (now(message).state, len(smtp.mails)) == ("sending", arrived)
    send_message(message_id=message.id, at=NOON)  # the job that was rescued comes too early to tell
    assert len(smtp.mails) == arrived
    jobs.catch_up(LATER)
    jobs.catch_up(LATER)

    assert (now(message).state, len(smtp.mails)) == ("unsure", arrived)
    with db.atomically():
        assert Conversation.objects.get().waits_for_agent == "not_sent"
    send_again(message_id=message.id, actor=AGENT, at=LATER)
    send_message(message_id=message.id, at=LATER)
    assert len({mail["Message-ID"] for mail in smtp.read()}) == 1
