"""A person's data: handed over whole, and forgotten for good; for owners."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from makegood.accounts import queries
from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.kit import files
from tests.desk.working import Member
from tests.shop import AGENT, NOON, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def archive_of(answer: Any) -> zipfile.ZipFile:
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content)))


def test_an_owner_hands_everything_over_but_the_notes_of_staff(merchant: int, tmp_path: Path) -> None:
    with override_settings(UPLOADS_DIR=tmp_path):
        order = sell(Bought(paid=100_00))
        other = sell(Bought(paid=100_00, sku="OTHER-LAMP"))
        case = ask(order, "return", "changed_mind", statement="It does not fit.")
        cases.add_message(ref=case.ref, body="looks like fraud", internal=True, actor=AGENT, at=NOON)
        kept = files.store(
            BytesIO(b"a receipt"), declared_name="r.txt", uploads=Path(settings.UPLOADS_DIR), owner=str(merchant)
        )
        me = Actor.customer(order.customer.id)
        cases.add_evidence(ref=case.ref, kind="receipt", file=kept, actor=me, at=NOON)
        settle(case)
        owner = Member("owner")

        archive = archive_of(owner.post(f"/customers/{order.customer.id}", {"do": "export"}))

        data = json.loads(archive.read("data.json"))
        told = json.dumps(data, ensure_ascii=False)
        assert data["customer"]["reference"] == order.customer.reference
        assert [one["number"] for one in data["orders"]] == [order.number]
        assert data["cases"][0]["texts"][0]["text"] == "It does not fit."
        assert data["cases"][0]["decisions"][0]["total"] == {"currency": "CNY", "amount": "100.00"}
        assert data["ledger"]
        assert "fraud" not in told
        assert "OTHER-LAMP" not in told
        assert other.number not in told
        [name] = [name for name in archive.namelist() if name.startswith("files/")]
        assert archive.read(name) == b"a receipt"
        noted = queries.account_events(subject=f"customer:{order.customer.id}").rows
        assert [row.what for row in noted] == ["customer_exported"]


def test_forgetting_asks_to_be_typed_and_is_for_good() -> None:
    order = sell(Bought(paid=100_00))
    case = settle(ask(order, "return", "changed_mind", statement="It does not fit."))
    owner = Member("owner")
    page = f"/customers/{order.customer.id}"

    assert owner.post(page, {"do": "erase", "typed": "yes"}).status_code == 422
    assert "王芳" in owner.get(page).content.decode()
    assert owner.post(page, {"do": "erase", "typed": order.customer.reference}).status_code == 302

    seen = owner.get(page).content.decode() + owner.get(f"/cases/{case.ref}").content.decode()
    assert "王芳" not in seen
    assert "It does not fit." not in seen
    assert "100.00" in seen


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_others_may_not(role: str) -> None:
    order = sell(Bought(paid=100_00))
    member = Member(role)

    assert member.get(f"/customers/{order.customer.id}").status_code == 403
    assert member.post(f"/customers/{order.customer.id}", {"do": "export"}).status_code == 403
    assert Member("owner").get("/customers/999999999").status_code == 404
