"""Mail coming in: stored before it is read, put where it belongs, never lost, never done twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from makegood.cases.models import Case, CaseText, Evidence
from makegood.conversations.commands import read_mail, store_mail
from makegood.conversations.models import Conversation, Mailbox, Message, MessageFile, RawMail
from makegood.conversations.rules import reply_address
from makegood.customers.models import Contact
from makegood.kit import db, files
from tests.conversations.mails import (
    SHOP,
    arrive,
    conversation_of,
    letter,
    messages_of,
    open_mailbox,
    sent,
    small_picture,
)
from tests.shop import NOON, ask, sell, settle


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


@pytest.fixture
def mailbox(merchant: int) -> Mailbox:
    return open_mailbox(smtp_host="127.0.0.1")


def cases_now() -> list[Case]:
    with db.atomically():
        return list(Case.objects.order_by("id"))


def test_a_letter_about_an_order_that_plainly_asks_opens_a_case_with_its_words(mailbox: Mailbox) -> None:
    order = sell()

    raw = arrive(mailbox, letter(f"我要退货，订单 {order.number}，不喜欢颜色。", sender=f"c{order.number}@example.com"))

    [case] = cases_now()
    assert (raw.outcome, case.kind, case.channel, case.order_id) == ("opened_case", "return", "mail", order.id)
    with db.atomically():
        [text] = CaseText.objects.filter(case=case)
    assert text.body == f"我要退货，订单 {order.number}，不喜欢颜色。"
    assert conversation_of(raw).case_id == case.id


def test_a_letter_of_a_stranger_waits_for_an_agent_without_a_case(mailbox: Mailbox) -> None:
    order = sell()

    raw = arrive(mailbox, letter(f"I want to return order {order.number}", sender="somebody@example.net"))

    assert (raw.outcome, cases_now()) == ("opened", [])
    assert conversation_of(raw).waits_for_agent == "letter"
    assert sent() == []  # nobody is answered who is not known


def test_the_second_letter_about_one_problem_joins_the_open_case(mailbox: Mailbox) -> None:
    order = sell()
    case = ask(order, "return", "defective")

    raw = arrive(mailbox, letter(f"Where is my refund for {order.number}?", sender=f"c{order.number}@example.com"))

    assert [one.id for one in cases_now()] == [case.id]
    assert conversation_of(raw).case_id == case.id


def test_row_12_the_same_mail_twice_is_one_message(mailbox: Mailbox) -> None:
    order = sell()
    raw = letter(f"Please cancel order {order.number}", sender=f"c{order.number}@example.com")
    other = open_mailbox("orders@shop.example")

    first = arrive(mailbox, raw)
    again = store_mail(mailbox_id=mailbox.id, raw=raw, at=NOON)
    over_another = arrive(other, b"Received: from a relay\r\n" + raw)

    assert (first.outcome, again, over_another.outcome) == ("opened_case", None, "duplicate")
    assert len(cases_now()) == 1
    with db.atomically():
        assert Message.objects.filter(direction="in").count() == 1


def test_row_12_the_same_words_under_another_id_join_and_open_nothing(mailbox: Mailbox) -> None:
    order = sell()
    words, sender = f"Order {order.number} arrived broken", f"c{order.number}@example.com"

    first = arrive(mailbox, letter(words, sender=sender))
    second = arrive(mailbox, letter(words, sender=sender))

    assert (first.outcome, second.outcome, len(cases_now())) == ("opened_case", "joined", 1)
    assert conversation_of(first).id == conversation_of(second).id


def test_a_reply_to_our_signed_address_joins_whatever_else_it_says(mailbox: Mailbox, merchant: int) -> None:
    order = sell()
    sender = f"c{order.number}@example.com"
    first = arrive(mailbox, letter("Hello, a question.", sender=sender))
    ours = reply_address(SHOP, conversation_of(first).ref, merchant_id=merchant, key=_key())

    second = arrive(mailbox, letter("And another.", sender=sender, to=ours, subject="No subject in common"))

    assert conversation_of(second).id == conversation_of(first).id


def test_a_signature_of_another_merchant_or_a_made_up_one_opens_nothing(mailbox: Mailbox, merchant: int) -> None:
    first = arrive(mailbox, letter("Hello", sender="wang@example.com"))
    ref = conversation_of(first).ref
    for forged in (
        reply_address(SHOP, ref, merchant_id=merchant + 1, key=_key()),
        reply_address(SHOP, ref, merchant_id=merchant, key="another key"),
    ):
        raw = arrive(mailbox, letter("Let me in", sender="thief@example.net", to=forged, subject="Something else"))
        assert conversation_of(raw).id != conversation_of(first).id


def test_who_quotes_a_case_of_somebody_else_gets_a_conversation_of_their_own(mailbox: Mailbox) -> None:
    case = ask(sell(), "return", "defective")
    other = sell()

    for sender in ("nobody@example.net", f"c{other.number}@example.com"):
        raw = arrive(mailbox, letter("What about my parcel?", sender=sender, subject=f"Re: {case.ref} {sender}"))
        assert conversation_of(raw).case_id is None
    with db.atomically():
        assert not CaseText.objects.filter(case=case, body__contains="parcel").exists()


def test_an_unknown_person_at_a_signed_address_is_shown_to_agents_alone(mailbox: Mailbox, merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "defective")
    first = arrive(mailbox, letter(f"About {order.number}", sender=f"c{order.number}@example.com"))
    ours = reply_address(SHOP, conversation_of(first).ref, merchant_id=merchant, key=_key())

    arrive(mailbox, letter("I am her brother.", sender="brother@example.net", to=ours))

    *_, last = messages_of(conversation_of(first))
    assert (last.internal, last.text_id, last.author) == (True, None, "mail:stranger")
    with db.atomically():
        assert Conversation.objects.get(id=last.conversation_id).waits_for_agent == "stranger"
        assert not CaseText.objects.filter(case=case, body__contains="brother").exists()


def test_another_customer_at_a_signed_address_is_answered_for_themselves(mailbox: Mailbox, merchant: int) -> None:
    order, other = sell(), sell()
    first = arrive(mailbox, letter("Hello", sender=f"c{order.number}@example.com"))
    ours = reply_address(SHOP, conversation_of(first).ref, merchant_id=merchant, key=_key())

    raw = arrive(mailbox, letter("Mine?", sender=f"c{other.number}@example.com", to=ours))

    found = conversation_of(raw)
    assert found.id != conversation_of(first).id
    assert found.customer_id == other.customer.id


def test_files_of_a_letter_become_evidence_by_the_rules_of_uploads(mailbox: Mailbox) -> None:
    order = sell()
    raw = letter(
        f"Order {order.number} arrived damaged, see the picture.",
        sender=f"c{order.number}@example.com",
        files={"broken.png": small_picture(), "program.exe": b"MZ\x00\x01\x02" * 100},
    )

    arrive(mailbox, raw)

    with db.atomically():
        kept = {one.name: (one.refused, one.evidence_id is not None) for one in MessageFile.objects.all()}
        [evidence] = Evidence.objects.all()
    assert kept == {"broken.png": ("", True), "program.exe": ("file_type_refused", False)}
    assert (evidence.kind, evidence.party) == ("photo", "customer")


def test_a_letter_on_a_closed_case_joins_it_and_wakes_an_agent_and_reopens_nothing(mailbox: Mailbox) -> None:
    order = sell()
    case = settle(ask(order, "return", "changed_mind"))
    with db.atomically():
        db.execute("update cases_case set closed_at = %s where id = %s", [NOON, case.id])

    raw = arrive(mailbox, letter(f"{case.ref}: one more thing", sender=f"c{order.number}@example.com"))

    [after] = cases_now()
    assert (after.closed_at, after.state) == (NOON, case.state)
    assert conversation_of(raw).waits_for_agent == "letter"


def test_a_mail_that_cannot_be_read_is_shown_as_far_as_it_goes(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_raw: bytes) -> None:
        raise RuntimeError("a defect nobody thought of")

    monkeypatch.setattr("makegood.conversations.commands.intake.parse", fail)
    raw = arrive(mailbox, b"From: a@example.com\r\n\r\nwords in it")

    [message] = messages_of(conversation_of(raw))
    assert "words in it" in message.body
    assert message.defects == ["unreadable:RuntimeError"]
    assert conversation_of(raw).waits_for_agent == "unreadable"
    assert (
        files.open_stored(uploads=_uploads_now(), owner=str(raw.merchant_id), sha256=raw.sha256).read().endswith(b"it")
    )


def test_reading_a_mail_again_changes_nothing(mailbox: Mailbox) -> None:
    raw = arrive(mailbox, letter("Hello"))

    read_mail(mail_id=raw.id, at=NOON)

    with db.atomically():
        assert (Message.objects.count(), Conversation.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        "Precedence: auto_reply",
        "Return-Path: <>",
        "List-Id: <news.example.org>",
        "X-Makegood-Hops: 1",
    ],
)
def test_row_13_a_machine_opens_nothing_and_gets_no_answer(mailbox: Mailbox, header: str) -> None:
    order = sell()
    words = f"Please cancel order {order.number}"

    raw = arrive(mailbox, header.encode() + b"\n" + letter(words, sender=f"c{order.number}@example.com"))

    assert (raw.outcome, cases_now(), sent()) == ("kept", [], [])
    with db.atomically():
        assert Conversation.objects.count() == 0


def test_a_bounce_of_ours_marks_the_address_and_wakes_an_agent(mailbox: Mailbox) -> None:
    order = sell()
    address = f"c{order.number}@example.com".lower()
    case = ask(order, "return", "defective")
    arrive(mailbox, letter(f"About {order.number}: hello", sender=address))
    with db.atomically():
        conversation = Conversation.objects.get(case_id=case.id)
        db.execute("update conversations_conversation set waits_for_agent = ''")
        Message.objects.create(
            conversation=conversation, direction="out", kind="reply", author="staff:1", message_id="ours@shop.example",
            recipient=address, written_at=NOON, state="sent",
        )  # fmt: skip

    arrive(mailbox, bounce(address, "ours@shop.example"))

    with db.atomically():
        contact = Contact.objects.get(value=address)
        assert contact.undeliverable_at == NOON
        assert Conversation.objects.get(id=conversation.id).waits_for_agent == "bounce"
        assert Message.objects.get(message_id="ours@shop.example").state == "bounced"
        assert Case.objects.get(id=case.id).marks["mail_bounced"]
    arrive(mailbox, letter("I am here again", sender=address))
    with db.atomically():
        assert Contact.objects.get(value=address).undeliverable_at is None


def test_a_bounce_of_what_we_never_sent_marks_nobody(mailbox: Mailbox) -> None:
    order = sell()
    address = f"c{order.number}@example.com".lower()

    raw = arrive(mailbox, bounce(address, "made-up@shop.example"))

    assert (raw.kind, raw.outcome) == ("bounce", "kept")
    with db.atomically():
        assert Contact.objects.get(value=address).undeliverable_at is None


def test_a_mailbox_of_one_merchant_shows_nothing_to_another(mailbox: Mailbox) -> None:
    from makegood.kit import tenancy  # noqa: PLC0415 - only here
    from tests.conftest import open_merchant  # noqa: PLC0415 - same

    arrive(mailbox, letter("Secret"))
    with tenancy.acting_for(open_merchant()), db.atomically():
        assert (RawMail.objects.count(), Message.objects.count(), Conversation.objects.count()) == (0, 0, 0)


def bounce(recipient: str, message_id: str, status: str = "5.1.1") -> bytes:
    """A delivery status report as RFC 3464 has it."""
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: support@shop.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no such user\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\nSubject: Re\r\n--b--\r\n"
    ).encode()


def _key() -> str:
    from django.conf import settings  # noqa: PLC0415 - as overridden now

    return str(settings.SECRET_KEY)


def _uploads_now() -> Path:
    from django.conf import settings  # noqa: PLC0415 - as overridden now

    return Path(settings.UPLOADS_DIR)
