"""A one-time code proves a contact once, for ten minutes, against few guesses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from makegood.customers.codes import CodeTooOften, CodeWrong, check_code, send_code
from makegood.kit import db, tenancy
from tests.conftest import NOON, open_merchant

MINUTE = timedelta(minutes=1)


def send(minutes: float = 0, subject: str = "mei@example.com") -> str:
    return send_code(subject=subject, purpose="find_order", at=NOON + minutes * MINUTE)


def check(code: str, minutes: float = 1, subject: str = "mei@example.com", purpose: str = "find_order") -> None:
    check_code(subject=subject, purpose=purpose, code=code, at=NOON + minutes * MINUTE)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


pytestmark = pytest.mark.usefixtures("merchant")


def test_the_right_code_is_accepted_once() -> None:
    code = send()

    check(code)
    with pytest.raises(CodeWrong):
        check(code)


def test_a_code_typed_full_width_and_spaced_is_the_same_code() -> None:
    code = send()

    check(f" {code[:3]} {''.join(chr(ord(digit) + 0xFEE0) for digit in code[3:])}")


def test_only_the_hash_is_stored() -> None:
    code = send()

    with db.atomically():
        row = db.fetch_one("select * from customers_onetimecode")
    assert row is not None
    assert code not in str(row["code_hash"])
    assert len(row["code_hash"]) == 64


def test_a_code_ends_after_ten_minutes() -> None:
    code = send()

    with pytest.raises(CodeWrong):
        check(code, minutes=10)


def test_a_code_is_worth_nothing_for_another_purpose_subject_or_merchant() -> None:
    code = send()

    with pytest.raises(CodeWrong):
        check(code, purpose="sign_in")
    with pytest.raises(CodeWrong):
        check(code, subject="bo@example.com")
    with tenancy.acting_for(open_merchant()), pytest.raises(CodeWrong):
        check(code)
    check(code)


def test_after_five_wrong_guesses_the_right_code_is_refused() -> None:
    code = send()
    for _ in range(5):
        with pytest.raises(CodeWrong):
            check(other_than(code))

    with pytest.raises(CodeWrong):
        check(code)


def test_a_new_code_ends_the_old_one() -> None:
    old, new = send(), send(minutes=1)

    if old != new:
        with pytest.raises(CodeWrong):
            check(old, minutes=2)
    check(new, minutes=2)


def test_a_fourth_code_in_ten_minutes_is_refused_and_told_when() -> None:
    for minute in range(3):
        send(minutes=minute)

    with pytest.raises(CodeTooOften) as refused:
        send(minutes=5)

    assert refused.value.details["retry_at"] == (NOON + 10 * MINUTE).isoformat()
    send(minutes=5, subject="bo@example.com")
    send(minutes=10)


def test_many_asking_at_once_get_no_more_codes_than_one(merchant: int) -> None:
    def ask(_: int) -> str:
        try:
            with tenancy.acting_for(merchant):
                send()
                return "sent"
        except CodeTooOften as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(ask, range(6)))

    assert sorted(outcomes) == ["one_time_code_too_often"] * 3 + ["sent"] * 3


def test_guesses_at_once_are_counted_each(merchant: int) -> None:
    code = send()

    def guess(_: int) -> None:
        try:
            with tenancy.acting_for(merchant), pytest.raises(CodeWrong):
                check(other_than(code))
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(guess, range(5)))

    with pytest.raises(CodeWrong):
        check(code)
