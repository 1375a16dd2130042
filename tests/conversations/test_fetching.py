"""Mailboxes over real IMAP: everything new comes in once, whoever else reads there and whenever we are killed."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from makegood.accounts.actors import Actor, NotAllowed
from makegood.connectors.mail import imap
from makegood.conversations.commands import connect_mailbox, disconnect_mailbox, fetch_mailbox
from makegood.conversations.commands.fetching import Fetched, MailboxUnreachable, mailboxes_to_fetch, watch_mailbox
from makegood.conversations.commands.mailboxes import MailboxMalformed, Server, imap_account
from makegood.conversations.models import Mailbox, RawMail
from makegood.kit import db, tenancy
from tests.conftest import open_merchant
from tests.conversations.mails import letter
from tests.conversations.servers import PASSWORD, Dovecot, wait_until
from tests.shop import AGENT, NOON, OWNER

_users = itertools.count(1)


def connect(server: Dovecot, *, user: str = "", password: str = PASSWORD) -> Mailbox:
    user = user or f"user{next(_users)}"
    return connect_mailbox(
        address=f"{user}@shop.example",
        imap=Server(host="127.0.0.1", port=server.port, security="none", user=user, password=password),
        smtp=Server(),
        actor=OWNER,
        at=NOON,
    )


def stored(mailbox: Mailbox) -> int:
    with db.atomically():
        return RawMail.objects.filter(mailbox=mailbox).count()


def again(mailbox: Mailbox) -> Mailbox:
    with db.atomically():
        return Mailbox.objects.get(id=mailbox.id)


def test_what_is_new_is_fetched_once_whoever_marked_it_seen(merchant: int, imap_server: Dovecot) -> None:
    mailbox = connect(imap_server)
    imap_server.put(mailbox.imap_user, letter("one"))
    imap_server.put(mailbox.imap_user, letter("two"), flags="\\Seen")

    assert fetch_mailbox(mailbox) == Fetched(2, 2)
    assert fetch_mailbox(mailbox) == Fetched(0, 0)
    imap_server.put(mailbox.imap_user, letter("three"))
    assert fetch_mailbox(mailbox) == Fetched(1, 1)
    with imap.opened(imap_account(mailbox)) as box:
        assert b"\\Seen" not in (box._fetch(1, "(FLAGS)") or b"")


def test_a_mail_comes_in_byte_for_byte(merchant: int, imap_server: Dovecot) -> None:
    mailbox = connect(imap_server)
    raw = b"From: a@b.example\r\nSubject: \xce\xca\r\n\r\n\xff\xfe bytes \x80\r\n.\r\n"
    imap_server.put(mailbox.imap_user, raw)

    with imap.opened(imap_account(mailbox)) as box:
        assert box.message(1) == raw


def test_a_new_numbering_loses_nothing_and_doubles_nothing(merchant: int, imap_server: Dovecot) -> None:
    mailbox = connect(imap_server)
    first, second = letter("one"), letter("two")
    for raw in (first, second):
        imap_server.put(mailbox.imap_user, raw)
    fetch_mailbox(mailbox)
    before = again(mailbox).uid_validity
    time.sleep(1.1)  # the server makes a numbering of the second in which the folder was made
    imap_server.empty(mailbox.imap_user)
    for raw in (second, letter("three")):
        imap_server.put(mailbox.imap_user, raw)

    assert fetch_mailbox(again(mailbox)) == Fetched(2, 1)
    assert again(mailbox).uid_validity != before
    assert stored(mailbox) == 3


def test_killed_between_two_mails_the_next_fetch_goes_on_where_it_was(
    merchant: int, imap_server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = connect(imap_server)
    for n in range(5):
        imap_server.put(mailbox.imap_user, letter(str(n)))
    real = imap.OpenBox.message

    def cut(self: imap.OpenBox, uid: int) -> bytes | None:
        if uid == 3:
            raise ConnectionResetError("cut")
        return real(self, uid)

    monkeypatch.setattr(imap.OpenBox, "message", cut)
    with pytest.raises(MailboxUnreachable):
        fetch_mailbox(mailbox)
    assert (stored(mailbox), again(mailbox).last_uid) == (2, 2)
    assert again(mailbox).failing_since is not None
    monkeypatch.undo()

    assert fetch_mailbox(mailbox) == Fetched(3, 3)
    assert again(mailbox).failing_since is None


def test_a_mail_is_told_of_while_we_wait_and_is_here_at_once(merchant: int, imap_server: Dovecot) -> None:
    mailbox = connect(imap_server)
    stop = threading.Event()

    def watch() -> None:
        with tenancy.acting_for(merchant):
            watch_mailbox(mailbox, stop)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        wait_until(lambda: again(mailbox).looked_at is not None, what="the first look")
        time.sleep(0.3)  # until it waits to be told
        imap_server.put(mailbox.imap_user, letter("hello"))
        wait_until(lambda: stored(mailbox) == 1, what="the mail is stored", seconds=10)
    finally:
        stop.set()
        watching.join(timeout=10)
    assert not watching.is_alive()


def test_several_mailboxes_of_a_merchant_and_none_of_another(merchant: int, imap_server: Dovecot) -> None:
    connect(imap_server)
    gone = connect(imap_server)
    with tenancy.acting_for(open_merchant()):
        connect(imap_server)
    disconnect_mailbox(address=gone.address, actor=OWNER)

    assert len(mailboxes_to_fetch()) == 1


def test_a_wrong_password_is_told_and_kept_with_the_mailbox(merchant: int, imap_server: Dovecot) -> None:
    mailbox = connect(imap_server)
    with db.atomically():
        assert "secret" not in Mailbox.objects.get(id=mailbox.id).sealed
    wrong = connect(imap_server, user=mailbox.imap_user, password="wrong")

    with pytest.raises(MailboxUnreachable):
        fetch_mailbox(wrong)
    assert "AUTHENTICATIONFAILED" in again(wrong).failed_because


def test_only_owners_connect_and_no_password_crosses_a_network_in_the_open(merchant: int) -> None:
    with pytest.raises(NotAllowed):
        connect_mailbox(address="a@b.example", imap=Server(), smtp=Server(), actor=AGENT, at=NOON)
    for server in (Server("mail.example", 143, "none"), Server("mail.example\r\n", 993), Server("h", 993, "ssl3")):
        with pytest.raises(MailboxMalformed):
            connect_mailbox(address="a@b.example", imap=server, smtp=Server(), actor=Actor.system("cli"), at=NOON)
