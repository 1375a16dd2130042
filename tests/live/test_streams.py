"""What happened reaches every open page once, whoever commits when, over whichever process, and nobody else's."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from django.db import connections

from makegood.accounts import sittings
from makegood.accounts.sittings import sittings_of
from makegood.cases import commands as cases
from makegood.kit import db, live, tenancy
from tests.conftest import open_merchant
from tests.desk.working import Member
from tests.live.serving import Reader, cookies, until, web
from tests.portal.visiting import Visitor
from tests.shop import AGENT, NOON, ask, sell


@pytest.fixture(scope="module")
def sites(database: None) -> Iterator[tuple[str, str]]:
    """Two web servers over one database."""
    with web() as first, web() as second:
        yield first, second


def desk(member: Member, site: str) -> str:
    return f"{site}{member.base}/live"


def tell(n: int, *, channel: str = "desk:test", pause: float = 0.0) -> None:
    with db.atomically():
        live.tell(channel, "counted", n=n)
        if pause:
            db.fetch("select pg_sleep(%s)", [pause])


def test_what_was_numbered_first_and_committed_last_is_heard_too(merchant: int, sites: tuple[str, str]) -> None:
    member = Member()
    reader = Reader(desk(member, sites[0]), member.client).connect()
    place = connections["default"].settings_dict
    with psycopg.connect(host=place["HOST"], dbname=place["NAME"], user=place["USER"]) as slow:
        slow.execute("select set_config('makegood.merchant', %s, true)", [str(merchant)])
        slow.execute("select makegood_tell('desk:test', 'counted', '{\"n\": 1}')")
        tell(2)
        until(lambda: reader.numbers() == [2], "the second was not heard")
        reader.cut()
        reader.connect(desk(member, sites[1]))
        slow.commit()
    until(lambda: reader.numbers() == [2, 1], "the first was lost")
    reader.cut()
    tell(3)
    reader.connect()
    until(lambda: reader.numbers() == [2, 1, 3], "not once each")


def test_nothing_is_lost_or_said_twice_while_the_network_breaks(merchant: int, sites: tuple[str, str]) -> None:
    member = Member()
    reader = Reader(desk(member, sites[0]), member.client).connect()
    dice = random.Random(5)  # noqa: S311 - no secret

    def write(first: int) -> None:
        with tenancy.acting_for(merchant):
            for n in range(first, first + 25):
                tell(n, pause=dice.random() * 0.03)
        connections.close_all()

    writers = [threading.Thread(target=write, args=(100 * k,)) for k in range(4)]
    for one in writers:
        one.start()
    while any(one.is_alive() for one in writers):
        time.sleep(dice.random() * 0.2)  # how long a connection lives is the point; what arrived is waited for below
        reader.cut()
        reader.connect(desk(member, dice.choice(sites)))
    wanted = sorted(n for k in range(4) for n in range(100 * k, 100 * k + 25))
    until(lambda: len(reader.numbers()) >= len(wanted), "some were lost")
    assert sorted(reader.numbers()) == wanted
    reader.cut()


def test_two_merchants_never_hear_each_other(merchant: int, sites: tuple[str, str]) -> None:
    mine = Member()
    other = open_merchant()
    with tenancy.acting_for(other):
        theirs = Member()
    ours, others = (Reader(desk(one, sites[0]), one.client).connect() for one in (mine, theirs))
    with tenancy.acting_for(other):
        tell(1)
    tell(2)
    until(lambda: ours.numbers() and others.numbers(), "not told")
    assert (ours.numbers(), others.numbers()) == ([2], [1])
    # Nor by asking for another's address with one's own session.
    answer = httpx.get(desk(theirs, sites[0]), cookies=cookies(mine.client), follow_redirects=False)
    assert answer.status_code == 302
    ours.cut()
    others.cut()


def test_a_customer_hears_of_the_own_case_only(merchant: int, sites: tuple[str, str]) -> None:
    order, other = sell(), sell()
    case, stranger = ask(order, "return", "changed_mind"), ask(other, "return", "changed_mind")
    visitor = Visitor()
    visitor.prove(order)
    reader = Reader(f"{sites[0]}{visitor.base}/cases/{case.ref}/live", visitor.client).connect()
    with db.atomically():
        live.tell(f"desk:presence:{case.ref}", "counted", n=1)
    cases.add_message(ref=stranger.ref, body="not yours", actor=AGENT, at=NOON)
    cases.add_message(ref=case.ref, body="yours", actor=AGENT, at=NOON)
    until(lambda: reader.told, "not told")
    assert [(one["channel"], one["kind"]) for one in reader.told] == [(f"case:{case.ref}", "changed")]
    reader.cut()
    hidden = httpx.get(f"{sites[0]}{visitor.base}/cases/{stranger.ref}/live", cookies=cookies(visitor.client))
    assert hidden.status_code == 404


def test_a_stream_ends_with_its_sign_in(merchant: int, sites: tuple[str, str]) -> None:
    member = Member()
    reader = Reader(desk(member, sites[0]), member.client).connect()
    [sitting] = sittings_of(member.staff.id, at=NOON)
    sittings.end_sitting(sitting_id=sitting.id, staff_id=member.staff.id, actor=member.actor, at=NOON)
    until(lambda: reader.ended, "the stream went on", seconds=3)
    assert httpx.get(reader.url, cookies=reader.jar).status_code == 302


def test_who_comes_from_too_long_ago_or_from_another_database_begins_anew(
    merchant: int, sites: tuple[str, str]
) -> None:
    member = Member()
    for since in ("1-3:3:", "99999999999-3:3:", "nonsense", "1795533743-9000000000000000000:9000000000000000000:"):
        reader = Reader(desk(member, sites[0]), member.client, since=since).connect()
        assert [one["kind"] for one in reader.told] == ["reset"], since
        reader.cut()
        reader.connect()
        assert [one["kind"] for one in reader.told] == ["reset"]
        reader.cut()


def test_without_the_front_the_same_address_answers_what_happened_meanwhile(merchant: int) -> None:
    member = Member()
    first = member.get("/live").content.decode()
    place = first.split("id: ")[1].split("\n")[0]
    tell(7)
    again = member.get("/live", headers={"Last-Event-ID": place}).content.decode()
    assert '"n":7' in again
    place = again.split("id: ")[1].split("\n")[0]
    assert "data:" not in member.get("/live", headers={"Last-Event-ID": place}).content.decode()


def test_rows_are_walled_and_forgotten(merchant: int) -> None:
    tell(1)
    with tenancy.acting_for(open_merchant()), db.atomically():
        assert db.fetch("select 1 from kit_liveevent where merchant_id = %s", [merchant]) == []
    with db.atomically():
        db.execute("update kit_liveevent set at = now() - interval '3 hours'")
    assert live.forget_told() >= 1


def test_what_is_taken_back_is_not_told(merchant: int, sites: tuple[str, str]) -> None:
    member = Member()
    reader = Reader(desk(member, sites[0]), member.client).connect()
    with db.rehearsal():
        live.tell("desk:test", "counted", n=1)
    tell(2)
    until(reader.numbers, "not told")
    assert reader.numbers() == [2]
    reader.cut()


def test_a_long_body_and_a_strange_address_come_through(merchant: int, sites: tuple[str, str]) -> None:
    long = httpx.post(
        f"{sites[0]}/api/v1/cases", content=b"{" + b" " * 1_500_000, headers={"Content-Type": "application/json"}
    )
    assert long.headers["content-type"].startswith("application/problem+json")
    assert httpx.post(f"{sites[0]}/api/v1/cases", content=b" " * 2_500_000).status_code == 413
    assert httpx.get(f"{sites[0]}/desk/%E5%BA%97%2F/").status_code == 404
    head = httpx.head(f"{sites[0]}/static/pages/components.css")
    body = httpx.get(f"{sites[0]}/static/pages/components.css")
    assert int(head.headers["content-length"]) == len(body.content) > 1000
