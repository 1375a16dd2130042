"""One-time codes: proof that the person asking holds a contact. Six digits, ten minutes, few attempts."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings

from makegood.kit import db, errors, tenancy

LIFETIME = timedelta(minutes=10)
ATTEMPTS_MAX = 5
# So many codes a subject may be sent within such a time: guessing stays hopeless, and nobody's phone is flooded.
LIMITS = ((timedelta(minutes=10), 3), (timedelta(days=1), 10))


class CodeTooOften(errors.Refused):
    code = "one_time_code_too_often"
    message = "Too many codes were asked for; try again after {retry_at}."


class CodeWrong(errors.Forbidden):
    code = "one_time_code_wrong"
    message = "That is not the code that was sent, or it can no longer be used."


@db.command
def send_code(*, subject: str, purpose: str, at: datetime) -> str:
    """Make a code for a subject (a normalised contact, or a contact and an order) and give it to be sent.

    Only its keyed hash is stored; codes sent earlier for the same purpose no longer count. Raises CodeTooOften.
    """
    # Two requests at once must not both see the last free place.
    db.execute("select pg_advisory_xact_lock(hashtextextended('code/' || %s || '/' || %s, %s))", [*_place(subject)])
    for span, most in LIMITS:
        rows = db.fetch(
            "select created_at from customers_onetimecode where subject = %s and created_at > %s"
            " order by created_at desc limit %s",
            [subject, at - span, most],
        )
        if len(rows) == most:
            retry_at = rows[-1]["created_at"] + span
            raise CodeTooOften(subject, field="subject", rule=f"{most} in {span}", retry_at=retry_at.isoformat())
    code = f"{secrets.randbelow(10**6):06d}"
    db.execute(
        "update customers_onetimecode set expires_at = %s"
        " where subject = %s and purpose = %s and used_at is null and expires_at > %s",
        [at, subject, purpose, at],
    )
    row = {
        "purpose": purpose,
        "subject": subject,
        "code_hash": _hash(subject, purpose, code),
        "attempts": 0,
        "created_at": at,
        "expires_at": at + LIFETIME,
    }
    db.insert("customers_onetimecode", [row])
    return code


def check_code(*, subject: str, purpose: str, code: str, at: datetime) -> None:
    """Accept a code once. Raises CodeWrong, alike for wrong, used, expired and never sent ones.

    A wrong attempt counts although it is refused: the count commits before the refusal is raised.
    """
    if not _try_code(subject=subject, purpose=purpose, code=code, at=at):
        raise CodeWrong(field="code", rule=f"{ATTEMPTS_MAX} attempts within {LIFETIME}")


@db.command
def _try_code(*, subject: str, purpose: str, code: str, at: datetime) -> bool:
    row = db.fetch_one(
        "select id, code_hash, attempts from customers_onetimecode where subject = %s and purpose = %s"
        " and used_at is null and expires_at > %s order by created_at desc, id desc limit 1 for update",
        [subject, purpose, at],
    )
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    guess = _hash(subject, purpose, typed)
    right = hmac.compare_digest(guess, row["code_hash"] if row else "0" * 64)
    if row is None or row["attempts"] >= ATTEMPTS_MAX:
        return False
    db.execute(
        "update customers_onetimecode set attempts = attempts + 1, used_at = %s where id = %s",
        [at if right else None, row["id"]],
    )
    return right


def _place(subject: str) -> tuple[str, str, int]:
    return str(tenancy.require_merchant_id()), subject, 0


def _hash(subject: str, purpose: str, code: str) -> str:
    # Keyed: six digits alone could be found from a stolen table in a moment.
    text = "\x1f".join((str(tenancy.require_merchant_id()), purpose, subject, code))
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(errors="replace"), sha256).hexdigest()
