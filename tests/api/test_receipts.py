"""Receipts and their keys over HTTP."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from makegood.kit.signing import PublicKey
from makegood.policy.receipt import check
from tests.api_client import Caller, issue_token, problem
from tests.shop import ask, sell, settle


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path) -> Any:
    with override_settings(DATA_DIR=tmp_path):
        yield


@pytest.fixture
def manager(merchant: int) -> Caller:
    return Caller(issue_token())


def test_the_receipt_of_a_case_is_replayed_by_anybody(manager: Caller) -> None:
    at = datetime.now(UTC)
    case = settle(ask(sell(at=at), "return", "changed_mind", at=at), at=at)

    receipt = manager.get(f"/cases/{case.ref}/receipt").json()
    [key] = Caller(None).get("/receipt-keys").json()["keys"]

    assert check(receipt, key=PublicKey.read(key["public_key"])).as_json()["equal"] is True
    assert receipt["about"]["case"] == case.ref
    assert receipt["about"]["granted"][0]["amount"] == receipt["outcome"]["remedies"][0]["amount"]
    assert "王芳" not in json.dumps(receipt, ensure_ascii=False)
    changed = copy.deepcopy(receipt)
    changed["about"]["granted"][0]["amount"] = "1000000.00"
    assert check(changed, key=PublicKey.read(key["public_key"])).signature == "forged"


def test_a_case_without_a_decision_has_no_receipt(manager: Caller) -> None:
    case = ask(sell(), "return", "changed_mind")

    problem(manager.get(f"/cases/{case.ref}/receipt"), 404, "decision_unknown")
    problem(manager.get(f"/cases/{case.ref}/receipt?round=7"), 404, "decision_unknown")
