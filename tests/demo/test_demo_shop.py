"""The demo shop: loaded once, through real commands, with every state a newcomer should see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password

from makegood.accounts import environment
from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import history, proof
from makegood.cases.commands.approving import OwnDecision
from makegood.cases.commands.asking import Asked, QuantityTooLarge
from makegood.cases.commands.goods import Inspected
from makegood.cases.models import Case, Deadline, Evidence
from makegood.cases.states import GoodsState, Kind, MoneyState, Party, State
from makegood.demo import load
from makegood.demo.gateway import DemoGateway
from makegood.demo.load import SLUG, DemoSummary, load_demo
from makegood.demo.people import STAFF
from makegood.demo.photos import photo
from makegood.demo.stage import Stage
from makegood.kit import db, files, tenancy
from makegood.ledger import queries as ledger
from makegood.orders.models import Order
from makegood.orders.queries import order_by_number
from makegood.settlement import commands as payments
from makegood.settlement import queries as settlement
from makegood.settlement.models import Payout

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
# Of this process; how long it takes on the wall follows from what else the machine has to do.
CPU_SECONDS = 15
# Nobody waits for a gateway by name: what it owes is a payout, and the merchant answers for it.
PARTIES = set(Party.values) - {Party.GATEWAY}


def rename(slug: str, name: str) -> bool:
    """Call the merchant of this slug otherwise; whether there was one. Other tests look at a demo shop as well."""
    try:
        merchant_id = accounts.merchant_id_by_slug(slug)
    except accounts.MerchantUnknown:
        return False
    with tenancy.acting_for(merchant_id), db.atomically():
        db.execute("update accounts_merchant set slug = %s where id = %s", [name, merchant_id])
    return True


@pytest.fixture(scope="module", autouse=True)
def shop(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSummary]:
    """The demo, loaded once for all tests here, in sight for each."""
    before = settings.UPLOADS_DIR
    settings.UPLOADS_DIR = tmp_path_factory.mktemp("uploads")
    environment.adopt_database(at=AT)
    earlier = rename(SLUG, "demo-of-other-tests")
    with DemoGateway(tmp_path_factory.mktemp("gateway")) as gateway:
        started = time.process_time()
        summary = load_demo(at=AT, base_url="http://127.0.0.1:8000", gateway=gateway)
        assert time.process_time() - started < CPU_SECONDS
        with tenancy.acting_for(accounts.merchant_id_by_slug(SLUG)):
            yield summary
    rename(SLUG, "demo-of-these-tests")
    if earlier:
        rename("demo-of-other-tests", SLUG)
    settings.UPLOADS_DIR = before


def rows() -> tuple[int, int, int]:
    counted = db.fetch_one(
        "select (select count(*) from cases_caseevent) as events, (select count(*) from orders_order) as orders,"
        " (select count(*) from accounts_staff) as staff"
    )
    assert counted is not None
    return counted["events"], counted["orders"], counted["staff"]


def test_loading_twice_is_loading_once(shop: DemoSummary) -> None:
    with db.atomically():
        before = rows()

    again = load_demo(at=AT, base_url="http://127.0.0.1:8000")

    with db.atomically():
        assert rows() == before
    assert (shop.loaded, again.loaded) == (True, False)
    assert again.sign_ins == shop.sign_ins


def test_a_load_that_was_cut_off_is_begun_again_beside_it(shop: DemoSummary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SLUG", "cut-off")
    monkeypatch.setattr(load, "STORIES", ())
    with monkeypatch.context() as broken, tenancy.acting_for_nobody():
        broken.setattr(Stage, "play", _fail)
        with pytest.raises(RuntimeError):
            load_demo(at=AT, base_url="http://127.0.0.1:8000")

    with tenancy.acting_for_nobody():
        second = load_demo(at=AT, base_url="http://127.0.0.1:8000")
        third = load_demo(at=AT, base_url="http://127.0.0.1:8000")

    assert (second.merchant_slug, second.loaded) == ("cut-off-2", True)
    assert (third.merchant_slug, third.loaded) == ("cut-off-2", False)


def _fail(*_: object) -> None:
    raise RuntimeError("the power went")


def test_the_printed_order_is_one_that_waits_for_its_customer(shop: DemoSummary) -> None:
    with db.atomically():
        assert Case.objects.filter(order__number=shop.order_number, waiting_on=Party.CUSTOMER).exists()
        [row] = db.fetch(
            "select c.value from customers_contact c join orders_order o on o.customer_id = c.customer_id"
            " where o.number = %s and c.kind = 'email'",
            [shop.order_number],
        )
    assert row["value"] == shop.order_email


def test_ledger_and_histories_hold() -> None:
    assert ledger.faults() == []
    assert history.breaks() == []
    assert proof.faults() == []
    assert settlement.faults(at=AT) == []


def test_there_are_enough_orders_and_cases_in_four_currencies() -> None:
    with db.atomically():
        assert Order.objects.count() >= 40
        assert Case.objects.count() >= 25
        assert set(Order.objects.values_list("currency", flat=True)) == {"CNY", "EUR", "JPY", "KWD"}
        assert {"own-store", "wechat-store"} <= set(Order.objects.values_list("platform", flat=True))
        assert {"distance", "store"} == set(Order.objects.values_list("channel", flat=True))


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        ("kind", set(Kind.values)),
        ("state", set(State.values)),
        ("goods_state", set(GoodsState.values)),
        ("money_state", set(MoneyState.values)),
        ("waiting_on", PARTIES),
        ("language", {"zh-hans", "en"}),
        ("channel", {"portal", "chat", "mail", "desk"}),
    ],
)
def test_every_value_of_every_axis_can_be_seen(column: str, wanted: set[str]) -> None:
    with db.atomically():
        assert wanted <= set(Case.objects.values_list(column, flat=True))


def test_something_is_overdue_something_provisional_and_something_waits_for_a_second_person() -> None:
    with db.atomically():
        assert Case.objects.filter(escalated=True, due_at__lt=AT, closed_at__isnull=True).exists()
        assert not Deadline.objects.filter(state="open", due_at__lte=AT).exists()
        assert Deadline.objects.filter(provisional=True, state="open").exists()
        assert Case.objects.filter(state=State.PLANNED, marks__has_key="approved_first").exists()


@pytest.mark.parametrize(
    "event",
    [
        "recall_intercepted", "recall_missed", "goods_lost", "goods_rejected", "appeal_decided", "escalated",
        "items_changed", "address_changed", "evidence_asked", "lapsed", "deadline_passed", "note_written",
    ],
)  # fmt: skip
def test_the_story_has(event: str) -> None:
    with db.atomically():
        assert Case.objects.filter(marks__has_key=event).exists()


def test_pictures_are_kept_and_can_be_opened() -> None:
    owner = str(tenancy.require_merchant_id())
    with db.atomically():
        brought = list(Evidence.objects.all())
    assert len(brought) >= 5
    for one in brought:
        with files.open_stored(uploads=settings.UPLOADS_DIR, owner=owner, sha256=one.sha256) as picture:
            assert picture.read(2) == b"\xff\xd8"


def test_pictures_are_the_same_every_time() -> None:
    assert photo("cracked:teapot") == photo("cracked:teapot")
    assert photo("cracked:teapot") != photo("cracked:lamp")


def test_everybody_printed_can_sign_in(shop: DemoSummary) -> None:
    hashes = {one.email: one.password for one in accounts.staff_list()}
    assert {one.role for one in shop.sign_ins} == {"agent", "reviewer", "manager", "owner"}
    for one in shop.sign_ins:
        assert check_password(one.password, hashes[one.email])
        assert any(one.email in line and one.password in line for line in shop.lines())


def test_nobody_in_it_can_be_reached() -> None:
    """Names are made up; addresses end in domains that are reserved for examples."""
    with db.atomically():
        addresses = [row["value"] for row in db.fetch("select value from customers_contact where kind = 'email'")]
    assert addresses
    assert all(address.endswith("@example.com") for address in addresses)
    assert all(one.email.endswith(".example") for one in STAFF)


def test_the_story_is_told_before_the_present(shop: DemoSummary) -> None:
    with db.atomically():
        [late] = db.fetch("select count(*) as n from cases_caseevent where happened_at > %s", [AT])
    assert late["n"] == 0


def test_the_tutorial_can_be_followed_to_its_end(shop: DemoSummary) -> None:
    """docs/tutorial/first-case.md, step by step, at the commands its buttons call."""
    order = order_by_number(shop.order_number)
    customer = Actor.customer(order.customer.id)
    staff = {one.role: accounts.actor_of_staff(one) for one in accounts.staff_list()}

    case = cases.file_case(
        kind="return", reason="changed_mind", request_key="tutorial", actor=customer, at=AT,
        order_number=order.number, asked=[Asked("2", 2)],
    )  # fmt: skip
    ref = case.ref
    cases.decide_case(ref=ref, actor=staff["agent"], at=AT)
    assert cases.preview_case(ref=ref, actor=staff["agent"], at=AT).postings
    case = cases.approve_case(ref=ref, actor=staff["agent"], at=AT)
    assert case.money_state == MoneyState.HELD
    cases.ship_back(ref=ref, tracking="R-1", carrier="SF", actor=customer, at=AT)
    cases.receive_goods(ref=ref, actor=staff["agent"], at=AT)
    case = cases.inspect_goods(ref=ref, found=[Inspected("2", 2)], actor=staff["agent"], at=AT)
    assert case.money_state == MoneyState.PROMISED
    payments.pay_out(case_id=case.id, at=AT)
    with db.atomically():
        [payout] = Payout.objects.filter(case_id=case.id)
    payments.confirm_payout(ref=payout.ref, reference="any", actor=staff["manager"], at=AT)

    with db.atomically():
        case = Case.objects.get(ref=ref)
    # The freight was kept, which may be appealed against: the case stays open so long.
    assert (case.money_state, payout.amount_minor, case.closed_at) == (MoneyState.PAID, 198_00, None)
    with pytest.raises(QuantityTooLarge):
        cases.file_case(
            kind="return", reason="changed_mind", request_key="again", actor=customer, at=AT,
            order_number=order.number, asked=[Asked("2", 1)],
        )  # fmt: skip


def test_the_chairs_of_the_tutorial_need_a_second_person() -> None:
    with db.atomically():
        case = Case.objects.get(marks__has_key="approved_first")
        reviewer = next(accounts.actor_of_staff(one) for one in accounts.staff_list() if one.role == "reviewer")
    assert (case.kind, case.reason) == (Kind.CLAIM, "not_received")
    with pytest.raises(OwnDecision):
        cases.approve_case(ref=case.ref, actor=reviewer, at=AT)
