"""The merchant of what hangs on a case, an order or a customer is theirs."""

from django.db import migrations

from makegood.kit.tenant_models import merchant_by_parent


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_walls")]

    operations = [
        merchant_by_parent(
            "cases_case",
            "cases_caseline",
            "cases_caseevent",
            "cases_casetext",
            "cases_decision",
            "cases_remedy",
            "cases_remedyshare",
            "cases_deadline",
        ),
    ]
