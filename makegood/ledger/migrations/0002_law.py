"""The ledger's law in the database: see ledger.sql. The application may read, and post through one function."""

from pathlib import Path

from django.db import migrations

from makegood.kit.tenancy import CURRENT_MERCHANT
from makegood.kit.tenant_models import tenant_table

LAW = (Path(__file__).resolve().parent.parent / "ledger.sql").read_text()

HEAD = [
    "alter table ledger_head enable row level security",
    "alter table ledger_head force row level security",
    f"create policy tenant on ledger_head using (merchant_id = {CURRENT_MERCHANT})"
    f" with check (merchant_id = {CURRENT_MERCHANT})",
    "alter table ledger_head add constraint ledger_head_merchant_fk"
    " foreign key (merchant_id) references accounts_merchant (id)",
]

# Everyone but the owner reads only; the owner's own function writes.
READ_ONLY = [
    f"""
    do $$ declare r text; begin
      for r in select distinct grantee from information_schema.role_table_grants
                where table_name = '{table}' and grantee not in (current_user, 'postgres')
      loop execute format('revoke insert, update, delete, truncate on {table} from %s',
                          case r when 'PUBLIC' then 'public' else quote_ident(r) end); end loop;
    end $$
    """
    for table in ("ledger_head", "ledger_account", "ledger_entry", "ledger_posting")
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("orders", "0002_walls")]

    operations = [
        migrations.RunSQL(HEAD, migrations.RunSQL.noop),
        tenant_table("ledger_account"),
        tenant_table("ledger_entry", parents={"order_id": "orders_order"}, append_only=True),
        tenant_table(
            "ledger_posting",
            parents={"entry_id": "ledger_entry", "account_id": "ledger_account"},
            append_only=True,
        ),
        migrations.RunSQL([LAW], migrations.RunSQL.noop),
        migrations.RunSQL(READ_ONLY, migrations.RunSQL.noop),
    ]
