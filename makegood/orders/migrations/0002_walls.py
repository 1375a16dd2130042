"""Row-level security and keys that cannot cross merchants."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial"), ("customers", "0002_walls")]

    operations = [
        tenant_table("orders_order", parents={"customer_id": "customers_customer"}),
        tenant_table("orders_line", parents={"order_id": "orders_order"}),
        tenant_table("orders_payment", parents={"order_id": "orders_order"}),
        tenant_table("orders_parcel", parents={"order_id": "orders_order"}),
        tenant_table("orders_parcelline", parents={"parcel_id": "orders_parcel", "line_id": "orders_line"}),
        tenant_table("orders_parcelevent", parents={"parcel_id": "orders_parcel"}, append_only=True),
        tenant_table("orders_catalogitem"),
        tenant_table("orders_import"),
    ]
