"""Letters at the desk: what waits, making it part of a case, replying, and what a page may show of a mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makegood.cases.models import CaseText, Evidence
from makegood.conversations.jobs import send_graced
from makegood.conversations.models import Conversation, Mailbox, Message
from makegood.customers.models import Contact
from makegood.kit import db
from tests.conversations.mails import arrive, conversation_of, letter, messages_of, open_mailbox, small_picture
from tests.conversations.test_intake import bounce
from tests.desk.working import Member
from tests.portal.visiting import Visitor
from tests.shop import NOON, ask, sell


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Any, settings: Any) -> None:
    settings.UPLOADS_DIR = tmp_path


@pytest.fixture
def mailbox(merchant: int) -> Mailbox:
    return open_mailbox(smtp_host="127.0.0.1", smtp_port=1)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_a_letter_waits_in_the_inbox_until_somebody_sets_it_aside(mailbox: Mailbox) -> None:
    raw = arrive(mailbox, letter("Do you open on Sunday?", subject="Opening hours"))
    member, ref = Member(), conversation_of(raw).ref

    assert "Opening hours" in text_of(member.get("/inbox"))
    assert "Do you open on Sunday?" in text_of(member.get(f"/inbox/{ref}"))
    assert member.post(f"/inbox/{ref}/do/set-aside").status_code == 302
    assert "Opening hours" not in text_of(member.get("/inbox"))


def test_mail_and_portal_stand_in_one_thread(mailbox: Mailbox) -> None:
    order = sell()
    case = ask(order, "return", "defective", statement="said in the portal")
    body = "said by mail\n\nOn 16 Nov 2026, at 10:00, Shop <s@shop.example> wrote:\n> an old question"

    arrive(mailbox, letter(body, sender=f"c{order.number}@example.com", subject=f"Re: {case.ref}"))

    page = text_of(Member().get(f"/cases/{case.ref}"))
    assert page.index("said in the portal") < page.index("said by mail") < page.index("an old question")
    visitor = Visitor()
    visitor.prove(order)
    assert "said by mail" in visitor.get(f"/cases/{case.ref}").content.decode()
    assert "an old question" not in visitor.get(f"/cases/{case.ref}").content.decode()


def test_a_conversation_becomes_part_of_a_case_with_its_letters_and_files(mailbox: Mailbox) -> None:
    order = sell()
    address = f"c{order.number}@example.com"
    raw = arrive(mailbox, letter("It is broken.", sender=address, files={"lamp.png": small_picture()}))
    case = ask(order, "return", "defective")
    ref = conversation_of(raw).ref

    answer = Member().post(f"/inbox/{ref}/do/attach", {"case": case.ref})

    assert answer.headers["Location"].endswith(case.ref)
    with db.atomically():
        assert [one.body for one in CaseText.objects.filter(case=case)] == ["It is broken."]
        assert Evidence.objects.get(case=case).name == "lamp.png"
        assert Conversation.objects.get(ref=ref).waits_for_agent == ""


def test_an_unknown_sender_is_put_on_a_case_only_by_an_agent_who_made_sure(mailbox: Mailbox) -> None:
    order = sell()
    case = ask(order, "return", "defective")
    ref = conversation_of(arrive(mailbox, letter("From my work.", sender="wang@work.example"))).ref
    member = Member()

    refused = member.post(f"/inbox/{ref}/do/attach", {"other": case.ref})
    assert "sender_not_known" in refused.content.decode()
    assert member.post(f"/inbox/{ref}/do/attach", {"other": case.ref, "is_customer": "1"}).status_code == 302
    with db.atomically():
        assert Contact.objects.filter(customer_id=order.customer.id, value="wang@work.example").exists()


def test_two_customers_are_never_put_together(mailbox: Mailbox) -> None:
    order, other = sell(), sell()
    case = ask(order, "return", "defective")
    ref = conversation_of(arrive(mailbox, letter("Hello", sender=f"c{other.number}@example.com"))).ref

    refused = Member().post(f"/inbox/{ref}/do/attach", {"other": case.ref, "is_customer": "1"})

    assert "other_customer" in refused.content.decode()
    with db.atomically():
        assert not CaseText.objects.filter(case=case).exists()


def test_a_case_is_made_of_a_conversation_on_the_page_of_its_order(mailbox: Mailbox) -> None:
    order = sell()
    raw = arrive(mailbox, letter("It flickers.", sender=f"c{order.number}@example.com"))
    ref, member = conversation_of(raw).ref, Member()
    assert f"conversation={ref}" in text_of(member.get(f"/inbox/{ref}"))

    member.post(
        f"/orders/{order.number}",
        {"reason": "return/defective", "units-1": "1", "channel": "mail", "request_key": "k", "conversation": ref},
    )

    with db.atomically():
        case = Conversation.objects.get(ref=ref).case
        assert case is not None
        assert [one.body for one in CaseText.objects.filter(case=case)] == ["It flickers."]


def test_a_reply_from_the_inbox_is_queued_and_an_unsure_one_can_be_sent_again(mailbox: Mailbox) -> None:
    found = conversation_of(arrive(mailbox, letter("Hello")))
    member = Member()

    member.post(f"/inbox/{found.ref}/do/reply", {"body": "Good day"})
    *_, reply = messages_of(found)
    assert (reply.body, reply.state, reply.author) == ("Good day", "queued", f"staff:{member.staff.id}")
    with db.atomically():
        Message.objects.filter(id=reply.id).update(state="unsure")
    assert "perhaps sent" in text_of(member.get(f"/inbox/{found.ref}"))
    member.post(f"/inbox/{found.ref}/do/send-again", {"message": reply.id})
    assert messages_of(found)[-1].state == "queued"


def test_a_bounce_is_marked_where_the_next_reply_would_be_written(mailbox: Mailbox) -> None:
    order = sell()
    address = f"c{order.number}@example.com".lower()
    case = ask(order, "return", "defective")
    found = conversation_of(arrive(mailbox, letter(f"{order.number}?", sender=address)))
    with db.atomically():
        Message.objects.create(
            conversation=found, direction="out", kind="reply", author="staff:1", message_id="x@shop.example",
            recipient=address, written_at=NOON, state="sent",
        )  # fmt: skip
    arrive(mailbox, bounce(address, "x@shop.example"))

    page = text_of(Member().get(f"/cases/{case.ref}"))
    assert "comes back" in page
    assert address in page
    assert found.ref in text_of(Member().get("/inbox"))


def test_nothing_in_a_mail_runs_or_loads_in_the_page(mailbox: Mailbox) -> None:
    evil = '<script>alert(1)</script><img src="https://spy.example/p.gif" onerror="x()"><b>bold</b>'
    raw = arrive(
        mailbox,
        letter("<script>alert(2)</script>", subject="<script>alert(3)</script>", html=evil,
               sender='"<script>alert(4)</script>" <a@b.example>'),
    )  # fmt: skip
    member = Member()

    for page in (text_of(member.get("/inbox")), text_of(member.get(f"/inbox/{conversation_of(raw).ref}"))):
        assert "<script>alert" not in page
        assert "spy.example" not in page
    assert "<b>bold</b>" in page
    download = member.get(f"/mails/{raw.id}")
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in download.headers["Content-Security-Policy"]


def test_a_mail_of_a_machine_is_listed_below_with_what_it_was_known_by(mailbox: Mailbox) -> None:
    arrive(mailbox, b"Auto-Submitted: auto-replied\n" + letter("I am away"))

    page = text_of(Member().get("/inbox"))
    assert "auto-submitted: auto-replied" in page
    assert "Nothing waits here." in page


def test_a_reply_without_a_case_waits_its_seconds_and_can_be_taken_back(mailbox: Mailbox) -> None:
    found = conversation_of(arrive(mailbox, letter("Do you open on Sunday?")))
    member, other = Member(), Member()
    member.post(f"/inbox/{found.ref}/do/reply", {"body": "No, never."})
    *_, reply = messages_of(found)
    assert "Your reply goes out in" in text_of(member.get(f"/inbox/{found.ref}"))
    assert send_graced(reply.written_at) == 0

    assert other.post(f"/inbox/{found.ref}/do/take-back", {"message": reply.id}).status_code == 409
    assert member.post(f"/inbox/{found.ref}/do/take-back", {"message": reply.id}).status_code == 302

    assert [one.body for one in messages_of(found)] == ["Do you open on Sunday?"]
    assert "No, never.</textarea>" in text_of(member.get(f"/inbox/{found.ref}"))
    assert "No, never." not in text_of(member.get(f"/inbox/{found.ref}"))
    assert found.ref in text_of(member.get("/inbox"))


def test_after_its_seconds_a_reply_is_tried_once_and_not_to_be_taken_back(mailbox: Mailbox) -> None:
    found = conversation_of(arrive(mailbox, letter("Do you open on Sunday?")))
    member = Member()
    member.post(f"/inbox/{found.ref}/do/reply", {"body": "Yes."})
    *_, reply = messages_of(found)
    late = reply.written_at + timedelta(seconds=11)

    assert send_graced(late) == 1
    assert send_graced(late) == 0  # nothing listens there: what comes next is the usual sweep's

    assert member.post(f"/inbox/{found.ref}/do/take-back", {"message": reply.id}).status_code == 409


def test_a_letter_that_came_meanwhile_is_read_before_the_reply_goes(mailbox: Mailbox) -> None:
    found = conversation_of(arrive(mailbox, letter("Do you open on Sunday?", subject="Hours")))
    member = Member()
    seen = max(one.id for one in messages_of(found))
    with db.atomically():
        Message.objects.create(
            conversation=found, direction="in", kind="letter", author="", message_id="later@example.com",
            sender=found.address, recipient="s@shop.example", subject="Re: Hours", body="I meant Monday.",
            written_at=NOON, state="received",
        )  # fmt: skip

    answer = member.post(f"/inbox/{found.ref}/do/reply", {"body": "No.", "seen": seen})

    assert answer.status_code == 409
    told = answer.content.decode()
    assert "I meant Monday." in told
    assert ">No.</textarea>" in told
