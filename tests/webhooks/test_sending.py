"""From an event to the receiver: signed, at least once, tried again, given up, replayed."""

from __future__ import annotations

import json
import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from makegood.accounts.models import AccountEvent
from makegood.cases import commands as cases
from makegood.conversations.models import Letter
from makegood.kit import db, errors, outgoing, tenancy
from makegood.kit.worker.sweeping import sweep_round
from makegood.webhooks import commands, queries, rules
from makegood.webhooks.commands import sending
from makegood.webhooks.models import Delivery, Endpoint
from tests.conftest import open_merchant
from tests.desk.working import hire
from tests.shop import AGENT, OWNER, Bought, ask, sell, settle
from tests.webhooks.receiving import Receiver

pytestmark = pytest.mark.usefixtures("merchant")


def now() -> datetime:
    return datetime.now(UTC)


def listen(receiver: Receiver, *events: str) -> Endpoint:
    return commands.add_endpoint(url=receiver.url, events=events, actor=OWNER, at=now())


def send(*, later: timedelta = timedelta(0)) -> int:
    """What the sweep does, until nothing is due; how many attempts."""
    count = 0
    while did := commands.send_due(now() + timedelta(seconds=1) + later):
        count += did
    return count


def rows(endpoint: Endpoint) -> list[queries.DeliveryView]:
    return list(queries.deliveries(endpoint.ref, actor=OWNER, limit=200).rows)[::-1]


def test_an_event_arrives_signed_with_its_case_and_number(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    case = ask(order := sell(Bought(paid=100_00)), "return", "changed_mind")

    assert send() == 1

    [got] = receiver.got
    told = Webhook(queries.secret_of(endpoint.ref, actor=OWNER)).verify(got.body, got.headers)
    assert told["type"] == "case.case_filed"
    assert {name: told["data"][name] for name in ("case", "seq", "order", "kind")} == {
        "case": case.ref,
        "seq": 1,
        "order": order.number,
        "kind": "return",
    }
    [row] = rows(endpoint)
    assert (row.state, row.attempts, row.status, row.webhook_id) == ("delivered", 1, 204, got.headers["webhook-id"])
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43 + "=").verify(got.body, got.headers)


def test_only_chosen_events_are_owed_and_all_where_none_is_chosen(receiver: Receiver) -> None:
    chosen, every = listen(receiver, "case.approved"), listen(receiver)
    settle(ask(sell(Bought(paid=100_00)), "return", "changed_mind"))

    assert [row.kind for row in rows(chosen)] == ["case.approved"]
    kinds = [row.kind for row in rows(every)]
    assert kinds[:3] == ["case.case_filed", "case.decided", "case.approved"]
    assert [row.seq for row in rows(every)] == list(range(1, len(kinds) + 1))


def test_a_preview_and_a_refused_command_owe_nothing(receiver: Receiver) -> None:
    case = ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    endpoint = listen(receiver)

    cases.preview_case(ref=case.ref, actor=AGENT, at=now())
    with pytest.raises(errors.Refused):
        cases.approve_case(ref=case.ref, actor=AGENT, at=now())

    assert rows(endpoint) == []


def test_no_personal_words_leave(receiver: Receiver) -> None:
    listen(receiver)
    case = ask(sell(Bought(paid=100_00)), "return", "changed_mind", statement="canary-statement")
    cases.add_message(ref=case.ref, body="canary-note", internal=True, actor=AGENT, at=now())
    send()

    assert receiver.got
    assert not [got for got in receiver.got if b"canary" in got.body or "王芳".encode() in got.body]


def test_after_500_it_is_tried_again_later_with_the_same_id_and_body(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    receiver.answer(500, 200)

    assert send() == 1
    assert [(row.state, row.status) for row in rows(endpoint)] == [("due", 500)]
    assert send() == 0  # not yet
    assert send(later=timedelta(seconds=20)) == 1

    first, second = receiver.got
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [(row.state, row.attempts) for row in rows(endpoint)] == [("delivered", 2)]
    [row] = rows(endpoint)
    tries = queries.attempts(endpoint.ref, row.id, actor=OWNER)
    assert [one.status for one in tries] == [500, 200]
    assert "whsec_" not in tries[0].request_head
    assert "v1," not in tries[0].request_head
    assert tries[0].response_head.startswith("500\n")


@pytest.mark.parametrize(("status", "failure"), [(301, ""), (404, "")])
def test_anything_but_2xx_is_a_failure_and_redirects_are_not_followed(
    receiver: Receiver, status: int, failure: str
) -> None:
    endpoint = listen(receiver, "case.case_filed")
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    receiver.answer(status, Location=receiver.url + "-elsewhere")
    send()

    assert [got.path for got in receiver.got] == ["/hook"]
    assert [(row.state, row.status, row.failure) for row in rows(endpoint)] == [("due", status, failure)]


def test_retry_after_is_respected(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    receiver.answer(503, Retry_After="7200")
    send()

    [row] = rows(endpoint)
    assert row.next_at > now() + timedelta(seconds=7000)


def test_410_switches_the_endpoint_off_and_tells_the_owners(receiver: Receiver) -> None:
    owner = hire("owner")
    endpoint = listen(receiver)
    settle(ask(sell(Bought(paid=100_00)), "return", "changed_mind"))
    receiver.answer(410)

    commands.send_due(now() + timedelta(seconds=1))

    seen = queries.endpoint(endpoint.ref, actor=OWNER)
    assert (seen.state, seen.why) == ("disabled", "gone")
    assert not {row.state for row in rows(endpoint)} & {"due"}
    with db.atomically():
        assert AccountEvent.objects.filter(what="webhook_disabled").count() == 1
        assert list(Letter.objects.values_list("to_value", flat=True)) == [owner.email]
    before = len(receiver.got)
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    assert (send(), len(receiver.got)) == (0, before)


def test_a_dead_receiver_is_tried_ten_times_and_then_given_up(receiver: Receiver) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        endpoint = commands.add_endpoint(url=url, events=["case.case_filed"], actor=OWNER, at=now())
        ask(sell(Bought(paid=100_00)), "return", "changed_mind")
        at = now() + timedelta(seconds=1)
        for _ in range(rules.ATTEMPTS_MAX + 1):
            commands.send_due(at)
            [row] = rows(endpoint)
            at = max(at, row.next_at) + timedelta(seconds=1)

    [row] = rows(endpoint)
    assert (row.state, row.attempts, row.failure) == ("failed", rules.ATTEMPTS_MAX, "connection")


def test_an_endpoint_that_fails_for_days_is_switched_off_and_a_replay_sends_what_was_missed(
    receiver: Receiver,
) -> None:
    endpoint = listen(receiver, "case.case_filed", "case.withdrawn")
    receiver.answer(500)
    first = ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    send()
    send(later=timedelta(days=6))
    assert queries.endpoint(endpoint.ref, actor=OWNER).why == "failing"

    missed = ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    receiver.answer(200)
    with pytest.raises(errors.Refused, match="not active"):
        commands.replay_range(ref=endpoint.ref, since=now() - timedelta(days=9), until=now(), actor=OWNER, at=now())
    commands.resume_endpoint(ref=endpoint.ref, actor=OWNER, at=now())
    until = datetime(2100, 1, 1, tzinfo=UTC)
    count = commands.replay_range(
        ref=endpoint.ref, since=datetime(2000, 1, 1, tzinfo=UTC), until=until, actor=OWNER, at=now()
    )
    send()

    assert count == 2
    assert {json.loads(got.body)["data"]["case"] for got in receiver.got[-2:]} == {first.ref, missed.ref}
    assert {row.state for row in rows(endpoint)} == {"delivered"}
    again: dict[str, Any] = {
        "ref": endpoint.ref,
        "since": datetime(2000, 1, 1, tzinfo=UTC),
        "until": until,
        "actor": OWNER,
    }
    assert commands.replay_range(**again, at=now()) == 0
    assert commands.replay_range(**again, only_missed=False, at=now()) == 2


def test_a_slow_receiver_is_cut_off_however_it_drips(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT_S", 1.0)
    receiver.drip_s = 0.05
    with pytest.raises(outgoing.CallFailed) as slow:
        outgoing.post(receiver.url, b"{}", {}, timeout_s=1.0)

    assert slow.value.rule in {"timeout", "protocol"}


def test_while_a_secret_is_changed_both_sign(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    old = queries.secret_of(endpoint.ref, actor=OWNER)
    commands.rotate_secret(ref=endpoint.ref, actor=OWNER, at=now())
    new = queries.secret_of(endpoint.ref, actor=OWNER)
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    send()
    [got] = receiver.got

    assert old != new
    for secret in (old, new):
        Webhook(secret).verify(got.body, got.headers)
    commands.rotate_secret(ref=endpoint.ref, previous_for=timedelta(0), actor=OWNER, at=now())
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    send()
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(receiver.got[-1].body, receiver.got[-1].headers)


def test_a_paused_endpoint_gets_everything_when_it_is_resumed(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    commands.pause_endpoint(ref=endpoint.ref, actor=OWNER, at=now())
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    assert send() == 0

    commands.resume_endpoint(ref=endpoint.ref, actor=OWNER, at=now())

    assert send() == 1


def test_a_test_is_signed_and_delivered_like_everything_else(receiver: Receiver) -> None:
    endpoint = listen(receiver)
    webhook_id = commands.send_test(ref=endpoint.ref, actor=OWNER, at=now())
    send()

    [got] = receiver.got
    assert got.headers["webhook-id"] == webhook_id
    assert Webhook(queries.secret_of(endpoint.ref, actor=OWNER)).verify(got.body, got.headers)["type"] == "test"


def test_one_delivery_is_replayed_under_the_same_id(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    send()
    [row] = rows(endpoint)

    commands.replay_delivery(ref=endpoint.ref, delivery_id=row.id, actor=OWNER, at=now())
    send()

    assert len(receiver.got) == 2
    assert len(set(receiver.ids())) == 1


def test_another_merchant_s_endpoint_hears_nothing_and_is_not_found(receiver: Receiver) -> None:
    endpoint = listen(receiver)
    with tenancy.acting_for(open_merchant()):
        ask(sell(Bought(paid=100_00)), "return", "changed_mind")
        assert send() == 0
        with pytest.raises(queries.EndpointUnknown):
            queries.endpoint(endpoint.ref, actor=OWNER)
        with pytest.raises(queries.EndpointUnknown):
            commands.send_test(ref=endpoint.ref, actor=OWNER, at=now())

    assert receiver.got == []


def test_the_worker_s_sweep_finds_what_is_due(receiver: Receiver) -> None:
    from makegood.kit import jobs  # noqa: PLC0415
    from makegood.webhooks import jobs as registered  # noqa: F401, PLC0415

    listen(receiver, "case.case_filed")
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    [sweep] = [one for one in jobs.sweeps() if one.name == "webhooks.send_due"]

    sweep_round(sweep)

    assert len(receiver.got) == 1


@pytest.mark.parametrize(("place", "arrived"), [("webhooks.claimed", 0), ("webhooks.called", 1)])
def test_killed_between_commit_and_noting_it_is_sent_again_under_the_same_id(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, place: str, arrived: int
) -> None:
    """A process of its own dies by SIGKILL at the named place; the next sweep, after the claim, sends again."""
    endpoint = listen(receiver, "case.case_filed")
    ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    _die_at(place)
    assert len(receiver.got) == arrived
    assert [(row.state, row.attempts) for row in rows(endpoint)] == [("due", 1)]
    assert send() == 0  # the claim still holds

    assert send(later=sending.CLAIM) == 1

    assert len(set(receiver.ids())) == 1
    assert [(row.state, row.attempts) for row in rows(endpoint)] == [("delivered", 2)]


def _die_at(place: str) -> None:
    """Send what is due in a forked process that kills itself there."""
    from django.db import connections  # noqa: PLC0415

    from makegood.kit import failpoints  # noqa: PLC0415

    connections.close_all()  # two processes on one connection would ruin each other
    child = os.fork()
    if child == 0:
        failpoints._FAIL_AT = frozenset({place})
        try:
            commands.send_due(now() + timedelta(seconds=1))
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_two_workers_send_each_delivery_once(receiver: Receiver) -> None:
    endpoint = listen(receiver, "case.case_filed")
    for _ in range(3):
        ask(sell(Bought(paid=100_00)), "return", "changed_mind")
    at = now() + timedelta(seconds=1)

    first, second = sending.claim(at=at), sending.claim(at=at)

    assert (len(first), len(second)) == (3, 0)
    with db.atomically():
        assert Delivery.objects.filter(endpoint_id=endpoint.id, attempts=1).count() == 3


def test_only_who_manages_keeps_endpoints(receiver: Receiver) -> None:
    endpoint = listen(receiver)
    calls: list[Any] = [
        lambda: commands.add_endpoint(url=receiver.url, actor=AGENT, at=now()),
        lambda: commands.change_endpoint(ref=endpoint.ref, label="x", actor=AGENT, at=now()),
        lambda: commands.pause_endpoint(ref=endpoint.ref, actor=AGENT, at=now()),
        lambda: commands.resume_endpoint(ref=endpoint.ref, actor=AGENT, at=now()),
        lambda: commands.rotate_secret(ref=endpoint.ref, actor=AGENT, at=now()),
        lambda: commands.remove_endpoint(ref=endpoint.ref, actor=AGENT, at=now()),
        lambda: commands.send_test(ref=endpoint.ref, actor=AGENT, at=now()),
        lambda: queries.endpoints(actor=AGENT),
        lambda: queries.secret_of(endpoint.ref, actor=AGENT),
        lambda: queries.deliveries(endpoint.ref, actor=AGENT),
    ]
    for call in calls:
        with pytest.raises(errors.Forbidden):
            call()
