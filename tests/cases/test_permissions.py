"""Who may do what: every role and party against every command, on cases of one's own and of others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest

from makegood.accounts.actors import Actor
from makegood.accounts.states import ALLOWED, May
from makegood.cases import commands as cases
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.cases.history import CaseUnknown
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.kit import db, errors, tenancy
from tests.cases import acts
from tests.cases.acts import bring, refused
from tests.conftest import open_merchant
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
LATER = NOON + timedelta(hours=1)
SECOND, THIRD = Actor.staff(8, "Qi", "reviewer"), Actor.staff(9, "Bo", "reviewer")

Command = Callable[[str, Actor], object]
# Every command on a case by its reference, and what staff need for it; "" is what a customer may do on their own.
COMMANDS: dict[str, tuple[str, Command]] = {
    "withdraw": ("", lambda ref, by: cases.withdraw_case(ref=ref, actor=by, at=LATER)),
    "reopen": ("", lambda ref, by: cases.reopen_case(ref=ref, actor=by, at=LATER)),
    "message": ("", lambda ref, by: cases.add_message(ref=ref, body="?", actor=by, at=LATER)),
    "evidence": (
        "",
        lambda ref, by: cases.add_evidence(ref=ref, kind="photo", file=acts.a_file(), actor=by, at=LATER),
    ),
    "appeal": ("", lambda ref, by: cases.file_appeal(ref=ref, grounds="", actor=by, at=LATER)),
    "ship_back": ("", lambda ref, by: cases.ship_back(ref=ref, tracking="R", carrier="SF", actor=by, at=LATER)),
    "note": (May.HANDLE, lambda ref, by: cases.add_message(ref=ref, body="?", actor=by, at=LATER, internal=True)),
    "find": (
        May.HANDLE,
        lambda ref, by: cases.record_finding(
            ref=ref, fact="findings.fault", value="seller", how="seen", actor=by, at=LATER
        ),
    ),
    "assign": (May.HANDLE, lambda ref, by: cases.assign_case(ref=ref, staff_id=1, actor=by, at=LATER)),
    "decide": (May.HANDLE, lambda ref, by: cases.decide_case(ref=ref, actor=by, at=LATER)),
    "deny": (May.HANDLE, lambda ref, by: cases.deny_case(ref=ref, actor=by, at=LATER)),
    "receive": (May.HANDLE, lambda ref, by: cases.receive_goods(ref=ref, actor=by, at=LATER)),
    "inspect": (
        May.HANDLE,
        lambda ref, by: cases.inspect_goods(ref=ref, found=[Inspected("1", 1)], actor=by, at=LATER),
    ),
    "authorise_again": (May.HANDLE, lambda ref, by: cases.authorise_again(ref=ref, actor=by, at=LATER)),
    "preview": (May.READ, lambda ref, by: cases.preview_case(ref=ref, actor=by, at=LATER)),
    "approve": (May.APPROVE, lambda ref, by: cases.approve_case(ref=ref, actor=by, at=LATER)),
    "by_hand": (
        May.REVIEW,
        lambda ref, by: cases.decide_by_hand(ref=ref, verdict="deny", remedies=[], why="", actor=by, at=LATER),
    ),
    "review": (May.REVIEW, lambda ref, by: cases.review_appeal(ref=ref, outcome="upheld", why="", actor=by, at=LATER)),
}
STAFF = {role: Actor.staff(20 + i, role, role) for i, role in enumerate(ALLOWED)}
PARTIES = {"carrier": Actor("carrier", label="events"), "gateway": Actor("gateway", label="stripe")}


def answer(command: str, ref: str, by: Actor) -> tuple[str, str, str]:
    """What somebody is told, without the reference they themselves named."""
    try:
        COMMANDS[command][1](ref, by)
    except errors.DomainError as refusal:
        return (refusal.code, str(refusal).replace(ref, "…"), refusal.field)
    return ("", "", "")


@pytest.mark.parametrize(("who", "command"), list(itertools.product([*STAFF, *PARTIES], COMMANDS)))
def test_a_command_is_refused_exactly_where_its_permission_is_missing(who: str, command: str) -> None:
    case = ask(sell(), "return", "changed_mind")
    by = {**STAFF, **PARTIES}[who]
    needed = COMMANDS[command][0]
    before = acts.state_of()

    code = answer(command, case.ref, by)[0]

    if needed and not by.may(May(needed)):
        assert code == "not_allowed"
        assert acts.state_of() == before
    else:
        assert code != "not_allowed"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_customer_acts_on_a_case_of_their_own_only_as_far_as_it_is_theirs_to_act(command: str) -> None:
    case = ask(sell(), "return", "changed_mind")

    code = answer(command, case.ref, Actor.customer(case.customer_id))[0]

    assert (code == "not_allowed") == bool(COMMANDS[command][0])


@pytest.mark.parametrize("command", COMMANDS)
def test_another_customers_case_is_answered_like_one_that_does_not_exist(command: str) -> None:
    case = ask(sell(), "return", "changed_mind")
    stranger = Actor.customer(sell().customer.id)
    before = acts.state_of()

    told = answer(command, case.ref, stranger)

    assert told == answer(command, "C-NOSUCH", stranger)
    assert told[0] in {"case_unknown", "not_allowed"}
    assert acts.state_of() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_another_merchants_case_is_answered_like_one_that_does_not_exist(command: str) -> None:
    case = ask(sell(), "return", "changed_mind")
    before = acts.state_of()

    with tenancy.acting_for(open_merchant()):
        for by in (OWNER, Actor.customer(case.customer_id)):
            told = answer(command, case.ref, by)
            assert told == answer(command, "C-NOSUCH", by)
            assert told[0] in {"case_unknown", "not_allowed"}
        with pytest.raises(CaseUnknown):
            case_view(case.ref)

    assert acts.state_of() == before


def test_another_customers_order_is_answered_like_one_that_does_not_exist() -> None:
    order, stranger = sell(), Actor.customer(sell().customer.id)

    assert refused(lambda: ask(order, "return", "changed_mind", actor=stranger)) == "order_unknown"
    gateway = PARTIES["gateway"]
    assert refused(lambda: ask(order, "return", "changed_mind", actor=gateway)) == "not_allowed"


# --- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "most"), [("agent", 500), ("reviewer", 5_000), ("manager", 50_000)])
def test_a_role_approves_up_to_its_limit_and_not_a_cent_more(role: str, most: int) -> None:
    acts.settings(approval_limits={role: {"CNY": most}})

    def approve(case: Case) -> str:
        return refused(lambda: cases.approve_case(ref=case.ref, actor=STAFF[role], at=NOON))

    assert approve(_return_of(most)) == ""
    assert approve(_return_of(most + 1)) == "above_limit"


def _return_of(minor: int) -> Case:
    case = ask(sell(Bought(1, minor)), "return", "changed_mind")
    return cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)


def test_a_limit_in_another_currency_allows_nothing() -> None:
    acts.settings(approval_limits={"agent": {"JPY": 10**9}})

    case = _return_of(100)

    assert refused(lambda: cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)) == "above_limit"


def test_above_the_limit_for_one_two_different_people_approve() -> None:
    acts.settings(two_people_above={"CNY": 9_999})
    case = _return_of(10_000)

    first = cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)
    assert first.state == "planned"
    assert refused(lambda: cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)) == "own_decision"
    second = cases.approve_case(ref=case.ref, actor=MANAGER, at=NOON)
    assert second.state == "approved"
    decision = case_view(case.ref).decisions[-1]
    assert (decision.approved_by, decision.second_by) == (AGENT.key, MANAGER.key)


def test_a_new_decision_needs_both_approvals_anew() -> None:
    acts.settings(two_people_above={"CNY": 1})
    case = _return_of(10_000)
    cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)

    cases.decide_case(ref=case.ref, actor=REVIEWER, at=NOON)

    assert cases.approve_case(ref=case.ref, actor=MANAGER, at=NOON).state == "planned"


def test_nobody_approves_a_decision_they_made_by_hand() -> None:
    case = ask(sell(), "return", "changed_mind")
    remedies = [HandRemedy("refund", amount="1.00", line="1")]
    cases.decide_by_hand(ref=case.ref, verdict="grant", remedies=remedies, why="so", actor=REVIEWER, at=NOON)

    assert refused(lambda: cases.approve_case(ref=case.ref, actor=REVIEWER, at=NOON)) == "own_decision"
    assert refused(lambda: cases.approve_case(ref=case.ref, actor=MANAGER, at=NOON)) == ""


# --- appeals ----------------------------------------------------------------------------------------------------


def denied() -> Case:
    case = ask(sell(at=NOON - timedelta(days=400)), "return", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    return cases.deny_case(ref=case.ref, actor=MANAGER, at=NOON)


def appeal(case: Case, hours: int = 1) -> Case:
    at = NOON + timedelta(hours=hours)
    bring(case, at=at)
    return cases.file_appeal(ref=case.ref, grounds="", actor=Actor.customer(case.customer_id), at=at)


def review(case: Case, by: Actor, outcome: str = "upheld", hours: int = 1) -> str:
    remedies = [HandRemedy("refund", amount="1.00", line="1")] if outcome != "upheld" else []
    at = NOON + timedelta(hours=hours, minutes=30)
    return refused(
        lambda: cases.review_appeal(ref=case.ref, outcome=outcome, why="", actor=by, at=at, remedies=remedies)
    )


def test_whoever_took_part_in_any_round_reviews_none() -> None:
    acts.settings(appeal_rounds_max=2)
    case = appeal(denied())
    assert review(case, Actor.staff(AGENT.id or 0, "An", "reviewer")) == "reviewer_decided"  # decided, promoted since
    assert review(case, MANAGER) == "reviewer_decided"  # denied it
    assert review(case, REVIEWER) == ""

    appeal(case, hours=2)
    assert review(case, REVIEWER, hours=2) == "reviewer_decided"  # reviewed round one
    assert review(case, MANAGER, hours=2) == "reviewer_decided"
    assert review(case, SECOND, "partly", hours=2) == ""


def test_above_the_two_person_limit_a_second_reviewer_must_agree_to_the_same_grant() -> None:
    acts.settings(two_people_above={"CNY": 50})
    case = appeal(denied())
    ref, at = case.ref, NOON + timedelta(hours=2)

    def grant(by: Actor, amount: str = "") -> Case:
        remedies = [HandRemedy("refund", amount=amount, line="1")] if amount else []
        return cases.review_appeal(ref=ref, outcome="partly", why="", remedies=remedies, actor=by, at=at)

    case = grant(REVIEWER, "1.00")
    assert case.state == "appealed"
    assert case_view(case.ref).decisions[-1].verdict == "deny"  # nothing is promised, nothing replaced
    assert case_view(case.ref).appeals[0].proposed["by"] == REVIEWER.key
    assert refused(lambda: grant(REVIEWER, "1.00")) == "own_decision"
    assert refused(lambda: grant(MANAGER)) == "reviewer_decided"  # denied it

    assert grant(SECOND, "2.00").state == "appealed"  # another grant waits anew
    case = grant(REVIEWER)

    assert case.state == "approved"
    decision = case_view(case.ref).decisions[-1]
    assert (decision.approved_by, decision.second_by) == (SECOND.key, REVIEWER.key)
    assert [remedy.amount_minor for remedy in decision.remedies] == [200]
    assert "appeal_reviewed_first" in [event.kind for event in case_view(case.ref).events]


def test_staff_who_filed_the_appeal_for_the_customer_do_not_review_it() -> None:
    case = denied()
    bring(case, at=LATER)
    cases.file_appeal(ref=case.ref, grounds="", actor=SECOND, at=LATER)

    assert review(case, SECOND) == "reviewer_decided"


def test_silence_never_judges_an_appeal() -> None:
    case = appeal(denied())

    assert review(case, Actor.system("clock")) == "not_allowed"


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_appeals_end_after_the_rounds_the_merchant_settled(rounds: int) -> None:
    acts.settings(appeal_rounds_max=rounds)
    case = denied()
    for n, reviewer in zip(range(rounds), (REVIEWER, SECOND, THIRD), strict=False):
        appeal(case, hours=n + 1)
        assert review(case, reviewer, hours=n + 1) == ""

    assert refused(lambda: appeal(case, hours=9)) == "appeal_not_open"
    with db.atomically():
        assert Case.objects.get(id=case.id).closed_at is not None


def test_an_appeal_needs_something_new() -> None:
    case = denied()

    def file() -> Case:
        return cases.file_appeal(ref=case.ref, grounds="!", actor=AGENT, at=LATER)

    assert refused(file) == "new_evidence_needed"
    bring(case, at=LATER, by=AGENT)  # the merchant's own file is not the customer's
    assert refused(file) == "new_evidence_needed"
    bring(case, at=LATER)
    assert refused(file) == ""


def test_evidence_from_before_the_decision_is_nothing_new() -> None:
    case = ask(sell(at=NOON - timedelta(days=400)), "return", "changed_mind")
    bring(case, at=NOON - timedelta(hours=1), name="old.jpg")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    cases.deny_case(ref=case.ref, actor=AGENT, at=NOON)
    bring(case, at=LATER, name="old.jpg")  # the same file again

    assert refused(lambda: cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=LATER)) == "new_evidence_needed"


def test_an_appeal_after_its_window_is_refused_even_before_the_sweep_has_come_by() -> None:
    case = denied()
    late = NOON + timedelta(days=31)
    bring(case, at=late)

    assert refused(lambda: cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=late)) == "appeal_not_open"


def test_what_was_granted_whole_cannot_be_appealed() -> None:
    case = settle(ask(sell(), "return", "changed_mind"))
    bring(case, at=LATER)

    assert refused(lambda: cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=LATER)) == "appeal_not_open"


def test_a_reviewer_grants_no_more_than_their_limit() -> None:
    acts.settings(approval_limits={"agent": {"CNY": 10_000}, "reviewer": {"CNY": 99}, "manager": {"CNY": 10**6}})
    case = appeal(denied())

    assert review(case, REVIEWER, "granted") == "above_limit"
    with db.atomically():
        assert Case.objects.get(id=case.id).state == "appealed"
