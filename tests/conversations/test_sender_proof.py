"""Letters under a customer's address that the mailbox's server did not find genuine: never taken for the customer's."""

from __future__ import annotations

import pytest
from django.conf import settings

from makegood.cases.models import Case, CaseText
from makegood.conversations.commands import attach_to_case
from makegood.conversations.commands.attending import SenderNotKnown
from makegood.conversations.models import UNPROVEN, Mailbox
from makegood.conversations.rules import reply_address
from makegood.kit import db
from tests.conversations.mails import SHOP, arrive, conversation_of, letter, messages_of, open_mailbox, sent
from tests.shop import AGENT, NOON, ask, sell

GENUINE = "mx.shop.example; dmarc=pass header.from=example.com"
FORGED = "mx.shop.example; dmarc=fail header.from=example.com"


@pytest.fixture
def mailbox(merchant: int) -> Mailbox:
    return open_mailbox(smtp_host="127.0.0.1", results_from="mx.shop.example")


def texts() -> list[str]:
    with db.atomically():
        return list(CaseText.objects.order_by("id").values_list("body", flat=True))


def test_a_genuine_letter_opens_the_case_it_asks_for(mailbox: Mailbox) -> None:
    order = sell()
    said = letter(
        f"我要退货，订单 {order.number}。", sender=f"c{order.number}@example.com", Authentication_Results=GENUINE
    )

    raw = arrive(mailbox, said)

    assert raw.outcome == "opened_case"
    assert UNPROVEN not in messages_of(conversation_of(raw))[0].defects


@pytest.mark.parametrize("results", [FORGED, "mx.evil.example; dmarc=pass header.from=example.com"])
def test_a_forged_one_opens_nothing_is_not_answered_and_waits_for_an_agent(mailbox: Mailbox, results: str) -> None:
    order = sell()
    said = letter(
        f"我要退货，订单 {order.number}。", sender=f"c{order.number}@example.com", Authentication_Results=results
    )

    raw = arrive(mailbox, said)
    conversation = conversation_of(raw)

    with db.atomically():
        assert not Case.objects.exists()
    assert (conversation.customer_id, conversation.waits_for_agent) == (None, "unproven")
    assert sent() == []
    assert UNPROVEN in messages_of(conversation)[0].defects


def test_on_a_case_it_is_seen_by_agents_alone_even_at_the_signed_address(mailbox: Mailbox, merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "defective")
    customer = f"c{order.number}@example.com"
    raw = arrive(mailbox, letter(f"About {order.number}", sender=customer, Authentication_Results=GENUINE))
    conversation = conversation_of(raw)
    assert conversation.case_id == case.id
    before = texts()
    back = reply_address(SHOP, conversation.ref, merchant_id=merchant, key=str(settings.SECRET_KEY))

    forged = arrive(mailbox, letter("Pay to my new card", sender=customer, to=back, Authentication_Results=FORGED))

    assert texts() == before
    assert conversation_of(forged).id == conversation.id
    assert messages_of(conversation)[-1].internal


def test_an_agent_who_made_sure_adds_it_to_the_case(mailbox: Mailbox) -> None:
    order = sell()
    case = ask(order, "return", "defective")
    raw = arrive(
        mailbox,
        letter("Where is it?", sender=f"c{order.number}@example.com", Authentication_Results=FORGED),
    )
    conversation = conversation_of(raw)

    with pytest.raises(SenderNotKnown), db.together():
        attach_to_case(ref=conversation.ref, case_ref=case.ref, actor=AGENT, at=NOON)
    with db.together():
        attach_to_case(ref=conversation.ref, case_ref=case.ref, actor=AGENT, at=NOON, is_customer=True)

    assert texts()[-1] == "Where is it?"
