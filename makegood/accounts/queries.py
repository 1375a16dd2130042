"""Reads of merchants, shops, staff and tokens. What is another merchant's is answered like what does not exist."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import models

from makegood.accounts.actors import Actor
from makegood.accounts.models import AccountEvent, ApiToken, Merchant, Shop, Staff
from makegood.accounts.rules import MerchantSettings, read_settings
from makegood.kit import db, errors, tenancy
from makegood.kit.asking import Question, answer, instance
from makegood.kit.wire import page_of, read_cursor

USE_NOTED_EVERY = timedelta(minutes=5)


class MerchantUnknown(errors.Unknown):
    code = "merchant_unknown"
    message = "There is no merchant {value}."


class ShopUnknown(errors.Unknown):
    code = "shop_unknown"
    message = "There is no shop {value}."


class StaffUnknown(errors.Unknown):
    code = "staff_unknown"
    message = "There is no member of staff {value}."


class TokenInvalid(errors.Forbidden):
    """The bearer is not known: HTTP answers 401, without a word on which part was wrong."""

    code = "token_invalid"
    message = "The access token is missing, unknown, expired or revoked."


@db.query
def merchant_in_sight_called(slug: str) -> Merchant | None:
    """The merchant in sight, if that is its slug: what a page of who is signed in there asks first."""
    return Merchant.objects.filter(slug=slug).first()


@db.query
def merchant() -> Merchant:
    """The merchant in sight. Raises NoMerchant, MerchantUnknown."""
    merchant_id = tenancy.require_merchant_id()
    found = Merchant.objects.filter(id=merchant_id).first()
    if found is None:
        raise MerchantUnknown(merchant_id, field="merchant")
    return found


@db.query
def slug() -> str:
    """The slug of the merchant in sight, read once a transaction. Raises NoMerchant, MerchantUnknown."""
    return db.kept(SLUG, _read_slug)


def _read_slug() -> str:
    merchant_id = tenancy.require_merchant_id()
    row = db.fetch_one("select slug from accounts_merchant where id = %s", [merchant_id])
    if row is None:
        raise MerchantUnknown(merchant_id, field="merchant")
    return str(row["slug"])


@db.query
def settings_of_merchant() -> MerchantSettings:
    """The settings of the merchant in sight: read once a transaction, understood once per wording.

    What is kept beyond the transaction is keyed by the text in the database. Raises MerchantUnknown.
    """
    return db.kept(SETTINGS, _read_settings)


def settings_in(merchant: Merchant) -> MerchantSettings:
    """The settings of a merchant whose row is at hand."""
    return _understood(json.dumps(merchant.settings), merchant.currency, merchant.market, merchant.time_zone)


SETTINGS = "accounts.settings"
SLUG = "accounts.slug"


def settings_statement() -> tuple[str, db.Params]:
    """What asks for the merchant's settings, to be sent along with other statements; give the rows to ``keep``."""
    return (
        "select slug, settings::text as settings, currency, market, time_zone from accounts_merchant where id = %s",
        [tenancy.require_merchant_id()],
    )


def keep_settings(rows: list[dict[str, Any]]) -> None:
    """Know the settings and the slug for the rest of the transaction."""
    if (row := db.only(rows)) is not None:
        db.keep(SETTINGS, _settings_from(row))
        db.keep(SLUG, str(row["slug"]))


def asking_settings() -> Question[MerchantSettings]:
    """As ``settings_of_merchant``, which then need not be asked again in this transaction."""
    merchant_id = tenancy.require_merchant_id()

    def read(rows: list[dict[str, Any]]) -> MerchantSettings:
        if not rows:
            raise MerchantUnknown(merchant_id, field="merchant")
        understood = _settings_from(rows[0])
        return db.kept(SETTINGS, lambda: understood)

    return Question(settings_statement(), read=read)


def _read_settings() -> MerchantSettings:
    return answer(asking_settings())


def _settings_from(row: dict[str, Any]) -> MerchantSettings:
    return _understood(row["settings"], row["currency"], row["market"], row["time_zone"])


@lru_cache(maxsize=512)
def _understood(settings: str, currency: str, market: str, time_zone: str) -> MerchantSettings:
    return read_settings(json.loads(settings), currency=currency, market=market, time_zone=time_zone)


@db.query
def merchant_id_by_slug(slug: str) -> int:
    """Which merchant a slug means, whoever is in sight. Raises MerchantUnknown."""
    row = db.fetch_one("select makegood_merchant_of(%s) as id", [slug])
    if row is None or row["id"] is None:
        raise MerchantUnknown(slug, field="merchant")
    return int(row["id"])


@db.query
def merchant_ids() -> list[int]:
    """All merchants, oldest first: for sweeps, which then work for one at a time."""
    return [row["id"] for row in db.fetch("select id from makegood_merchant_ids() as id")]


@db.query
def staff_by_id(staff_id: int) -> Staff:
    """One member of staff, active or not. Raises StaffUnknown."""
    found = Staff.objects.filter(id=staff_id).first()
    if found is None:
        raise StaffUnknown(staff_id, field="staff")
    return found


@db.query
def staff_list() -> list[Staff]:
    """Everybody who works or worked for the merchant, by name."""
    return answer(asking_staff())


def asking_staff() -> Question[list[Staff]]:
    sql = "select * from accounts_staff order by is_active desc, name, id"
    return Question((sql, []), read=lambda rows: [instance(Staff, row) for row in rows])


@db.query
def shop_by_slug(slug: str) -> Shop:
    """Raises ShopUnknown."""
    found = Shop.objects.filter(slug=slug).first()
    if found is None:
        raise ShopUnknown(slug, field="shop")
    return found


@db.query
def shops() -> list[Shop]:
    return list(Shop.objects.order_by("slug"))


@db.query
def settings_text() -> str:
    """The settings as stored, to be edited and given to ``change_settings``."""
    return json.dumps(merchant().settings, ensure_ascii=False, indent=2, sort_keys=True)


def actor_of_staff(staff: Staff) -> Actor:
    return Actor.staff(staff.id, staff.name, staff.role)


def merchant_id_in_token(secret: str) -> int | None:
    """The merchant a token claims to be of, so that row-level security can be pointed at it; proves nothing."""
    parts = secret.split("_", 2)
    if len(parts) == len(("mg", "merchant", "random")) and parts[0] == "mg":
        number = parts[1]
        # Longer numbers are no bigint; other digits than ASCII's are not ours.
        if number.isascii() and number.isdigit() and len(number) <= 18:
            return int(number)
    return None


def secret_hash(secret: str) -> str:
    """What is kept of a token. The secret has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


@db.query
def actor_of_token(secret: str, *, at: datetime) -> Actor:
    """Who bears this token, looked up among the tokens of the merchant in sight; notes that it was used.

    The note is as exact as :data:`USE_NOTED_EVERY`, so that a busy token does not write at each request.
    Raises TokenInvalid.
    """
    row = db.fetch_one(
        "select id, label, role, scopes, customer_id, current_setting('transaction_read_only') = 'off'"
        " and (last_used_at is null or last_used_at < %(noted)s) as to_note from accounts_apitoken"
        " where secret_hash = %(hash)s and revoked_at is null and (expires_at is null or expires_at > %(at)s)",
        {"hash": secret_hash(secret), "at": at, "noted": at - USE_NOTED_EVERY},
    )
    if row is None:
        raise TokenInvalid(field="Authorization", rule="Bearer")
    if row["to_note"]:
        db.execute("update accounts_apitoken set last_used_at = %s where id = %s", [at, row["id"]])
    scopes = row["scopes"] if isinstance(row["scopes"], list) else json.loads(row["scopes"])
    return Actor(
        "integration",
        id=row["id"],
        label=row["label"],
        role=row["role"],
        scopes=frozenset(scopes),
        only_customer=row["customer_id"],
    )


@dataclass(frozen=True, slots=True)
class EventsPage:
    """``next`` is the cursor of the following page, None on the last."""

    rows: tuple[AccountEvent, ...]
    next: str | None


@db.query
def account_events(
    *, what: str = "", subject: str = "", actor: str = "", after: str = "", limit: int = 50
) -> EventsPage:
    """What was changed about the merchant itself, newest first. Raises CursorMalformed."""
    found = AccountEvent.objects.order_by("-id")
    wanted = {"what": what, "subject": subject, "actor": actor}
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    if after:
        (last,) = read_cursor(after, int)
        found = found.filter(id__lt=last)
    rows, following = page_of(list(found[: limit + 1]), limit, lambda row: (row.id,))
    return EventsPage(tuple(rows), following)


@db.query
def token_list() -> list[ApiToken]:
    """Every token ever issued, those in force first."""
    return list(ApiToken.objects.order_by(models.F("revoked_at").desc(nulls_first=True), "-id"))
