"""Row-level security and keys that cannot cross merchants."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial"), ("accounts", "0002_walls")]

    operations = [
        tenant_table("customers_customer"),
        tenant_table("customers_contact", parents={"customer_id": "customers_customer"}),
        tenant_table("customers_savedmethod", parents={"customer_id": "customers_customer"}),
        tenant_table("customers_onetimecode"),
    ]
