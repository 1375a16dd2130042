"""Row-level security; what was published or done is never changed but for taking a version back before its first day."""

from django.db import migrations

from makegood.kit.tenant_models import tenant_table

KEPT = [
    """
    create function policy_release_kept() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' then
        raise exception 'a release is never deleted' using errcode = 'restrict_violation';
      end if;
      if (new.id, new.merchant_id, new.pack, new.version, new.hash, new.content, new.valid_from, new.note, new.released_by, new.released_at)
         is distinct from
         (old.id, old.merchant_id, old.pack, old.version, old.hash, old.content, old.valid_from, old.note, old.released_by, old.released_at)
         or old.withdrawn_at is not null then
        raise exception 'a release is never changed' using errcode = 'restrict_violation';
      end if;
      return new;
    end $$
    """,
    "create trigger kept before update or delete on policy_policyrelease"
    " for each row execute function policy_release_kept()",
]


class Migration(migrations.Migration):
    dependencies = [("policy", "0001_initial"), ("accounts", "0002_walls")]

    operations = [
        tenant_table("policy_policydraft"),
        tenant_table("policy_policyrelease"),
        tenant_table("policy_policyevent", append_only=True),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
