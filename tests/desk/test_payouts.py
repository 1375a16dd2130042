"""What a person does at the desk about a payout that cannot go on by itself."""

from __future__ import annotations

import pytest
from django.utils import timezone

from makegood.accounts import environment
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.settlement import jobs
from makegood.settlement.queries import payouts_of_case
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.fixture(autouse=True)
def _installation(database: None) -> None:
    environment.adopt_database(at=timezone.now())
    environment.release_payouts()


def waiting() -> tuple[Case, str]:
    """A refund to be paid by hand, and its payout's reference."""
    case = settle(ask(sell(Bought(1, 5_000), position="not_shipped"), "cancellation", "changed_mind"))
    jobs.pay_out(case_id=case.id)
    [payout] = payouts_of_case(case.ref)
    assert (payout.gateway, payout.state) == ("manual", "accepted")
    return case, payout.ref


def states(case: Case) -> list[tuple[str, str]]:
    return [(one.gateway, one.state) for one in payouts_of_case(case.ref)]


def test_a_payout_is_paid_another_way_from_the_page() -> None:
    case, ref = waiting()
    member = Member("manager")
    shown = page(member.get("/payouts"))
    assert "as store credit of the customer" in shown

    page(member.post("/payouts", {"do": "otherwise", "payout": ref, "gateway": "pigeon"}), 422)
    assert states(case) == [("manual", "accepted")]
    assert member.post("/payouts", {"do": "otherwise", "payout": ref, "gateway": "store_credit"}).status_code == 302

    assert states(case) == [("manual", "void"), ("store_credit", "confirmed")]
    assert case_view(case.ref).money_state == "paid"
    assert "pays it instead" in page(member.get("/payouts"))


def test_a_payout_is_given_up_from_the_page_for_a_reason_that_is_true() -> None:
    case, ref = waiting()
    member = Member("manager")

    page(member.post("/payouts", {"do": "give_up", "payout": ref, "because": "charged_back"}), 422)
    assert member.post("/payouts", {"do": "give_up", "payout": ref, "because": "renounced"}).status_code == 302

    assert states(case) == [("manual", "void")]
    assert case_view(case.ref).money_state == "none"


def test_an_agent_sees_the_payouts_and_moves_none() -> None:
    case, ref = waiting()
    member = Member("agent")
    assert ref in page(member.get("/payouts"))
    assert "It cannot be paid like this" not in page(member.get("/payouts"))

    page(member.post("/payouts", {"do": "give_up", "payout": ref, "because": "renounced"}), 403)
    page(member.post("/payouts", {"do": "otherwise", "payout": ref, "gateway": "store_credit"}), 403)

    assert states(case) == [("manual", "accepted")]
