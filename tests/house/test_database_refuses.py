"""What a caller hears while the database cannot do its work, and that the work goes on when it can again."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import OperationalError, close_old_connections, connection

from makegood.accounts.states import Role
from makegood.cases import commands as cases
from makegood.cases import history
from makegood.cases.models import Case, CaseText
from makegood.kit import db
from tests import postgres_for_tests
from tests.api_client import Caller, issue_token, problem
from tests.portal.visiting import Visitor, page
from tests.shop import ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def as_superuser(*statements: str) -> None:
    """Run statements in this worker's database; a connection of the application opened before is closed."""
    connection.close()
    with psycopg.connect(postgres_for_tests.admin_dsn(str(connection.settings_dict["NAME"])), autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement.encode())


@contextmanager
def read_only() -> Iterator[None]:
    """The server does for the application what a replica does for everybody."""
    setting = f"alter role makegood_app in database {connection.settings_dict['NAME']}"
    as_superuser(f"{setting} set default_transaction_read_only = on")
    try:
        yield
    finally:
        as_superuser(f"{setting} reset default_transaction_read_only")


@pytest.fixture
def manager() -> Caller:
    return Caller(issue_token(Role.MANAGER))


@pytest.fixture
def case() -> Case:
    return ask(sell(position="not_shipped", at=datetime.now(UTC)), "cancellation", "changed_mind", at=datetime.now(UTC))


def texts_of(case: Case) -> int:
    with db.atomically():
        return CaseText.objects.filter(case=case).count()


def say(caller: Caller, case: Case, *, key: str, body: str = "hello") -> Any:
    return caller.post(f"/cases/{case.ref}/messages", {"body": body}, key=key)


def test_row_27_a_database_that_can_only_be_read_refuses_writes_and_goes_on_being_read(
    manager: Caller, case: Case
) -> None:
    with read_only():
        for route in ("messages", "decide", "withdraw"):
            refused = manager.post(
                f"/cases/{case.ref}/{route}", {"body": "x"} if route == "messages" else {}, key=route
            )
            problem(refused, 503, "temporarily_unavailable")
            assert refused.headers["Retry-After"] == "1"
        assert manager.get(f"/cases/{case.ref}").json()["state"] == "received"

    assert texts_of(case) == 0
    assert say(manager, case, key="messages", body="x").status_code == 201
    assert texts_of(case) == 1


def test_row_27_a_page_says_so_too_in_both_languages() -> None:
    order = sell()
    for language, words in (("en", "Nothing was changed"), ("zh-CN", "没有任何更改")):
        visitor = Visitor(language)
        visitor.client.raise_request_exception = False
        with read_only():
            refused = visitor.post("/find", {"order": order.number, "contact": "a@example.com"})

        assert words in page(refused, 503)
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Cache-Control"] == "no-store"


def test_row_25_a_page_whose_database_is_gone_says_so_and_not_what_went_wrong() -> None:
    visitor = Visitor()
    visitor.client.raise_request_exception = False
    with mock.patch("makegood.accounts.sight.queries.merchant", side_effect=OperationalError("host=10.1.2.3 gone")):
        shown = page(visitor.get("/"), 503)

    assert "cannot be reached" in shown
    assert "10.1.2.3" not in shown


def test_a_defect_behind_a_page_tells_a_number_and_nothing_else() -> None:
    visitor = Visitor()
    visitor.client.raise_request_exception = False
    with mock.patch("makegood.accounts.sight.queries.merchant", side_effect=RuntimeError("secret detail")):
        answer = visitor.get("/")

    assert answer.headers["X-Request-Id"] in page(answer, 500)
    assert "secret detail" not in answer.content.decode()


def test_row_26_after_a_restart_of_the_database_the_web_process_works_again_by_itself(
    manager: Caller, case: Case
) -> None:
    with db.atomically():
        [row] = db.fetch("select pg_backend_pid() as pid")
    with psycopg.connect(postgres_for_tests.admin_dsn(), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(%s, 5000)", [row["pid"]])

    cut = say(manager, case, key="once")
    close_old_connections()  # the server does so between requests

    problem(cut, 503, "temporarily_unavailable")
    assert say(manager, case, key="once").status_code == 201
    assert texts_of(case) == 1


def test_row_32_who_loses_to_others_every_time_is_told_to_come_again(
    manager: Caller, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    write = cases.add_message

    def lose(**given: Any) -> Case:
        tries.append(1)
        write(**given)
        db.execute("do $$ begin raise exception 'lost' using errcode = '40001'; end $$")
        raise AssertionError("the database did not refuse")

    with monkeypatch.context() as losing:
        losing.setattr("makegood.cases.api.commands.add_message", lose)
        refused = say(manager, case, key="busy")

    problem(refused, 503, "database_busy")
    assert refused.headers["Retry-After"]
    assert 1 < len(tries) < 10
    assert texts_of(case) == 0
    assert say(manager, case, key="busy").status_code == 201


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A real file system of 2 MiB with texts of cases on it, and nothing else."""
    server = postgres_for_tests.server()
    owner = server.socket_dir.stat()
    disk = Path(tempfile.mkdtemp(prefix="mg-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size=2m,uid={owner.st_uid},gid={owner.st_gid},mode=700", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        disk.rmdir()
        pytest.skip("a file system can only be mounted as root")
    name = f"small_{os.getpid()}_{secrets.token_hex(4)}"
    folder = disk / "data"
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.st_uid, owner.st_gid)
    as_superuser(f"create tablespace {name} location '{folder}'", f"alter table cases_casetext set tablespace {name}",
                 f"create table filler (bytes text) tablespace {name}")  # fmt: skip
    yield disk
    as_superuser("drop table if exists filler", "alter table cases_casetext set tablespace pg_default",
                 f"drop tablespace {name}")  # fmt: skip
    subprocess.run(["umount", str(disk)], check=True)
    shutil.rmtree(disk)


def fill(disk: Path) -> None:
    """Until the database itself finds no room. Raises DiskFull."""
    while shutil.disk_usage(disk).total:
        as_superuser("insert into filler select gen_random_uuid()::text from generate_series(1, 500)")


def test_row_28_on_a_full_disk_nothing_is_acknowledged_and_work_resumes_when_there_is_room(
    small_disk: Path, manager: Caller, case: Case
) -> None:
    with pytest.raises(psycopg.errors.DiskFull):
        fill(small_disk)
    long = secrets.token_urlsafe(12_000)  # more than the last page with room in it may still take

    refused = say(manager, case, key="full", body=long)

    problem(refused, 503, "temporarily_unavailable")
    assert texts_of(case) == 0
    assert history.breaks([case.id]) == []
    as_superuser("drop table filler")
    assert say(manager, case, key="full", body=long).status_code == 201
    assert texts_of(case) == 1
    assert history.breaks([case.id]) == []
