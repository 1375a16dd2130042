"""Bearer tokens: told once, kept as a hash, good for one merchant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.accounts import commands, queries
from makegood.accounts.actors import Actor, NotAllowed
from makegood.accounts.models import ApiToken
from makegood.accounts.states import May, Role
from makegood.kit import db, tenancy
from tests.conftest import NOON, open_merchant

OWNER = Actor.staff(1, "Ana", Role.OWNER)
LATER = NOON + timedelta(days=1)


def issue(*scopes: May, role: Role = Role.INTEGRATION, days: int | None = None) -> str:
    expires_at = None if days is None else NOON + timedelta(days=days)
    return commands.issue_token(
        label="warehouse", scopes=scopes or {May.READ}, role=role, expires_at=expires_at, actor=OWNER, at=NOON
    )


def test_a_token_names_its_merchant_and_bears_its_scopes(merchant: int) -> None:
    secret = issue(May.READ, May.WRITE_ORDERS)

    assert queries.merchant_id_in_token(secret) == merchant
    actor = queries.actor_of_token(secret, at=LATER)
    assert (actor.kind, actor.label) == ("integration", "warehouse")
    assert actor.scopes == frozenset({"read", "orders:write"})


def test_the_secret_itself_is_nowhere_in_the_database(merchant: int) -> None:
    secret = issue()

    with db.atomically():
        rows = db.fetch("select t::text as row from accounts_apitoken t") + db.fetch(
            "select e::text as row from accounts_accountevent e"
        )
    assert not [row for row in rows if secret.rsplit("_", 1)[-1] in row["row"]]


def test_a_revoked_or_expired_token_is_refused(merchant: int) -> None:
    revoked, expired = issue(), issue(days=1)
    with db.atomically():
        token_id = ApiToken.objects.get(secret_hash=queries.secret_hash(revoked)).id
    commands.revoke_token(token_id=token_id, actor=OWNER, at=NOON)

    for secret in (revoked, expired):
        with pytest.raises(queries.TokenInvalid):
            queries.actor_of_token(secret, at=LATER)


def test_a_token_with_the_number_of_another_merchant_opens_nothing(merchant: int) -> None:
    secret = issue()
    other = open_merchant()
    forged = f"mg_{other}_{secret.split('_', 2)[2]}"

    with tenancy.acting_for(other):
        for guess in (forged, secret):
            with pytest.raises(queries.TokenInvalid):
                queries.actor_of_token(guess, at=LATER)


@pytest.mark.parametrize("text", ["", "mg_", "mg_x_y", "mg_-1_y", "sk_1_y", "mg_" + "9" * 40 + "_y", "mg_１_y", "mg_1"])
def test_what_is_no_token_names_no_merchant(text: str) -> None:
    assert queries.merchant_id_in_token(text) is None


def test_a_token_cannot_be_given_more_than_its_role_may(merchant: int) -> None:
    with pytest.raises(commands.AccountFieldMalformed):
        issue(May.APPROVE)
    assert queries.actor_of_token(issue(May.APPROVE, role=Role.AGENT), at=NOON).may(May.APPROVE)


def test_only_owners_issue_tokens(merchant: int) -> None:
    with pytest.raises(NotAllowed):
        commands.issue_token(label="x", scopes=[], actor=Actor.staff(2, "Bo", Role.MANAGER), at=NOON)


def test_another_merchants_token_cannot_be_revoked(merchant: int) -> None:
    issue()
    with db.atomically():
        token_id = ApiToken.objects.get().id

    with tenancy.acting_for(open_merchant()), pytest.raises(commands.TokenUnknown):
        commands.revoke_token(token_id=token_id, actor=OWNER, at=NOON)
