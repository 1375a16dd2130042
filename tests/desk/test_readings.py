"""What a letter probably wants is shown beside it and prefills the form; the agent decides."""

from __future__ import annotations

import re
from typing import Any

import pytest

from makegood.conversations.models import Mailbox
from tests.conversations.mails import arrive, conversation_of, letter, open_mailbox
from tests.desk.test_inbox import text_of
from tests.desk.working import Member
from tests.shop import Bought, ask, sell


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Any, settings: Any) -> None:
    settings.UPLOADS_DIR = tmp_path


@pytest.fixture
def mailbox(merchant: int) -> Mailbox:
    return open_mailbox(smtp_host="127.0.0.1", smtp_port=1)


def chosen(page: str) -> list[str]:
    """Kind and reason that the form comes with."""
    return re.findall(r'<option value="([a-z_]+/[a-z_]+)" selected', page)


def test_a_letter_is_shown_with_what_it_wants_and_prefills_kind_and_reason(mailbox: Mailbox) -> None:
    order = sell(Bought(2, 20_000))
    for reason in ("damaged", "defective"):  # so that the letter opens no case of its own, and joins neither
        ask(order, "claim", reason)
    body = f"The lamp was defect, its glass is shattered, and it smokes. I paid $20.50 for order {order.number}."
    ref = conversation_of(arrive(mailbox, letter(body, sender=f"c{order.number}@example.com"))).ref
    member = Member()

    inbox = text_of(member.get("/inbox"))
    assert "its glass is shattered" in inbox  # not our acknowledgement, which came after it
    assert "damaged or defective goods" in inbox
    page = text_of(member.get(f"/inbox/{ref}"))
    assert "damaged or defective goods" in page
    assert "urgent" in page
    assert "named in the letter" in page
    assert "20.50" in page
    form = text_of(member.get(f"/orders/{order.number}?conversation={ref}"))
    assert chosen(form) == ["claim/damaged"]
    assert "please check them" in form


def test_what_the_agent_chose_stays_chosen(mailbox: Mailbox) -> None:
    order = sell()
    sender = f"c{order.number}@example.com"
    ref = conversation_of(arrive(mailbox, letter("Its glass is shattered.", sender=sender))).ref

    again = Member().post(
        f"/orders/{order.number}", {"reason": "return/defective", "channel": "pigeon", "conversation": ref}
    )

    assert chosen(again.content.decode()) == ["return/defective"]


def test_a_letter_that_is_not_plain_prefills_nothing_and_asks(mailbox: Mailbox) -> None:
    order = sell()
    sender = f"c{order.number}@example.com"
    ref = conversation_of(arrive(mailbox, letter("qwertz 4711 uiop", subject="asdf", sender=sender))).ref
    member = Member()

    assert "Not sure what is wanted" in text_of(member.get(f"/inbox/{ref}"))
    assert chosen(text_of(member.get(f"/orders/{order.number}?conversation={ref}"))) == []
    assert chosen(text_of(member.get(f"/orders/{order.number}?conversation=V-NOBODY"))) == []


def test_a_letter_on_a_case_is_read_as_well(mailbox: Mailbox) -> None:
    order = sell()
    case = ask(order, "return", "defective")

    sender = f"c{order.number}@example.com"
    arrive(mailbox, letter("Where is my refund? Has it been processed?", sender=sender, subject=f"Re: {case.ref}"))

    assert "where the refund is" in text_of(Member().get(f"/cases/{case.ref}"))


def test_the_language_of_a_letter_is_shown_where_it_is_not_the_readers(mailbox: Mailbox) -> None:
    order = sell()
    sender = f"c{order.number}@example.com"
    chinese = conversation_of(arrive(mailbox, letter("请问什么时候可以到货？", subject="咨询", sender=sender))).ref
    english = conversation_of(arrive(mailbox, letter("When will it be here?", subject="A question", sender=sender))).ref
    member = Member()

    assert "Simplified Chinese" in text_of(member.get(f"/inbox/{chinese}"))
    assert "Simplified Chinese" not in text_of(member.get(f"/inbox/{english}"))
