"""What happened just now, for pages that are open: a short log that anybody may lose, walled off like every table.

``xid`` is the transaction that told it. Numbers of a sequence are given before the commit, so a reader who remembers the
highest one misses what was numbered before and committed after; a reader who remembers its snapshot does not.
"""

from django.db import migrations

from makegood.kit.tenancy import CURRENT_MERCHANT

LIVE = [
    f"""
    create table kit_liveevent (
        id bigint generated always as identity,
        merchant_id bigint not null default {CURRENT_MERCHANT},
        xid bigint not null default pg_current_xact_id()::text::bigint,
        channel text not null,
        kind text not null,
        data jsonb not null,
        at timestamptz not null default now(),
        primary key (merchant_id, id))
    """,
    "create index live_event_by_transaction on kit_liveevent (xid)",
    "create index live_event_by_age on kit_liveevent using brin (at) with (pages_per_range = 16)",
    "alter table kit_liveevent enable row level security",
    "alter table kit_liveevent force row level security",
    f"""
    create policy tenant on kit_liveevent using (merchant_id = {CURRENT_MERCHANT})
        with check (merchant_id = {CURRENT_MERCHANT})
    """,
    # Rows are only added and forgotten; forgetting is the owner's, who learns nothing but their age.
    "create policy forget on kit_liveevent for select to current_user using (true)",
    "create policy forget_rows on kit_liveevent for delete to current_user using (true)",
    """
    create function makegood_forget_live(p_before timestamptz) returns bigint
    language sql security definer set search_path = public, pg_temp as
    $$ with gone as (delete from kit_liveevent where at < p_before returning 1) select count(*) from gone $$
    """,
    # Equal notifications of one transaction are one; the name of the merchant is all they say.
    f"""
    create function makegood_tell(p_channel text, p_kind text, p_data jsonb) returns void
    language sql as $$
        insert into kit_liveevent (channel, kind, data) values (p_channel, p_kind, p_data);
        select pg_notify('makegood_live', coalesce({CURRENT_MERCHANT}::text, ''));
    $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [("kit", "0001_jobs_upkeep"), ("accounts", "0001_initial")]

    operations = [migrations.RunSQL(LIVE, migrations.RunSQL.noop)]
