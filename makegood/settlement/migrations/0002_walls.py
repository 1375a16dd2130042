"""Row-level security, keys that cannot cross merchants, and the sweep's one look across merchants."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table

SWEEP = [
    "create policy sweep on settlement_payout for select to current_user using (true)",
    """
    create function settlement_merchants_to_try(p_at timestamptz, p_limit integer) returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select distinct merchant_id from (
         select merchant_id from settlement_payout
          where state in ('intended', 'sending', 'unknown', 'accepted') and next_try_at <= p_at
          order by next_try_at limit p_limit) as due $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial"), ("cases", "0002_walls")]

    operations = [
        tenant_table(
            "settlement_payout",
            parents={"case_id": "cases_case", "remedy_id": "cases_remedy", "share_id": "cases_remedyshare"},
        ),
        tenant_table("settlement_payoutevent", parents={"payout_id": "settlement_payout"}, append_only=True),
        tenant_table("settlement_gatewaynotice"),
        tenant_table("settlement_dispute", parents={"payment_id": "orders_payment"}),
        tenant_table(
            "settlement_coupon",
            parents={"customer_id": "customers_customer", "payout_id": "settlement_payout"},
        ),
        tenant_table("settlement_gatewayaccount"),
        migrations.RunSQL(SWEEP, migrations.RunSQL.noop),
    ]
