"""Macros: kept for oneself or for everybody, filled in, edited, and done together."""

from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from makegood.cases.queries import case_view
from makegood.workbench.macros import MacroMalformed, fill_in, read_steps
from makegood.workbench.queries import macros_of, waiting_of
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")

FORM = {
    "name": "Ask for a photo", "reply_zh": "{customer}您好，请补一张照片。{case}",
    "reply_en": "Dear {customer}, a photo please.",
    "note": "asked on {order}", "tag": "photo", "assign": "me", "snooze": "24", "then": "next", "do": "keep",
}  # fmt: skip


def test_a_macro_is_filled_in_edited_and_done_together() -> None:
    at = timezone.now()
    case = ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at, language="zh-hans")
    member = Member()
    assert member.post("/macros", FORM).status_code == 302
    [macro] = macros_of(member.staff.id)

    shown = page(member.get(f"/cases/{case.ref}?macro={macro.id}"))
    assert f"王芳您好，请补一张照片。{case.ref}</textarea>" in shown
    assert f'value="asked on {case_view(case.ref).order_number}"' in shown
    sent = member.do(
        case.ref, "message", to="customer", body="edited words",
        **{"macro-used": str(macro.id), "macro-note": "asked", "macro-tag": "photo", "macro-assign": "1"}, then="close",
    )  # fmt: skip
    assert sent.headers["Location"] == member.base + "/"
    found = case_view(case.ref)
    assert [(text.body, text.internal) for text in found.texts] == [("asked", True)]
    assert (found.tags, found.assigned_to) == (("photo",), member.staff.id)
    assert [one.body for one in waiting_of(member.staff.id)] == ["edited words"]


def test_a_shared_macro_is_everybodys_and_only_managers_tend_it() -> None:
    agent, manager, other = Member("agent"), Member("manager"), Member("agent")
    page(agent.post("/macros", FORM | {"shared": "1"}), 403)
    manager.post("/macros", FORM | {"shared": "1"})
    agent.post("/macros", FORM | {"name": "mine"})

    assert [(one.name, one.shared) for one in macros_of(agent.staff.id)] == [("Ask for a photo", True), ("mine", False)]
    [shared] = macros_of(other.staff.id)
    page(other.post("/macros", {"do": "drop", "macro": str(shared.id)}), 403)
    mine = macros_of(agent.staff.id)[1]
    page(other.post("/macros", {"do": "drop", "macro": str(mine.id)}), 404)
    assert "is called mine already" in page(agent.post("/macros", FORM | {"name": "mine"}), 409)
    manager.post("/macros", {"do": "drop", "macro": str(shared.id)})
    assert macros_of(other.staff.id) == []


@pytest.mark.parametrize(
    "wrong", [{"reply_en": "{wallet}"}, {"snooze": "0"}, {"snooze": "x"}, {"reply_en": ""}, {"other": "x"}]
)
def test_what_a_macro_cannot_do_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(MacroMalformed):
        read_steps("name", wrong, "stay")


@given(st.text(), st.text())
def test_what_a_value_holds_is_never_read_as_a_variable(before: str, name: str) -> None:
    before = before.replace("{", "").replace("}", "")
    assert fill_in(before + "{customer}", {"customer": name + "{case}", "case": "C-1"}) == before + name + "{case}"
