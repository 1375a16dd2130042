"""Guessing is slowed down: fault 46 of the table, at the counter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from makegood.accounts.limits import Limit, TooManyTries, count_try, forget_tries
from tests.conftest import NOON

LOOK_UP = Limit("look_up", 3, timedelta(minutes=10))


def test_the_fourth_try_in_a_window_is_told_how_long_to_wait() -> None:
    who = uuid4().hex
    for _ in range(3):
        count_try(LOOK_UP, who, at=NOON)

    with pytest.raises(TooManyTries) as refused:
        count_try(LOOK_UP, who, at=NOON + timedelta(minutes=4))

    assert 360 <= refused.value.details["wait_seconds"] <= 361


def test_a_new_window_starts_afresh_and_others_are_not_held_back() -> None:
    who = uuid4().hex
    for _ in range(3):
        count_try(LOOK_UP, who, at=NOON)

    count_try(LOOK_UP, uuid4().hex, at=NOON)
    count_try(LOOK_UP, who, at=NOON + timedelta(minutes=10))


def test_parts_of_a_name_cannot_be_shifted_into_one_another() -> None:
    who = uuid4().hex
    for _ in range(3):
        count_try(LOOK_UP, who + "a", "b", at=NOON)

    count_try(LOOK_UP, who, "ab", at=NOON)


def test_eight_at_once_get_no_more_tries_than_allowed() -> None:
    who = uuid4().hex

    def attempt(_: int) -> bool:
        try:
            count_try(LOOK_UP, who, at=NOON)
        except TooManyTries:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 3


def test_closed_windows_are_forgotten() -> None:
    count_try(LOOK_UP, uuid4().hex, at=NOON - timedelta(days=400))

    assert forget_tries(at=NOON - timedelta(days=399)) >= 1
