"""Keep the ledger's law a set at a time, with keys no plan can take for another way: see at_once.sql."""

from pathlib import Path

from django.db import migrations

LAW = (Path(__file__).resolve().parent.parent / "at_once.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_fewer_strokes")]

    operations = [migrations.RunSQL([LAW], migrations.RunSQL.noop)]
