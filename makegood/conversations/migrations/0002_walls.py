"""Row-level security."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial"), ("accounts", "0002_walls")]

    operations = [tenant_table("conversations_letter")]
