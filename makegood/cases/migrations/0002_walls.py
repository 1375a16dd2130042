"""Row-level security, keys that cannot cross merchants, and the sweep's one look across merchants."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table

# The sweep must know which merchants have something due. It learns their ids and nothing else.
SWEEP = [
    "create policy sweep on cases_deadline for select to current_user using (true)",
    """
    create function cases_merchants_due(p_at timestamptz, p_limit integer) returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select distinct merchant_id from (
         select merchant_id from cases_deadline
          where state = 'open' and due_at <= p_at order by due_at limit p_limit) as due $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial"), ("orders", "0002_walls"), ("ledger", "0002_law")]

    operations = [
        tenant_table(
            "cases_case", parents={"order_id": "orders_order", "customer_id": "customers_customer"}
        ),
        tenant_table("cases_caseline", parents={"case_id": "cases_case", "line_id": "orders_line"}),
        tenant_table("cases_caseevent", parents={"case_id": "cases_case"}, append_only=True),
        tenant_table("cases_casetext", parents={"case_id": "cases_case"}),
        tenant_table("cases_evidence", parents={"case_id": "cases_case"}, append_only=True),
        tenant_table("cases_finding", parents={"case_id": "cases_case"}, append_only=True),
        tenant_table("cases_decision", parents={"case_id": "cases_case"}),
        tenant_table("cases_budget"),
        tenant_table(
            "cases_remedy",
            parents={
                "decision_id": "cases_decision",
                "case_id": "cases_case",
                "line_id": "orders_line",
                "budget_id": "cases_budget",
            },
        ),
        tenant_table("cases_remedyshare", parents={"remedy_id": "cases_remedy", "payment_id": "orders_payment"}),
        tenant_table("cases_appeal", parents={"case_id": "cases_case", "decision_id": "cases_decision"}),
        tenant_table("cases_deadline", parents={"case_id": "cases_case"}),
        tenant_table("cases_parcelfollowed", parents={"parcel_id": "orders_parcel"}),
        migrations.RunSQL(SWEEP, migrations.RunSQL.noop),
    ]
