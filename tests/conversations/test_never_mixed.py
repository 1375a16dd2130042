"""Whatever is quoted, answered or forged: no customer's thread holds or reaches another person."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.models import Case, CaseText
from makegood.conversations.models import Conversation, Mailbox, Message
from makegood.conversations.rules import reply_address
from makegood.customers.models import Contact
from makegood.kit import db, tenancy
from tests.conftest import open_merchant
from tests.conversations.mails import SHOP, arrive, letter, open_mailbox
from tests.conversations.test_sending import send_all
from tests.shop import AGENT, NOON, ask, sell

PEOPLE = 3  # customers; one more person is unknown to the shop
acts = st.tuples(
    st.integers(0, PEOPLE),  # who writes
    st.sampled_from(["plain", "tag", "id", "case", "order", "subject", "agent"]),
    st.integers(0, 30),  # which of the things there are is quoted
    st.booleans(),  # with a wish that opens a case
)


@dataclass
class World:
    mailbox: Mailbox
    orders: list[str] = field(default_factory=list)
    customers: list[int] = field(default_factory=list)

    def address(self, who: int) -> str:
        return f"c{self.orders[who]}@example.com".lower() if who < PEOPLE else "unknown@example.net"


def build() -> World:
    world = World(open_mailbox(smtp_host="127.0.0.1", smtp_port=1))
    for n in range(PEOPLE):
        order = sell()
        world.orders.append(order.number)
        world.customers.append(order.customer.id)
        if n:
            ask(order, "return", "defective")
    return world


def act(world: World, who: int, how: str, which: int, *, wish: bool) -> None:
    with db.atomically():
        conversations = list(Conversation.objects.order_by("id"))
        messages = list(Message.objects.order_by("id"))
        refs = list(Case.objects.order_by("id").values_list("ref", flat=True))
    if how == "agent":
        cases.add_message(ref=refs[which % len(refs)], body="We look into it.", actor=AGENT, at=NOON)
        send_all()
        return
    to, subject, headers, words = SHOP, f"Matter {which}", {}, "I want to return it." if wish else "Hello."
    if how == "tag" and conversations:
        ref = conversations[which % len(conversations)].ref
        to = reply_address(SHOP, ref, merchant_id=tenancy.require_merchant_id(), key=_key())
    elif how == "id" and messages:
        headers = {"In_Reply_To": f"<{messages[which % len(messages)].message_id or 'x@y'}>"}
    elif how == "case":
        subject = f"Re: {refs[which % len(refs)]}"
    elif how == "order":
        words += f" Order {world.orders[which % PEOPLE]}"
    elif how == "subject" and conversations:
        subject = f"Re: {conversations[which % len(conversations)].subject}"
    raw = letter(f"{words} signed {world.address(who)}", sender=world.address(who), to=to, subject=subject)
    for name, value in headers.items():
        raw = f"{name.replace('_', '-')}: {value}\n".encode() + raw
    arrive(world.mailbox, raw)


@db.query
def leaks() -> list[str]:
    """Every word a customer can see in a thread of theirs that is another person's, and every letter gone astray."""
    found = []
    addresses = {
        customer: set(Contact.objects.filter(customer_id=customer).values_list("value", flat=True))
        for customer in Contact.objects.values_list("customer_id", flat=True)
    }
    for message in Message.objects.select_related("conversation"):
        own = addresses.get(message.conversation.customer_id or 0, {message.conversation.address})
        if message.direction == "in" and not message.internal and message.sender not in own:
            found.append(f"{message.sender} in the thread of {own}")
        if message.direction == "out" and message.recipient not in own:
            found.append(f"to {message.recipient} in the thread of {own}")
    for text in CaseText.objects.select_related("case"):
        if text.author.startswith("customer:") and text.author != Actor.customer(text.case.customer_id).key:
            found.append(f"{text.author} wrote on a case of {text.case.customer_id}")
        signed = text.body.rpartition("signed ")[2]
        if "@" in signed and signed not in addresses[text.case.customer_id]:
            found.append(f"words of {signed} on a case of {addresses[text.case.customer_id]}")
    found += [
        f"a conversation of {one.customer_id} on a case of {one.case.customer_id}"
        for one in Conversation.objects.select_related("case")
        if one.case and one.customer_id not in {None, one.case.customer_id}
    ]
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts, min_size=4, max_size=14))
def test_threads_of_one_customer_are_never_shown_to_another(doings: list[tuple[int, str, int, bool]]) -> None:
    with tenancy.acting_for(open_merchant()):
        world = build()
        for who, how, which, wish in doings:
            act(world, who, how, which, wish=wish)
        assert leaks() == []


def test_a_leak_would_be_noticed(merchant: int) -> None:
    world = build()
    act(world, 1, "order", 1, wish=False)
    with db.atomically():
        Message.objects.filter(direction="in").update(sender="somebody@else.example")
    assert len(leaks()) == 1


def _key() -> str:
    from django.conf import settings as django_settings  # noqa: PLC0415 - as set up for tests

    return str(django_settings.SECRET_KEY)
