"""Row-level security, the trigger that owes each event to the endpoints which chose it, and the sweep's look across."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table

# In the transaction of the event and whatever code writes it: an event is owed exactly where it happened. A rehearsal
# takes both back. Nothing but an index look-up happens where a merchant has no endpoint.
OWE = [
    """
    create function webhooks_owe() returns trigger language plpgsql as $$
    begin
      insert into webhooks_delivery (merchant_id, endpoint_id, event_id, kind, webhook_id, state, attempts, next_at, created_at)
      select new.merchant_id, e.id, new.id, 'case.' || new.kind, 'msg_' || replace(gen_random_uuid()::text, '-', ''),
             case e.state when 'active' then 'due' else 'held' end, 0, now(), now()
        from webhooks_endpoint e
       where e.merchant_id = new.merchant_id and e.state in ('active', 'paused')
         and (e.events = '[]'::jsonb or e.events ? ('case.' || new.kind));
      return null;
    end $$
    """,
    "create trigger webhooks_owe after insert on cases_caseevent for each row execute function webhooks_owe()",
]
DUE = [
    "create policy sweep on webhooks_delivery for select to current_user using (true)",
    """
    create function webhooks_merchants_due(p_at timestamptz, p_limit integer) returns setof bigint
    language sql stable security definer set search_path = public, pg_temp as
    $$ select distinct merchant_id from (
         select merchant_id from webhooks_delivery
          where state = 'due' and next_at <= p_at order by next_at limit p_limit) as due $$
    """,
]
UNDO = [
    "drop trigger webhooks_owe on cases_caseevent",
    "drop function webhooks_owe()",
    "drop function webhooks_merchants_due(timestamptz, integer)",
]


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial"), ("cases", "0002_walls")]

    operations = [
        tenant_table("webhooks_endpoint"),
        tenant_table(
            "webhooks_delivery", parents={"endpoint_id": "webhooks_endpoint", "event_id": "cases_caseevent"}
        ),
        tenant_table("webhooks_attempt", parents={"delivery_id": "webhooks_delivery"}),
        migrations.RunSQL([*OWE, *DUE], UNDO),
    ]
