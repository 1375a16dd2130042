"""A shop vouches for who looks at its page: by a short-lived token, signed with a secret that only it and we know."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.conversations.commands.chatting import address_of, become
from makegood.conversations.models import ChatKey, ChatToken
from makegood.customers.queries import customers_by_contact
from makegood.customers.rules import ContactMalformed
from makegood.kit import db, errors, refs, tenancy, vault

PURPOSE = "chat_keys"
KEYS_AT_MOST = 2  # the one in use, and the next while the shop changes over
LONGEST_LIFE = timedelta(hours=1)
CLOCKS_APART = timedelta(minutes=1)
LONGEST = 4000


class ChatTokenRefused(errors.Forbidden):
    code = "chat_token_refused"
    message = "The shop's word for who you are does not hold ({rule}). Prove it by a code instead."


class ChatKeysTooMany(errors.Refused):
    code = "chat_keys_too_many"
    message = "There are {value} secrets already. End the one that no shop uses any more first."


class ChatKeyUnknown(errors.Unknown):
    code = "chat_key_unknown"
    message = "There is no secret {value} in use."


@dataclass(frozen=True, slots=True)
class NewKey:
    """``secret`` is told this once."""

    ref: str
    secret: str


@db.command
def make_chat_key(*, actor: Actor, at: datetime) -> NewKey:
    """A new secret for the shop to sign with. Raises NotAllowed, ChatKeysTooMany."""
    require(actor, May.MANAGE)
    db.execute("select pg_advisory_xact_lock(hashtextextended('chat_keys', %s))", [tenancy.require_merchant_id()])
    in_use = ChatKey.objects.filter(ended_at=None).count()
    if in_use >= KEYS_AT_MOST:
        raise ChatKeysTooMany(in_use, field="keys", rule=f"at_most_{KEYS_AT_MOST}")
    made = NewKey(refs.new_ref("K"), secrets.token_urlsafe(48))
    sealed = vault.seal({"secret": made.secret}, purpose=PURPOSE)
    ChatKey.objects.create(ref=made.ref, sealed=sealed, made_by=actor.key, made_at=at)
    return made


@db.command
def end_chat_key(*, ref: str, actor: Actor, at: datetime) -> None:
    """What was signed with it says nothing any more. Raises NotAllowed, ChatKeyUnknown."""
    require(actor, May.MANAGE)
    if not ChatKey.objects.filter(ref=ref[:20], ended_at=None).update(ended_at=at):
        raise ChatKeyUnknown(ref[:20], field="key")


@db.command
def identify_by_token(*, visitor: str, token: str, audience: str, language: str, at: datetime) -> bool:
    """The shop says who the visitor is; whether that is a customer we know.

    Raises ChatTokenRefused, ChatOfAnother.
    """
    claims = _claims(token, audience=audience, at=at)
    _use_once(str(claims["jti"]), address_of(visitor), until=_moment(claims, "exp"), at=at)
    customer_id = _customer(claims)
    if customer_id is None:
        return False
    become(visitor=visitor, customer_id=customer_id, language=language, at=at)
    return True


def _claims(token: str, *, audience: str, at: datetime) -> dict[str, Any]:
    try:
        if len(token) > LONGEST:
            raise ChatTokenRefused(field="token", rule="too_long")
        key = ChatKey.objects.filter(
            ref=str(jwt.get_unverified_header(token).get("kid", ""))[:20], ended_at=None
        ).first()
        if key is None:
            raise ChatTokenRefused(field="token", rule="unknown_key")
        claims: dict[str, Any] = jwt.decode(
            token,
            vault.unseal(key.sealed, purpose=PURPOSE, name=key.ref)["secret"],
            algorithms=["HS256"],  # never what the token itself names
            audience=audience,
            # The moment is an argument here, and is looked at below.
            options={
                "require": ["aud", "exp", "iat", "jti"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidAudienceError as refused:
        raise ChatTokenRefused(field="token", rule="for_another_shop") from refused
    except (jwt.PyJWTError, ValueError) as refused:
        raise ChatTokenRefused(field="token", rule="not_signed_so") from refused
    began, ends = _moment(claims, "iat"), _moment(claims, "exp")
    if ends <= at:
        raise ChatTokenRefused(field="token", rule="expired")
    if began > at + CLOCKS_APART or ends - began > LONGEST_LIFE:
        raise ChatTokenRefused(field="token", rule="at_most_an_hour")
    if not 8 <= len(str(claims["jti"])) <= 200:
        raise ChatTokenRefused(field="token", rule="jti_of_8_to_200")
    return claims


def _moment(claims: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(claims[name]), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as refused:
        raise ChatTokenRefused(field="token", rule=f"{name}_in_seconds") from refused


def _use_once(jti: str, address: str, *, until: datetime, at: datetime) -> None:
    """A token belongs to the browser that showed it first: copied out of a page, it opens nothing elsewhere."""
    ChatToken.objects.filter(expires_at__lte=at).delete()
    digest = hashlib.sha256(jti.encode()).hexdigest()
    db.execute(
        "insert into conversations_chattoken (digest, address, expires_at) values (%s, %s, %s)"
        " on conflict (merchant_id, digest) do nothing",
        [digest, address, until],
    )
    if ChatToken.objects.get(digest=digest).address != address:
        raise ChatTokenRefused(field="token", rule="used_before")


def _customer(claims: dict[str, Any]) -> int | None:
    """The one customer with the contact that the shop vouches for; None where it is nobody's, or several people's."""
    for kind in ("email", "phone"):
        told = claims.get(kind)
        if isinstance(told, str) and told:
            try:
                found = customers_by_contact(kind, told[:200])
            except ContactMalformed:
                continue
            if len(found) == 1:
                return found[0].id
    return None
