"""The merchant of a payout is its case's."""

from django.db import migrations

from makegood.kit.tenant_models import merchant_by_parent


class Migration(migrations.Migration):
    dependencies = [("settlement", "0003_sending"), ("cases", "0003_merchant_by_parent")]

    operations = [merchant_by_parent("settlement_payout", "settlement_payoutevent")]
