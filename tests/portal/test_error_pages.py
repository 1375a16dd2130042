"""Dead ends speak the reader's language and lead back."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from tests.portal.visiting import Visitor, page

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "这里什么都没有"), ("en", "There is nothing here")])
def test_an_unknown_address_is_answered_in_the_readers_language(language: str, words: str) -> None:
    client = Client(headers={"Accept-Language": language})

    for path in ("/s/no-such-merchant/", "/nowhere", "/track/forged"):
        assert words in page(client.get(path), 404)


def test_a_form_without_its_token_is_told_so() -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "zh-CN"})

    assert "表单已失效" in page(client.post(f"{Visitor().base}/find", {"order": "1"}), 403)


def test_the_page_of_our_own_mistakes_needs_nothing_that_may_be_broken() -> None:
    with translation.override("en"):
        assert "Something went wrong on our side" in render_to_string("500.html")
