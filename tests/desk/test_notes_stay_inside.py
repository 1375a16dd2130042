"""An internal note never leaves: no page, mail, link, export, webhook or tool of a customer has it."""

from __future__ import annotations

import json
import secrets
import zipfile
from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.history import TOLD_BY_MAIL
from makegood.cases.queries import case_view
from makegood.cases.tracking import tracking_token
from makegood.conversations import commands as conversations
from makegood.conversations.models import Letter, Message
from makegood.kit import db, errors
from makegood.workbench import commands as workbench
from makegood.workbench.jobs import send_due
from tests.desk.working import Member
from tests.mcp.agents import agent
from tests.portal.visiting import Visitor
from tests.shop import AGENT, REVIEWER, Bought, ask, bring_photo, sell

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.fixture
def member(merchant: int) -> Member:
    return Member()


STEPS = st.lists(
    st.sampled_from(["note", "reply", "delayed", "word", "photo", "decide", "approve", "deny", "appeal", "uphold"]),
    min_size=4, max_size=8,
)  # fmt: skip
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def step(name: str, ref: str, customer: Actor, member: Member, note: str, words: str) -> None:
    """One thing that happens; what the state does not allow is refused, and that is fine."""
    at = timezone.now()
    said: dict[str, Any] = {"ref": ref, "at": at}
    case = case_view(ref)
    if name == "note":
        cases.add_message(body=f"{note} {words}", internal=True, actor=member.actor, **said)
    elif name == "reply":
        cases.add_message(body=f"We wrote. {words}", actor=AGENT, **said)
    elif name == "delayed":
        workbench.leave_reply(ref=ref, body="Later.", seen=None, actor=member.actor, at=at)
        send_due(at.replace(year=at.year + 1))
    elif name == "word":
        cases.add_message(body=f"They wrote. {words}", actor=customer, **said)
    elif name == "photo":
        bring_photo(cases_case(case.id), at=at)
    elif name == "decide":
        cases.decide_case(actor=AGENT, **said)
    elif name == "approve":
        cases.approve_case(actor=AGENT, **said)
    elif name == "deny":
        cases.deny_case(actor=AGENT, why="No.", **said)
    elif name == "appeal":
        cases.file_appeal(grounds="Look again.", actor=customer, **said)
    else:
        cases.review_appeal(outcome="upheld", why="It stays.", actor=REVIEWER, **said)


def cases_case(case_id: int) -> Any:
    from makegood.cases.models import Case  # noqa: PLC0415 - read in a transaction of its own

    with db.atomically():
        return Case.objects.get(id=case_id)


def mail_all(ref: str) -> None:
    """What the jobs do with each text and each told event, as if every job had been run for every one of them."""
    found = case_view(ref)
    for text in found.texts:
        conversations.send_reply(text_id=text.id, at=timezone.now())
    for event in (one for one in found.events if one.kind in TOLD_BY_MAIL):
        conversations.tell_customer(case_id=found.id, seq=event.seq, at=timezone.now())


@db.query
def stored_outward() -> str:
    """Everything that was written to go out, and everything webhooks are made of."""
    rows = [
        *Message.objects.filter(direction="out").values(),
        *Letter.objects.values(),
        *db.fetch("select * from webhooks_delivery"),
        *db.fetch("select kind, data from cases_caseevent"),
    ]
    return json.dumps(rows, default=str, ensure_ascii=False)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, words=WORDS)
def test_no_word_of_a_note_is_anywhere_outside(member: Member, steps: list[str], words: str) -> None:
    note = f"NOTE-{secrets.token_hex(8)}"
    at = timezone.now()
    order = sell(Bought(2, 20_000), at=at)
    case = ask(order, "return", "changed_mind", at=at, channel="mail", statement="Please.")
    customer = Actor.customer(case.customer_id)
    step("note", case.ref, customer, member, note, words)
    for name in steps:
        try:
            step(name, case.ref, customer, member, note, words)
        except errors.DomainError:
            continue
    mail_all(case.ref)

    visitor = Visitor()
    visitor.prove(order)
    exported = conversations_export(case.customer_id)
    shown = [
        visitor.get(f"/cases/{case.ref}").content.decode(),
        visitor.get("/mine").content.decode(),
        visitor.client.get(f"/track/{tracking_token(case.ref)}").content.decode(),
        visitor.client.get(f"/api/v1/track/{tracking_token(case.ref)}").content.decode(),
        json.dumps(agent(customer=case.customer_id).use("show_case", case=case.ref), default=str, ensure_ascii=False),
        stored_outward(),
        exported,
    ]
    for text in shown[:5]:
        assert case.ref in text
    for text in shown:
        assert note not in text
    assert note in member.get(f"/cases/{case.ref}").content.decode()


def conversations_export(customer_id: int) -> str:
    """Every file of what a customer is handed of themselves."""
    from makegood.conversations import personal  # noqa: PLC0415 - beside its only use

    into = BytesIO()
    personal.write_archive(customer_id, into)
    with zipfile.ZipFile(into) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def test_the_database_itself_keeps_a_note_a_note() -> None:
    at = timezone.now()
    case = ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at)
    cases.add_message(ref=case.ref, body="inside", internal=True, actor=AGENT, at=at)
    [note] = case_view(case.ref).texts

    with pytest.raises(IntegrityError), db.atomically():
        db.execute("update cases_casetext set internal = false where id = %s", [note.id])
    with pytest.raises(IntegrityError), db.atomically():
        db.execute("update cases_casetext set kind = 'message' where id = %s", [note.id])
