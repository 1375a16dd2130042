"""Row-level security."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table


class Migration(migrations.Migration):
    dependencies = [("voice", "0001_initial"), ("cases", "0002_walls")]

    operations = [
        tenant_table(
            "voice_feedback",
            parents={"case_id": "cases_case", "order_id": "orders_order", "customer_id": "customers_customer"},
        )
    ]
