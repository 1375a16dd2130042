"""What the first of two reviewers would grant."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_merchant_by_parent")]

    operations = [
        migrations.AddField("appeal", "proposed", models.JSONField(blank=True, default=dict)),
    ]
