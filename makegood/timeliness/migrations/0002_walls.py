"""Row-level security of promises, and the sweep's one look across merchants."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table

# The sweep must know which merchants promise anything. It learns their ids and nothing else.
SWEEP = [
    "create policy sweep on timeliness_target for select to current_user using (true)",
    """
    create function timeliness_merchants() returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select distinct merchant_id from timeliness_target $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [
        ("timeliness", "0001_initial"),
        ("cases", "0002_walls"),
        ("customers", "0002_walls"),
    ]

    operations = [
        tenant_table("timeliness_target", parents={"customer_id": "customers_customer"}),
        tenant_table("timeliness_promise", parents={"case_id": "cases_case"}),
        tenant_table("timeliness_standing", parents={"case_id": "cases_case"}),
        tenant_table("timeliness_handover"),
        migrations.RunSQL(SWEEP, migrations.RunSQL.noop),
    ]
