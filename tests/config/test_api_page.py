"""The reference of the API as a page: everything in the document is on it, in both languages around it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from makegood.config.api import api


@pytest.fixture(params=["en", "zh-hans"])
def text(request: pytest.FixtureRequest) -> str:
    answered = Client(headers={"Accept-Language": request.param}).get("/developers/")
    assert answered.status_code == 200
    assert "script-src 'self'" in answered.headers["Content-Security-Policy"]
    return answered.content.decode()


def test_every_operation_and_every_shape_is_there(text: str) -> None:
    document = api.get_openapi_schema()
    anchors = set(re.findall(r'id="([^"]+)"', text))
    operations = {op["operationId"] for methods in document["paths"].values() for op in methods.values()}
    shapes = {f"shape-{name}" for name in document["components"]["schemas"]}

    assert operations | shapes <= anchors


def test_every_link_leads_somewhere(text: str) -> None:
    anchors = set(re.findall(r'id="([^"]+)"', text))

    assert set(re.findall(r'href="#([^"]+)"', text)) - anchors == set()


def test_nothing_is_fetched_from_elsewhere_and_no_script_is_in_the_page(text: str) -> None:
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert " style=" not in text


def test_each_route_names_its_permission_and_an_example(text: str) -> None:
    part = text.split('id="approve_case"')[1].split("</article>", maxsplit=1)[0]

    assert "cases:approve" in part
    assert "Idempotency-Key: $(uuidgen)" in part
    assert "/api/v1/cases/{ref}/approve" in part
