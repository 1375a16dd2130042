"""Row-level security of mail, and the sweep's one look across merchants."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table

# The sweep must know which merchants have mail to read or to send. It learns their ids and nothing else.
SWEEP = [
    "create policy sweep on conversations_rawmail for select to current_user using (true)",
    "create policy sweep on conversations_message for select to current_user using (true)",
    "create policy sweep on conversations_mailbox for select to current_user using (true)",
    """
    create function conversations_merchants_due(p_at timestamptz, p_limit integer) returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select distinct merchant_id from (
         (select merchant_id from conversations_rawmail
           where state = 'stored' and came_at <= p_at order by came_at limit p_limit)
         union all
         (select merchant_id from conversations_message
           where state in ('queued', 'sending') and due_at <= p_at order by due_at limit p_limit)) as due $$
    """,
    """
    create function conversations_merchants_with_mailbox() returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select distinct merchant_id from conversations_mailbox where active and imap_host <> '' $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0003_mail"),
        ("cases", "0002_walls"),
        ("customers", "0002_walls"),
    ]

    operations = [
        tenant_table("conversations_mailbox"),
        tenant_table("conversations_rawmail", parents={"mailbox_id": "conversations_mailbox"}),
        tenant_table(
            "conversations_conversation",
            parents={
                "case_id": "cases_case",
                "customer_id": "customers_customer",
                "mailbox_id": "conversations_mailbox",
            },
        ),
        tenant_table(
            "conversations_message",
            parents={
                "conversation_id": "conversations_conversation",
                "raw_id": "conversations_rawmail",
                "text_id": "cases_casetext",
            },
        ),
        tenant_table(
            "conversations_messagefile",
            parents={"message_id": "conversations_message", "evidence_id": "cases_evidence"},
        ),
        migrations.RunSQL(SWEEP, migrations.RunSQL.noop),
    ]
