"""Whoever is forgotten is forgotten in what was said and shown too, and everything still proves itself."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.test import override_settings
from typer.testing import CliRunner

from makegood.accounts import queries as accounts
from makegood.cases import commands as cases
from makegood.cases import erasure, proof
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.cli.main import app
from makegood.conversations import erasure as conversations
from makegood.kit import db, files, tenancy
from tests.shop import AGENT, NOON, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
SAID = "my neighbour Wang heard it"


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


def stored(words: bytes, name: str = "wang.txt") -> files.Stored:
    return files.store(
        BytesIO(words), declared_name=name, uploads=Path(settings.UPLOADS_DIR), owner=str(tenancy.require_merchant_id())
    )


def is_there(file: files.Stored) -> bool:
    try:
        owner = str(tenancy.require_merchant_id())
        with files.open_stored(uploads=Path(settings.UPLOADS_DIR), owner=owner, sha256=file.sha256):
            return True
    except files.FileMissing:
        return False


def told(words: bytes = b"seen by Wang") -> tuple[Case, files.Stored]:
    """A case with words and a file on it, decided and promised."""
    case = ask(sell(position="not_shipped"), "cancellation", "changed_mind", statement=SAID)
    file = stored(words)
    cases.add_evidence(ref=case.ref, kind="receipt", file=file, actor=AGENT, at=NOON)
    cases.add_message(ref=case.ref, body=f"we wrote: {SAID}", actor=AGENT, at=NOON)
    return settle(case), file


@db.query
def every_word(case: Case) -> str:
    rows: list[Any] = []
    for table in ("cases_casetext", "cases_evidence", "cases_caseevent", "cases_decision"):
        rows += db.fetch(f"select * from {table} where case_id = %s", [case.id])
    return str(rows + db.fetch("select * from cases_case where id = %s", [case.id]))


@db.query
def jobs_left() -> list[tuple[str, dict[str, Any]]]:
    rows = db.fetch(
        "select task_name, args from procrastinate_jobs where args ->> 'merchant_id' = %s order by id",
        [str(tenancy.require_merchant_id())],
    )
    return [(row["task_name"], db.read_json(row["args"])) for row in rows]


def test_words_and_files_go_and_the_history_still_verifies() -> None:
    case, file = told()
    before = case_view(case.ref)

    erased = erasure.erase_customer(customer_id=case.customer_id, at=NOON + timedelta(days=1))
    assert (erased.orders, erased.cases, erased.texts, erased.files) == (1, 1, 2, 1)
    [hashes] = [args["sha256"] for name, args in jobs_left() if name == "cases.delete_files"]
    assert is_there(file)  # a transaction deletes no file
    assert erasure.delete_files(hashes) == 1
    assert not is_there(file)

    assert SAID not in every_word(case)
    assert "wang" not in every_word(case).lower()
    after = case_view(case.ref)
    assert [event.hash for event in after.events] == [event.hash for event in before.events]
    assert [decision.outcome for decision in after.decisions] == [decision.outcome for decision in before.decisions]
    assert proof.faults() == []


def test_erasing_again_changes_nothing_and_deletes_nothing_of_others() -> None:
    (first, file), (second, same) = told(), told()
    assert file.sha256 == same.sha256
    erasure.erase_customer(customer_id=first.customer_id, at=NOON)

    assert erasure.delete_files([file.sha256]) == 0  # the other case stands on the same file
    assert is_there(file)
    assert erasure.erase_customer(customer_id=first.customer_id, at=NOON).texts == 0
    assert SAID in every_word(second)

    erasure.erase_customer(customer_id=second.customer_id, at=NOON)
    assert erasure.delete_files([file.sha256, "../../etc/passwd"]) == 1


@pytest.mark.parametrize(
    "change", ["name = 'other'", "erased_at = now()", "name = '', erased_at = now(), sha256 = repeat('0', 64)"]
)
def test_evidence_changes_in_no_other_way_than_by_erasing_it(change: str) -> None:
    case, _ = told()
    with pytest.raises(IntegrityError, match="append-only"), db.atomically():
        db.execute(f"update cases_evidence set {change} where case_id = %s", [case.id])
    with pytest.raises(IntegrityError, match="append-only"), db.atomically():
        db.execute("delete from cases_evidence where case_id = %s", [case.id])


def test_conversations_are_scrubbed_by_the_job_left_for_them() -> None:
    case, _ = told()
    erasure.erase_customer(customer_id=case.customer_id, at=NOON)
    assert ("conversations.erase_customer", case.customer_id) in [
        (name, args.get("customer_id")) for name, args in jobs_left()
    ]
    assert conversations.erase_customer(case.customer_id) == 0  # there was no mail


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["customers", *arguments, "--merchant", accounts.merchant().slug])


def test_the_command_line_exports_and_erases_a_customer(tmp_path: Path) -> None:
    case, _ = told()
    view = case_view(case.ref)
    with db.atomically():
        [row] = db.fetch("select reference from customers_customer where id = %s", [case.customer_id])
    target = tmp_path / "person.zip"

    done = run("export", row["reference"], str(target), "--json")
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(target) as archive:
        known = json.loads(archive.read("customer.json"))
        assert [archive.read(name) for name in archive.namelist() if name.startswith("files/")] == [b"seen by Wang"]
    assert known["orders"][0]["number"] == view.order_number
    assert SAID in json.dumps(known["cases"][0]["texts"])

    assert run("erase", row["reference"]).exit_code == 1  # it asks for --yes
    assert SAID in every_word(case)
    assert run("erase", row["reference"], "--yes").exit_code == 0
    assert SAID not in every_word(case)
    assert run("export", row["reference"], str(target)).exit_code != 0
