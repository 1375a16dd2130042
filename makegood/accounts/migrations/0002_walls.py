"""Row-level security for the tenant's own tables, and the few functions that look across merchants."""

from django.db import migrations

from makegood.kit.tenancy import CURRENT_MERCHANT
from makegood.kit.tenant_models import tenant_table

APPEND_ONLY = """
create function makegood_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = '23001';
end $$
"""

# The directory: which merchant a slug means. Runs as the owner of the table, gives away ids and nothing else.
DIRECTORY = [
    "alter table accounts_merchant enable row level security",
    f"create policy tenant on accounts_merchant using (id = {CURRENT_MERCHANT}) with check (id = {CURRENT_MERCHANT})",
    """
    create function makegood_merchant_of(p_slug text) returns bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select id from accounts_merchant where slug = p_slug $$
    """,
    """
    create function makegood_merchant_ids() returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select id from accounts_merchant order by id $$
    """,
    """
    create function makegood_open_merchant(p_slug text, p_name_zh text, p_name_en text, p_market text,
                                           p_currency text, p_time_zone text, p_settings jsonb, p_at timestamptz)
    returns bigint language sql security definer set search_path = public, pg_temp as
    $$ insert into accounts_merchant (slug, name_zh, name_en, market, currency, time_zone, settings, created_at)
       values (p_slug, p_name_zh, p_name_en, p_market, p_currency, p_time_zone, p_settings, p_at) returning id $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
        migrations.RunSQL(DIRECTORY, migrations.RunSQL.noop),
        tenant_table("accounts_shop"),
        tenant_table("accounts_staff"),
        tenant_table("accounts_apitoken"),
        tenant_table("accounts_answeredrequest"),
    ]
