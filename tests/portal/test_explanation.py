"""The explanation of a decision: on the case page, as a page of its own, on paper; and its receipt."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pypdf import PdfReader

from makegood.accounts.states import Role
from makegood.cases.models import Case
from makegood.kit import paper
from makegood.orders.queries import OrderView
from makegood.policy.receipt import check
from tests.desk.working import Member
from tests.portal.visiting import Visitor, page
from tests.shop import Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path) -> Any:
    with override_settings(DATA_DIR=tmp_path):
        yield


@pytest.fixture
def decided() -> tuple[OrderView, Case]:
    """Two units for 200.01, one of them returned without a reason; shipping is kept."""
    at = datetime.now(UTC)
    order = sell(Bought(2, 20_001), shipping=1_200, at=at)
    return order, settle(ask(order, "return", "changed_mind", at=at), at=at)


def customer_of(order: OrderView, language: str = "en") -> Visitor:
    visitor = Visitor(language)
    visitor.prove(order)
    return visitor


def text_of(response: Any) -> str:
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf"), response.content[:500]
    reader = PdfReader(io.BytesIO(response.content))
    return "".join(one.extract_text() for one in reader.pages).replace("\n", "").replace(" ", "")


def test_the_case_page_tells_how_each_amount_was_worked_out(decided: tuple[OrderView, Case]) -> None:
    order, case = decided
    text = page(customer_of(order).get(f"/cases/{case.ref}"))

    assert "How this was worked out" in text
    assert "CN¥200.01 for 2 units" in text
    assert "The policies that decided" in text
    assert f"/cases/{case.ref}/explanation.pdf" in text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Why it was decided so", "You are owed CN¥100.01", "Not granted: refund of shipping"]),
        ("zh-CN", ["为什么这样决定", "您应得 ¥100.01", "未同意退运费"]),
    ],
)
def test_the_whole_explanation_is_a_page(decided: tuple[OrderView, Case], language: str, words: list[str]) -> None:
    order, case = decided
    text = page(customer_of(order, language).get(f"/cases/{case.ref}/explanation"))

    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Adecisionexplained", "Youareowed", "100.01", "Policiesthatwereapplied", "house-return-no-reason",
             "largestremainder", "Whatisrefused,andwhy", "Appeal", "makegoodquote--replay"],
        ),
        (
            "zh-CN",
            ["处理决定说明", "您应得", "100.01", "适用的政策", "house-return-no-reason", "最大余数法",
             "未同意什么，为什么", "申诉", "makegoodquote--replay"],
        ),
    ],
)  # fmt: skip
def test_the_explanation_on_paper_reads_in_both_languages(
    decided: tuple[OrderView, Case], language: str, words: list[str]
) -> None:
    order, case = decided
    text = text_of(customer_of(order, language).get(f"/cases/{case.ref}/explanation.pdf"))

    assert [word for word in [*words, case.ref, order.number] if word not in text] == []


def test_the_paper_is_tagged_and_the_same_every_time(decided: tuple[OrderView, Case]) -> None:
    order, case = decided
    visitor = customer_of(order)
    first, second = (visitor.get(f"/cases/{case.ref}/explanation.pdf").content for _ in range(2))

    assert first == second
    reader = PdfReader(io.BytesIO(first))
    assert "'/Marked': True" in str(reader.root_object["/MarkInfo"])
    assert str(reader.root_object["/Lang"]).startswith("en")
    assert reader.metadata is not None
    assert reader.metadata.title == "A decision explained"


def test_without_a_font_the_page_is_offered_to_be_printed(
    decided: tuple[OrderView, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    order, case = decided
    visitor = customer_of(order)
    monkeypatch.setattr(paper, "_families", lambda: None)

    answer = visitor.get(f"/cases/{case.ref}/explanation.pdf")
    assert answer.headers["Location"].endswith(f"/cases/{case.ref}/explanation")
    assert "this page can be printed instead" in page(visitor.client.get(answer.headers["Location"]))


def test_fonts_are_found_in_the_folder_of_the_setting_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAKEGOOD_FONTS", f"{tmp_path}:/no/such/folder")

    assert paper._folders()[0] == tmp_path
    assert Path("/no/such/folder") not in paper._folders()


def test_the_customer_downloads_a_receipt_that_replays(decided: tuple[OrderView, Case]) -> None:
    order, case = decided
    answer = customer_of(order).get(f"/cases/{case.ref}/receipt.json")

    assert "attachment" in answer.headers["Content-Disposition"]
    assert check(json.loads(answer.content)).is_equal


def test_what_was_not_told_yet_is_not_handed_out() -> None:
    order = sell(Bought(1, 10_000))
    case = ask(order, "return", "changed_mind")
    visitor = customer_of(order)

    for path in ("explanation", "explanation.pdf", "receipt.json"):
        assert visitor.get(f"/cases/{case.ref}/{path}").status_code == 404


def test_staff_see_the_trace_and_hand_out_the_same(decided: tuple[OrderView, Case]) -> None:
    _order, case = decided
    member = Member(Role.AGENT)
    text = page(member.get(f"/cases/{case.ref}"))

    assert "Every rule that was tried" in text
    assert "house-return-keeps-shipping" in text
    assert "Why it was decided so" in page(member.get(f"/cases/{case.ref}/explanation"))
    assert "Adecisionexplained" in text_of(member.get(f"/cases/{case.ref}/explanation.pdf"))
    assert check(json.loads(member.get(f"/cases/{case.ref}/receipt.json").content)).is_equal


def test_before_a_decision_staff_see_why_the_policy_proposes_it() -> None:
    at = datetime.now(UTC)
    case = ask(sell(Bought(2, 20_001), at=at), "return", "changed_mind", at=at)
    text = page(Member(Role.AGENT).get(f"/cases/{case.ref}"))

    assert "Every rule that was tried" in text
