"""JSON as it goes over the wire: read within bounds, money and pages in one shape everywhere."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import from_json

from makegood.kit import errors
from makegood.kit.money import Money

PAGE_LIMIT = 50
PAGE_LIMIT_MAX = 200

T = TypeVar("T")


class JsonMalformed(errors.Malformed):
    code = "json_malformed"
    message = "The body is not JSON that can be read ({rule})."


class CursorMalformed(errors.Malformed):
    code = "cursor_malformed"
    message = "{field}: {value} is not a cursor this list gave."


def read_json(raw: bytes) -> Any:
    """Read JSON strictly and in bounded time: at most 200 levels deep, no NaN, no NUL in texts.

    The reader is native code with a limit of its own on depth and on digits, so that a hostile
    document costs no more than its length. Raises JsonMalformed.
    """
    try:
        document = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    except ValueError as refused:
        raise JsonMalformed(rule=str(refused)[:120]) from None
    # PostgreSQL stores no NUL in texts. The escape is looked for first, for it is hardly ever there.
    if b"\\u0000" in raw and _holds_nul(document):
        raise JsonMalformed(rule="no_NUL_character")
    return document


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_holds_nul, value))


def _written_out(value: object) -> object:
    """A number would be taken for seconds since 1970, of which nobody knows the unit."""
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("rfc_3339_with_offset")
    if not isinstance(value, str | datetime):
        raise ValueError("rfc_3339_with_offset")  # noqa: TRY004 - the reader turns only this kind into a refusal
    return value


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""An instant as RFC 3339 writes it, with its offset."""


class Plain(BaseModel):
    """A document of the API: fields we know and no others, so that a typing mistake is not swallowed."""

    model_config = ConfigDict(extra="forbid")


class MoneyJson(Plain):
    """An amount as a decimal string with the decimals of its currency."""

    currency: str = Field(pattern="^[A-Z]{3}$", examples=["CNY"])
    amount: str = Field(pattern=r"^[0-9]{1,18}(\.[0-9]{1,4})?$", examples=["2999.00"])

    def money(self, field: str = "amount") -> Money:
        """Raises CurrencyUnknown, AmountMalformed."""
        return Money.parse(self.amount, self.currency, field=field)

    @classmethod
    def of(cls, money: Money) -> MoneyJson:
        return cls(currency=money.currency, amount=money.amount())


class Page(Plain, Generic[T]):
    """One page of a list, newest or most urgent first as the list says. ``next_cursor`` is null on the last page."""

    data: list[T]
    next_cursor: str | None


def write_cursor(*key: Any) -> str:
    """The place after a row, by the values the list is sorted by, the id last."""
    return base64.urlsafe_b64encode(json.dumps(key, default=str, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The values of a cursor, each read by its kind (``int``, ``datetime.fromisoformat``).

    A cursor is no secret and grants nothing: it only says where to go on. Raises CursorMalformed.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError(cursor)
        return tuple(None if value is None else kind(value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, RecursionError):
        raise CursorMalformed(cursor, field="cursor") from None


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[Any]]) -> tuple[list[T], str | None]:
    """Cut rows, of which one more than ``limit`` was asked for, to a page and the cursor of the next."""
    page = list(rows[:limit])
    return page, write_cursor(*key(page[-1])) if len(rows) > limit else None
