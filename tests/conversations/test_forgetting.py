"""Whoever is forgotten is forgotten everywhere: no table and no file names the person, and the books still hold."""

from __future__ import annotations

import quopri
import uuid
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from makegood.cases import commands as cases
from makegood.cases import erasure, proof
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.conversations import jobs as work
from makegood.conversations.models import Letter, Mailbox, RawMail
from makegood.kit import db, files, tenancy
from makegood.ledger import queries as ledger
from makegood.portal import proving
from tests import postgres_for_tests
from tests.conversations.mails import arrive, letter, open_mailbox
from tests.shop import AGENT, NOON, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def every_row_with(*words: str) -> list[str]:
    """Tables of which a row says one of the words in any column, whatever merchant it is of."""
    found = []
    with psycopg.connect(postgres_for_tests.admin_dsn(postgres_for_tests.database_name())) as admin:
        tables = admin.execute("select tablename from pg_tables where schemaname = 'public' order by 1").fetchall()
        for (table,) in tables:
            asked = sql.SQL("select count(*) from {} as t where exists (select 1 from unnest(%s::text[]) as w where"
                            " position(lower(w) in lower(t::text)) > 0)").format(sql.Identifier(table))  # fmt: skip
            if admin.execute(asked, [list(words)]).fetchone() != (0,):
                found.append(table)
    return found


def every_file_with(*words: str) -> list[str]:
    return [
        str(path)
        for path in Path(settings.UPLOADS_DIR).rglob("*")
        if path.is_file() and any(word.encode() in quopri.decodestring(path.read_bytes()) for word in words)
    ]


def jobs_of(name: str) -> list[dict[str, Any]]:
    with db.atomically():
        rows = db.fetch(
            "select args from procrastinate_jobs where task_name = %s and args ->> 'merchant_id' = %s",
            [name, str(tenancy.require_merchant_id())],
        )
    return [db.read_json(row["args"]) for row in rows]


def do_what_was_left() -> None:
    for args in jobs_of("cases.delete_files"):
        erasure.delete_files(args["sha256"])
    for args in jobs_of("conversations.erase_customer"):
        work.erase_customer(customer_id=args["customer_id"], sealed=args.get("sealed", ""))


class Person:
    """Somebody no other test knows, who bought, wrote, complained, asked for a code and was away."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        mark = uuid.uuid4().hex[:10]
        self.name, self.email, self.street = f"Zhu{mark}", f"zhu.{mark}@example.org", f"Lane {mark}"
        self.phone = f"+86139{int(mark, 16) % 10**8:08d}"
        self.words = [self.name, self.email, self.street, self.phone]
        order = sell(position="not_shipped", customer=f"ref-{mark}")
        self.number, self.customer_id = order.number, order.customer.id
        with db.atomically():
            db.execute("update customers_customer set name = %s, address = jsonb_build_object('street', %s::text)"
                       " where id = %s", [self.name, self.street, self.customer_id])  # fmt: skip
            db.execute("update orders_order set address = jsonb_build_object('street', %s::text) where id = %s",
                       [self.street, order.id])  # fmt: skip
            for kind, value in (("email", self.email), ("phone", self.phone)):
                db.execute("insert into customers_contact (customer_id, kind, value) values (%s, %s, %s)",
                           [self.customer_id, kind, value])  # fmt: skip

    @property
    def sender(self) -> str:
        return f"{self.name} <{self.email}>"

    def writes(self, text: str, **more: Any) -> RawMail:
        return arrive(self.mailbox, letter(f"{text}\n\n{self.name}, {self.street}, {self.phone}",
                                           sender=self.sender, **more))  # fmt: skip


@pytest.fixture
def person() -> Person:
    return Person(open_mailbox(smtp_host="127.0.0.1"))


def everything_happens(person: Person) -> Case:
    opened = person.writes(f"Please cancel order {person.number}, I changed my mind.",
                           files={"note.txt": f"{person.name} was here".encode()})  # fmt: skip
    assert opened.outcome == "opened_case"
    person.writes("I am away until Monday.", subject="Out of office", Auto_Submitted="auto-replied")
    person.writes("A word in passing", subject="Undelivered", Precedence="list", List_Id="<lamps.example.org>")
    for contact in (person.email, person.phone):
        proving.ask_for_code(
            order_number=person.number, contact=contact, language="en", address="198.51.100.7", at=NOON
        )
    with db.atomically():
        [case] = Case.objects.filter(customer_id=person.customer_id)
        assert Letter.objects.filter(to_value__in=[person.email, person.phone]).count() == 2
    file = files.store(BytesIO(f"receipt of {person.name}".encode()), declared_name=f"{person.name}.txt",
                       uploads=Path(settings.UPLOADS_DIR), owner=str(tenancy.require_merchant_id()))  # fmt: skip
    cases.add_evidence(ref=case.ref, kind="receipt", file=file, actor=AGENT, at=NOON)
    cases.add_message(ref=case.ref, body=f"Dear {person.name}, we wrote to {person.email}", actor=AGENT, at=NOON)
    return settle(case)


def test_row_55_nothing_in_any_table_or_file_names_the_person_and_the_ledger_stands(person: Person) -> None:
    case = everything_happens(person)
    before, statement = case_view(case.ref), ledger.statement_of_order(case.order_id or 0)
    assert {"conversations_letter", "conversations_message", "customers_customer"} <= set(every_row_with(*person.words))
    assert every_file_with(*person.words)

    erasure.erase_customer(customer_id=person.customer_id, at=NOON + timedelta(days=1))
    assert every_row_with(*person.words) != []  # conversations follow by the job
    do_what_was_left()

    assert every_row_with(*person.words) == []
    assert every_file_with(*person.words) == []
    assert [args.get("sealed") for args in jobs_of("conversations.erase_customer")] == [None]
    assert ledger.statement_of_order(case.order_id or 0) == statement != []
    assert [event.hash for event in case_view(case.ref).events] == [event.hash for event in before.events]
    assert proof.faults() == []
    do_what_was_left()  # a job may run twice


def test_what_others_wrote_and_showed_stays(person: Person) -> None:
    other = Person(person.mailbox)
    picture = {"same.txt": b"the very same file"}
    person.writes(f"Please cancel order {person.number}, I changed my mind.", files=picture)
    kept = other.writes(f"Please cancel order {other.number}, I changed my mind.", files=picture)

    erasure.erase_customer(customer_id=person.customer_id, at=NOON)
    do_what_was_left()

    assert every_row_with(*person.words) == []
    owner = str(tenancy.require_merchant_id())
    with files.open_stored(uploads=Path(settings.UPLOADS_DIR), owner=owner, sha256=kept.sha256) as raw:
        assert other.name.encode() in raw.read()
    with db.atomically():
        [row] = db.fetch("select f.sha256 from conversations_messagefile f where f.sha256 <> ''")
    with files.open_stored(uploads=Path(settings.UPLOADS_DIR), owner=owner, sha256=row["sha256"]) as same:
        assert same.read() == picture["same.txt"]


def test_mail_of_a_person_whom_nobody_had_tied_to_the_address_goes_too(person: Person) -> None:
    with db.atomically():
        db.execute("delete from customers_contact where value = %s", [person.email])
    person.writes("A word from nobody known")  # a conversation without a customer
    with db.atomically():
        db.execute("insert into customers_contact (customer_id, kind, value) values (%s, 'email', %s)",
                   [person.customer_id, person.email])  # fmt: skip

    erasure.erase_customer(customer_id=person.customer_id, at=NOON)
    do_what_was_left()

    assert every_row_with(*person.words) == []
    assert every_file_with(*person.words) == []
