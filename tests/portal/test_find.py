"""Finding one's order: only who holds the contact gets in, and strangers learn nothing."""

from __future__ import annotations

import pytest
from django.utils import timezone

from makegood.conversations.queries import letters
from tests.portal.visiting import Visitor, code_for, contact_of, page
from tests.shop import sell

pytestmark = pytest.mark.usefixtures("merchant")


def test_the_code_from_the_letter_opens_the_order() -> None:
    order = sell()
    visitor = Visitor()

    assert visitor.prove(order).headers["Location"].endswith("/mine")
    assert order.number in page(visitor.get("/mine"))
    assert "Lamp" in page(visitor.get(f"/orders/{order.number}"))


def test_a_phone_or_address_is_found_however_it_is_typed() -> None:
    order = sell()
    visitor = Visitor()

    visitor.post("/find", {"order": f" {order.number} ", "contact": contact_of(order).upper().replace("@", "＠")})

    assert visitor.post("/code", {"code": code_for(order)}).status_code == 302


def test_an_unknown_order_and_a_wrong_contact_get_the_answer_of_a_right_one() -> None:
    order = sell()
    answers = set()
    for number, contact in [
        (order.number, contact_of(order)),
        (order.number, "stranger@example.com"),
        ("NO-SUCH-ORDER", contact_of(order)),
        ("NO-SUCH-ORDER", "not a contact"),
    ]:
        visitor = Visitor()
        sent = visitor.post("/find", {"order": number, "contact": contact})
        shown = page(visitor.get("/code"))
        shown = (
            shown.replace(contact, "…").replace(number, "…").split('<div class="stack wide-gap">')[1].split("csrf")[0]
        )
        answers.add((sent.status_code, sent.headers["Location"], shown))
        wrong = visitor.post("/code", {"code": "000000"})
        assert "not the code that was sent" in page(wrong, 403)
    assert len(answers) == 1


def test_a_code_works_once_and_not_after_five_wrong_tries() -> None:
    order = sell()
    visitor = Visitor()
    visitor.prove(order)
    used = code_for(order)
    other = Visitor()
    other.client.cookies = visitor.client.cookies

    second = Visitor()
    second.post("/find", {"order": order.number, "contact": contact_of(order)})
    assert "not the code that was sent" in page(second.post("/code", {"code": used}), 403)
    right = code_for(order)
    for _ in range(4):
        second.post("/code", {"code": "111111" if right != "111111" else "222222"})
    assert "not the code that was sent" in page(second.post("/code", {"code": right}), 403)


def test_codes_of_one_order_are_limited() -> None:
    order = sell()
    visitor = Visitor()
    form = {"order": order.number, "contact": contact_of(order)}
    answers = [visitor.post("/find", form) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [302] * 3 + [429] * 4
    assert "Too many tries" in answers[-1].content.decode()
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_tries_from_one_address_are_limited_whatever_they_name() -> None:
    answers = [Visitor().post("/find", {"order": f"X{n}", "contact": "a@example.com"}).status_code for n in range(31)]

    assert answers == [302] * 30 + [429]


def test_letters_to_nobody_are_written_but_never_shown() -> None:
    Visitor().post("/find", {"order": "NOPE", "contact": "a@example.com"})
    assert letters(at=timezone.now()) == []


def test_the_session_gets_a_new_key_when_the_visitor_becomes_a_customer() -> None:
    order = sell()
    visitor = Visitor()
    visitor.post("/find", {"order": order.number, "contact": contact_of(order)})
    planted = visitor.client.cookies["makegood"].value

    visitor.post("/code", {"code": code_for(order)})

    assert visitor.client.cookies["makegood"].value != planted


def test_who_is_not_known_is_sent_to_find_the_order_first() -> None:
    order = sell()
    for path in ("/mine", f"/orders/{order.number}", f"/ask/return/{order.number}", "/cases/C-22222222"):
        assert Visitor().get(path).headers["Location"].endswith("/find")


def test_somebody_elses_order_is_answered_like_none() -> None:
    mine, theirs = sell(), sell()
    visitor = Visitor()
    visitor.prove(mine)

    assert visitor.get(f"/orders/{theirs.number}").status_code == 404
    assert visitor.get("/orders/NO-SUCH").status_code == 404
    assert visitor.get(f"/ask/return/{theirs.number}").status_code == 404


@pytest.mark.parametrize(("language", "word"), [("zh-CN,zh;q=0.9", "发生了什么"), ("en-GB", "What happened?")])
def test_the_first_page_speaks_the_browsers_language(language: str, word: str) -> None:
    assert word in page(Visitor(language).get("/"))


def test_the_language_switch_is_kept() -> None:
    visitor = Visitor("en")
    visitor.client.post("/language", {"language": "zh-hans", "next": visitor.base + "/"})

    shown = page(visitor.get("/"))
    assert '<html lang="zh-Hans">' in shown
    assert visitor.client.cookies["django_language"]["max-age"] > 10_000_000
