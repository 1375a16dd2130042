"""Django's PostgreSQL backend, which names the merchant as the first statement of every transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from psycopg import _preparing, pq

from makegood.kit import tenancy

# More than psycopg's 100: we have more statements than that, and each forgotten one is planned anew.
PREPARED_MAX = 500


class KeptThroughRollbacks(_preparing.PrepareManager):
    """Prepared statements outlive a rollback, as they do in PostgreSQL.

    psycopg forgets all of them at every rollback, for the sake of programs that create and drop tables as they go.
    Ours does so in migrations only; and each refused request, preview and rehearsal ends with a rollback.
    """

    def _should_discard(self, prep: _preparing.Prepare, results: Sequence[pq.abc.PGresult], *rest: Any) -> bool:
        dropped = [result for result in results if not (result.command_status or b"").startswith(b"ROLLBACK")]
        if not dropped or not super()._should_discard(prep, dropped, *rest):
            return False
        return super().clear()

    def clear(self) -> bool:
        """What a rollback asks for, and what a statement that drops or alters something asks for first."""
        return bool(self._names)


class DatabaseWrapper(base.DatabaseWrapper):
    """``SET LOCAL`` cannot leak into the next user of a pooled connection, and no transaction can forget it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What ``db.kept`` has read in the transaction that is open.
        self.kept: dict[tuple[object, ...], Any] = {}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        manager = KeptThroughRollbacks()
        manager.prepare_threshold = connection.prepare_threshold
        manager.prepared_max = PREPARED_MAX
        connection._prepared = manager  # noqa: SLF001 - the library offers no other way
        return connection

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        self.kept = {}
        if not autocommit and (merchant_id := tenancy.current_merchant_id()) is not None:
            with self.wrap_database_errors:
                self.connection.execute(tenancy.NAME_MERCHANT, [str(merchant_id)])
