"""The base of every table of a merchant, and the migration operation that walls it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import migrations, models
from django.db.models.expressions import Func

from makegood.kit.tenancy import CURRENT_MERCHANT

M = TypeVar("M", bound=models.Model)


class CurrentMerchant(Func):
    """The database's own default for ``merchant_id``."""

    template = f"({CURRENT_MERCHANT})"
    output_field = models.BigIntegerField()

    def __init__(self) -> None:
        super().__init__()


class TenantModel(models.Model):
    """A row that belongs to a merchant. Its migration must call :func:`tenant_table`; a test checks it."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.BigIntegerField(db_default=CurrentMerchant(), editable=False)

    class Meta:
        abstract = True


def points_at(model: type[M], related_name: str, *, null: bool = False) -> models.ForeignKey[M, M]:
    """A key to another row of the same merchant; its constraint is the pair made by :func:`tenant_table`."""
    return models.ForeignKey(
        model, models.DO_NOTHING, db_constraint=False, db_index=False, related_name=related_name, null=null
    )


def tenant_table(
    table: str, *, parents: Mapping[str, str] | None = None, append_only: bool = False
) -> migrations.RunSQL:
    """Migration operation: row-level security, and foreign keys that cannot point at another merchant's row.

    ``parents`` maps a column to the table it points at. A plain foreign key check bypasses row-level
    security, so every key between tenant tables is the pair (merchant_id, id).
    """
    statements: list[str | tuple[str, dict[str, Any] | list[Any] | tuple[Any, ...] | None]] = [
        f'alter table "{table}" enable row level security',
        f'alter table "{table}" force row level security',
        f'create policy tenant on "{table}" using (merchant_id = {CURRENT_MERCHANT})'
        f" with check (merchant_id = {CURRENT_MERCHANT})",
        f'alter table "{table}" add constraint {table}_tenant_key unique (merchant_id, id)',
        f'alter table "{table}" add constraint {table}_merchant_fk foreign key (merchant_id)'
        " references accounts_merchant (id)",
    ]
    for column, parent in (parents or {}).items():
        statements.append(
            f'alter table "{table}" add constraint {table}_{column}_fk'
            f' foreign key (merchant_id, {column}) references "{parent}" (merchant_id, id)'
            " deferrable initially immediate"
        )
    if append_only:
        statements.append(
            f'create trigger append_only before update or delete on "{table}"'
            " for each row execute function makegood_append_only()"
        )
        statements.append(
            f'create trigger append_only_truncate before truncate on "{table}"'
            " for each statement execute function makegood_append_only()"
        )
    return migrations.RunSQL(sql=tuple(statements), reverse_sql=migrations.RunSQL.noop)


def merchant_by_parent(*tables: str) -> migrations.RunSQL:
    """Migration operation: tables whose every row has a parent of the same merchant need no key to the merchant itself.

    The pair (merchant_id, parent) points at a row whose own merchant is known to be one; saying it again costs a look
    at, and a lock on, the merchant's row for each row written.
    """
    statements = [
        f"""
        do $$ begin
            if not exists (
                select 1 from pg_constraint c
                  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
                 where c.conrelid = '{table}'::regclass and c.contype = 'f' and cardinality(c.conkey) = 2
                   and a.attname <> 'merchant_id' and a.attnotnull) then
                raise exception '{table} has no parent that is always there';
            end if;
            alter table "{table}" drop constraint {table}_merchant_fk;
        end $$
        """
        for table in tables
    ]
    return migrations.RunSQL(sql=tuple(statements), reverse_sql=migrations.RunSQL.noop)
