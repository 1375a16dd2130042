"""Whose rows are in sight: one merchant at a time, enforced by the database.

Every table of a merchant has row-level security, enabled and forced. Its policy compares ``merchant_id``
with the setting ``makegood.merchant``, which our database backend sets as the first statement of every
transaction. Outside a transaction, or with no merchant named, no row is visible and none can be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection

NAME_MERCHANT = "select set_config('makegood.merchant', %s, true)"
CURRENT_MERCHANT = "nullif(current_setting('makegood.merchant', true), '')::bigint"

_merchant: ContextVar[int | None] = ContextVar("merchant", default=None)


class NoMerchant(RuntimeError):
    """Code touched tenant rows without saying whose: a defect, never a user's mistake."""


def current_merchant_id() -> int | None:
    return _merchant.get()


def require_merchant_id() -> int:
    """The merchant in sight. Raises NoMerchant."""
    if (merchant_id := _merchant.get()) is None:
        raise NoMerchant("name the merchant with tenancy.acting_for(merchant_id)")
    return merchant_id


@contextmanager
def acting_for_nobody() -> Iterator[None]:
    """Everything inside sees no merchant's rows: how every request begins."""
    token = _merchant.set(None)
    try:
        yield
    finally:
        _merchant.reset(token)


@contextmanager
def acting_for(merchant_id: int) -> Iterator[None]:
    """Everything inside sees and writes the rows of this merchant only."""
    token = _merchant.set(merchant_id)
    before = ""
    inside = connection.in_atomic_block
    if inside:
        with connection.cursor() as cursor:
            cursor.execute("select coalesce(current_setting('makegood.merchant', true), '')")
            before = cursor.fetchone()[0]
            cursor.execute(NAME_MERCHANT, [str(merchant_id)])
    try:
        yield
    finally:
        _merchant.reset(token)
        if inside and connection.in_atomic_block and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute(NAME_MERCHANT, [before])
