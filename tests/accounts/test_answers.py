"""One request key, one effect: fault 21 of the table, at the level of commands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from makegood.accounts import answers, commands
from makegood.accounts.actors import Actor
from makegood.accounts.answers import Answer
from makegood.accounts.models import AnsweredRequest, Shop
from makegood.accounts.states import Role
from makegood.kit import db, tenancy
from tests.conftest import NOON, open_merchant

OWNER = Actor.staff(1, "Ana", Role.OWNER)


def open_shop(slug: str = "west") -> Answer:
    shop = commands.open_shop(slug=slug, name_zh="西", name_en="West", kind="online", actor=OWNER, at=NOON)
    return Answer(201, {"shop": shop.slug})


def ask(effect: Callable[[], Answer] = open_shop, *, body: str = "west", key: str = "k1") -> Answer:
    return answers.answer_once(
        route="POST /shops", key=key, body_sha256=answers.fingerprint(body), effect=effect, at=NOON
    )


def shops() -> int:
    with db.atomically():
        return Shop.objects.count()


def test_the_same_request_again_gets_the_same_answer_and_no_second_effect(merchant: int) -> None:
    first, second = ask(), ask()

    assert (first.status, first.body, first.replayed) == (201, {"shop": "west"}, False)
    assert (second.status, second.body, second.replayed) == (201, {"shop": "west"}, True)
    assert shops() == 1


def test_another_body_under_the_same_key_is_refused(merchant: int) -> None:
    ask()

    with pytest.raises(answers.IdempotencyKeyReused):
        ask(lambda: open_shop("east"), body="east")
    assert shops() == 1


def test_a_refused_request_leaves_its_key_free(merchant: int) -> None:
    with pytest.raises(commands.AccountFieldMalformed):
        ask(lambda: open_shop("not a slug"))

    assert ask().status == 201


def test_a_crash_after_the_effect_leaves_neither_key_nor_effect(merchant: int) -> None:
    def crash() -> Answer:
        open_shop()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(crash)

    with db.atomically():
        assert not AnsweredRequest.objects.exists()
    assert shops() == 0


def test_two_merchants_may_use_the_same_key(merchant: int) -> None:
    ask()

    with tenancy.acting_for(open_merchant()):
        assert not ask().replayed


def test_a_retry_while_the_first_try_is_at_work_is_told_so(merchant: int) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slowly() -> Answer:
        answer = open_shop()
        at_work.set()
        assert go_on.wait(30)
        return answer

    def first() -> Answer:
        try:
            with tenancy.acting_for(merchant):
                return ask(slowly)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        running = pool.submit(first)
        assert at_work.wait(30)
        try:
            with pytest.raises(answers.RequestInProgress):
                ask()
        finally:
            go_on.set()
        assert running.result().status == 201
    assert ask().replayed


def test_eight_at_once_have_one_effect(merchant: int) -> None:
    together = threading.Barrier(8)

    def attempt(_: int) -> str:
        try:
            with tenancy.acting_for(merchant):
                together.wait(30)
                return "again" if ask().replayed else "done"
        except answers.RequestInProgress as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))

    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "again", "request_in_progress"}
    assert shops() == 1


def test_keys_are_remembered_for_ninety_days(merchant: int) -> None:
    ask()

    assert answers.forget_answers(at=NOON + timedelta(days=90)) == 0
    assert ask().replayed
    assert answers.forget_answers(at=NOON + timedelta(days=90, seconds=1)) == 1


@pytest.mark.parametrize("key", [None, "", "x" * 256, "schlüssel", "a\nb", "a b"])
def test_a_key_that_cannot_be_kept_counts_as_missing(key: str | None) -> None:
    with pytest.raises(answers.IdempotencyKeyMissing):
        answers.read_key(key)
