"""Keys of one's own: chosen, told where two acts want one key, shown on every page."""

from __future__ import annotations

import pytest

from makegood.workbench import commands
from makegood.workbench.queries import keys_of
from makegood.workbench.rules import KeyMalformed, KeyTaken, check_keys, read_keys
from makegood.workbench.states import ACTS
from tests.desk.working import Member
from tests.portal.visiting import page

pytestmark = pytest.mark.usefixtures("merchant")


def test_no_two_acts_have_one_key_from_the_start() -> None:
    check_keys({act.name: act.keys for act in ACTS})
    for act in ACTS:
        assert read_keys(" ".join(act.keys)) == act.keys


def test_a_person_chooses_a_key_and_another_person_keeps_theirs() -> None:
    one, other = Member(), Member()

    commands.choose_keys(keys={"reply": "w", "open": "o Enter", "snooze": ""}, actor=one.actor)

    assert keys_of(one.staff.id)["reply"] == ("w",)
    assert keys_of(one.staff.id)["snooze"] == ()
    assert keys_of(one.staff.id)["next"] == ("j",)
    assert keys_of(other.staff.id)["reply"] == ("r",)
    assert 'data-act="reply" data-keys="w"' in page(one.get("/"))
    assert 'data-act="snooze"' not in page(one.get("/"))
    commands.usual_keys(actor=one.actor)
    assert keys_of(one.staff.id)["reply"] == ("r",)


def test_two_acts_with_one_key_are_told_and_nothing_is_kept() -> None:
    member = Member()

    shown = page(member.post("/keys", {"key-reply": "n", "do": "keep"}), 422)

    assert "n would do two things: reply, note" in shown
    assert 'value="n"' in shown
    assert keys_of(member.staff.id)["reply"] == ("r",)
    with pytest.raises(KeyTaken):
        check_keys({"reply": ("q",), "note": ("q",)})


@pytest.mark.parametrize("text", ["ab", "Mod+", "Escape", "Mod+c", "a b c d", "é", "Tab"])
def test_what_cannot_be_a_key_is_refused(text: str) -> None:
    with pytest.raises(KeyMalformed):
        read_keys(text)


def test_sending_needs_a_key_that_is_no_letter() -> None:
    with pytest.raises(KeyMalformed):
        check_keys({"send": ("g",)})


def test_keys_chosen_through_the_page_are_kept() -> None:
    member = Member(language="zh-CN")
    form = {f"key-{act.name}": " ".join(act.keys) for act in ACTS} | {"key-reply": "Alt+r", "do": "keep"}

    assert member.post("/keys", form).status_code == 302
    assert 'value="Alt+r"' in page(member.get("/keys"))
    assert "回复顾客" in page(member.get("/keys"))
