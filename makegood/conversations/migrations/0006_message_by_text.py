from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0005_sender_proof")]

    operations = [
        migrations.AddIndex(
            "message",
            models.Index(
                condition=models.Q(("text__isnull", False)), fields=["merchant_id", "text"], name="message_by_text"
            ),
        ),
    ]
