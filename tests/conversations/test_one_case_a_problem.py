"""Letters about a merged case reach the case that goes on; a matter that has a case gets no second one by mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.models import Case
from makegood.conversations import queries as conversations
from makegood.conversations.models import Mailbox
from makegood.conversations.rules import reply_address
from makegood.conversations.triage.plain import plainly
from makegood.conversations.triage.reading import read
from makegood.kit import db, tenancy
from makegood.orders.queries import OrderView
from tests.conversations.mails import SHOP, arrive, conversation_of, letter, open_mailbox
from tests.shop import AGENT, NOON, Bought, ask, sell


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


@pytest.fixture
def mailbox(merchant: int) -> Mailbox:
    return open_mailbox(smtp_host="127.0.0.1")


def by_mail(mailbox: Mailbox, order: OrderView, body: str = "") -> tuple[Case, str]:
    """A case that a letter opened, and the signed address of its thread."""
    raw = arrive(mailbox, letter(body or f"我要退货，订单 {order.number}，不喜欢颜色。", sender=sender_of(order)))
    assert raw.outcome == "opened_case"
    thread = conversation_of(raw)
    with db.atomically():
        case = Case.objects.get(conversations=thread)
    address = reply_address(SHOP, thread.ref, merchant_id=tenancy.require_merchant_id(), key=str(settings.SECRET_KEY))
    return case, address


def sender_of(order: OrderView) -> str:
    return f"c{order.number}@example.com"


def bodies(case: Case) -> list[str]:
    return [one.body for one in queries.case_view(case.ref).texts]


def test_a_letter_to_a_merged_thread_reaches_the_case_that_goes_on_and_goes_back_with_it(mailbox: Mailbox) -> None:
    order = sell()
    part, address = by_mail(mailbox, order)
    whole = ask(order, "claim", "late", statement="Late.")
    cases.merge_case(ref=part.ref, into=whole.ref, actor=AGENT, at=NOON)

    raw = arrive(mailbox, letter("还没有人回复我", sender=sender_of(order), to=address, subject="Re: 订单"))

    assert raw.outcome == "joined"
    assert conversation_of(raw).case_id == part.id
    assert bodies(whole)[-1] == "还没有人回复我"
    mails = conversations.mails_of_case(whole.id, part.id)
    assert [one.body for one in mails].count("还没有人回复我") == 1
    cases.unmerge_case(ref=part.ref, actor=AGENT, at=NOON)
    assert (bodies(part)[-1], bodies(whole)) == ("还没有人回复我", ["Late."])
    assert [one.body for one in conversations.mails_of_case(part.id)].count("还没有人回复我") == 1
    assert "还没有人回复我" not in [one.body for one in conversations.mails_of_case(whole.id)]


def test_the_reference_of_a_merged_case_in_a_letter_leads_to_the_case_that_goes_on(mailbox: Mailbox) -> None:
    order = sell()
    part, whole = ask(order, "return", "changed_mind"), ask(order, "claim", "late")
    cases.merge_case(ref=part.ref, into=whole.ref, actor=AGENT, at=NOON)

    raw = arrive(mailbox, letter(f"What about {part.ref}?", sender=sender_of(order)))

    assert bodies(whole) == [f"What about {part.ref}?"]
    assert conversations.conversation_view(conversation_of(raw).ref).case_ref == whole.ref


def test_who_is_not_the_customer_reaches_nothing_by_the_reference_of_a_merged_case(mailbox: Mailbox) -> None:
    order, other = sell(), sell()
    part, whole = ask(order, "return", "changed_mind"), ask(order, "claim", "late")
    cases.merge_case(ref=part.ref, into=whole.ref, actor=AGENT, at=NOON)

    raw = arrive(mailbox, letter(f"What about {part.ref}?", sender=sender_of(other)))

    assert conversation_of(raw).case_id is None
    assert (bodies(part), bodies(whole)) == ([], [])


def test_a_letter_about_a_matter_that_has_a_case_waits_for_an_agent(mailbox: Mailbox) -> None:
    order = sell(Bought(2, 20_000), Bought(1))
    for reason in ("damaged", "defective"):  # two open cases, so that the letter joins neither by its order alone
        ask(order, "claim", reason)
    before = _count()

    raw = arrive(mailbox, letter(f"订单 {order.number} 的灯碎了", sender=sender_of(order)))

    assert (_count(), conversation_of(raw).waits_for_agent) == (before, "alike")


@db.query
def _count() -> int:
    return Case.objects.count()


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Please cancel my order B12, I bought it by mistake", ("cancellation", "ordered_by_mistake")),
        ("Please cancel order B12 and give me a refund", ("cancellation", "other")),
        ("这个台灯坏了，我要退货", ("return", "defective")),
        ("包裹一直没收到", ("claim", "not_received")),
        ("my parcel has not arrived yet", ("claim", "not_received")),
        ("Where is my parcel?", None),
        ("I would like to return the lamp and exchange the chair", None),
        ("我想取消订单，或者换一个颜色", None),
        ("Where is my refund?", None),
        ("你们客服态度太差了，我要投诉", None),
        ("Thanks, the lamp is great", None),
        ("hello", None),
    ],
)
def test_only_what_is_asked_plainly_opens_a_case(said: str, wanted: tuple[str, str] | None) -> None:
    assert plainly(said, read(said)) == wanted
