"""Calls: events twice, late, out of order and forged; a caller is verified before facts are told; promises are kept."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings

from makegood.accounts import queries as accounts
from makegood.accounts.limits import TooManyTries
from makegood.calls import commands, erasure, queries
from makegood.calls.commands.carding import CallerNotVerified, CallOfAnother, CallWithoutCase
from makegood.calls.commands.verifying import CallerNotProved
from makegood.calls.models import Call
from makegood.cases import commands as cases
from makegood.cases.history import breaks
from makegood.cases.models import Case, CaseEvent, Deadline
from makegood.connectors.phone import own, twilio
from makegood.connectors.phone.shapes import CallEventForged
from makegood.conversations.models import Letter, Message
from makegood.customers import commands as customers
from makegood.kit import db
from makegood.orders.queries import OrderView
from tests.desk.working import Member
from tests.shop import AGENT, NOON, OWNER, again, ask, sell

SECRET = "a-secret-of-the-call-centre"
NUMBER = "+8613800138000"
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path, OUTGOING_NETWORKS=(ip_network("127.0.0.0/8"),)):
        yield


def connect() -> None:
    commands.connect_line(source="own", secrets=[SECRET], actor=OWNER, at=NOON)


def event(kind: str, *, call: str = "c1", at: datetime = NOON, number: str = NUMBER, **more: Any) -> tuple[bytes, str]:
    body = {"type": f"call.{kind}", "call": call, "at": at.isoformat(), "from": number, "to": "+8621555", **more}
    return json.dumps(body).encode(), f"e{next(_numbers)}"


def tell(told: tuple[bytes, str], *, at: datetime = NOON, secret: str = SECRET) -> int:
    body, key = told
    return commands.take_events(source="own", headers=own.sign(body, secret, event=key, at=at), body=body, at=at)


def the_call() -> Call:
    with db.atomically():
        return Call.objects.get()


def buyer(*, number: str = NUMBER) -> OrderView:
    order = sell(address={"zip": "200001"})
    with db.atomically():
        customers.add_contact(customer_id=order.customer.id, kind="phone", value=number)
    return order


def ringing() -> str:
    connect()
    tell(event("ringing"))
    return the_call().ref


def verified(order: OrderView) -> str:
    ref = ringing()
    answers = {"order_number": order.number, "name": "王芳"}
    commands.check_call_facts(ref=ref, answers=answers, actor=AGENT, at=NOON)
    return ref


@pytest.mark.parametrize("order", list(itertools.permutations(["ringing", "answered", "ended"])))
def test_a_call_is_the_same_in_whatever_order_its_events_come_and_however_often(
    merchant: int, order: tuple[str, ...]
) -> None:
    connect()
    times = {"ringing": 0, "answered": 10, "ended": 95}
    told = {kind: event(kind, at=NOON + timedelta(seconds=s)) for kind, s in times.items()}
    late = NOON + timedelta(hours=3)

    taken = [tell(told[kind], at=late) for kind in order for _ in range(2)]

    call = the_call()
    assert taken == [1, 0] * 3
    assert (call.state, call.rang_at, call.ended_at) == ("ended", NOON, NOON + timedelta(seconds=95))
    assert call.answered_at == NOON + timedelta(seconds=10)


def test_a_call_that_nobody_answered_was_missed(merchant: int) -> None:
    connect()
    for kind in ("ringing", "ended"):
        tell(event(kind))

    assert the_call().state == "missed"


def test_forged_stale_and_altered_events_are_refused_and_leave_nothing(merchant: int) -> None:
    connect()
    body, key = event("ringing")
    headers = own.sign(body, SECRET, event=key, at=NOON)

    for sent, given, at in (
        (body, own.sign(body, "another-secret-altogether", event=key, at=NOON), NOON),
        (body.replace(b"138", b"139"), headers, NOON),
        (body, headers, NOON + timedelta(minutes=6)),
        (body, {**headers, "webhook-id": "e-other"}, NOON),
        (body, {}, NOON),
    ):
        with pytest.raises(CallEventForged):
            commands.take_events(source="own", headers=given, body=sent, at=at)
    with pytest.raises(CallEventForged):
        commands.take_events(source="twilio", headers=headers, body=body, at=NOON)
    assert queries.calls() == []


def test_twilios_own_example_is_signed_as_twilio_signs_it() -> None:
    # The example of Twilio's page on security of requests: its address, its fields, its token, its signature.
    fields = {
        "CallSid": ["CA1234567890ABCDE"], "Caller": ["+14158675310"], "Digits": ["1234"], "From": ["+14158675310"],
        "To": ["+18005551212"],
    }  # fmt: skip
    url = "https://example.com/myapp.php?foo=1&bar=2"

    assert twilio.sign(url, fields, "12345") == "L/OH5YylLD5NRKLltdqwSvS0BnU="


def test_twilios_callbacks_become_one_call_over_http(merchant: int) -> None:
    slug = accounts.merchant().slug
    url = f"https://shop.example/api/v1/calls/twilio/events?merchant={slug}"
    commands.connect_line(source="twilio", secrets=["a-token-of-twilio-1"], url=url, actor=OWNER, at=NOON)
    base = {"CallSid": "CA1", "From": NUMBER, "To": "+8621555", "Direction": "inbound"}

    def post(more: dict[str, str], signed_with: str = "a-token-of-twilio-1") -> Any:
        fields = base | more
        signature = twilio.sign(url, {name: [value] for name, value in fields.items()}, signed_with)
        return Client().post(
            f"/api/v1/calls/twilio/events?merchant={slug}",
            data=urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )

    ended = {"CallStatus": "completed", "CallDuration": "61", "Timestamp": "Mon, 16 Nov 2026 04:01:01 +0000"}
    for more in (ended, {"CallStatus": "in-progress"}, {"CallStatus": "ringing"}, ended):
        assert post(more).status_code == 200
    assert post({"CallStatus": "ringing"}, signed_with="a-token-of-nobody").status_code == 403

    call = the_call()
    assert (call.state, call.seconds, call.number) == ("ended", 61, NUMBER)
    assert call.ended_at == datetime(2026, 11, 16, 4, 1, 1, tzinfo=UTC)


def test_the_card_tells_nothing_before_the_caller_is_verified_even_where_the_number_is_known(merchant: int) -> None:
    order = buyer()
    case = ask(order, "return", "changed_mind")
    ref = ringing()
    agent = Member()

    page = agent.get(f"/calls/{ref}").content.decode()

    assert "a number proves nobody" in page
    for fact in ("王芳", order.number, case.ref, order.customer.contacts[0][1]):
        assert fact not in page
    commands.check_call_facts(
        ref=ref, answers={"order_number": order.number, "postcode": " 200001"}, actor=AGENT, at=NOON
    )
    page = agent.get(f"/calls/{ref}").content.decode()
    assert all(fact in page for fact in ("王芳", order.number, case.ref))


@pytest.mark.parametrize("answers", [{"name": "王芳"}, {"order_number": "T-none", "name": "王芳"}, {}])
def test_one_right_answer_or_one_wrong_proves_nobody(merchant: int, answers: dict[str, str]) -> None:
    buyer()
    ref = ringing()

    with pytest.raises(CallerNotProved):
        commands.check_call_facts(ref=ref, answers=answers, actor=AGENT, at=NOON)


def test_tries_are_limited_and_each_is_recorded_without_what_was_said(merchant: int) -> None:
    order = buyer()
    ref = ringing()
    for _ in range(3):
        with pytest.raises(CallerNotProved):
            commands.check_call_facts(ref=ref, answers={"name": "赵一", "email": "x@y.zz"}, actor=AGENT, at=NOON)

    right = {"order_number": order.number, "name": "王芳"}
    with pytest.raises(TooManyTries):
        commands.check_call_facts(ref=ref, answers=right, actor=AGENT, at=NOON)
    assert [one.passed for one in queries.card(ref).checks] == [False] * 4
    assert "赵一" not in str([one.asked for one in queries.card(ref).checks])


def test_a_code_to_the_known_address_verifies_and_one_written_to_nobody_does_not(merchant: int) -> None:
    buyer()
    ref = ringing()
    commands.send_call_code(ref=ref, order_number="", actor=AGENT, at=NOON)
    with db.atomically():
        letter = Letter.objects.get()
    code = next(word for word in letter.body.replace("。", " ").split() if word.strip("，.").isdigit()).strip("，.")

    call = commands.check_call_code(ref=ref, order_number="", code=code, actor=AGENT, at=NOON)

    assert call.verified_how == "code"
    tell(event("ringing", call="c2", number="+8613900000000"))
    with db.atomically():
        other = Call.objects.get(key="c2").ref
    commands.send_call_code(ref=other, order_number="", actor=AGENT, at=NOON)
    with db.atomically():
        assert Letter.objects.latest("id").to_value == ""
    with pytest.raises(CallerNotProved):
        commands.check_call_code(ref=other, order_number="", code="000000", actor=AGENT, at=NOON)


def test_a_call_goes_on_a_case_of_its_verified_caller_alone(merchant: int) -> None:
    order = buyer()
    mine, other = ask(order, "return", "changed_mind"), ask(sell(), "return", "changed_mind")
    ref = ringing()
    with pytest.raises(CallerNotVerified):
        commands.attach_call(ref=ref, case_ref=mine.ref, actor=AGENT, at=NOON)
    with pytest.raises(CallWithoutCase):
        commands.note_call(ref=ref, said="hello", actor=AGENT, at=NOON)
    commands.check_call_facts(ref=ref, answers={"order_number": order.number, "name": "王芳"}, actor=AGENT, at=NOON)

    with pytest.raises(CallOfAnother):
        commands.attach_call(ref=ref, case_ref=other.ref, actor=AGENT, at=NOON)
    commands.attach_call(ref=ref, case_ref=mine.ref, actor=AGENT, at=NOON)
    commands.note_call(ref=ref, said="The lamp flickers.", actor=AGENT, at=NOON)

    with db.atomically():
        assert [(one.kind, one.body) for one in Message.objects.all()] == [("call", "The lamp flickers.")]
    page = Member().get(f"/cases/{mine.ref}").content.decode()
    assert "The lamp flickers." in page
    assert f"/calls/{ref}" in page
    assert breaks([mine.id]) == []


def test_a_call_back_that_is_promised_is_a_deadline_that_is_met_or_escalates(merchant: int) -> None:
    order = buyer()
    case = ask(order, "return", "changed_mind")
    ref = verified(order)
    commands.attach_call(ref=ref, case_ref=case.ref, actor=AGENT, at=NOON)
    due = NOON + timedelta(hours=2)

    commands.note_call(ref=ref, said="", call_back_at=due, actor=AGENT, at=NOON)
    assert again(case).due_at == due
    commands.note_call(ref=ref, said="", call_back_made=True, actor=AGENT, at=NOON + timedelta(hours=1))
    cases.sweep_deadlines(at=due)
    assert not again(case).escalated

    later = due + timedelta(hours=2)
    commands.note_call(ref=ref, said="", call_back_at=later, actor=AGENT, at=due)
    cases.sweep_deadlines(at=later)
    cases.sweep_deadlines(at=later + timedelta(minutes=1))
    assert again(case).escalated
    with db.atomically():
        rows = list(Deadline.objects.filter(case=case, wait="call_back").order_by("id").values_list("state", flat=True))
    assert rows == ["met", "passed"]
    assert breaks([case.id]) == []


def test_a_clock_that_stands_still_for_the_customer_goes_on_standing_still_when_a_call_is_promised(
    merchant: int,
) -> None:
    order = buyer()
    case = ask(order, "claim", "damaged")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    ref = verified(order)
    commands.attach_call(ref=ref, case_ref=case.ref, actor=AGENT, at=NOON)

    commands.note_call(ref=ref, said="", call_back_at=NOON + timedelta(days=1), actor=AGENT, at=NOON)

    assert again(case).marks["pauses"][-1][1] is None


class _Recordings(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"RIFF$\0\0\0WAVEfmt \0\0")

    def log_message(self, *_: Any) -> None:
        return


def test_who_opens_recording_or_transcript_is_written_down_and_shown_in_the_audit(merchant: int) -> None:
    order = buyer()
    case = ask(order, "return", "changed_mind")
    ref = verified(order)
    commands.attach_call(ref=ref, case_ref=case.ref, actor=AGENT, at=NOON)
    with HTTPServer(("127.0.0.1", 0), _Recordings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tell(event("recording", recording=f"http://127.0.0.1:{server.server_port}/r.wav", seconds=61))
        commands.fetch_recording(call_id=the_call().id)
        commands.fetch_recording(call_id=the_call().id)
        server.shutdown()
    tell(event("transcript", turns=[{"who": "caller", "text": "my lamp is broken"}]))
    agent = Member()

    assert "my lamp is broken" not in agent.get(f"/cases/{case.ref}").content.decode()
    heard = agent.post(f"/calls/{ref}/recording")
    read = agent.post(f"/calls/{ref}/transcript").content.decode()

    assert b"".join(heard.streaming_content).startswith(b"RIFF")
    assert heard.headers["Content-Disposition"].startswith("attachment")
    assert "my lamp is broken" in read
    assert [one.what for one in queries.card(ref).openings] == ["recording", "transcript"]
    with db.atomically():
        opened = list(CaseEvent.objects.filter(case=case, kind="recording_heard").values_list("actor", flat=True))
    assert opened == [agent.actor.key] * 2
    assert "A recording or transcript was opened" in agent.get(f"/cases/{case.ref}/history").content.decode()


def test_forgetting_a_person_scrubs_their_calls(merchant: int) -> None:
    order = buyer()
    verified(order)
    tell(event("transcript", turns=[{"who": "caller", "text": "my lamp"}]))

    erasure.erase_customer(order.customer.id)

    assert (the_call().number, the_call().transcript) == ("", "")


def test_the_whole_card_works_by_its_forms(merchant: int) -> None:
    order = buyer()
    case = ask(order, "return", "changed_mind")
    ref = ringing()
    agent = Member()
    assert ref in agent.get("/calls").content.decode()

    wrong = agent.post(f"/calls/{ref}", {"do": "facts", "order_number": order.number, "name": "x"})
    assert wrong.status_code == 403
    agent.post(f"/calls/{ref}", {"do": "facts", "order_number": order.number, "name": "王 芳"})
    agent.post(f"/calls/{ref}", {"do": "attach", "case": case.ref})
    agent.post(f"/calls/{ref}", {"do": "note", "said": "Agreed to look.", "call_back_at": "2027-01-05T10:00"})

    page = agent.get(f"/calls/{ref}").content.decode()
    assert "Call back promised" in page
    with db.atomically():
        assert Case.objects.get(id=case.id).marks["call_back_due"] == "2027-01-05T10:00:00+08:00"
