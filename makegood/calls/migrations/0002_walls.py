"""Row-level security of calls."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0001_initial"),
        ("conversations", "0004_mail_walls"),
        ("cases", "0002_walls"),
        ("customers", "0002_walls"),
    ]

    operations = [
        tenant_table("calls_phoneline"),
        tenant_table(
            "calls_call",
            parents={
                "customer_id": "customers_customer",
                "case_id": "cases_case",
                "conversation_id": "conversations_conversation",
                "transcript_message_id": "conversations_message",
            },
        ),
        tenant_table("calls_callsignal", parents={"call_id": "calls_call"}, append_only=True),
        tenant_table("calls_callcheck", parents={"call_id": "calls_call"}, append_only=True),
        tenant_table("calls_callopening", parents={"call_id": "calls_call"}, append_only=True),
    ]
