"""The reviewer's bench: appeals one may decide and no others, both sides, and a verdict that never gets worse."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from makegood.cases.models import Case
from makegood.cases.queries import case_view
from tests.desk.working import Member
from tests.portal.test_ask import photo
from tests.portal.visiting import Visitor, page
from tests.shop import Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Any, settings: Any) -> None:
    settings.UPLOADS_DIR = tmp_path


def appealed(decider: Member) -> Case:
    at = timezone.now()
    order = sell(at=at.replace(year=at.year - 1))
    case = ask(order, "return", "changed_mind", at=at)
    decider.do(case.ref, "decide")
    decider.do(case.ref, "deny", why="Too late, sorry.")
    visitor = Visitor()
    visitor.prove(order)
    visitor.post(f"/cases/{case.ref}/do/appeal", {"body": "I have a new photo", "kind": "photo", "files": [photo()]})
    assert case_view(case.ref).state == "appealed"
    return case


def test_the_bench_shows_appeals_of_others_only() -> None:
    decider, reviewer = Member("reviewer"), Member("reviewer")
    case = appealed(decider)

    assert case.ref in page(reviewer.get("/reviews"))
    assert case.ref not in page(decider.get("/reviews"))
    page(Member("agent").get("/reviews"), 403)
    shown = page(decider.get(f"/reviews/{case.ref}"))
    assert "A reviewer who took no part" in shown
    assert "Decide the appeal" not in shown
    page(decider.do(case.ref, "review", outcome="upheld", why="still no"), 403)


def test_both_sides_and_what_is_new_stand_beside_the_trace() -> None:
    decider, reviewer = Member("reviewer"), Member("reviewer")
    case = appealed(decider)
    decider.post(f"/cases/{case.ref}/do/bring", {"kind": "report", "files": [photo()]})

    shown = page(reviewer.get(f"/reviews/{case.ref}"))

    for words in (
        "I have a new photo", "Files brought since the decision was told", "The customer's side",
        "The merchant's side", "Every rule that was tried", "Decide the appeal", "Too late, sorry.",
    ):  # fmt: skip
        assert words in shown.replace("&#x27;", "'"), words
    sent = reviewer.do(case.ref, "review", outcome="upheld", why="It stays.", then="reviews")
    assert sent.headers["Location"].endswith("/reviews")
    assert case_view(case.ref).state == "denied"


def test_a_grant_in_part_is_promised_and_beyond_outcomes_nothing_can_be_said() -> None:
    case, reviewer = appealed(Member("reviewer")), Member("reviewer")
    rows = {"kind-0": "refund", "line-0": "1", "amount-0": "50.00", "quantity-0": "1"}

    page(reviewer.do(case.ref, "review", outcome="worse", why="no"), 422)
    page(reviewer.do(case.ref, "review", outcome="partly", why="no remedy named"), 422)
    assert case_view(case.ref).state == "appealed"
    reviewer.do(case.ref, "review", outcome="partly", why="Half of it.", **rows)

    found = case_view(case.ref)
    assert found.state == "approved"
    assert [(one.kind, one.amount_minor) for one in found.decisions[-1].remedies] == [("refund", 5_000)]


def test_two_files_are_looked_at_side_by_side_and_only_those_of_the_case() -> None:
    decider = Member("reviewer")
    case = appealed(decider)
    [file] = case_view(case.ref).evidence

    shown = page(decider.get(f"/cases/{case.ref}/evidence?left={file.id}&right={file.id}"))
    assert shown.count('class="pane"') == 2
    assert page(decider.get(f"/cases/{case.ref}/evidence?left=999999&right=x")).count('class="pane"') == 1
    picture = decider.get(f"/cases/{case.ref}/files/{file.id}/large")
    assert picture.headers["Content-Type"] == "image/webp"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    other = appealed(decider)
    assert decider.get(f"/cases/{other.ref}/files/{file.id}/large").status_code == 404


def test_the_case_page_says_what_was_refunded_and_what_is_left() -> None:
    at = timezone.now()
    order = sell(Bought(2, 20_000), at=at)
    settle(ask(order, "return", "changed_mind", ("1", 1), at=at), at=at)
    second = ask(order, "return", "changed_mind", ("1", 1), at=at)
    member = Member()

    shown = page(member.get(f"/cases/{second.ref}"))
    for words in ("Refunded so far", "Promised, not yet paid", "Left to refund", "Other cases of this customer"):
        assert words in shown
