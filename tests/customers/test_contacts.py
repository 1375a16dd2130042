"""People are found by what they type, however they type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.customers import commands, queries
from makegood.customers.rules import ContactMalformed, guess_kind, normalize_contact
from makegood.kit import db, tenancy
from tests.conftest import NOON, open_merchant


@pytest.mark.parametrize(
    ("kind", "typed", "contact"),
    [
        ("email", " Mei.Li@Example.COM ", "mei.li@example.com"),
        ("email", "ｍｅｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "mei@example.com"),
        ("email", "\u200bmei@example.com", "mei@example.com"),
        ("email", "李@例子.中国", "李@例子.中国"),
        ("phone", "138 0013 8000", "+8613800138000"),
        ("phone", "１３８－００１３－８０００", "+8613800138000"),
        ("phone", "＋86 (138) 0013-8000", "+8613800138000"),
        ("phone", "+49 30 901820", "+4930901820"),
    ],
)
def test_a_contact_is_written_one_way(kind: str, typed: str, contact: str) -> None:
    assert normalize_contact(kind, typed, region="CN") == contact


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("email", "mei"),
        ("email", "a@b"),
        ("email", "a@b.c, d@e.f"),
        ("email", "x" * 300 + "@example.com"),
        ("phone", "138****8000"),
        ("phone", "12"),
        ("phone", ""),
        ("fax", "123"),
    ],
)
def test_what_is_no_contact_is_refused(kind: str, typed: str) -> None:
    with pytest.raises(ContactMalformed):
        normalize_contact(kind, typed, region="CN")


@given(st.text(max_size=40))
def test_any_text_is_a_contact_or_is_refused_and_a_contact_stays_itself(text: str) -> None:
    try:
        contact = normalize_contact(guess_kind(text), text, region="CN")
    except ContactMalformed:
        return
    assert normalize_contact(guess_kind(contact), contact) == contact


@pytest.mark.usefixtures("merchant")
def test_a_person_is_found_by_each_contact_and_by_nothing_else() -> None:
    mei = commands.record_customer(
        reference="mei", name="李梅", email="Mei@example.com", phone="13800138000", region="CN", at=NOON
    )

    assert queries.customer_by_contact("email", "ＭＥＩ＠example.com").id == mei
    assert queries.customer_by_contact("phone", "+86 138 0013 8000").name == "李梅"
    with pytest.raises(queries.CustomerUnknown):
        queries.customer_by_contact("email", "someone@example.com")


@pytest.mark.usefixtures("merchant")
def test_a_family_may_share_a_telephone() -> None:
    for name in ("mei", "bo"):
        commands.record_customer(reference=name, phone="+8613800138000", at=NOON)

    found = queries.customers_by_contact("phone", "+8613800138000")

    assert [person.reference for person in found] == ["bo", "mei"]


@pytest.mark.usefixtures("merchant")
def test_empty_fields_do_not_blank_what_is_known() -> None:
    first = commands.record_customer(reference="mei", name="李梅", address={"city": "Hangzhou"}, at=NOON)
    again = commands.record_customer(reference="mei", email="mei@example.com", at=NOON)

    person = queries.customer_by_id(first)
    assert first == again
    assert (person.name, person.address) == ("李梅", {"city": "Hangzhou"})
    assert person.contacts == (("email", "mei@example.com"),)


@pytest.mark.usefixtures("merchant")
def test_a_person_moves_house() -> None:
    mei = commands.record_customer(reference="mei", at=NOON)

    with db.atomically():
        commands.change_address(mei, {"city": "Suzhou"})

    assert queries.customer_by_id(mei).address == {"city": "Suzhou"}


def test_another_merchants_customer_is_unknown(merchant: int) -> None:
    mei = commands.record_customer(reference="mei", email="mei@example.com", at=NOON)

    with tenancy.acting_for(open_merchant()):
        with pytest.raises(queries.CustomerUnknown):
            queries.customer_by_id(mei)
        with pytest.raises(queries.CustomerUnknown):
            queries.customer_by_contact("email", "mei@example.com")
        with pytest.raises(queries.CustomerUnknown), db.atomically():
            commands.change_address(mei, {})
