"""Replies and notices over real SMTP: sent once, told honestly where nobody can know, answered back to their case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.conversations import jobs
from makegood.conversations.commands import (
    connect_mailbox,
    reply_without_case,
    send_again,
    send_letter,
    send_message,
    send_reply,
    tell_customer,
    write_letter,
)
from makegood.conversations.commands.mailboxes import Server
from makegood.conversations.commands.replying import NothingToSendWith
from makegood.conversations.models import Conversation, Mailbox, Message
from makegood.customers.models import Contact
from makegood.kit import db
from tests.conversations.mails import SHOP, arrive, conversation_of, letter, messages_of, open_mailbox, sent
from tests.conversations.servers import Sink, free_port, words_of
from tests.shop import AGENT, NOON, OWNER, ask, sell, settle


def connect(sink: Sink) -> Mailbox:
    return connect_mailbox(
        address=SHOP,
        name="测试店 Support",
        imap=Server(),
        smtp=Server(host="127.0.0.1", port=sink.port, security="none"),
        actor=OWNER,
        at=NOON,
    )


def work(task: str) -> int:
    """Do the jobs of one kind that were left, as a worker does; how many."""
    with db.atomically():
        left = db.fetch(
            "delete from procrastinate_jobs where task_name = %s and (args->>'merchant_id')::bigint ="
            " current_setting('makegood.merchant')::bigint returning args::text as args",
            [task],
        )
    for row in left:
        arguments = db.read_json(row["args"])
        arguments.pop("merchant_id")
        getattr(jobs, task.removeprefix("conversations."))(**arguments)
    return len(left)


def send_all() -> None:
    for task in ("conversations.send_reply", "conversations.tell_customer", "conversations.send_message"):
        work(task)


def now(message: Message) -> Message:
    with db.atomically():
        return Message.objects.get(id=message.id)


def test_a_reply_on_a_case_reaches_the_customer_and_theirs_comes_back_to_it(merchant: int, smtp: Sink) -> None:
    mailbox = connect(smtp)
    order = sell()
    case = ask(order, "return", "defective")
    came = letter(f"Where is it? {order.number}", sender=f"c{order.number}@example.com", subject="我的订单")
    arrive(mailbox, came)

    cases.add_message(ref=case.ref, body="请补充照片。", actor=AGENT, at=NOON)
    send_all()

    *_, mail = smtp.read()
    assert mail["To"] == f"c{order.number}@example.com".lower()
    assert mail["Subject"] == f"回复：我的订单 [{case.ref}]"
    assert words_of(mail).strip() == "请补充照片。"
    assert mail["Auto-Submitted"] is None
    assert mail["In-Reply-To"] in mail["References"]
    assert "support+v-" in mail["Reply-To"]
    answer = letter("这是照片", sender=f"c{order.number}@example.com", subject="x", In_Reply_To=str(mail["Message-ID"]))
    assert conversation_of(arrive(mailbox, answer)).case_id == case.id
    by_address = letter("又一张", sender=f"c{order.number}@example.com", subject="y", to=str(mail["Reply-To"]))
    assert conversation_of(arrive(mailbox, by_address)).case_id == case.id


def test_a_known_customer_is_told_once_what_the_letter_became(merchant: int, smtp: Sink) -> None:
    mailbox = connect(smtp)
    order = sell()

    arrive(mailbox, letter(f"Please cancel order {order.number}", sender=f"c{order.number}@example.com"))
    send_all()

    [mail] = smtp.read()
    assert (mail["Auto-Submitted"], mail["X-Makegood-Hops"]) == ("auto-replied", "1")
    with db.atomically():
        case = Conversation.objects.get().case
    assert case is not None
    assert case.ref in words_of(mail)


def test_what_happens_to_a_case_that_came_by_mail_is_told_by_mail(merchant: int, smtp: Sink) -> None:
    mailbox = connect(smtp)
    order = sell()
    arrive(mailbox, letter(f"我要退货 {order.number} 不喜欢", sender=f"c{order.number}@example.com"))
    with db.atomically():
        case = Conversation.objects.get().case
    assert case is not None
    send_all()

    settle(case)
    send_all()

    notice = smtp.read()[-1]
    assert notice["Auto-Submitted"] == "auto-generated"
    assert case.ref in words_of(notice)
    assert "100" in words_of(notice)  # what the decision grants, in its own sentence


def test_a_case_of_an_integration_is_told_of_by_it_alone(merchant: int, smtp: Sink) -> None:
    connect(smtp)
    settle(ask(sell(), "return", "changed_mind"))
    send_all()

    assert smtp.mails == []


def test_an_internal_note_never_leaves(merchant: int, smtp: Sink) -> None:
    connect(smtp)
    case = ask(sell(), "return", "defective")
    cases.add_message(ref=case.ref, body="a liar, I think", actor=AGENT, at=NOON, internal=True)
    with db.atomically():
        [note] = case.texts.filter(internal=True)
    send_reply(text_id=note.id, at=NOON)
    send_all()

    assert (smtp.mails, sent()) == ([], [])


def reply(mailbox: Mailbox) -> Message:
    raw = arrive(mailbox, letter("Hello", sender="wang@example.com"))
    return reply_without_case(ref=conversation_of(raw).ref, body="Good day", actor=AGENT, at=NOON)


def test_sending_twice_sends_once(merchant: int, smtp: Sink) -> None:
    message = reply(connect(smtp))

    for _ in range(2):
        send_message(message_id=message.id, at=NOON)

    assert len(smtp.mails) == 1
    assert now(message).state == "sent"
    with db.atomically():
        assert Conversation.objects.get().waits_for_agent == ""


def test_a_server_that_is_busy_is_asked_again(merchant: int, smtp: Sink) -> None:
    message = reply(connect(smtp))
    smtp.answers = ["451 later"]

    send_message(message_id=message.id, at=NOON)
    assert (now(message).state, smtp.mails) == ("queued", [])
    jobs.catch_up(NOON + timedelta(hours=2))

    assert (now(message).state, len(smtp.mails)) == ("sent", 1)


def test_a_refusal_wakes_an_agent_who_may_send_it_again(merchant: int, smtp: Sink) -> None:
    message = reply(connect(smtp))
    smtp.answers = ["550 no such user"]

    send_message(message_id=message.id, at=NOON)

    assert (now(message).state, smtp.mails) == ("failed", [])
    with db.atomically():
        assert Conversation.objects.get().waits_for_agent == "not_sent"
    send_again(message_id=message.id, actor=AGENT, at=NOON)
    send_message(message_id=message.id, at=NOON)
    assert [mail["Message-ID"] for mail in smtp.read()] == [f"<{message.message_id}>"]


def test_a_server_that_is_not_there_is_tried_again_and_nothing_was_sent(merchant: int, smtp: Sink) -> None:
    mailbox = connect(smtp)
    message = reply(mailbox)
    with db.atomically():
        Mailbox.objects.filter(id=mailbox.id).update(smtp_port=free_port())

    send_message(message_id=message.id, at=NOON)

    assert (now(message).state, now(message).attempts) == ("queued", 1)


def test_cut_off_before_the_answer_nobody_knows_and_nothing_is_sent_twice(merchant: int, smtp: Sink) -> None:
    message = reply(connect(smtp))
    smtp.cut_after_data = True

    send_message(message_id=message.id, at=NOON)
    jobs.catch_up(NOON + timedelta(hours=2))

    assert (now(message).state, len(smtp.mails)) == ("unsure", 1)
    with db.atomically():
        assert Conversation.objects.get().waits_for_agent == "not_sent"


def test_nothing_is_sent_to_an_address_from_which_mail_came_back(merchant: int, smtp: Sink) -> None:
    connect(smtp)
    order = sell()
    case = ask(order, "return", "defective")
    with db.atomically():
        Contact.objects.filter(customer_id=order.customer.id).update(undeliverable_at=NOON)

    cases.add_message(ref=case.ref, body="Hello", actor=AGENT, at=NOON)
    send_all()

    assert smtp.mails == []


def test_a_code_goes_out_by_mail_once(merchant: int, smtp: Sink) -> None:
    connect(smtp)
    with db.atomically():
        code = write_letter(
            to_kind="email", to_value="wang@example.com", language="en", subject="Your code", body="123456",
            at=NOON, expires_at=NOON + timedelta(minutes=10),
        )  # fmt: skip
        nobody = write_letter(
            to_kind="email", to_value="", language="en", subject="Your code", body="123456",
            at=NOON, expires_at=NOON + timedelta(minutes=10),
        )  # fmt: skip
    for letter_id in (code.id, code.id, nobody.id):
        send_letter(letter_id=letter_id, at=NOON)

    [mail] = smtp.read()
    assert mail.get_content().strip() == "123456"


def test_without_a_mailbox_a_reply_cannot_be_sent_by_mail(merchant: int) -> None:
    raw = arrive(open_mailbox(), letter("Hello"))

    with pytest.raises(NothingToSendWith):
        reply_without_case(ref=conversation_of(raw).ref, body="x", actor=AGENT, at=NOON)


def test_a_provider_takes_the_place_of_the_server(merchant: int, smtp: Sink) -> None:
    from django.core import mail as django_mail  # noqa: PLC0415 - its outbox is made by the backend

    message = reply(connect(smtp))
    with override_settings(MAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        send_message(message_id=message.id, at=NOON)

    assert smtp.mails == []
    assert [one.subject for one in django_mail.outbox][-1] == message.subject


def test_lines_cannot_be_smuggled_into_a_header(merchant: int, smtp: Sink) -> None:
    mailbox = connect(smtp)
    raw = b"From: wang@example.com\r\nSubject: =?utf-8?Q?hi=0D=0ABcc:_evil@example.net?=\r\n\r\nwords"

    found = conversation_of(arrive(mailbox, raw))
    message = reply_without_case(ref=found.ref, body="x", actor=AGENT, at=NOON)
    send_message(message_id=message.id, at=NOON)

    [mail] = smtp.read()
    assert mail["Bcc"] is None
    assert messages_of(found)[-1].state == "sent"
    assert Actor.system("mail").key  # nothing of it acts as anybody


def test_a_notice_is_written_once(merchant: int, smtp: Sink) -> None:
    mailbox = connect(smtp)
    order = sell()
    arrive(mailbox, letter(f"我要退货 {order.number}", sender=f"c{order.number}@example.com"))
    with db.atomically():
        case = Conversation.objects.get().case
    assert case is not None
    settle(case)
    with db.atomically():
        [seq] = case.events.filter(kind="approved").values_list("seq", flat=True)

    for _ in range(2):
        tell_customer(case_id=case.id, seq=seq, at=NOON)

    assert [one.kind for one in sent() if one.kind == "notice"] == ["notice"]
