"""Django's PostgreSQL backend, which names the merchant as the first statement of every transaction."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from makegood.kit import tenancy


class DatabaseWrapper(base.DatabaseWrapper):
    """``SET LOCAL`` cannot leak into the next user of a pooled connection, and no transaction can forget it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What ``db.kept`` has read in the transaction that is open.
        self.kept: dict[tuple[object, ...], Any] = {}

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        self.kept = {}
        if not autocommit and (merchant_id := tenancy.current_merchant_id()) is not None:
            with self.wrap_database_errors:
                self.connection.execute(tenancy.NAME_MERCHANT, [str(merchant_id)])
