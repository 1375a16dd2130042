"""Keep the ledger's law a statement at a time: see posting.sql."""

from pathlib import Path

from django.db import migrations

from makegood.kit.tenant_models import merchant_by_parent

LAW = (Path(__file__).resolve().parent.parent / "posting.sql").read_text()

# Whose entries and accounts these are is known by the head of the chain, which points at the merchant: without a head
# no entry passes the commit (entry_closed), and without an entry no posting moves an account.
BY_THE_HEAD = [
    "alter table ledger_entry drop constraint ledger_entry_merchant_fk",
    "alter table ledger_account drop constraint ledger_account_merchant_fk",
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_law")]

    operations = [
        migrations.RunSQL([LAW], migrations.RunSQL.noop),
        migrations.RunSQL(BY_THE_HEAD, migrations.RunSQL.noop),
        merchant_by_parent("ledger_posting"),
    ]
