"""Which deployment a database belongs to: a copy of it, started elsewhere, must not pay anybody (faults 56 and 57).

The database remembers the environment it was made in; each deployment has an id of its own. Where the two
differ, or somebody has put payouts on hold, no money leaves.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_noop as _

from makegood.kit import db, errors

FOREIGN = _("This database was made by another deployment. Payouts are held until an operator adopts it.")


class EnvironmentMalformed(errors.Malformed):
    code = "environment_malformed"
    message = "{field}: {value} is not a UUID."


def own_environment() -> uuid.UUID:
    """The id of this deployment. Raises EnvironmentMalformed."""
    try:
        return uuid.UUID(settings.ENVIRONMENT)
    except ValueError:
        raise EnvironmentMalformed(settings.ENVIRONMENT, field="MAKEGOOD_ENVIRONMENT", rule="uuid") from None


@db.query
def why_payouts_are_held() -> str | None:
    """The reason no money may leave, or None. Asked before every payout; writes nothing.

    A database that does not know its deployment yet holds payouts too.
    """
    installed = db.fetch_one("select environment, payouts_held, held_because from accounts_installation where id = 1")
    if installed is None or installed["environment"] != own_environment():
        return FOREIGN
    return installed["held_because"] or "held" if installed["payouts_held"] else None


# The same as a condition, for a statement that must not do its work while payouts are held; give own_environment().
MAY_PAY = "exists (select 1 from accounts_installation where id = 1 and environment = %s and not payouts_held)"


def payouts_held() -> bool:
    return why_payouts_are_held() is not None


@db.command
def remember_environment(*, at: datetime) -> None:
    """On the first start, let the database remember where it was made; later starts change nothing."""
    db.execute(
        "insert into accounts_installation (id, environment, payouts_held, held_because, created_at)"
        " values (1, %s, false, '', %s) on conflict (id) do nothing",
        [own_environment(), at],
    )


@db.command
def adopt_database(*, at: datetime) -> None:
    """Make the database this deployment's own: an operator's word that the other one no longer pays."""
    db.execute(
        "insert into accounts_installation (id, environment, payouts_held, held_because, created_at)"
        " values (1, %s, false, '', %s) on conflict (id) do update set environment = excluded.environment",
        [own_environment(), at],
    )


@db.command
def hold_payouts(*, because: str) -> None:
    """Let no money leave: after a restore, until the gateways have been compared."""
    db.execute("update accounts_installation set payouts_held = true, held_because = %s", [because[:200]])


@db.command
def release_payouts() -> None:
    db.execute("update accounts_installation set payouts_held = false, held_because = ''")
